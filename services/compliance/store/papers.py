"""Papers: the rows of what is drawn, their parts, and the exits that a caller may have exported."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from services.compliance.store.certificates import PART
from shared.store.unit import Unit

Row = dict[str, Any]


def paper(unit: Unit, paper_id: str) -> Row | None:
    """Read a paper's row."""
    return unit.db.papers.find_one({"_id": paper_id}, session=unit.session)


def save_paper(unit: Unit, row: Row, data: bytes | None = None) -> None:
    """Write a paper's row, and its parts once it is made."""
    unit.db.papers.replace_one({"_id": row["_id"]}, row, upsert=True, session=unit.session)
    if data is not None:
        parts = [{"_id": f"{row['_id']}/{at}", "data": data[at : at + PART]} for at in range(0, len(data), PART)]
        unit.db.paper_parts.insert_many(parts, session=unit.session)


def paper_part(unit: Unit, paper_id: str, offset: int) -> bytes | None:
    """Read the part that begins at `offset`; None where no part begins."""
    row = unit.db.paper_parts.find_one({"_id": f"{paper_id}/{offset}"}, session=unit.session)
    return bytes(row["data"]) if row else None


def exits_of(unit: Unit, customers: Collection[str]) -> list[str]:
    """List the exits of these customers (`*`: of all) that an order made known."""
    wanted: Row = {"customer_cvr": {"$exists": True}}
    if "*" not in customers:
        wanted = {"customer_cvr": {"$in": sorted(customers)}}
    return [row["_id"] for row in unit.db.exits.find(wanted, {"_id": 1}, session=unit.session).sort("_id", 1)]


def drop_papers(unit: Unit, exit_id: str) -> None:
    """Remove our copies of the papers that tell of an exit: what they showed was forgotten, in whole or in part."""
    rows = unit.db.papers.find({"exits": exit_id, "state": {"$ne": "failed"}}, {"_id": 1}, session=unit.session)
    for paper_id in [row["_id"] for row in rows]:
        wanted = {"_id": {"$gte": f"{paper_id}/", "$lt": f"{paper_id}0"}}  # "0" follows "/"
        unit.db.paper_parts.delete_many(wanted, session=unit.session)
        gone: Row = {"state": "failed", "reasons": ["FORGOTTEN"], "size": 0, "digest": None}
        unit.db.papers.update_one({"_id": paper_id}, {"$set": gone}, session=unit.session)

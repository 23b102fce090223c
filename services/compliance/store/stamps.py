"""Time stamps, kept with the head that they are over (`log_heads`): the response, its time, or why there is none."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from shared.store.unit import Unit


def of(unit: Unit, size: int) -> tuple[bytes, str] | None:
    """Give a head's time stamp and its time, None where there is none."""
    row = unit.db.log_heads.find_one({"_id": size}, session=unit.session) or {}
    return (bytes(row["tsr"]), str(row["stamped_at"])) if row.get("tsr") else None


def keep(unit: Unit, size: int, made: tuple[bytes, str]) -> None:
    """Keep a head's first time stamp."""
    stamped: dict[str, Any] = {"tsr": made[0], "stamped_at": made[1]}
    missing = {"_id": size, "tsr": {"$exists": False}}
    unit.db.log_heads.update_one(missing, {"$set": stamped, "$unset": {"not_stamped": 1}}, session=unit.session)


def none(unit: Unit, size: int, code: str) -> None:
    """Keep why a head has no time stamp."""
    failed = {"not_stamped": {"code": code, "at": unit.now.isoformat(timespec="seconds")}}
    unit.db.log_heads.update_one({"_id": size}, {"$set": failed}, session=unit.session)


def all_of(unit: Unit, sizes: Collection[int]) -> dict[int, bytes]:
    """Read the time stamps of these heads by size."""
    rows = unit.db.log_heads.find({"_id": {"$in": sorted(sizes)}, "tsr": {"$exists": True}}, session=unit.session)
    return {row["_id"]: bytes(row["tsr"]) for row in rows}

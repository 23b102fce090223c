"""What was revoked or superseded, and the list of it as published."""

from __future__ import annotations

from typing import Any

from shared.store.unit import Unit

Row = dict[str, Any]


def withdraw(unit: Unit, certificate: Row, code: str, on: str, ref: str) -> None:
    """Keep that a certificate does not count any more; `ref` is the evidence's. The first reason stays."""
    row = {"number": certificate["number"], "code": code, "on": on, "ref": ref, "exit_id": certificate["exit_id"]}
    first = {"$setOnInsert": row}
    key = {"_id": certificate["statement_digest"]}
    unit.db.revocations.update_one(key, first, upsert=True, session=unit.session)
    marked = {"_id": certificate["_id"], "revoked": {"$in": [None, "SUPERSEDED"]}}
    unit.db.certificates.update_one(marked, {"$set": {"revoked": code}}, session=unit.session)


def withdrawn(unit: Unit) -> list[Row]:
    """List all that was withdrawn; `logged` tells whether the log holds the evidence by now."""
    rows = list(unit.db.revocations.find({}, session=unit.session).sort([("on", 1), ("number", 1), ("_id", 1)]))
    refs = unit.db.log_refs.find({"_id": {"$in": [row["ref"] for row in rows]}}, {"_id": 1}, session=unit.session)
    there = {row["_id"] for row in refs}
    names = ("number", "on", "code")
    return [
        {**{name: row[name] for name in names}, "digest": row["_id"], "logged": row["ref"] in there} for row in rows
    ]


def published(unit: Unit) -> Row | None:
    """Read the list as it was last signed; None before the first certificate was drawn up."""
    return unit.db.revocation_list.find_one({"_id": "list"}, session=unit.session)


def publish(unit: Unit, row: Row) -> None:
    """Keep the list: origin, count and the signed note."""
    unit.db.revocation_list.replace_one({"_id": "list"}, {"_id": "list", **row}, upsert=True, session=unit.session)

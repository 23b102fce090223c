"""The requests of an exit, and the timers of those that wait."""

from __future__ import annotations

from datetime import date
from typing import Any

from shared.store.unit import Unit

Row = dict[str, Any]
LOOK = "compliance.request_look_due"


def request(unit: Unit, exit_id: str, request_id: str) -> Row | None:
    """Read a request of this exit."""
    return unit.db.requests.find_one({"_id": request_id, "exit_id": exit_id}, session=unit.session)


def requests(unit: Unit, exit_id: str) -> list[Row]:
    """List an exit's requests, the oldest first."""
    found = unit.db.requests.find({"exit_id": exit_id}, session=unit.session)
    return list(found.sort([("made_on", 1), ("_id", 1)]))


def save_request(unit: Unit, row: Row) -> None:
    """Write a request."""
    unit.db.requests.replace_one({"_id": row["_id"]}, row, upsert=True, session=unit.session)


def look_again(unit: Unit, row: Row, on: date | None) -> None:
    """Set the request's one timer, or remove it."""
    key = f"request/{row['_id']}"
    if on is None:
        unit.cancel(key)
        return
    told = {"exit_id": row["exit_id"], "request_id": row["_id"], "on": on}
    unit.at(on, LOOK, row["exit_id"], told, key)

"""Access's own collections: `exits` (one an exit) and `systems` (what was last seen of one system's ways in)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from services.access.domain import ATTESTATIONS, Exit, Order
from shared.store.unit import Unit

Row = dict[str, Any]


def load(unit: Unit, exit_id: str) -> Exit:
    """Read an exit; one without any fact where nothing is stored yet."""
    row = unit.db.exits.find_one({"_id": exit_id}, session=unit.session)
    if row is None:
        return Exit(exit_id)
    order = Order(**(row["order"] | {"systems": tuple(row["order"]["systems"])})) if row["order"] else None
    due = {activity: tuple(systems) for activity, systems in row["due"].items()}
    awaited = tuple(row.get("awaited", ATTESTATIONS))  # one written before it was kept: nobody knows what was due
    return Exit(exit_id, order, due, row["attested"], row["window_begun"], row["cancelled"], awaited)


def save(unit: Unit, exit_: Exit) -> None:
    """Write an exit."""
    unit.db.exits.replace_one({"_id": exit_.exit_id}, asdict(exit_), upsert=True, session=unit.session)


def seen(unit: Unit, exit_id: str) -> list[Row]:
    """List what was last seen of each system, by name (wire form; `on` is a date or None)."""
    rows = unit.db.systems.find({"exit_id": exit_id}, {"_id": 0, "exit_id": 0}, session=unit.session).sort("system", 1)
    return [row | {"on": date.fromisoformat(row["on"]) if row["on"] else None} for row in rows]


def see(unit: Unit, exit_id: str, row: Row) -> None:
    """Keep what was seen of a system."""
    key = f"{exit_id}/{row['system']}"
    unit.db.systems.replace_one({"_id": key}, {**row, "exit_id": exit_id}, upsert=True, session=unit.session)


def forget_closed(unit: Unit, exit_id: str) -> None:
    """Let what was seen closed count as open until it is looked at again."""
    change = {"$set": {"state": "open", "verified": False}}
    unit.db.systems.update_many({"exit_id": exit_id, "state": "closed"}, change, session=unit.session)

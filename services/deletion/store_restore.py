"""The collection `restores`: one document for each exit's part of a restore, found by system."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any

from services.deletion import store
from services.deletion import store_backups as kept
from services.deletion.domain.restore import CLOSED, Restore, Suppression, suppression
from shared.store.unit import Unit

_OPEN = {"state": {"$nin": list(CLOSED)}}


def save(unit: Unit, restore: Restore) -> None:
    """Write one exit's part of a restore."""
    row = {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(restore).items()}
    key = f"{restore.restore_id}/{restore.exit_id}"
    unit.db.restores.replace_one({"_id": key}, row, upsert=True, session=unit.session)


def parts_of(unit: Unit, restore_id: str) -> list[Restore]:
    """List every exit's part of one restore."""
    return _read(unit, {"restore_id": restore_id})


def open_in(unit: Unit, system: str) -> list[Restore]:
    """List what keeps a system from serving, of whatever exit."""
    return _read(unit, {"system": system, **_OPEN})


def open_of(unit: Unit, exit_id: str) -> list[Restore]:
    """List what is open of an exit."""
    return _read(unit, {"exit_id": exit_id, **_OPEN})


def ledger(unit: Unit, system: str) -> list[Suppression]:
    """List what every exit's executed deletions say must not be in a system."""
    exits = sorted(unit.db.jobs.distinct("exit_id", {"systems": system, "begun": True}, session=unit.session))
    entries = (suppression(store.jobs_of(unit, each), system, kept.days_of(unit, each)[1]) for each in exits)
    return [each for each in entries if each is not None]


def known(unit: Unit, system: str) -> bool:
    """Tell whether any order names a system."""
    rows: Iterable[dict[str, Any]] = unit.db.exits.find({}, {"systems": 1}, session=unit.session)
    return any(system in row.get("systems", {}) for row in rows)


def looked(unit: Unit, exit_id: str, systems: Iterable[str]) -> None:
    """Keep the day on which each system was last looked into."""
    for system in systems:
        change = {"$set": {"exit_id": exit_id, "system": system, "looked": unit.today.isoformat()}}
        unit.db.restore_looks.update_one({"_id": f"{exit_id}/{system}"}, change, upsert=True, session=unit.session)


def looked_on(unit: Unit, system: str) -> date | None:
    """Give the day since which some exit's part of a system has not been looked at; None where one never was."""
    rows = unit.db.restore_looks.find({"system": system}, session=unit.session)
    return min((date.fromisoformat(row["looked"]) for row in rows), default=None)


def _read(unit: Unit, query: dict[str, Any]) -> list[Restore]:
    return [_restore(row) for row in unit.db.restores.find(query, session=unit.session).sort("_id", 1)]


def _restore(row: dict[str, Any]) -> Restore:
    kept_ = {name: row[name] for name in Restore.__dataclass_fields__ if name in row}
    days = {name: date.fromisoformat(row[name]) if row.get(name) else None for name in ("since", "taken_on")}
    return Restore(**(kept_ | days))

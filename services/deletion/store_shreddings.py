"""The plans to end backup sets with their keys: collection `shreddings`, one row a plan; and where a key is used."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from services.deletion.domain.backup import Backup
from services.deletion.domain.shredding import Shredding
from services.deletion.store import load_exit
from services.deletion.store_backups import backups_of
from shared.store.unit import Unit

Row = dict[str, Any]
_LISTS = ("sets", "refused")


def load(unit: Unit, exit_id: str, job_id: str) -> Shredding | None:
    """Read one plan of this exit, and of no other."""
    row = unit.db.shreddings.find_one({"_id": job_id, "exit_id": exit_id}, session=unit.session)
    return _read(row) if row else None


def shreddings_of(unit: Unit, exit_id: str) -> list[Shredding]:
    """List an exit's plans, the oldest first."""
    rows = unit.db.shreddings.find({"exit_id": exit_id}, session=unit.session).sort("number", 1)
    return [_read(row) for row in rows]


def save(unit: Unit, shredding: Shredding) -> None:
    """Write a plan."""
    row = _plain(asdict(shredding)) | {"number": int(shredding.job_id.rpartition(".")[2])}
    unit.db.shreddings.replace_one({"_id": shredding.job_id}, row, upsert=True, session=unit.session)


def keyed(unit: Unit, exit_id: str) -> list[Backup]:
    """List an exit's sets that have a key and have not ended."""
    return [each for each in backups_of(unit, exit_id) if each.key_id and not each.ended]


def uses_of(unit: Unit, key_id: str) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
    """Give the customers and the sets of every exit whose catalogue names this key."""
    rows = list(unit.db.backups.find({"key_id": key_id}, session=unit.session))
    customers = {load_exit(unit, row["exit_id"]).customer_cvr for row in rows}
    return frozenset(customers), frozenset((row["system"], row["set_id"]) for row in rows)


def _plain(value: Any) -> Any:
    """Write days as text: the database has instants only."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def _read(row: Row) -> Shredding:
    known = {name: row[name] for name in Shredding.__dataclass_fields__ if name in row}
    known |= {name: tuple(row[name]) for name in _LISTS}
    return Shredding(**(known | {"by": date.fromisoformat(row["by"]) if row["by"] else None}))

"""The backup catalogue's collections: `backups`, `backup_days` (per system: when its deletion began first and was
verified last), `backup_findings` (what stands in the way of the last certificate).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any

from services.deletion.domain.backup import Backup
from services.deletion.domain.catalogue import Finding
from shared.store.unit import Unit

Days = dict[str, date]


def load_backup(unit: Unit, exit_id: str, system: str, set_id: str) -> Backup | None:
    """Read one backup set."""
    row = unit.db.backups.find_one({"_id": f"{exit_id}/{system}/{set_id}"}, session=unit.session)
    return _backup(row) if row else None


def backups_of(unit: Unit, exit_id: str) -> list[Backup]:
    """List an exit's backup sets."""
    found = unit.db.backups.find({"exit_id": exit_id}, session=unit.session).sort("_id", 1)
    return [_backup(row) for row in found]


def save_backup(unit: Unit, backup: Backup) -> None:
    """Write a backup set."""
    key = f"{backup.exit_id}/{backup.system}/{backup.set_id}"
    row = {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(backup).items()}
    unit.db.backups.replace_one({"_id": key}, row, upsert=True, session=unit.session)


def note_begun(unit: Unit, exit_id: str, systems: Iterable[str]) -> None:
    """Keep the first day on which each system was really deleted from; it never moves (T16)."""
    _note(unit, exit_id, systems, {"$min": {"begun": unit.today.isoformat()}})


def note_ended(unit: Unit, exit_id: str, systems: Iterable[str]) -> None:
    """Keep the last day on which each system was verified as deleted."""
    _note(unit, exit_id, systems, {"$max": {"ended": unit.today.isoformat()}})


def days_of(unit: Unit, exit_id: str) -> tuple[Days, Days]:
    """Give per system when its deletion began first, and when it was verified last."""
    rows = list(unit.db.backup_days.find({"exit_id": exit_id}, session=unit.session))
    begun, ended = (
        {row["system"]: date.fromisoformat(row[name]) for row in rows if name in row} for name in ("begun", "ended")
    )
    return begun, ended


def findings_of(unit: Unit, exit_id: str) -> list[Finding]:
    """List what stands in the way of the last certificate."""
    rows = unit.db.backup_findings.find({"exit_id": exit_id}, session=unit.session).sort("_id", 1)
    return [_finding(row) for row in rows]


def add_finding(unit: Unit, exit_id: str, finding: Finding) -> bool:
    """Keep a finding; tell whether it is a new one."""
    row = asdict(finding) | {"taken_on": finding.taken_on.isoformat() if finding.taken_on else None}
    key = {"_id": f"{exit_id}/{finding.system}/{finding.set_id}"}
    known = unit.db.backup_findings.find_one(key, session=unit.session)
    unit.db.backup_findings.replace_one(key, row | {"exit_id": exit_id}, upsert=True, session=unit.session)
    return known is None or known["finding"] != finding.finding or known["taken_on"] != row["taken_on"]


def drop_finding(unit: Unit, exit_id: str, system: str, set_id: str) -> None:
    """Forget a finding whose set is catalogued now."""
    unit.db.backup_findings.delete_one({"_id": f"{exit_id}/{system}/{set_id}"}, session=unit.session)


def _note(unit: Unit, exit_id: str, systems: Iterable[str], change: dict[str, Any]) -> None:
    for system in systems:
        change = change | {"$set": {"exit_id": exit_id, "system": system}}
        unit.db.backup_days.update_one({"_id": f"{exit_id}/{system}"}, change, upsert=True, session=unit.session)


def _backup(row: dict[str, Any]) -> Backup:
    known = {name: row[name] for name in Backup.__dataclass_fields__ if name in row}
    for name in ("taken_on", "expires_on", "observed_on", "content_on"):
        known[name] = date.fromisoformat(row[name]) if row.get(name) else None
    return Backup(**(known | {"identity": tuple(row.get("identity", ()))}))


def _finding(row: dict[str, Any]) -> Finding:
    taken = date.fromisoformat(row["taken_on"]) if row["taken_on"] else None
    return Finding(row["system"], row["set_id"], row["finding"], row["kind"], taken)

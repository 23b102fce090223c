"""The backup catalogue's part of the face: sets are registered, read, and looked for when their day is past."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from services.deletion import domain, store
from services.deletion import store_backups as kept
from services.deletion.calling import owned
from services.deletion.domain import Backup, Exit, catalogue
from shared.bus.faces import command, on, query

_TOLD = ("exit_id", "system", "set_id", "taken_on", "expires_on")
_MORE = ("kind", "key_id", "made_at", "encrypted_at")


class Cataloguing:
    """Backup sets on the bus."""

    @command
    def register_backup(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take a backup set that holds this customer's data into the catalogue."""
        exit_, data = owned(unit, call), call.data
        said = {name: data[name] for name in (*_TOLD, *_MORE) if name in data}
        known = kept.load_backup(unit, exit_.exit_id, data["system"], data["set_id"])
        backup = domain.register_backup(exit_, Backup(**said), known)
        if backup != known:
            kept.save_backup(unit, backup)
            kept.drop_finding(unit, exit_.exit_id, backup.system, backup.set_id)
            unit.emit("deletion.backup_registered", exit_.exit_id, said)
            store.save_exit(unit, replace(exit_, backups_expired=False))
            _look_when_deleted(unit, exit_, backup)
        return {"exit_id": exit_.exit_id, "state": "registered"}

    @query
    def read_backups(self, unit: Any, call: Any) -> dict[str, Any]:
        """Tell of every set in the catalogue, how it stands, and what stands in the way."""
        exit_id = owned(unit, call).exit_id
        backups, (begun, _) = kept.backups_of(unit, exit_id), kept.days_of(unit, exit_id)
        points = [asdict(each) for each in catalogue.curve(backups, begun, unit.today)] if backups else []
        last = max(catalogue.limits(begun).values(), default=None)
        stands = catalogue.evaluate(backups, begun, unit.today)
        rows = [_row(each, how) for each, how in zip(backups, stands, strict=True)]
        found = [asdict(each) for each in kept.findings_of(unit, exit_id)]
        return {"exit_id": exit_id, "backups": rows, "findings": found, "curve": points, "limit_on": last}

    @on("deletion.backups_look_due")
    def backups_look_due(self, unit: Any, told: Any) -> None:
        """Have the backups looked at."""
        unit.send("deletion.verify.observe_backups", {"exit_id": told.data["exit_id"], "on": told.data["on"]})


def _row(backup: Backup, how: catalogue.Standing) -> dict[str, Any]:
    names = ("system", "set_id", "taken_on", "expires_on", "answer", "observed_on", "kind", "key_id", "stream")
    return {name: getattr(backup, name) for name in names} | {"last_on": how.last_on, "state": how.state}


def _look_when_deleted(unit: Any, exit_: Exit, backup: Backup) -> None:
    """Have a set that is registered after its system was deleted looked at: now, and when its last day is past."""
    jobs = store.jobs_of(unit, exit_.exit_id)
    if any(job.state == "verified" and backup.system in job.systems for job in jobs):
        begun, _ = kept.days_of(unit, exit_.exit_id)
        last = catalogue.last_day(backup, catalogue.limits(begun).get(backup.system))
        store.look_later(unit, exit_.exit_id, [replace(backup, expires_on=last)])
        unit.send("deletion.verify.observe_backups", {"exit_id": exit_.exit_id, "on": unit.today})

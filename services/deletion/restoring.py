"""Restores on the bus: announced, replayed, and asked about by whoever starts the system.

The replay is a deletion as any other: what is found opens the activity again, and preview, two approvals, intent,
permit, batches and verification follow (ADR 0015). What a look and a verified job mean is `returning.py`'s.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from services.deletion import returning, store
from services.deletion import store_backups as backups
from services.deletion import store_restore as kept
from services.deletion.domain import catalogue
from services.deletion.domain import restore as rules
from services.deletion.domain.catalogue import Finding
from services.deletion.domain.restore import Restore, Suppression
from shared.bus.faces import command, on, query


class Restoring:
    """The restore guard on the bus."""

    @command
    def announce_restore(self, unit: Any, call: Any) -> dict[str, Any]:
        """Close a system before a backup set is put back into it, and list what must be deleted again."""
        system, set_id = call.data["system"], call.data["set_id"]
        _require_known(unit, system)
        entries = kept.ledger(unit, system)
        for each in entries:
            call.actor.require_customer(store.load_exit(unit, each.exit_id).customer_cvr)
        taken_on = _taken_on(unit, entries, set_id) or call.data["taken_on"]
        before = {each.exit_id: each for each in kept.open_in(unit, system) if each.set_id == set_id}
        restore_id = next((each.restore_id for each in before.values()), f"rst-{secrets.token_hex(8)}")
        by = {"actor": call.actor.id, "role": call.actor.role_for("deletion.announce_restore")}
        for each in entries:
            if each.exit_id not in before:
                part = Restore(restore_id, each.exit_id, system, each.activity, rules.ANNOUNCED, unit.today, set_id,
                               taken_on, after_job=each.job_id)  # fmt: skip
                _announce(unit, part, by)
        rows = [_entry(each, taken_on) for each in entries]
        told = {"restore_id": restore_id, "system": system, "set_id": set_id, "taken_on": taken_on}
        return told | {"entries": rows}

    @command
    def replay_restore(self, unit: Any, call: Any) -> dict[str, Any]:
        """Have the verifier look what the restore brought back; what it finds is deleted again."""
        parts = kept.parts_of(unit, call.data["restore_id"])
        if not parts:
            raise rules.restore_unknown()
        for part in parts:
            call.actor.require_customer(store.load_exit(unit, part.exit_id).customer_cvr)
            after = part.after("restored")
            if after.state == "looking":
                kept.save(unit, after)
                returning.look_now(unit, part.exit_id)
        states = {part.after("restored").state for part in parts}
        state = "looking" if "looking" in states else "found" if "found" in states else "closed"
        return {"restore_id": call.data["restore_id"], "state": state}

    @query
    def restore_check(self, unit: Any, call: Any) -> dict[str, Any]:
        """Tell whether a system may serve."""
        system = call.data["system"]
        open_ = kept.open_in(unit, system)
        if not open_:
            _require_known(unit, system)
        told = {"system": system, "released": not open_, "restores": [_part(each) for each in open_]}
        return told | {"looked_on": kept.looked_on(unit, system)}

    @on("deletion.reappearance_look_due")
    def reappearance_look_due(self, unit: Any, told: Any) -> None:
        """Have the verifier look whether anything has returned."""
        returning.look_now(unit, told.data["exit_id"])


def _announce(unit: Any, part: Restore, by: dict[str, str]) -> None:
    kept.save(unit, part)
    told = {name: getattr(part, name) for name in ("exit_id", "restore_id", "activity", "system", "set_id", "taken_on")}
    unit.emit("deletion.restore_announced", part.exit_id, told | by | {"on": unit.today})
    _not_gone(unit, part)


def _not_gone(unit: Any, part: Restore) -> None:
    """Take it that a set which can be restored is there: it was not gone, or is found beside the catalogue."""
    backup = backups.load_backup(unit, part.exit_id, part.system, part.set_id)
    if backup is None:
        finding = Finding(part.system, part.set_id, catalogue.UNCATALOGUED, "restored", part.taken_on)
        if backups.add_finding(unit, part.exit_id, finding):
            told: dict[str, Any] = {"exit_id": part.exit_id, "system": part.system, "set_id": part.set_id}
            told |= {"kind": "restored", "finding": catalogue.UNCATALOGUED, "taken_on": part.taken_on, "on": unit.today}
            unit.emit("deletion.backup_found", part.exit_id, told)
    elif backup.ended:
        backups.save_backup(unit, replace(backup, answer="PRESENT", observed_on=unit.today))
        told = {"exit_id": part.exit_id, "system": part.system, "set_id": part.set_id, "answer": "PRESENT"}
        unit.emit("deletion.backup_observed", part.exit_id, told | {"expires_on": backup.expires_on, "on": unit.today})
        store.look_later(unit, part.exit_id, [replace(backup, expires_on=unit.today)])
    returning.open_again(unit, part.exit_id)


def _require_known(unit: Any, system: str) -> None:
    if not kept.known(unit, system):
        raise rules.system_unknown(system)


def _taken_on(unit: Any, entries: Iterable[Suppression], set_id: str) -> date | None:
    """Give the catalogue's day of a set; the earliest where exits say different ones."""
    sets = (backups.load_backup(unit, each.exit_id, each.system, set_id) for each in entries)
    return min((each.taken_on for each in sets if each is not None), default=None)


def _entry(each: Suppression, taken_on: date | None) -> dict[str, Any]:
    places = [
        {"place": place, "predicate": predicate or place, "whole": whole or None}
        for place, predicate, whole in each.places
    ]
    names = ("exit_id", "activity", "job_id", "plan_digest", "deleted_on")
    return {name: getattr(each, name) for name in names} | {"needed": each.needed(taken_on), "places": places}


def _part(each: Restore) -> dict[str, Any]:
    names = ("restore_id", "exit_id", "activity", "cause", "state", "since", "rows")
    told = {name: getattr(each, name) for name in names}
    return told | {name: getattr(each, name) or None for name in ("set_id", "job_id", "code")}

"""Ending encrypted backup sets with their keys: both hands' part, each with credentials of its own.

Step by step:
1. (verify) each set that has a key is judged (`shredding_sets.py`); what fails is refused with every reason;
2. (delete) under the permit: the same plan drawn up again, approvals, holds; then begun is committed, before all else;
3. (delete) one set a message: no hold may stand, and outside production every holder must carry a rehearsal mark; each
   holder is asked, what it says is committed; a crash asks again, which begins no wait anew;
4. (verify) every copy is looked for, now, when its wait is over and each day until it is seen to be destroyed; a holder
   that cannot be asked is no answer, and one that still has the key is asked again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from contracts.deletion_keys import ACTIVITY, KEY_DESTROYED
from contracts.errors import OphorError, Rejected
from contracts.system_map import System, SystemMap
from contracts.system_map.keys import Holder
from services.deletion import domain, keys_told, store, store_backups
from services.deletion import store_shreddings as kept
from services.deletion.domain import Exit
from services.deletion.domain import shredding as rules
from services.deletion.domain.shredding import Row, Shredding
from services.deletion.worker import ground
from services.deletion.worker.shredding_sets import judged, state_of
from shared.connectors import marker
from shared.keystore.holders import holding


def plan(work: Any) -> None:
    """Draw up a requested plan, or stop it with what is wrong (1.)."""
    before, exit_ = _read(work)
    if before.state != "requested":
        return
    try:
        rows, refused = judged(work, ground.load_map(work, exit_), exit_, before.by, "verify")
        planned = rules.planned(before, exit_, rows, refused)
    except Rejected as error:
        code = error.code
        work.commit(lambda unit: keys_told.stop(unit, before.exit_id, before.job_id, code))
    else:
        work.commit(lambda unit: _tell_planned(unit, before, planned))


def destroy(work: Any) -> None:
    """Begin a permitted plan, or ask for the next key's destruction (2., 3.)."""
    before, exit_ = _read(work)
    try:
        if before.state == "permitted":
            _begin(work, before, exit_)
        elif before.state == "destroying":
            _ask(work, before, exit_)
        elif before.state == "asked":
            _ask_again(work, before, exit_)
    except Rejected as error:
        if work.committed or (before.begun and error.code != "HOLD_PLACED"):
            raise
        code = error.code
        work.commit(lambda unit: _stop(unit, before, code))


def look(work: Any, exit_: Exit, systems: SystemMap) -> list[tuple[Row, list[Row]]]:
    """Look for every copy of the keys that were asked for; give each set with what its holders say (4.)."""
    found = work.read(lambda unit: kept.shreddings_of(unit, exit_.exit_id))
    return [
        (row, _seen(systems.systems.get(row["system"]), row, "verify")) for each in found for row in rules.left(each)
    ]


def keep(unit: Any, exit_id: str, seen: Sequence[tuple[Row, list[Row]]]) -> None:
    """Keep and tell what was seen of the keys; look again where one is not seen to be destroyed."""
    for row, states in seen:
        before = next((each for each in kept.shreddings_of(unit, exit_id) if row in each.sets), None)
        if before is None:
            continue
        after = rules.with_seen(before, row, states, unit.today)
        kept.save(unit, after)
        answer = rules.answer(row, states)
        unit.emit("deletion.key_observed", exit_id, _told(before, row, states, unit.today) | {"answer": answer})
        if answer == "DESTROYED":
            _end_set(unit, exit_id, row)
        elif answer == "ACTIVE":
            unit.send("deletion.delete.destroy_keys", {"exit_id": exit_id, "job_id": before.job_id})
    if left := [row for each in kept.shreddings_of(unit, exit_id) for row in rules.left(each)]:
        _look_later(unit, exit_id, left)


def _look_later(unit: Any, exit_id: str, rows: Sequence[Row]) -> None:
    """Set the timer: when the first wait is over, tomorrow at the earliest."""
    waits = [
        date.fromisoformat(row["asked_on"]) + timedelta(days=row["waits_days"]) for row in rows if row.get("asked_on")
    ]
    on = max(min(waits, default=unit.today), unit.today + timedelta(days=1))
    unit.at(on, "deletion.backups_look_due", exit_id, {"exit_id": exit_id, "on": on}, f"backups/{exit_id}/keys")


def _end_set(unit: Any, exit_id: str, row: Row) -> None:
    """Let a set count as ended with its key, under a word of its own."""
    backup = store_backups.load_backup(unit, exit_id, row["system"], row["set_id"])
    if backup is None or backup.ended:
        return
    store_backups.save_backup(unit, replace(backup, answer=KEY_DESTROYED, observed_on=unit.today))
    told = {"exit_id": exit_id, "system": backup.system, "set_id": backup.set_id, "answer": KEY_DESTROYED}
    unit.emit("deletion.backup_observed", exit_id, told | {"expires_on": backup.expires_on, "on": unit.today})


def _read(work: Any) -> tuple[Shredding, Exit]:
    exit_ = domain.require_exit(work.read(lambda unit: store.load_exit(unit, work.exit_id)))
    found = work.read(lambda unit: kept.load(unit, work.exit_id, work.data["job_id"]))
    if found is None:
        raise Rejected("SHREDDING_UNKNOWN", "there is no such plan", field="job_id", remedy="plan anew")
    return found, exit_


def _tell_planned(unit: Any, before: Shredding, planned: Shredding) -> None:
    now = kept.load(unit, before.exit_id, before.job_id)
    if now is not None and now.state == "requested":
        kept.save(unit, planned)
        keys_told.tell_planned(unit, planned)


def _begin(work: Any, before: Shredding, exit_: Exit) -> None:
    domain.check_permit(before, datetime.now(UTC))
    domain.check_approvals(before, work.now)
    systems = ground.load_map(work, exit_)
    rows, _ = judged(work, systems, exit_, before.by, "delete")
    wanted = {(row["system"], row["set_id"]) for row in before.sets}
    rules.check_same(before, exit_, [row for row in rows if (row["system"], row["set_id"]) in wanted])
    _require_marked(work, systems, before)
    work.commit(lambda unit: _tell_begun(unit, before))


def _stop(unit: Any, before: Shredding, code: str) -> None:
    keys_told.stop(unit, before.exit_id, before.job_id, code)
    if before.begun:
        _have_looked(unit, before.exit_id)


def _have_looked(unit: Any, exit_id: str) -> None:
    """Have the verifier look at once: a holder that does not wait has destroyed by now."""
    unit.send("deletion.verify.observe_backups", {"exit_id": exit_id, "on": unit.today})


def _tell_begun(unit: Any, before: Shredding) -> None:
    """Begin, unless a hold stands or the plan was cancelled meanwhile: all of it in the transaction that begins."""
    now = kept.load(unit, before.exit_id, before.job_id)
    if now is None or now.state != "permitted":
        return
    _require_free(unit, now)
    kept.save(unit, now.after("begin"))
    told = {"activity": ACTIVITY, "job_id": now.job_id, "plan_digest": now.plan_digest, "on": unit.today}
    unit.emit("deletion.shredding_begun", now.exit_id, {"exit_id": now.exit_id, **told})
    unit.send("deletion.delete.destroy_keys", {"exit_id": now.exit_id, "job_id": now.job_id})


def _require_free(unit: Any, plan_: Shredding) -> None:
    """Refuse while a hold stands, in the exit's turn: a hold comes before this or after it, never beside it."""
    store.claim_exit(unit, plan_.exit_id)
    job = domain.Job(plan_.job_id, plan_.exit_id, ACTIVITY, tuple(sorted(plan_.systems())))
    domain.require_free(job, store.holds_of(unit, plan_.exit_id))


def _ask(work: Any, before: Shredding, exit_: Exit) -> None:
    row = rules.unasked(before)
    if row is None:
        work.commit(lambda unit: _tell_asked(unit, before))
        return
    systems = ground.load_map(work, exit_)
    _require_marked(work, systems, before)
    work.transaction(lambda unit: _require_free(unit, before))
    states = _destroyed(systems.system(row["system"]), row)
    work.commit(lambda unit: _close(unit, before, row, states))


def _ask_again(work: Any, before: Shredding, exit_: Exit) -> None:
    """Ask the holders again that still had a key when the verifier looked."""
    systems = ground.load_map(work, exit_)
    _require_marked(work, systems, before)
    for row in (each for each in rules.left(before) if each["answer"] == "ACTIVE"):
        work.transaction(lambda unit: _require_free(unit, before))
        _destroyed(systems.system(row["system"]), row)


def _close(unit: Any, before: Shredding, row: Row, states: list[Row]) -> None:
    now = kept.load(unit, before.exit_id, before.job_id)
    if now is None or row not in now.sets:
        return
    asked = rules.with_asked(now, row, states)
    sets = tuple(
        each | {"asked_on": unit.today} if (each["system"], each["set_id"]) == (row["system"], row["set_id"]) else each
        for each in asked.sets
    )
    kept.save(unit, replace(asked, sets=sets))
    unit.emit("deletion.key_destruction_asked", now.exit_id, _told(now, row, states, unit.today))
    unit.send("deletion.delete.destroy_keys", {"exit_id": now.exit_id, "job_id": now.job_id})


def _tell_asked(unit: Any, before: Shredding) -> None:
    now = kept.load(unit, before.exit_id, before.job_id)
    if now is not None and now.state == "destroying":
        kept.save(unit, now.after("ask"))
        _have_looked(unit, now.exit_id)


def _require_marked(work: Any, systems: SystemMap, plan_: Shredding) -> None:
    """Outside production, refuse holders that were not set up for rehearsals (design §6)."""
    if work.settings.mode == "production":
        return
    for name in sorted(plan_.systems()):
        for each in systems.system(name).keys:
            with holding(each, "delete") as keys:
                marker.require_marked(f"{name}.backup_keys.{each.copy}", keys.marker(), time.time())


def _destroyed(system: System, row: Row) -> list[Row]:
    return list(_asked(system.keys, row))


def _asked(holders: Sequence[Holder], row: Row) -> Iterator[Row]:
    for each in holders:
        try:
            with holding(each, "delete") as keys:
                state = str(keys.destroy(row["key_id"]))
        except OphorError:
            state = "ERROR"
        yield {"copy": each.copy, "holder": each.name, "state": state}


def _seen(system: System | None, row: Row, purpose: str) -> list[Row]:
    holders = system.keys if system is not None else ()
    return [
        {"copy": each.copy, "holder": each.name, "state": state_of(each, row["key_id"], purpose)} for each in holders
    ]


def _told(plan_: Shredding, row: Row, states: list[Row], today: date) -> Row:
    told = {name: row[name] for name in ("system", "set_id", "key_id")}
    named = {"exit_id": plan_.exit_id, "activity": ACTIVITY, "job_id": plan_.job_id}
    return {**named, **told, "copies": states, "on": today}

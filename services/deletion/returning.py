"""What came back: what a look of the verifier, and a job that was verified, mean for the restores of an exit."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from services.deletion import store
from services.deletion import store_backups as backups
from services.deletion import store_restore as kept
from services.deletion.domain import Exit, Job, catalogue
from services.deletion.domain import restore as rules
from services.deletion.domain.restore import Look, Restore


def look_now(unit: Any, exit_id: str) -> None:
    """Have the verifier look into everything of an exit that was deleted."""
    unit.send("deletion.verify.look_again", {"exit_id": exit_id, "on": unit.today})


def keep(unit: Any, exit_: Exit, looks: Sequence[Look], every: int, handed_over: Collection[str]) -> None:
    """Take what a look saw: tell it, open or clear restores by it, and set the timer of the next one.

    `handed_over` are the restores that were back in place when the look began: no other is cleared by it.

    The exit's turn is taken: no job is made of an activity between this look's answer and what follows from it."""
    store.claim_exit(unit, exit_.exit_id)
    still = {job.job_id for job in rules.settled(store.jobs_of(unit, exit_.exit_id))}
    looks = [each for each in looks if each.job_id in still]  # what a job is working on meanwhile, that one verifies
    if looks:
        rows = [_looked(each) for each in looks]
        told = {"exit_id": exit_.exit_id, "systems": rows, "on": unit.today}
        unit.emit("deletion.reappearance_looked", exit_.exit_id, told)
        kept.looked(unit, exit_.exit_id, [each.system for each in looks if each.answer != "ERROR"])
    before = kept.open_of(unit, exit_.exit_id)
    for look in looks:
        mine = [part for part in before if part.system == look.system]
        if look.answer == "FOUND":
            fresh = Restore(f"rst-{secrets.token_hex(8)}", exit_.exit_id, look.system, look.activity, rules.SCHEDULED,
                            unit.today)  # fmt: skip
            for part in mine or [fresh]:
                _found(unit, part, rules.found(part, look), look)
        for part in mine if look.answer != "FOUND" else ():
            _changed(unit, part, rules.looked(part, look, since=part.restore_id in handed_over))
    failed = any(each.answer == "ERROR" for each in looks)
    follow(unit, exit_.exit_id, every, anxious=bool(before or failed or kept.open_of(unit, exit_.exit_id)))


def answered(unit: Any, job: Job, every: int) -> None:
    """Take a verified job: it replays what was found in its systems before it, and looks follow it."""
    before = [part for part in kept.open_of(unit, job.exit_id) if part.system in job.systems]
    for part in before:
        _changed(unit, part, rules.verified(part, job), job)
    if any(part.state == "looking" for part in before):
        look_now(unit, job.exit_id)
    kept.looked(unit, job.exit_id, job.systems)
    follow(unit, job.exit_id, every, anxious=bool(before or kept.open_of(unit, job.exit_id)))


def handed_over(unit: Any, exit_id: str) -> set[str]:
    """Name the restores that are back in place and wait for a look."""
    return {part.restore_id for part in kept.open_of(unit, exit_id) if part.state == "looking"}


def follow(unit: Any, exit_id: str, every: int, *, anxious: bool) -> None:
    """Set the timer of the next look, or none once everything is over."""
    begun, _ = backups.days_of(unit, exit_id)
    last = max(catalogue.limits(begun).values(), default=unit.today)
    without = not backups.backups_of(unit, exit_id) and unit.today > last
    over = without or store.load_exit(unit, exit_id).backups_expired
    at = rules.next_look(unit.today, every=every, anxious=anxious, over=over)
    key = f"reappearance/{exit_id}"
    if at is None:
        unit.cancel(key)
    else:
        unit.at(at, "deletion.reappearance_look_due", exit_id, {"exit_id": exit_id, "on": at}, key)


def replays(unit: Any, job: Job) -> Job:
    """Name the restore whose rows a new job deletes again, where there is one."""
    found = [each for each in kept.open_of(unit, job.exit_id) if each.state == "found"]
    mine = [each.restore_id for each in found if each.activity == job.activity]
    return replace(job, restore_id=mine[0]) if mine else job


def open_again(unit: Any, exit_id: str) -> None:
    """Let the last word on the backups be said anew: what returned came from somewhere."""
    exit_ = store.load_exit(unit, exit_id)
    if exit_.backups_expired:
        store.save_exit(unit, replace(exit_, backups_expired=False))


def _found(unit: Any, before: Restore, part: Restore, look: Look) -> None:
    kept.save(unit, part)
    if before.state == "found":
        return
    places = [{"place": place, "rows": rows} for place, rows in look.places if rows]
    more = {"cause": part.cause, "after_job": part.after_job, "places": places, "rows": look.rows}
    _tell(unit, "deletion.reappearance_found", part, **more)
    open_again(unit, part.exit_id)


def _changed(unit: Any, before: Restore, part: Restore, job: Job | None = None) -> None:
    """Keep what became of a restore's part; tell where it no longer keeps its system from serving."""
    if part == before:
        return
    kept.save(unit, part)
    if part.closed:  # what may be the last word on the backups is said anew
        unit.send("deletion.verify.observe_backups", {"exit_id": part.exit_id, "on": unit.today})
    if part.state == "clear":
        _tell(unit, "deletion.restore_cleared", part)
    elif part.state == "replayed" and job is not None:
        deleted = sum(each.deleted for each in job.places if each.system == part.system)
        _tell(unit, "deletion.restore_replayed", part, job_id=job.job_id, plan_digest=job.plan_digest, deleted=deleted)


def _tell(unit: Any, wire: str, part: Restore, **more: Any) -> None:
    told = {name: getattr(part, name) for name in ("exit_id", "restore_id", "activity", "system")}
    unit.emit(wire, part.exit_id, told | more | {"on": unit.today})


def _looked(look: Look) -> dict[str, Any]:
    told = {"system": look.system, "activity": look.activity, "answer": look.answer, "rows": look.rows}
    return told | {"code": look.code or None}

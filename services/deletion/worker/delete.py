"""The hand `delete`: a permitted job, batch by batch, each so that a crash at any moment loses and repeats nothing.

A batch, step by step (design §2, evidence.md §1.1, §5):
1. the target is marked as a copy (outside production) and its schema is the plan's, or the job stops;
2. the intent (keys) is committed under a new fence, so that whoever held the job before can commit nothing; a hold
   forbids it;
3. one transaction on the target: delete, compare what the engine counted with our own statements, and the
   neighbours in the snapshot; anything beyond rolls back and stops the job;
4. the fence and the holds are read again, then the target commits;
5. closed with deleted = planned − still present; sums, checkpoint, the fact and the next task are one commit.
After a crash the open intent is closed first, by counting what is still present; nothing is deleted from it again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from contracts.errors import Rejected, Unavailable
from contracts.system_map import SystemMap
from services.deletion import domain, store
from services.deletion.domain import Exit, Job
from services.deletion.worker import ground
from shared.bus.hands import Hand, task
from shared.connectors import marker
from shared.connectors.protocol import Batch, Connector, Key


@dataclass(frozen=True, slots=True)
class Intent:
    """One batch as it was meant: `number`, where, which keys, and whether the neighbours are compared."""

    number: int
    system: str
    place: str
    keys: list[Key]
    sampled: bool = False


class Delete(Hand):
    """Deletes under a permit, and under nothing else."""

    service, name = "deletion", "delete"

    @task
    def delete_batch(self, work: Any) -> None:
        """Begin a permitted job, or do its next batch."""
        job, exit_ = ground.read_job(work, work.data["job_id"])
        if job.state == "permitted":
            _guarded(work, job, lambda: _begin(work, job, exit_))
        elif job.state == "executing" and work.data["batch"] == job.batches + 1:
            _guarded(work, job, lambda: _slice(work, job, exit_))


def _guarded(work: Any, job: Job, step: Any) -> None:
    try:
        step()
    except Rejected as error:
        if work.committed:
            raise
        code, field = error.code, error.field
        work.commit(lambda unit: ground.stop(unit, job.job_id, code, field))


def _begin(work: Any, job: Job, exit_: Exit) -> None:
    """Look at every system of the job once more before the first row."""
    systems = ground.load_map(work, exit_)
    domain.check_permit(job, datetime.now(UTC))
    started: dict[tuple[str, str], int] = {}
    for name in job.systems:
        with ground.opened(systems, name, "delete", exit_) as connector:
            _check_target(work, connector, job)
            started |= {(name, place): connector.count(place) for system, place in job.queue if system == name}
    for each in job.places:
        domain.check_band(each, started.get((each.system, each.place), 0))
    work.commit(lambda unit: _tell_begun(unit, job, started))


def _tell_begun(unit: Any, before: Job, started: Mapping[tuple[str, str], int]) -> None:
    """Begin, unless a hold stands or the job was cancelled meanwhile: all of it in the transaction that begins."""
    store.claim_exit(unit, before.exit_id)
    job = ground.fresh(unit, before)
    domain.require_free(job, store.holds_of(unit, job.exit_id))
    places = tuple(replace(each, started=started.get((each.system, each.place))) for each in job.places)
    store.save_job(unit, job.after("begin", begun=True, places=places))
    unit.emit(
        "deletion.deletion_begun", job.exit_id,
        ground.named(job) | {"plan_digest": job.plan_digest, "on": unit.today},
    )  # fmt: skip
    _next(unit, job, 1)


def _slice(work: Any, job: Job, exit_: Exit) -> None:
    systems, number = ground.load_map(work, exit_), job.batches + 1
    left = work.read(lambda unit: store.open_batches(unit, job, number))
    if left:
        _resume(work, job, exit_, systems, left)
        return
    with ExitStack() as stack:
        connector: Connector | None = None
        for position in range(job.position, len(job.queue)):
            system, place = job.queue[position]
            if connector is None or connector.system != system:
                connector = stack.enter_context(ground.opened(systems, system, "delete", exit_))
                _check_target(work, connector, job)
            keys = connector.keys(place, ground.batch_size())
            if keys:
                at = replace(job, position=position)
                rows = enumerate(connector.together(place, keys), number)
                _batch(work, at, connector, [_intent(at, each, system, *row) for each, row in rows])
                return
            _check_empty(connector, place)
    work.commit(lambda unit: _tell_executed(unit, job))


def _intent(job: Job, number: int, system: str, place: str, keys: list[Key]) -> Intent:
    before = job.place(system, place)
    domain.check_band(before, len(keys))
    sampled = domain.sampled(number, len(keys), ground.batch_size(), before.deleted)
    return Intent(number, system, place, keys, sampled)


def _check_target(work: Any, connector: Connector, job: Job) -> None:
    inventory = ground.discovered(connector)
    if work.settings.mode != "production":
        marker.require_fresh(connector, time.time())
    order = connector.order(inventory)
    places = {each.name: each.fingerprint for each in inventory.places}
    domain.check_schema(job, connector.system, inventory.fingerprint, places, order)


def _check_empty(connector: Connector, place: str) -> None:
    """Refuse to go on where rows are left that no batch can name (a ring of rows that hold one another)."""
    if connector.count(place):
        raise Rejected(
            "ROWS_NOT_DELETABLE", f"{connector.system}: rows of {place} hold one another",
            field=f"systems.{connector.system}.places.{place}", remedy="release them by hand, then preview anew",
        )  # fmt: skip


def _batch(work: Any, job: Job, connector: Connector, intents: Sequence[Intent]) -> None:
    """Do one transaction on the target: one batch, or one for each place of a ring whose rows go together."""
    fenced: Job = work.transaction(lambda unit: _open(unit, job, intents))
    stopped, outside = None, 0
    try:
        outside = _act(work, fenced, connector, intents)
        if outside:
            raise Rejected("OUTSIDE_SCOPE", "more would have changed than was planned", field=_where(intents[0]))
    except Rejected as error:
        stopped = error
    seen = [(intent, connector.present(intent.place, intent.keys)) for intent in intents]
    work.commit(lambda unit: _close(unit, fenced, seen, outside, stopped))


def _resume(work: Any, job: Job, exit_: Exit, systems: SystemMap, left: Sequence[dict[str, Any]]) -> None:
    """Close what a dead worker left open: the fence first, then count."""
    intents = [Intent(row["number"], row["system"], row["place"], [tuple(key) for key in row["keys"]]) for row in left]
    fenced: Job = work.transaction(lambda unit: store.raise_fence(unit, ground.fresh(unit, job)))
    with ground.opened(systems, intents[0].system, "delete", exit_) as connector:
        ground.discovered(connector)
        seen = [(intent, connector.present(intent.place, intent.keys)) for intent in intents]
    work.commit(lambda unit: _close(unit, fenced, seen, 0, None))


def _open(unit: Any, job: Job, intents: Sequence[Intent]) -> Job:
    now = ground.fresh(unit, job)
    domain.require_free(now, store.holds_of(unit, job.exit_id))
    fenced = store.raise_fence(unit, replace(now, position=job.position))
    for intent in intents:
        row = {"number": intent.number, "system": intent.system, "place": intent.place, "planned": len(intent.keys)}
        store.open_batch(unit, fenced, row | {"keys": [list(key) for key in intent.keys], "fence": fenced.fence})
    return fenced


def _act(work: Any, job: Job, connector: Connector, intents: Sequence[Intent]) -> int:
    """Delete in one transaction on the target; give how many changes were beyond ours (then nothing is kept)."""
    with connector.batch() as batch:
        before = batch.neighbours() if any(intent.sampled for intent in intents) else {}
        missed = [batch.delete(intent.place, intent.keys) < len(intent.keys) for intent in intents]
        beyond = domain.outside(batch.planned(), batch.effects(), _lost(batch, before))
        if beyond:
            return sum(beyond.values())
        if any(missed):
            return 0  # a row was changed or kept meanwhile: nothing is kept, the next batch looks again
        if work.read(lambda unit: store.fence(unit, job.job_id)) != job.fence:
            raise Unavailable("FENCED", "another worker has taken this job over", remedy="nothing: the other goes on")
        domain.require_free(job, work.read(lambda unit: store.holds_of(unit, job.exit_id)))
        batch.commit()
    return 0


def _lost(batch: Batch, before: Mapping[str, int]) -> dict[str, int]:
    after = batch.neighbours() if before else {}
    return {place: max(0, count - after.get(place, 0)) for place, count in before.items()}


def _close(unit: Any, before: Job, seen: Sequence[tuple[Intent, int]], outside: int, stopped: Rejected | None) -> None:
    """Close what one transaction did; `seen`: each intent with how many of its keys are still there."""
    job = ground.fresh(unit, before)
    for number, (intent, present) in enumerate(seen):
        beyond = 0 if number else outside
        job = _closed(unit, job, intent, present, beyond)
    moved = any(present < len(intent.keys) for intent, present in seen)
    job = replace(job, stalled=0 if moved else before.stalled + 1)
    store.save_job(unit, job)
    first, last = seen[0][0], seen[-1][0]
    if stopped is not None:
        ground.stop(unit, job.job_id, stopped.code, stopped.field)
    elif job.stalled >= domain.STALLED_AT_MOST:
        ground.stop(unit, job.job_id, "ROWS_NOT_DELETABLE", _where(first))
    else:
        _next(unit, job, last.number + 1)


def _closed(unit: Any, job: Job, intent: Intent, present: int, outside: int) -> Job:
    planned = len(intent.keys)
    job = domain.closed(job, intent.system, intent.place, planned=planned, present=present, outside_rows=outside)
    store.close_batch(unit, job, intent.number, planned - present)
    told = {"system": intent.system, "place": intent.place, "batch": intent.number, "planned": planned}
    told |= {"deleted": planned - present, "outside": outside}
    unit.emit("deletion.deletion_batch_closed", job.exit_id, ground.named(job) | told)
    return job


def _tell_executed(unit: Any, before: Job) -> None:
    job = ground.fresh(unit, before).after("end")
    store.save_job(unit, replace(job, position=len(job.queue)))
    told = {"deleted": sum(each.deleted for each in job.places), "batches": job.batches, "outside": job.outside}
    unit.emit("deletion.deletion_executed", job.exit_id, ground.named(job) | told | {"on": unit.today})
    unit.send("deletion.verify.verify", {"exit_id": job.exit_id, "job_id": job.job_id})


def _next(unit: Any, job: Job, number: int) -> None:
    unit.send("deletion.delete.delete_batch", {"exit_id": job.exit_id, "job_id": job.job_id, "batch": number})


def _where(intent: Intent) -> str:
    return f"systems.{intent.system}.places.{intent.place}"

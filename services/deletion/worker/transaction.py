"""One transaction on a target, from intent to closing (steps 2–5 of `delete`), and what a dead worker left open.

The intent (keys) is committed under a new fence first; then the target's transaction; then what is still present is
counted. A crash between any two of these leaves an open intent, which `resume` closes by counting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contracts.errors import Rejected, Unavailable
from contracts.system_map import System, SystemMap
from services.deletion import domain, store
from services.deletion.domain import Exit, Job
from services.deletion.worker import ground
from shared.connectors.protocol import Batch, Connector, Key


@dataclass(frozen=True, slots=True)
class Intent:
    """One batch as it was meant: `number`, where, which keys, and whether the neighbours are compared."""

    number: int
    system: str
    place: str
    keys: list[Key]
    sampled: bool = False


class Later(Exception):
    """Not now: the slice comes again `at` this instant of the rules' clock, None: when the job is resumed."""

    def __init__(self, at: datetime | None = None) -> None:
        super().__init__()
        self.at = at


def going(unit: Any, before: Job) -> Job:
    """Read the job again; raise Later where it was paused."""
    job = ground.fresh(unit, before, "paused")
    if job.state == "paused":
        raise Later
    return job


def carry_out(work: Any, job: Job, connector: Connector, target: System, intents: Sequence[Intent]) -> None:
    """Do one transaction on the target: one batch, or one for each place of a ring whose rows go together."""
    fenced: Job = work.transaction(lambda unit: _open(unit, job, target, intents))
    stopped, outside = None, 0
    try:
        outside = _act(work, fenced, connector, intents)
        if outside:
            raise Rejected("OUTSIDE_SCOPE", "more would have changed than was planned", field=where(intents[0]))
    except Rejected as error:
        stopped = error
    seen = [(intent, connector.present(intent.place, intent.keys)) for intent in intents]
    work.commit(lambda unit: _close(unit, fenced, seen, outside, stopped))


def resume(work: Any, job: Job, exit_: Exit, systems: SystemMap, left: Sequence[dict[str, Any]]) -> None:
    """Close what a dead worker left open: the fence first, then count."""
    intents = [Intent(row["number"], row["system"], row["place"], [tuple(key) for key in row["keys"]]) for row in left]
    fenced: Job = work.transaction(lambda unit: store.raise_fence(unit, going(unit, job)))
    with ground.opened(systems, intents[0].system, "delete", exit_) as connector:
        ground.discovered(connector)
        seen = [(intent, connector.present(intent.place, intent.keys)) for intent in intents]
    work.commit(lambda unit: _close(unit, fenced, seen, 0, None))


def _open(unit: Any, job: Job, target: System, intents: Sequence[Intent]) -> Job:
    now = going(unit, job)
    domain.require_free(now, store.holds_of(unit, job.exit_id))
    _take_pace(unit, target, sum(len(intent.keys) for intent in intents))
    fenced = store.raise_fence(unit, replace(now, position=job.position, waits_until=None))
    for intent in intents:
        row = {"number": intent.number, "system": intent.system, "place": intent.place, "planned": len(intent.keys)}
        store.open_batch(unit, fenced, row | {"keys": [list(key) for key in intent.keys], "fence": fenced.fence})
    return fenced


def _take_pace(unit: Any, target: System, rows: int) -> None:
    """Take rows from the target's pace; raise Later where another job has taken it meanwhile."""
    if not target.rate:
        return
    name = domain.target_of(target)
    free_at = store.free_at(unit, name)
    if free_at > unit.now:
        raise Later(free_at)
    store.save_free_at(unit, name, domain.free_after(free_at, unit.now, rows, target.rate))


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
    job = ground.fresh(unit, before, "paused")
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
        ground.stop(unit, job.job_id, "ROWS_NOT_DELETABLE", where(first))
    elif job.state == "executing":
        send_next(unit, job, last.number + 1)


def _closed(unit: Any, job: Job, intent: Intent, present: int, outside: int) -> Job:
    planned = len(intent.keys)
    job = domain.closed(job, intent.system, intent.place, planned=planned, present=present, outside_rows=outside)
    store.close_batch(unit, job, intent.number, planned - present)
    told = {"system": intent.system, "place": intent.place, "batch": intent.number, "planned": planned}
    told |= {"deleted": planned - present, "outside": outside}
    unit.emit("deletion.deletion_batch_closed", job.exit_id, ground.named(job) | told)
    return job


def send_next(unit: Any, job: Job, number: int) -> None:
    """Ask for a job's next batch, as a message of its own."""
    unit.send("deletion.delete.delete_batch", {"exit_id": job.exit_id, "job_id": job.job_id, "batch": number})


def where(intent: Intent) -> str:
    """Name an intent's place as the system map does."""
    return f"systems.{intent.system}.places.{intent.place}"

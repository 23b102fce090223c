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
from services.deletion.domain.undone import undoes
from services.deletion.worker import ground, records
from shared.connectors.protocol import Batch, Connector, Key


@dataclass(frozen=True, slots=True)
class Intent:
    """One batch as it was meant: `number`, where, which keys, and whether the neighbours are compared.

    A place that goes as a whole has no keys: `whole` is the way, `rows` its count, `gone` that it was seen absent.
    """

    number: int
    system: str
    place: str
    keys: list[Key]
    sampled: bool = False
    whole: str = ""
    rows: int = 0
    gone: bool = False

    @property
    def planned(self) -> int:
        """Give how many rows are meant."""
        return self.rows if self.whole else len(self.keys)


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


def carry_out(work: Any, job: Job, connector: Connector, target: System, intents: Sequence[Intent]) -> bool:
    """Do one transaction on the target: one batch, or one for each place of a ring whose rows go together.

    Tell whether every row of it is gone and the job goes on."""
    proof = records.begun(work, job, connector, target.kind, intents)
    fenced: Job = work.transaction(lambda unit: open_(unit, job, target, intents))
    stopped, outside = None, 0
    try:
        outside = _act(work, fenced, connector, intents)
        if outside:
            raise Rejected("OUTSIDE_SCOPE", "more would have changed than was planned", field=where(intents[0]))
    except Rejected as error:
        stopped = error
    seen = [(intent, proof.present(connector, intent)) for intent in intents]
    goes_on = work.commit(lambda unit: close(unit, fenced, seen, outside, stopped, proof))
    return bool(goes_on) and not any(present for _, present in seen)


def resume(work: Any, job: Job, exit_: Exit, systems: SystemMap, left: Sequence[dict[str, Any]]) -> None:
    """Close what a dead worker left open: the fence first, then count."""
    intents = [Intent(row["number"], row["system"], row["place"], [tuple(key) for key in row["keys"]]) for row in left]
    fenced: Job = work.transaction(lambda unit: store.raise_fence(unit, going(unit, job)))
    with ground.opened(systems, intents[0].system, "delete", exit_) as connector:
        ground.discovered(connector)
        proof = records.begun(work, fenced, connector, systems.system(intents[0].system).kind, intents)
        seen = [(intent, proof.present(connector, intent)) for intent in intents]
    work.commit(lambda unit: close(unit, fenced, seen, 0, None, proof))


def open_(unit: Any, job: Job, target: System, intents: Sequence[Intent]) -> Job:
    """Commit the intent of one transaction under a new fence, unless a hold, a pause or the pace is against it."""
    now = going(unit, job)
    domain.require_free(now, store.holds_of(unit, job.exit_id))
    _take_pace(unit, target, sum(len(intent.keys) for intent in intents))
    fenced = store.raise_fence(unit, replace(now, position=job.position, waits_until=None))
    for intent in intents:
        row = {"number": intent.number, "system": intent.system, "place": intent.place, "planned": intent.planned}
        row |= {"whole": intent.whole} if intent.whole else {}
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
        work.transaction(lambda unit: keep(unit, job, intents))
        batch.commit()
    return 0


def keep(unit: Any, job: Job, intents: Sequence[Intent]) -> None:
    """Decide in the exit's turn that a batch is kept: a hold forbids it, or finds it decided and answers so."""
    store.claim_exit(unit, job.exit_id)
    domain.require_free(job, store.holds_of(unit, job.exit_id))
    if not store.keep_batches(unit, job, [intent.number for intent in intents]):
        raise Unavailable("FENCED", "another worker has taken this job over", remedy="nothing: the other goes on")


def _lost(batch: Batch, before: Mapping[str, int]) -> dict[str, int]:
    after = batch.neighbours() if before else {}
    return {place: max(0, count - after.get(place, 0)) for place, count in before.items()}


def close(
    unit: Any, before: Job, seen: Sequence[tuple[Intent, int]], outside: int, stopped: Rejected | None,
    proof: records.Unasked = records.UNASKED,
) -> bool:  # fmt: skip
    """Close what one transaction did; `seen`: each intent with how many of its keys are still there.

    Tell whether the next batch is sent for."""
    job = ground.fresh(unit, before, "paused")
    for number, (intent, present) in enumerate(seen):
        beyond = 0 if number else outside
        told = proof.kept(unit, job, intent, intent.planned - present)
        job = _closed(unit, job, intent, present, beyond, told)
    moved = any(present < intent.planned or intent.gone for intent, present in seen)
    job = replace(job, stalled=0 if moved else before.stalled + 1)
    store.save_job(unit, job)
    first, last = seen[0][0], seen[-1][0]
    if stopped is not None:
        ground.stop(unit, job.job_id, stopped.code, stopped.field)
    elif job.stalled >= domain.STALLED_AT_MOST:
        ground.stop(unit, job.job_id, "ROWS_NOT_DELETABLE", where(first))
    elif job.state == "executing":
        send_next(unit, job, last.number + 1)
        return True
    return False


def _closed(unit: Any, job: Job, intent: Intent, present: int, outside: int, more: dict[str, Any]) -> Job:
    planned = intent.planned
    undone = outside if undoes(job, intent.system) else 0
    outside, job = outside - undone, replace(job, undone=job.undone + undone)
    job = domain.closed(job, intent.system, intent.place, planned=planned, present=present, outside_rows=outside)
    if intent.gone:
        job = job.with_place(replace(job.place(intent.system, intent.place), gone=True))
    store.close_batch(unit, job, intent.number, planned - present)
    told = {"system": intent.system, "place": intent.place, "batch": intent.number, "planned": planned}
    told |= {"deleted": planned - present, "outside": outside, "undone": undone}
    told |= {"method": intent.whole} if intent.whole else more
    unit.emit("deletion.deletion_batch_closed", job.exit_id, ground.named(job) | told)
    return job


def send_next(unit: Any, job: Job, number: int) -> None:
    """Ask for a job's next batch, as a message of its own."""
    unit.send("deletion.delete.delete_batch", {"exit_id": job.exit_id, "job_id": job.job_id, "batch": number})


def where(intent: Intent) -> str:
    """Name an intent's place as the system map does."""
    return f"systems.{intent.system}.places.{intent.place}"

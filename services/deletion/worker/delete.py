"""The hand `delete`: a permitted job, batch by batch, each so that a crash at any moment loses and repeats nothing.

A batch, step by step (design §2, evidence.md §1.1, §5):
1. the target's window is open and its pace allows more, else the slice ends and comes again then, as a message of its
   own (no attempt is used up); the target is marked as a copy (outside production) and its schema is the plan's, or the
   job stops;
2. the intent (keys) is committed under a new fence, so that whoever held the job before can commit nothing, and the
   rows are taken from the target's pace; a hold forbids it, a pause puts it off;
3. one transaction on the target: delete, compare what the engine counted with our own statements, and the
   neighbours in the snapshot; anything beyond rolls back and stops the job;
4. in the exit's turn it is decided that the batch is kept (fence, holds), then the target commits;
5. closed with deleted = planned − still present; sums, checkpoint, the fact and the next task are one commit.
A pause lets the transaction in hand end: its batch is closed, the next does not come before the job is resumed.
After a crash the open intent is closed first, by counting what is still present; nothing is deleted from it again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from contracts.errors import Rejected
from contracts.system_map import System, SystemMap
from services.deletion import domain, store, store_backups, store_records
from services.deletion.domain import Exit, Job, Survey
from services.deletion.worker import clean, ground, sealing, shredding, transaction, whole
from services.deletion.worker.cursor import CURSOR
from services.deletion.worker.stride import STRIDE
from shared.bus.hands import Hand, task
from shared.connectors import marker
from shared.connectors.protocol import Connector, Key


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

    @task
    def clean(self, work: Any) -> None:
        """Clean below the rows of an executed job, one place at a time."""
        job, exit_ = ground.read_job(work, work.data["job_id"])
        if job.state == "executed":
            _guarded(work, job, lambda: clean.step(work, job, exit_))

    @task
    def seal_records(self, work: Any) -> None:
        """Seal the commitments of an executed job's activity for the customer."""
        sealing.seal(work, ground.read_job(work, work.data["job_id"])[0])

    @task
    def destroy_records(self, work: Any) -> None:
        """Destroy our keys and commitments, once they are sealed."""
        sealing.destroy(work, ground.read_job(work, work.data["job_id"])[0])

    @task
    def destroy_keys(self, work: Any) -> None:
        """Begin a permitted plan of keys, or have the next key destroyed."""
        shredding.destroy(work)


def _guarded(work: Any, job: Job, step: Any) -> None:
    try:
        step()
    except transaction.Later as later:
        if (at := later.at) is not None:
            work.commit(lambda unit: _wait(unit, job, at))
    except Rejected as error:
        if work.committed:
            raise
        code, field = error.code, error.field
        work.commit(lambda unit: ground.stop(unit, job.job_id, code, field))


def _wait(unit: Any, before: Job, at: datetime) -> None:
    """Set the timer of a job's next batch; one that was paused or has ended meanwhile waits for nothing."""
    job = store.load_job(unit, before.job_id)
    if job is None or job.state not in ("executing", "executed") or job.fence != before.fence:
        return
    store.save_job(unit, replace(job, waits_until=at.isoformat(timespec="seconds")))
    told = {"exit_id": job.exit_id, "job_id": job.job_id, "batch": job.batches + 1}
    unit.at(at, "deletion.batch_due", job.exit_id, told, f"batch/{job.job_id}")


def _begin(work: Any, job: Job, exit_: Exit) -> None:
    """Look at every system of the job once more before the first row."""
    systems = ground.load_map(work, exit_)
    domain.check_permit(job, datetime.now(UTC))
    domain.check_approvals(job, work.now)
    surveys = [_survey(work, systems, name, exit_) for name in job.systems]
    domain.check_plan(job, exit_, surveys)
    started = {(each.system, row.place): row.count for each in surveys for row in each.places}
    started = {place: started[place] for place in job.queue}
    work.commit(lambda unit: _tell_begun(unit, job, started))


def _survey(work: Any, systems: SystemMap, name: str, exit_: Exit) -> Survey:
    with ground.opened(systems, name, "delete", exit_) as connector:
        inventory = ground.discovered(connector)
        _check_marker(work, connector)
        return ground.surveyed(connector, systems.system(name), inventory, others=False)


def _tell_begun(unit: Any, before: Job, started: Mapping[tuple[str, str], int]) -> None:
    """Begin, unless a hold stands or the job was cancelled meanwhile: all of it in the transaction that begins."""
    store.claim_exit(unit, before.exit_id)
    job = ground.fresh(unit, before)
    domain.require_free(job, store.holds_of(unit, job.exit_id))
    places = tuple(replace(each, started=started.get((each.system, each.place))) for each in job.places)
    records = store_records.asked(unit, job.exit_id) is not None
    store.save_job(unit, job.after("begin", begun=True, places=places, records=records))
    if records:
        store_records.make_keys(unit, job)
    unit.emit(
        "deletion.deletion_begun", job.exit_id,
        ground.named(job) | {"plan_digest": job.plan_digest, "on": unit.today},
    )  # fmt: skip
    store_backups.note_begun(unit, job.exit_id, job.systems)
    transaction.send_next(unit, job, 1)


def _slice(work: Any, job: Job, exit_: Exit) -> None:
    systems, number = ground.load_map(work, exit_), job.batches + 1
    left = work.read(lambda unit: store.open_batches(unit, job, number))
    if left:
        resume = whole.resume if left[0].get("whole") else transaction.resume
        resume(work, job, exit_, systems, left)
        return
    with ExitStack() as stack:
        connector: Connector | None = None
        for position in range(job.position, len(job.queue)):
            system, place = job.queue[position]
            target, size = systems.system(system), _size(systems.system(system), place)
            if connector is None or connector.system != system:
                _require_open(work, target)
                connector = stack.enter_context(ground.opened(systems, system, "delete", exit_))
                _check_target(work, connector, job)
            if target.rules[place].whole:
                if whole.carry_out(work, replace(job, position=position), connector, target, number):
                    return
                continue
            turn = CURSOR.next(job.job_id, job.batches, connector, place, size)
            if turn.keys:
                at = replace(job, position=position)
                rows = enumerate(connector.together(place, turn.keys), number)
                intents = [_intent(at, each, turn.last, system, *row) for each, row in rows]
                with STRIDE.timed((system, place), compares=any(intent.sampled for intent in intents)):
                    went = transaction.carry_out(work, at, connector, target, intents)
                if went:
                    CURSOR.went(job.job_id, job.batches + len(intents), system, place, turn.keys[-1])
                return
            _check_empty(connector, place)
    work.commit(lambda unit: _tell_executed(unit, job))


def _size(target: System, place: str) -> int:
    return domain.rows_at_once(STRIDE.rows((target.name, place)), target.rate)


def _require_open(work: Any, target: System) -> None:
    """Raise Later while the target's window is shut or its pace is used up."""
    at = domain.opens(target.window, work.now)
    if target.rate:
        at = max(at, work.read(lambda unit: store.free_at(unit, domain.target_of(target))))
    if at > work.now:
        raise transaction.Later(at)


def _intent(job: Job, number: int, last: bool, system: str, place: str, keys: list[Key]) -> transaction.Intent:
    before = job.place(system, place)
    domain.check_band(before, len(keys))
    return transaction.Intent(number, system, place, keys, domain.sampled(before.deleted, len(keys), last=last))


def _check_target(work: Any, connector: Connector, job: Job) -> None:
    inventory = ground.discovered(connector)
    _check_marker(work, connector)
    order = connector.order(inventory)
    places = {each.name: each.fingerprint for each in inventory.places}
    domain.check_schema(job, connector.system, inventory.fingerprint, places, order)


def _check_marker(work: Any, connector: Connector) -> None:
    if work.settings.mode != "production":
        marker.require_fresh(connector, time.time())


def _check_empty(connector: Connector, place: str) -> None:
    """Refuse to go on where rows are left that no batch can name (a ring of rows that hold one another)."""
    if connector.count(place):
        raise Rejected(
            "ROWS_NOT_DELETABLE", f"{connector.system}: rows of {place} hold one another",
            field=f"systems.{connector.system}.places.{place}", remedy="release them by hand, then preview anew",
        )  # fmt: skip


def _tell_executed(unit: Any, before: Job) -> None:
    job = transaction.going(unit, before).after("end")
    store.save_job(unit, replace(job, position=len(job.queue)))
    told = {"deleted": sum(each.deleted for each in job.places), "batches": job.batches, "outside": job.outside}
    unit.emit("deletion.deletion_executed", job.exit_id, ground.named(job) | told | {"on": unit.today})
    clean.send(unit, job, 0)
    if job.records:
        sealing.send(unit, job, "seal_records")

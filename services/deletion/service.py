"""The face of deletion: what the plan and the ways in ask for, permits, the backup catalogue, what was done."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from contracts.deletion_keys import ACTIVITY as KEYS_DUE
from contracts.errors import Rejected, Unavailable
from contracts.roles import PARTY
from services.deletion import (
    attesting,
    cataloguing,
    domain,
    holding,
    recording,
    restoring,
    returning,
    shredding,
    store,
)
from services.deletion.calling import owned
from services.deletion.domain import Exit, Job
from shared.bus.faces import Face, command, on, query


class Deletion(
    holding.Holding, attesting.Attesting, cataloguing.Cataloguing, shredding.Shredder, restoring.Restoring,
    recording.Recording, Face,
):  # fmt: skip
    """Deletion on the bus."""

    name = "deletion"

    @command
    def pause_job(self, unit: Any, call: Any) -> dict[str, Any]:
        """Pause a job that deletes: the batch in hand is closed, the next one waits."""
        exit_, role = owned(unit, call), call.actor.role_for("deletion.pause_job")
        before = store.load_job_of(unit, exit_.exit_id, call.data["job_id"])
        job = domain.pause(before, PARTY[role], unit.today)
        if job != before:
            store.save_job(unit, job)
            _tell_pause(unit, call, role, job, "deletion.deletion_paused", reason=call.data["reason"])
        return _paused(job)

    @command
    def resume_job(self, unit: Any, call: Any) -> dict[str, Any]:
        """Let a paused job go on, or end it where the pause lasted so long that it has to be approved anew."""
        exit_, role = owned(unit, call), call.actor.role_for("deletion.resume_job")
        before = store.load_job_of(unit, exit_.exit_id, call.data["job_id"])
        job = domain.resume(before, PARTY[role])
        if before is not None and domain.paused_too_long(before, unit.today):
            error = domain.approval_expired()
            store.stop_job(unit, job, error.code, error.field)
            return _paused(job.after("stop"))
        store.save_job(unit, job)
        _tell_pause(unit, call, role, job, "deletion.deletion_resumed")
        _next_batch(unit, job)
        return _paused(job)

    @query
    def read_job(self, unit: Any, call: Any) -> dict[str, Any]:
        """Tell of an activity's latest job."""
        exit_ = owned(unit, call)
        jobs = store.jobs_of(unit, exit_.exit_id, call.data["activity"])
        if not jobs:
            raise Rejected(
                "JOB_NOT_KNOWN", "this activity has no deletion job", field="activity",
                remedy="a job begins when the activity is due and the ways in are closed", da="Der er ingen sletning.",
            )  # fmt: skip
        return _job(jobs[-1], exit_, jobs)

    @query
    def list_jobs(self, unit: Any, call: Any) -> dict[str, Any]:
        """Tell of all jobs of an exit, the oldest first."""
        exit_ = owned(unit, call)
        jobs = store.jobs_of(unit, exit_.exit_id)
        return {"exit_id": exit_.exit_id, "jobs": [_job(job, exit_, jobs) for job in jobs]}

    @on("orders.order_placed")
    def order_placed(self, unit: Any, told: Any) -> None:
        """Learn of the exit, and begin with what is due already."""
        data, before = told.data, store.load_exit(unit, told.data["exit_id"])
        if not before.placed:
            systems = {each["system"]: each["deletion"] for each in data["systems"]}
            order = {name: data[name] for name in ("customer_cvr", "tenant", "map_digest")}
            exit_ = replace(before, **order, systems=systems)
            for activity in exit_.due:
                exit_ = _request(unit, exit_, activity)
            store.save_exit(unit, exit_)

    @on("orders.exit_cancelled")
    def exit_cancelled(self, unit: Any, told: Any) -> None:
        """Begin nothing any more: what has not begun is cancelled for good, what has begun goes on to its end."""
        exit_ = store.load_exit(unit, told.data["exit_id"])
        store.save_exit(unit, replace(exit_, cancelled=True))
        for job in store.jobs_of(unit, exit_.exit_id):
            if not job.begun:
                _cancel(unit, job)

    @on("delivery.package_delivered")
    def package_delivered(self, unit: Any, told: Any) -> None:
        """Keep how many rows of each place were handed over, by the latest package."""
        exit_ = store.load_exit(unit, told.data["exit_id"])
        store.save_exit(unit, domain.with_delivered(exit_, told.data["places"], told.seq))

    @on("delivery.delivery_accepted")
    def delivery_accepted(self, unit: Any, told: Any) -> None:
        """Do nothing: the plan's gate waits for the acceptance, and no permit is issued before it."""

    @on("scheduling.activity_due")
    def activity_due(self, unit: Any, told: Any) -> None:
        """Have a preview of exactly these systems drawn up, as soon as their ways in are closed (C7: at once)."""
        data, before = told.data, store.load_exit(unit, told.data["exit_id"])
        exit_ = domain.with_due(before, data["activity"], data["systems"])
        if exit_ != before:
            for job in domain.outdated(exit_, data["activity"], store.jobs_of(unit, exit_.exit_id, data["activity"])):
                _cancel(unit, job)
            store.save_exit(unit, _request(unit, exit_, data["activity"]))
        if exit_.placed and data["activity"] == KEYS_DUE:
            shredding.due(unit, exit_)
        if exit_.placed and data["owner"] == "deletion" and data["systems"]:
            attesting.ask(unit, exit_.exit_id, data["systems"], data["due"])

    @on("access.access_closed")
    def access_closed(self, unit: Any, told: Any) -> None:
        """Note the closed ways in, and have the deletion previewed that waited for them (D2, D3b, D7a)."""
        activity, access = told.data["activity"], told.data["systems"]
        exit_ = domain.with_closed(store.load_exit(unit, told.data["exit_id"]), access)
        store.save_exit(unit, _request(unit, exit_, activity, [row["system"] for row in access]))

    @on("scheduling.approval_given")
    def approval_given(self, unit: Any, told: Any) -> None:
        """Have the plan drawn up again that somebody approves: it must still be the same."""
        if store.load_job(unit, told.data["job_id"]) is not None:
            task = {name: told.data[name] for name in ("exit_id", "job_id")}
            unit.send("deletion.verify.check_plan", task)

    @on("scheduling.permit_issued")
    def permit_issued(self, unit: Any, told: Any) -> None:
        """Keep the permit of a previewed job and have it begin; for any other job a permit is without effect."""
        data, job = told.data, store.load_job(unit, told.data["job_id"])
        if job is None:
            shredding.permitted(unit, data)
            return
        if (job.state, "permit") not in domain.TRANSITIONS:
            return
        permit = {name: data[name] for name in ("plan_digest", "approvals", "intent_index", "valid_until")}
        store.save_job(unit, job.after("permit", permit=permit))
        unit.send("deletion.delete.delete_batch", {"exit_id": job.exit_id, "job_id": job.job_id, "batch": 0})

    @on("scheduling.cancellation_requested")
    def cancellation_requested(self, unit: Any, told: Any) -> None:
        """Answer truly: cancelled for good where nothing had begun, else already begun."""
        job = store.load_job(unit, told.data["job_id"])
        if job is None and shredding.cancelled(unit, told.data):
            return
        if job is None:
            raise Unavailable("JOB_NOT_KNOWN", "there is no such job to cancel", field="job_id")
        _cancel(unit, job)

    @on("deletion.batch_due")
    def batch_due(self, unit: Any, told: Any) -> None:
        """Have the batch done that waited for its target."""
        job = store.load_job(unit, told.data["job_id"])
        if job is not None and job.state == "executing" and job.batches + 1 == told.data["batch"]:
            _next_batch(unit, job)
        elif job is not None and job.state == "executed":
            step = domain.uncleaned(job)
            unit.send("deletion.delete.clean", {"exit_id": job.exit_id, "job_id": job.job_id, "step": step})


def _request(unit: Any, exit_: Exit, activity: str, looked: Collection[str] = ()) -> Exit:
    """Make the next job of what is due and have it previewed, or stop it where it must not be; give the exit then."""
    exit_, job = domain.take_due(exit_, activity, store.jobs_of(unit, exit_.exit_id, activity), looked)
    if job is None:
        return exit_
    job = returning.replays(unit, job)
    store.save_job(unit, job)
    if forbidden := domain.hindrance(exit_, job):
        store.stop_job(unit, job, *forbidden)
    else:
        unit.send("deletion.verify.preview", {"exit_id": job.exit_id, "activity": activity, "job_id": job.job_id})
    return exit_


def _cancel(unit: Any, job: Job) -> None:
    """Cancel a job and tell it, or tell that it has begun."""
    changed, answer = domain.cancelled(job)
    if answer is None:
        return
    store.save_job(unit, changed)
    told = {"exit_id": job.exit_id, "activity": job.activity, "job_id": job.job_id, "on": unit.today}
    unit.emit(answer, job.exit_id, told | ({"batches": job.batches} if job.begun else {}))


def _next_batch(unit: Any, job: Job) -> None:
    batch = {"exit_id": job.exit_id, "job_id": job.job_id, "batch": job.batches + 1}
    unit.send("deletion.delete.delete_batch", batch)


def _paused(job: Job) -> dict[str, Any]:
    return {"exit_id": job.exit_id, "job_id": job.job_id, "state": job.state}


def _tell_pause(unit: Any, call: Any, role: str, job: Job, wire: str, **more: str) -> None:
    told = {"exit_id": job.exit_id, "activity": job.activity, "job_id": job.job_id, "batches": job.batches}
    unit.emit(wire, job.exit_id, told | {"actor": call.actor.id, "role": role, "on": unit.today} | more)


def _job(job: Job, exit_: Exit, jobs: list[Job]) -> dict[str, Any]:
    earlier = store.deleted_earlier(jobs, job)
    return {
        "exit_id": job.exit_id, "activity": job.activity, "job_id": job.job_id, "state": job.state,
        "plan_digest": job.plan_digest or None, "batches": job.batches, "outside": job.outside,
        "places": [
            domain.row(one, exit_, earlier.get((one.system, one.place), 0)) | {"most": one.most, "least": one.least}
            for one in job.places
        ],
        "stopped_code": job.stopped_code, "stopped_field": job.stopped_field,
        "work": list(job.work), "estimated_seconds": sum(step["seconds"] for step in job.work),
        "estimated_end": job.estimated_end, "waits_until": job.waits_until, "paused_by": job.paused_by,
        "paused_on": job.paused_on, "physical": [domain.told(row) for row in job.physical if row["answer"]],
    }  # fmt: skip

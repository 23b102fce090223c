"""The face of deletion: what the plan and the ways in ask for, permits, the backup catalogue, and what was done."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from contracts.errors import Rejected
from services.deletion import domain, store
from services.deletion.domain import Backup, Exit, Job
from shared.bus.faces import Face, command, on, query


class Deletion(Face):
    """Deletion on the bus."""

    name = "deletion"

    @command
    def register_backup(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take a backup set that holds this customer's data into the catalogue."""
        exit_, data = _owned(unit, call), call.data
        names = ("exit_id", "system", "set_id", "taken_on", "expires_on")
        new = Backup(**{name: data[name] for name in names})
        known = store.load_backup(unit, exit_.exit_id, new.system, new.set_id)
        backup = domain.register_backup(exit_, new, known)
        if known is None:
            store.save_backup(unit, backup)
            unit.emit("deletion.backup_registered", exit_.exit_id, {name: data[name] for name in names})
            store.save_exit(unit, replace(exit_, backups_expired=False))
            _look_when_deleted(unit, exit_, backup)
        return {"exit_id": exit_.exit_id, "state": "registered"}

    @query
    def read_job(self, unit: Any, call: Any) -> dict[str, Any]:
        """Tell of an activity's latest job."""
        exit_ = _owned(unit, call)
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
        exit_ = _owned(unit, call)
        jobs = store.jobs_of(unit, exit_.exit_id)
        return {"exit_id": exit_.exit_id, "jobs": [_job(job, exit_, jobs) for job in jobs]}

    @query
    def read_backups(self, unit: Any, call: Any) -> dict[str, Any]:
        """Tell of every set in the catalogue and what was last seen of it."""
        exit_ = _owned(unit, call)
        return {"exit_id": exit_.exit_id, "backups": [asdict(each) for each in store.backups_of(unit, exit_.exit_id)]}

    @on("orders.order_placed")
    def order_placed(self, unit: Any, told: Any) -> None:
        """Learn of the exit."""
        data = told.data
        if store.load_exit(unit, data["exit_id"]) is None:
            systems = {each["system"]: each["deletion"] for each in data["systems"]}
            names = ("exit_id", "customer_cvr", "tenant", "map_digest")
            store.save_exit(unit, Exit(**{name: data[name] for name in names}, systems=systems))

    @on("delivery.package_delivered")
    def package_delivered(self, unit: Any, told: Any) -> None:
        """Keep how many rows of each place were handed over, by the latest package."""
        exit_ = _known(unit, told)
        delivered = {(row["system"], row["place"]): row["rows"] for row in told.data["places"]}
        store.save_exit(unit, replace(exit_, delivered=delivered))

    @on("delivery.delivery_accepted")
    def delivery_accepted(self, unit: Any, told: Any) -> None:
        """Keep that the customer has accepted."""
        store.save_exit(unit, replace(_known(unit, told), accepted=True))

    @on("scheduling.activity_due")
    def activity_due(self, unit: Any, told: Any) -> None:
        """Have a preview drawn up where the activity is deletion's own (C7), or where its last job had stopped."""
        activity = told.data["activity"]
        if activity not in domain.JOB_ACTIVITIES:
            return
        exit_ = _known(unit, told)
        systems = domain.due_systems(exit_, activity, told.data["owner"], store.jobs_of(unit, exit_.exit_id, activity))
        if systems is not None:
            _request(unit, exit_, activity, systems)

    @on("access.access_closed")
    def access_closed(self, unit: Any, told: Any) -> None:
        """Have a preview drawn up when the ways in of a deletion's systems are closed (D2, D3b, D7a)."""
        activity, access = told.data["activity"], told.data["systems"]
        if activity in domain.AFTER_CLOSING:
            exit_ = _known(unit, told)
            systems = domain.scope(exit_, activity, [row["system"] for row in access])
            _request(unit, exit_, activity, systems, domain.not_closed(systems, access))

    @on("scheduling.permit_issued")
    def permit_issued(self, unit: Any, told: Any) -> None:
        """Keep the permit of a previewed job and have it begin."""
        data, job = told.data, store.load_job(unit, told.data["job_id"])
        if job is None or job.state != "previewed":
            return
        permit = {name: data[name] for name in ("plan_digest", "approvals", "intent_index", "valid_until")}
        store.save_job(unit, job.after("permit", permit=permit))
        unit.send("deletion.delete.delete_batch", {"exit_id": job.exit_id, "job_id": job.job_id, "batch": 0})

    @on("deletion.backups_look_due")
    def backups_look_due(self, unit: Any, told: Any) -> None:
        """Have the backups looked at."""
        unit.send("deletion.verify.observe_backups", {"exit_id": told.data["exit_id"], "on": told.data["on"]})


def _owned(unit: Any, call: Any) -> Exit:
    exit_ = domain.require_exit(store.load_exit(unit, call.data["exit_id"]))
    call.actor.require_customer(exit_.customer_cvr)
    return exit_


def _known(unit: Any, told: Any) -> Exit:
    return domain.require_exit(store.load_exit(unit, told.data["exit_id"]))


def _request(unit: Any, exit_: Exit, activity: str, systems: tuple[str, ...], still_open: str | None = None) -> None:
    """Make the next job and have it previewed; stop it at once where a way in is not closed."""
    job = domain.next_job(exit_, activity, systems, store.jobs_of(unit, exit_.exit_id, activity))
    if job is None:
        return
    store.save_job(unit, job)
    if still_open is None:
        named = {"exit_id": job.exit_id, "activity": activity, "job_id": job.job_id}
        unit.send("deletion.verify.preview", named)
        return
    store.stop_job(unit, job, "ACCESS_NOT_CLOSED", f"systems.{still_open}.access")


def _look_when_deleted(unit: Any, exit_: Exit, backup: Backup) -> None:
    """Set the timer of a set that is registered after its system was deleted."""
    jobs = store.jobs_of(unit, exit_.exit_id)
    if any(job.state == "verified" and backup.system in job.systems for job in jobs):
        store.look_later(unit, exit_.exit_id, [backup])


def _job(job: Job, exit_: Exit, jobs: list[Job]) -> dict[str, Any]:
    earlier = store.deleted_earlier(jobs, job)
    return {
        "exit_id": job.exit_id, "activity": job.activity, "job_id": job.job_id, "state": job.state,
        "plan_digest": job.plan_digest or None, "batches": job.batches, "outside": job.outside,
        "places": [domain.row(each, exit_, earlier.get((each.system, each.place), 0)) for each in job.places],
        "stopped_code": job.stopped_code, "stopped_field": job.stopped_field,
    }  # fmt: skip

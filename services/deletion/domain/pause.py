"""Pauses: a party stops a job between two batches, and lets it go on.

Rules kept here:
1. Only a job that deletes is paused; before it begins a cancellation or a hold is the way, after it nothing is left.
2. The customer's pause outranks the supplier's: what the customer paused only the customer resumes.
3. A pause that lasted `APPROVAL_DAYS` ends the job: what was approved then is looked at and approved anew.
"""

from __future__ import annotations

from datetime import date, timedelta

from contracts.deletion import APPROVAL_DAYS
from contracts.errors import Rejected
from services.deletion.domain.job import TRANSITIONS, Job


def pause(job: Job | None, party: str, on: date) -> Job:
    """Give the job as paused by `party` too; raise JOB_NOT_KNOWN or JOB_NOT_DELETING."""
    job = _known(job)
    if (job.state, "pause") not in TRANSITIONS:
        raise Rejected(
            "JOB_NOT_DELETING", f"a job that is {job.state} is not paused", field="job_id",
            remedy="before it begins, place a hold or cancel; after it there is nothing left to pause",
            da="Kun en sletning, der er i gang, kan sættes på pause.",
        )  # fmt: skip
    if job.state == "paused" and (party == job.paused_by or party == "supplier"):
        return job
    return job.after("pause", paused_by=party, paused_on=job.paused_on or on.isoformat())


def resume(job: Job | None, party: str) -> Job:
    """Give the job as it goes on; raise JOB_NOT_KNOWN, JOB_NOT_PAUSED or WRONG_PARTY (rule 2)."""
    job = _known(job)
    if (job.state, "resume") not in TRANSITIONS:
        raise Rejected(
            "JOB_NOT_PAUSED", f"a job that is {job.state} does not wait to be resumed", field="job_id",
            remedy="nothing: no pause stands", da="Sletningen er ikke sat på pause.",
        )  # fmt: skip
    if job.paused_by == "customer" != party:
        raise Rejected(
            "WRONG_PARTY", "the customer paused the job: only the customer resumes it", field="job_id",
            remedy="let the customer's project lead resume it", da="Kunden har sat sletningen på pause.",
        )  # fmt: skip
    return job.after("resume", paused_by=None, paused_on=None)


def paused_too_long(job: Job, on: date) -> bool:
    """Tell whether a pause lasted so long that it ends the job (rule 3)."""
    since = date.fromisoformat(job.paused_on) if job.paused_on else on
    return on - since >= timedelta(days=APPROVAL_DAYS)


def _known(job: Job | None) -> Job:
    if job is None:
        raise Rejected(
            "JOB_NOT_KNOWN", "the exit has no such job", field="job_id", remedy="list the exit's jobs",
            da="Udtrædelsen har ikke en sådan sletning.",
        )  # fmt: skip
    return job

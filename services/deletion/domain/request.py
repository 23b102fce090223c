"""From a due activity to its job, and from a request to cancel to its one true answer.

Rules kept here:
1. The plan names the systems (`activity_due`); a system that the order does not name is refused, not skipped.
2. A due activity becomes a job once each of its systems was seen to be closed (C7: at once), whichever fact comes
   first. It is used up by its job. What is under way is not begun twice, but a job that has not begun and is for other
   systems than the plan names now is cancelled. What has ended is followed when its activity is told as due again, a
   verified job too: then the plan was opened anew (T17).
3. After the exit was cancelled nothing is requested any more.
4. A request to cancel gets an answer that is true for good: `cancelled`, told once, where nothing had begun (and the
   table lets nothing begin afterwards), `already_begun` where the job had begun, however it ended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from services.deletion.domain.job import AFTER_CLOSING, FOLLOWED, JOB_ACTIVITIES, NOT_BEGUN, Exit, Job, Row

CANCELLED, ALREADY_BEGUN = "deletion.deletion_cancelled", "deletion.deletion_already_begun"


def with_due(exit_: Exit, activity: str, systems: Iterable[str]) -> Exit:
    """Note the systems that an activity deletes, as the plan tells them; what is not deletion's changes nothing."""
    if activity not in JOB_ACTIVITIES:
        return exit_
    return replace(exit_, due={**exit_.due, activity: tuple(sorted(set(systems)))})


def with_closed(exit_: Exit, access: Sequence[Row]) -> Exit:
    """Note which ways in were seen to be closed when access looked last."""
    looked = {row["system"] for row in access}
    closed = {row["system"] for row in access if row["state"] == "closed" and row["verified"]}
    return replace(exit_, closed=exit_.closed - looked | closed)


def outdated(exit_: Exit, activity: str, before: Iterable[Job]) -> tuple[Job, ...]:
    """List the jobs that have not begun and are for other systems than the activity has now (rule 2)."""
    systems = exit_.due.get(activity)
    return tuple(job for job in before if systems not in (None, job.systems) and job.state in NOT_BEGUN)


def take_due(
    exit_: Exit, activity: str, before: Sequence[Job], looked: Collection[str] = ()
) -> tuple[Exit, Job | None]:
    """Make the next job of a due activity, or none (yet); `looked`: systems that access has just told of (rules 2, 3).

    What must not be done gives a job nevertheless, so that `hindrance` stops it and the attempt is recorded.
    """
    systems = exit_.due.get(activity)
    if systems is None or not exit_.placed or _waits(exit_, activity, systems, looked):
        return exit_, None
    used = replace(exit_, due={name: due for name, due in exit_.due.items() if name != activity})
    if exit_.cancelled or any(job.state not in FOLLOWED for job in before):
        return used, None
    return used, Job(f"{exit_.exit_id}.{activity}.{len(before) + 1}", exit_.exit_id, activity, systems)


def hindrance(exit_: Exit, job: Job) -> tuple[str, str] | None:
    """Give code and field of what forbids a new job (rules 1, 2), or None."""
    if unknown := _unknown(exit_, job.systems):
        return "SYSTEM_UNKNOWN", f"systems.{unknown[0]}"
    if job.activity in AFTER_CLOSING and (still_open := _open(exit_, job.systems)):
        return "ACCESS_NOT_CLOSED", f"systems.{still_open[0]}.access"
    return None


def cancelled(job: Job) -> tuple[Job, str | None]:
    """Answer a request to cancel: the job as it is then, and the answer's wire name, None if told before (rule 4)."""
    if job.begun:
        return job, ALREADY_BEGUN
    if job.state == "cancelled":
        return job, None
    return job.after("cancel", seed=b"", probes={}), CANCELLED


def _waits(exit_: Exit, activity: str, systems: Sequence[str], looked: Collection[str]) -> bool:
    still_open = _open(exit_, systems) if activity in AFTER_CLOSING else []
    return bool(still_open) and not _unknown(exit_, systems) and not set(still_open) & set(looked)


def _unknown(exit_: Exit, systems: Iterable[str]) -> list[str]:
    return [system for system in systems if system not in exit_.systems]


def _open(exit_: Exit, systems: Iterable[str]) -> list[str]:
    return [system for system in systems if system not in exit_.closed]

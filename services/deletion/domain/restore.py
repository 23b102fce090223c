"""Restores: what a backup that is put back brings back, and when the restored system may serve again. Pure.

Rules kept here (evidence.md §5, T16, ADR 0015):
1. The suppression ledger is not written down: it follows from the jobs that were executed, so it cannot differ from
   them. It holds predicates and counts, never a row or a key.
2. A restore is released exit by exit: `clear` where the verifier looked and nothing had returned, `replayed` where what
   had returned was deleted again by a job of its own that was verified. Everything else keeps the system closed.
3. A look has three answers; one that could not be made is neither `clear` nor `found`, and leaves all as it was. Only
   a look that began after the restored system was handed over can clear it.
4. What is found without an announcement is a restore too, and closes the system from then on.
5. Nothing here moves a date: the first deletion stays the first, and the backups' last day with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from contracts.errors import Rejected
from services.deletion.domain.job import Job

EVERY_DAYS, REHEARSED_DAYS, AGAIN_DAYS = 7, 30, 1
DAYS_APART = timedelta(days=1)  # a tool may write its day in another time zone
ANNOUNCED, SCHEDULED = "ANNOUNCED", "SCHEDULED"
CLOSED = ("replayed", "clear")
TRANSITIONS = {
    ("announced", "restored"): "looking",
    ("looking", "restored"): "looking",
    ("found", "restored"): "found",
    ("announced", "found"): "found",
    ("looking", "found"): "found",
    ("found", "found"): "found",
    ("looking", "absent"): "clear",
    ("found", "replayed"): "replayed",
}


@dataclass(frozen=True, slots=True)
class Restore:
    """One exit's part of one restore: `after_job` had deleted what returned, `job_id` deleted it again.

    `code` says why the last look gave no answer; `set_id` and `taken_on` are empty where nobody announced it."""

    restore_id: str
    exit_id: str
    system: str
    activity: str
    cause: str
    since: date
    set_id: str = ""
    taken_on: date | None = None
    state: str = "announced"
    after_job: str = ""
    job_id: str = ""
    rows: int = 0
    code: str = ""

    @property
    def closed(self) -> bool:
        """Tell whether this exit's part no longer keeps the system from serving."""
        return self.state in CLOSED

    def after(self, step: str, **changes: Any) -> Restore:
        """Give the restore after `step`, itself where the table has nothing."""
        state = TRANSITIONS.get((self.state, step))
        return replace(self, state=state, **changes) if state else self


@dataclass(frozen=True, slots=True)
class Suppression:
    """What one exit's executed deletion says must not be in a system: predicates per place (rule 1)."""

    exit_id: str
    system: str
    activity: str
    job_id: str
    plan_digest: str
    deleted_on: date | None
    places: tuple[tuple[str, str, str], ...]

    def needed(self, taken_on: date | None) -> bool:
        """Tell whether a set of that day may hold what was deleted; one without a day may."""
        return taken_on is None or self.deleted_on is None or taken_on <= self.deleted_on + DAYS_APART


@dataclass(frozen=True, slots=True)
class Look:
    """What the verifier saw in one system: rows that are there again per place, or why it could not look."""

    system: str
    activity: str
    job_id: str
    places: tuple[tuple[str, int], ...] = ()
    code: str = ""

    @property
    def rows(self) -> int:
        """Add the rows up."""
        return sum(rows for _, rows in self.places)

    @property
    def answer(self) -> str:
        """Give one of the three answers; rows that were seen count even where something else could not be seen."""
        if self.rows:
            return "FOUND"
        return "ERROR" if self.code else "ABSENT_VERIFIED"


def suppression(jobs: Iterable[Job], system: str, ended: Mapping[str, date]) -> Suppression | None:
    """Give what an exit's last job that began says must not be in a system; None where none did (rule 1)."""
    mine = [job for job in jobs if job.begun and system in job.systems]
    if not mine:
        return None
    job = mine[-1]
    places = tuple(
        (each.place, each.predicate, each.whole)
        for each in job.places
        if each.system == system and each.disposition in ("deleted", "absent_verified")
    )
    return Suppression(job.exit_id, system, job.activity, job.job_id, job.plan_digest, ended.get(system), places)


def settled(jobs: Sequence[Job]) -> list[Job]:
    """List the last job of each activity where that one is verified: what may be looked for again."""
    last = {job.activity: job for job in jobs}
    return [job for job in last.values() if job.state == "verified"]


def found(known: Restore, look: Look) -> Restore:
    """Take a look that found something: into an open restore of that system, or a new one (rule 4)."""
    return known.after("found", after_job=look.job_id, rows=look.rows, code="")


def looked(known: Restore, look: Look, *, since: bool) -> Restore:
    """Take a look that found nothing, or could not be made (rules 2, 3); `since`: it began after the hand-over."""
    if look.code:
        return replace(known, code=look.code)
    return known.after("absent", code="") if since else known


def verified(known: Restore, job: Job) -> Restore:
    """Take a verified job: it replays what was found before it (rule 2)."""
    return known.after("replayed", job_id=job.job_id, code="") if job.restore_id else known


def next_look(today: date, *, every: int, anxious: bool, over: bool) -> date | None:
    """Give the day of the next look; None once it is all over (every backup seen to be gone, or none for six months).

    `anxious`: something is open, was so this very day, or could not be looked into: tomorrow."""
    if anxious:
        return today + timedelta(days=AGAIN_DAYS)
    return None if over else today + timedelta(days=every)


def system_unknown(system: str) -> Rejected:
    """Make the refusal of a name that no order has."""
    return Rejected(
        "SYSTEM_UNKNOWN", f"no order names a system {system}", field="system",
        remedy="use the name that the system map has; until then the system is not released",
        da="Ingen bestilling nævner et system med det navn. Det er ikke frigivet.",
    )  # fmt: skip


def restore_unknown() -> Rejected:
    """Make the refusal of a restore that was never announced."""
    return Rejected(
        "RESTORE_UNKNOWN", "there is no such restore", field="restore_id", remedy="announce it first",
        da="Genskabelsen er ikke anmeldt.",
    )  # fmt: skip

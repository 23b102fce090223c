"""What the log says about one exit, gathered from its entries: pure, and the only source of refusals and statements.

Later entries of the same thing win (a plan's higher version, a set's later observation, an activity's later job);
counts of batches add up and are never overwritten (evidence.md §1.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.compliance.evidence import Logged

ACTIVITY_OF_DELETION = {"1": "D2", "2": "D7a", "index": "C7"}


@dataclass(slots=True)
class Job:
    """One destruction job; each entry as logged, or None while it is missing."""

    job_id: str
    activity: str
    previewed: Logged | None = None
    intent: Logged | None = None
    permit: Logged | None = None
    begun: Logged | None = None
    batches: list[Logged] = field(default_factory=list)
    executed: Logged | None = None
    verified: Logged | None = None
    stopped: Logged | None = None

    def entries(self) -> list[Logged]:
        """List what is logged of this job, in the log's order."""
        single = (self.previewed, self.intent, self.permit, self.begun, self.executed, self.verified, self.stopped)
        return sorted([*(one for one in single if one), *self.batches], key=lambda one: one.index)

    def systems(self) -> set[str]:
        """Give the systems that the job was previewed for."""
        return {place["system"] for place in self.previewed.entry["places"]} if self.previewed else set()

    def destroyed_from(self) -> int | None:
        """Give the index of the first entry that says destruction began."""
        first = [one.index for one in (self.begun, *self.batches) if one]
        return min(first) if first else None

    def batch_sum(self, system: str, place: str) -> int:
        """Add up the rows that this job's batches deleted in one place."""
        return sum(
            int(one.entry["deleted"])
            for one in self.batches
            if (one.entry["system"], one.entry["place"]) == (system, place)
        )


@dataclass(slots=True)
class Backup:
    registered: Logged
    observations: list[Logged] = field(default_factory=list)

    @property
    def latest(self) -> Logged | None:
        return self.observations[-1] if self.observations else None

    @property
    def gone(self) -> bool:
        return self.latest is not None and self.latest.entry["answer"] == "GONE"


@dataclass(slots=True)
class Facts:
    exit_id: str
    entries: list[Logged]
    order: Logged | None = None
    options: Logged | None = None
    instruction: Logged | None = None
    plan: Logged | None = None
    needs: Logged | None = None
    dispatch: Logged | None = None
    delivered: Logged | None = None
    accepted: Logged | None = None
    backups_expired: Logged | None = None
    archive: dict[str, Logged] = field(default_factory=dict)
    access: dict[str, tuple[Logged, dict[str, Any]]] = field(default_factory=dict)
    attested: list[Logged] = field(default_factory=list)
    overdue: list[Logged] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    backups: dict[tuple[str, str], Backup] = field(default_factory=dict)
    certificates: list[Logged] = field(default_factory=list)

    @property
    def systems(self) -> list[dict[str, Any]]:
        return list(self.order.entry["systems"]) if self.order else []

    @property
    def amendment(self) -> dict[str, Any] | None:
        """Give the amendment that accepts six months for backups, if both parties signed it (S2 15.1, T1)."""
        lines = self.order.entry["amendments"] if self.order else []
        both = [one for one in lines if {"customer", "supplier"} <= set(one["signed_by"])]
        return next((one for one in both if one["kind"] == "backups_six_months"), None)

    @property
    def backups_left_out(self) -> bool:
        """Tell whether the order says that no backups are in the rehearsal, and none is registered."""
        answers = self.order.entry["places"] if self.order else []
        return not self.backups and {"line": "BACKUPS", "answer": "NOT_IN_REHEARSAL"} in answers

    def activities(self) -> dict[str, list[str]]:
        """Give the systems of every destruction activity that the order asks for."""
        wanted: dict[str, list[str]] = {}
        for line in self.systems:
            wanted.setdefault(ACTIVITY_OF_DELETION[line["deletion"]], []).append(line["system"])
        return wanted

    def job(self, activity: str) -> Job | None:
        """Give the latest job of `activity` that was previewed."""
        found = [one for one in self.jobs.values() if one.activity == activity and one.previewed]
        return max(found, key=lambda one: one.previewed.index if one.previewed else -1, default=None)

    def earlier(self, activity: str) -> list[Job]:
        """List this activity's jobs before the latest that had destroyed something."""
        latest = self.job(activity)
        mine = [one for one in self.jobs.values() if one.activity == activity and one is not latest]
        return [one for one in mine if one.destroyed_from() is not None]

    def due(self, obligation: str) -> date | None:
        """Give an obligation's due date by the newest plan."""
        lines = self.plan.entry["obligations"] if self.plan else []
        found = next((one["due"] for one in lines if one["id"] == obligation), None)
        return date.fromisoformat(found) if found else None

    def deleted_on(self) -> date | None:
        """Give the day the last required job was verified as deleted; None while one is not."""
        jobs = [self.job(activity) for activity in self.activities()]
        if not jobs or any(job is None or job.verified is None or not verified_gone(job) for job in jobs):
            return None
        return max(day(job.verified, "on") for job in jobs if job and job.verified)

    def first_deleted_on(self) -> date | None:
        """Give the first actual deletion in a system that has backup sets (in any, where none is registered).

        Backups' six months count from it, per scope, and never move (T16); the case index has no backup of ours.
        """
        held = {system for system, _ in self.backups}
        begun = [day(job.begun, "on") for job in self.jobs.values() if job.begun and (not held or held & job.systems())]
        return min(begun, default=None)

    def backups_gone_on(self) -> date | None:
        """Give the day the last registered set was seen to be gone; None while one is not, or none is registered."""
        if not self.backups or not all(one.gone for one in self.backups.values()):
            return None
        return max(_first_gone(one) for one in self.backups.values())


def verified_gone(job: Job) -> bool:
    """Tell whether the verifier answered DELETED or ABSENT_VERIFIED."""
    return job.verified is not None and job.verified.entry["result"] in ("DELETED", "ABSENT_VERIFIED")


def day(logged: Logged, name: str) -> date:
    """Read a date of an entry."""
    return date.fromisoformat(logged.entry[name])


def collect(exit_id: str, entries: Iterable[Logged]) -> Facts:
    """Gather the facts from an exit's entries in the log's order."""
    facts = Facts(exit_id, sorted(entries, key=lambda one: one.index))
    for logged in facts.entries:
        taker = _TAKERS.get(logged.kind)
        if taker:
            taker(facts, logged)
    return facts


def _first_gone(backup: Backup) -> date:
    """Give the day from which on every observation said GONE."""
    gone = day(backup.observations[-1], "on")
    for one in reversed(backup.observations):
        if one.entry["answer"] != "GONE":
            break
        gone = day(one, "on")
    return gone


def _set(name: str) -> Callable[[Facts, Logged], None]:
    return lambda facts, logged: setattr(facts, name, logged)


def _list(name: str) -> Callable[[Facts, Logged], None]:
    return lambda facts, logged: getattr(facts, name).append(logged)


def _of_job(name: str) -> Callable[[Facts, Logged], None]:
    def take(facts: Facts, logged: Logged) -> None:
        job_id = logged.entry["job_id"]
        job = facts.jobs.setdefault(job_id, Job(job_id, logged.entry["activity"]))
        job.batches.append(logged) if name == "batches" else setattr(job, name, logged)

    return take


def _plan(facts: Facts, logged: Logged) -> None:
    if facts.plan is None or logged.entry["version"] >= facts.plan.entry["version"]:
        facts.plan = logged


def _archive(facts: Facts, logged: Logged) -> None:
    facts.archive[logged.entry["system"]] = logged


def _access(facts: Facts, logged: Logged) -> None:
    for line in logged.entry["systems"]:
        facts.access[line["system"]] = (logged, line)


def _registered(facts: Facts, logged: Logged) -> None:
    key = (logged.entry["system"], logged.entry["set_id"])
    known = facts.backups.get(key)
    facts.backups[key] = Backup(logged, known.observations if known else [])


def _observed(facts: Facts, logged: Logged) -> None:
    known = facts.backups.get((logged.entry["system"], logged.entry["set_id"]))
    if known:
        known.observations.append(logged)


_TAKERS: dict[str, Callable[[Facts, Logged], None]] = {
    "ORDER_PLACED": _set("order"),
    "OPTIONS_CONFIRMED": _set("options"),
    "INSTRUCTION_GIVEN": _set("instruction"),
    "ARCHIVE_DECIDED": _archive,
    "PLAN_MADE": _plan,
    "ACTIVITY_OVERDUE": _list("overdue"),
    "NEEDS_SUBMITTED": _set("needs"),
    "DISPATCH_SET": _set("dispatch"),
    "PACKAGE_DELIVERED": _set("delivered"),
    "DELIVERY_ACCEPTED": _set("accepted"),
    "ACCESS_FROZEN": _access,
    "ACCESS_CLOSED": _access,
    "ACCESS_ATTESTED": _list("attested"),
    "DELETION_PREVIEWED": _of_job("previewed"),
    "DELETION_INTENT": _of_job("intent"),
    "PERMIT_ISSUED": _of_job("permit"),
    "DELETION_BEGUN": _of_job("begun"),
    "DELETION_BATCH_CLOSED": _of_job("batches"),
    "DELETION_EXECUTED": _of_job("executed"),
    "DELETION_VERIFIED": _of_job("verified"),
    "DELETION_STOPPED": _of_job("stopped"),
    "BACKUP_REGISTERED": _registered,
    "BACKUP_OBSERVED": _observed,
    "BACKUPS_EXPIRED": _set("backups_expired"),
    "CERTIFICATE_ISSUED": _list("certificates"),
}

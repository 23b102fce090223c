"""What the log says about one exit: pure, and the only source of refusals and statements.

Gathered from its entries (`gathering.py`). The plan in force says which systems each deletion covers and when; every
deletion is a certificate scope of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from services.compliance.evidence import Logged
from services.compliance.facts import reissues
from services.compliance.facts.parts import (
    Backup,
    Job,
    Suspension,
    accepted,
    amendment_of,
    date_of,
    day,
    ended_by,
    first_gone,
    verified_gone,
)

__all__ = ["DELETIONS", "INDEX", "LAST", "Facts", "Job", "date_of", "day", "verified_gone"]

INDEX, LAST = "C7", "D7a"
DELETIONS = (INDEX, "D2", "D3b", LAST)
SUSPENDING = ("S1-8.3", "S1-8.4", "S1-8.5", "S2-28.2-retention")
RETENTION = "S2-28.2-retention"
SIX_MONTHS = "backups_six_months"


@dataclass(slots=True)
class Facts:
    exit_id: str
    entries: list[Logged]
    order: Logged | None = None
    dates: Logged | None = None
    options: Logged | None = None
    instruction: Logged | None = None
    silence: Logged | None = None
    plan: Logged | None = None
    needs: Logged | None = None
    dispatch: Logged | None = None
    delivered: Logged | None = None
    accepted: Logged | None = None
    rejected: Logged | None = None
    cancelled: Logged | None = None
    backups_expired: Logged | None = None
    signers: Logged | None = None
    archive: dict[str, Logged] = field(default_factory=dict)
    access: dict[str, tuple[Logged, dict[str, Any]]] = field(default_factory=dict)
    attested: list[Logged] = field(default_factory=list)
    overdue: list[Logged] = field(default_factory=list)
    accords: list[Logged] = field(default_factory=list)
    notices: list[Logged] = field(default_factory=list)
    proposals: dict[str, list[Logged]] = field(default_factory=dict)
    holds: dict[str, Logged] = field(default_factory=dict)
    lifted: dict[str, Logged] = field(default_factory=dict)
    obligations: dict[str, Logged] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    backups: dict[tuple[str, str], Backup] = field(default_factory=dict)
    found_backups: list[Logged] = field(default_factory=list)
    records_sealed: list[Logged] = field(default_factory=list)
    records_destroyed: list[Logged] = field(default_factory=list)
    announced: list[Logged] = field(default_factory=list)
    found: list[Logged] = field(default_factory=list)
    replayed: list[Logged] = field(default_factory=list)
    looked: list[Logged] = field(default_factory=list)
    certificates: list[Logged] = field(default_factory=list)
    forgotten: list[Logged] = field(default_factory=list)
    revoked: list[Logged] = field(default_factory=list)
    asked: list[Logged] = field(default_factory=list)
    given: list[Logged] = field(default_factory=list)

    # The order, the plan in force, and what changed them.

    @property
    def systems(self) -> list[dict[str, Any]]:
        return list(self.order.entry["systems"]) if self.order else []

    @property
    def amendment(self) -> dict[str, Any] | None:
        """Give the amendment that accepts six months for backups, if both parties signed it (S2 15.1, T1)."""
        lines = [*(self.order.entry["amendments"] if self.order else []), *(amendment_of(one) for one in self.accords)]
        both = [one for one in lines if {"customer", "supplier"} <= set(one["signed_by"])]
        return next((one for one in both if one["kind"] == SIX_MONTHS), None)

    @property
    def backups_left_out(self) -> bool:
        """Tell whether the order says that no backups are in the rehearsal, and none is registered."""
        answers = self.order.entry["places"] if self.order else []
        return not self.backups and {"line": "BACKUPS", "answer": "NOT_IN_REHEARSAL"} in answers

    def planned(self, activity: str) -> dict[str, Any] | None:
        """Give an activity's line in the plan in force."""
        lines = self.plan.entry["activities"] if self.plan else []
        return next((line for line in lines if line["id"] == activity), None)

    def scopes(self) -> dict[str, list[str]]:
        """Give the systems of every deletion in the plan in force."""
        lines = [self.planned(activity) for activity in DELETIONS]
        return {line["id"]: list(line["systems"]) for line in lines if line and line["chosen"] and line["systems"]}

    def scope_of(self, system: str) -> str | None:
        """Name the deletion that a system belongs to."""
        return next((activity for activity, systems in self.scopes().items() if system in systems), None)

    def due(self, obligation: str) -> date | None:
        """Give an obligation's due date by the plan in force."""
        lines = self.plan.entry["obligations"] if self.plan else []
        return date_of(next((one["due"] for one in lines if one["id"] == obligation), None))

    def agreement_end(self) -> date | None:
        """Give the agreement's last day: as the plan in force has it (D1), or as ordered."""
        line = self.planned("D1")
        return date_of(line["due"] if line else None) or (day(self.order, "agreement_end") if self.order else None)

    def operations_end(self) -> date | None:
        """Give the last day of production: as confirmed (B2), or as ordered."""
        told = self.dates or self.order
        return day(told, "operations_end") if told else None

    def behind(self) -> Logged | None:
        """Give an accepted notice that moved the agreement's end and that the plan in force does not follow yet."""
        moving = [one for one in self.notices if ended_by(one)]
        if not moving or (self.plan and self.plan.index > moving[-1].index):
            return None
        return moving[-1] if ended_by(moving[-1]) != self.agreement_end() else None

    def open_proposals(self) -> list[str]:
        """Name the proposals that nobody has applied, rejected or replaced."""
        return [name for name, told in self.proposals.items() if {one.entry["state"] for one in told} == {"proposed"}]

    def open_holds(self) -> list[Logged]:
        """List the holds that are not lifted."""
        return [placed for name, placed in self.holds.items() if name not in self.lifted]

    def certified(self, stage: str) -> set[str]:
        """Give the scopes for which a certificate of `stage` was issued that still counts.

        After a restore a RE-DELETION says what an ACTIVE-DELETED had said."""
        stages = (stage, "RE-DELETION") if stage == "ACTIVE-DELETED" else (stage,)
        counting = reissues.counting(self.certificates, self.revoked)
        return {name for of, one in counting if of in stages for name in one.entry["activities"]}

    # What an option keeps.

    def suspended_until(self) -> date | None:
        """Give the last day on which an option keeps the last deletion away, or None where none does.

        Without an end there is no suspension: the deletion is owed.
        """
        line, end = self.planned(LAST), self.agreement_end()
        earliest = date_of(line["earliest"]) if line else None
        if not self._suspending() or earliest is None or end is None:
            return None
        until = earliest - timedelta(days=1)
        return until if until > end else None

    def suspensions(self, today: date) -> dict[str, Suspension]:
        """Give the systems whose deletion an option suspends on `today`: those that the plan deletes last.

        A covered system goes to the last deletion, whatever its number, and nothing else goes there while an option
        suspends anything.
        """
        until = self.suspended_until()
        if until is None or today > until:
            return {}
        return {name: Suspension(name, LAST, self._covering(name), until) for name in self.scopes().get(LAST, [])}

    def open_scopes(self, today: date) -> dict[str, list[str]]:
        """Give the deletions that no option suspends on `today`: what may be certified then, and is owed."""
        kept = {one.activity for one in self.suspensions(today).values()}
        return {activity: systems for activity, systems in self.scopes().items() if activity not in kept}

    def _suspending(self) -> set[str]:
        told = set(self.options.entry["options"]) if self.options else set()
        for notice in self.notices:
            told |= set(notice.entry["options"]) if accepted(notice) else set()
        kept = self.silence is not None and self.silence.entry["silence"] == "storage_option"
        return (told | {RETENTION} if kept else told) & set(SUSPENDING)

    def _covering(self, system: str) -> tuple[str, ...]:
        covers = {one["option"]: one["systems"] for one in self.options.entry["covers"]} if self.options else {}
        return tuple(sorted(one for one in self._suspending() if not covers.get(one) or system in covers[one]))

    # Deletions and backups.

    def job(self, activity: str) -> Job | None:
        """Give the latest job of `activity` that was previewed."""
        found = [one for one in self.jobs.values() if one.activity == activity and one.previewed]
        return max(found, key=lambda one: one.previewed.index if one.previewed else -1, default=None)

    def earlier(self, activity: str) -> list[Job]:
        """List this activity's jobs before the latest that had destroyed something."""
        latest = self.job(activity)
        mine = [one for one in self.jobs.values() if one.activity == activity and one is not latest]
        return [one for one in mine if one.destroyed_from() is not None]

    def deleted_on(self, activities: Iterable[str]) -> date | None:
        """Give the day the last of these deletions was verified; None while one is not, or there is none."""
        names = list(activities)
        if any(self.returned(name) for name in names):
            return None
        days = [day(job.verified, "on") if job and job.verified and verified_gone(job) else None
                for job in map(self.job, names)]  # fmt: skip
        return max((on for on in days if on), default=None) if None not in days else None

    def replay_of(self, found: Logged) -> Logged | None:
        """Give the entry that says that what returned was deleted again, by a job that was verified afterwards."""
        told = [one for one in self.replayed if one.entry["restore_id"] == found.entry["restore_id"]]
        for one in told:
            job = self.jobs.get(one.entry["job_id"])
            if job and job.verified and verified_gone(job) and job.verified.index > found.index:
                return one
        return None

    def returned(self, activity: str) -> list[Logged]:
        """List what returned of a deletion and is not deleted again (T16)."""
        return [one for one in self.found if one.entry["activity"] == activity and self.replay_of(one) is None]

    def sets_of(self, activities: Collection[str]) -> dict[tuple[str, str], Backup]:
        """Give the backup sets of these deletions' systems."""
        return {key: one for key, one in self.backups.items() if self.scope_of(key[0]) in activities}

    def backups_told(self) -> Logged | None:
        """Give deletion's word that every system's sets are catalogued and gone, unless one was registered, or rows
        returned, after it."""
        last = [one.registered.index for one in self.backups.values()] + [one.index for one in self.found]
        told = self.backups_expired
        return told if told and told.index > max(last, default=-1) else None

    def uncatalogued(self, systems: Collection[str]) -> list[Logged]:
        """List the sets of these systems that were found beside the catalogue, or dated otherwise, and still are."""
        known = {key: one.registered.index for key, one in self.backups.items()}
        return [one for one in self.found_backups if one.entry["system"] in systems
                and known.get((one.entry["system"], one.entry["set_id"]), -1) < one.index]  # fmt: skip

    def first_deleted_on(self, activities: Collection[str]) -> date | None:
        """Give the first actual deletion in a system that has backup sets (in any, where none is registered).

        Backups' six months count from it, per scope, and never move (T16); the case index has no backup of ours.
        """
        held = {system for system, _ in self.sets_of(activities)}
        mine = [job for job in self.jobs.values() if job.activity in activities and job.begun]
        counted = [job for job in mine if held & job.systems() or (not held and job.activity != INDEX)]
        return min((day(job.begun, "on") for job in counted if job.begun), default=None)

    def backups_due(self, activities: Collection[str]) -> date | None:
        """Give the last day for backups to be gone: six months after the first actual deletion of their systems."""
        first = self.first_deleted_on(activities)
        return first + relativedelta(months=6) if first else None

    def backups_gone_on(self, activities: Collection[str]) -> date | None:
        """Give the day the last registered set was seen to be gone; None while one is not, or none is registered."""
        sets = self.sets_of(activities).values()
        return max(first_gone(one) for one in sets) if sets and all(one.gone for one in sets) else None

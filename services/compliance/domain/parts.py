"""What S2 28.1 and the instruction ask for, thing by thing: its last day, and what in the log shows it done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.compliance.documents import attestations
from services.compliance.domain.clocks import STANDS_STILL, clock_of_days, stops
from services.compliance.evidence import Logged
from services.compliance.facts import INDEX, LAST, Facts, date_of, day
from shared.rules.clocks import Clock


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that an obligation asks for: its last day, the day it was shown to be done, the entries that show it.

    `kept` is the option that suspends it today, as a reason; `returned` that it was done, and is undone by a restore.
    """

    due: date | None
    met_on: date | None
    evidence: tuple[int, ...] = ()
    kept: str = ""
    returned: bool = False

    def late(self, today: date) -> bool:
        """Tell whether the last day passed without it."""
        return self.due is not None and (self.met_on or today) > self.due


def of_kind(facts: Facts, kind: str) -> list[Logged]:
    """Pick the entries of one kind, in the log's order."""
    return [one for one in facts.entries if one.kind == kind]


def permanent_deletion(facts: Facts, due: date | None, today: date) -> list[Part]:
    """List what S2 28.1 wants deleted: live systems, and backups too unless an amendment accepts six months."""
    parts = [deletion(facts, activity, due, today) for activity in facts.scopes()]
    parts += [] if facts.amendment else backups(facts, due, today)
    return [_standing_still(facts, part, today) for part in parts]


def owed_backups(facts: Facts, due: date | None, today: date) -> list[Part]:
    """List the backups as S2 28.1 wants them gone; the six months of an amendment never move (T16)."""
    parts = backups(facts, due, today)
    return parts if facts.amendment else [_standing_still(facts, part, today) for part in parts]


def last_day(facts: Facts, due: date, today: date) -> Clock:
    """Give the clock of a last day of S2 28.1: from the agreement's end, or from that of the option that moved it."""
    kept = facts.suspended_until()
    start = kept if kept and kept < due else facts.agreement_end()
    counts = start is not None and start < due
    return clock_of_days(start, due, stops(facts), today) if start and counts else Clock(due)


def _standing_still(facts: Facts, part: Part, today: date) -> Part:
    """Move a part's last day by the days on which a force majeure lasted since its clock began (S2 23)."""
    if part.due is None:
        return part
    seen = last_day(facts, part.due, min(today, part.met_on or today))
    still = STANDS_STILL if seen.suspended and part.met_on is None else ""
    return replace(part, due=seen.due, kept=part.kept or still)


def deletion(facts: Facts, activity: str, due: date | None, today: date) -> Part:
    """Give one deletion: gone in every system, and attested wherever people had to see to it."""
    job = facts.job(activity)
    evidence: tuple[int, ...] = (job.verified.index,) if job and job.verified else ()
    systems = facts.scopes()[activity]
    evidence += tuple(one.index for one in attestations.answers_of(facts, systems).values())
    gone, settled = facts.deleted_on([activity]), attestations.settled_on(facts, systems)
    met_on = max(gone, settled) if gone and settled else None  # also in sub-suppliers' possession (S2 28.1)
    returned = facts.returned(activity)
    evidence += tuple(one.index for one in returned)
    kept = _kept(facts, activity, today)
    return Part(_own_due(facts, activity, due), met_on, evidence, kept, bool(returned))


def backups(facts: Facts, due: date | None, today: date) -> list[Part]:
    """List the scopes whose backup sets must be gone; where no set is registered at all, nothing is shown.

    Nor are they shown to be gone while a system has no set and deletion has not told that none is missing, or while a
    set that was found is not catalogued: no date breaches that, and it is not met.
    """
    parts = []
    for activity in facts.scopes():
        sets = facts.sets_of([activity]).values()
        evidence = tuple(one.latest.index for one in sets if one.latest)
        if sets:
            gone = facts.backups_gone_on([activity])
            parts.append(Part(_backup_due(facts, activity, due), gone, evidence, _kept(facts, activity, today)))
    if not parts:
        return [Part(due, None)]
    return parts + _not_shown(facts) if all(part.met_on for part in parts) else parts


def _not_shown(facts: Facts) -> list[Part]:
    systems = {name for activity, mine in facts.scopes().items() if activity != INDEX for name in mine}
    found = facts.uncatalogued(systems)
    bare = systems - {name for name, _ in facts.backups} if facts.backups_told() is None else set()
    return [Part(None, None, tuple(one.index for one in found))] if found or bare else []


def _backup_due(facts: Facts, activity: str, due: date | None) -> date | None:
    """Give the last day for a scope's backups: amended, six months from its first actual deletion (T16)."""
    actual = facts.backups_due([activity])
    if facts.amendment and due and actual:
        return min(due, actual)
    return _own_due(facts, activity, due)


def _own_due(facts: Facts, activity: str, due: date | None) -> date | None:
    """Give a deletion's last day: the plan's own for the last deletion where an option suspends it."""
    line = facts.planned(activity)
    if due is None or line is None or activity != LAST or facts.suspended_until() is None:
        return due
    return date_of(line["due"]) or due


def _kept(facts: Facts, activity: str, today: date) -> str:
    return next((one.reason for one in facts.suspensions(today).values() if one.activity == activity), "")


def handed_over(facts: Facts, due: date | None, _today: date) -> list[Part]:
    """Give the hand-over: the day of the first package that the customer did not reject."""
    rejected = {one.entry["package_id"] for one in of_kind(facts, "DELIVERY_REJECTED")}
    sent = [one for one in of_kind(facts, "PACKAGE_DELIVERED") if one.entry["package_id"] not in rejected]
    return [Part(due, day(sent[0], "on"), (sent[0].index,)) if sent else Part(due, None)]


def instructed(facts: Facts, due: date | None, _today: date) -> list[Part]:
    """Give the controller's instruction: the first counts, however often it is given again."""
    told = min(of_kind(facts, "INSTRUCTION_GIVEN"), key=lambda one: day(one, "given_on"), default=None)
    return [Part(due, day(told, "given_on"), (told.index,)) if told else Part(due, None)]

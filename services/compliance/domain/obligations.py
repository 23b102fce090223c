"""How the obligations of a plan stand: met only on evidence, breached by the date, never hidden.

Two counts are kept, and the worse one is shown: what scheduling told (OBLIGATION_CHANGED), and what the log itself
proves of S2 28.1. There each deletion is judged by its own last day: where an option suspends the last deletion that
is the plan's day for it, and K+15 for everything else (T1, T2). Dates are those of the plan in force. What was told
before the evidence that met it came is outdated, unless it was a breach.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from services.compliance import attestations
from services.compliance.facts import LAST, Facts, date_of, day

WORSE = ("met", "suspended", "pending", "at_risk", "breached")


@dataclass(frozen=True, slots=True)
class Standing:
    """How an obligation stands; `since` is the day from which, where it is known; `evidence` are indexes."""

    id: str
    due: date | None
    state: str
    reason: str
    met_on: date | None = None
    since: date | None = None
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that an obligation asks for: its last day, the day it was shown to be done, the entries that show it.

    `kept` is the option that suspends it today, as a reason.
    """

    due: date | None
    met_on: date | None
    evidence: tuple[int, ...] = ()
    kept: str = ""

    def late(self, today: date) -> bool:
        """Tell whether the last day passed without it."""
        return self.due is not None and (self.met_on or today) > self.due


def standing(obligation: str, facts: Facts, today: date) -> Standing:
    """Give the worse of what was told and what the log proves; what Ophør cannot see is never met without evidence."""
    told, due = _told(obligation, facts), facts.due(obligation)
    rule = _RULES.get(obligation)
    if rule is None:
        return told or _unseen(obligation, due, today)
    proven = _proven(obligation, due, rule(facts, due, today), today)
    return told if told and _counts(told, proven) and _rank(told) > _rank(proven) else proven


def standings(facts: Facts, today: date) -> list[Standing]:
    """Give every obligation of the plan in force, then those that only scheduling told of."""
    planned = [line["id"] for line in facts.plan.entry["obligations"]] if facts.plan else []
    told = [name for name in sorted(facts.obligations) if name not in planned]
    return [standing(name, facts, today) for name in [*planned, *told]]


def _rank(one: Standing) -> int:
    return WORSE.index(one.state)


def _counts(told: Standing, proven: Standing) -> bool:
    """Tell whether what was told still counts: a breach always does, the rest until evidence came that it lacked."""
    return told.state == "breached" or proven.met_on is None or told.evidence > proven.evidence[-1:]


def _told(obligation: str, facts: Facts) -> Standing | None:
    logged = facts.obligations.get(obligation)
    if logged is None:
        return None
    due, met_on = facts.due(obligation) or date_of(logged.entry["due"]), date_of(logged.entry["met_on"])
    state, reason = logged.entry["state"], logged.entry["reason"]
    return Standing(obligation, due, state, reason, met_on, day(logged, "on"), (logged.index,))


def _unseen(obligation: str, due: date | None, today: date) -> Standing:
    late = due is not None and today > due
    if late:
        return Standing(obligation, due, "at_risk", "OVERDUE")
    return Standing(obligation, due, "pending", "WAITING" if due else "NOT_TRIGGERED")


def _proven(obligation: str, due: date | None, parts: list[Part], today: date) -> Standing:
    evidence = tuple(sorted({index for part in parts for index in part.evidence}))
    left = [part for part in parts if part.met_on is None]
    met_on = max((part.met_on for part in parts if part.met_on), default=None) if not left else None
    late = [part.due for part in parts if part.due and part.late(today)]
    if late:
        reason = "MET_LATE" if met_on else "OVERDUE"
        return Standing(obligation, due, "breached", reason, met_on, min(late) + timedelta(days=1), evidence)
    if met_on:
        return Standing(obligation, due, "met", "EVIDENCE", met_on, met_on, evidence)
    kept = {part.kept for part in left}
    if kept and "" not in kept:
        return Standing(obligation, due, "suspended", min(kept), evidence=evidence)
    return Standing(obligation, due, "pending", "WAITING", evidence=evidence)


def _permanent_deletion(facts: Facts, due: date | None, today: date) -> list[Part]:
    """List what S2 28.1 wants deleted: live systems, and backups too unless an amendment accepts six months."""
    parts = [_deletion(facts, activity, due, today) for activity in facts.scopes()]
    return parts if facts.amendment else parts + _backups(facts, due, today)


def _deletion(facts: Facts, activity: str, due: date | None, today: date) -> Part:
    job = facts.job(activity)
    evidence: tuple[int, ...] = (job.verified.index,) if job and job.verified else ()
    systems = facts.scopes()[activity]
    evidence += tuple(one.index for one in attestations.answers_of(facts, systems).values())
    gone, settled = facts.deleted_on([activity]), attestations.settled_on(facts, systems)
    met_on = max(gone, settled) if gone and settled else None  # also in sub-suppliers' possession (S2 28.1)
    return Part(_own_due(facts, activity, due), met_on, evidence, _kept(facts, activity, today))


def _backups(facts: Facts, due: date | None, today: date) -> list[Part]:
    """List the scopes whose backup sets must be gone; where no set is registered at all, nothing is shown."""
    parts = []
    for activity in facts.scopes():
        sets = facts.sets_of([activity]).values()
        evidence = tuple(one.latest.index for one in sets if one.latest)
        if sets:
            gone = facts.backups_gone_on([activity])
            parts.append(Part(_backup_due(facts, activity, due), gone, evidence, _kept(facts, activity, today)))
    return parts or [Part(due, None)]


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


def _handed_over(facts: Facts, due: date | None, _today: date) -> list[Part]:
    told = facts.delivered
    return [Part(due, day(told, "on"), (told.index,)) if told else Part(due, None)]


def _instructed(facts: Facts, due: date | None, _today: date) -> list[Part]:
    told = facts.instruction
    return [Part(due, day(told, "given_on"), (told.index,)) if told else Part(due, None)]


_RULES: dict[str, Callable[[Facts, date | None, date], list[Part]]] = {
    "S2-28.1-b": _handed_over,
    "S2-28.1-c": _handed_over,
    "S2-28.1-d": _permanent_deletion,
    "S2-28.1-d-backups": _backups,
    "S2-DPA-a": _instructed,
}

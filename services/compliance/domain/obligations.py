"""How the obligations of a plan stand: met only on evidence, breached by the date, never hidden.

Two counts are kept, and the worse one is shown: what scheduling told (OBLIGATION_CHANGED), and what the log itself
proves (`duties.py`: S2 3.2, 7, 13, 28.1, and the GDPR, which binds every exit). In S2 28.1 each deletion is judged by
its own last day: where an option suspends the last deletion that is the plan's day for it, and K+15 for everything else
(T1, T2). Dates are those of the plan in force. What was told before the evidence that met it came is outdated, unless
it was a breach; that nothing had triggered it is outdated as soon as the log shows that something did. A force majeure
told in time moves the last day of S2 28.1 (`clocks.py`), which the log alone says: no document is given another plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.compliance.domain import duties
from services.compliance.domain.parts import Part, last_day
from services.compliance.facts import Facts, date_of, day
from shared.rules.time import parse_period, shift

_SOON = parse_period("-5wd")
BACKUPS = "S2-28.1-d-backups"
STANDING_STILL = ("S2-28.1-d", BACKUPS)
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


def standing(obligation: str, facts: Facts, today: date) -> Standing:
    """Give the worse of what was told and what the log proves; what Ophør cannot see is never met without evidence."""
    told, due = _told(obligation, facts), facts.due(obligation)
    rule = duties.RULES.get(obligation)
    parts = rule(facts, due, today) if rule else []
    if not parts:
        return told or _unseen(obligation, due, today)
    proven = _proven(obligation, due or _last(parts), parts, today)
    if due and obligation in STANDING_STILL and not (obligation == BACKUPS and facts.amendment):
        proven = replace(proven, due=last_day(facts, due, min(today, proven.met_on or today)).due)
    return told if told and _counts(told, proven) and _rank(told) > _rank(proven) else proven


def standings(facts: Facts, today: date) -> list[Standing]:
    """Give every obligation of the plan in force, those that only scheduling told of, then those of the law."""
    planned = [line["id"] for line in facts.plan.entry["obligations"]] if facts.plan else []
    told = [name for name in sorted(facts.obligations) if name not in (*planned, *duties.of_the_law())]
    law = [name for name in duties.of_the_law() if name not in planned]
    return [standing(name, facts, today) for name in [*planned, *told, *law]]


def _last(parts: list[Part]) -> date | None:
    """Give the first last day among what is left to do, where the plan has none for the whole."""
    return min((part.due for part in parts if part.due and part.met_on is None), default=None)


def _rank(one: Standing) -> int:
    return WORSE.index(one.state)


def _counts(told: Standing, proven: Standing) -> bool:
    """Tell whether what was told still counts: a breach always does, the rest until evidence came that it lacked."""
    if told.reason == "NOT_TRIGGERED":
        return False
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
    if any(part.returned for part in left):  # T16
        return Standing(obligation, due, "at_risk", "REAPPEARED", evidence=evidence)
    soon = any(part.due and today >= shift(part.due, _SOON) for part in left)
    state, reason = ("at_risk", "DUE_SOON") if soon else ("pending", "WAITING")
    return Standing(obligation, due, state, reason, evidence=evidence)

"""How the obligations of a plan stand: met only on evidence, breached by the date, never hidden."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from dateutil.relativedelta import relativedelta

from services.compliance.facts import Facts, day


def backups_due(facts: Facts) -> date | None:
    """Give the last day for backups to be gone: six months after the first actual deletion of their systems (T16)."""
    first = facts.first_deleted_on()
    return first + relativedelta(months=6) if first else None


def obligation_state(obligation: str, due: date | None, facts: Facts, today: date) -> tuple[str, list[int]]:
    """Give (state, indexes of evidence) of one obligation of the plan.

    What Ophør cannot see is `pending` until its date and `at_risk` after it; it is never called met without evidence.
    """
    rule = _OBLIGATIONS.get(obligation)
    if rule is None:
        return ("at_risk" if due and today > due else "pending"), []
    met_on, evidence = rule(facts)
    if met_on is None:
        return ("breached" if due and today > due else "pending"), evidence
    return ("breached" if due and met_on > due else "met"), evidence


def permanent_deletion(facts: Facts) -> tuple[date | None, list[int]]:
    """Tell when S2 28.1's deletion was done: live systems, and backups too unless an amendment accepts six months."""
    deleted = facts.deleted_on()
    evidence = [one.verified.index for one in facts.jobs.values() if one.verified]
    if facts.amendment:
        return deleted, evidence
    gone = facts.backups_gone_on()
    evidence += [one.latest.index for one in facts.backups.values() if one.latest]
    return (max(deleted, gone) if deleted and gone else None), sorted(evidence)


def _backups_gone(facts: Facts) -> tuple[date | None, list[int]]:
    return facts.backups_gone_on(), [one.latest.index for one in facts.backups.values() if one.latest]


def _handed_over(facts: Facts) -> tuple[date | None, list[int]]:
    return (day(facts.delivered, "on"), [facts.delivered.index]) if facts.delivered else (None, [])


def _instructed(facts: Facts) -> tuple[date | None, list[int]]:
    given = facts.instruction
    return (day(given, "given_on"), [given.index]) if given else (None, [])


_OBLIGATIONS: dict[str, Callable[[Facts], tuple[date | None, list[int]]]] = {
    "S2-28.1-b": _handed_over,
    "S2-28.1-c": _handed_over,
    "S2-28.1-d": permanent_deletion,
    "S2-DPA-a": _instructed,
    "S2-28.1-d-backups": _backups_gone,
    "S1-D9": _backups_gone,
    "D9": _backups_gone,
}

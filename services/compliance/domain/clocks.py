"""Clocks that stand still while a force majeure lasts (S2 23): a request's 10 Arbejdsdage, and the Dage of S2 28.1.

Rules kept:
1. Force majeure suspends what is owed under the agreement (S2 13, 28.1) on each day of the clock that it lasts, its
   first and last among them. What the GDPR itself asks for is not owed under the agreement: S2 23 does not reach it.
2. It counts only where it was told in writing within 5 Arbejdsdage after it began (S2 23); told later, it stops none.
3. How the days are counted then: `shared/rules/clocks.py`.
4. Whether it kept the supplier from this very deletion (S2 23, first paragraph) the log cannot show: where a last day
   stands still, the documents say so, and since when.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.compliance.evidence import Logged
from services.compliance.facts import Facts, day
from shared.rules.clocks import Clock, Stop, run, told_in_time
from shared.rules.time import parse_period

ANSWER_WITHIN = parse_period("+10wd")
BEGAN, ENDED = "force_majeure", "force_majeure_end"
SUSPENDED = frozenset({"S2-13-a", "S2-28.1-d"})
STANDS_STILL = "FORCE_MAJEURE"
COPENHAGEN = ZoneInfo("Europe/Copenhagen")


def logged_on(one: Logged) -> date:
    """Give the day of an entry that has none of its own: when it was logged, by the rules' clock."""
    return datetime.fromisoformat(one.at).astimezone(COPENHAGEN).date()


def stops(facts: Facts) -> tuple[Stop, ...]:
    """List the force majeures of an exit that may be invoked (rule 2); an end closes every one that is open.

    The bus keeps no order: an end that was logged before the beginning closes it too.
    """
    found: dict[date, date | None] = {}
    ended: list[date] = []
    for one in facts.entries:
        anchor = one.entry.get("anchor") if one.kind == "TRIGGER_RECORDED" else None
        if anchor == BEGAN and told_in_time(day(one, "on"), logged_on(one)):
            began = day(one, "on")
            found.setdefault(began, min((last for last in ended if last >= began), default=None))
        if anchor == ENDED:
            ended.append(day(one, "on"))
            found |= {began: ended[-1] for began, last in found.items() if last is None}
    return tuple(found.items())


def clock(made_on: date, basis: str, stopped: Collection[Stop], today: date) -> Clock:
    """Give the clock of a request made on `made_on` under `basis` as it is today."""
    return run(made_on, ANSWER_WITHIN.count, "wd", stopped if basis in SUSPENDED else (), today)


def clock_of_days(start: date, due: date, stopped: Collection[Stop], today: date) -> Clock:
    """Give the clock of what is owed in Dage after `start`, `due` without force majeure, as it is today (S2 28.1)."""
    return run(start, (due - start).days, "d", stopped, today)

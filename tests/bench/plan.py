"""`plan`: 10,000 exits planned from scratch on one core, against the same number of bare date sums."""

from __future__ import annotations

from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from shared.rules.plan import PlanFacts, make_plan
from shared.rules.profiles import load_profiles
from tests.bench.figures import Figure, seconds, timed

EXITS = 10_000
FIRST = date(2026, 1, 1)
PROFILES = load_profiles(("ist-standard", "ski-02-19"))


def measure() -> Figure:
    """Plan every exit with dates of its own, so that no plan can be another's answer."""
    bounds = _bounds(PlanFacts({"T": FIRST, "K": FIRST}))
    took = seconds(_plan_all)
    reference = seconds(lambda: _sum_all(bounds))
    return timed(
        "plan", f"{EXITS:,} exits planned", took, "s", f"their {bounds} date sums each with dateutil", reference
    )


def facts(number: int) -> PlanFacts:
    """Make the facts of exit `number`: both dates and the options differ."""
    go_live = FIRST + timedelta(days=number % 3650)
    options = frozenset({"S1-8.2"} if number % 2 else ())
    return PlanFacts({"T": go_live, "K": go_live + timedelta(days=number % 97)}, options=options)


def _plan_all() -> None:
    for number in range(EXITS):
        make_plan(PROFILES, facts(number))


def _sum_all(bounds: int) -> None:
    for number in range(EXITS):
        go_live = FIRST + timedelta(days=number % 3650)
        for step in range(bounds):
            _ = go_live + relativedelta(months=-(step % 4), days=step % 31)


def _bounds(known: PlanFacts) -> int:
    plan = make_plan(PROFILES, known)
    dated = [*(each.dates for each in plan.activities), *(each.dates for each in plan.obligations)]
    return sum(len(dates.bounds) for dates in dated)

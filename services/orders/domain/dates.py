"""The dates of an exit: T, D and the days to be respected, and what each must not precede or follow.

Rules kept (domain dates): takeover ≤ D < T, D ≤ K, and T lies ahead. Not given, D is the profiles' (T −1), but never
after K: nothing runs in production without an agreement. T > K +1 is allowed and shown (T5).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from services.orders.domain.records import Body, FixedDate
from services.orders.domain.refusals import each_once, in_order, refuse
from shared.rules.plan import PlanFacts, anchor_date
from shared.rules.profiles import Profile


class Switch(NamedTuple):
    """The day of the switch and the last day of production before it."""

    go_live: date
    operations_end: date


def switch(data: Body, profiles: Sequence[Profile], takeover: date, end: date, today: date) -> Switch:
    """Give the switch that a command asks for; raise Rejected DATE_MISSING or DATES_OUT_OF_ORDER."""
    go_live = data["go_live"]
    if go_live is None:
        raise refuse(
            "DATE_MISSING", "go_live", "the day of the switch is missing (S1 §4)", "give go_live",
            "Skiftedatoen mangler (S1 §4). Angiv go_live.",
        )  # fmt: skip
    in_order("today", today, "go_live", go_live, strict=True)
    operations_end = data["operations_end"] or usual_end(profiles, go_live, end)
    in_order("takeover_day", takeover, "operations_end", operations_end)
    in_order("operations_end", operations_end, "go_live", go_live, strict=True)
    in_order("operations_end", operations_end, "agreement_end", end)
    return Switch(go_live, operations_end)


def usual_end(profiles: Sequence[Profile], go_live: date, end: date) -> date:
    """Give the last day of production where nobody names it: the profiles' D, at the latest K."""
    usual = anchor_date(profiles, PlanFacts({"T": go_live}), "D")
    if usual is None:
        raise refuse(
            "DATE_MISSING", "operations_end", "the profiles do not fix the last day of production",
            "give operations_end", "Profilerne fastlægger ikke driftsophør. Angiv operations_end.",
        )  # fmt: skip
    return min(usual, end)


def fixed_dates(data: Body, today: date) -> tuple[FixedDate, ...]:
    """Give the days to be respected (S1 §4); raise Rejected FIXED_DATE_TWICE or DATES_OUT_OF_ORDER."""
    days = tuple(map(FixedDate.of, data["fixed_dates"]))
    each_once("FIXED_DATE_TWICE", "fixed_dates", "line", [each.line for each in days])
    for number, each in enumerate(days):
        in_order("today", today, "on", each.on, field=f"fixed_dates.{number}.on")
    return days

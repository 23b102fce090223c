"""The supplier's days of the exit window (B8), drawn up from the plan's own bounds: pure.

Rules kept: every chosen activity that the profiles plan by the day gets one; no day lies outside its activity's bounds
or before the day of what it comes after; days spread over the window in the order of the work, on Arbejdsdage where
there is one left; operations run to their last day (D), and what comes after them is done that day or later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from shared.rules.profiles import Profile
from shared.rules.time import is_working_day

TO_THE_LAST = frozenset({"C6"})
Row = Mapping[str, Any]


def planned_by_day(profiles: Iterable[Profile]) -> frozenset[str]:
    """Give the activities that the profiles plan by the day."""
    return frozenset(each.id for profile in profiles for each in profile.activities if each.timetable)


def draw_up(rows: Iterable[Row], by_day: frozenset[str]) -> dict[str, date]:
    """Give a day for each chosen activity in `by_day` that has bounds; `rows` are the plan's, in the wire's form."""
    plan = {row["id"]: row for row in rows}
    wanted = {name for name, row in plan.items() if name in by_day and row["chosen"] and row["earliest"]}
    comes_after = {name: _before(name, plan) & wanted for name in wanted}
    steps = {name: _step(name, comes_after) for name in wanted}
    days: dict[str, date] = {}
    for name in sorted(wanted, key=lambda each: (steps[each], each)):
        before = max((days[each] for each in comes_after[name]), default=date.min)
        share = 1.0 if name in TO_THE_LAST else (steps[name] + 1) / (max(steps.values()) + 1)
        days[name] = _day(plan[name], share, before)
    return days


def _before(name: str, plan: Mapping[str, Row]) -> set[str]:
    """Give all that comes before an activity, whether it has a day of its own or not."""
    direct = {each for each in plan[name]["after"] if each in plan}
    return direct.union(*(_before(each, plan) for each in direct))


def _step(name: str, comes_after: Mapping[str, set[str]]) -> int:
    """Count how many of the wanted activities come before this one, one after the other."""
    return max((1 + _step(each, comes_after) for each in comes_after[name]), default=0)


def _day(row: Row, share: float, before: date) -> date:
    """Give the day at `share` of the activity's bounds, or the next Arbejdsdag in them, never before `before`."""
    first = date.fromisoformat(row["earliest"])
    last = date.fromisoformat(row["due"]) if row["due"] else first + timedelta(days=14)
    wished = max(first + timedelta(days=int((last - first).days * share)), before)
    later = (wished + timedelta(days=more) for more in range((last - wished).days + 1))
    return next((day for day in later if is_working_day(day)), wished)

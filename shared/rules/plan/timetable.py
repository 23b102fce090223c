"""The detailed timetable (B8): a day for what the profiles plan by the day.

Refused: an activity that is not planned by the day (TIMETABLE_NOT_PLANNED), a day outside its bounds
(TIMETABLE_OUT_OF_BOUNDS, naming the timetable's clause and the bound's), and a day before the day of what the activity
comes after, directly or through others (TIMETABLE_OUT_OF_ORDER).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from contracts.errors import Rejected
from shared.rules.plan.model import Bound, Plan, Planned
from shared.rules.profiles import Profile


def check_timetable(profiles: Sequence[Profile], plan: Plan, days: Mapping[str, date]) -> None:
    """Refuse a timetable that the plan does not allow; bounds of an earlier timetable do not count."""
    by_day = {each.id for profile in profiles for each in profile.activities if each.timetable}
    for name, day in days.items():
        if name not in by_day or not plan.activity(name).chosen:
            raise _not_planned(name)
        _check_bounds(plan.activity(name), day)
    for name, day in days.items():
        for before in _before(plan, name):
            if before in days and days[before] > day:
                raise _out_of_order(before, days[before], name, day, plan.activity(name).activity.clause)


def _check_bounds(planned: Planned, day: date) -> None:
    for bound in planned.dates.bounds:
        outside = day < bound.on if bound.direction == "not_before" else day > bound.on
        if outside and bound.of and not (bound.warns or bound.target):
            raise _outside(planned, day, bound)


def _before(plan: Plan, name: str) -> Iterator[str]:
    """Give all that comes before an activity, directly or through others, each once."""
    seen, todo = {name}, [name]
    while todo:
        new = [each for each in plan.activity(todo.pop()).activity.after if each not in seen]
        yield from new
        seen.update(new)
        todo += new


def _not_planned(name: str) -> Rejected:
    return Rejected(
        "TIMETABLE_NOT_PLANNED",
        f"{name} is not planned by the day in this exit",
        field=f"days.{name}",
        remedy="leave it out of the timetable",
        da=f"{name} planlægges ikke på dagen i dette exit. Udelad den af tidsplanen.",
    )


def _outside(planned: Planned, day: date, bound: Bound) -> Rejected:
    clauses = f"{planned.activity.clause}; {bound.clause}"
    return Rejected(
        "TIMETABLE_OUT_OF_BOUNDS",
        f"{planned.id} on {day.isoformat()} ({clauses}): {bound.rule_en}",
        field=f"days.{planned.id}",
        remedy=f"choose a day {bound.side_en} {bound.on.isoformat()}",
        da=f"{planned.id} den {day.isoformat()} ({clauses}): {bound.rule}.",
    )


def _out_of_order(before: str, before_on: date, name: str, day: date, clause: str) -> Rejected:
    return Rejected(
        "TIMETABLE_OUT_OF_ORDER",
        f"{name} on {day.isoformat()} comes after {before}, which is on {before_on.isoformat()} ({clause})",
        field=f"days.{name}",
        remedy=f"let {name} follow {before}",
        da=f"{name} den {day.isoformat()} kommer efter {before}, som er lagt den {before_on.isoformat()} ({clause}).",
    )

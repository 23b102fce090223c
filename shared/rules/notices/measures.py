"""How each measure finds the effect, the last day in time, and whether the notice is in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from shared.rules.notices.calls import call, unknown_date
from shared.rules.notices.model import DAY, Case, Finding, Weighed, last_in_time
from shared.rules.notices.verdicts import BOTH_DA, BOTH_EN, concluded, refuse
from shared.rules.time import add_months, shift

Moves = tuple[tuple[str, date], ...]


def _end(case: Case) -> Weighed:
    bar, asked = case.bar(), case.asked
    earliest = shift(asked.given_on, case.variant.period)
    earliest = max(earliest, bar) if bar else earliest
    wished = bar if bar and case.variant.exact else asked.effect_on or earliest
    effect, limit = max(wished, earliest), case.limit()
    if limit and effect > limit:
        da = f"ophører af sig selv {limit}; varsel er ikke nødvendigt, eller vælg en tidligere dag"
        en = f"it ends by itself on {limit}; no notice is needed, or ask for an earlier day"
        return refuse(case, "NOTICE_AFTER_END", da, en, latest=last_in_time(limit, case.variant.period))
    latest = None if bar and wished < bar else last_in_time(wished, case.variant.period)
    anchor = case.kind.moves_part if asked.services and case.kind.moves_part else case.kind.moves
    return concluded(case, Finding(effect == wished, effect, latest, ((anchor, effect),) if anchor else ()))


def _before(case: Case) -> Weighed:
    anchor, kind = case.against(), case.kind
    if kind.most_times is not None and case.situation.extensions >= kind.most_times:
        da, en = f"højst {kind.most_times} gange; {BOTH_DA}", f"at most {kind.most_times} times; {BOTH_EN}"
        return refuse(case, "NOTICE_TOO_OFTEN", da, en)
    moved, refused = _prolonged(case, anchor) if kind.most_months else _stored(case, anchor)
    if refused:
        return refused
    latest = last_in_time(anchor, case.variant.period)
    return concluded(case, Finding(case.asked.given_on <= latest, case.bar() or anchor + DAY, latest, moved))


def _prolonged(case: Case, anchor: date) -> tuple[Moves, Weighed | None]:
    most = case.kind.most_months or 0
    months = most if case.asked.months is None else case.asked.months
    if not 0 < months <= most:
        da, en = f"højst {most} måneder; {BOTH_DA}", f"at most {most} months; {BOTH_EN}"
        return (), refuse(case, "NOTICE_TOO_LONG", da, en)
    begins = ((case.kind.begins, anchor + DAY),) if case.kind.begins else ()
    return ((case.kind.moves, add_months(anchor, months)), *begins), None


def _stored(case: Case, anchor: date) -> tuple[Moves, Weighed | None]:
    wished, limit = case.asked.effect_on, case.date_of(case.kind.until) if case.kind.until else None
    if wished is None or not case.kind.moves:
        return (), None
    if wished <= anchor or (limit and wished > limit):
        da, en = f"skal ophøre efter {anchor} og senest {limit}", f"it has to end after {anchor} and not after {limit}"
        return (), refuse(case, "NOTICE_TOO_LONG", da, en)
    return ((case.kind.moves, wished),), None


def _milestone(case: Case) -> Weighed:
    name, wished = case.asked.milestone or case.kind.against, case.asked.effect_on
    current = _milestone_day(case, name)
    if wished is None:
        raise call(
            "NOTICE_EFFECT_MISSING",
            "effect_on",
            case.clause,
            f"the new day of {name} is missing",
            "give the day that is wished",
            f"den nye dag for {name} mangler; angiv den",
        )
    if wished <= current:
        da, en = f"{name} ligger {current}; vælg en senere dag", f"{name} is on {current}; ask for a later day"
        return refuse(case, "NOTICE_NOT_LATER", da, en)
    latest = last_in_time(current, case.variant.period)
    return concluded(case, Finding(case.asked.given_on <= latest, wished, latest, ((name, wished),)))


def _milestone_day(case: Case, name: str) -> date:
    """Give a milestone's present day: the default anchor's, or that of an activity that destroys nothing."""
    planned = case.situation.plan.by_id.get(name)
    if name == case.kind.against:
        return case.against()
    if planned is None or planned.activity.destructive or not planned.chosen:
        raise call(
            "NOTICE_NOT_A_MILESTONE",
            "milestone",
            case.clause,
            f"{name} is no milestone of the plan",
            "name an activity that deletes nothing",
            f"{name} er ikke en milepæl; nævn T eller en aktivitet",
        )
    day = planned.due or planned.earliest
    if day is None:
        raise unknown_date(name, case.clause)
    return day


def _copy(case: Case) -> Weighed:
    asked, bar, limit = case.asked, case.bar(), case.limit()
    wished = asked.effect_on or shift(asked.given_on, case.variant.period)
    latest = last_in_time(wished, case.variant.period)
    inside = (bar is None or bar <= wished) and (limit is None or wished <= limit)
    return concluded(case, Finding(inside and asked.given_on <= latest, max(wished, asked.given_on), latest))


MEASURES: Mapping[str, Callable[[Case], Weighed]] = {
    "end": _end, "before": _before, "milestone": _milestone, "copy": _copy,
}  # fmt: skip

"""How dates are reckoned: what the profiles lay down (kept per set of profiles), applied to one exit's facts.

Rules kept: an anchor is the given date, else the first (or the latest) of its references that is known; a bound applies
when any of its `when` and none of its `unless` holds; bounds that only warn never move a date; a target that no other
rule allows to be kept moves to the first day that is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from contracts.errors import Rejected
from shared.rules.plan.model import Bound, Dates, PlanFacts, Planned
from shared.rules.profiles import Activity, Anchor, DateRule, Profile
from shared.rules.references import Reference
from shared.rules.scopes import conditions_of
from shared.rules.time import Period, shift


@dataclass(frozen=True, slots=True)
class Layout:
    """Several profiles laid together: what each item's rules and each anchor's definitions are."""

    profiles: tuple[Profile, ...]
    activities: Mapping[str, Activity]
    anchors: Mapping[str, tuple[Anchor, ...]]
    rules: Mapping[str, tuple[DateRule, ...]]
    numbers: Mapping[str, int]


@lru_cache(maxsize=64)
def laid(profiles: tuple[Profile, ...]) -> Layout:
    """Lay profiles together, in their order."""
    anchors: dict[str, tuple[Anchor, ...]] = {}
    numbers: dict[str, int] = {}
    rules = {each.id: each.dates for profile in profiles for each in profile.activities}
    rules |= {each.id: each.dates for profile in profiles for each in profile.obligations}
    for profile in profiles:
        for anchor in profile.anchors:
            anchors[anchor.name] = (*anchors.get(anchor.name, ()), anchor)
        numbers |= {name: value for name, value in profile.parameters.items() if value is not None}
        for addition in profile.adds:
            for target in addition.targets:
                rules[target] = (*rules.get(target, ()), addition.date)
    activities = {each.id: each for profile in profiles for each in profile.activities}
    return Layout(profiles, activities, anchors, rules, numbers)


_UNDATED = Dates(None, None, ())


class Known(NamedTuple):
    """A resolved date, whether it is only planned, and how it was reached: `start` and `period` (None: given)."""

    on: date
    planned: bool
    start: date
    period: Period | None


class Reckoner:
    """Resolves anchors and bounds of one exit, each once."""

    def __init__(self, layout: Layout, facts: PlanFacts) -> None:
        self._layout, self._facts = layout, facts
        self._conditions = conditions_of(layout.profiles, facts)
        self._numbers = {**layout.numbers, **facts.numbers}
        self._known: dict[str, Known | None] = {}
        self._resolved: dict[Reference, Known | None] = {}
        self._open: set[str] = set()

    def planned(self, activity: Activity) -> Planned:
        """Give an activity with its dates and systems."""
        systems = (self._facts.scopes or {}).get(activity.id, ())
        return Planned(activity, self._chosen(activity), self.dates(activity.id), tuple(systems))

    def dates(self, item: str) -> Dates:
        """Give an item's intersected dates."""
        rules = self._layout.rules.get(item, ())
        bounds = [bound for rule in rules if rule.holds(self._conditions) and (bound := self._bound(rule))]
        if item in self._facts.days:
            bounds += self._timetable(self._layout.activities[item], self._facts.days[item])
        return intersected(tuple(bounds))

    def anchor(self, name: str) -> Known | None:
        """Give an anchor's date, or None; raise Rejected PROFILE_CIRCULAR."""
        given = self._facts.anchors.get(name)
        if given is not None:
            return Known(given, False, given, None)
        if name not in self._known:
            if name in self._open:
                raise _circular(name)
            self._open.add(name)
            self._known[name] = self._due(name[4:-1]) if name.startswith("due(") else self._derived(name)
            self._open.discard(name)
        return self._known[name]

    def resolve(self, reference: Reference) -> Known | None:
        """Give a reference's date, or None where its anchor or its number is not known."""
        if reference not in self._resolved:
            self._resolved[reference] = self._reckoned(reference)
        return self._resolved[reference]

    def _reckoned(self, reference: Reference) -> Known | None:
        known = self.anchor(reference.anchor)
        if known is None or not reference.period:
            return known
        period = reference.period_with(self._numbers)
        return Known(shift(known.on, period), known.planned, known.on, period) if period else None

    def _chosen(self, activity: Activity) -> bool:
        """Tell whether it is in the exit: where systems are known, what deletes is chosen exactly when it has some."""
        facts = self._facts
        if activity.deletion and facts.scopes is not None:
            return bool(facts.scopes.get(activity.id))
        if activity.applies_to and facts.customer_type not in activity.applies_to:
            return False
        return not activity.options or not facts.options.isdisjoint(activity.options)

    def _bound(self, rule: DateRule) -> Bound | None:
        known = self.resolve(rule.of)
        if not known:
            return None
        warns = rule.warns and rule.profile not in self._facts.lawyer_confirmed
        on, planned, start, period = known
        return Bound(on, rule.direction, rule.of, period, start, rule.clause, planned, rule.target, warns)

    def _timetable(self, activity: Activity, day: date) -> Iterable[Bound]:
        if activity.timetable == "on":
            yield Bound(day, "not_before", None, None, day, activity.clause)
        if activity.timetable:
            yield Bound(day, "not_after", None, None, day, activity.clause)

    def _due(self, activity_id: str) -> Known | None:
        activity = self._layout.activities.get(activity_id)
        if activity is None or not self._chosen(activity):
            return None
        due = self.dates(activity.id).due
        return Known(due.on, True, due.on, None) if due else None

    def _derived(self, name: str) -> Known | None:
        for anchor in self._layout.anchors.get(name, ()):
            latest = [known for known in map(self.anchor, anchor.latest_of) if known]
            first = next((known for known in map(self.resolve, anchor.first_of) if known), None)
            known = max(latest, key=lambda each: each.on, default=first)
            if known:
                planned = known.planned or anchor.planned or any(each.planned for each in latest)
                return known._replace(planned=planned)
        return None


def intersected(bounds: tuple[Bound, ...]) -> Dates:
    """Intersect the bounds that bind; a target gives way to the first day that is allowed."""
    if not bounds:
        return _UNDATED
    earliest: Bound | None = None
    due: Bound | None = None
    for bound in bounds:
        if bound.warns:
            continue
        if bound.direction == "not_before":
            if earliest is None or bound.on > earliest.on:
                earliest = bound
        elif due is None or bound.on < due.on or (bound.on == due.on and due.target and not bound.target):
            due = bound
    if earliest and due and due.target and due.on < earliest.on:
        due = _without_target(bounds, earliest)
    return Dates(earliest, due, bounds)


def _without_target(bounds: Iterable[Bound], earliest: Bound) -> Bound:
    owed = [each for each in bounds if each.direction == "not_after" and not (each.target or each.warns)]
    return min(owed, key=lambda bound: bound.on, default=earliest._replace(direction="not_after", target=True))


def _circular(name: str) -> Rejected:
    return Rejected(
        "PROFILE_CIRCULAR",
        f"the date '{name}' depends on itself",
        field="anchors",
        remedy="give the anchor another reference in the profile",
        da=f"Datoen '{name}' afhænger af sig selv.",
    )

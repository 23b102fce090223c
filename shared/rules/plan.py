"""The plan of an exit, computed: what is due when, after what, under which rule and clause.

Rules kept (domain.md §3.1, §3.5): every bound is `not_before` or `not_after`; an item's bounds from all profiles are
intersected, and an empty interval is a conflict that names both clauses; bounds of a profile that only warns never
move a date, but show their conflict; a date that nothing determines is None; a date that rests on a planned day
instead of an actual one is provisional; activities of options not chosen stay in the plan with `chosen` False and
count as met. The digest is the SHA-256 of the plan's canonical JSON: the same facts give the same digest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from contracts.errors import Rejected
from shared.rules.profiles import Activity, Anchor, DateRule, Obligation, Profile, digest_of
from shared.rules.references import Reference
from shared.rules.time import Direction, reckon


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What is known of one exit. `anchors`: given dates by name (T, D, K, O, …); `numbers`: parameters of the annexes;
    `amendments`: kinds signed by both parties; `deletions`: which deletions have systems (None: not known, so all)."""

    anchors: Mapping[str, date]
    options: frozenset[str] = frozenset()
    amendments: frozenset[str] = frozenset()
    numbers: Mapping[str, int] = field(default_factory=dict)
    customer_type: str = "municipality"
    deletions: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """A computed date with what gave it; `target`: aimed at, not owed; `warns`: shown, not binding."""

    on: date
    direction: Direction
    rule: str
    clause: str
    provisional: bool
    target: bool
    warns: bool
    inputs: tuple[tuple[str, date], ...]


@dataclass(frozen=True, slots=True)
class Dates:
    """An item's intersected dates and every bound that was considered."""

    earliest: Bound | None
    due: Bound | None
    bounds: tuple[Bound, ...]

    @property
    def provisional(self) -> bool:
        """Tell whether a date rests on a planned day."""
        return any(bound.provisional for bound in (self.earliest, self.due) if bound)


@dataclass(frozen=True, slots=True)
class Planned:
    """An activity in the plan."""

    activity: Activity
    chosen: bool
    dates: Dates

    @property
    def id(self) -> str:
        """Give the activity's id."""
        return self.activity.id

    @property
    def earliest(self) -> date | None:
        """Give the first day it may be done, or None."""
        return self.dates.earliest.on if self.dates.earliest else None

    @property
    def due(self) -> date | None:
        """Give the last day it is in time, or None."""
        return self.dates.due.on if self.dates.due else None

    @property
    def rule(self) -> str:
        """Give the rules behind both dates, for people."""
        bounds = [self.dates.earliest, self.dates.due]
        return "; ".join(bound.rule for bound in bounds if bound) or self.activity.timing_da or "ingen beregnet dato"

    @property
    def clause(self) -> str:
        """Give the clause of the due date, else of the activity."""
        return self.dates.due.clause if self.dates.due else self.activity.clause


@dataclass(frozen=True, slots=True)
class Owed:
    """An obligation in the plan."""

    obligation: Obligation
    dates: Dates

    @property
    def earliest(self) -> date | None:
        """Give the first day, or None."""
        return self.dates.earliest.on if self.dates.earliest else None

    @property
    def due(self) -> date | None:
        """Give the last day, or None."""
        return self.dates.due.on if self.dates.due else None

    @property
    def rule(self) -> str:
        """Give the rules behind both dates, for people."""
        bounds = [self.dates.earliest, self.dates.due]
        return "; ".join(bound.rule for bound in bounds if bound) or "ingen beregnet dato"


@dataclass(frozen=True, slots=True)
class Conflict:
    """An empty interval: these items may not be done before the one date nor after the other."""

    ids: tuple[str, ...]
    not_before: date
    not_after: date
    clauses: tuple[str, str]
    warns: bool


@dataclass(frozen=True, slots=True)
class Plan:
    activities: tuple[Planned, ...]
    obligations: tuple[Owed, ...]
    conflicts: tuple[Conflict, ...]
    digest: str

    def activity(self, activity_id: str) -> Planned:
        """Find an activity; raise Rejected ACTIVITY_UNKNOWN."""
        for planned in self.activities:
            if planned.id == activity_id:
                return planned
        raise Rejected(
            "ACTIVITY_UNKNOWN",
            f"the plan has no activity {activity_id}",
            field="activity",
            remedy="use an id of the plan",
            da=f"Planen har ingen aktivitet {activity_id}.",
        )

    def unmet(self, planned: Planned, completed: Collection[str]) -> tuple[str, ...]:
        """List the preconditions that are neither completed nor an option not chosen."""
        met = {other.id for other in self.activities if not other.chosen or other.id in completed}
        return tuple(name for name in planned.activity.after if name not in met)

    def turning_points(self) -> frozenset[date]:
        """Give every earliest and due date of what is chosen."""
        chosen = [planned for planned in self.activities if planned.chosen]
        return frozenset(day for planned in chosen for day in (planned.earliest, planned.due) if day)


def make_plan(profiles: Sequence[Profile], facts: PlanFacts) -> Plan:
    """Compute the plan of one exit under these profiles; raise Rejected OPTION_UNKNOWN or PROFILE_CIRCULAR."""
    _check_options(profiles, facts.options)
    reckoner = _Reckoner(profiles, facts)
    activities = tuple(reckoner.planned(each) for profile in profiles for each in profile.activities)
    obligations = tuple(
        Owed(each, reckoner.dates(each.id, each.dates)) for profile in profiles for each in profile.obligations
    )
    plan = Plan(activities, obligations, _conflicts(activities, obligations), "")
    return Plan(activities, obligations, plan.conflicts, digest_of(as_json(plan)))


def anchor_date(profiles: Sequence[Profile], facts: PlanFacts, name: str) -> date | None:
    """Give an anchor's date as the plan would reckon with it, or None."""
    known = _Reckoner(profiles, facts).anchor(name)
    return known.on if known else None


def ready(plan: Plan, completed: Collection[str], today: date) -> tuple[Planned, ...]:
    """List what can be done on `today`: chosen, not completed, its earliest day reached, its preconditions met."""
    return tuple(
        planned
        for planned in plan.activities
        if planned.chosen
        and planned.id not in completed
        and (planned.earliest is None or planned.earliest <= today)
        and not plan.unmet(planned, completed)
    )


def as_json(plan: Plan) -> dict[str, Any]:
    """Give the plan as JSON primitives (what the digest is taken over, and what `ophor plan --format json` prints)."""
    return {
        "activities": [_activity_json(planned) for planned in plan.activities],
        "obligations": [
            {
                "id": owed.obligation.id,
                "clause": owed.dates.due.clause if owed.dates.due else owed.obligation.clause,
                "earliest": _iso(owed.earliest),
                "due": _iso(owed.due),
                "rule": owed.rule,
                "provisional": owed.dates.provisional,
            }
            for owed in plan.obligations
        ],
        "conflicts": [
            {
                "ids": list(conflict.ids),
                "not_before": conflict.not_before.isoformat(),
                "not_after": conflict.not_after.isoformat(),
                "clauses": list(conflict.clauses),
                "warns": conflict.warns,
            }
            for conflict in plan.conflicts
        ],
    }


def _activity_json(planned: Planned) -> dict[str, Any]:
    activity = planned.activity
    return {
        "id": activity.id,
        "phase": activity.phase,
        "title_da": activity.title_da,
        "title_en": activity.title_en,
        "owner": activity.owner,
        "earliest": _iso(planned.earliest),
        "due": _iso(planned.due),
        "rule": planned.rule,
        "clause": planned.clause,
        "responsible": list(activity.responsible),
        "obligatory": activity.obligatory,
        "chosen": planned.chosen,
        "provisional": planned.dates.provisional,
        "destructive": activity.destructive,
        "after": list(activity.after),
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _check_options(profiles: Sequence[Profile], options: Collection[str]) -> None:
    known = {option.id for profile in profiles for option in profile.options}
    for option in sorted(options):
        if option not in known:
            raise Rejected(
                "OPTION_UNKNOWN",
                f"no profile of this agreement has the option '{option}'",
                field="options",
                remedy=f"use one of: {', '.join(sorted(known))}",
                da=f"Optionen '{option}' findes ikke i aftalens profiler. Brug en af: {', '.join(sorted(known))}.",
            )


@dataclass(frozen=True, slots=True)
class _Known:
    """A resolved date: whether it is only planned, how it was reached, and the anchor's own date."""

    on: date
    planned: bool
    how: str
    base: date


class _Reckoner:
    """Resolves anchors and bounds of one exit, each once."""

    def __init__(self, profiles: Sequence[Profile], facts: PlanFacts) -> None:
        self._facts = facts
        self._conditions = facts.options | {f"amendment:{kind}" for kind in facts.amendments}
        self._anchors: dict[str, list[Anchor]] = {}
        self._numbers: dict[str, int] = {}
        self._added: dict[str, list[DateRule]] = {}
        self._activities = {each.id: each for profile in profiles for each in profile.activities}
        self._known: dict[str, _Known | None] = {}
        self._open: set[str] = set()
        for profile in profiles:
            self._lay(profile)
        self._numbers |= facts.numbers

    def _lay(self, profile: Profile) -> None:
        for anchor in profile.anchors:
            self._anchors.setdefault(anchor.name, []).append(anchor)
        self._numbers |= {name: value for name, value in profile.parameters.items() if value is not None}
        for addition in profile.adds:
            for target in addition.targets:
                self._added.setdefault(target, []).append(addition.date)

    def planned(self, activity: Activity) -> Planned:
        return Planned(activity, self._chosen(activity), self.dates(activity.id, activity.dates))

    def dates(self, item: str, own: Iterable[DateRule]) -> Dates:
        rules = [rule for rule in (*own, *self._added.get(item, ())) if rule.holds(self._conditions)]
        bounds = tuple(bound for bound in map(self._bound, rules) if bound)
        binding = [bound for bound in bounds if not bound.warns]
        earliest = [bound for bound in binding if bound.direction == "not_before"]
        due = [bound for bound in binding if bound.direction == "not_after"]
        return Dates(
            max(earliest, key=lambda bound: bound.on, default=None),
            min(due, key=lambda bound: (bound.on, bound.target), default=None),
            bounds,
        )

    def _chosen(self, activity: Activity) -> bool:
        facts = self._facts
        if activity.applies_to and facts.customer_type not in activity.applies_to:
            return False
        if activity.deletion and facts.deletions is not None and activity.deletion not in facts.deletions:
            return False
        return not activity.options or not facts.options.isdisjoint(activity.options)

    def _bound(self, rule: DateRule) -> Bound | None:
        known = self._resolve(rule.of)
        if not known:
            return None
        return Bound(
            on=known.on,
            direction=rule.direction,
            rule=self._wording(rule, known),
            clause=rule.clause,
            provisional=known.planned,
            target=rule.target,
            warns=rule.warns,
            inputs=((rule.of.anchor, known.base),),
        )

    def _wording(self, rule: DateRule, known: _Known) -> str:
        side = "tidligst" if rule.direction == "not_before" else "mål" if rule.target else "senest"
        period = rule.of.period_with(self._numbers)
        return f"{side} {rule.of.anchor} {period or ''}".rstrip() + f": {known.how}"

    def _resolve(self, reference: Reference) -> _Known | None:
        known = self.anchor(reference.anchor)
        period = reference.period_with(self._numbers)
        if known is None or (reference.period and period is None):
            return None
        if period is None:
            return known
        reckoned = reckon(known.on, period)
        return _Known(reckoned.on, known.planned, reckoned.rule_da, known.on)

    def anchor(self, name: str) -> _Known | None:
        if name in self._facts.anchors:
            given = self._facts.anchors[name]
            return _Known(given, False, given.isoformat(), given)
        if name not in self._known:
            if name in self._open:
                raise Rejected("PROFILE_CIRCULAR", f"the date '{name}' depends on itself", field="anchors")
            self._open.add(name)
            self._known[name] = self._due(name[4:-1]) if name.startswith("due(") else self._derived(name)
            self._open.discard(name)
        return self._known[name]

    def _due(self, activity_id: str) -> _Known | None:
        activity = self._activities.get(activity_id)
        if activity is None or not self._chosen(activity):
            return None
        due = self.dates(activity.id, activity.dates).due
        return _Known(due.on, True, due.on.isoformat(), due.on) if due else None

    def _derived(self, name: str) -> _Known | None:
        for anchor in self._anchors.get(name, ()):
            latest = [known for known in map(self.anchor, anchor.latest_of) if known]
            first = next((known for known in map(self._resolve, anchor.first_of) if known), None)
            known = max(latest, key=lambda each: each.on, default=first)
            if known:
                planned = known.planned or anchor.planned or any(each.planned for each in latest)
                return _Known(known.on, planned, known.how, known.on)
        return None


def _conflicts(activities: Iterable[Planned], obligations: Iterable[Owed]) -> tuple[Conflict, ...]:
    """Find the empty intervals, the same pair of dates and clauses once for all items that it hits."""
    found: dict[tuple[date, date, str, str, bool], list[str]] = {}
    items = [(each.id, each.dates) for each in activities if each.chosen]
    items += [(each.obligation.id, each.dates) for each in obligations]
    for name, dates in items:
        key = _empty(dates)
        if key:
            found.setdefault(key, []).append(name)
    return tuple(
        Conflict(tuple(ids), before, after, (clause_after, clause_before), warns)
        for (before, after, clause_after, clause_before, warns), ids in found.items()
    )


def _empty(dates: Dates) -> tuple[date, date, str, str, bool] | None:
    early = [bound for bound in dates.bounds if bound.direction == "not_before"]
    late = [bound for bound in dates.bounds if bound.direction == "not_after"]
    if not early or not late:
        return None
    first = max(early, key=lambda bound: bound.on)
    last = min(late, key=lambda bound: (bound.on, bound.target))
    if first.on <= last.on:
        return None
    return first.on, last.on, last.clause, first.clause, first.warns or last.warns

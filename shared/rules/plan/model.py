"""What goes into a plan and what a plan is: facts, bounds, dates, activities, obligations, conflicts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

from contracts.errors import Rejected
from shared.rules.profiles import Activity, Obligation, digest_of
from shared.rules.references import Reference
from shared.rules.time import Direction, Period, reckon


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What is known of one exit. `anchors`: given dates by name (T, D, K, O, …); `covers`: option → the systems that
    it covers (an option without an entry covers all that it can); `amendments`: kinds signed by both parties;
    `numbers`: parameters of the annexes; `scopes`: activity → systems (`scopes.route`; None: not known, so all);
    `days`: the timetable (B8), activity → day; `instructions`: e.g. `erase_early`; `lawyer_confirmed`: overlays."""

    anchors: Mapping[str, date]
    options: frozenset[str] = frozenset()
    covers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    amendments: frozenset[str] = frozenset()
    numbers: Mapping[str, int] = field(default_factory=dict)
    customer_type: str = "municipality"
    scopes: Mapping[str, tuple[str, ...]] | None = None
    days: Mapping[str, date] = field(default_factory=dict)
    instructions: frozenset[str] = frozenset()
    lawyer_confirmed: frozenset[str] = frozenset()


class Bound(NamedTuple):
    """A computed date with what gave it: `of` (None: the timetable), reckoned from `start` by `period` (None: given).

    `target`: aimed at, not owed; `warns`: shown, not binding; `provisional`: rests on a planned day."""

    on: date
    direction: Direction
    of: Reference | None
    period: Period | None
    start: date
    clause: str
    provisional: bool = False
    target: bool = False
    warns: bool = False

    @property
    def side_da(self) -> str:
        """Give the direction in Danish."""
        return "tidligst" if self.direction == "not_before" else "mål" if self.target else "senest"

    @property
    def side_en(self) -> str:
        """Give the direction in English."""
        return "not before" if self.direction == "not_before" else "aim" if self.target else "not after"

    @property
    def reference(self) -> str:
        """Give what it was reckoned from, with the annexes' numbers filled in."""
        return f"{self.of.anchor if self.of else ''} {self.period or ''}".strip()

    @property
    def rule(self) -> str:
        """Give the rule for people, in Danish."""
        side = self.side_da
        if self.of is None:
            return f"{side} {self.on.isoformat()}: detailtidsplanen"
        how = reckon(self.start, self.period).rule_da if self.period else self.start.isoformat()
        return f"{side} {self.reference}: {how}"

    @property
    def rule_en(self) -> str:
        """Give the rule for people, in English."""
        side = self.side_en
        if self.of is None:
            return f"{side} {self.on.isoformat()}: the detailed timetable"
        how = reckon(self.start, self.period).rule_en if self.period else self.start.isoformat()
        return f"{side} {self.reference}: {how}"

    @property
    def inputs(self) -> tuple[tuple[str, date], ...]:
        """Give the dates that it was reckoned from, by name."""
        return ((self.of.anchor if self.of else "timetable", self.start),)


class Dates(NamedTuple):
    """An item's intersected dates and every bound that was considered."""

    earliest: Bound | None
    due: Bound | None
    bounds: tuple[Bound, ...]

    @property
    def provisional(self) -> bool:
        """Tell whether a date rests on a planned day."""
        return any(bound.provisional for bound in (self.earliest, self.due) if bound)

    @property
    def rule(self) -> str:
        """Give the rules behind both dates, or an empty text."""
        return "; ".join(bound.rule for bound in (self.earliest, self.due) if bound)


class Planned(NamedTuple):
    """An activity in the plan; `systems` are those in its scope, as far as they are known."""

    activity: Activity
    chosen: bool
    dates: Dates
    systems: tuple[str, ...] = ()

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
        return self.dates.rule or self.activity.timing_da or "ingen beregnet dato"

    @property
    def clause(self) -> str:
        """Give the clause of the due date, else of the activity."""
        return self.dates.due.clause if self.dates.due else self.activity.clause


class Owed(NamedTuple):
    """An obligation in the plan."""

    obligation: Obligation
    dates: Dates

    @property
    def id(self) -> str:
        """Give the obligation's id."""
        return self.obligation.id

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
        return self.dates.rule or "ingen beregnet dato"

    @property
    def clause(self) -> str:
        """Give the clause of the due date, else of the obligation."""
        return self.dates.due.clause if self.dates.due else self.obligation.clause


@dataclass(frozen=True, slots=True)
class Conflict:
    """An empty interval: these items may not be done before the one date nor after the other."""

    ids: tuple[str, ...]
    not_before: date
    not_after: date
    clauses: tuple[str, str]
    warns: bool


@dataclass(frozen=True)
class Plan:
    """One exit's plan; the same facts give the same digest."""

    activities: tuple[Planned, ...]
    obligations: tuple[Owed, ...]
    conflicts: tuple[Conflict, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Planned]:
        """Give the activities by id."""
        return {planned.id: planned for planned in self.activities}

    @cached_property
    def digest(self) -> str:
        """Give the SHA-256 of what the plan says: dates, clauses, order, scopes and conflicts, without wording."""
        activities = [_essence(planned) for planned in self.activities]
        owed = [[each.id, _iso(each.earliest), _iso(each.due), each.clause] for each in self.obligations]
        conflicts = [[*each.ids, _iso(each.not_before), _iso(each.not_after), each.warns] for each in self.conflicts]
        return digest_of([activities, owed, conflicts])

    def activity(self, activity_id: str) -> Planned:
        """Find an activity; raise Rejected ACTIVITY_UNKNOWN."""
        planned = self.by_id.get(activity_id)
        if planned is None:
            raise Rejected(
                "ACTIVITY_UNKNOWN",
                f"the plan has no activity {activity_id}",
                field="activity",
                remedy="use an id of the plan",
                da=f"Planen har ingen aktivitet {activity_id}.",
            )
        return planned

    def unmet(self, planned: Planned, completed: Collection[str]) -> tuple[str, ...]:
        """List the preconditions that are neither completed nor an option not chosen."""
        return tuple(name for name in planned.activity.after if name not in completed and self.by_id[name].chosen)

    @property
    def blocking(self) -> tuple[Conflict, ...]:
        """Give the conflicts that bind, and so block every approval."""
        return tuple(conflict for conflict in self.conflicts if not conflict.warns)


def _essence(planned: Planned) -> list[object]:
    after, systems = list(planned.activity.after), list(planned.systems)
    dates = [_iso(planned.earliest), _iso(planned.due), planned.dates.provisional]
    return [planned.id, planned.chosen, *dates, planned.clause, after, systems]


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None

"""A notice, what it is weighed against, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import NamedTuple

from shared.rules.notices.calls import no_basis, unknown_date
from shared.rules.plan import Plan, PlanFacts, anchor_date, reference_date
from shared.rules.profiles import NoticeKind, Profile, Variant
from shared.rules.references import Reference
from shared.rules.time import Period, shift

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A notice as it is given or tried out (contracts.orders_notices.CheckNotice says what the fields mean)."""

    kind: str
    given_on: date
    variant: str | None = None
    effect_on: date | None = None
    basis_on: date | None = None
    months: int | None = None
    milestone: str | None = None
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """What a notice is weighed against; `services`: those still in force, service → `core` or `additional`;
    `extensions`: how often the agreement was extended (27.1); `customer_party`: the party that gives the notice."""

    facts: PlanFacts
    plan: Plan
    services: Mapping[str, str] = field(default_factory=dict)
    extensions: int = 0
    customer_party: str = "customer"


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a notice brings: `moved` are anchors (or the milestone) with their new day, `options` those it takes."""

    outcome: str
    code: str | None
    effect_on: date | None
    latest_on: date | None
    clause: str
    moved: tuple[tuple[str, date], ...]
    options: tuple[str, ...]
    message_da: str
    message_en: str
    variant: str


class NoticeDay(NamedTuple):
    """The last day of one kind of notice; `clear_on` is the last day where only clear days count."""

    kind: str
    variant: str
    title_da: str
    title_en: str
    clause: str
    latest_on: date | None
    clear_on: date | None


@dataclass(frozen=True, slots=True)
class Case:
    """One notice with everything it is weighed by."""

    profiles: tuple[Profile, ...]
    kind: NoticeKind
    variant: Variant
    asked: Asked
    situation: Situation

    @property
    def clause(self) -> str:
        return self.variant.clause

    def date_of(self, reference: Reference) -> date | None:
        return reference_date(self.profiles, self.situation.facts, reference)

    def against(self) -> date:
        """Give the date that the period runs against; raise Rejected DATE_UNKNOWN."""
        known = anchor_date(self.profiles, self.situation.facts, self.kind.against)
        if known is None:
            raise unknown_date(self.kind.against, self.clause)
        return known

    def bar(self) -> date | None:
        """Give the day before which it has no effect; raise Rejected where that day is not known."""
        reference, asked = self.variant.not_before, self.asked
        if reference is None or (self.variant.core_only and not self._ends_core()):
            return None
        facts = self.situation.facts
        if asked.basis_on and self.kind.measure == "end" and not self.variant.core_only:
            recorded = facts.anchors.get(reference.anchor, asked.basis_on)
            facts = replace(facts, anchors={**facts.anchors, reference.anchor: max(recorded, asked.basis_on)})
        day = reference_date(self.profiles, facts, reference)
        if day is None:
            raise no_basis(reference.anchor, self.clause)
        return day

    def limit(self) -> date | None:
        """Give the day on which it ends by itself anyway; where that is not known, the present end once it is past."""
        day = self.date_of(self.kind.until) if self.kind.until else None
        moved = anchor_date(self.profiles, self.situation.facts, self.kind.moves) if self.kind.moves else None
        if day is None or moved is None:
            return moved if moved and self.kind.until and moved < self.asked.given_on else day
        return max(day, moved)

    def _ends_core(self) -> bool:
        return any(self.situation.services.get(service) == "core" for service in self.asked.services)


class Finding(NamedTuple):
    """What a measure found: in time or not, the effect if accepted, the last day in time, what it would move."""

    in_time: bool
    effect: date | None
    latest: date | None
    moved: tuple[tuple[str, date], ...] = ()


def clear_day(latest: date | None, period: Period) -> date | None:
    """Give the last day where only clear days count: not for "the day before", and not for Arbejdsdage."""
    return latest - DAY if latest and period.unit == "d" and period.count > 1 else None


def last_in_time(effect: date, period: Period) -> date:
    """Give the last day from which `period` still reaches no further than `effect`."""
    day = shift(effect, replace(period, sign=-1))
    while shift(day, period) > effect:  # Arbejdsdage, where the effect falls on another day
        day -= DAY
    return day

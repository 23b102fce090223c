"""What a profile says, as values: its dates, activities, obligations, options, notices, reminders and places.

Nothing here reads a file: `profiles.py` makes these from one, whole and checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.rules.references import Reference
from shared.rules.time import Direction, Period


@dataclass(frozen=True, slots=True)
class Anchor:
    """A named date: given from outside, else the first (or the latest) of other references that is known."""

    name: str
    title_da: str
    title_en: str
    first_of: tuple[Reference, ...]
    latest_of: tuple[str, ...]
    planned: bool


@dataclass(frozen=True, slots=True)
class DateRule:
    """One bound: applies when any of `when` and none of `unless` holds (`scopes.conditions_of` names what holds)."""

    direction: Direction
    of: Reference
    clause: str
    when: tuple[str, ...]
    unless: tuple[str, ...]
    target: bool
    profile: str
    warns: bool

    def holds(self, conditions: frozenset[str]) -> bool:
        """Tell whether this bound applies under the chosen options and signed amendments."""
        if self.when and conditions.isdisjoint(self.when):
            return False
        return not self.unless or conditions.isdisjoint(self.unless)


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity of the exit: who does it, when, after what, and which fact completes it."""

    id: str
    phase: str
    title_da: str
    title_en: str
    owner: str
    responsible: tuple[str, ...]
    obligatory: bool
    options: tuple[str, ...]
    clause: str
    timing_da: str
    dates: tuple[DateRule, ...]
    after: tuple[str, ...]
    completed_by: str
    parts: tuple[str, ...]
    destructive: bool
    deletion: str
    gates: tuple[str, ...]
    applies_to: tuple[str, ...]
    timetable: str
    evidence: tuple[str, ...]
    heavy: bool
    reopened_by: str

    @property
    def manual(self) -> bool:
        """Tell whether it waits for people: the customer's or the supplier's."""
        return self.owner in ("customer", "supplier")


@dataclass(frozen=True, slots=True)
class Obligation:
    """What one party owes under one clause, with its dates."""

    id: str
    clause: str
    who: tuple[str, ...]
    title_da: str
    title_en: str
    dates: tuple[DateRule, ...]
    consequence: str
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]
    at_risk: Period
    suspended_by: tuple[str, ...]
    options: tuple[str, ...]
    applies_to: tuple[str, ...]
    continuous: bool
    right: bool
    controls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """An option; `suspends` names the deletions that it can put off; `after_end`: a service after the agreement."""

    id: str
    title_da: str
    title_en: str
    clause: str
    suspends: tuple[str, ...]
    after_end: bool


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of a notice (profile_schema.py says what its fields mean)."""

    id: str
    title_da: str
    title_en: str
    clause: str
    period: Period
    not_before: Reference | None
    exact: bool
    core_only: bool
    whole_only: bool
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """What the profile says of one kind of notice (profile_schema.py says what its fields mean)."""

    kind: str
    title_da: str
    title_en: str
    clause: str
    by: tuple[str, ...]
    measure: str
    against: str
    moves: str
    moves_part: str
    begins: str
    until: Reference | None
    chooses: tuple[str, ...]
    requires: tuple[str, ...]
    late: str
    late_clause: str
    most_months: int | None
    most_times: int | None
    partly: bool
    leaves_core: bool
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder at a date, while any of `unmet` is open."""

    id: str
    title_da: str
    title_en: str
    clause: str
    at: Reference
    to: tuple[str, ...]
    unmet: tuple[str, ...]
    notice: str
    letter: bool


@dataclass(frozen=True, slots=True)
class Need:
    """Choosing any of `options` needs one of `one_of` as well (T2)."""

    options: tuple[str, ...]
    one_of: tuple[str, ...]
    clause: str


@dataclass(frozen=True, slots=True)
class Addition:
    """A bound that this profile lays on activities or obligations, its own or another profile's."""

    targets: tuple[str, ...]
    date: DateRule


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """One line of the reconciled list: a named `system`, a `forgotten` place, a `data_kind` or a `register`."""

    line: str
    kind: str
    title_da: str
    title_en: str


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A validated profile; `digest` (SHA-256, hex) pins its whole content, `source_digest` its source's text."""

    name: str
    version: str
    rank: int
    warns: bool
    title_da: str
    title_en: str
    source_title: str
    source_digest: str | None
    digest: str
    parameters: Mapping[str, int | None]
    anchors: tuple[Anchor, ...]
    options: tuple[Option, ...]
    needs: tuple[Need, ...]
    rules: tuple[Mapping[str, Any], ...]
    activities: tuple[Activity, ...]
    obligations: tuple[Obligation, ...]
    adds: tuple[Addition, ...]
    places: tuple[PlaceLine, ...]
    notices: tuple[NoticeKind, ...]
    reminders: tuple[Reminder, ...]

    def __hash__(self) -> int:
        return hash((self.name, self.digest))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Profile) and (self.name, self.digest) == (other.name, other.digest)

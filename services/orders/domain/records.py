"""What orders keeps, as values: one frozen record a decision, with the field names of the contract.

A record takes from a command only the fields that it names, so that nothing else a caller sent is kept or told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Self

Body = dict[str, Any]
ACCEPTED = ("accepted", "accepted_later")


class Record:
    """Base of the records: made of a command's body, and given as the body of an event."""

    __slots__ = ()

    @classmethod
    def of(cls, body: Mapping[str, Any], **more: Any) -> Self:
        """Make the record of a body's fields, with `more` for what the body does not carry."""
        given = {**body, **more}
        names = [field.name for field in fields(cls) if field.name in given]  # type: ignore[arg-type]
        return cls(**{name: _frozen(given[name]) for name in names})

    def body(self) -> Body:
        """Give the fields as a body."""
        return asdict(self)  # type: ignore[call-overload]


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Amendment(Record):
    """An ændringstillæg that both parties signed (S2 15.1)."""

    kind: str
    digest: str
    signed_on: date
    signed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service(Record):
    """A core or additional service and the systems that give it (S2 15.6.1)."""

    service: str
    kind: str
    systems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class System(Record):
    """One system of the system map, as the order names it."""

    system: str
    title: str
    kind: str
    deletion: str


@dataclass(frozen=True, slots=True)
class FixedDate(Record):
    """A date that the customer asks the supplier to respect (S1 §4)."""

    line: str
    on: date


@dataclass(frozen=True, slots=True)
class Counter(Record):
    """The dates that the supplier proposes instead (A3)."""

    go_live: date
    operations_end: date


@dataclass(frozen=True, slots=True)
class Meeting(Record):
    """The clarification meeting (A2)."""

    held_on: date
    expected_options: tuple[str, ...]
    archive_asked: bool
    digest: str


@dataclass(frozen=True, slots=True)
class Contact(Record):
    """A contact person; name and address never leave this service but to readers of the exit."""

    party: str
    contact_id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Cover(Record):
    """The systems that a suspending option covers."""

    option: str
    systems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair(Record):
    """What becomes of one Børn/Admin pair (B6)."""

    line: str
    continues: bool
    agreement_digest: str | None
    ends_on: date | None
    delete_on: date | None
    feed: str


@dataclass(frozen=True, slots=True)
class Transfer(Record):
    """The transfer instruction (S1 §9)."""

    recipient_cvr: str
    approved_on: date
    digest: str


@dataclass(frozen=True, slots=True)
class Equipment(Record):
    """A line of the equipment register (S2 3.1)."""

    item: str
    owner: str
    kind: str
    insured: bool
    system: str | None


@dataclass(frozen=True, slots=True)
class SubSupplier(Record):
    """A sub-supplier (S2 12.2); the name never leaves this service."""

    sub_supplier: str
    name: str
    holds_data: bool
    dpa_digest: str | None


@dataclass(frozen=True, slots=True)
class BillingRun(Record):
    """The last billing run (C1)."""

    run_on: date
    errors: int
    corrected: int
    accepted: int
    digest: str


@dataclass(frozen=True, slots=True)
class Instruction(Record):
    """The controller's documented instruction (GDPR Art. 28(3)(g))."""

    kind: str
    basis: str
    erase_early: bool
    digest: str
    given_on: date


@dataclass(frozen=True, slots=True)
class ArchiveDecision(Record):
    """The archive decision of one system (T3)."""

    decision: str
    digest: str
    decided_on: date


@dataclass(frozen=True, slots=True)
class Accord(Record):
    """What binds when both parties signed it; `proposed_by` has signed already."""

    kind: str
    subject: str | None
    options: tuple[str, ...]
    on: date | None
    until: date | None
    reason: str | None
    digest: str
    proposed_by: str
    proposer: str
    state: str = "proposed"
    signed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Trigger(Record):
    """A day that starts a period of the agreement."""

    on: date
    digest: str


@dataclass(frozen=True, slots=True)
class Answer(Record):
    """How an obligation was answered, by which party."""

    answer: str
    on: date
    digest: str
    by: str


@dataclass(frozen=True, slots=True)
class Moved(Record):
    """An anchor of the plan that a notice gives another date."""

    anchor: str
    on: date


@dataclass(frozen=True, slots=True)
class Notice(Record):
    """A written notice and what it brings."""

    notice_id: str
    kind: str
    variant: str | None
    by: str
    outcome: str
    code: str | None
    given_on: date
    effect_on: date | None
    latest_on: date | None
    clause: str
    milestone: str | None
    services: tuple[str, ...]
    moved: tuple[Moved, ...]
    options: tuple[str, ...]
    digest: str

    @property
    def counts(self) -> bool:
        """Tell whether the notice changes anything: it was accepted, on its day or a later one."""
        return self.outcome in ACCEPTED


@dataclass(frozen=True, slots=True)
class Placed(Record):
    """What a finally ordered exit of the agreement ends: its services (none: all of them) and its systems."""

    exit_id: str
    scope: str
    services: tuple[str, ...]
    systems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pin(Record):
    """The text of a profile that the final order pins."""

    name: str
    version: str
    digest: str
    source_digest: str | None

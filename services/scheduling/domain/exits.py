"""One exit as scheduling knows it: inputs of its plan, facts, gates, and what was concluded and told already.

Inputs are what people decide and can propose to change; facts have happened and are never proposals. Every state of a
job, a timetable, a proposal and a bypass is in a table; what the table lacks is refused or changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from contracts.errors import Rejected, Unavailable

Body = dict[str, Any]
Event = tuple[str, Body]
DAY = timedelta(days=1)
BOTH = ("customer", "supplier")
FROZEN, DELIVERED, ACCEPTED, OPERATIONS_END, ADDENDUM = "C2", "C3", "C4", "C6", "B14"

_LIVE = ("waiting", "approved", "permitted")
JOB_STATES = {
    ("waiting", "approved_by_all"): "approved",
    ("approved", "intent_recorded"): "permitted",
    ("permitted", "begun"): "begun",
    ("cancelling", "already_begun"): "begun",
    ("cancelling", "cancelled"): "void",
    ("begun", "stopped"): "void",
    ("begun", "new_preview"): "void",
    **{(state, what): "void" for state in _LIVE for what in ("new_preview", "stopped", "cancelled")},
    **{(state, "cancel"): "cancelling" for state in _LIVE},
}
TIMETABLE_STATES = {
    ("", "submit"): "submitted",
    ("submitted", "submit"): "submitted",
    ("rejected", "submit"): "submitted",
    ("submitted", "approved"): "approved",
    ("submitted", "rejected"): "rejected",
}
PROPOSAL_STATES = {
    ("proposed", "approved_by_all"): "applied",
    ("proposed", "rejected"): "rejected",
    ("proposed", "newer"): "replaced",
}
BYPASS_STATES = {
    ("requested", "agreed"): "agreed",
    ("requested", "refused"): "refused",
    ("agreed", "closed"): "delta_delivered",
}


@dataclass(frozen=True, slots=True)
class Done:
    """How an activity was completed: the day, `done` or `waived`, the digest of what shows it, the role; `ref` names
    the package where there can be several."""

    on: date
    outcome: str
    digest: str | None
    role: str
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an activity stopped, and the day from which it is tried again."""

    code: str
    retry_on: date


@dataclass(frozen=True, slots=True)
class Job:
    """A previewed deletion that asks for approval; `approvals` hold actor, role and time; `cause` of a cancellation."""

    job_id: str
    activity: str
    plan_digest: str
    state: str = "waiting"
    approvals: tuple[Body, ...] = ()
    cause: str = ""

    def after(self, what: str, **changes: Any) -> Job:
        """Give the job after `what`; itself where the table has nothing."""
        state = JOB_STATES.get((self.state, what))
        return replace(self, state=state, **changes) if state else self


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a plan is computed from. `anchors` are the order's; `moved` those that a later fact gave another date;
    `options` None until B3; `days`: the approved timetable; `pins`: profile → digest of the text that is used."""

    profiles: tuple[str, ...] = ()
    pins: dict[str, str] = field(default_factory=dict)
    anchors: dict[str, date] = field(default_factory=dict)
    moved: dict[str, date] = field(default_factory=dict)
    options: tuple[str, ...] | None = None
    covers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    amendments: tuple[str, ...] = ()
    numbers: dict[str, int] = field(default_factory=dict)
    customer_type: str = "municipality"
    days: dict[str, date] = field(default_factory=dict)
    instructions: tuple[str, ...] = ()
    lawyer_confirmed: tuple[str, ...] = ()
    systems: dict[str, str] = field(default_factory=dict)
    scope: str = "whole"

    @property
    def dates(self) -> dict[str, date]:
        """Give the anchors as they stand."""
        return {**self.anchors, **self.moved}

    def same_as(self, other: Inputs) -> bool:
        """Tell whether both give the same plan, whatever moved a date."""
        return replace(self, anchors=self.dates, moved={}) == replace(other, anchors=other.dates, moved={})


@dataclass(frozen=True, slots=True)
class Proposal:
    """Inputs that wait for approval; `stops_all`: every deletion waits; `changes` is -1 until it was told."""

    proposal_id: str
    cause: str
    inputs: Inputs
    digest: str
    needs: tuple[str, ...]
    approved_by: tuple[str, ...] = ()
    stops_all: bool = False
    changes: int = -1
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class Timetable:
    """The supplier's timetable of the window (B8) and the customer's answer to it (B11)."""

    days: dict[str, date]
    digest: str
    state: str


@dataclass(frozen=True, slots=True)
class Bypass:
    """A change inside the frozen zone (T11)."""

    bypass_id: str
    system: str
    kind: str
    state: str
    digest: str


@dataclass(frozen=True, slots=True)
class Heavy:
    """An accord that lets a heavy job run in spite of R1: on its day, or on any where it names none."""

    activity: str
    on: date | None


@dataclass(frozen=True, slots=True)
class Stop:
    """A force majeure, which suspends the clocks; `until` None while it lasts."""

    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """How an obligation was answered: `met` or `failed`."""

    answer: str
    on: date


@dataclass(frozen=True, slots=True)
class Exit:
    """Everything known of one exit. `facts`: event wire (`#activity` where it names one) → what it completes with.

    `holds`: hold → system (empty: all); `undone`: jobs whose rows returned; `revoked`: activity that was due and is no
    longer → why; `newest`: what a decision can replace → `seq` of the last one. `done`, `told_…`, `standings`,
    `reminded`, `timers`, `version`, `plan_digest` are what was concluded and told already; `news` is what is to be told
    next and never kept.
    """

    exit_id: str
    customer_cvr: str = ""
    inputs: Inputs = field(default_factory=Inputs)
    placed: bool = False
    cancelled: bool = False
    restarted: bool = False
    timetable: Timetable | None = None
    proposal: Proposal | None = None
    proposals: int = 0
    silence: str = ""
    silence_applied: str = ""
    instructed_on: date | None = None
    archive: frozenset[str] = frozenset()
    transfer: bool = False
    dispatch_to: str = ""
    heavy: tuple[Heavy, ...] = ()
    holds: dict[str, str] = field(default_factory=dict)
    lifted: frozenset[str] = frozenset()
    bypasses: tuple[Bypass, ...] = ()
    newest: dict[str, int] = field(default_factory=dict)
    triggers: dict[str, date] = field(default_factory=dict)
    stops: tuple[Stop, ...] = ()
    rejected: frozenset[str] = frozenset()
    answered: dict[str, Answered] = field(default_factory=dict)
    facts: dict[str, Done] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    first_deleted: dict[str, date] = field(default_factory=dict)
    undone: frozenset[str] = frozenset()
    jobs: tuple[Job, ...] = ()
    revoked: dict[str, str] = field(default_factory=dict)
    done: dict[str, Done] = field(default_factory=dict)
    told_due: frozenset[str] = frozenset()
    told_late: frozenset[str] = frozenset()
    told_left_out: frozenset[str] = frozenset()
    standings: dict[str, str] = field(default_factory=dict)
    reminded: frozenset[str] = frozenset()
    timers: frozenset[date] = frozenset()
    version: int = 0
    plan_digest: str = ""
    news: tuple[Event, ...] = ()

    @property
    def ordered(self) -> bool:
        """Tell whether an order has come."""
        return bool(self.inputs.profiles)

    @property
    def approved(self) -> bool:
        """Tell whether the plan is approved: the customer approved its timetable (B11)."""
        return self.timetable is not None and self.timetable.state == "approved"

    @property
    def state(self) -> str:
        """Name the plan's state by what it guarantees."""
        if self.cancelled:
            return "cancelled"
        if self.approved:
            return "approved"
        if self.restarted:
            return "restarted"
        return "placed" if self.placed else "draft"

    @property
    def standing_holds(self) -> dict[str, str]:
        """Give the holds that were placed and not lifted: id → system (empty: all)."""
        return {hold: system for hold, system in self.holds.items() if hold not in self.lifted}


def telling(exit_: Exit, wire: str, **body: Any) -> Exit:
    """Note an event to be told with the next advance, `on` its day where the body has none."""
    return replace(exit_, news=(*exit_.news, (f"scheduling.{wire}", {"exit_id": exit_.exit_id, **body})))


def with_jobs(exit_: Exit, activity: str, what: str) -> Exit:
    """Take every job of an activity through `what`."""
    return replace(exit_, jobs=tuple(job.after(what) if job.activity == activity else job for job in exit_.jobs))


def exit_not_known() -> Unavailable:
    """Make the error of an exit whose order has not come (yet)."""
    return Unavailable(
        "EXIT_NOT_KNOWN",
        "scheduling has not been told of an order with this exit id",
        field="exit_id",
        remedy="check the exit id; right after the order, try again shortly",
        da="Exittet er ikke kendt her (endnu). Kontrollér id'et, eller prøv igen om lidt.",
    )


def refuse(code: str, message: str, remedy: str, da: str, field: str = "activity") -> Rejected:
    """Make a refusal with all its texts."""
    return Rejected(code, message, field=field, remedy=remedy, da=da)

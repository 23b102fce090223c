"""A deletion job, its states as a table, and the exit it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contracts.errors import Rejected, Unavailable

AFTER_CLOSING = ("D2", "D3b", "D7a")
JOB_ACTIVITIES = ("C7", *AFTER_CLOSING)  # C7 is cleaned first: its ways in are closed when it was verified
NOT_BEGUN = ("requested", "previewed", "permitted")
LIVE = (*NOT_BEGUN, "executing", "paused", "executed", "cleaned")
FOLLOWED = ("stopped", "cancelled", "verified")
TRANSITIONS = {
    ("requested", "preview"): "previewed",
    ("previewed", "permit"): "permitted",
    ("permitted", "begin"): "executing",
    ("executing", "pause"): "paused",
    ("paused", "pause"): "paused",
    ("paused", "resume"): "executing",
    ("executing", "end"): "executed",
    ("executed", "clean"): "cleaned",
    ("executed", "verify"): "verified",  # begun before there was cleaning
    ("cleaned", "verify"): "verified",
    **{(state, "stop"): "stopped" for state in LIVE},
    **{(state, "cancel"): "cancelled" for state in (*NOT_BEGUN, "stopped")},  # stopped: only what had not begun
}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exit:
    """What deletion knows of an exit: the order (empty until it comes; `systems`: name → deletion it goes in), per
    (system, place) how many rows were delivered by the latest package, told with `delivered_seq`, per activity that is
    due its systems, and which are seen closed."""

    exit_id: str
    customer_cvr: str = ""
    tenant: str = ""
    map_digest: str = ""
    systems: Mapping[str, str] = field(default_factory=dict)
    delivered: Mapping[tuple[str, str], int] = field(default_factory=dict)
    delivered_seq: int = 0
    due: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    cancelled: bool = False
    backups_expired: bool = False

    @property
    def placed(self) -> bool:
        """Tell whether the final order has come."""
        return bool(self.map_digest)


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a job. `count` and its band `least`–`most` are the preview's, `started` is of the beginning.

    `whole` is the way in which it goes as a whole; `gone` that we dropped it and saw that it is not there."""

    system: str
    place: str
    disposition: str
    reason: str | None
    deliver: bool
    count: int
    most: int
    predicate: str = ""
    fingerprint: str = ""
    started: int | None = None
    deleted: int = 0
    residual: int | None = None
    retained: int | None = None
    least: int = 0
    unowned: int = 0
    unowned_reason: str | None = None
    whole: str = ""
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """What the verifier saw of one system: schema, places, order of deletion, and how many probes it drew and found."""

    system: str
    kind: str
    fingerprint: str
    order: tuple[str, ...]
    places: tuple[Place, ...]
    probes: Mapping[str, tuple[str, ...]]
    found: int


@dataclass(frozen=True, slots=True)
class Job:
    """One deletion job. `queue` is what is left to delete in order: `position` says how far it is done.

    `begun` stays true however the job ends. `work` is what the preview expected of each step, `waits_until` (ISO 8601)
    when the next batch may come where it waits; `paused_by` is the party whose pause stands. `physical` is what was
    done below the rows (`domain.physical`); `restore_id` the restore whose rows it deletes again.
    `records`: it commits to each record that it deletes.
    """

    job_id: str
    exit_id: str
    activity: str
    systems: tuple[str, ...]
    state: str = "requested"
    plan: Row = field(default_factory=dict)
    plan_digest: str = ""
    places: tuple[Place, ...] = ()
    queue: tuple[tuple[str, str], ...] = ()
    seed: bytes = b""
    probes: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    probes_drawn: int = 0
    probes_found: int = 0
    permit: Row | None = None
    position: int = 0
    batches: int = 0
    stalled: int = 0
    fence: int = 0
    outside: int = 0
    undone: int = 0
    begun: bool = False
    stopped_code: str | None = None
    stopped_field: str | None = None
    work: tuple[Row, ...] = ()
    estimated_end: str | None = None
    waits_until: str | None = None
    paused_by: str | None = None
    paused_on: str | None = None
    physical: tuple[Row, ...] = ()
    restore_id: str = ""
    records: bool = False

    def after(self, step: str, **changes: Any) -> Job:
        """Give the job after `step` (rule 1), or raise Rejected STEP_NOT_ALLOWED."""
        if (self.state, step) not in TRANSITIONS:
            raise Rejected("STEP_NOT_ALLOWED", f"a job that is {self.state} cannot {step}", field="job_id")
        return replace(self, state=TRANSITIONS[self.state, step], **changes)

    def place(self, system: str, place: str) -> Place:
        """Give one place."""
        return next(each for each in self.places if (each.system, each.place) == (system, place))

    def with_place(self, changed: Place) -> Job:
        """Give the job with one place changed."""
        key = (changed.system, changed.place)
        return replace(
            self, places=tuple(changed if (each.system, each.place) == key else each for each in self.places)
        )


def with_delivered(exit_: Exit, rows: Iterable[Row], seq: int) -> Exit:
    """Keep how many rows of each place were handed over; what an older event tells changes nothing."""
    if seq <= exit_.delivered_seq:
        return exit_
    delivered = {(row["system"], row["place"]): row["rows"] for row in rows}
    return replace(exit_, delivered=delivered, delivered_seq=seq)


def require_exit(exit_: Exit) -> Exit:
    """Give the exit, or raise Unavailable EXIT_NOT_KNOWN while its order has not come."""
    if not exit_.placed:
        raise Unavailable(
            "EXIT_NOT_KNOWN", "deletion has not been told of a final order with this exit id", field="exit_id",
            remedy="check the exit id; right after the final order, try again shortly",
            da="Udtrædelsen er ikke kendt her (endnu). Kontrollér id'et, eller prøv igen om lidt.",
        )  # fmt: skip
    return exit_

"""A deletion job, its states as a table, and the exit it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from contracts.errors import Rejected, Unavailable

SCOPES = {"C7": "index", "D2": "1", "D7a": "2"}
JOB_ACTIVITIES = (*SCOPES, "D3b")
AFTER_CLOSING = ("D2", "D3b", "D7a")  # C7 is cleaned first: its ways in are closed when it was verified
TRANSITIONS = {
    ("requested", "preview"): "previewed",
    ("previewed", "permit"): "permitted",
    ("permitted", "begin"): "executing",
    ("executing", "end"): "executed",
    ("executed", "verify"): "verified",
    **{(state, "stop"): "stopped" for state in ("requested", "previewed", "permitted", "executing", "executed")},
}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exit:
    """What deletion knows of an exit: the order, and per (system, place) how many rows were delivered."""

    exit_id: str
    customer_cvr: str
    tenant: str
    map_digest: str
    systems: Mapping[str, str]
    delivered: Mapping[tuple[str, str], int] = field(default_factory=dict)
    accepted: bool = False
    backups_expired: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a job. `count` and `most` are the preview's, `started` the count when the job began."""

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
    """One deletion job. `queue` is what is left to delete in order: `position` says how far it is done."""

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
    stopped_code: str | None = None
    stopped_field: str | None = None

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


def next_job(exit_: Exit, activity: str, systems: Iterable[str], before: Sequence[Job]) -> Job | None:
    """Make the next job of an activity, or None while one is under way or verified; a stopped one is followed."""
    if any(job.state != "stopped" for job in before):
        return None
    job_id = f"{exit_.exit_id}.{activity}.{len(before) + 1}"
    return Job(job_id, exit_.exit_id, activity, tuple(sorted(systems)))


def scope(exit_: Exit, activity: str, told: Iterable[str] = ()) -> tuple[str, ...]:
    """Name an activity's systems: by the map's `deletion`; for D3b, which the map does not know, as told."""
    if activity in SCOPES:
        return tuple(sorted(name for name, deletion in exit_.systems.items() if deletion == SCOPES[activity]))
    return tuple(sorted(set(told) & set(exit_.systems)))


def due_systems(exit_: Exit, activity: str, owner: str, before: Sequence[Job]) -> tuple[str, ...] | None:
    """Name the systems to preview when an activity is due, or None: its own (C7), or a stopped job's once more.

    What access owns waits for the ways in; once they were closed, a stopped job is followed without closing them again.
    """
    if owner == "deletion":
        return scope(exit_, activity)
    if before and before[-1].state == "stopped" and before[-1].stopped_code != "ACCESS_NOT_CLOSED":
        return before[-1].systems
    return None


def not_closed(systems: Iterable[str], access: Iterable[Row]) -> str | None:
    """Name the first system of the scope whose ways in were not seen to be closed, or None."""
    closed = {row["system"] for row in access if row["state"] == "closed" and row["verified"]}
    return next((system for system in sorted(systems) if system not in closed), None)


def require_exit(exit_: Exit | None) -> Exit:
    """Give the exit, or raise Unavailable EXIT_NOT_KNOWN while its order has not come."""
    if exit_ is None:
        raise Unavailable(
            "EXIT_NOT_KNOWN", "deletion has not been told of a final order with this exit id", field="exit_id",
            remedy="check the exit id; right after the final order, try again shortly",
            da="Udtrædelsen er ikke kendt her (endnu). Kontrollér id'et, eller prøv igen om lidt.",
        )  # fmt: skip
    return exit_

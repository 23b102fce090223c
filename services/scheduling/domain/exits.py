"""An exit as the facts that are known of it; every `with_…` gives the same again when the fact was known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from contracts.errors import Rejected, Unavailable
from shared.rules.profiles import Profile

Body = dict[str, Any]
Event = tuple[str, Body]
DAY = timedelta(days=1)
JOB_STATES = {
    ("waiting", "approved_by_all"): "approved",
    ("approved", "intent_recorded"): "permitted",
    **{(state, what): "void" for state in ("waiting", "approved", "permitted") for what in ("new_preview", "stopped")},
}


@dataclass(frozen=True, slots=True)
class Done:
    """How an activity was completed: the day, `done` or `waived`, the digest of what shows it, the role."""

    on: date
    outcome: str
    digest: str | None
    role: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an activity stopped, and the day from which it is tried again."""

    code: str
    retry_on: date


@dataclass(frozen=True, slots=True)
class Job:
    """A previewed deletion that asks for approval; `approvals` hold actor, role and time."""

    job_id: str
    activity: str
    plan_digest: str
    state: str = "waiting"
    approvals: tuple[Body, ...] = ()


@dataclass(frozen=True, slots=True)
class Exit:
    """Everything known of one exit. `facts`: event wire (`#activity` where it names one) → what it completes with.

    `done`, `told_…`, `timers`, `version` and `plan_digest` are what was concluded and told already.
    """

    exit_id: str
    order: Body = field(default_factory=dict)
    placed: bool = False
    options: tuple[str, ...] | None = None
    instructed: bool = False
    archive: frozenset[str] = frozenset()
    facts: dict[str, Done] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    first_deleted: dict[str, date] = field(default_factory=dict)
    jobs: tuple[Job, ...] = ()
    done: dict[str, Done] = field(default_factory=dict)
    told_due: frozenset[str] = frozenset()
    told_late: frozenset[str] = frozenset()
    told_left_out: frozenset[str] = frozenset()
    timers: frozenset[date] = frozenset()
    version: int = 0
    plan_digest: str = ""


def with_order(exit_: Exit, order: Body, *, placed: bool) -> Exit:
    """Take the window as ordered, or as finally ordered, which wins whichever comes first."""
    return exit_ if exit_.placed and not placed else replace(exit_, order=order, placed=placed)


def with_fact(exit_: Exit, wire: str, data: Body, today: date) -> Exit:
    """Take a fact that completes an activity; the first one counts."""
    key = f"{wire}#{data['activity']}" if "activity" in data else wire
    if key in exit_.facts:
        return exit_
    digest = data.get("digest") or data.get("package_digest")
    done = Done(data.get("on") or today, "done", digest, data.get("role") or wire.split(".")[0])
    return replace(exit_, facts={**exit_.facts, key: done})


def with_archive(exit_: Exit, system: str) -> Exit:
    """Take the archive decision of one system."""
    return replace(exit_, archive=exit_.archive | {system})


def with_trouble(exit_: Exit, activity: str, code: str, today: date) -> Exit:
    """Put an activity back to waiting and void its approvals; it is told as due again from the next day on."""
    exit_ = void_jobs(exit_, activity, "stopped")
    return replace(exit_, troubles={**exit_.troubles, activity: Trouble(code, today + DAY)})


def with_deletion(exit_: Exit, activity: str, on: date) -> Exit:
    """Take the first actual deletion of an activity's scope; a later one never moves it (T16)."""
    first = min(on, exit_.first_deleted.get(activity, on))
    return replace(exit_, first_deleted={**exit_.first_deleted, activity: first})


def void_jobs(exit_: Exit, activity: str, what: str) -> Exit:
    """Void the live requests for approval of an activity."""

    def after(job: Job) -> Job:
        return replace(job, state=JOB_STATES.get((job.state, what), job.state)) if job.activity == activity else job

    return replace(exit_, jobs=tuple(map(after, exit_.jobs)))


def completed_by(profiles: Sequence[Profile], wire: str) -> list[str]:
    """List the activities that the event `wire` completes."""
    return [each.id for profile in profiles for each in profile.activities if each.completed_by == wire]


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

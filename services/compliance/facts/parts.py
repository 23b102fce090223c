"""What the log says of one thing of an exit: a destruction job, a backup set, a suspension, a notice, an accord."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from contracts.deletion_keys import KEY_DESTROYED
from services.compliance.evidence import Logged


@dataclass(slots=True)
class Job:
    """One destruction job; each entry as logged, or None while it is missing."""

    job_id: str
    activity: str
    previewed: Logged | None = None
    intent: Logged | None = None
    permit: Logged | None = None
    begun: Logged | None = None
    batches: list[Logged] = field(default_factory=list)
    executed: Logged | None = None
    verified: Logged | None = None
    stopped: Logged | None = None
    cancelled: Logged | None = None

    def entries(self) -> list[Logged]:
        """List what is logged of this job, in the log's order."""
        first = (self.previewed, self.intent, self.permit, self.begun)
        last = (self.executed, self.verified, self.stopped, self.cancelled)
        return sorted([*(one for one in (*first, *last) if one), *self.batches], key=lambda one: one.index)

    def systems(self) -> set[str]:
        """Give the systems that the job was previewed for."""
        return {place["system"] for place in self.previewed.entry["places"]} if self.previewed else set()

    def destroyed_from(self) -> int | None:
        """Give the index of the first entry that says destruction began."""
        first = [one.index for one in (self.begun, *self.batches) if one]
        return min(first) if first else None

    def batch_sum(self, system: str, place: str) -> int:
        """Add up the rows that this job's batches deleted in one place."""
        return sum(
            int(one.entry["deleted"])
            for one in self.batches
            if (one.entry["system"], one.entry["place"]) == (system, place)
        )


ENDED = ("GONE", KEY_DESTROYED)


@dataclass(slots=True)
class Backup:
    registered: Logged
    observations: list[Logged] = field(default_factory=list)

    @property
    def latest(self) -> Logged | None:
        return self.observations[-1] if self.observations else None

    @property
    def gone(self) -> bool:
        return self.latest is not None and self.latest.entry["answer"] in ENDED

    @property
    def ended_by_key(self) -> bool:
        """Tell whether it ended with its key, and may still lie somewhere."""
        return self.latest is not None and self.latest.entry["answer"] == KEY_DESTROYED


@dataclass(frozen=True, slots=True)
class Suspension:
    """A system that an option keeps from deletion through `until`."""

    system: str
    activity: str
    options: tuple[str, ...]
    until: date

    @property
    def reason(self) -> str:
        """Write the disposition's reason, as places have it."""
        return f"OPTION({','.join(self.options)})"


def amendment_of(accord: Logged) -> dict[str, Any]:
    """Write an accord as the order writes its amendments; only one of the kind `amendment` has a kind."""
    entry = accord.entry
    kind = entry["subject"] if entry["kind"] == "amendment" else None
    return {"kind": kind, **{name: entry[name] for name in ("digest", "signed_on", "signed_by")}}


def accepted(notice: Logged) -> bool:
    """Tell whether a notice takes effect without the other party."""
    return notice.entry["outcome"] in ("accepted", "accepted_later")


def ended_by(notice: Logged) -> date | None:
    """Give the day to which an accepted notice moved the agreement's end."""
    moved = notice.entry["moved"] if accepted(notice) else []
    return date_of(next((one["on"] for one in moved if one["anchor"] == "K"), None))


def verified_gone(job: Job) -> bool:
    """Tell whether the verifier answered DELETED or ABSENT_VERIFIED."""
    return job.verified is not None and job.verified.entry["result"] in ("DELETED", "ABSENT_VERIFIED")


def day(logged: Logged, name: str) -> date:
    """Read a date of an entry."""
    return date.fromisoformat(logged.entry[name])


def date_of(text: str | None) -> date | None:
    """Read a date that may be missing."""
    return date.fromisoformat(text) if text else None


def first_gone(backup: Backup) -> date:
    """Give the day from which on every observation said that the set, or every copy of its key, was gone."""
    gone = day(backup.observations[-1], "on")
    for one in reversed(backup.observations):
        if one.entry["answer"] not in ENDED:
            break
        gone = day(one, "on")
    return gone

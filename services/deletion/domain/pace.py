"""When a target may be worked on and how fast, and what that makes of a job's time.

Rules kept here:
1. A window is in Copenhagen's time, on the days on which it begins; one that ends before it begins ends the next day.
2. A rate is rows a second of one target, whatever jobs work on it: rows that were taken on use up their time, and the
   next batch begins after it. A batch takes at most one second's rows, so that no burst is longer.
3. What waits gives its slice back until that instant of the rules' clock; what was begun in time is done to its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from math import ceil
from zoneinfo import ZoneInfo

from contracts.system_map import System, Window
from services.deletion.domain.job import Job, Place, Row
from services.deletion.domain.plan import canonical_digest

USUAL_RATE = 1000
"""Rows a second that an estimate assumes where the map sets no rate: a batch of the usual size each second, with its
intent, the accounting on the target and the way over the bus; real targets have been faster."""
COPENHAGEN = ZoneInfo("Europe/Copenhagen")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a target may be worked on: rows a second (0: as fast as it goes), and when (None: always)."""

    rate: int = 0
    window: Window | None = None


def target_of(system: System) -> str:
    """Name the target behind a system, whichever map it is in: jobs of all exits share its pace."""
    return canonical_digest({"kind": system.kind, "connection": system.connection})


def opens(window: Window | None, now: datetime) -> datetime:
    """Give `now` where the window is open, else the instant at which it opens next (rule 1)."""
    return next(_spans(window, now))[0]


def rows_at_once(size: int, rate: int) -> int:
    """Give how many rows a batch may have (rule 2)."""
    return min(size, rate) if rate else size


def free_after(free_at: datetime, now: datetime, rows: int, rate: int) -> datetime:
    """Give when the target is free again after `rows` more (rule 2)."""
    return max(free_at, now) + timedelta(seconds=rows / rate)


def work_of(queue: Iterable[tuple[str, str]], places: Iterable[Place], paces: Mapping[str, Pace]) -> tuple[Row, ...]:
    """List a job's steps in their order, each with its rows and the seconds that they take."""
    known = {(each.system, each.place): each for each in places}
    return tuple(_step(known[step], paces[step[0]]) for step in queue)


def _step(place: Place, pace: Pace) -> Row:
    """Give one step; a place that goes as a whole takes one statement, whatever the pace."""
    row: Row = {"system": place.system, "place": place.place, "rows": place.count}
    if place.whole:
        return row | {"seconds": 1, "method": place.whole, "statements": 1}
    return row | {"seconds": ceil(place.count / (pace.rate or USUAL_RATE))}


def estimated(job: Job, paces: Mapping[str, Pace], now: datetime) -> Job:
    """Give a previewed job with its steps in order, their seconds, and when it would end if it began `now`."""
    work = work_of(job.queue, job.places, paces)
    return replace(job, work=work, estimated_end=ends(work, paces, now).isoformat(timespec="seconds"))


def ends(work: Iterable[Row], paces: Mapping[str, Pace], now: datetime) -> datetime:
    """Give when the work would be done if it began `now`, the windows kept."""
    for step in work:
        left = timedelta(seconds=step["seconds"])
        for begins, closes in _spans(paces[step["system"]].window, now):
            now = begins + min(left, closes - begins)
            left -= now - begins
            if not left:
                break
    return now


def _spans(window: Window | None, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Give the times from `now` on in which the window is open, as UTC."""
    if window is None:
        yield now, datetime.max.replace(tzinfo=UTC)
        return
    first = now.astimezone(COPENHAGEN).date() - _DAY
    for number in count():
        begins, closes = _span(window, first + number * _DAY)
        if closes > now and begins.astimezone(COPENHAGEN).weekday() in window.days:
            yield max(begins, now), closes


def _span(window: Window, day: date) -> tuple[datetime, datetime]:
    last = day if window.until > window.start else day + _DAY
    begins = datetime.combine(day, window.start, COPENHAGEN)
    return begins.astimezone(UTC), datetime.combine(last, window.until, COPENHAGEN).astimezone(UTC)

"""The rules' clock (design §4). Rules, due dates and reminders ask it; nothing else does.

* In production it is the system's. In `demo` and `test` it may be simulated: one instant in the database
  `ophor_clock`, which every process may read and only `set_clock`'s user may write. It stands still between writes.
* `now()` may be up to a second old; `fresh()` reads the database, so that whoever is told something that happened
  at an instant never decides at an earlier one. Production refuses to start with a simulated clock.
* It never goes back. Leases, deadlines, token expiry, retries, TTLs and log times use real time, never this clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from contracts.errors import Rejected, Unavailable

if TYPE_CHECKING:
    from pymongo import MongoClient

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
DATABASE, COLLECTION, KEY = "ophor_clock", "clock", "clock"
MAX_AGE_S = 1.0
_PATIENCE_S = 5.0
_RUN_BEFORE = {"demo", "test"}


class Clock(Protocol):
    """What tells the rules' time."""

    def now(self) -> datetime:
        """Give the instant (aware, UTC); it may be a second old."""

    def fresh(self) -> datetime:
        """Give the instant as it is this moment."""

    def today(self) -> date:
        """Give the legal date in Copenhagen."""

    def changes(self, stopping: Callable[[], bool]) -> Iterator[None]:
        """Wait for the instant to be set; end when `stopping` says so."""

    def close(self) -> None:
        """Let go of what the clock holds open."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Give the instant (aware, UTC)."""
        return datetime.now(UTC)

    fresh = now

    def today(self) -> date:
        """Give the legal date in Copenhagen."""
        return legal_date(self.now())

    def changes(self, stopping: Callable[[], bool]) -> Iterator[None]:
        """Give nothing: real time is never set."""
        return iter(())

    def close(self) -> None:
        """Do nothing: nothing is open."""


class SimulatedClock:
    """The instant that `ophor clock` has set, read with a user that can only read it."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._client: MongoClient[Any] | None = None
        self._lent: Callable[[], MongoClient[Any]] | None = None
        self._instant: datetime | None = None
        self._read_at = 0.0

    def share(self, uri: str, client: Callable[[], MongoClient[Any]]) -> None:
        """Read over the lender's client if it has the same address: a client more is two more threads that tick."""
        if uri == self._uri:
            self._lent = client

    def now(self) -> datetime:
        """Give the instant (aware, UTC), at most a second old; raise Unavailable CLOCK_NOT_SET."""
        if self._instant is None or time.monotonic() - self._read_at > MAX_AGE_S:
            return self.fresh()
        return self._instant

    def fresh(self) -> datetime:
        """Read the instant from the database; raise Unavailable CLOCK_NOT_SET or CLOCK_UNREACHABLE."""
        import pymongo
        from pymongo.errors import PyMongoError

        try:
            with pymongo.timeout(_PATIENCE_S):
                row = self._collection().find_one({"_id": KEY})
        except PyMongoError as error:
            raise Unavailable("CLOCK_UNREACHABLE", f"the simulated clock: {type(error).__name__}") from None
        if row is None:
            raise Unavailable("CLOCK_NOT_SET", "the simulated clock has no instant", remedy="ophor clock set")
        instant: datetime = row["now"]
        self._instant, self._read_at = instant, time.monotonic()
        return instant

    def today(self) -> date:
        """Give the legal date in Copenhagen."""
        return legal_date(self.now())

    def changes(self, stopping: Callable[[], bool]) -> Iterator[None]:
        """Wait for the instant to be set, over a change stream; raise PyMongoError when it breaks."""
        with self._collection().watch(max_await_time_ms=5_000) as stream:
            while not stopping():
                if stream.try_next() is not None:
                    self._read_at = 0.0
                    yield

    def close(self) -> None:
        """Close the connection to the clock's database, unless it is lent."""
        if self._client is not None:
            self._client.close()

    def _collection(self) -> Any:
        if self._lent is not None:
            return self._lent()[DATABASE][COLLECTION]
        if self._client is None:
            from shared.store.mongo import connect

            self._client = connect(self._uri, "clock")
        return self._client[DATABASE][COLLECTION]


def clock_for(mode: str, uri: str = "") -> Clock:
    """Give the clock of a process in `mode`: simulated where `uri` names one; raise Rejected in production."""
    if not uri:
        return SystemClock()
    if mode not in _RUN_BEFORE:
        raise Rejected(
            "CLOCK_SIMULATED", f"mode {mode} refuses a simulated clock", field="OPHOR_CLOCK_URI",
            remedy="remove OPHOR_CLOCK_URI, or run in mode demo or test",
            da="Produktion kører ikke med simuleret ur.",
        )  # fmt: skip
    return SimulatedClock(uri)


def set_clock(uri: str, instant: datetime) -> None:
    """Set the simulated clock (aware `instant`) with its writer's `uri`; raise Rejected CLOCK_BACKWARDS."""
    from pymongo.errors import DuplicateKeyError

    from shared.store.mongo import connect

    if instant.tzinfo is None:
        raise Rejected("CLOCK_NAIVE", "the instant has no time zone", field="instant", remedy="give an offset or Z")
    with connect(uri, "clock") as client:
        try:
            client[DATABASE][COLLECTION].update_one(
                {"_id": KEY, "now": {"$lte": instant}}, {"$set": {"now": instant.astimezone(UTC)}}, upsert=True
            )
        except DuplicateKeyError:
            raise Rejected(
                "CLOCK_BACKWARDS", "the simulated clock never goes back", field="instant", remedy="give a later instant"
            ) from None


def legal_date(instant: datetime) -> date:
    """Give the date in Copenhagen at `instant` (aware)."""
    return instant.astimezone(COPENHAGEN).date()


def midnight(day: date) -> datetime:
    """Give 00:00 in Copenhagen on `day`, as UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=COPENHAGEN).astimezone(UTC)

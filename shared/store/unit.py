"""The unit of work: state, outgoing messages and the record of the incoming one are one transaction (design §3.1–2).

* `handle(unit)` may run several times; only the run that commits counts. So nothing in it publishes, calls or waits.
* The loop is our own: at most 8 attempts with full jitter, ending at the deadline; where only the commit's outcome is
  unknown, only the commit is repeated. (`with_transaction` spins for two minutes when the database stalls.)
* A message that was handled is not handled again (inbox: message id + consumer); a repeated command gets its first
  answer, with another body it is refused. Answers are remembered; attempts, errors and `Rejected` never are.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import pymongo
from pymongo.errors import ConnectionFailure, DuplicateKeyError, ExecutionTimeout, PyMongoError
from pymongo.read_concern import ReadConcern

from contracts.errors import Rejected, Unavailable
from shared.bus import envelope
from shared.bus.guard import in_time
from shared.runtime.clock import Clock, SimulatedClock
from shared.store import account, mongo
from shared.store.telling import EPOCH, Unit

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.database import Database

    from shared.bus.envelope import Message

    Db = Database[dict[str, Any]]

__all__ = ["EPOCH", "Store", "Unit", "inbox_key"]
ATTEMPTS = 8
LONGEST_S = 30.0
READ_S = 10.0
PING_S = 3.0
_PAUSE_S, _PAUSE_MAX_S = 0.01, 1.0
_COMMIT_S = 1.0
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Job:
    """What one call of `run` is about; `limit` is the caller's deadline, `ends` ours (Unix seconds)."""

    handle: Callable[[Unit], Any]
    message: Message | None
    correlation_id: str
    limit: float | None
    ends: float


@dataclass(frozen=True, slots=True)
class _Handled:
    """The message was handled before, with this answer (JSON text; empty for events and tasks)."""

    answer: bytes

    def value(self) -> Any:
        return json.loads(self.answer) if self.answer else None


class Store:
    """A service's own database as its face, hands and relay use it; the connection is made at first use."""

    def __init__(self, mongo_uri: str, service: str, clock: Clock) -> None:
        self.service, self.clock, self._uri = service, clock, mongo_uri
        if isinstance(clock, SimulatedClock):
            clock.share(mongo_uri, lambda: self.client)

    @cached_property
    def client(self) -> pymongo.MongoClient[dict[str, Any]]:
        """Give this process's one client."""
        return mongo.connect(self._uri, self.service)

    @cached_property
    def db(self) -> Db:
        """Give the service's database."""
        return mongo.database(self.client, self.service)

    def prepare(self) -> None:
        """Make the bus's indexes; safe to repeat; raise Unavailable STORE_UNREACHABLE."""
        with _reachable():
            mongo.make_indexes(self.db)

    def run(
        self,
        handle: Callable[[Unit], Any],
        *,
        message: Message | None = None,
        deadline: float | None = None,
        correlation_id: str = "",
    ) -> Any:
        """Run `handle(unit)` in one transaction with the record of `message`, and give its result.

        A command's result is its answer as JSON primitives, the first one if the command is repeated; an event or task
        that was handled before gives None without a run. `deadline` is Unix seconds (real time), else the message's.
        Raise Unavailable DEADLINE_PASSED, STORE_BUSY, STORE_UNREACHABLE or OUTCOME_UNKNOWN, Rejected
        COMMAND_ID_REUSED, and whatever `handle` raises.
        """
        limit = deadline if deadline is not None or message is None else message.deadline
        ends = min(limit or float("inf"), time.time() + LONGEST_S)
        job = _Job(handle, message, correlation_id or (message.correlation_id if message else ""), limit, ends)
        last: PyMongoError | None = None
        for attempt in range(ATTEMPTS):
            in_time(limit)
            try:
                return self._attempt(job)
            except PyMongoError as error:
                if not error.has_error_label("TransientTransactionError"):
                    in_time(limit)
                    raise _translated(error) from error
                last = error
            if not _pause(attempt, ends):
                break
        in_time(limit)
        if isinstance(last, ConnectionFailure):
            raise Unavailable("STORE_UNREACHABLE", f"{self.service}: {type(last).__name__}") from last
        raise Unavailable("STORE_BUSY", f"{self.service}: the transaction met too many others") from last

    def read(self, handle: Callable[[Unit], Result]) -> Result:
        """Run `handle(unit)` without a transaction, on what the majority has; raise Unavailable STORE_UNREACHABLE."""
        with _reachable(), pymongo.timeout(READ_S):
            return handle(Unit(self, None, self.clock.fresh()))

    def handled(self, message: Message) -> bool:
        """Tell whether this event or task is in the inbox; raise Unavailable STORE_UNREACHABLE."""
        with _reachable(), pymongo.timeout(READ_S):
            return self.db.inbox.find_one({"_id": inbox_key(message.id, message.consumer)}) is not None

    def handled_among(self, messages: Sequence[Message]) -> set[str]:
        """Give the ids of those events and tasks that are in the inbox; raise Unavailable STORE_UNREACHABLE."""
        keys = {inbox_key(message.id, message.consumer): message.id for message in messages}
        with _reachable(), pymongo.timeout(READ_S):
            return {keys[row["_id"]] for row in self.db.inbox.find({"_id": {"$in": list(keys)}}, {"_id": 1})}

    def record_dead(self, message_id: str, consumer: str, wire: str, code: str) -> None:
        """Record that a message went to the dead letters, for `status`; raise Unavailable STORE_UNREACHABLE."""
        row = {"wire": wire, "consumer": consumer, "code": code, "dead_at": datetime.now(UTC)}
        with _reachable(), pymongo.timeout(READ_S):
            self.db.dead.replace_one({"_id": inbox_key(message_id, consumer)}, row, upsert=True)

    def fire_due(self, limit: int = 500) -> int:
        """Move up to `limit` due timers into the outbox in one transaction, and give how many."""
        if self.db.timers.find_one({"due": {"$lte": self.clock.fresh()}}, {"_id": 1}) is None:
            return 0
        return int(self.run(lambda unit: unit.fire(limit)))

    def status(self) -> dict[str, Any]:
        """Give the account that `contracts.catalogue.Status` describes; raise Unavailable STORE_UNREACHABLE."""
        with _reachable(), pymongo.timeout(READ_S):
            return account.of(self.db, self.service, self.clock.fresh())

    def ping(self) -> None:
        """Ask whether the database answers, twice where a connection was lost; raise Unavailable STORE_UNREACHABLE."""
        with suppress(ConnectionFailure, ExecutionTimeout), pymongo.timeout(PING_S):
            self.client.admin.command("ping")
            return
        with _reachable(), pymongo.timeout(PING_S):  # the driver repeats reads, but no ping
            self.client.admin.command("ping")

    def close(self) -> None:
        """Close the client, if one was made, and the clock."""
        if "client" in self.__dict__:
            self.client.close()
        self.clock.close()

    def _attempt(self, job: _Job) -> Any:
        with pymongo.timeout(max(0.0, job.ends - time.time()) + _COMMIT_S), self.client.start_session() as session:
            now = self.clock.fresh()
            session.start_transaction(ReadConcern("snapshot"), mongo.MAJORITY)
            unit = Unit(self, session, now, job.correlation_id)
            if before := _recall(unit, job.message):
                session.abort_transaction()
                return before.value()
            result = _remember(unit, job.message, job.handle(unit))
            unit.flush()
            in_time(job.limit)
            _commit(session, job.ends)
            return result


def inbox_key(message_id: str, consumer: str) -> str:
    """Give the inbox's key of a message at a consumer."""
    return f"{message_id}/{consumer}"


def _recall(unit: Unit, message: Message | None) -> _Handled | None:
    """Look whether `message` was handled; an event or task is marked as handled from here on."""
    if message is None:
        return None
    if message.kind == "command":
        first = unit.db.answers.find_one({"_id": message.id}, session=unit.session)
        if first is not None and first["digest"] != message.body_digest:
            raise Rejected(
                "COMMAND_ID_REUSED", f"{message.wire}: the command id was used for something else", field="id",
                remedy="give a new command a new id", da="Kommandoens id er brugt til noget andet.",
            )  # fmt: skip
        return _Handled(first["answer"]) if first is not None else None
    row = {
        "_id": inbox_key(message.id, message.consumer), "wire": message.wire, "consumer": message.consumer,
        "handled_at": datetime.now(UTC),
    }  # fmt: skip
    try:
        unit.db.inbox.insert_one(row, session=unit.session)
    except DuplicateKeyError:
        return _Handled(b"")
    return None


def _remember(unit: Unit, message: Message | None, result: Any) -> Any:
    if message is None or message.kind != "command":
        return result
    answer = envelope.encode(result)
    row = {
        "_id": message.id, "wire": message.wire, "digest": message.body_digest, "answer": answer,
        "answered_at": datetime.now(UTC),
    }  # fmt: skip
    unit.db.answers.insert_one(row, session=unit.session)
    return json.loads(answer)


def _commit(session: ClientSession, ends: float) -> None:
    for attempt in range(ATTEMPTS):
        try:
            session.commit_transaction()
            return
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult"):
                raise
            last = error
        if not _pause(attempt, ends):
            break
    raise Unavailable("OUTCOME_UNKNOWN", "the commit got no answer", remedy="repeat the same message id") from last


def _pause(attempt: int, ends: float) -> bool:
    """Wait with full jitter; tell whether there is time left for another attempt."""
    seconds = random.uniform(0, min(_PAUSE_MAX_S, _PAUSE_S * 2**attempt))  # noqa: S311 - jitter, not a secret
    if attempt + 1 == ATTEMPTS or time.time() + seconds >= ends:
        return False
    time.sleep(seconds)
    return True


@contextmanager
def _reachable() -> Iterator[None]:
    """Turn the driver's connection errors and time-outs into Unavailable STORE_UNREACHABLE."""
    try:
        yield
    except PyMongoError as error:
        if (translated := _translated(error)) is error:
            raise
        raise translated from error


def _translated(error: PyMongoError) -> Exception:
    if isinstance(error, ConnectionFailure | ExecutionTimeout) or error.timeout:
        return Unavailable(
            "STORE_UNREACHABLE", f"the database does not answer ({type(error).__name__})", remedy="try again later"
        )
    return error

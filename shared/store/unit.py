"""The unit of work: state, outgoing messages and the record of the incoming one are one transaction (design §3.1–2).

* `handle(unit)` may run several times; only the run that commits counts. So nothing in it publishes, calls or waits.
* The loop is our own: at most 8 attempts with full jitter, ending at the deadline; where only the commit's outcome is
  unknown, only the commit is repeated. (`with_transaction` spins for two minutes when the database stalls.)
* A message that was handled is not handled again (inbox: message id + consumer); a repeated command gets its first
  answer, with another body it is refused. Answers are remembered; attempts, errors and `Rejected` never are.
* Events get the next `seq` of their aggregate when the unit is saved. The relay signs and publishes outbox rows.
* Messages and timers hold what the contract's schema lets through, at most 256 KiB.
"""

from __future__ import annotations

import json
import random
import secrets
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import pymongo
from pymongo import ReturnDocument
from pymongo.errors import ConnectionFailure, DuplicateKeyError, ExecutionTimeout, PyMongoError
from pymongo.read_concern import ReadConcern

from contracts.catalogue import EVENTS, TASKS
from contracts.errors import Rejected, Unavailable
from shared.bus import envelope
from shared.runtime.clock import Clock, legal_date, midnight
from shared.store import mongo

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.database import Database

    from shared.bus.envelope import Message

    Db = Database[dict[str, Any]]

ATTEMPTS = 8
LONGEST_S = 30.0
READ_S = 10.0
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAUSE_S, _PAUSE_MAX_S = 0.01, 1.0
_SEQ_BYTES = 32
Result = TypeVar("Result")


class Unit:
    """What a handler works with: `db`, `session`, `now` (aware UTC), `today` (Copenhagen), and what it wants told."""

    def __init__(self, store: Store, session: ClientSession | None, now: datetime, correlation_id: str = "") -> None:
        self.db, self.session, self.now, self.today = store.db, session, now, legal_date(now)
        self._service, self._correlation_id = store.service, correlation_id
        self._drafts: list[dict[str, Any]] = []

    def emit(self, event_wire: str, exit_id: str, data: dict[str, Any]) -> str:
        """Tell a fact of this service about an exit, and give its id; raise Rejected where the contract refuses it."""
        return self._tell(event_wire, exit_id, data, self._correlation_id)

    def send(self, task_wire: str, data: dict[str, Any]) -> str:
        """Send work to one of this service's hands, and give its id; raise Rejected where the contract refuses it."""
        task = envelope.declared(TASKS, task_wire)
        self._own(task.service, task_wire)
        return self._draft(envelope.make_task, task_wire, data, str(data.get("exit_id", "")), self._correlation_id)

    def at(self, when: date | datetime, event_wire: str, exit_id: str, data: dict[str, Any], key: str) -> None:
        """Tell the event when the rules' clock reaches `when` (a date = 00:00 Copenhagen); a `key` has one timer."""
        event = envelope.declared(EVENTS, event_wire)
        self._own(event.emitter, event_wire)
        body = envelope.make_event(event_wire, data, subject=exit_id)
        _fits(event_wire, body)
        row = {
            "due": _instant(when), "wire": event_wire, "subject": exit_id, "data": envelope.encode(body["data"]),
            "correlation_id": self._correlation_id,
        }  # fmt: skip
        self.db.timers.replace_one({"_id": key}, row, upsert=True, session=self._writing())

    def cancel(self, key: str) -> None:
        """Remove the timer `key`, if there is one."""
        self.db.timers.delete_one({"_id": key}, session=self._writing())

    def fire(self, limit: int) -> int:
        """Turn up to `limit` due timers into events, the earliest first, and give how many (the relay's work)."""
        session = self._writing()
        due = self.db.timers.find({"due": {"$lte": self.now}}, session=session).sort("due", 1).limit(limit)
        rows = list(due)
        for row in rows:
            self._tell(row["wire"], row["subject"], json.loads(row["data"]), row["correlation_id"])
        if rows:
            self.db.timers.delete_many({"_id": {"$in": [row["_id"] for row in rows]}}, session=session)
        return len(rows)

    def flush(self) -> None:
        """Write what was told into the outbox, each event with the next seq of its aggregate."""
        if not self._drafts:
            return
        session = self._writing()
        counts = Counter(draft["aggregate"] for draft in self._drafts if "aggregate" in draft)
        following = {aggregate: self._reserve(aggregate, count) for aggregate, count in counts.items()}
        for draft in self._drafts:
            if "aggregate" in draft:
                draft["seq"] = following[draft["aggregate"]]
                following[draft["aggregate"]] += 1
        self.db.outbox.insert_many([_row(draft) for draft in self._drafts], session=session)
        self._drafts = []

    def _tell(self, wire: str, subject: str, data: dict[str, Any], correlation_id: str) -> str:
        event = envelope.declared(EVENTS, wire)
        self._own(event.emitter, wire)
        aggregate = f"{self._service}:{subject}"
        return self._draft(envelope.make_event, wire, data, subject, correlation_id, aggregate=aggregate)

    def _draft(self, make: Any, wire: str, data: dict[str, Any], subject: str, correlation_id: str, **more: str) -> str:
        self._writing()
        body = make(
            wire, data, id=_ordered_id(), subject=subject, ruletime=self.now.isoformat(timespec="milliseconds"),
            correlationid=correlation_id, **more,
        )  # fmt: skip
        _fits(wire, body)
        self._drafts.append(body)
        return str(body["id"])

    def _reserve(self, aggregate: str, count: int) -> int:
        row = self.db.sequences.find_one_and_update(
            {"_id": aggregate}, {"$inc": {"last": count}}, upsert=True,
            return_document=ReturnDocument.AFTER, session=self.session,
        )  # fmt: skip
        return int(row["last"]) - count + 1

    def _own(self, service: str, wire: str) -> None:
        if service != self._service:
            raise Rejected("WIRE_NOT_OWN", f"{self._service} may not tell {wire}", remedy=f"{service} tells it")

    def _writing(self) -> ClientSession:
        if self.session is None:
            raise RuntimeError("a query tells nothing and sets no timer")
        return self.session


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
            _in_time(limit)
            try:
                return self._attempt(job)
            except PyMongoError as error:
                if not error.has_error_label("TransientTransactionError"):
                    raise _translated(error) from error
                last = error
            if not _pause(attempt, ends):
                break
        _in_time(limit)
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
            now = self.clock.fresh()
            following = self.db.timers.find_one({"due": {"$gt": now}}, sort=[("due", 1)])
            return {
                "service": self.service,
                "outbox_pending": self.db.outbox.count_documents({"state": "pending"}),
                "outbox_parked": self.db.outbox.count_documents({"state": "parked"}),
                "outbox_age_s": self._outbox_age(),
                "published": self._published(),
                "handled": self._handled(),
                "dead": self._dead(),
                "timers_due": self.db.timers.count_documents({"due": {"$lte": now}}),
                "next_timer": following["due"].isoformat() if following else None,
                "in_flight": 0,
            }

    def ping(self) -> None:
        """Ask whether the database answers; raise Unavailable STORE_UNREACHABLE."""
        with _reachable(), pymongo.timeout(3):
            self.client.admin.command("ping")

    def close(self) -> None:
        """Close the client, if one was made, and the clock."""
        if "client" in self.__dict__:
            self.client.close()
        self.clock.close()

    def _attempt(self, job: _Job) -> Any:
        now = self.clock.fresh()
        with self.client.start_session() as session:
            with pymongo.timeout(max(0.001, job.ends - time.time())):
                session.start_transaction(ReadConcern("snapshot"), mongo.MAJORITY)
                unit = Unit(self, session, now, job.correlation_id)
                if before := _recall(unit, job.message):
                    session.abort_transaction()
                    return before.value()
                result = _remember(unit, job.message, job.handle(unit))
                unit.flush()
                _in_time(job.limit)
            _commit(session, job.ends)
            return result

    def _outbox_age(self) -> float:
        oldest = self.db.outbox.find_one({"state": "pending"}, sort=[("not_before", 1), ("_id", 1)])
        return round((datetime.now(UTC) - oldest["created_at"]).total_seconds(), 3) if oldest else 0.0

    def _published(self) -> list[dict[str, Any]]:
        counted = self.db.outbox.aggregate(
            [{"$match": {"state": "published"}}, {"$group": {"_id": "$wire", "count": {"$sum": 1}}}]
        )
        return [
            {"wire": row["_id"], "consumer": consumer, "count": row["count"]}
            for row in counted
            for consumer in consumers(row["_id"])
        ]

    def _handled(self) -> list[dict[str, Any]]:
        by = {"wire": "$wire", "consumer": "$consumer"}
        return [
            {**row["_id"], "count": row["count"]}
            for row in self.db.inbox.aggregate([{"$group": {"_id": by, "count": {"$sum": 1}}}])
        ]

    def _dead(self) -> int:
        """Count the dead letters that no later replay brought home."""
        waiting: list[dict[str, Any]] = [
            {"$lookup": {"from": "inbox", "localField": "_id", "foreignField": "_id", "as": "done"}},
            {"$match": {"done": []}},
            {"$count": "count"},
        ]
        return next((int(row["count"]) for row in self.db.dead.aggregate(waiting)), 0)


def consumers(wire: str) -> tuple[str, ...]:
    """Give who handles a message: an event's subscribers, a task's hand (`deletion.delete`), or nobody."""
    if task := TASKS.get(wire):
        return (f"{task.service}.{task.hand}",)
    return EVENTS[wire].subscribers if wire in EVENTS else ()


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
            with pymongo.timeout(5):
                session.commit_transaction()
            return
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult"):
                raise
            last = error
        if not _pause(attempt, ends):
            break
    raise Unavailable("OUTCOME_UNKNOWN", "the commit got no answer", remedy="repeat the same message id") from last


def _in_time(deadline: float | None) -> None:
    if deadline is not None and time.time() >= deadline:
        raise Unavailable(
            "DEADLINE_PASSED", "the caller's deadline has passed; nothing was done",
            remedy="repeat the same command id", da="Fristen for kaldet er udløbet.",
        )  # fmt: skip


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


def _instant(when: date | datetime) -> datetime:
    if not isinstance(when, datetime):
        return midnight(when)
    if when.tzinfo is None:
        raise ValueError("a timer's instant needs a time zone")
    return when.astimezone(UTC)


def _fits(wire: str, body: dict[str, Any]) -> None:
    size = len(envelope.encode(body)) + _SEQ_BYTES
    if size > envelope.MAX_BYTES:
        raise Rejected("MESSAGE_TOO_LARGE", f"{wire}: {size} bytes; at most {envelope.MAX_BYTES}", remedy="send less")


def _row(draft: dict[str, Any]) -> dict[str, Any]:
    return {
        "_id": draft["id"], "wire": draft["type"], "subject": draft.get("subject", ""), "seq": draft.get("seq", 0),
        "body": envelope.encode(draft), "state": "pending", "not_before": EPOCH, "tries": 0,
        "created_at": datetime.now(UTC),
    }  # fmt: skip


def _ordered_id() -> str:
    """Make a UUID (version 7) whose text sorts by time."""
    micros = time.time_ns() // 1_000
    high = (micros // 1_000) << 16 | 0x7000 | (micros % 1_000) << 2
    return str(uuid.UUID(int=high << 64 | 0b10 << 62 | secrets.randbits(62)))

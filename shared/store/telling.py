"""What a unit of work works with: the database, the time, and what is to be told when it commits.

* What is told obeys the contract (schema, at most 256 KiB, own messages only) when it is told, not later.
* Events get the next `seq` of their aggregate when the unit is saved; ids sort by time. The relay signs and publishes.
* A timer is one row a key; the relay turns it into its event when the rules' clock has reached it.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
import uuid
from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from pymongo import ReturnDocument, UpdateOne

from contracts.catalogue import EVENTS, TASKS
from contracts.errors import Rejected
from shared.bus import envelope
from shared.runtime import tracing
from shared.runtime.clock import legal_date, midnight

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession

    from shared.store.unit import Store

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEQ_BYTES = 32
log = logging.getLogger("ophor.store")


class Unit:
    """What a handler works with: `db`, `session`, `now` (aware UTC), `today` (Copenhagen), and what it wants told."""

    def __init__(self, store: Store, session: ClientSession | None, now: datetime, correlation_id: str = "") -> None:
        self.db, self.session, self.now, self.today = store.db, session, now, legal_date(now)
        self._service, self._correlation_id = store.service, correlation_id
        self._drafts: list[dict[str, Any]] = []
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def emit(self, event_wire: str, exit_id: str, data: dict[str, Any]) -> str:
        """Tell a fact of this service about an exit, and give its id; raise Rejected where the contract refuses it."""
        return self._tell(event_wire, exit_id, data, self._correlation_id)

    def send(self, task_wire: str, data: dict[str, Any]) -> str:
        """Send work to one of this service's hands, and give its id; raise Rejected where the contract refuses it."""
        task = envelope.declared(TASKS, task_wire)
        self._own(task.service, task_wire)
        return self._draft(envelope.make_task, task_wire, data, str(data.get("exit_id", "")), self._correlation_id)

    def send_once(self, task_wire: str, data: dict[str, Any]) -> str:
        """Send work unless this unit sends some of the kind already; give the id of what it sends."""
        sent = next((str(draft["id"]) for draft in self._drafts if draft["type"] == task_wire), "")
        return sent or self.send(task_wire, data)

    def add(self, collection: str, row: dict[str, Any]) -> None:
        """Insert a row when the unit is saved, in one go with the others of its collection."""
        self._writing()
        self._rows.setdefault(collection, []).append(row)

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
        """Turn up to `limit` due timers into events, the earliest first, and give how many (the relay's work).

        A timer that the contracts of this version refuse stays, due, for the version that knows it.
        """
        session, told = self._writing(), []
        with self.db.timers.find({"due": {"$lte": self.now}}, session=session).sort("due", 1) as due:
            for row in due:
                try:
                    self._tell(row["wire"], row["subject"], json.loads(row["data"]), row["correlation_id"])
                except Rejected as refused:
                    log.error("timer %s (%s) cannot be told: %s", row["_id"], row["wire"], refused.code)
                    continue
                told.append(row["_id"])
                if len(told) == limit:
                    break
        if told:
            self.db.timers.delete_many({"_id": {"$in": told}}, session=session)
        return len(told)

    def flush(self) -> None:
        """Write what was added, and what was told into the outbox, each event with the next seq of its aggregate."""
        for collection, rows in self._rows.items():
            self.db[collection].insert_many(rows, session=self._writing())
        self._rows = {}
        if not self._drafts:
            return
        session = self._writing()
        counts = Counter(draft["aggregate"] for draft in self._drafts if "aggregate" in draft)
        following = self._reserved(counts) if counts else {}
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

    def _reserved(self, counts: Counter[str]) -> dict[str, int]:
        """Count each aggregate's events on, and give the first number of each; many are two questions, one is one."""
        sequences, session = self.db.sequences, self.session
        counted = [({"_id": one}, {"$inc": {"last": count}}) for one, count in counts.items()]
        if len(counted) == 1:
            ((one, more),) = counted
            after = ReturnDocument.AFTER
            rows = [sequences.find_one_and_update(one, more, upsert=True, return_document=after, session=session)]
        else:
            sequences.bulk_write([UpdateOne(*each, upsert=True) for each in counted], session=session, ordered=False)
            rows = list(sequences.find({"_id": {"$in": list(counts)}}, session=session).batch_size(len(counts) + 1))
        return {row["_id"]: int(row["last"]) - counts[row["_id"]] + 1 for row in rows}

    def _own(self, service: str, wire: str) -> None:
        if service != self._service:
            raise Rejected("WIRE_NOT_OWN", f"{self._service} may not tell {wire}", remedy=f"{service} tells it")

    def _writing(self) -> ClientSession:
        if self.session is None:
            raise RuntimeError("a query tells nothing and sets no timer")
        return self.session


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
        "created_at": datetime.now(UTC), "traceparent": tracing.current(),
    }  # fmt: skip


def _ordered_id() -> str:
    """Make a UUID (version 7) whose text sorts by time."""
    micros = time.time_ns() // 1_000
    high = (micros // 1_000) << 16 | 0x7000 | (micros % 1_000) << 2
    return str(uuid.UUID(int=high << 64 | 0b10 << 62 | secrets.randbits(62)))

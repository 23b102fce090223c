"""What is done with rows of an outbox: published with pipelined confirms, replayed to one queue, unparked.

* A row is signed when it is first published, and keeps that signature. At most WINDOW confirms are open.
* A published row stays 90 days, so that one subscriber can be served again; its inbox drops what it had.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from contracts.catalogue import EVENTS, TASKS
from contracts.errors import Rejected, Unavailable
from shared.bus.confirms import Confirms, Fate
from shared.bus.envelope import CONTENT_TYPE
from shared.bus.guard import ATTEMPTS_HEADER
from shared.store.unit import EPOCH, Store

if TYPE_CHECKING:
    from datetime import datetime

    import amqp

    from shared.bus.trust import Signer

Row = dict[str, Any]
WINDOW = 256
_BURST = 64
SILENCE_S = 30.0
_TURN_S = 1.0


class NoConfirm(OSError):
    """The broker takes messages and confirms none of them."""


def address(wire: str) -> tuple[str, str]:
    """Give the exchange and the routing key of an event or a task."""
    if event := EVENTS.get(wire):
        return f"{event.emitter}.events", event.name
    task = TASKS[wire]
    return f"{task.service}.tasks", task.hand


def pipeline(
    confirms: Confirms, rows: Iterable[tuple[Row, tuple[str, str]]], signer: Signer,
    told: Callable[[Row, Fate], None], beat: Callable[[], None],
) -> None:  # fmt: skip
    """Publish rows, each to its (exchange, key), at most WINDOW open at a time; `told` hears each fate.

    `beat` is called between reads. Raise ChannelError, or NoConfirm after SILENCE_S without one.
    """
    left = iter(rows)
    while some := list(islice(left, _BURST)):
        with confirms.channel.connection.frame_writer.gathered():
            for row, to in some:
                row["headers"] = row.get("headers") or signed(row, signer)
                confirms.publish(row["body"], _properties(row), to, partial(told, row))
        _settle(confirms, WINDOW - _BURST, beat)
    _settle(confirms, 0, beat)


def _properties(row: Row) -> dict[str, Any]:
    headers = {**row["headers"], ATTEMPTS_HEADER: 0, **_trace(row)}
    return {
        "content_type": CONTENT_TYPE, "content_encoding": "utf-8", "message_id": row["_id"],
        "application_headers": headers,
    }  # fmt: skip


def signed(row: Row, signer: Signer) -> dict[str, str]:
    """Give the signature headers of a row; later publications keep them."""
    envelope = {"id": row["_id"], "type": row["wire"], "subject": row["subject"], "seq": row["seq"]}
    return signer.headers(envelope, row["body"])


def replay(store: Store, connection: amqp.Connection, signer: Signer, to: str, since: datetime) -> int:
    """Publish again to the one queue `to` what it was told since `since` (aware); give how many rows.

    The rows keep their ids and signatures, so that the queue's consumer drops what it had. They go by the first delay.
    Raise Rejected QUEUE_UNKNOWN, Unavailable NOT_CONFIRMED.
    """
    wires = [wire for wire in (*EVENTS, *TASKS) if to in _queues_of(wire)]
    if not wires:
        raise Rejected(
            "QUEUE_UNKNOWN", f"{to} is told nothing by anybody", field="to", remedy="name an evt-… or hand-… queue"
        )
    fates: list[Fate] = []
    sent = store.db.outbox.find(
        {"state": "published", "wire": {"$in": wires}, "published_at": {"$gte": since}}, sort=[("_id", 1)]
    )
    rows = ((row, ("ophor.delay.1", to)) for row in sent)
    pipeline(Confirms(connection.channel()), rows, signer, lambda _row, fate: fates.append(fate), lambda: None)
    if lost := sum(fate != "ok" for fate in fates):
        raise Unavailable("NOT_CONFIRMED", f"{lost} of {len(fates)} were not taken", remedy="replay again")
    return len(fates)


def unpark(store: Store) -> int:
    """Have parked rows published again, once their cause is mended; give how many."""
    again = {"$set": {"state": "pending", "not_before": EPOCH}}
    return int(store.db.outbox.update_many({"state": "parked"}, again).modified_count)


def _trace(row: Row) -> dict[str, str]:
    traceparent = row.get("traceparent", "")
    return {"traceparent": traceparent} if traceparent else {}


def _settle(confirms: Confirms, allowed: int, beat: Callable[[], None]) -> None:
    """Read confirms until at most `allowed` are open; raise NoConfirm after SILENCE_S without one."""
    connection = confirms.channel.connection
    while confirms.open > allowed:
        ends = time.monotonic() + _TURN_S
        with suppress(TimeoutError), connection.transport.having_timeout(_TURN_S):
            while confirms.open > allowed and time.monotonic() < ends:
                connection.drain_events()
        connection.heartbeat_tick()
        beat()
        if confirms.waiting_s > SILENCE_S:
            raise NoConfirm(f"no confirm for {SILENCE_S} s")


def _queues_of(wire: str) -> list[str]:
    if event := EVENTS.get(wire):
        return [f"evt-{subscriber}" for subscriber in event.subscribers]
    task = TASKS[wire]
    return [f"hand-{task.service}-{task.hand}"]

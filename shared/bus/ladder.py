"""The ladder: retries that are bounded and delayed, then the dead letters (design §3.3).

* About 1 s, 10 s, 1 min, 10 min; one delay queue each, shared by all; in demo and test a second at most in all. The
  attempts are counted in our own header `ophor-attempts`. RPC never enters the ladder.
* A message moves on only when the broker has confirmed the copy; until then it stays unacked where it was.
* Only our own headers travel on: unverified ones (and what would steer the broker, like CC) are dropped, with the
  sender's `user_id`, which the broker would refuse from us. Reasons are short words; bodies are never logged.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import amqp
from amqp.exceptions import RecoverableConnectionError

from contracts.errors import Unavailable
from shared.bus.confirms import Confirms, Fate
from shared.bus.guard import ATTEMPTS_HEADER, Received
from shared.bus.pump import BusMismatch
from shared.bus.topology import DEAD, STEPS
from shared.bus.trust import SIGNATURE_HEADER, SIGNER_HEADER
from shared.runtime.metrics import MOVED

REASON_HEADER, QUEUE_HEADER, DEAD_AT_HEADER = "ophor-reason", "ophor-queue", "ophor-dead-at"
_KEPT_HEADERS = (SIGNER_HEADER, SIGNATURE_HEADER, "traceparent", ATTEMPTS_HEADER, QUEUE_HEADER)
_KEPT_PROPERTIES = ("content_type", "content_encoding", "message_id", "correlation_id", "type")
_LONGEST = 255  # characters of a header, more than any of ours: the copy of a larger one might not fit into a frame
_CONFIRM_S = 15.0
OWN_STORE = {"STORE_BUSY", "STORE_UNREACHABLE", "OUTCOME_UNKNOWN", "CLOCK_UNREACHABLE", "CLOCK_NOT_SET"}


@dataclass(frozen=True, slots=True)
class Copy:
    """A message on its way on: `to` is (exchange, routing key)."""

    body: bytes
    properties: dict[str, Any]
    to: tuple[str, str]


def attempts_of(received: Received) -> int:
    """Give how often a message was tried before; 0 where its header is no such number."""
    value = received.headers.get(ATTEMPTS_HEADER, 0) if hasattr(received.headers, "get") else 0
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def is_last(attempts: int) -> bool:
    """Tell whether a message that was tried `attempts` times before goes to the dead letters if it fails again."""
    return attempts >= STEPS


def climb(received: Received, queue: str, service: str, reason: str) -> Copy:
    """Make the copy of a message from `queue` for its next delay, or, after the last, for the dead letters."""
    attempts = attempts_of(received)
    if is_last(attempts):
        return bury(received, queue, service, reason)
    return carried(received, {ATTEMPTS_HEADER: attempts + 1}, (f"ophor.delay.{attempts + 1}", queue))


def bury(received: Received, queue: str, service: str, reason: str) -> Copy:
    """Make the copy of a message from `queue` for the service's dead letters, with a short reason."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    headers = {REASON_HEADER: reason[:120], QUEUE_HEADER: queue, DEAD_AT_HEADER: now}
    return carried(received, headers, (DEAD, service))


def carried(received: Received, headers: dict[str, Any], to: tuple[str, str]) -> Copy:
    """Make a copy with the headers and properties that are ours, and with `headers`."""
    before = received.headers if hasattr(received.headers, "get") else {}
    kept = {name: before[name] for name in _KEPT_HEADERS if _writable(before.get(name))}
    found = received.properties
    properties = {name: found[name] for name in _KEPT_PROPERTIES if isinstance(found.get(name), str)}
    return Copy(received.body, {**properties, "application_headers": {**kept, **headers}}, to)


def _writable(value: Any) -> bool:
    short = isinstance(value, str) and len(value) <= _LONGEST
    return short or (isinstance(value, int) and -(2**63) <= value < 2**63)


def send(connection: amqp.Connection, copy: Copy) -> None:
    """Publish a copy and wait for its confirm; raise Unavailable, or BusMismatch where its queue is missing.

    The calling thread must own the connection; a channel is opened for each copy.
    """
    fates: list[Fate] = []
    channel = connection.channel()
    confirms = Confirms(channel)
    confirms.publish(copy.body, copy.properties, copy.to, fates.append)
    ends = time.monotonic() + _CONFIRM_S
    while not fates and time.monotonic() < ends:
        try:
            connection.drain_events(timeout=max(0.01, ends - time.monotonic()))
        except TimeoutError:
            break
    if not fates or fates[0] == "nacked":
        raise Unavailable("NOT_CONFIRMED", f"the broker did not confirm a message for {copy.to[0]}")
    if fates[0] == "unroutable":
        raise _lacking(copy)
    channel.close()


class Ladder:
    """The way off a queue for what could not be handled; on the channel (and in the thread) that consumed it."""

    def __init__(self, channel: amqp.Channel, service: str) -> None:
        self._confirms, self._service = Confirms(channel), service

    def climb(self, raw: amqp.Message, queue: str, reason: str, done: Callable[[], None]) -> None:
        """Send `raw` (from `queue`) to its next delay or the dead letters; when confirmed, ack it and call `done`."""
        self._move(raw, queue, climb(Received.of(raw), queue, self._service, reason), done)

    def bury(self, raw: amqp.Message, queue: str, reason: str, done: Callable[[], None]) -> None:
        """Send `raw` (from `queue`) to the dead letters, with a reason; when confirmed, ack it and call `done`."""
        self._move(raw, queue, bury(Received.of(raw), queue, self._service, reason), done)

    def wait(self, raw: amqp.Message, queue: str, done: Callable[[], None]) -> None:
        """Send `raw` (from `queue`) to the shortest delay without using up an attempt; then ack it and call `done`.

        For what came early, or met our own store (`OWN_STORE`) while it was busy or away.
        """
        self._move(raw, queue, carried(Received.of(raw), {}, ("ophor.delay.1", queue)), done)

    def _move(self, raw: amqp.Message, queue: str, copy: Copy, done: Callable[[], None]) -> None:
        def told(fate: Fate) -> None:
            if fate == "unroutable":
                raise _lacking(copy)
            if fate == "nacked":  # ends the connection: the broker takes back what is not acked
                raise RecoverableConnectionError(f"{copy.to[0]} refused a message")
            raw.channel.basic_ack(raw.delivery_tag)
            MOVED.labels(queue, "dead" if copy.to[0] == DEAD else "delay").inc()
            done()

        self._confirms.publish(copy.body, copy.properties, copy.to, told)


def _lacking(copy: Copy) -> BusMismatch:
    return BusMismatch(f"{copy.to[0]} has no queue for {copy.to[1]}; run: ophor topology apply")

"""Dead letters: listed, shown, replayed or discarded by a person, never read aloud (design §3.3).

* A body is never printed or logged, nor any header that we did not write: only ids, the declared type, queue, reason,
  attempts, time, size and digest. What is undecodable is named by the digest of its body.
* Replay sends the message, with its old signature and no attempts used, to the queue it came from, and removes the
  dead letter when the broker has confirmed the copy. Calls are never replayed: nobody waits for their answers.
* `expired` is a call that waited longer than its sender said (the broker's doing, not ours): it is filed apart, for
  nobody waits for it and nothing is wrong.
* Discard also tells the service's own store, where that is named: the message counts as handled, nobody waits for it.
* Every action is a line in the log with actor, letter and reason. Whoever lists or shows holds the letters back for
  that moment; they return when the connection ends.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from contracts.catalogue import COMMANDS, EVENTS, SERVICES, TASKS
from contracts.errors import Rejected
from shared.bus.envelope import digest
from shared.bus.guard import ATTEMPTS_HEADER, Received
from shared.bus.ladder import DEAD_AT_HEADER, QUEUE_HEADER, REASON_HEADER, attempts_of, carried, send
from shared.bus.topology import RETURN, queues_of
from shared.store import account
from shared.store.unit import inbox_key

if TYPE_CHECKING:
    import amqp

    from shared.store.unit import Store

EXPIRED = "expired"
_ID = re.compile(r"[\w.:\-]{1,80}")
_WORD = re.compile(r"[\w.:\- ]{1,120}")
log = logging.getLogger("ophor.dead")


@dataclass(frozen=True, slots=True)
class Letter:
    """What may be told of a dead letter; `id` is the message's, or `sha256-…` of a body that has none."""

    id: str
    wire: str
    queue: str
    reason: str
    dead_at: str
    attempts: int
    size: int
    digest: str

    @classmethod
    def of(cls, received: Received) -> Letter:
        """Describe a message of the dead-letter queue."""
        body = _envelope(received.body)
        found = body.get("id")
        hashed = digest(received.body)
        wire = body.get("type")
        return cls(
            id=found if isinstance(found, str) and _ID.fullmatch(found) else f"sha256-{hashed[:16]}",
            wire=wire if isinstance(wire, str) and (wire in EVENTS or wire in TASKS or wire in COMMANDS) else "-",
            queue=_queue(received), reason=_word(received, REASON_HEADER) or _broker_reason(received),
            dead_at=_word(received, DEAD_AT_HEADER), attempts=attempts_of(received), size=len(received.body),
            digest=hashed,
        )  # fmt: skip


def list_letters(connection: amqp.Connection, service: str, limit: int = 100, *, expired: bool = False) -> list[Letter]:
    """List, of a service's first `limit` dead letters, those that are (or are not) `expired`, the oldest first."""
    with _letters(connection, service, limit) as letters:
        return [letter for letter, _ in letters if (letter.reason == EXPIRED) == expired]


def show(connection: amqp.Connection, service: str, letter_id: str) -> dict[str, Any]:
    """Give what may be told of one dead letter; raise Rejected LETTER_UNKNOWN."""
    with _letters(connection, service) as letters:
        letter, _ = _find(letters, letter_id)
        return asdict(letter)


def replay(connection: amqp.Connection, service: str, letter_id: str, actor: str) -> None:
    """Send one dead letter back to its queue; raise Rejected LETTER_UNKNOWN or LETTER_NOT_REPLAYABLE, Unavailable."""
    with _letters(connection, service) as letters:
        letter, raw = _find(letters, letter_id)
        if letter.queue not in queues_of(service) or letter.queue.startswith("rpc-"):
            raise Rejected(
                "LETTER_NOT_REPLAYABLE", f"{letter.id} came from {letter.queue or 'an unknown queue'}",
                remedy="discard it; a caller repeats the call",
            )  # fmt: skip
        send(connection, carried(Received.of(raw), {ATTEMPTS_HEADER: 0}, (RETURN, letter.queue)))
        raw.channel.basic_ack(raw.delivery_tag)
    _audit("replayed", service, letter, actor, "")


def discard(
    connection: amqp.Connection, service: str, letter_id: str, actor: str, why: str, store: Store | None = None
) -> None:
    """Remove one dead letter for good, with a reason (short words); its service's `store` hears of it first.

    Raise Rejected LETTER_UNKNOWN or REASON_MISSING, Unavailable where the store does not answer.
    """
    if not _WORD.fullmatch(why):
        raise Rejected("REASON_MISSING", "say in a few words why", field="why", remedy="letters, digits, blanks")
    with _letters(connection, service) as letters:
        letter, raw = _find(letters, letter_id)
        if store is not None:
            _give_up(store, letter, bytes(raw.body))
        raw.channel.basic_ack(raw.delivery_tag)
    _audit("discarded", service, letter, actor, why)


def _give_up(store: Store, letter: Letter, body: bytes) -> None:
    """Write the inbox row of a letter that its service refused or could not handle; calls have none."""
    consumer = _consumer(letter.queue)
    if not consumer:
        return
    found = _envelope(body)
    aggregate, seq = found.get("aggregate"), found.get("seq")
    turn = (aggregate, seq) if isinstance(aggregate, str) and isinstance(seq, int) else ("", 0)
    key = inbox_key(letter.id, consumer)
    store.run(lambda unit: account.give_up(unit, key, letter.reason, turn))


def _consumer(queue: str) -> str:
    """Give who handles what lies in a queue, as the inbox names it; nobody for calls."""
    kind, _, name = queue.partition("-")
    return {"evt": name, "hand": name.replace("-", ".")}.get(kind, "")


@contextmanager
def _letters(connection: amqp.Connection, service: str, limit: int = 10_000) -> Iterator[list[tuple[Letter, Any]]]:
    """Hold up to `limit` letters; what is not acked inside goes back to the queue."""
    if service not in SERVICES:
        raise Rejected("SERVICE_UNKNOWN", f"{service} is no service", field="service", remedy=", ".join(SERVICES))
    channel = connection.channel()
    channel.auto_decode = False
    try:
        held: Callable[[], Any] = lambda: channel.basic_get(f"dlq-{service}")  # noqa: E731
        found = [raw for raw, _ in zip(iter(held, None), range(limit), strict=False)]
        yield [(Letter.of(Received.of(raw)), raw) for raw in found]
    finally:
        channel.close()


def _find(letters: list[tuple[Letter, Any]], letter_id: str) -> tuple[Letter, Any]:
    for letter, raw in letters:
        if letter.id == letter_id:
            return letter, raw
    raise Rejected("LETTER_UNKNOWN", f"no dead letter {letter_id}", field="id", remedy="ophor dlq list")


def _audit(action: str, service: str, letter: Letter, actor: str, why: str) -> None:
    log.warning(
        "dead letter %s: %s (%s) of %s by %s, dead for %s%s",
        action, letter.id, letter.wire, service, actor, letter.reason, f"; {why}" if why else "",
    )  # fmt: skip


def _envelope(body: bytes) -> dict[str, Any]:
    """Give the envelope as far as it can be read, of a call too; empty where there is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if isinstance(found, dict) and isinstance(found.get("kwargs"), dict):
        found = found["kwargs"].get("message")
    return found if isinstance(found, dict) else {}


def _queue(received: Received) -> str:
    """Give the queue it came from: our own header, else the broker's record of a dead-lettering."""
    if queue := _word(received, QUEUE_HEADER):
        return queue
    return str(_death(received).get("queue", ""))


def _death(received: Received) -> dict[str, Any]:
    """Give the broker's own record of the last dead-lettering; empty where there is none."""
    deaths = received.headers.get("x-death")
    last = deaths[0] if isinstance(deaths, list) and deaths else {}
    return last if isinstance(last, dict) else {}


def _broker_reason(received: Received) -> str:
    """Give why the broker itself dead-lettered it: its sender's time ran out, or it came back too often."""
    return EXPIRED if _death(received).get("reason") == "expired" else "delivery-limit"


def _word(received: Received, name: str) -> str:
    value = received.headers.get(name)
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""

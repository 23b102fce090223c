"""Dead letters: listed, shown, replayed or discarded by a person, never read aloud (design §3.3).

* A body is never printed or logged, nor any header that we did not write: only ids, the declared type, queue, reason,
  attempts, time, size and digest. What is undecodable is named by the digest of its body.
* Replay sends the message, with its old signature and no attempts used, to the queue it came from, and removes the
  dead letter when the broker has confirmed the copy. Calls are never replayed: nobody waits for their answers.
* `expired` is a call that waited longer than its sender said (the broker's doing, not ours): it is filed apart, for
  nobody waits for it and nothing is wrong.
* Discard also tells the service's own store, where that is named: the message counts as handled, nobody waits for it.
* Every replay and discard is a line in the log and a row of AUDIT in the service's own store, where that is named: who,
  when, which letter, why. The row is written before the letter goes, and is never deleted.
* Whoever looks holds the letters back for that moment; before anybody can look again they are in the queue again.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
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

    from shared.store.unit import Store, Unit

AUDIT = "dead_actions"
MOST = 10_000
EXPIRED = "expired"
_ID = re.compile(r"[\w.:\-]{1,80}")
_WORD = re.compile(r"[\w.:\- ]{1,120}")
_SILENCE_S, _RETURN_S, _TURN_S = 2.0, 30.0, 0.05
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


def list_letters(connection: amqp.Connection, service: str, *, expired: bool = False) -> list[Letter]:
    """List, of a service's first MOST dead letters, those that are (or are not) `expired`, the oldest first."""
    with _letters(connection, service) as letters:
        return [letter for letter, _ in letters if (letter.reason == EXPIRED) == expired]


def show(connection: amqp.Connection, service: str, letter_id: str) -> dict[str, Any]:
    """Give what may be told of one dead letter; raise Rejected LETTER_UNKNOWN."""
    with _letters(connection, service) as letters:
        letter, _ = _meant(letters, [letter_id])[0]
        return asdict(letter)


def replay(
    connection: amqp.Connection, service: str, ids: Sequence[str], actor: str, store: Store | None = None
) -> tuple[int, list[Rejected]]:
    """Send dead letters back to their queues; give how many, and why the others cannot go (LETTER_NOT_REPLAYABLE).

    Raise Rejected LETTER_UNKNOWN where none of them lies there, Unavailable; each that was sent is off the queue then.
    """
    sent, refused = 0, list[Rejected]()
    with _letters(connection, service) as letters:
        for letter, raw in _meant(letters, ids):
            if letter.queue not in queues_of(service) or letter.queue.startswith("rpc-"):
                refused.append(_not_replayable(letter))
                continue
            _audit(_Action("replayed", service, letter, actor), store)
            send(connection, carried(Received.of(raw), {ATTEMPTS_HEADER: 0}, (RETURN, letter.queue)))
            _settle(raw)
            sent += 1
    return sent, refused


def discard(
    connection: amqp.Connection, service: str, ids: Sequence[str], actor: str, why: str, store: Store | None = None
) -> int:
    """Remove dead letters for good, with a reason (short words), and give how many; the service's `store` hears first.

    Raise Rejected LETTER_UNKNOWN (none of them lies there) or REASON_MISSING, Unavailable where the store is silent.
    """
    if not _WORD.fullmatch(why):
        raise Rejected("REASON_MISSING", "say in a few words why", field="why", remedy="letters, digits, blanks")
    with _letters(connection, service) as letters:
        meant = _meant(letters, ids)
        for letter, raw in meant:
            _audit(_Action("discarded", service, letter, actor, why), store, bytes(raw.body))
            _settle(raw)
    return len(meant)


def actions(store: Store, limit: int = MOST) -> list[dict[str, Any]]:
    """List what was done to a service's dead letters, the newest first; raise Unavailable."""
    return store.read(lambda unit: list(unit.db[AUDIT].find({}, {"_id": 0}).sort("at", -1).limit(limit)))


def _give_up(unit: Unit, letter: Letter, body: bytes) -> None:
    """Write the inbox row of a letter that its service refused or could not handle; calls have none."""
    if consumer := _consumer(letter.queue):
        found = _envelope(body)
        aggregate, seq = found.get("aggregate"), found.get("seq")
        turn = (aggregate, seq) if isinstance(aggregate, str) and isinstance(seq, int) else ("", 0)
        account.give_up(unit, inbox_key(letter.id, consumer), letter.reason, turn)


def _consumer(queue: str) -> str:
    """Give who handles what lies in a queue, as the inbox names it; nobody for calls."""
    kind, _, name = queue.partition("-")
    return {"evt": name, "hand": name.replace("-", ".")}.get(kind, "")


@contextmanager
def _letters(connection: amqp.Connection, service: str) -> Iterator[list[tuple[Letter, Any]]]:
    """Hold up to MOST letters, the oldest first; what is not acked inside is in the queue again when this ends.

    The queue itself does not keep the order: a broker shuffles what is given back to it.
    """
    if service not in SERVICES:
        raise Rejected("SERVICE_UNKNOWN", f"{service} is no service", field="service", remedy=", ".join(SERVICES))
    channel, queue = connection.channel(), f"dlq-{service}"
    channel.auto_decode = False
    found = _taken(channel, queue)
    try:
        yield sorted(
            ((Letter.of(Received.of(raw)), raw) for raw in found), key=lambda pair: (pair[0].dead_at, pair[0].id)
        )
    finally:
        _return(channel, queue, sum(raw.channel is not None for raw in found))
        channel.close()


def _taken(channel: amqp.Channel, queue: str) -> list[Any]:
    """Take the letters that lie there now, MOST of them at most; one by one would take a second for each hundred.

    Only who asks for one knows that there is none: of a queue that takes its time the broker says that it is empty.
    """
    found: list[Any] = []
    there = min(MOST, channel.queue_declare(queue, passive=True).message_count)
    if not there and (first := channel.basic_get(queue)) is not None:
        found, there = [first], min(MOST, 1 + first.delivery_info["message_count"])
    if len(found) < there:
        channel.basic_qos(0, there, False)
        tag = channel.basic_consume(queue, callback=found.append)
        with suppress(TimeoutError):  # somebody else took one meanwhile
            while len(found) < there:
                channel.connection.drain_events(timeout=_SILENCE_S)
        channel.basic_cancel(tag)
    return found


def _settle(raw: Any) -> None:
    raw.channel.basic_ack(raw.delivery_tag)
    raw.channel = None


def _return(channel: amqp.Channel, queue: str, held: int) -> None:
    """Put back what is still held, and wait until it lies there (not for ever: others take, too)."""
    if held:
        expected = channel.queue_declare(queue, passive=True).message_count + held
        channel.basic_recover(requeue=True)
        ends = time.monotonic() + _RETURN_S
        while channel.queue_declare(queue, passive=True).message_count < expected and time.monotonic() < ends:
            time.sleep(_TURN_S)


def _meant(letters: list[tuple[Letter, Any]], ids: Sequence[str]) -> list[tuple[Letter, Any]]:
    """Choose the letters of these ids, as many of each as it is named; raise Rejected LETTER_UNKNOWN for none."""
    wanted, found = Counter(ids), []
    for letter, raw in letters:
        if wanted[letter.id]:
            wanted[letter.id] -= 1
            found.append((letter, raw))
    if ids and not found:
        raise Rejected("LETTER_UNKNOWN", f"no dead letter {ids[0]}", field="id", remedy="ophor dlq list")
    return found


def _not_replayable(letter: Letter) -> Rejected:
    return Rejected(
        "LETTER_NOT_REPLAYABLE", f"{letter.id} came from {letter.queue or 'an unknown queue'}",
        remedy="discard it; a caller repeats the call",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Action:
    """What somebody does to a letter."""

    done: str
    service: str
    letter: Letter
    actor: str
    why: str = ""


def _audit(action: _Action, store: Store | None, given_up: bytes | None = None) -> None:
    """Write an action down before its letter goes; with the body of a letter that is `given_up`, that as well."""
    letter = action.letter
    row = {
        "at": datetime.now(UTC), "action": action.done, "actor": action.actor, "why": action.why, "id": letter.id,
        "wire": letter.wire, "queue": letter.queue, "reason": letter.reason, "digest": letter.digest,
    }  # fmt: skip

    def write(unit: Unit) -> None:
        unit.add(AUDIT, {**row})
        if given_up is not None:
            _give_up(unit, letter, given_up)

    if store is not None:
        store.run(write)
    log.warning(
        "dead letter %s: %s (%s) of %s by %s, dead for %s%s", action.done, letter.id, letter.wire, action.service,
        action.actor, letter.reason, f"; {action.why}" if action.why else "",
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

"""The process of a hand: consume its queue, have one worker thread do slice after slice, settle each (design §2).

* The pump's thread owns the connection and alone acks; one worker thread works, on one message at a time. A slice may
  hold the worker for a minute and the heartbeats go on. A hand takes one message from the broker at a time, unless it
  is its queue's only consumer and one slice of it does the work of many (`prefetch`): then what was done already is
  found out for all of them with one question.
* The guard sees every message first. What is no message of ours, or is `Rejected`, goes to the dead letters at once;
  `Unavailable` and bugs climb the ladder. A message that is in the inbox is acked without work.
* While the service's own database does not answer, the hand stops consuming and is not ready; no attempt is used up.
  Nor is one where it is busy, as with the transaction that a killed process left open there, for a minute.
* Stopping is clean: cancel the consumer, finish the slice, settle it, leave. After a kill the broker delivers again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from contracts.errors import OphorError, Rejected, Unavailable
from shared.bus import guard, topology
from shared.bus.hands_work import Work
from shared.bus.ladder import OWN_STORE, Ladder, attempts_of, is_last
from shared.bus.pump import Pump
from shared.runtime.logging import canonical, log
from shared.runtime.metrics import ENTRYPOINTS, begin
from shared.store.unit import Store

if TYPE_CHECKING:
    import amqp

    from shared.bus.envelope import Message
    from shared.bus.hands import Hand
    from shared.bus.trust import Trust

PAUSE_S = 1.0


class HandProcess:
    """Consume a hand's queue until stopped; `failing` names what is not well."""

    def __init__(self, hand: Hand, store: Store, amqp_uri: str, trust: Trust, settings: Any = None) -> None:
        self._hand, self._store, self._trust, self._settings = hand, store, trust, settings
        self._methods = hand.tasks()
        self.consumer = f"{hand.service}.{hand.name}"
        self.queue = f"hand-{hand.service}-{hand.name}"
        self._todo: SimpleQueue[amqp.Message | None] = SimpleQueue()  # its put is safe in a signal handler
        self._stopping = threading.Event()
        self._paused = False
        self._tag = ""
        self._channel: amqp.Channel | None = None
        self._broke: BaseException | None = None
        self._pump = Pump(amqp_uri, f"{hand.service} hand {hand.name}", self._opened)

    @property
    def failing(self) -> set[str]:
        """Name what keeps the hand from working: `broker`, `store`."""
        failing = set() if self._pump.connected.is_set() else {"broker"}
        return failing | ({"store"} if self._paused else set())

    def holds(self, name: str) -> bool:
        """Tell whether the `broker` or the `store` is well."""
        return name not in self.failing

    def run(self) -> None:
        """Work until stopped; raise BusMismatch where the broker refuses or lacks what the contracts declare."""
        begin(self.consumer, self._methods, self.queue)
        worker = threading.Thread(target=self._labour, name="worker", daemon=True)
        worker.start()
        self._pump.run()
        if self._broke is not None:
            raise self._broke

    def stop(self) -> None:
        """Take no more messages, finish the slice in hand, and leave; from any thread or signal handler."""
        self._stopping.set()
        self._pump.post(self._cancel)
        self._todo.put(None)

    def _opened(self, channel: amqp.Channel) -> None:
        topology.check(channel.connection, self._hand.service)
        channel.auto_decode = False
        channel.basic_qos(0, self._hand.prefetch, False)
        self._ladder = Ladder(channel, self._hand.service)
        self._channel, self._tag = channel, ""
        self._consume(channel)

    def _consume(self, channel: amqp.Channel) -> None:
        if not self._tag and not self._paused and not self._stopping.is_set():
            self._tag = channel.basic_consume(self.queue, callback=self._todo.put)

    def _cancel(self, channel: amqp.Channel) -> None:
        if self._tag:
            tag, self._tag = self._tag, ""
            channel.basic_cancel(tag)

    def _labour(self) -> None:
        """The worker thread: one message after the other, until the end of the queue is announced."""
        try:
            while raws := self._next():
                self._settle(raws)
        except BaseException as error:
            self._broke = error
            raise
        finally:
            self._pump.stop()

    def _next(self) -> list[amqp.Message]:
        """Wait for a message, and take what else has come; nothing when the hand is to stop."""
        raws = [raw] if (raw := self._todo.get()) is not None else []
        while raws and len(raws) < self._hand.prefetch and not self._todo.empty():
            raw = self._todo.get()
            if raw is None:
                self._todo.put(None)
                break
            raws.append(raw)
        return raws

    def _settle(self, raws: list[amqp.Message]) -> None:
        """Do the first at once; which of the others its slice did is found out with one question, and so on."""
        todo, others = self._guarded(raws[:1]), raws[1:]
        while todo or others:
            if todo:
                raw, message = todo.pop(0)
                if raw.channel is self._channel and not self._stopping.is_set():  # else the broker has it back
                    self._handle(raw, message)
            todo, others = self._undone([*todo, *self._guarded(others)]), []

    def _guarded(self, raws: list[amqp.Message]) -> list[tuple[amqp.Message, Message]]:
        """Refuse what is no message of ours, and give the rest."""
        found = []
        for raw in raws:
            try:
                received = guard.Received.of(raw)
                found.append((raw, guard.task(received, self._hand.service, self._hand.name, self._trust)))
            except guard.Poison as poison:
                self._refuse(raw, poison.reason)
        return found

    def _undone(self, found: list[tuple[amqp.Message, Message]]) -> list[tuple[amqp.Message, Message]]:
        """Settle what another slice has done, and give what is left."""
        if len(found) < 2:  # the slice asks for itself
            return found
        with suppress(Unavailable):
            done = self._store.handled_among([message for _, message in found])
            for raw, message in found:
                if message.id in done:
                    ENTRYPOINTS.labels(self.consumer, message.wire, "duplicate").inc()
                    self._ack(raw)
            found = [(raw, message) for raw, message in found if message.id not in done]
        return found

    def _ack(self, raw: amqp.Message) -> None:
        self._pump.post(lambda channel: channel.basic_ack(raw.delivery_tag), raw.channel)

    def _handle(self, raw: amqp.Message, message: Message) -> None:
        try:
            known = {name: getattr(message, name) for name in ("correlation_id", "attempts", "traceparent", "told_at")}
            with canonical(self.consumer, message.wire, message.id, **known) as line:
                line.outcome = self._slice(message)
        except Exception as error:
            self._failed(raw, message, error)
        else:
            self._ack(raw)

    def _refuse(self, raw: amqp.Message, reason: str) -> None:
        log.warning("refused", consumer=self.consumer, queue=self.queue, outcome=f"poison {reason}")
        ENTRYPOINTS.labels(self.consumer, "-", "poison").inc()
        self._move(raw, lambda done: self._ladder.bury(raw, self.queue, reason, done))

    def _slice(self, message: Message) -> str:
        """Do the work, and give how it came out."""
        if self._store.handled(message):
            return "duplicate"
        work = Work(self._store, message, self._settings, self._store.clock.fresh())
        getattr(self._hand, self._methods[message.wire])(work)
        if not work.committed:
            work.commit(lambda unit: None)
        return "ok"

    def _failed(self, raw: amqp.Message, message: Message, error: Exception) -> None:
        if not self._store_answers():
            self._wait_for_store(raw)
        elif isinstance(error, Rejected):
            self._bury(raw, message.id, message.wire, error.code)
        elif isinstance(error, Unavailable) and error.code in OWN_STORE:
            self._move(raw, lambda done: self._ladder.wait(raw, self.queue, done))
        else:
            reason = error.code if isinstance(error, OphorError) else type(error).__name__
            if is_last(attempts_of(guard.Received.of(raw))):
                self._bury(raw, message.id, message.wire, reason)
            else:
                self._move(raw, lambda done: self._ladder.climb(raw, self.queue, reason, done))

    def _bury(self, raw: amqp.Message, message_id: str, wire: str, reason: str) -> None:
        try:
            self._store.record_dead(message_id, self.consumer, wire, reason)
        except Unavailable:
            self._wait_for_store(raw)
        else:
            self._move(raw, lambda done: self._ladder.bury(raw, self.queue, reason, done))

    def _move(self, raw: amqp.Message, move: Callable[[Callable[[], None]], None]) -> None:
        """Have the pump move a message off the queue, and wait until it is settled or its channel is gone."""
        settled = threading.Event()
        self._pump.post(lambda _channel: move(settled.set), raw.channel)
        while not settled.wait(PAUSE_S):
            if raw.channel is not self._channel or not self._pump.connected.is_set():
                return  # the broker has it back

    def _wait_for_store(self, raw: amqp.Message) -> None:
        """Stop consuming and give the message back, until the database answers again."""
        self._paused = True
        log.warning("store lost", consumer=self.consumer)
        self._pump.post(self._cancel)
        self._pump.post(lambda channel: channel.basic_reject(raw.delivery_tag, requeue=True), raw.channel)
        while not self._stopping.is_set() and not self._store_answers():
            self._stopping.wait(PAUSE_S)
        self._paused = False
        self._pump.post(self._consume)

    def _store_answers(self) -> bool:
        with suppress(Exception):
            self._store.ping()
            return True
        return False

"""How messages get into a face: two inlets (calls, events), each a consumer on a connection of its own.

* Nothing is declared. The topology is checked passively at each connection; what the broker refuses or lacks ends
  the process.
* The guard sees every message before nameko does. Calls are answered on the inlet's own channel, then acked; answers
  need no confirm, for a caller who got none repeats the same command id. Events are acked after their transaction.
* The prefetches together are smaller than the worker pool, so that handing over never waits and an event backlog
  never takes the workers of calls.
* Draining: the consumer is cancelled, the connection stays until nothing is in flight. Whatever is not settled when
  the connection goes, the broker delivers again.
* Calls never enter the ladder. Events that meet a bug or an unavailable part climb it; what is refused, or is no
  message of ours, goes to the dead letters at once. Our own database costs no attempt: gone, the event goes back to
  its queue; busy (as with the transaction that a killed process left open there, for a minute), it waits.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import amqp
import structlog
from eventlet import Event, Timeout
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint, SharedExtension

from contracts.errors import OphorError, Rejected, Unavailable
from shared.bus import guard, topology
from shared.bus.envelope import Message
from shared.bus.faces_delivery import Delivery
from shared.bus.faces_house import EARLY, House, Outcome
from shared.bus.faces_pump import GreenPump
from shared.bus.guard import Poison, Received
from shared.bus.ladder import OWN_STORE, Ladder, is_last
from shared.runtime.logging import outcome_of, place_of
from shared.runtime.metrics import ENTRYPOINTS, begin

CALLS_AT_ONCE = 8
EVENTS_AT_ONCE = 4
LOOK_S = 5.0
WORKERS = CALLS_AT_ONCE + EVENTS_AT_ONCE + 4

log = structlog.get_logger("ophor.faces")


class Inlet(SharedExtension):
    """One consumer of a face; subclasses say which queue, how messages are checked, and what an outcome leads to."""

    house = House()
    kind = ""
    prefetch = 1

    def __init__(self) -> None:
        self.entries: dict[str, Entrypoint] = {}
        self.in_flight: set[Delivery] = set()
        self._tag = ""

    @property
    def service(self) -> str:
        """Give the face's name."""
        return str(self.container.service_name)

    @property
    def queue(self) -> str:
        """Give the queue's name."""
        raise NotImplementedError

    @property
    def consuming(self) -> bool:
        """Tell whether messages are being taken."""
        return self.pump.connected.is_set() and bool(self._tag)

    def setup(self) -> None:
        """Take part in the house; called by nameko before anything starts."""
        self.house.inlets.append(self)

    def start(self) -> None:
        """Begin to consume as soon as the broker and the database are there."""
        begin(self.service, self.entries, self.queue)
        self.pump = GreenPump(self.house.config.amqp_uri, f"{self.service} face {self.kind}", self._opened)
        self.container.spawn_managed_thread(self.pump.run, identifier=f"{self.kind} inlet")

    def resume(self) -> None:
        """Take messages (again)."""
        self.pump.post(self._consume)

    def pause(self) -> None:
        """Take no more messages, keep the connection."""
        self.pump.post(self._cancel)

    def finish(self) -> None:
        """Wait until nothing is in flight, then leave the broker; one that is gone has back what was to be moved."""
        while self._at_work() and not self.pump.ended.is_set():
            time.sleep(0.02)
        self.pump.stop()
        self.pump.ended.wait()

    def _at_work(self) -> bool:
        here = self.pump.connected.is_set()
        return any(here or not each.moving for each in self.in_flight)

    def depth(self, queue: str) -> int:
        """Count what lies in a queue; raise Unavailable where the broker does not say."""
        found = Event()
        self.pump.post(lambda channel: found.send(channel.queue_declare(queue, passive=True).message_count))
        with Timeout(LOOK_S, False):
            return int(found.wait())
        raise Unavailable("BUS_UNREACHABLE", f"the broker does not tell of {queue}", remedy="try again later")

    def check(self, received: Received) -> Message:
        """Give the verified message, or raise Poison or an OphorError for its sender."""
        raise NotImplementedError

    def done(self, delivery: Delivery, message: Message, outcome: Outcome) -> None:
        """Settle a delivery that was handled."""
        raise NotImplementedError

    def refused(self, delivery: Delivery, error: OphorError) -> None:
        """Settle a delivery whose sender is proven but wrong."""
        raise NotImplementedError

    def _opened(self, channel: amqp.Channel) -> None:
        self._tag = ""
        self.in_flight.clear()  # of a connection that was lost: the broker has them back
        topology.check(channel.connection, self.service)
        self.ladder = Ladder(channel.connection.channel(), self.service)  # confirms have a channel of their own
        channel.auto_decode = False  # bodies stay the bytes that were signed
        channel.basic_qos(0, self.prefetch, False)
        self._consume(channel)

    def _consume(self, channel: amqp.Channel) -> None:
        if self.house.open and not self._tag:
            self._tag = channel.basic_consume(self.queue, callback=self._arrived)

    def _cancel(self, channel: amqp.Channel) -> None:
        if self._tag:
            tag, self._tag = self._tag, ""
            channel.basic_cancel(tag, nowait=True)

    def _arrived(self, raw: amqp.Message) -> None:
        delivery = Delivery(self, raw)
        self.in_flight.add(delivery)
        if not self.house.open:
            return delivery.requeue()
        try:
            message = self.check(delivery.received)
            entry = self._entry(message)
        except Poison as poison:
            self._note(f"poison {poison.reason}")
            delivery.bury(poison.reason, poison.answer() if poison.answerable else None)
        except OphorError as error:
            self._note(outcome_of(error))
            self.refused(delivery, error)
        except Exception as error:
            log.error("the guard failed", **place_of(error))
            delivery.bury(f"guard:{type(error).__name__}")
        else:
            self._hand_over(entry, message, delivery)
        return None

    def _entry(self, message: Message) -> Entrypoint:
        if message.wire not in self.entries:
            raise Unavailable("NOT_SERVED", f"{message.wire} is not served here yet", remedy="start its newer version")
        return self.entries[message.wire]

    def _hand_over(self, entry: Entrypoint, message: Message, delivery: Delivery) -> None:
        def handled(_context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            outcome = result if isinstance(result, Outcome) else Outcome.bug()
            self.done(delivery, message, outcome)
            return result, exc_info

        try:
            self.container.spawn_worker(entry, (message,), {}, context_data={}, handle_result=handled)
        except ContainerBeingKilled:
            delivery.requeue()

    def _note(self, outcome: str) -> None:
        ENTRYPOINTS.labels(self.service, "-", outcome.partition(" ")[0]).inc()
        log.warning("refused", consumer=self.service, queue=self.queue, outcome=outcome)


class Calls(Inlet):
    """The inlet of calls: whatever comes out, a call is answered or a dead letter, never retried."""

    kind = "rpc"
    prefetch = CALLS_AT_ONCE

    @property
    def queue(self) -> str:
        """Give the queue's name."""
        return f"rpc-{self.service}"

    def check(self, received: Received) -> Message:
        """Check a call."""
        return guard.command(received, self.service, self.house.trust)

    def done(self, delivery: Delivery, message: Message, outcome: Outcome) -> None:
        """Answer it."""
        delivery.answer(outcome)

    def refused(self, delivery: Delivery, error: OphorError) -> None:
        """Tell the caller."""
        delivery.answer(Outcome(error=error))


class Events(Inlet):
    """The inlet of events: acked after their commit, retried down the ladder, or dead-lettered."""

    kind = "events"
    prefetch = EVENTS_AT_ONCE

    @property
    def queue(self) -> str:
        """Give the queue's name."""
        return f"evt-{self.service}"

    def check(self, received: Received) -> Message:
        """Check an event."""
        return guard.event(received, self.service, self.house.trust)

    def done(self, delivery: Delivery, message: Message, outcome: Outcome) -> None:
        """Ack it, have it wait its turn, give it back, dead-letter it, or have it tried again later."""
        if outcome.error is None:
            delivery.ack()
        elif not self.house.database:
            delivery.requeue()
        elif outcome.error.code in (EARLY, *OWN_STORE):
            delivery.wait()
        elif isinstance(outcome.error, Rejected):
            self._record(message, outcome.error)
            delivery.bury(outcome.error.code)
        else:
            if is_last(message.attempts):
                self._record(message, outcome.error)
            delivery.climb(outcome.error.code)

    def refused(self, delivery: Delivery, error: OphorError) -> None:
        """Have what this face does not serve tried again: a newer version of it may be starting."""
        delivery.climb(error.code)

    def _record(self, message: Message, error: OphorError) -> None:
        with suppress(Unavailable):
            self.house.store.record_dead(message.id, message.consumer, message.wire, error.code)


class CallEntry(Entrypoint):
    """nameko's entrypoint of a command or query."""

    inlet = Calls()

    def setup(self) -> None:
        """Register under the wire name."""
        self.inlet.entries[f"{self.container.service_name}.{self.method_name}"] = self

    def stop(self) -> None:
        """Take no more calls."""
        self.inlet.house.shut()


class EventEntry(Entrypoint):
    """nameko's entrypoint of an event."""

    inlet = Events()

    def __init__(self, wire: str) -> None:
        super().__init__()
        self.wire = wire

    def setup(self) -> None:
        """Register under the event's type."""
        self.inlet.entries[self.wire] = self

    def stop(self) -> None:
        """Take no more events."""
        self.inlet.house.shut()

"""What all entrypoints of a face share: trust, store, health, and how a verified message becomes an outcome.

* A handler runs inside the store's unit of work; nothing that it raises reaches nameko, which would log its text.
* What is no error of ours by contract is answered as Unavailable INTERNAL, without details.
* A face is open while its database answers and nobody has asked it to stop. Closed, it takes no messages and is not
  ready; opened again, it goes on. So no backlog climbs the ladder because of our own database.
* `ordered` events are handled strictly by the `seq` of their aggregate: last + 1 is handled, a smaller one was, a
  larger one waits without using up attempts. `seq` counts all events of an emitter, so where one is ordered for a
  service, all that emitter's events are, and the service subscribes to all of them (checked at start).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from nameko.extensions import DependencyProvider, SharedExtension

from contracts.catalogue import COMMANDS, EVENTS, subscribed
from contracts.errors import OphorError, Rejected, Unavailable
from contracts.registry import check
from shared.bus import guard
from shared.bus.envelope import Message, jsonable
from shared.bus.trust import Trust
from shared.runtime.clock import clock_for
from shared.runtime.config import Config
from shared.runtime.health import Health
from shared.runtime.logging import canonical
from shared.runtime.metrics import watch_inbox
from shared.store.unit import Store, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.bus.faces_inlet import Inlet

NEEDED = ("OPHOR_AMQP_URI", "OPHOR_MONGO_URI", "OPHOR_TRUST")
WATCH_S, WATCH_CLOSED_S = 5.0, 0.5
EARLY = "EARLY"

Handler = Callable[[Unit, Message], Any]
log = structlog.get_logger("ophor.faces")


class AnswerInvalid(Exception):
    """A handler answered something else than its contract says."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message: a result, or an error of the two families."""

    result: Any = None
    error: OphorError | None = None

    @classmethod
    def bug(cls) -> Outcome:
        """Make the outcome of a bug of ours, which tells nothing of it."""
        return cls(error=Unavailable(
            "INTERNAL", "an error of ours; nothing was done", remedy="repeat with the same command id, then report it",
            da="Intern fejl; intet er udført.",
        ))  # fmt: skip

    def wire(self) -> dict[str, Any]:
        """Give the answer's body as nameko's callers expect it."""
        return {"result": self.result, "error": self.error and _wire_error(self.error)}


class House(SharedExtension):
    """A face's shared parts; nameko binds one to each container."""

    def __init__(self) -> None:
        self.inlets: list[Inlet] = []
        self.database = self.draining = False
        self.working = 0

    @property
    def open(self) -> bool:
        """Tell whether messages may be taken."""
        return self.database and not self.draining

    def setup(self) -> None:
        """Read the environment and make the parts; nothing connects yet."""
        self.service = str(self.container.service_name)
        self.config = Config.read(os.environ, NEEDED)
        assert self.config.trust is not None
        self.trust = Trust.load(self.config.trust)
        self.clock = clock_for(self.config.mode, self.config.clock_uri)
        self.store = Store(self.config.mongo_uri, self.service, self.clock)
        watch_inbox(self.store.db, self.service)
        checks = {
            "database": lambda: self.database,
            "broker": lambda: all(inlet.consuming for inlet in self.inlets),
            "stopping": lambda: not self.draining,
        }
        self.health = Health(f"{self.service} face", self.config.health_port, checks).start()

    def start(self) -> None:
        """Watch the database; the first answer opens the face."""
        self.container.spawn_managed_thread(self._watch, identifier="watch")

    def shut(self) -> None:
        """Take no more messages; what is in flight goes on."""
        if not self.draining:
            self.draining = True
            log.info("stopping", service=self.service, in_flight=sum(len(inlet.in_flight) for inlet in self.inlets))
            for inlet in self.inlets:
                inlet.pause()

    def stop(self) -> None:
        """Leave the broker when nothing is in flight, then the database."""
        for inlet in self.inlets:
            inlet.finish()
        self.store.close()
        self.health.stop()

    def dead(self, recorded: int) -> int:
        """Give how many dead letters count: those `recorded`, yet no more than lie in the queue (see account)."""
        return min(recorded, self.inlets[0].depth(f"dlq-{self.service}")) if recorded else 0

    def answer(self, handler: Handler, call: Message) -> Outcome:
        """Run a command (in a transaction) or query and give its outcome."""
        known = COMMANDS[call.wire]

        def handle(unit: Unit) -> Any:
            body = jsonable(handler(unit, call))
            try:
                check(known.answer, body, known.wire)
            except Rejected as error:
                raise AnswerInvalid(error.field) from None
            return body

        def work() -> Any:
            if known.query:
                guard.in_time(call.deadline)
                return self.store.read(handle)
            return self.store.run(handle, message=call, deadline=call.deadline)

        return self._outcome(work, call, counts=not known.query)

    def told(self, handler: Handler, event: Message) -> Outcome:
        """Run an event's handler in a transaction and give its outcome."""

        def handle(unit: Unit) -> None:
            if not ordered(self.service, event.wire) or _its_turn(unit, event):
                handler(unit, event)

        return self._outcome(lambda: self.store.run(handle, message=event), event, counts=True)

    def _outcome(self, work: Callable[[], Any], message: Message, *, counts: bool) -> Outcome:
        try:
            with self._counted(counts), _line(message):
                return Outcome(work())
        except Rejected as error:
            return Outcome(error=error)
        except Unavailable as error:
            if error.code != EARLY:
                self._look()
            return Outcome(error=error)
        except Exception:  # told by the canonical line, by type and place only
            self._look()
            return Outcome.bug()

    @contextmanager
    def _counted(self, counts: bool) -> Iterator[None]:
        self.working += counts
        try:
            yield
        finally:
            self.working -= counts

    def _watch(self) -> None:
        while not self.draining:
            self._look()
            time.sleep(WATCH_S if self.database else WATCH_CLOSED_S)

    def _look(self) -> None:
        """Look whether database and clock answer, and close or open the face accordingly."""
        try:
            self.store.ping()
            self.clock.fresh()
            there, why = True, ""
        except Unavailable as error:
            there, why = False, error.code
        if there == self.database:
            return
        self.database = there
        log.warning("opened" if there else "closed", service=self.service, reason=why)
        for inlet in self.inlets:
            if self.open:
                inlet.resume()
            else:
                inlet.pause()


class Housed(DependencyProvider):
    """Give a face's handlers their house."""

    house = House()

    def get_dependency(self, worker_ctx: Any) -> House:
        """Give the house."""
        return self.house


def ordered(service: str, wire: str) -> bool:
    """Tell whether `service` handles this event strictly by seq: it does for all of an emitter's if for one."""
    emitter = EVENTS[wire].emitter
    return any(event.ordered for event in subscribed(service) if event.emitter == emitter)


def _its_turn(unit: Unit, event: Message) -> bool:
    key = {"_id": f"{event.consumer}/{event.aggregate}"}
    position = unit.db.positions.find_one(key, session=unit.session)
    last = position["seq"] if position else 0
    if event.seq > last + 1:
        raise Unavailable(EARLY, "an ordered event came before its predecessor", remedy="nothing: it waits its turn")
    if event.seq <= last:
        return False
    unit.db.positions.replace_one(key, {"seq": event.seq}, upsert=True, session=unit.session)
    return True


def _line(message: Message) -> Any:
    return canonical(
        message.consumer, message.wire, message.id, correlation_id=message.correlation_id, kind=message.kind,
        attempts=message.attempts, traceparent=message.traceparent, told_at=message.told_at,
    )  # fmt: skip


def _wire_error(error: OphorError) -> dict[str, Any]:
    family = "Rejected" if isinstance(error, Rejected) else "Unavailable"
    return {
        "exc_type": family, "exc_path": f"contracts.errors.{family}", "exc_args": [error.as_dict()],
        "value": str(error),
    }  # fmt: skip

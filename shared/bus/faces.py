"""Faces: a service's RPC and event entrypoints on nameko, as ADR 0001 shows them.

    class Orders(Face):
        name = "orders"

        @command
        def place_final_order(self, unit, call): ...   # one transaction; returns the answer's data
        @query
        def read_exit(self, unit, call): ...           # no transaction
        @on("delivery.package_delivered")
        def package_delivered(self, unit, told): ...   # one transaction

`unit` is `shared.store.unit.Unit`; `call` and `told` are a verified `shared.bus.envelope.Message`. A handler may run
several times; only the run that commits counts. The plain function is kept as `__wrapped__`, for tests without a bus.
A face does not start unless it serves exactly what the contracts declare for it (`check_complete`).
"""

from __future__ import annotations

import errno
import gc
import os
import signal
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar

import eventlet
import eventlet.debug
import nameko
import structlog
from nameko.containers import ServiceContainer
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR, register_entrypoint

from contracts.catalogue import COMMANDS, EVENTS, subscribed
from contracts.errors import OphorError, Rejected
from shared.bus.envelope import Message
from shared.bus.faces_house import Housed, Outcome
from shared.bus.faces_inlet import WORKERS, CallEntry, EventEntry
from shared.bus.pump import BusMismatch
from shared.runtime.logging import place_of
from shared.store.unit import Unit

GRACE_S = 90
Handler = TypeVar("Handler", bound=Callable[..., Any])
log = structlog.get_logger("ophor.faces")


def _call(handler: Handler, *, query: bool) -> Handler:
    @wraps(handler)
    def entry(face: Face, message: Message) -> Outcome:
        outcome: Outcome = face.house.answer(partial(handler, face), message)
        return outcome

    entry.is_query = query  # type: ignore[attr-defined]
    register_entrypoint(entry, CallEntry())
    return entry  # type: ignore[return-value]


def command(handler: Handler) -> Handler:
    """Serve the command of the handler's name, in one transaction, idempotent by its command id."""
    return _call(handler, query=False)


def query(handler: Handler) -> Handler:
    """Serve the query of the handler's name, without a transaction."""
    return _call(handler, query=True)


def on(*wires: str) -> Callable[[Handler], Handler]:
    """Handle events by wire name (`orders.order_placed`), each in one transaction with the record that it was."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def entry(face: Face, message: Message) -> Outcome:
            outcome: Outcome = face.house.told(partial(handler, face), message)
            return outcome

        for wire in wires:
            register_entrypoint(entry, EventEntry(wire))
        return entry  # type: ignore[return-value]

    return decorate


class Face:
    """A service's face; subclasses set `name` and decorate handlers."""

    name = ""
    house = Housed()

    @query
    def status(self, unit: Unit, call: Message) -> dict[str, Any]:
        """Answer with this service's account of itself (`contracts.catalogue.Status`)."""
        account = self.house.store.status()
        return {**account, "dead": self.house.dead(account["dead"]), "in_flight": self.house.working}


def check_complete(face: type[Face]) -> None:
    """Raise Rejected FACE_INCOMPLETE where a face serves less, or something else, than the contracts declare."""
    calls, events = _served(face)
    declared = {known.name: known.query for known in COMMANDS.values() if known.service == face.name}
    told = {event.wire for event in subscribed(face.name)}
    wrong = sorted(
        {f"{face.name}.{name}" for name in declared.keys() ^ calls.keys()}
        | {f"{face.name}.{name}" for name in declared.keys() & calls.keys() if declared[name] != calls[name]}
        | (told ^ events)
        | _gaps(face.name)
    )
    if wrong:
        raise Rejected(
            "FACE_INCOMPLETE", f"{face.name} does not serve as declared: {', '.join(wrong)}", field=face.name,
            remedy="serve exactly what contracts/ declares",
        )  # fmt: skip


def run(face: type[Face]) -> int:
    """Run a face until SIGTERM or SIGINT (clean stop, at most 90 s) or until it cannot go on; give the exit code."""
    eventlet.debug.hub_exceptions(False)  # it would print exceptions with their texts
    nameko.config.setup({"max_workers": WORKERS})
    container, started = ServiceContainer(face), eventlet.Event()

    def stop() -> None:
        started.wait()  # stopped in the middle of it, what starts afterwards would never end
        container.stop()

    def leave(_signal: int, _frame: Any) -> None:
        eventlet.spawn_after(GRACE_S, os._exit, 1)
        eventlet.spawn_n(stop)

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, leave)
    try:
        container.start()
        started.send()
        gc.collect()
        gc.freeze()  # what a face is made of stays: to look through it time and again stops calls for 20 ms or more
        _wait(eventlet.spawn(container.wait))
    except BusMismatch as error:
        log.critical("the broker is not as declared", service=face.name, message=str(error))
        return 1
    except OphorError as error:
        log.critical("cannot run", service=face.name, code=error.code, message=str(error))
        return 1
    except Exception as error:
        log.critical("ended by a bug", service=face.name, **place_of(error))
        return 1
    log.info("stopped", service=face.name)
    return 0


def _served(face: type[Face]) -> tuple[dict[str, bool], set[str]]:
    calls: dict[str, bool] = {}
    events: set[str] = set()
    for name in dir(face):
        method = getattr(face, name)
        for entry in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR, ()):
            if isinstance(entry, EventEntry):
                events.add(entry.wire)
            else:
                calls[name] = method.is_query
    return calls, events


def _gaps(service: str) -> set[str]:
    """Name the events that an ordered subscription to their emitter lacks (its seq would have gaps)."""
    emitters = {event.emitter for event in subscribed(service) if event.ordered}
    return {event.wire for event in EVENTS.values() if event.emitter in emitters and service not in event.subscribers}


def _wait(ending: Any) -> None:
    while True:
        try:
            ending.wait()
        except OSError as error:  # a signal while the hub waits
            if error.errno != errno.EINTR:
                raise
        else:
            return

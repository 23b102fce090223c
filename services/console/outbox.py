"""`ophor outbox replay|unpark`: publish again what a service told (design §3.1), with the rights of its own relay."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.catalogue import SERVICES
from contracts.errors import Rejected
from services.console import session
from services.console.clock import moment
from services.console.terminal import speaks

if TYPE_CHECKING:
    from shared.store.unit import Store

app = typer.Typer(no_args_is_help=True, help="Udbakker. / Outboxes.")


@app.command()
@speaks
def replay(
    to: Annotated[str, typer.Option("--to", metavar="QUEUE", help="Køen, fx evt-compliance. / The queue.")],
    since: Annotated[str, typer.Option("--since", metavar="T", help="Dato, tidspunkt, eller 2h, 3d.")],
) -> None:
    """Send igen det en kø fik siden T; modtageren kasserer det den havde. / Send again what a queue was told since T.

    T is real time: a date, an instant with offset, or an age like 90m, 2h, 3d. Examples:

      ophor outbox replay --to evt-compliance --since 2h
    """
    from shared.bus import relay

    start, count = _since(since), 0
    for service in _senders(to):
        count += _with_store(
            service, lambda store, connection, signer: relay.replay(store, connection, signer, to, start)
        )
    typer.echo(f"{count} sendt igen til {to}")


@app.command()
@speaks
def unpark(service: Annotated[str, typer.Argument(help="Tjenesten. / The service.")]) -> None:
    """Lad parkerede beskeder blive sendt igen, når årsagen er fjernet. / Have parked rows published again.

    Examples:

      ophor outbox unpark deletion
    """
    from shared.bus import relay

    typer.echo(f"{_with_store(service, lambda store, connection, signer: relay.unpark(store))} sendes igen")


def _senders(queue: str) -> list[str]:
    from contracts.catalogue import EVENTS, TASKS

    senders = {event.emitter for event in EVENTS.values() if queue in {f"evt-{name}" for name in event.subscribers}}
    senders |= {task.service for task in TASKS.values() if queue == f"hand-{task.service}-{task.hand}"}
    if not senders:
        raise Rejected(
            "QUEUE_UNKNOWN",
            f"{queue} is told nothing by anybody",
            field="--to",
            remedy="name a queue evt-SERVICE or hand-SERVICE-HAND",
            da=f"Køen {queue} findes ikke.",
        )
    return sorted(senders)


def _with_store(service: str, work):  # type: ignore[no-untyped-def]
    """Do `work(store, connection, signer)` as the service's relay would; give its result."""
    from shared.bus.trust import Signer

    env = _environment(service)
    with store_of(service) as store, session.reached(env["OPHOR_AMQP_URI"]) as connection:
        return work(store, connection, Signer.load(Path(env["OPHOR_KEYS"]), service))


@contextmanager
def store_of(service: str) -> Iterator[Store]:
    """Open a service's store with the rights of its relay; raise Unavailable STACK_MISSING where nothing names one."""
    from shared.runtime.clock import clock_for
    from shared.store.unit import Store

    env = _environment(service)
    store = Store(env["OPHOR_MONGO_URI"], service, clock_for(env["OPHOR_MODE"], env.get("OPHOR_CLOCK_URI", "")))
    try:
        yield store
    finally:
        store.close()


def _environment(service: str) -> Mapping[str, str]:
    """Give the environment of the service's relay: the local stack's, or, inside its container, the present one.

    A console with OPHOR_MONGO_URI_<SERVICE> reaches that service's store; to publish as its relay takes more.
    """
    if service not in SERVICES:
        raise Rejected(
            "SERVICE_UNKNOWN",
            f"there is no service {service}",
            field="SERVICE",
            remedy=f"one of {', '.join(SERVICES)}",
            da=f"Tjenesten {service} findes ikke.",
        )
    if own := os.environ.get(f"OPHOR_MONGO_URI_{service.upper()}") or os.environ.get("OPHOR_MONGO_URI"):
        return {**os.environ, "OPHOR_MONGO_URI": own}
    return session.stack().environment(f"{service}-relay")


def _since(text: str) -> datetime:
    units = {"m": "minutes", "h": "hours", "d": "days"}
    if text[:-1].isdecimal() and text[-1:] in units:
        with suppress(OverflowError):  # before the first year there is
            return datetime.now().astimezone() - timedelta(**{units[text[-1]]: int(text[:-1])})
    return moment(text)

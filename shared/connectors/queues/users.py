"""Who may do what in a virtual host: the tenant's users, and whether our own user can change anything."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

import amqp

from contracts.system_map import MARKER_PLACE
from shared.connectors import failures
from shared.connectors.protocol import Access
from shared.connectors.queues.broker import Broker

_RIGHTS = ("configure", "write", "read")
_NOTHING = ("", "^$")
_PATIENCE_S, _PAUSE_S = 30.0, 0.1


def access(broker: Broker, users: Iterable[str]) -> Access:
    """Look at what the users may do in this virtual host."""
    found = [row for name in users if (row := _rights(broker, name))]
    rights = sum(1 for row in found for right in _RIGHTS if row[right] not in _NOTHING)
    return Access(len(found) + rights, rights > 0, bool(found), {"users": len(found), "rights": rights})


def freeze(broker: Broker, system: str, users: Iterable[str]) -> None:
    """Leave the users their log-in only: to take a message is to change a queue."""
    for name in users:
        if _rights(broker, name):
            broker.ask("PUT", "permissions", broker.vhost, name, body=dict.fromkeys(_RIGHTS, "^$"))
            _end_connections(broker, system, name)


def close(broker: Broker, system: str, users: Iterable[str]) -> None:
    """Take the users' rights in this virtual host away and end their connections to it."""
    for name in users:
        broker.ask("DELETE", "permissions", broker.vhost, name)
        broker.ask("DELETE", "topic-permissions", broker.vhost, name)
        _end_connections(broker, system, name)


def can_write(broker: Broker, queues: Iterable[dict[str, Any]]) -> bool:
    """Try, without effect, to declare a queue otherwise than it is, and to send a message to no queue at all.

    The right to look is also the right to take: RabbitMQ has no narrower one.
    """
    tags = broker.ask("GET", "whoami").get("tags") or []
    if {"administrator", "policymaker"} & set(tags.split(",") if isinstance(tags, str) else tags):
        return True
    return _may(broker, _send_nowhere) or any(_may(broker, _redeclare(row)) for row in queues)


def _send_nowhere(channel: amqp.Channel) -> None:
    channel.basic_publish(amqp.Message(""), "", f"ophor.{secrets.token_hex(16)}")
    channel.queue_declare(MARKER_PLACE, passive=True)  # its answer comes after a refusal of the message would


def _redeclare(row: dict[str, Any]) -> Callable[[amqp.Channel], Any]:
    """Declare the queue as exclusive, which it is not: refused either way, and a queue made by a race ends at once."""
    return lambda channel: channel.queue_declare(row["name"], durable=row["durable"], auto_delete=False, exclusive=True)


def _may(broker: Broker, act: Callable[[amqp.Channel], Any]) -> bool:
    """Tell whether the broker refuses `act` for want of rights; any other answer means that it is allowed."""
    with broker.channel() as channel:
        try:
            act(channel)
        except amqp.AccessRefused:
            return False
        except amqp.ChannelError:
            return True
    return True


def _rights(broker: Broker, name: str) -> dict[str, str] | None:
    found: dict[str, str] | None = broker.ask("GET", "permissions", broker.vhost, name)
    return found


def _end_connections(broker: Broker, system: str, name: str) -> None:
    """End the user's connections to this virtual host and wait until they are gone; those to others stay.

    The list by user is kept as connections come; a single one can be ended only once the statistics know it too.
    """
    until = time.monotonic() + _PATIENCE_S
    while True:
        rows = broker.ask("GET", "connections", "username", name) or []
        mine = [str(row["name"]) for row in rows if row.get("vhost") == broker.vhost]
        if not mine:
            return
        if time.monotonic() > until:
            raise failures.busy(system, "connections of the tenant's users do not end")
        if len(mine) == len(rows):
            broker.ask("DELETE", "connections", "username", name)
        else:
            for connection in mine:
                broker.ask("DELETE", "connections", connection)
        time.sleep(_PAUSE_S)

"""The topology at a broker: declared by one user, looked for by all (design §3.8).

* `apply` declares actively, as the user `topology`, and gives every difference that it met (`held`). A queue with other
  properties stops it.
* `check` is every process's look at its start: queues, exchanges and the version stamp, passively. A passive look sees
  no bindings: those are compared over the management API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.bus.topology.described import Exchange, Queue, describe, queues_of, used_by
from shared.bus.topology.held import Held, Management, mend

if TYPE_CHECKING:
    import amqp


def apply(connection: amqp.Connection, mode: str, management: Management | None = None) -> list[str]:
    """Declare the whole topology; give every difference from what was there, one line each."""
    wanted = describe(mode)
    before = Held.by(management) if management else None
    told = [line for exchange in wanted.exchanges if (line := _declare_exchange(connection, exchange))]
    told += [line for queue in wanted.queues if (line := _declare_queue(connection, queue))]
    channel = connection.channel()
    for binding in wanted.bindings:
        channel.queue_bind(binding.queue, binding.exchange, binding.key)
    if management and before:
        told += mend(channel, wanted, before, management)
    if stamped := _declare_exchange(connection, Exchange(wanted.stamp, "fanout")):
        told.append(stamped)
    return told


def check(connection: amqp.Connection, service: str) -> None:
    """Look passively whether a service finds its queues, its exchanges and this version's stamp; raise BusMismatch."""
    from shared.bus.pump import FATAL, BusMismatch

    wanted = describe("production")  # only policies differ by mode
    channel = connection.channel()
    looking = wanted.stamp
    try:
        channel.exchange_declare(looking, "fanout", passive=True)
        for looking in (each.name for each in wanted.exchanges if used_by(each.name, service)):
            channel.exchange_declare(looking, "direct", passive=True)
        for looking in queues_of(service):
            channel.queue_declare(looking, passive=True)
        channel.close()
    except FATAL as error:
        raise BusMismatch(
            f"{looking}: {error.reply_code} {error.reply_text}; the broker does not hold these contracts; "
            "run: ophor topology apply"
        ) from None


def _declare_exchange(connection: amqp.Connection, exchange: Exchange) -> str:
    def declare(channel: amqp.Channel, passive: bool) -> None:
        channel.exchange_declare(exchange.name, exchange.type, passive=passive, durable=True, auto_delete=False)

    return _declare(connection, f"exchange {exchange.name}", declare)


def _declare_queue(connection: amqp.Connection, queue: Queue) -> str:
    def declare(channel: amqp.Channel, passive: bool) -> None:
        channel.queue_declare(
            queue.name, passive=passive, durable=True, exclusive=False, auto_delete=False, arguments=queue.arguments
        )

    return _declare(connection, f"queue {queue.name}", declare)


def _declare(connection: amqp.Connection, what: str, declare: Any) -> str:
    """Declare actively; give a line if it was not there, raise BusMismatch if it is there and is something else."""
    from amqp.exceptions import NotFound, PreconditionFailed

    from shared.bus.pump import BusMismatch

    told = ""
    try:
        declare(connection.channel(), True)
    except NotFound:
        told = f"+ {what}"
    try:
        channel = connection.channel()
        declare(channel, False)
        channel.close()
    except PreconditionFailed as error:
        raise BusMismatch(f"{what} has other properties: {error.reply_text}; empty it and delete it") from None
    return told

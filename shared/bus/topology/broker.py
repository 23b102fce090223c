"""The topology at a broker: declared by one user, compared by all (design §3.8).

* `apply` declares actively, as the user `topology`, and gives every difference that it met. A queue with other
  properties stops it; a queue that it does not know is named, never deleted.
* `check` is every process's look at its start: queues, exchanges and the version stamp, passively. A passive look sees
  no bindings: those are compared over the management API.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from shared.bus.topology.described import (
    RPC,
    STAMP,
    Binding,
    Exchange,
    Queue,
    Topology,
    as_wire,
    describe,
    queues_of,
    used_by,
)  # fmt: skip

if TYPE_CHECKING:
    import amqp


class Management:
    """The broker's management API, as the user in `amqp_uri`; raise OSError where it does not answer."""

    def __init__(self, address: str, amqp_uri: str) -> None:
        parts = urlsplit(amqp_uri)
        self._address = address.rstrip("/")
        self._vhost = quote(unquote(parts.path[1:]) or "/", safe="")
        login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        self._headers = {
            "Authorization": "Basic " + base64.b64encode(login.encode()).decode(), "Content-Type": "application/json",
        }  # fmt: skip

    def list(self, kind: str) -> list[dict[str, Any]]:
        """List what the virtual host has of a `kind`: exchanges, queues, bindings."""
        found: list[dict[str, Any]] = json.loads(self._ask("GET", f"{kind}/{self._vhost}"))
        return found

    def put(self, kind: str, name: str, body: dict[str, Any]) -> None:
        """Set one thing of a `kind` in the virtual host."""
        self._ask("PUT", f"{kind}/{self._vhost}/{quote(name, safe='')}", json.dumps(body).encode())

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        from urllib.request import Request, urlopen

        request = Request(f"{self._address}/api/{path}", body, self._headers, method=method)  # noqa: S310
        with urlopen(request, timeout=10) as answer:  # noqa: S310 - the operator's own address
            content: bytes = answer.read()
        return content


def apply(connection: amqp.Connection, mode: str, management: Management | None = None) -> list[str]:
    """Declare the whole topology; give every difference from what was there, one line each."""
    wanted = describe(mode)
    before = _Seen.by(management) if management else None
    told = [line for exchange in wanted.exchanges if (line := _declare_exchange(connection, exchange))]
    told += [line for queue in wanted.queues if (line := _declare_queue(connection, queue))]
    channel = connection.channel()
    for binding in wanted.bindings:
        channel.queue_bind(binding.queue, binding.exchange, binding.key)
    if management and before:
        told += _mend(channel, wanted, before, management)
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


def missing_bindings(management: Management, service: str = "") -> list[Binding]:
    """List the contract's bindings that the broker lacks, of all or of what `service` sends and consumes."""
    present = {_binding(row) for row in management.list("bindings")}

    def concerns(binding: Binding) -> bool:
        return not service or binding.queue in queues_of(service) or used_by(binding.exchange, service)

    return [binding for binding in describe("production").bindings if binding not in present and concerns(binding)]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the broker held before."""

    exchanges: set[str]
    queues: dict[str, int]
    bindings: set[Binding]
    policies: dict[str, dict[str, Any]]

    @classmethod
    def by(cls, management: Management) -> _Seen:
        return cls(
            {row["name"] for row in management.list("exchanges")},
            {row["name"]: row.get("messages", 0) for row in management.list("queues")},
            {_binding(row) for row in management.list("bindings")},
            {row["name"]: row for row in management.list("policies")},
        )


def _mend(channel: amqp.Channel, wanted: Topology, before: _Seen, management: Management) -> list[str]:
    told = [f"+ binding {binding}" for binding in wanted.bindings if binding not in before.bindings]
    ours = {exchange.name for exchange in wanted.exchanges}
    for binding in sorted(before.bindings - set(wanted.bindings)):
        if binding.exchange in ours and not _is_reply(binding):
            channel.queue_unbind(binding.queue, binding.exchange, binding.key)
            told.append(f"- binding {binding}")
    for policy in wanted.policies:
        held = before.policies.get(policy.name, {})
        if {name: held.get(name) for name in as_wire(policy)} != as_wire(policy):
            management.put("policies", policy.name, as_wire(policy))
            told.append(f"{'~' if held else '+'} policy {policy.name}")
    for stamp in sorted(name for name in before.exchanges if name.startswith(STAMP) and name != wanted.stamp):
        channel.exchange_delete(stamp)
        told.append(f"- exchange {stamp}")
    return told + [f"? queue {name} is not in the contracts" for name in _strange(before.queues, wanted)]


def _strange(present: Iterable[str], wanted: Topology) -> list[str]:
    strangers = set(present) - {queue.name for queue in wanted.queues}
    return sorted(name for name in strangers if name.startswith(("rpc-", "evt-", "hand-", "delay-", "dlq-")))


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


def _binding(row: Mapping[str, Any]) -> Binding:
    return Binding(row["source"], row["routing_key"], row["destination"])


def _is_reply(binding: Binding) -> bool:
    return binding.exchange == RPC and binding.queue.startswith(("reply-", "rpc.reply-"))

"""What a broker holds beside what the contracts describe, over its management API (design §3.8).

* `differences` looks at everything and changes nothing; `mend` puts right what can be put right without a loss:
  bindings, policies, rights, old stamps. Exchanges and queues are declared over AMQP (`broker`).
* A queue that the contracts do not know is named, never deleted. A user that is missing is named, for a password is not
  in the contracts; a user that is there gets the rights that the contracts give it, and no others.
"""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from shared.bus.topology.described import RPC, STAMP, Binding, Topology, User, as_wire, describe, queues_of, used_by

Rows = list[dict[str, Any]]
Rights = dict[str, Any]
_OURS = ("rpc-", "evt-", "hand-", "delay-", "dlq-")


class Management:
    """The broker's management API, as the user in `amqp_uri`; raise OSError where it does not answer.

    With `https` the certificate and the host's name are checked, by the authority that `amqp_uri` names (cacertfile).
    """

    def __init__(self, address: str, amqp_uri: str) -> None:
        parts = urlsplit(amqp_uri)
        self._address = address.rstrip("/")
        self._vhost = quote(unquote(parts.path[1:]) or "/", safe="")
        login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        self._headers = {
            "Authorization": "Basic " + base64.b64encode(login.encode()).decode(), "Content-Type": "application/json",
        }  # fmt: skip
        self._tls: ssl.SSLContext | None = None
        if self._address.startswith("https:"):
            self._tls = ssl.create_default_context(cafile=parse_qs(parts.query).get("cacertfile", [None])[0])

    def list(self, kind: str) -> Rows:
        """List what the virtual host has of a `kind`: exchanges, queues, bindings, policies."""
        return self._listed(f"{kind}/{self._vhost}")

    def users(self) -> set[str]:
        """Name the broker's users (as an administrator)."""
        return {str(row["name"]) for row in self._listed("users")}

    def rights(self) -> dict[tuple[str, str], Rights]:
        """Give the rights in the virtual host: (user, "") → permissions, (user, exchange) → topic permissions."""
        plain = {(row["user"], ""): row for row in self._listed(f"vhosts/{self._vhost}/permissions")}
        topics = self._listed(f"vhosts/{self._vhost}/topic-permissions")
        return plain | {(row["user"], row["exchange"]): row for row in topics}

    def put(self, kind: str, name: str, body: dict[str, Any]) -> None:
        """Set one thing of a `kind` in the virtual host."""
        self._ask("PUT", f"{kind}/{self._vhost}/{quote(name, safe='')}", json.dumps(body).encode())

    def _listed(self, path: str) -> Rows:
        try:
            found: Rows = json.loads(self._ask("GET", path))
        except (HTTPException, ValueError) as error:  # cut off, or none of ours
            raise OSError(f"the management API answers nonsense ({type(error).__name__})") from None
        return found

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

        request = Request(f"{self._address}/api/{path}", body, self._headers, method=method)  # noqa: S310
        direct = build_opener(ProxyHandler({}), HTTPSHandler(context=self._tls))  # as AMQP goes: by no proxy
        with direct.open(request, timeout=10) as answer:
            content: bytes = answer.read()
        return content


@dataclass(frozen=True, slots=True)
class Held:
    """What a broker holds."""

    exchanges: dict[str, str]
    queues: dict[str, str]
    bindings: set[Binding]
    policies: dict[str, dict[str, Any]]
    users: set[str]
    rights: dict[tuple[str, str], Rights]

    @classmethod
    def by(cls, management: Management) -> Held:
        """Ask the broker."""
        return cls(
            {row["name"]: row["type"] for row in management.list("exchanges")},
            {row["name"]: row.get("type", "") for row in management.list("queues")},
            {_binding(row) for row in management.list("bindings")},
            {row["name"]: row for row in management.list("policies")},
            management.users(), management.rights(),
        )  # fmt: skip


def differences(management: Management, mode: str) -> list[str]:
    """Compare the broker with the contracts; give one line a difference, `+` missing, `~` other, `-` too much, `?`."""
    held, wanted = Held.by(management), describe(mode)
    lines = [f"+ exchange {each.name}" for each in wanted.exchanges if each.name not in held.exchanges]
    lines += [
        f"~ exchange {each.name}: {held.exchanges[each.name]}, not {each.type}"
        for each in wanted.exchanges
        if held.exchanges.get(each.name, each.type) != each.type
    ]
    lines += [f"+ queue {each.name}" for each in wanted.queues if each.name not in held.queues]
    lines += [
        f"~ queue {each.name}: {held.queues[each.name]}, not quorum"
        for each in wanted.queues
        if held.queues.get(each.name, "quorum") != "quorum"
    ]
    lines += [f"+ exchange {wanted.stamp}"] if wanted.stamp not in held.exchanges else []
    return lines + list(_steps(wanted, held, None, None))


def mend(channel: Any, wanted: Topology, held: Held, management: Management) -> list[str]:
    """Put right what `held` has otherwise than `wanted`, or name it; give one line a difference."""
    return list(_steps(wanted, held, channel, management))


def missing_bindings(management: Management, service: str = "") -> list[Binding]:
    """List the contract's bindings that the broker lacks, of all or of what `service` sends and consumes."""
    present = {_binding(row) for row in management.list("bindings")}

    def concerns(binding: Binding) -> bool:
        return not service or binding.queue in queues_of(service) or used_by(binding.exchange, service)

    return [binding for binding in describe("production").bindings if binding not in present and concerns(binding)]


def _steps(wanted: Topology, held: Held, channel: Any, management: Management | None) -> Iterator[str]:
    """Tell each difference beside exchanges and queues; where there is a broker to act on, after it was mended."""
    yield from (f"+ binding {binding}" for binding in wanted.bindings if binding not in held.bindings)
    ours = {exchange.name for exchange in wanted.exchanges}
    for binding in sorted(held.bindings - set(wanted.bindings)):
        if binding.exchange in ours and not _is_reply(binding):
            if channel:
                channel.queue_unbind(binding.queue, binding.exchange, binding.key)
            yield f"- binding {binding}"
    for policy in wanted.policies:
        there = held.policies.get(policy.name, {})
        if {name: there.get(name) for name in as_wire(policy)} != as_wire(policy):
            if management:
                management.put("policies", policy.name, as_wire(policy))
            yield f"{'~' if there else '+'} policy {policy.name}"
    for user in wanted.users:
        yield from _rights(user, held, management)
    for stamp in sorted(name for name in held.exchanges if name.startswith(STAMP) and name != wanted.stamp):
        if channel:
            channel.exchange_delete(stamp)
        yield f"- exchange {stamp}"
    strangers = held.queues.keys() - {queue.name for queue in wanted.queues}
    yield from (f"? queue {name} is not in the contracts" for name in sorted(strangers) if name.startswith(_OURS))


def _rights(user: User, held: Held, management: Management | None) -> Iterator[str]:
    if user.name not in held.users:
        yield f"? user {user.name} is missing: make it with a password, then apply again"
        return
    for exchange, right in as_rights(user).items():
        there = held.rights.get((user.name, exchange), {})
        if {name: there.get(name) for name in right} != right:
            if management:
                management.put("topic-permissions" if exchange else "permissions", user.name, right)
            yield f"{'~' if there else '+'} rights of {user.name}{' at ' + exchange if exchange else ''}"


def as_rights(user: User) -> dict[str, Rights]:
    """Give a user's rights as the broker has them: "" → permissions, exchange → topic permissions."""
    plain = {"configure": user.configure, "write": user.write, "read": user.read}
    return {"": plain} | {
        exchange: {"exchange": exchange, "write": write, "read": read}
        for exchange, (write, read) in user.topics.items()
    }


def _binding(row: Mapping[str, Any]) -> Binding:
    return Binding(row["source"], row["routing_key"], row["destination"])


def _is_reply(binding: Binding) -> bool:
    return binding.exchange == RPC and binding.queue.startswith(("reply-", "rpc.reply-"))

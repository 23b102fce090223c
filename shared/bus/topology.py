"""What the broker must hold, computed from the contracts alone, and the one place that declares it (design §3.8).

* `describe` is pure: exchanges, quorum queues, bindings, policies, users with the fewest rights. Nothing else declares.
* `definitions` is what a new broker loads at boot, whole. A broker that imports them again ignores in silence what it
  holds otherwise, so `apply`, as the user `topology`, declares actively and gives every difference that it met; a
  queue that it does not know is named, never deleted.
* `check` is every process's look at its start: queues, exchanges and the version stamp, passively. A passive look sees
  no bindings: those are compared over the management API where `OPHOR_RABBIT_MANAGEMENT` names it.
* The stamp is an exchange named after the digest of the description: other contracts, another stamp.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from contracts.catalogue import CALLERS, EVENTS, SERVICES, TASKS, hands

if TYPE_CHECKING:
    import amqp

RPC, RETURN, DEAD = "nameko-rpc", "ophor.return", "ophor.dead"
TOPOLOGY_USER = "topology"
_SHORT = (50, 100, 200, 500)
DELAYS_MS = {"production": (1_000, 10_000, 60_000, 600_000), "demo": _SHORT, "test": _SHORT}
STEPS = 4
_RETURNS = 100_000
_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_STAMP = "ophor.topology."


@dataclass(frozen=True, slots=True, order=True)
class Exchange:
    """A durable exchange."""

    name: str
    type: str


@dataclass(frozen=True, slots=True, order=True)
class Queue:
    """A durable quorum queue; `single` = one active consumer at a time."""

    name: str
    single: bool = False

    @property
    def arguments(self) -> dict[str, Any]:
        """Give the arguments to declare it with."""
        return {"x-queue-type": "quorum", **({"x-single-active-consumer": True} if self.single else {})}


@dataclass(frozen=True, slots=True, order=True)
class Binding:
    """What `exchange` gets under `key` goes to `queue`."""

    exchange: str
    key: str
    queue: str

    def __str__(self) -> str:
        return f"{self.exchange} -[{self.key}]-> {self.queue}"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the broker does with the queues whose name fits `pattern`."""

    name: str
    pattern: str
    definition: dict[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """A broker user: patterns of what it may configure, write and read; `topics`: exchange → (write, read)."""

    name: str
    configure: str
    write: str
    read: str
    topics: dict[str, tuple[str, str]]
    tags: str = "management"


@dataclass(frozen=True, slots=True)
class Topology:
    """All that the broker must hold."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]
    policies: tuple[Policy, ...]
    users: tuple[User, ...]

    @property
    def stamp(self) -> str:
        """Give the name of the exchange that tells this version: a digest of exchanges, queues and bindings."""
        parts = sorted(map(repr, (*self.exchanges, *self.queues, *self.bindings)))
        return _STAMP + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


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


def describe(mode: str) -> Topology:
    """Compute the topology of the contracts for a process mode (`demo`, `test`, `production`)."""
    return Topology(_exchanges(), _queues(), _bindings(), _policies(mode), _users())


def definitions(passwords: Mapping[str, str], mode: str, vhost: str = "/") -> dict[str, Any]:
    """Make what a new broker loads at boot (JSON primitives): users with hashed `passwords`, rights, queues …"""
    described = describe(mode)
    return {
        "vhosts": [{"name": vhost}],
        "users": [_login(user, passwords[user.name]) for user in described.users],
        "permissions": [
            {"user": user.name, "vhost": vhost, "configure": user.configure, "write": user.write, "read": user.read}
            for user in described.users
        ],
        "topic_permissions": [
            {"user": user.name, "vhost": vhost, "exchange": exchange, "write": write, "read": read}
            for user in described.users
            for exchange, (write, read) in user.topics.items()
        ],
        "policies": [{**_policy(policy), "name": policy.name, "vhost": vhost} for policy in described.policies],
        "exchanges": [
            {
                "name": name, "vhost": vhost, "type": kind, "durable": True, "auto_delete": False, "internal": False,
                "arguments": {},
            }
            for name, kind in [*((each.name, each.type) for each in described.exchanges), (described.stamp, "fanout")]
        ],
        "queues": [
            {"name": queue.name, "vhost": vhost, "durable": True, "auto_delete": False, "arguments": queue.arguments}
            for queue in described.queues
        ],
        "bindings": [
            {
                "source": binding.exchange, "vhost": vhost, "destination": binding.queue, "destination_type": "queue",
                "routing_key": binding.key, "arguments": {},
            }
            for binding in described.bindings
        ],
    }  # fmt: skip


def users() -> list[str]:
    """List the broker's users, each of which needs a password."""
    return [user.name for user in _users()]


def queues_of(service: str) -> list[str]:
    """List the queues that a service consumes from."""
    own = [f"hand-{owner}-{hand}" for owner, hand in hands() if owner == service]
    return [f"rpc-{service}", f"evt-{service}", *own]


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
        for looking in (each.name for each in wanted.exchanges if _used_by(each.name, service)):
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
        return not service or binding.queue in queues_of(service) or _used_by(binding.exchange, service)

    return [binding for binding in _bindings() if binding not in present and concerns(binding)]


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
        if {name: held.get(name) for name in _policy(policy)} != _policy(policy):
            management.put("policies", policy.name, _policy(policy))
            told.append(f"{'~' if held else '+'} policy {policy.name}")
    for stamp in sorted(name for name in before.exchanges if name.startswith(_STAMP) and name != wanted.stamp):
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


def _exchanges() -> tuple[Exchange, ...]:
    return (
        Exchange(RPC, "topic"), Exchange(RETURN, "direct"), Exchange(DEAD, "direct"),
        *(Exchange(f"ophor.delay.{step}", "topic") for step in range(1, STEPS + 1)),
        *(Exchange(f"{service}.events", "topic") for service in SERVICES),
        *(Exchange(f"{service}.tasks", "direct") for service in sorted({owner for owner, _ in hands()})),
    )  # fmt: skip


def _queues() -> tuple[Queue, ...]:
    singles = {(task.service, task.hand) for task in TASKS.values() if task.single}
    return (
        *(Queue(f"{kind}-{service}") for service in SERVICES for kind in ("rpc", "evt", "dlq")),
        *(Queue(f"hand-{service}-{hand}", (service, hand) in singles) for service, hand in hands()),
        *(Queue(f"delay-{step}") for step in range(1, STEPS + 1)),
    )


def _bindings() -> tuple[Binding, ...]:
    returning = [f"evt-{service}" for service in SERVICES] + [f"hand-{service}-{hand}" for service, hand in hands()]
    return (
        *(Binding(RPC, f"{service}.*", f"rpc-{service}") for service in SERVICES),
        *(
            Binding(f"{event.emitter}.events", event.name, f"evt-{subscriber}")
            for event in EVENTS.values()
            for subscriber in event.subscribers
        ),
        *(Binding(f"{service}.tasks", hand, f"hand-{service}-{hand}") for service, hand in hands()),
        *(Binding(f"ophor.delay.{step}", "#", f"delay-{step}") for step in range(1, STEPS + 1)),
        *(Binding(RETURN, queue, queue) for queue in returning),
        *(Binding(DEAD, service, f"dlq-{service}") for service in SERVICES),
    )


def _policies(mode: str) -> tuple[Policy, ...]:
    """No message is dropped: refused where full, dead-lettered at least once, never returned for ever."""
    kept = {"dead-letter-strategy": "at-least-once", "overflow": "reject-publish", "delivery-limit": _RETURNS}
    delays = (
        Policy(f"ophor-delay-{step}", f"^delay-{step}$", {**kept, "message-ttl": delay, "dead-letter-exchange": RETURN})
        for step, delay in enumerate(DELAYS_MS[mode], 1)
    )
    services = (
        Policy(
            f"ophor-{service}", f"^((rpc|evt|dlq)-{service}|hand-{service}-.+)$",
            {**kept, "dead-letter-exchange": DEAD, "dead-letter-routing-key": service},
        )
        for service in SERVICES
    )  # fmt: skip
    return (*delays, *services)


def _users() -> tuple[User, ...]:
    everything = User(TOPOLOGY_USER, ".*", ".*", ".*", {}, "administrator")
    return (*map(_service_user, SERVICES), *map(_caller, CALLERS), everything)


def _service_user(service: str) -> User:
    own = f"evt-{service}|hand-{service}-[a-z]+"
    told = sorted({name for event in EVENTS.values() if event.emitter == service for name in event.subscribers})
    tasks = rf"|{service}\.tasks" if any(owner == service for owner, _ in hands()) else ""
    names = "|".join(event.name for event in EVENTS.values() if event.emitter == service)
    return User(
        f"svc-{service}",
        configure="^$",
        write=rf"^(nameko-rpc|{service}\.events{tasks}|ophor\.delay\.[1-4]|ophor\.dead)$",
        read=f"^(rpc-{service}|{own})$",
        topics={
            RPC: (f"^{_UUID}$", "^$"),
            f"{service}.events": (f"^({names})$", "^$"),
            # replay to one subscriber goes by the first delay
            "ophor.delay.1": (f"^({'|'.join([own, *(f'evt-{name}' for name in told)])})$", "^$"),
            **{f"ophor.delay.{step}": (f"^({own})$", "^$") for step in range(2, STEPS + 1)},
        },
    )


def _caller(name: str) -> User:
    """Callers write calls and bind their reply queues to UUIDs only; the console also mends dead letters."""
    replies = f"reply-{name}-.+"
    dead = ("|ophor\\.return", "|dlq-.+") if name == "console" else ("", "")
    return User(
        name,
        configure=f"^{replies}$",
        write=f"^(nameko-rpc|{replies}{dead[0]})$",
        read=f"^(nameko-rpc|{replies}{dead[1]})$",
        topics={RPC: (rf"^({'|'.join(SERVICES)})\.[a-z_]+$", f"^{_UUID}$")},
    )


def _login(user: User, password: str) -> dict[str, str]:
    salt = secrets.token_bytes(4)
    hashed = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    return {
        "name": user.name, "password_hash": hashed, "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": user.tags,
    }  # fmt: skip


def _policy(policy: Policy) -> dict[str, Any]:
    return {"pattern": policy.pattern, "definition": policy.definition, "apply-to": "queues", "priority": 1}


def _binding(row: Mapping[str, Any]) -> Binding:
    return Binding(row["source"], row["routing_key"], row["destination"])


def _is_reply(binding: Binding) -> bool:
    return binding.exchange == RPC and binding.queue.startswith("reply-")


def _used_by(exchange: str, service: str) -> bool:
    return exchange.startswith((f"{service}.", "ophor.")) or exchange == RPC

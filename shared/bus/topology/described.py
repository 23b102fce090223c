"""What the broker must hold, computed from the contracts alone; pure.

* Exchanges, durable quorum queues, bindings, policies, and users with the fewest rights.
* The stamp is an exchange named after the digest of the description: other contracts, another stamp.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from contracts.catalogue import CALLERS, EVENTS, SERVICES, TASKS, hands

RPC, RETURN, DEAD = "nameko-rpc", "ophor.return", "ophor.dead"
TOPOLOGY_USER, INTEGRATOR = "topology", "integrator"
_NAMEKO_REPLIES = r"rpc\.reply-standalone_rpc_client-.+"  # as nameko's own client names them
_SHORT = (50, 100, 200, 500)
DELAYS_MS = {"production": (1_000, 10_000, 60_000, 600_000), "demo": _SHORT, "test": _SHORT}
STEPS = 4
DEAD_MS = 14 * 24 * 3_600_000
_RETURNS = 100_000
_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
STAMP = "ophor.topology."


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
        return STAMP + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


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
        "policies": [{**as_wire(policy), "name": policy.name, "vhost": vhost} for policy in described.policies],
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


def used_by(exchange: str, service: str) -> bool:
    """Tell whether a service publishes to an exchange."""
    return exchange.startswith((f"{service}.", "ophor.")) or exchange == RPC


def users() -> list[str]:
    """List the broker's users, each of which needs a password."""
    return [user.name for user in _users()]


def queues_of(service: str) -> list[str]:
    """List the queues that a service consumes from."""
    own = [f"hand-{owner}-{hand}" for owner, hand in hands() if owner == service]
    return [f"rpc-{service}", f"evt-{service}", *own]


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
    """No message is dropped: refused where full, dead-lettered at least once, never returned for ever.

    A dead letter ends after 14 days, before K+15 (S2 3.2, 28.1); what it told stays in its sender's outbox, and nobody
    has handled it.
    """
    kept = {"dead-letter-strategy": "at-least-once", "overflow": "reject-publish", "delivery-limit": _RETURNS}
    delays = (
        Policy(f"ophor-delay-{step}", f"^delay-{step}$", {**kept, "message-ttl": delay, "dead-letter-exchange": RETURN})
        for step, delay in enumerate(DELAYS_MS[mode], 1)
    )
    services = (
        Policy(
            f"ophor-{service}", f"^((rpc|evt)-{service}|hand-{service}-.+)$",
            {**kept, "dead-letter-exchange": DEAD, "dead-letter-routing-key": service},
        )
        for service in SERVICES
    )  # fmt: skip
    lasting = {"overflow": "reject-publish", "delivery-limit": _RETURNS, "message-ttl": DEAD_MS}
    return (*delays, *services, Policy("ophor-dead", "^dlq-.+$", lasting))


def _users() -> tuple[User, ...]:
    everything = User(TOPOLOGY_USER, ".*", ".*", ".*", {}, "administrator")
    return (*map(_service_user, SERVICES), *map(_caller, CALLERS), _integrator(), everything)


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


def _integrator() -> User:
    """Outside systems call, with our client or nameko's own; they see nothing of the broker (ADR 0008)."""
    replies = f"(reply-{INTEGRATOR}-.+|{_NAMEKO_REPLIES})"
    return replace(
        _caller(INTEGRATOR), configure=f"^{replies}$", write=f"^(nameko-rpc|{replies})$",
        read=f"^(nameko-rpc|{replies})$", tags="",
    )  # fmt: skip


def _login(user: User, password: str) -> dict[str, str]:
    salt = secrets.token_bytes(4)
    hashed = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    return {
        "name": user.name, "password_hash": hashed, "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": user.tags,
    }  # fmt: skip


def as_wire(policy: Policy) -> dict[str, Any]:
    """Give a policy as the broker's definitions have it."""
    return {"pattern": policy.pattern, "definition": policy.definition, "apply-to": "queues", "priority": 1}

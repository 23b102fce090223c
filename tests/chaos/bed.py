"""The bed of a chaos run: a stack of its own, its parts behind proxies, its processes watched, two replicas of most."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import amqp
import pymongo

from contracts.catalogue import EVENTS, TASKS
from deploy.stack import guard, keys, mongodb
from deploy.stack.instance import Stack
from deploy.stack.ports import Ports
from deploy.stack.processes import PRODUCT, TABLE
from shared.bus import outbox
from shared.bus.client import Client
from shared.bus.pump import dial
from shared.bus.tokens import Issuer
from shared.bus.topology import describe
from shared.bus.trust import Signer, load_key
from shared.runtime.clock import SimulatedClock, set_clock
from shared.store.mongo import database
from shared.store.unit import Store
from tests.chaos.cluster import Cluster
from tests.chaos.proxy import Proxy
from tests.chaos.watch import Process, Watch, environment
from tests.waiting import until

FIRST = datetime(2026, 1, 5, 9, tzinfo=UTC)
LATELY = timedelta(minutes=2)


class Bed:
    """What faults act on and invariants look at."""

    def __init__(self, stack: Stack, home: Path, replicas: int) -> None:
        self.stack, self.home = stack, home
        self.points = home / "points"
        self.points.mkdir()
        self.amqp_proxy = Proxy(stack.state.ports["amqp"])
        self.mongo_proxy = Proxy(stack.state.ports["mongod"])
        self.began = datetime.now(UTC)
        self.mongo: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            "127.0.0.1", stack.state.ports["mongod"], directConnection=True,
            username=mongodb.ROOT, password=stack.parts.mongo.password,
        )  # fmt: skip
        self._move_member()
        self.issuer = Issuer("console", load_key(keys.folder_of(stack.settings.keys, keys.CONSOLE), "console"))
        self.client = Client(self._behind(stack.parts.amqp_uri("console")), "console", self.issuer.acting("usr-0", []))
        self.watch = Watch([each for number in range(1, replicas + 1) for each in self._processes(number)])
        self.mended: set[str] = set()
        self.cluster: Cluster | None = None
        self.instant = FIRST
        self.spoiled: dict[str, set[str]] = {}  # malformed messages by service
        self.excused: set[str] = set()  # those that lay in a queue when it was deleted

    def db(self, service: str) -> Any:
        """Give a service's database, as the administrator."""
        return database(self.mongo, service)

    def dial(self, user: str = "topology") -> amqp.Connection:
        """Open a connection to the broker itself, not through the proxy."""
        return dial(self.stack.parts.amqp_uri(user), "chaos")

    def broker(self) -> str:
        """Give the broker's version."""
        with self.dial() as connection:
            return str(connection.server_properties["version"])

    def depths(self) -> dict[str, int]:
        """Give every queue's length."""
        with self.dial() as connection:
            channel = connection.channel()
            names = [queue.name for queue in describe("test").queues]
            return {name: channel.queue_declare(name, passive=True).message_count for name in names}

    def dead(self, service: str) -> set[str]:
        """Give the message ids of a service's dead letters, which stay where they are."""
        with self.dial() as connection:
            channel = connection.channel()
            found = iter(lambda: channel.basic_get(f"dlq-{service}"), None)
            return {str(raw.properties.get("message_id")) for raw in found}

    def logs(self) -> Iterator[tuple[str, str]]:
        """Give every log's name and text."""
        for path in sorted((self.home / "logs").glob("*.log")):
            yield path.name, path.read_text("utf-8", "replace")

    def mend(self, queue: str) -> None:
        """Do what the operator's page says for a missing queue or binding: apply the topology, replay to the queue."""
        self.stack.parts.apply_topology()
        self.replay(queue, datetime.now(UTC) - LATELY)
        self.mended.add(queue)

    def replay(self, queue: str, since: datetime) -> int:
        """Publish to one queue again what its service was told since then; give how many messages."""
        wires = [each for each in (*EVENTS, *TASKS) if queue in outbox._queues_of(each)]
        emitters = {EVENTS[wire].emitter if wire in EVENTS else TASKS[wire].service for wire in wires}
        count = 0
        for service in sorted(emitters):
            store = Store(self.stack.parts.mongo.admin_uri, service, SimulatedClock(self.stack.parts.mongo.admin_uri))
            signer = Signer.load(keys.folder_of(self.stack.settings.keys, TABLE[f"{service}-relay"]), service)
            with self.dial(f"svc-{service}") as connection:
                count += outbox.replay(store, connection, signer, queue, since)
            store.close()
        return count

    def jump(self, by: timedelta) -> None:
        """Move the simulated clock forward."""
        self.instant += by
        set_clock(self.stack.parts.mongo_uri("clock-writer"), self.instant)

    def restart(self, part: str, *, hard: bool) -> None:
        """Stop a part, with or without manners, and start it again."""
        self.stack.end([part], 0.0 if hard else 30.0)
        self.stack.up([part], alone=True)

    def _move_member(self) -> None:
        """Make the proxy the member's address, so that processes find it there as they find any replica set."""
        config = self.mongo.admin.command("replSetGetConfig")["config"]
        config["members"][0]["host"] = f"127.0.0.1:{self.mongo_proxy.port}"
        self.mongo.admin.command("replSetReconfig", {**config, "version": config["version"] + 1})

    def _behind(self, uri: str) -> str:
        parts = urlsplit(uri)
        port = self.mongo_proxy.port if parts.scheme == "mongodb" else self.amqp_proxy.port
        login = f"{parts.username}:{parts.password}@"
        return urlunsplit(parts._replace(netloc=f"{login}127.0.0.1:{port}"))

    def _processes(self, number: int) -> Iterator[Process]:
        for name in PRODUCT:
            row = TABLE[name]
            named = name if number == 1 else f"{name}-{number}"
            base = self.stack.environment(name)
            with Ports() as ports:
                port, pages = ports.choose(), ports.choose()
            more = {variable: self._behind(base[variable]) for variable in _URIS if variable in base}
            more |= {"OPHOR_GATEWAY_PORT": str(pages)} if row.kind == "gateway" else {}
            env = environment(base, named, self.points, OPHOR_HEALTH_PORT=port, **more)
            yield Process(named, row.kind, row.module[1:], env, port, self.home / "logs" / f"{named}.log")


_URIS = ("OPHOR_AMQP_URI", "OPHOR_MONGO_URI", "OPHOR_CLOCK_URI")


@contextmanager
def bed(replicas: int) -> Iterator[Bed]:
    """Bring up parts and processes, and take all of it away at the end."""
    home = Path(tempfile.mkdtemp(prefix="ophor-chaos-"))
    home.chmod(0o755)
    guard.start(home, os.getpid())
    stack = Stack.create(home, mode="test")
    made = None
    try:
        stack.up(["rabbitmq", "mongod"], alone=True)
        made = Bed(stack, home, replicas)
        made.jump(timedelta())
        made.watch.start()
        until(made.watch.all_ready, "every process is ready", 300)
        yield made
    finally:
        if made is not None:
            made.watch.end()
            made.client.close()
            made.mongo.close()
        guard.take_away(home)
        shutil.rmtree(home, ignore_errors=True)

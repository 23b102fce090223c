"""A bed for faces' tests: broker, database, keys and trust file, faces as processes, and a caller who may misbehave."""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import amqp
import pymongo

from contracts.catalogue import CALLERS, SERVICES
from contracts.roles import EVERYONE, MONITOR
from shared.bus import topology, trust
from shared.bus.client import Client
from shared.bus.envelope import encode, make_command, make_event
from shared.bus.tokens import Issuer
from shared.store import mongo as store_mongo
from tests.integration.bus_store_parts import (
    Mongo,
    Patient,
    Rabbit,
    drained,
    folder,
    free_ports,
    mongo,
    rabbit,
    room,
    until,
)
from tests.parts import Parts
from tests.waiting import LONGEST_S

ROOT = Path(__file__).parents[2]
AGREEMENT = {
    "reference": "ref-1", "customer": {"cvr": "11111111", "name": "Korsbæk Kommune"}, "customer_type": "municipality",
    "supplier": {"cvr": "22222222", "name": "Leverandøren"}, "profiles": ["ist-standard"], "dpa_reference": "dba-1",
    "in_force_on": "2020-01-01", "takeover_day": "2020-06-01", "agreement_end": "2026-12-31",
}  # fmt: skip


class FaceProcess:
    """A face that runs as a process of its own; `errors` is what it wrote to standard error so far."""

    def __init__(self, argv: list[str], environment: dict[str, str], port: int, log: Path) -> None:
        self.health, self.log = f"http://127.0.0.1:{port}", log
        with log.open("ab") as file:
            self.process = subprocess.Popen(argv, env=environment, cwd=ROOT, stderr=file, stdout=file)

    @property
    def errors(self) -> str:
        return self.log.read_text("utf-8")

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.errors.splitlines() if line.startswith("{")]

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urlopen(Request(self.health + path), timeout=60) as answer:
                return answer.status, answer.read().decode()
        except OSError as error:
            return getattr(error, "code", 0), ""

    def ready(self) -> bool:
        assert self.process.poll() is None, self.errors
        return self.get("/ready")[0] == 200

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        return self.process.wait(LONGEST_S)


class Bed:
    """Broker, database, trust."""

    def __init__(self, node: Rabbit, database: Mongo, keys: Path) -> None:
        self.node, self.mongo_uri, self.mongod, self.keys = node, database.uri, database.process, keys
        self.trust_file = keys / "trust.json"
        services = {name: trust.make_key(keys, name) for name in SERVICES}
        issuers = {name: (trust.make_key(keys, name), EVERYONE) for name in CALLERS}
        issuers["watcher"] = (trust.make_key(keys, "watcher"), frozenset({MONITOR}))
        trust.write(self.trust_file, services, issuers)
        trust.make_key(keys, "stranger")
        self.calls = Patient(node.uri("console"), "console", self.issuer().acting("usr-1", ["ist_projektleder"]))
        self.mongo: Any = pymongo.MongoClient(database.uri)
        self.patience(5)  # with a killed process
        self.connection = node.connect("topology")
        self.channel = self.connection.channel()
        self.channel.confirm_select()

    def fresh(self) -> None:
        """Empty databases and queues and put the topology right again."""
        for service in ("orders", "scheduling", "deletion"):
            db = store_mongo.database(self.mongo, service)
            store_mongo.make_indexes(db)
            for name in db.list_collection_names():
                db[name].delete_many({})
        topology.apply(self.connection, "test")
        with self.connection.channel() as channel:
            for queue in topology.describe("test").queues:
                drained(channel, queue.name)

    def patience(self, seconds: int) -> None:
        """Have the database end transactions that begin from now on and last longer."""
        self.mongo.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": seconds})

    def db(self, service: str) -> Any:
        return self.mongo[f"ophor_{service}"]

    def runs(self, service: str, name: str) -> int:
        return int(self.db(service).runs.count_documents({"name": name}))

    def go(self, service: str, name: str) -> None:
        self.db(service).control.insert_one({"_id": name})

    def signer(self, name: str) -> trust.Signer:
        return trust.Signer.load(self.keys, name)

    def issuer(self, name: str = "console") -> Issuer:
        return Issuer(name, trust.load_key(self.keys, name))

    def client(self, actor: str = "usr-1", roles: tuple[str, ...] = ("ist_projektleder",), **more: Any) -> Client:
        return self.calls.on_behalf(self.issuer().acting(actor, roles, **more))

    def environment(self, service: str, port: int) -> dict[str, str]:
        return {
            **os.environ, "OPHOR_MODE": "test", "OPHOR_AMQP_URI": self.node.uri(f"svc-{service}"),
            "OPHOR_MONGO_URI": self.mongo_uri, "OPHOR_TRUST": str(self.trust_file), "OPHOR_HEALTH_PORT": str(port),
            "OPHOR_KEYS": str(self.keys), "PYTHONPATH": str(ROOT),
        }  # fmt: skip

    @contextmanager
    def relay(self, service: str, *, wait: bool = True) -> Iterator[FaceProcess]:
        with self._process(service, "bus_store_worker", "relay", service, wait=wait) as running:
            yield running

    @contextmanager
    def hand(self) -> Iterator[FaceProcess]:
        """Run the hand deletion.delete."""
        with self._process("deletion", "bus_store_worker", "hand") as running:
            yield running

    @contextmanager
    def face(self, service: str, *more: str, wait: bool = True) -> Iterator[FaceProcess]:
        with self._process(service, "bus_faces_sample", service, *more, wait=wait) as running:
            yield running

    @contextmanager
    def _process(self, service: str, module: str, *words: str, wait: bool = True) -> Iterator[FaceProcess]:
        (port,) = free_ports(1)
        argv = [sys.executable, "-m", f"tests.integration.{module}", *words]
        face = FaceProcess(argv, self.environment(service, port), port, self.keys / f"{uuid.uuid4()}.log")
        try:
            if wait:
                until(face.ready, "it is ready")
            yield face
        finally:
            if face.process.poll() is None:
                face.signal(signal.SIGKILL)
                face.ended()

    def tell(self, exit_id: str, seq: int = 1, **more: Any) -> dict[str, Any]:
        """Publish orders.window_confirmed; `more` adds `data`, or spoils signer, body, headers, properties, id."""
        data = {"exit_id": exit_id, **more.get("data", {})}
        envelope = make_event(
            "orders.window_confirmed", data, subject=exit_id, aggregate=f"orders:{exit_id}", seq=seq,
            **{name: more[name] for name in ("id",) if name in more},
        )  # fmt: skip
        body = encode(envelope)
        headers = {**self.signer(more.get("signer", "orders")).headers(envelope, body), **more.get("headers", {})}
        properties = {"content_type": "application/json", "application_headers": headers, **more.get("properties", {})}
        message = amqp.Message(more.get("body", body), delivery_mode=2, **properties)
        self.channel.basic_publish(message, exchange="orders.events", routing_key="window_confirmed")
        return envelope

    def dead(self, service: str, reason: str = "") -> list[amqp.Message]:
        """Take what lies in the service's dead letters (of that reason)."""
        found = []
        while (raw := self.channel.basic_get(f"dlq-{service}", no_ack=True)) is not None:
            found.append(raw)
        return [raw for raw in found if raw.properties["application_headers"]["ophor-reason"].startswith(reason)]

    def depth(self, queue: str) -> int:
        with self.connection.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).message_count)

    def drop_connections(self, name: str) -> int:
        """Have the broker close the connections whose name begins with `name`."""
        rows = self.connections(name)
        for row in rows:
            management(self, "DELETE", f"connections/{quote(row['name'])}")
        return len(rows)

    def connections(self, name: str) -> list[dict[str, Any]]:
        """List the broker's connections whose name begins with `name` (as the broker's statistics know them by now)."""
        return [
            row
            for row in management(self, "GET", f"vhosts/{quote(self.node.vhost, safe='')}/connections")
            if (row.get("client_properties") or {}).get("connection_name", "").startswith(name)
        ]


def management(bed: Bed, method: str, path: str) -> Any:
    """Ask the broker's management API as the topology user."""
    login = base64.b64encode(f"topology:{bed.node.passwords['topology']}".encode()).decode()
    request = Request(f"{bed.node.management}/api/{path}", headers={"Authorization": f"Basic {login}"}, method=method)
    with urlopen(request, timeout=60) as answer:
        return json.loads(answer.read() or b"null")


class Caller:
    """A caller who speaks the protocol by hand, well or badly."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        self.connection = bed.node.connect("topology")
        self.channel = self.connection.channel()
        self.address = str(uuid.uuid4())
        self.queue = f"reply-console-{self.address}"
        self.channel.queue_declare(self.queue, exclusive=True)
        self.channel.queue_bind(self.queue, "nameko-rpc", self.address)

    def send(self, wire: str = "orders.register_agreement", data: Any = None, **spoil: Any) -> str:
        """Send a call; `spoil` replaces parts: token, deadline, headers, properties, body, envelope, key, audience."""
        token = spoil.get("token") or self.bed.issuer().acting("usr-1", ["ist_projektleder"])(
            spoil.get("audience", "orders")
        )
        envelope = make_command(wire, data or AGREEMENT) | spoil.get("envelope", {})
        headers = {"nameko.authorization": token, "nameko.deadline": spoil.get("deadline", time.time() + LONGEST_S)}
        headers = {name: value for name, value in (headers | spoil.get("headers", {})).items() if value is not None}
        correlation = secrets.token_hex(8)
        properties = {
            "content_type": "application/json", "content_encoding": "utf-8", "reply_to": self.address,
            "correlation_id": correlation, "application_headers": headers, **spoil.get("properties", {}),
        }  # fmt: skip
        body = spoil.get("body", encode({"args": [], "kwargs": {"message": envelope}}))
        message = amqp.Message(body, **{name: value for name, value in properties.items() if value is not None})
        self.channel.basic_publish(message, exchange="nameko-rpc", routing_key=spoil.get("key", wire))
        return correlation

    def answer(self) -> dict[str, Any]:
        """Wait for the next answer."""
        raw = until(lambda: self.channel.basic_get(self.queue, no_ack=True), "an answer")
        return json.loads(raw.body)  # type: ignore[no-any-return]

    def error(self, *arguments: Any, **spoil: Any) -> dict[str, str]:
        """Send a call and give the error it was answered with, its family under `family`."""
        self.send(*arguments, **spoil)
        error = self.answer()["error"]
        return {**error["exc_args"][0], "family": error["exc_type"]}


@contextmanager
def bed(parts: Parts | None = None) -> Iterator[Bed]:
    """Run a database, on the run's broker (`parts`) or beside a broker of its own."""
    passwords = {user: secrets.token_urlsafe(12) for user in topology.users()}
    own = rabbit(topology.definitions(passwords, "test"), passwords)
    with folder() as keys, mongo() as database, room(parts) if parts else own as node:
        made = Bed(node, database, keys)
        try:
            yield made
        finally:
            made.calls.close()
            made.mongo.close()
            made.connection.close()

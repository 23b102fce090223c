"""An exit's delivery on real parts: broker, database, three targets, and the service's own processes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import amqp
import pymongo
import pyrage
import yaml

from contracts import system_map
from contracts.catalogue import CALLERS, SERVICES
from contracts.errors import Unavailable
from contracts.roles import EVERYONE
from deploy.demo.world import World
from shared.bus import trust
from shared.bus.envelope import encode, make_event
from shared.bus.pump import dial
from shared.bus.tokens import Issuer
from tests.integration import connectors_targets as targets
from tests.integration import demo_parts
from tests.integration.bus_store_parts import Patient, folder, mongo
from tests.parts import Broker, Parts
from tests.waiting import until

ROOT = Path(__file__).parents[2]
EXIT, TENANT, CVR = "x-1", targets.LEAVING, targets.CVR
DIGEST = hashlib.sha256(b"a document").hexdigest()
LEAD, SUPPLIER = "kommune_projektleder", "ist_operatør"


class Stage:
    """A registered map of some systems, a drop and its receiver, and the service's processes, which can be killed."""

    def __init__(self, broker: Broker, mongo_uri: str, root: Path, map_path: Path, whose: tuple[str, str]) -> None:
        self.broker, self.mongo_uri, self.root, self.map_path = broker, mongo_uri, root, map_path
        self.tenant, self.cvr = whose
        self.targets: dict[str, targets.Target] = {}
        self.maps, self.drop, self.work, self.keys = (root / name for name in ("maps", "drop", "work", "keys"))
        for path in (self.maps, self.drop, self.work, self.keys):
            path.mkdir()
        self.drops, self.trust = root / "drops.yaml", root / "trust.json"
        self.drops.write_text(yaml.safe_dump({"successor": str(self.drop)}))
        self.identity = pyrage.x25519.Identity.generate()
        services = {name: trust.make_key(self.keys, name) for name in SERVICES}
        issuers = {name: (trust.make_key(self.keys, name), EVERYONE) for name in CALLERS}
        trust.write(self.trust, services, issuers)
        self.seq = 0
        self.running: list[subprocess.Popen[Any]] = []
        self.mongo: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongo_uri)
        self.issuer = Issuer("console", trust.load_key(self.keys, "console"))
        self.client = Patient(broker.uri("console"), "console", self.issuer.acting("usr-1", [LEAD]))

    def close(self) -> None:
        """End every process and connection."""
        for process in self.running:
            process.kill()
            process.wait()
        self.client.close()
        self.mongo.close()

    @contextmanager
    def channel(self) -> Iterator[amqp.Channel]:
        """Open a channel of one's own on the broker, for as long as the block lasts."""
        connection = dial(self.broker.uri("topology"), "test")
        try:
            yield connection.channel()
        finally:
            connection.close()

    def publish(self, exchange: str, key: str, body: bytes, headers: dict[str, Any]) -> None:
        """Publish a message as the services do."""
        message = amqp.Message(body, delivery_mode=2, content_type="application/json", application_headers=headers)
        with self.channel() as channel:
            channel.confirm_select()
            channel.basic_publish_confirm(message, exchange=exchange, routing_key=key)

    def take(self, queue: str) -> list[amqp.Message]:
        """Take what lies in a queue."""
        with self.channel() as channel:
            return list(iter(lambda: channel.basic_get(queue, no_ack=True), None))

    def db(self, service: str) -> Any:
        """Give a service's database."""
        return self.mongo[f"ophor_{service}"]

    def register(self) -> system_map.SystemMap:
        """Register the map as it is now."""
        return system_map.register(self.map_path, self.maps)

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[Any]:
        """Start one process of the service in the middle argument (`face delivery`, `hand delivery extract`, …)."""
        user = f"svc-{arguments[1]}" if len(arguments) > 1 else arguments[0]
        environment = {
            **os.environ,
            "OPHOR_MODE": "test",
            "OPHOR_AMQP_URI": self.broker.uri(user),
            "OPHOR_TRUST": str(self.trust),
            "OPHOR_MONGO_URI": self.mongo_uri,
            "OPHOR_KEYS": str(self.keys),
            "OPHOR_MAPS": str(self.maps),
            "OPHOR_DROPS": str(self.drops),
            "OPHOR_WORK": str(self.work),
            **more,
        }
        with (self.root / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "services", *arguments], env=environment, cwd=ROOT, stdout=log, stderr=log
            )
        self.running.append(process)
        return process

    def tell(self, wire: str, data: dict[str, Any]) -> None:
        """Tell a fact as its emitter would."""
        self.seq += 1
        emitter, name = wire.split(".")
        envelope = make_event(wire, data, subject=EXIT, aggregate=f"{emitter}:{EXIT}", seq=self.seq)
        body = encode(envelope)
        self.publish(f"{emitter}.events", name, body, trust.Signer.load(self.keys, emitter).headers(envelope, body))

    def order(self) -> None:
        """Tell the final order, the map registered."""
        registered = self.register()
        systems = [
            {"system": system.name, "title": system.title, "kind": system.kind, "deletion": system.deletion}
            for system in registered.systems.values()
        ]
        days = dict.fromkeys(("in_force_on", "takeover_day"), "2020-01-01") | {
            "go_live": "2026-07-01",
            "operations_end": "2026-06-30",
            "agreement_end": "2026-06-30",
        }
        self.tell(
            "orders.order_placed",
            {
                "exit_id": EXIT,
                "agreement_id": "a-1",
                "customer_cvr": self.cvr,
                "customer_type": "municipality",
                "profiles": ["ist-standard"],
                "tenant": self.tenant,
                "map_digest": registered.digest,
                "systems": systems,
                "scope": "whole",
                "numbers": {},
                "lawyer_confirmed": [],
                "amendments": [],
                "pinned": [],
                "places": [],
                **days,
            },
        )

    def due(self, activity: str, *systems: str) -> None:
        """Tell that an activity is due, for these systems where it deletes."""
        body = {"exit_id": EXIT, "activity": activity, "owner": "delivery", "earliest": None, "due": None}
        self.tell("scheduling.activity_due", body | {"systems": list(systems), "on": "2026-06-01"})

    def instruct_transfer(self) -> None:
        """Tell that the customer has instructed the transfer (S1 §9)."""
        body = {"exit_id": EXIT, "recipient_cvr": targets.CVR, "approved_on": "2026-04-01", "digest": DIGEST}
        self.tell("orders.transfer_instructed", body)

    def wait_for_state(self, state: str) -> dict[str, Any]:
        """Wait until the delivery is in `state`, and give it."""
        until(lambda: self.delivery()["state"] == state, f"the delivery is {state}")
        return self.delivery()

    def call(self, wire: str, data: dict[str, Any], role: str = LEAD) -> dict[str, Any]:
        """Call a face as somebody in `role`, again while it is not there yet."""

        def answer() -> Any:
            try:
                return self.once(wire, data, role)
            except Unavailable:
                return None

        return dict(until(answer, wire))

    def once(self, wire: str, data: dict[str, Any], role: str = LEAD) -> dict[str, Any]:
        """Call a face once as somebody in `role`."""
        client = self.client.on_behalf(self.issuer.acting("usr-1", (role,), (self.cvr,)))
        return dict(client.call(wire, {"exit_id": EXIT, **data}))

    def delivery(self) -> dict[str, Any]:
        """Read the delivery."""
        return self.call("delivery.read_delivery", {})

    def events(self, service: str) -> list[dict[str, Any]]:
        """Take what lies in a subscriber's queue."""
        return [json.loads(raw.body) for raw in self.take(f"evt-{service}")]

    def package(self) -> dict[str, bytes]:
        """Open the package as the receiver: path below the bag → bytes."""
        path = self.drop / self.delivery()["package_name"]
        with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(path.read_bytes(), [self.identity]))) as tar:
            files = {entry.name.split("/", 1)[1]: tar.extractfile(entry) for entry in tar if entry.isfile()}
            return {name: file.read() for name, file in files.items() if file}

    def log(self) -> str:
        """Give what the processes logged."""
        return (self.root / "log").read_text("utf-8")


@contextmanager
def stage(parts: Parts, kinds: tuple[str, ...]) -> Iterator[Stage]:
    """Bring everything up with the named kinds of targets; the service's own database is on a server of its own."""
    with ExitStack() as stack:
        root, database = stack.enter_context(folder()), stack.enter_context(mongo())
        broker = parts.broker()
        stack.callback(broker.remove)
        systems = {}
        if "postgresql" in kinds:
            systems["pladsanvisning"] = stack.enter_context(targets.postgresql(parts.postgres_uri, root))
        if "mongodb" in kinds:
            systems["morgenvagt"] = stack.enter_context(targets.mongodb(parts.mongo_uri, root))
        if "files" in kinds:
            systems["booking"] = stack.enter_context(targets.files(root))
        path = root / "systems.yaml"
        body = {"version": 1, "systems": {name: target.content for name, target in systems.items()}}
        path.write_text(yaml.safe_dump(body, allow_unicode=True), "utf-8")
        on_stage = Stage(broker, database.uri, root, path, (TENANT, CVR))
        on_stage.targets = systems
        stack.callback(on_stage.close)
        yield on_stage


@contextmanager
def demo_stage(parts: Parts) -> Iterator[tuple[Stage, World]]:
    """Bring everything up on the demo's whole world."""
    with ExitStack() as stack:
        world, _ = stack.enter_context(demo_parts.made_world(parts))
        root, database = stack.enter_context(folder()), stack.enter_context(mongo())
        broker = parts.broker()
        stack.callback(broker.remove)
        on_stage = Stage(broker, database.uri, root, world.map_path, (world.tenant, world.cvr))
        stack.callback(on_stage.close)
        yield on_stage, world


def kill(process: subprocess.Popen[Any]) -> None:
    """End a process as a crash would."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

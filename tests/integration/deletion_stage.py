"""Deletion's own processes on a real broker and database, with a few real targets; any of them may be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import amqp
import pymongo
import yaml

from contracts.catalogue import CALLERS, SERVICES
from contracts.errors import OphorError
from contracts.roles import EVERYONE
from contracts.system_map import register
from shared.bus import trust
from shared.bus.envelope import encode, make_event
from shared.bus.pump import dial
from shared.bus.tokens import Issuer
from tests.integration import bus_store_parts
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target
from tests.parts import Broker, Parts

ROOT = Path(__file__).parents[2]
EXIT, ROLE = "x-1", "ist_operatør"


@dataclass
class Stage:
    """Keys, trust, a registered map of `targets`, and the processes that were started."""

    broker: Broker
    mongo_uri: str
    root: Path
    targets: dict[str, Target]
    running: list[subprocess.Popen[Any]] = field(default_factory=list)
    seq: int = 0

    def __post_init__(self) -> None:
        for name in ("keys", "maps"):
            (self.root / name).mkdir()
        keys = self.root / "keys"
        services = {name: trust.make_key(keys, name) for name in SERVICES}
        issuers = {name: (trust.make_key(keys, name), EVERYONE) for name in CALLERS}
        trust.write(self.root / "trust.json", services, issuers)
        issuer = Issuer("console", trust.load_key(keys, "console"))
        self.client = bus_store_parts.Patient(self.broker.uri("console"), "console", issuer.acting("usr-1", [ROLE]))

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[Any]:
        """Start one process of deletion's (`face`, `relay`, `hand` with its name)."""
        environment = {
            **os.environ, "OPHOR_MODE": "test", "OPHOR_AMQP_URI": self.broker.uri("svc-deletion"),
            "OPHOR_MONGO_URI": self.mongo_uri, "OPHOR_TRUST": str(self.root / "trust.json"),
            "OPHOR_KEYS": str(self.root / "keys"), "OPHOR_MAPS": str(self.root / "maps"), **more,
        }  # fmt: skip
        argv = [sys.executable, "-m", "services", arguments[0], "deletion", *arguments[1:]]
        with (self.root / "log").open("ab") as log:
            process = subprocess.Popen(argv, env=environment, cwd=ROOT, stdout=log, stderr=log)
        self.running.append(process)
        return process

    def tell(self, wire: str, data: dict[str, Any]) -> None:
        """Tell a fact as its emitter would."""
        self.seq += 1
        emitter, name = wire.split(".")
        envelope = make_event(
            wire, {"exit_id": EXIT, **data}, subject=EXIT, aggregate=f"{emitter}:{EXIT}", seq=self.seq
        )
        body = encode(envelope)
        headers = trust.Signer.load(self.root / "keys", emitter).headers(envelope, body)
        message = amqp.Message(body, delivery_mode=2, content_type="application/json", application_headers=headers)
        with dial(self.broker.uri("topology"), "test") as connection:
            channel = connection.channel()
            channel.confirm_select()
            channel.basic_publish_confirm(message, exchange=f"{emitter}.events", routing_key=name)

    def order(self) -> None:
        """Register the map and tell the final order."""
        path = self.root / "systems.yaml"
        content = {name: target.content for name, target in self.targets.items()}
        path.write_text(yaml.safe_dump({"version": 1, "systems": content}, allow_unicode=True), "utf-8")
        self.tell("orders.order_placed", {
            "agreement_id": "a-1", "customer_cvr": targets.CVR, "customer_type": "municipality",
            "profiles": ["ist-standard"], "in_force_on": "2020-01-01", "takeover_day": "2020-01-01",
            "go_live": "2026-07-01", "operations_end": "2026-06-30", "agreement_end": "2026-06-30",
            "tenant": targets.LEAVING, "map_digest": register(path, self.root / "maps").digest,
            "systems": [
                {"system": name, "title": "Mål", "kind": target.kind, "deletion": target.content["deletion"]}
                for name, target in self.targets.items()
            ],
            "scope": "whole", "numbers": {}, "lawyer_confirmed": [], "amendments": [], "pinned": [], "places": [],
        })  # fmt: skip

    def job(self, activity: str) -> dict[str, Any]:
        """Read an activity's job; one in the state `none` while there is no answer or no job."""
        try:
            return dict(self.client.call("deletion.read_job", {"exit_id": EXIT, "activity": activity}))
        except OphorError:
            return {"state": "none", "batches": 0}

    def batches(self, activity: str) -> int:
        """Count the batches that are closed, as the database knows them at once."""
        with pymongo.MongoClient[dict[str, Any]](self.mongo_uri) as client:
            job = client["ophor_deletion"].jobs.find_one({"activity": activity}, sort=[("_id", -1)])
        return int(job["batches"]) if job else 0

    def told_all(self) -> bool:
        """Tell whether the relay has told what the service wrote."""
        with pymongo.MongoClient[dict[str, Any]](self.mongo_uri) as client:
            return not client["ophor_deletion"].outbox.count_documents({"state": "pending"})

    def take(self, queue: str) -> list[dict[str, Any]]:
        """Take what lies in a queue."""
        found = []
        with dial(self.broker.uri("topology"), "test") as connection:
            channel = connection.channel()
            while (raw := channel.basic_get(queue, no_ack=True)) is not None:
                found.append(json.loads(raw.body))
        return found

    def log(self) -> str:
        """Give what the processes logged."""
        return (self.root / "log").read_text("utf-8")

    def close(self) -> None:
        """End every process and connection."""
        for process in self.running:
            process.kill()
            process.wait()
        self.client.close()


def transactions_last(server: str, seconds: int) -> None:
    """Have a database end transactions that last longer."""
    with pymongo.MongoClient[dict[str, Any]](server) as client:
        client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": seconds})


@contextmanager
def stage(parts: Parts) -> Iterator[Stage]:
    """Bring up a stage with three kinds of targets, all of deletion 1; its database is on a server of its own."""
    with ExitStack() as stack:
        root, database = (stack.enter_context(each()) for each in (bus_store_parts.folder, bus_store_parts.mongo))
        broker = parts.broker()
        stack.callback(broker.remove)
        systems = {
            "pladsanvisning": stack.enter_context(targets.postgresql(parts.postgres_uri, root)),
            "morgenvagt": stack.enter_context(targets.mongodb(parts.mongo_uri, root)),
            "booking": stack.enter_context(targets.files(root)),
        }
        for server in (parts.mongo_uri, database.uri):
            transactions_last(server, 5)  # what a killed hand left open
        stack.callback(transactions_last, parts.mongo_uri, 10)  # as others know it
        on_stage = Stage(broker, database.uri, root, systems)
        stack.callback(on_stage.close)
        yield on_stage

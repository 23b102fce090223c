"""A bed for compliance: broker, database, and its own face, relay and four hands as processes of their own.

The other services are played by their signatures: their events are signed with their keys and published as they would.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import amqp
import pymongo

from contracts.catalogue import SERVICES
from contracts.roles import EVERYONE
from services.compliance.signing.keys import make_demo_keys
from shared.bus import topology, trust
from shared.bus.client import Client
from shared.bus.envelope import encode, make_event
from shared.bus.tokens import Issuer
from shared.runtime.clock import COPENHAGEN, set_clock
from shared.store import mongo as store_mongo
from tests.integration.bus_store_parts import Patient, Rabbit, folder, free_ports, mongo, room, until
from tests.parts import Parts
from tests.waiting import LONGEST_S

ROOT = Path(__file__).parents[2]
HANDS = ("ledger", "seal", "sign", "render")


class Bed:
    """Everything that compliance needs; `processes` by name."""

    def __init__(self, node: Rabbit, mongo_uri: str, home: Path) -> None:
        self.node, self.mongo_uri, self.home = node, mongo_uri, home
        self.evidence = home / "compliance"
        self.public = make_demo_keys(self.evidence)
        keys = home / "keys"
        for made in (keys, self.evidence / "relay"):
            made.mkdir()
        services = {name: trust.make_key(keys, name) for name in SERVICES}
        trust.write(home / "trust.json", services, {"console": (trust.make_key(keys, "console"), EVERYONE)})
        self.keys = keys
        (self.evidence / "relay" / "compliance.pem").write_bytes((keys / "compliance.pem").read_bytes())
        self.mongo = pymongo.MongoClient(mongo_uri)
        self.mongo.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": 5})
        store_mongo.make_indexes(store_mongo.database(self.mongo, "compliance"))
        connection = node.connect("topology")
        topology.apply(connection, "test")
        self.channel = connection.channel()
        self.channel.confirm_select()
        self.issuer = Issuer("console", trust.load_key(keys, "console"))
        self.caller = Patient(node.uri("console"), "console", self.issuer.acting("usr-none", []))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ports: dict[str, int] = {}
        self.seq = 0
        self.set_day(date(2026, 8, 1))

    @property
    def db(self) -> Any:
        return self.mongo["ophor_compliance"]

    def set_day(self, on: date) -> None:
        """Set the simulated clock to noon of a day."""
        set_clock(self.mongo_uri, datetime.combine(on, time(12), COPENHAGEN))

    def start(self, name: str, *argv: str) -> None:
        """Start one process of compliance; `name` is its folder of keys."""
        (port,) = free_ports(1)
        environment = {
            **os.environ, "OPHOR_MODE": "test", "OPHOR_AMQP_URI": self.node.uri("svc-compliance"),
            "OPHOR_MONGO_URI": self.mongo_uri, "OPHOR_CLOCK_URI": self.mongo_uri,
            "OPHOR_TRUST": str(self.home / "trust.json"), "OPHOR_KEYS": str(self.evidence / name),
            "OPHOR_HEALTH_PORT": str(port), "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        log = (self.home / f"{name}.log").open("ab")
        self.ports[name] = port
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", "services", *argv], env=environment, cwd=ROOT, stdout=log, stderr=log
        )

    def hand(self, name: str) -> None:
        self.start(name, "hand", "compliance", name)

    def start_all(self) -> None:
        self.start("face", "face", "compliance")
        self.start("relay", "relay", "compliance")
        for name in HANDS:
            self.hand(name)
        for name in self.processes:
            until(lambda name=name: self.ready(name), f"{name} is ready")

    def ready(self, name: str) -> bool:
        assert self.processes[name].poll() is None, (self.home / f"{name}.log").read_text("utf-8")[-3000:]
        with urlopen(f"http://127.0.0.1:{self.ports[name]}/ready", timeout=60) as answer:
            return bool(answer.status == 200)

    def all_run(self) -> bool:
        """Fail with its log where a process has ended by itself."""
        for name, process in self.processes.items():
            assert process.poll() is None, name + (self.home / f"{name}.log").read_text("utf-8")[-3000:]
        return True

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(LONGEST_S)

    def stop(self) -> None:
        self.caller.close()
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(LONGEST_S)

    def told(self, events: list[tuple[str, dict[str, Any]]], exit_id: str) -> None:
        """Publish events as their emitters would, signed by them, about `exit_id`."""
        for wire, data in events:
            self.seq += 1
            emitter = wire.split(".")[0]
            envelope = make_event(
                wire, data | {"exit_id": exit_id}, subject=exit_id, aggregate=f"{emitter}:{exit_id}", seq=self.seq
            )
            body = encode(envelope)
            headers = trust.Signer.load(self.keys, emitter).headers(envelope, body)
            message = amqp.Message(body, content_type="application/json", delivery_mode=2, application_headers=headers)
            self.channel.basic_publish(message, exchange=f"{emitter}.events", routing_key=wire.split(".")[1])

    def logged(self, exit_id: str) -> list[dict[str, Any]]:
        return list(self.db.log_entries.find({"_id": {"$regex": f"^{exit_id}/"}}).sort("_id", 1))

    def wait_logged(self, exit_id: str, count: int) -> list[dict[str, Any]]:
        until(lambda: self.all_run() and len(self.logged(exit_id)) >= count, f"{count} entries of {exit_id}")
        return self.logged(exit_id)

    def client(self, role: str = "kommune_dpo", customers: tuple[str, ...] = ("*",)) -> Client:
        return self.caller.on_behalf(self.issuer.acting(f"usr-{role}", [role], customers))


@contextmanager
def bed(parts: Parts) -> Iterator[Bed]:
    """Run compliance on a database of its own and the run's broker."""
    with folder() as home, mongo() as (mongo_uri, _), room(parts) as node:
        made = Bed(node, mongo_uri, home)
        try:
            made.start_all()
            yield made
        finally:
            made.stop()
            made.mongo.close()

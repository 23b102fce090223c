"""Compliance in one process on a real database: its face's handlers, its timers and its ledger, without a broker.

What the face tells goes through the outbox as it would, and comes back to the face where the contracts say so.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from contracts.catalogue import COMMANDS, EVENTS, TASKS
from contracts.registry import check, primitives
from services.compliance.log import ledger
from services.compliance.service import Compliance
from services.compliance.signing import keys
from shared.bus.envelope import Message, command_digest
from shared.bus.tokens import Actor
from shared.runtime.clock import COPENHAGEN, legal_date
from shared.store.unit import Store
from tests.unit import evidence_world as given

DPO = Actor("usr-dpo", frozenset({"kommune_dpo"}), frozenset({"11111111"}))
LEAD = Actor("usr-ist", frozenset({"ist_projektleder"}), frozenset({"*"}))
OFFICER = Actor("usr-slet", frozenset({"ist_sletteansvarlig"}), frozenset({"*"}))
AUDITOR = Actor("usr-rev", frozenset({"revisor"}), frozenset({"11111111"}))
STRANGER = Actor("usr-x", frozenset({"kommune_dpo"}), frozenset({"22222222"}))


class Standing:
    """A clock that stands where it was set."""

    def __init__(self, on: date) -> None:
        self.set(on)

    def set(self, on: date) -> None:
        self.instant = datetime.combine(on, time(12), COPENHAGEN)

    def now(self) -> datetime:
        return self.instant

    fresh = now

    def today(self) -> date:
        return legal_date(self.instant)

    def changes(self, stopping: Any) -> Iterator[None]:
        return iter(())

    def close(self) -> None:
        pass


class House:
    """Compliance's face and ledger on one database; `told` lists the events that it told."""

    def __init__(self, uri: str, folder: Path, mark: str) -> None:
        self.clock = Standing(date(2026, 10, 6))
        self.store = Store(uri, "compliance", self.clock)
        self.store.client.drop_database(self.store.db.name)
        self.store.prepare()
        self.folder, self.public, self.count, self.mark = folder, keys.make_demo_keys(folder), 0, mark
        self.desk = ledger.Desk(self.public, keys.load_note(folder / "ledger", keys.LOG))
        settings = types.SimpleNamespace(mode="test", keys=folder / "face")
        self.face: Any = types.SimpleNamespace(kind="rehearsal", house=types.SimpleNamespace(config=settings))
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.tasks: list[tuple[str, dict[str, Any]]] = []

    def do(self, actor: Actor, name: str, **data: Any) -> dict[str, Any]:
        """Give a command or ask a question as `actor`."""
        command = COMMANDS[f"compliance.{name}"]
        loaded = check(command.request, json.loads(json.dumps(data, default=str)), command.wire)
        self.count += 1
        digest = command_digest(command.wire, actor.id, json.loads(json.dumps(data, default=str)))
        call = Message("command", f"{self.mark}-{self.count}", command.wire, loaded, digest, "compliance", actor=actor)

        def handle(unit: Any) -> Any:
            answer = getattr(Compliance, name).__wrapped__(self.face, unit, call)
            return primitives(command.answer, answer, command.wire)

        answer: dict[str, Any] = self.store.read(handle) if command.query else self.store.run(handle, message=call)
        self.carry()
        return answer

    def tell(self, events: list[given.Event]) -> None:
        """Tell compliance facts of other services, and log them."""
        for wire, data in events:
            self.hear(wire, data)
        self.carry()

    def carry(self) -> None:
        """Bring what compliance tells itself, then let the ledger append what waits."""
        while rows := list(self.store.db.outbox.find({"state": "pending"}).sort("_id", 1)):
            for row in rows:
                self.store.db.outbox.update_one({"_id": row["_id"]}, {"$set": {"state": "published"}})
                body = json.loads(row["body"])
                if row["wire"] in TASKS:
                    self.tasks.append((row["wire"], body["data"]))
                    continue
                self.told.append((row["wire"], body["data"]))
                if "compliance" in EVENTS[row["wire"]].subscribers:
                    self.hear(row["wire"], body["data"])
        while self.store.run(lambda unit: ledger.drain(unit, self.desk)):
            pass

    def walk(self, to: date) -> None:
        """Let the timers fire one after the other up to the noon of a day."""
        end = datetime.combine(to, time(12), COPENHAGEN)
        while (row := self.store.db.timers.find_one({"due": {"$lte": end}}, sort=[("due", 1)])) is not None:
            self.clock.instant = max(self.clock.instant, row["due"])
            self.store.fire_due()
            self.carry()
        self.clock.instant = end

    def kinds(self, prefix: str) -> list[dict[str, Any]]:
        """Give the logged entries whose kind begins so."""
        rows = self.store.db.log_entries.find({}).sort("index", 1)
        events = [json.loads(bytes(row["leaf"]))["event"] for row in rows]
        return [one["entry"] for one in events if one["kind"].startswith(prefix)]

    def hear(self, wire: str, data: dict[str, Any]) -> None:
        """Have the face hear of one fact, and carry nothing yet."""
        self.count += 1
        loaded = check(EVENTS[wire].schema, json.loads(json.dumps(data, default=str)), wire)
        told = Message("event", f"{self.mark}-{self.count}", wire, loaded, "", "compliance", subject=data["exit_id"])
        handler = getattr(Compliance, f"on_{wire.replace('.', '_')}").__wrapped__
        self.store.run(lambda unit: handler(self.face, unit, told), message=told)


@contextmanager
def house(uri: str, folder: Path, mark: str) -> Iterator[House]:
    """Give a house on an empty database."""
    made = House(uri, folder, mark)
    try:
        yield made
    finally:
        made.store.close()

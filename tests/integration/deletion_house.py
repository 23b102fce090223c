"""Deletion without the bus: a real store, the real face and hands, and a post boy who carries what the outbox holds.

Events of others are told to the face's handlers; tasks go from the outbox to the hands, each at most once (inbox).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from contracts.catalogue import COMMANDS, EVENTS, TASKS
from contracts.registry import check
from contracts.roles import OPERATOR
from contracts.system_map import register
from services.deletion.service import Deletion
from services.deletion.worker import HANDS
from shared.bus.envelope import Message, jsonable, new_id
from shared.bus.hands import Hand, Work
from shared.runtime.clock import legal_date
from shared.store.unit import Store

EXIT, CVR = "exit-1", "11111111"
TIMERS = (
    "deletion.backups_look_due", "deletion.batch_due", "deletion.attestations_look_due",
    "deletion.reappearance_look_due",
)  # fmt: skip


class Killed(BaseException):
    """What a kill -9 looks like from inside: nothing after it runs."""


@dataclass
class HandClock:
    """A clock that the test sets."""

    instant: datetime = datetime(2026, 10, 1, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    fresh = now

    def today(self) -> Any:
        return legal_date(self.instant)

    def changes(self, stopping: Callable[[], bool]) -> Iterator[None]:
        return iter(())

    def close(self) -> None:
        pass


def own_store(mongo_uri: str, clock: HandClock, name: str = "") -> Store:
    """Give deletion's store with a database of this test's own (`name`), so that tests may run side by side."""
    store = Store(mongo_uri, "deletion", clock)
    options = store.db.codec_options, store.db.read_preference, store.db.write_concern, store.db.read_concern
    store.__dict__["db"] = store.client.get_database(name or f"test_deletion_{new_id()[:12]}", *options)
    return store


@dataclass
class House:
    """One exit's deletion; `content` is the system map's systems."""

    store: Store
    clock: HandClock
    folder: Path
    content: dict[str, Any]
    mode: str = "demo"
    hands: dict[str, type[Hand]] = field(default_factory=lambda: dict(HANDS))
    carried: set[str] = field(default_factory=set)
    seq: int = 0

    def __post_init__(self) -> None:
        self.store.prepare()
        self.digest = ""

    def order(self) -> None:
        """Register the map and tell of the final order."""
        (self.folder / "maps").mkdir(exist_ok=True)
        path = self.folder / "systems.yaml"
        path.write_text(yaml.safe_dump({"version": 1, "systems": self.content}, allow_unicode=True))
        self.digest = register(path, self.folder / "maps").digest
        self.tell("orders.order_placed", {
            "agreement_id": "a-1", "customer_cvr": CVR, "customer_type": "municipality", "profiles": ["ist-standard"],
            "in_force_on": "2020-01-01", "takeover_day": "2020-01-01", "go_live": "2026-10-01",
            "operations_end": "2026-09-30", "agreement_end": "2026-09-30", "tenant": "101", "map_digest": self.digest,
            "systems": [
                {"system": name, "title": each["title"], "kind": each["kind"], "deletion": each["deletion"]}
                for name, each in self.content.items()
            ],
            "scope": "whole", "numbers": {}, "lawyer_confirmed": [], "amendments": [], "pinned": [], "places": [],
        })  # fmt: skip

    def tell(self, wire: str, data: dict[str, Any]) -> None:
        """Tell the face of an event."""
        body = check(EVENTS[wire].schema, jsonable({"exit_id": EXIT, **data}), wire)
        self.seq += 1
        message = Message("event", new_id(), wire, body, "", "deletion", EXIT, seq=self.seq)
        handler = getattr(Deletion, wire.split(".")[1]).__wrapped__
        self.store.run(lambda unit: handler(Deletion(), unit, message), message=message)

    def ask(self, name: str, data: dict[str, Any], role: str = OPERATOR, actor_id: str = "usr-1") -> dict[str, Any]:
        """Call a command or query of the face in a role."""
        known = COMMANDS[f"deletion.{name}"]
        body = check(known.request, jsonable({"exit_id": EXIT, **data}), known.wire)
        actor = SimpleNamespace(id=actor_id, require_customer=lambda cvr: None, role_for=lambda wire: role)
        call = SimpleNamespace(data=body, actor=actor)
        handler = getattr(Deletion, name).__wrapped__
        run = self.store.read if known.query else self.store.run
        answer = jsonable(run(lambda unit: handler(Deletion(), unit, call)))
        check(known.answer, answer, known.wire)
        return dict(answer)

    def due(self, activity: str, *systems: str) -> None:
        """Tell that an activity is due for these systems."""
        told = {"activity": activity, "owner": "deletion", "earliest": None, "due": None, "systems": list(systems)}
        self.tell("scheduling.activity_due", told | {"on": "2026-10-01"})

    def cancel(self, job_id: str) -> None:
        """Tell that a job shall not begin."""
        told = {"activity": job_id.split(".")[1], "job_id": job_id, "cause": "emergency_extension", "on": "2026-10-01"}
        self.tell("scheduling.cancellation_requested", told)

    def close_access(self, activity: str, *systems: str) -> None:
        """Tell that the ways into these systems are closed."""
        rows = [
            {"system": each, "state": "closed", "grants": 0, "verified": True, "on": "2026-10-01"} for each in systems
        ]
        self.tell("access.access_closed", {"activity": activity, "systems": rows, "on": "2026-10-01"})

    def approve(self) -> None:
        """Tell that one person approves what was previewed last."""
        told = self.events("deletion.deletion_previewed")[-1]
        about = {name: told[name] for name in ("activity", "job_id", "plan_digest")}
        approval = {"actor": "a", "role": "kommune_godkender", "at": f"{self.clock.instant:%Y-%m-%dT%H:%M:%SZ}"}
        self.tell("scheduling.approval_given", about | {"approval": approval})

    def permit(self, *, approved: timedelta = timedelta(), **changes: Any) -> None:
        """Issue a permit for what was previewed last, `approved` so long ago."""
        given = f"{self.clock.instant - approved:%Y-%m-%dT%H:%M:%SZ}"
        told = self.events("deletion.deletion_previewed")[-1]
        self.tell("scheduling.permit_issued", {
            "activity": told["activity"], "job_id": told["job_id"], "plan_digest": told["plan_digest"],
            "approvals": [
                {"actor": "a", "role": "kommune_godkender", "at": given},
                {"actor": "b", "role": "ist_sletteansvarlig", "at": given},
            ],
            "intent_index": 7, "valid_until": (datetime.now(UTC) + timedelta(hours=24)).isoformat(), **changes,
        })  # fmt: skip

    def tasks(self) -> list[dict[str, Any]]:
        """List the tasks that were sent and not yet carried."""
        rows = self.store.db.outbox.find({"wire": {"$in": list(TASKS)}}).sort("_id", 1)
        return [json.loads(row["body"]) for row in rows if row["_id"] not in self.carried]

    def work(self, body: dict[str, Any]) -> Work:
        """Make the slice of a task's message."""
        data = check(TASKS[body["type"]].schema, body["data"], body["type"])
        consumer = ".".join(body["type"].split(".")[:2])
        message = Message("task", body["id"], body["type"], data, "", consumer, body.get("subject", ""))
        settings = SimpleNamespace(mode=self.mode, maps=self.folder / "maps", drops=self.folder / "drops.yaml")
        return Work(self.store, message, settings, self.clock.now())

    def do(self, body: dict[str, Any]) -> None:
        """Have a hand do one task, whatever was done before."""
        _, hand, name = body["type"].split(".")
        work = self.work(body)
        getattr(self.hands[hand](), name)(work)
        if not work.committed:
            work.commit(lambda unit: None)
        self.carried.add(body["id"])

    def carry(self, until: Callable[[], bool] = lambda: False) -> None:
        """Carry tasks to the hands until none is left."""
        while (waiting := self.tasks()) and not until():
            self.do(waiting[0])

    def fire(self) -> None:
        """Let the timers that are due fire, tell the face, and carry what follows."""
        seen = {wire: len(self.events(wire)) for wire in TIMERS}
        self.store.fire_due()
        for wire, before in seen.items():
            for told in self.events(wire)[before:]:
                self.tell(wire, told)
        self.carry()

    def timer(self) -> datetime | None:
        """Give when the next timer is due."""
        row = self.store.db.timers.find_one(sort=[("due", 1)])
        return row["due"] if row else None

    def events(self, wire: str) -> list[dict[str, Any]]:
        """List the bodies of the events told, the oldest first."""
        rows = self.store.db.outbox.find({"wire": wire}).sort("_id", 1)
        return [json.loads(row["body"])["data"] for row in rows]

    def delete(self, activity: str, *systems: str) -> dict[str, Any]:
        """Run a job from its due day to its end; give the job."""
        self.due(activity, *systems)
        self.close_access(activity, *systems)
        self.carry()
        self.permit()
        self.carry()
        return self.ask("read_job", {"activity": activity})

"""Orders and scheduling together on a real replica set: one exit from the agreement to the permits.

The faces' handlers run in the store's unit of work as they do behind the bus; events go from outbox to handler as the
relay and the broker would carry them. What other services would tell is told here by their contracts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.catalogue import COMMANDS, EVENTS, TASKS, subscribed
from contracts.errors import Rejected, Unavailable
from contracts.registry import check, primitives
from shared.bus.envelope import Message, command_digest, digest, encode
from shared.bus.tokens import Actor
from shared.rules.profiles import load_profiles, required_lines
from shared.runtime.clock import legal_date, midnight
from shared.store.unit import Store
from tests.integration.bus_store_parts import mongo

DIGEST = "a" * 64
LEAD = Actor("p-lead", frozenset({"kommune_projektleder"}), frozenset({"11111111"}))
SUPPLIER = Actor("p-supplier", frozenset({"ist_projektleder"}), frozenset({"*"}))
OFFICER = Actor("p-officer", frozenset({"ist_sletteansvarlig"}), frozenset({"*"}))
APPROVER = Actor("p-approver", frozenset({"kommune_godkender"}), frozenset({"11111111"}))
STRANGER = Actor("p-stranger", frozenset({"kommune_projektleder"}), frozenset({"99999999"}))
SYSTEMS = [
    {"system": "pladsanvisning", "title": "IST Pladsanvisning", "kind": "postgresql", "deletion": "2"},
    {"system": "booking", "title": "Booking", "kind": "files", "deletion": "1"},
    {"system": "sagsindeks", "title": "Sagsindekset", "kind": "case_index", "deletion": "index"},
]
PLACES = [
    {"line": line.line, "answer": "NOT_IN_REHEARSAL"} for line in required_lines(load_profiles(("ist-standard",)))
]


class Standing:
    """A rules' clock that stands until it is set."""

    def __init__(self, day: date) -> None:
        self.instant = midnight(day)

    def now(self) -> datetime:
        return self.instant

    fresh = now

    def today(self) -> date:
        return legal_date(self.instant)

    def changes(self, stopping: Any) -> Iterator[None]:
        return iter(())

    def close(self) -> None:
        pass


class World:
    """Both services on their own databases, with the events that went between them."""

    def __init__(self, uri: str, mark: str) -> None:
        from services.orders.service import Orders
        from services.scheduling.service import Scheduling

        self.mark, self.clock, self.count = mark, Standing(date(2026, 1, 15)), 0
        self.faces: dict[str, Any] = {"orders": Orders, "scheduling": Scheduling}
        self.stores = {name: Store(uri, name, self.clock) for name in self.faces}
        self.carried: set[str] = set()
        for store in self.stores.values():
            store.prepare()
            self.carried |= {row["_id"] for row in store.db.outbox.find({}, {"_id": 1})}
        self.told: list[tuple[str, dict[str, Any]]] = []

    def close(self) -> None:
        for store in self.stores.values():
            store.close()

    def do(self, actor: Actor, wire: str, **data: Any) -> dict[str, Any]:
        """Give a command as `actor`, then carry what it caused to its end."""
        command, body = COMMANDS[wire], {**data}
        self.count += 1
        loaded = check(command.request, body, wire)
        store, face = self.stores[command.service], self.faces[command.service]
        call = Message(
            "command", f"{self.mark}-{self.count}", wire, loaded, command_digest(wire, actor.id, body), command.service,
            actor=actor,
        )  # fmt: skip

        def handle(unit: Any) -> Any:
            return primitives(command.answer, getattr(face, command.name).__wrapped__(None, unit, call), wire)

        answer: dict[str, Any] = store.read(handle) if command.query else store.run(handle, message=call)
        self.carry()
        return answer

    def tell(self, wire: str, exit_id: str, **data: Any) -> None:
        """Tell scheduling a fact of another service."""
        self.count += 1
        body = {"exit_id": exit_id, **data}
        self._deliver({"id": f"{self.mark}-{self.count}", "type": wire, "subject": exit_id, "data": body})
        self.carry()

    def carry(self) -> None:
        """Carry every event of the two outboxes to its subscribers among the two, until none is left."""
        while rows := [row for store in self.stores.values() for row in self._outbox(store)]:
            for row in rows:
                self.carried.add(row["_id"])
                body = json.loads(row["body"])
                self.told.append((body["type"], body["data"]))
                self._deliver(body)

    def walk(self, to: date) -> None:
        """Let the timers fire one after the other up to a day."""
        store = self.stores["scheduling"]
        while (row := store.db.timers.find_one({"due": {"$lte": midnight(to)}}, sort=[("due", 1)])) is not None:
            self.clock.instant = max(self.clock.instant, row["due"])
            store.fire_due()
            self.carry()
        self.clock.instant = midnight(to)

    def due(self) -> list[str]:
        return [body["activity"] for wire, body in self.told if wire == "scheduling.activity_due"]

    def last(self, wire: str) -> dict[str, Any]:
        return [body for name, body in self.told if name == wire][-1]

    def _outbox(self, store: Store) -> list[dict[str, Any]]:
        return list(store.db.outbox.find({"_id": {"$nin": sorted(self.carried)}}).sort("_id", 1))

    def _deliver(self, body: dict[str, Any]) -> None:
        wire = body["type"]
        for service in set(EVENTS[wire].subscribers) & self.faces.keys():
            face = self.faces[service]
            method = getattr(face, EVENTS[wire].name).__wrapped__
            loaded = check(EVENTS[wire].schema, body["data"], wire)
            told = Message("event", body["id"], wire, loaded, digest(encode(body)), service, subject=body["subject"])
            self.stores[service].run(lambda unit, method=method, told=told: method(None, unit, told), message=told)


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    with mongo() as node:
        yield node.uri


@pytest.fixture
def world(uri: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("OPHOR_MODE", "test")
    made = World(uri, f"t{abs(hash(request.node.name))}")
    yield made
    made.close()


def register(world: World, **changes: Any) -> str:
    body = {
        "reference": f"aftale-{world.mark}", "dpa_reference": "dba-1", "customer_type": "municipality",
        "customer": {"cvr": "11111111", "name": "Korsbæk Kommune"},
        "supplier": {"cvr": "99999999", "name": "Demoleverandøren A/S"},
        "profiles": ["ist-standard", "ski-02-19"],
        "in_force_on": "2020-09-01", "takeover_day": "2020-09-30", "agreement_end": "2026-09-30",
        "amendments": [{
            "kind": "backups_six_months", "digest": DIGEST, "signed_on": "2025-12-01",
            "signed_by": ["customer", "supplier"],
        }],
    }  # fmt: skip
    return str(world.do(SUPPLIER, "orders.register_agreement", **body | changes)["agreement_id"])


def order(world: World, **changes: Any) -> str:
    body = {
        "agreement_id": register(world), "go_live": "2026-07-01", "tenant": "korsbaek", "map_digest": DIGEST,
        "systems": SYSTEMS, "places": PLACES,
    }  # fmt: skip
    return str(world.do(LEAD, "orders.order_window", **body | changes)["exit_id"])


def place(world: World) -> str:
    exit_id = order(world)
    world.do(SUPPLIER, "orders.confirm_window", exit_id=exit_id)
    world.do(LEAD, "orders.place_final_order", exit_id=exit_id)
    return exit_id


def answer(world: World, exit_id: str, *activities: str) -> None:
    rows = {row["id"]: row for row in world.do(LEAD, "scheduling.read_plan", exit_id=exit_id)["activities"]}
    for activity in activities:
        actor = LEAD if rows[activity]["responsible"][0] == "customer" else SUPPLIER
        world.do(
            actor, "scheduling.complete_activity", exit_id=exit_id, activity=activity, outcome="done",
            evidence_digest=DIGEST,
        )  # fmt: skip


def decide(world: World, exit_id: str) -> None:
    for system in SYSTEMS:
        world.do(
            LEAD, "orders.decide_archive", exit_id=exit_id, system=system["system"], decision="not_worth_keeping",
            digest=DIGEST, decided_on="2026-01-15",
        )  # fmt: skip
    world.do(
        LEAD,
        "orders.instruct",
        exit_id=exit_id,
        kind="delete",
        basis="INSTRUCTION",
        digest=DIGEST,
        given_on="2026-01-15",
    )
    world.do(LEAD, "orders.choose_options", exit_id=exit_id, options=[], silence="delete_at_k15")


def through_the_window(world: World, exit_id: str) -> None:
    """Everything from the final order to the end of operations, as the other services would tell it."""
    decide(world, exit_id)
    answer(world, exit_id, "A2", "B1", "B2", "B6", "B7")
    world.tell("delivery.needs_submitted", exit_id, digest=DIGEST)
    world.tell("delivery.dispatch_set", exit_id, drop="ny", recipient_digest=DIGEST, transfer_instruction_digest=DIGEST)
    world.tell("delivery.connection_tested", exit_id, ok=True, code="OK")
    world.tell("delivery.specification_made", exit_id, digest=DIGEST, places=3)
    answer(world, exit_id, "B8", "B11", "B12")
    world.walk(date(2026, 6, 1))
    answer(world, exit_id, "C1")
    frozen = [{"system": "booking", "state": "frozen", "grants": 0, "verified": True, "on": "2026-06-01"}]
    world.tell("access.access_frozen", exit_id, activity="C2", systems=frozen, on="2026-06-01")
    world.tell(
        "delivery.package_delivered", exit_id, package_id="p-1", package_digest=DIGEST, package_bytes=1, files=1,
        rows=1, places=[], on="2026-06-02",
    )  # fmt: skip
    world.tell(
        "delivery.delivery_accepted", exit_id, package_id="p-1", package_digest=DIGEST, actor="p-lead",
        role="kommune_projektleder", on="2026-06-03",
    )  # fmt: skip
    for activity, kind in (("C5", "access_withdrawn"), ("C6", "operations_stopped")):
        world.tell(
            "access.access_attested", exit_id, activity=activity, kind=kind, digest=DIGEST, actor="p-lead",
            role="kommune_projektleder", on="2026-06-30",
        )  # fmt: skip


def destroy(world: World, exit_id: str, activity: str, on: str) -> None:
    """Preview, two approvals, intent, permit, verified, as deletion and compliance would tell it."""
    job = {"activity": activity, "job_id": f"job-{activity}", "plan_digest": DIGEST}
    world.tell("deletion.deletion_previewed", exit_id, **job, inventory_digest=DIGEST, places=[], total=1, on=on)
    for actor in (OFFICER, APPROVER):
        world.do(actor, "scheduling.approve", exit_id=exit_id, **job)
    assert world.last("scheduling.approval_completed")["job_id"] == job["job_id"]
    world.tell("compliance.evidence_recorded", exit_id, kind="DELETION_INTENT", **job, index=5, size=6)
    permit = world.last("scheduling.permit_issued")
    assert (permit["job_id"], permit["plan_digest"], permit["intent_index"]) == (job["job_id"], DIGEST, 5)
    assert datetime.fromisoformat(permit["valid_until"]) > datetime.now(UTC)
    probes = {"probes_drawn": 0, "probes_found_before": 0, "probes_found_after": 0, "outside": 0}
    world.tell("deletion.deletion_verified", exit_id, **job, **probes, places=[], result="DELETED", on=on)


def test_an_exit_goes_from_the_agreement_to_the_last_backup(world: World) -> None:
    exit_id = place(world)
    through_the_window(world, exit_id)
    destroy(world, exit_id, "C7", "2026-06-30")
    world.walk(date(2026, 10, 1))
    assert {"D2", "D7a", "D7b"} <= set(world.due())
    destroy(world, exit_id, "D2", "2026-10-02")
    destroy(world, exit_id, "D7a", "2026-10-03")
    for activity, kind in (("D7b", "software_removed"), ("D8", "access_closed")):
        world.tell(
            "access.access_attested", exit_id, activity=activity, kind=kind, digest=DIGEST, actor="p-lead",
            role="kommune_projektleder", on="2026-10-04",
        )  # fmt: skip
    world.tell("deletion.backups_expired", exit_id, sets=2, last_expiry_on="2027-04-01", on="2027-04-01")
    plan = world.do(LEAD, "scheduling.read_plan", exit_id=exit_id)
    states = {row["id"]: row["state"] for row in plan["activities"]}
    left_out = {"A5", "B13", "B14", "D3", "D3b", "D4", "D5", "D6"}
    assert {name for name, state in states.items() if state == "not_chosen"} == left_out
    assert {name for name, state in states.items() if state != "completed"} == left_out
    assert next(row["due"] for row in plan["activities"] if row["id"] == "D9") == "2027-04-03"
    assert [request["state"] for request in plan["approvals"]] == ["permitted"] * 3


def test_the_plan_is_told_with_the_backups_obligation_following_the_amendment(world: World) -> None:
    place(world)
    obligations = {row["id"]: row for row in world.last("scheduling.plan_made")["obligations"]}
    assert obligations["S2-28.1-d"]["due"] == "2026-10-15"
    assert obligations["S2-28.1-d-backups"]["due"] == "2027-04-15"


def test_the_order_carries_no_field_that_the_contract_does_not_name(world: World) -> None:
    systems = [row | {"connection": {"password": "x"}} for row in SYSTEMS]
    exit_id = order(world, systems=systems)
    assert world.last("orders.window_ordered")["exit_id"] == exit_id
    assert "connection" not in json.dumps(world.last("orders.window_ordered"))


@pytest.mark.parametrize("wire", ["orders.read_exit", "scheduling.read_plan", "scheduling.list_waiting"])
def test_somebody_of_another_customer_sees_nothing(world: World, wire: str) -> None:
    exit_id = place(world)
    with pytest.raises(Rejected) as refused:
        world.do(STRANGER, wire, exit_id=exit_id)
    assert refused.value.code == "CUSTOMER_NOT_IN_SCOPE"


def test_exits_are_listed_to_those_who_may_see_them(world: World) -> None:
    exit_id = place(world)
    assert exit_id in {row["exit_id"] for row in world.do(LEAD, "orders.list_exits")["exits"]}
    assert world.do(STRANGER, "orders.list_exits")["exits"] == []
    assert world.do(SUPPLIER, "orders.list_exits", limit=0)["exits"] == []


def test_a_refused_command_changes_and_tells_nothing(world: World) -> None:
    exit_id = order(world, places=PLACES[1:])
    world.do(SUPPLIER, "orders.confirm_window", exit_id=exit_id)
    before = len(world.told)
    with pytest.raises(Rejected) as refused:
        world.do(LEAD, "orders.place_final_order", exit_id=exit_id)
    assert refused.value.code == "PLACES_UNANSWERED"
    assert world.do(LEAD, "orders.read_exit", exit_id=exit_id)["state"] == "confirmed"
    assert len(world.told) == before


def test_an_agreement_has_one_final_order_and_one_reference(world: World) -> None:
    first = place(world)
    agreement = world.do(LEAD, "orders.read_exit", exit_id=first)["agreement_id"]
    second = world.do(
        LEAD, "orders.order_window", agreement_id=agreement, go_live="2026-07-01", tenant="korsbaek", map_digest=DIGEST,
        systems=SYSTEMS, places=PLACES,
    )["exit_id"]  # fmt: skip
    world.do(SUPPLIER, "orders.confirm_window", exit_id=second)
    with pytest.raises(Rejected) as refused:
        world.do(LEAD, "orders.place_final_order", exit_id=second)
    assert refused.value.code == "EXIT_ALREADY_PLACED"
    with pytest.raises(Rejected) as refused:
        register(world)
    assert refused.value.code == "AGREEMENT_EXISTS"


def test_an_exit_that_scheduling_has_not_been_told_of_is_asked_for_again_later(world: World) -> None:
    with pytest.raises(Unavailable) as refused:
        world.do(SUPPLIER, "scheduling.read_plan", exit_id="exit-nowhere")
    assert refused.value.code == "EXIT_NOT_KNOWN"


def test_a_stop_is_shown_and_tried_again_by_the_next_days_timer(world: World) -> None:
    exit_id = place(world)
    through_the_window(world, exit_id)
    world.walk(date(2026, 10, 1))
    world.tell(
        "deletion.deletion_stopped", exit_id, activity="D2", job_id="job-D2", code="PLACE_NEW", field="booking.ny",
        on="2026-10-01",
    )  # fmt: skip
    rows = {row["id"]: row for row in world.do(LEAD, "scheduling.read_plan", exit_id=exit_id)["activities"]}
    assert (rows["D2"]["state"], rows["D2"]["waits_for"]) == ("waiting", ["PLACE_NEW"])
    world.walk(date(2026, 10, 2))
    assert world.due().count("D2") == 2


@pytest.mark.parametrize("service", ["orders", "scheduling"])
def test_a_face_serves_exactly_what_the_contracts_declare(service: str, world: World) -> None:
    from shared.bus.faces import check_complete

    check_complete(world.faces[service])
    assert {event.name for event in subscribed(service)} <= set(dir(world.faces[service]))
    assert not [wire for wire in TASKS if wire.startswith(service)]

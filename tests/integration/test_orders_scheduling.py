"""Orders and scheduling together on a real replica set: one exit from the agreement to the permits.

The faces' handlers run in the store's unit of work as they do behind the bus; events go from outbox to handler as the
relay and the broker would carry them. What other services would tell is told here by their contracts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.catalogue import COMMANDS, EVENTS, TASKS
from contracts.errors import Rejected, Unavailable
from contracts.registry import check, primitives
from shared.bus.envelope import Message, command_digest, digest, encode
from shared.bus.tokens import Actor
from shared.rules.profiles import FOLDER, load_profile, load_profiles, required_lines
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
PROFILES = ("ist-standard", "ski-02-19")
REGISTERS = ("EQUIPMENT-REGISTER", "SUB-SUPPLIER-LIST")
PLACES = [
    {"line": line.line, "answer": "NOT_IN_REHEARSAL"}
    for line in required_lines(load_profiles(PROFILES))
    if line.line not in REGISTERS
]
DAYS = {"C1": "2026-06-02", "C2": "2026-06-03", "C3": "2026-06-10", "C4": "2026-06-15", "C6": "2026-06-30"}
PERSON = {"name": "Karin Kontakt", "email": "kontakt@korsbaek.invalid", "knows_solution": True}
PAIRS = ("DAGTILBUD-ADMIN", "KLUB-ADMIN", "SFO-ADMIN", "DAGPLEJE-ADMIN")
GONE = {"continues": False, "agreement_digest": None, "ends_on": None, "delete_on": None, "feed": "none"}


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
            for name in store.db.list_collection_names():  # no timers of the tests before
                store.db[name].delete_many({})
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

    def due(self, exit_id: str) -> list[str]:
        told = [body for wire, body in self.told if wire == "scheduling.activity_due"]
        return [body["activity"] for body in told if body["exit_id"] == exit_id]

    def last(self, wire: str) -> dict[str, Any]:
        return [body for name, body in self.told if name == wire][-1]

    def _outbox(self, store: Store) -> list[dict[str, Any]]:
        return list(store.db.outbox.find({"_id": {"$nin": sorted(self.carried)}}).sort("_id", 1))

    def _deliver(self, body: dict[str, Any]) -> None:
        wire = body["type"]
        for service in set(EVENTS[wire].subscribers) & self.faces.keys():
            face = self.faces[service]
            method = getattr(face, EVENTS[wire].name, None) or face.fact_told
            method = method.__wrapped__
            loaded = check(EVENTS[wire].schema, body["data"], wire)
            told = Message(
                "event", body["id"], wire, loaded, digest(encode(body)), service, subject=body["subject"],
                seq=body.get("seq", 0),
            )  # fmt: skip
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
        "profiles": list(PROFILES),
        "in_force_on": "2020-09-01", "takeover_day": "2020-09-30", "agreement_end": "2026-09-30",
        "amendments": [{
            "kind": "backups_six_months", "digest": DIGEST, "signed_on": "2025-12-01",
            "signed_by": ["customer", "supplier"],
        }],
    }  # fmt: skip
    return str(world.do(SUPPLIER, "orders.register_agreement", **body | changes)["agreement_id"])


def order(world: World, **changes: Any) -> str:
    body = {
        "agreement_id": changes.get("agreement_id") or register(world), "go_live": "2026-07-01", "tenant": "korsbaek",
        "map_digest": DIGEST,
        "systems": SYSTEMS, "places": PLACES,
    }  # fmt: skip
    return str(world.do(LEAD, "orders.order_window", **body | changes)["exit_id"])


def confirmed(world: World, **changes: Any) -> str:
    """An order that only waits for the final one."""
    exit_id = order(world, **changes)
    world.do(
        SUPPLIER, "orders.hold_meeting", exit_id=exit_id, held_on="2026-01-15", expected_options=[], archive_asked=True,
        digest=DIGEST,
    )  # fmt: skip
    world.do(SUPPLIER, "orders.list_equipment", exit_id=exit_id, items=[])
    world.do(SUPPLIER, "orders.list_sub_suppliers", exit_id=exit_id, sub_suppliers=[])
    world.do(SUPPLIER, "orders.confirm_window", exit_id=exit_id)
    return exit_id


def place(world: World) -> str:
    exit_id = confirmed(world)
    world.do(LEAD, "orders.place_final_order", exit_id=exit_id)
    return exit_id


def rows(world: World, exit_id: str) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in world.do(LEAD, "scheduling.read_plan", exit_id=exit_id)["activities"]}


def answer(world: World, exit_id: str, *activities: str) -> None:
    plan = rows(world, exit_id)
    for activity in activities:
        actor = LEAD if plan[activity]["responsible"][0] == "customer" else SUPPLIER
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
        LEAD, "orders.instruct", exit_id=exit_id, kind="delete", basis="INSTRUCTION", digest=DIGEST,
        given_on="2026-01-15",
    )  # fmt: skip
    world.do(LEAD, "orders.choose_options", exit_id=exit_id, options=[], silence="delete_at_k15")
    world.do(LEAD, "orders.name_contact", exit_id=exit_id, party="customer", **PERSON)
    world.do(LEAD, "orders.confirm_dates", exit_id=exit_id, go_live="2026-07-01")
    world.do(LEAD, "orders.decide_pairs", exit_id=exit_id, pairs=[{"line": line, **GONE} for line in PAIRS])
    world.do(
        LEAD, "orders.instruct_transfer", exit_id=exit_id, recipient_cvr="13748136", approved_on="2026-01-15",
        digest=DIGEST,
    )  # fmt: skip


def approved(world: World) -> str:
    """A placed exit whose timetable the customer has approved (B11)."""
    exit_id = place(world)
    decide(world, exit_id)
    answer(world, exit_id, "B7")
    world.tell("delivery.needs_submitted", exit_id, digest=DIGEST)
    world.tell(
        "delivery.dispatch_set", exit_id, to="successor", drop="ny", recipient_digest=DIGEST,
        transfer_instruction_digest=DIGEST,
    )  # fmt: skip
    world.tell("delivery.connection_tested", exit_id, ok=True, code="OK")
    world.tell("delivery.specification_made", exit_id, digest=DIGEST, places=3)
    days = [{"activity": name, "on": day} for name, day in DAYS.items()]
    submitted = world.do(SUPPLIER, "scheduling.submit_timetable", exit_id=exit_id, days=days)
    world.do(
        LEAD, "scheduling.answer_timetable", exit_id=exit_id, timetable_digest=submitted["timetable_digest"],
        answer="approved",
    )  # fmt: skip
    answer(world, exit_id, "B12")
    return exit_id


def through_the_window(world: World) -> str:
    """Everything from the agreement to the end of operations, as the other services would tell it."""
    exit_id = approved(world)
    world.walk(date(2026, 6, 3))
    world.do(
        SUPPLIER, "orders.record_billing_run", exit_id=exit_id, run_on="2026-06-02", errors=0, corrected=0, accepted=0,
        digest=DIGEST,
    )  # fmt: skip
    frozen = [{"system": "booking", "state": "frozen", "grants": 0, "verified": True, "on": "2026-06-03"}]
    world.tell("access.access_frozen", exit_id, activity="C2", systems=frozen, on="2026-06-03")
    world.tell(
        "delivery.package_delivered", exit_id, package_id="p-1", package_digest=DIGEST, package_bytes=1, files=1,
        rows=1, places=[], on="2026-06-04",
    )  # fmt: skip
    world.tell(
        "delivery.delivery_accepted", exit_id, package_id="p-1", package_digest=DIGEST, actor="p-lead",
        role="kommune_projektleder", on="2026-06-05",
    )  # fmt: skip
    world.walk(date(2026, 6, 30))
    for activity, kind in (("C5", "access_withdrawn"), ("C6", "operations_stopped")):
        world.tell(
            "access.access_attested", exit_id, activity=activity, kind=kind, digest=DIGEST, actor="p-lead",
            role="kommune_projektleder", on="2026-06-30",
        )  # fmt: skip
    return exit_id


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
    exit_id = through_the_window(world)
    destroy(world, exit_id, "C7", "2026-06-30")
    world.walk(date(2026, 10, 1))
    assert {"D2", "D7a", "D7b"} <= set(world.due(exit_id))
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
    exit_id = confirmed(world, places=PLACES[1:])
    before = len(world.told)
    with pytest.raises(Rejected) as refused:
        world.do(LEAD, "orders.place_final_order", exit_id=exit_id)
    assert refused.value.code == "ORDER_INCOMPLETE"
    assert world.do(LEAD, "orders.read_exit", exit_id=exit_id)["state"] == "confirmed"
    assert len(world.told) == before


def test_an_agreement_has_one_final_order_and_one_reference(world: World) -> None:
    first = place(world)
    agreement = world.do(LEAD, "orders.read_exit", exit_id=first)["agreement_id"]
    second = confirmed(world, agreement_id=agreement)
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
    exit_id = through_the_window(world)
    world.walk(date(2026, 10, 1))
    world.tell(
        "deletion.deletion_stopped", exit_id, activity="D2", job_id="job-D2", code="PLACE_NEW", field="booking.ny",
        on="2026-10-01",
    )  # fmt: skip
    stopped = rows(world, exit_id)["D2"]
    assert (stopped["state"], stopped["waits_for"]) == ("waiting", ["PLACE_NEW"])
    world.walk(date(2026, 10, 2))
    assert world.due(exit_id).count("D2") == 2


def test_a_notice_after_the_approval_is_proposed_answered_and_applied(world: World) -> None:
    exit_id = approved(world)
    verdict = world.do(
        LEAD, "orders.give_notice", exit_id=exit_id, kind="extension", given_on="2026-01-15", months=24, digest=DIGEST
    )
    assert verdict["outcome"] == "accepted"
    plan = world.do(LEAD, "scheduling.read_plan", exit_id=exit_id)
    proposal = plan["proposal"]
    assert (plan["state"], proposal["cause"], proposal["needs"]) == ("approved", "extension", ["customer"])
    named = {"proposal_id": proposal["proposal_id"], "proposal_digest": proposal["proposal_digest"]}
    answered = world.do(LEAD, "scheduling.answer_proposal", exit_id=exit_id, **named, answer="approved")
    assert answered["state"] == "applied"
    assert rows(world, exit_id)["D1"]["due"] == "2028-09-30"
    assert [body["state"] for wire, body in world.told if wire == "scheduling.plan_proposed"] == ["proposed", "applied"]


def test_t10_storage_that_silence_took_is_known_to_orders_and_ended_by_a_notice(world: World) -> None:
    exit_id = approved(world)
    world.do(LEAD, "orders.choose_options", exit_id=exit_id, options=[], silence="storage_option")
    world.walk(date(2027, 2, 10))
    assert world.do(LEAD, "orders.read_exit", exit_id=exit_id)["options"] == ["S2-28.2-retention"]
    given = {"kind": "retention_end", "given_on": "2027-02-10", "digest": DIGEST}
    verdict = world.do(LEAD, "orders.give_notice", exit_id=exit_id, **given)
    assert (verdict["outcome"], verdict["moved"]) == ("accepted", [{"anchor": "O", "on": "2027-02-25"}])


def test_a_new_text_of_a_profile_changes_no_exit_until_both_parties_have_approved_it(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from services.scheduling import store

    exit_id = place(world)
    before = world.do(LEAD, "scheduling.read_plan", exit_id=exit_id)["plan_digest"]
    text = (FOLDER / "ist-standard.yaml").read_text(encoding="utf-8").replace("T -2m", "T -49d")
    (tmp_path / "ist-standard.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    monkeypatch.setattr(store, "newest", lambda name: load_profile(name, tmp_path))
    monkeypatch.setattr(store, "_PARSED", {})
    assert world.do(LEAD, "scheduling.read_plan", exit_id=exit_id)["plan_digest"] == before
    told = world.do(SUPPLIER, "scheduling.propose_profile", profile="ist-standard")
    assert exit_id in told["proposed"]
    assert world.do(SUPPLIER, "scheduling.propose_profile", profile="ist-standard")["proposed"] == []
    proposal = world.do(LEAD, "scheduling.read_plan", exit_id=exit_id)["proposal"]
    named = {"proposal_id": proposal["proposal_id"], "proposal_digest": proposal["proposal_digest"]}
    states = [
        world.do(actor, "scheduling.answer_proposal", exit_id=exit_id, **named, answer="approved")["state"]
        for actor in (LEAD, SUPPLIER)
    ]
    assert states == ["proposed", "applied"]
    assert rows(world, exit_id)["B8"]["due"] == "2026-05-13"


def test_a_hold_and_a_cancelled_exit_are_kept_and_read_back(world: World) -> None:
    exit_id = through_the_window(world)
    world.walk(date(2026, 10, 1))
    hold = {"basis": "LAW", "digest": DIGEST, "actor": "p-lead", "role": "kommune_dpo", "on": "2026-10-01"}
    world.tell("deletion.hold_placed", exit_id, hold_id="hold-1", system="booking", **hold)
    assert rows(world, exit_id)["D2"]["waits_for"] == ["HOLD(booking)"]
    lifted = {"digest": DIGEST, "actor": "p-lead", "role": "kommune_dpo", "on": "2026-10-01"}
    world.tell("deletion.hold_lifted", exit_id, hold_id="hold-1", **lifted)
    assert world.due(exit_id).count("D2") == 2
    job = {"activity": "D2", "job_id": "job-D2", "plan_digest": DIGEST}
    world.tell(
        "deletion.deletion_previewed", exit_id, **job, inventory_digest=DIGEST, places=[], total=1, on="2026-10-01"
    )
    world.do(OFFICER, "scheduling.approve", exit_id=exit_id, **job)
    world.do(LEAD, "orders.cancel_exit", exit_id=exit_id, reason="agreement_continues", digest=DIGEST)
    assert world.last("scheduling.cancellation_requested")["job_id"] == "job-D2"
    world.tell("deletion.deletion_cancelled", exit_id, activity="D2", job_id="job-D2", on="2026-10-01")
    plan = world.do(LEAD, "scheduling.read_plan", exit_id=exit_id)
    assert (plan["state"], plan["approvals"][0]["state"]) == ("cancelled", "void")
    assert world.stores["scheduling"].db.timers.count_documents({"subject": exit_id}) == 0


@pytest.mark.parametrize("service", ["orders", "scheduling"])
def test_a_face_serves_exactly_what_the_contracts_declare(service: str, world: World) -> None:
    from shared.bus.faces import check_complete

    check_complete(world.faces[service])
    assert not [wire for wire in TASKS if wire.startswith(service)]

"""Orders through its own processes on a real broker and database: the whole path, and many who want the last window.

Two faces and the relay run as processes; what they tell is taken from the queue of scheduling, as it would get it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymongo
import pytest

from contracts.catalogue import CALLERS, EVENTS, SERVICES
from contracts.errors import Rejected, Unavailable
from contracts.registry import check
from contracts.roles import EVERYONE
from shared.bus import trust
from shared.bus.envelope import new_id
from shared.bus.pump import dial
from shared.bus.tokens import Issuer
from shared.rules.profiles import load_profiles, required_lines
from shared.runtime.clock import set_clock
from shared.store import mongo as store_mongo
from tests.integration.bus_store_parts import Patient, folder, mongo
from tests.parts import Broker, Parts
from tests.waiting import until

ROOT = Path(__file__).parents[2]
DIGEST, CVR = "a" * 64, "11111111"
LEAD, SUPPLIER, DPO = "kommune_projektleder", "ist_projektleder", "kommune_dpo"
BOTH, STANDARD = ["ist-standard", "ski-02-19"], ["ist-standard"]
SUPPLIERS = iter(("35434399", "86631628", "19435075", "13748136"))
NAMES = ("Korsbæk", "Leverandøren", "Ingeborg", "korsbaek.invalid", "Hosting")
SYSTEMS = [
    {"system": "pladsanvisning", "title": "IST Pladsanvisning", "kind": "postgresql", "deletion": "2"},
    {"system": "booking", "title": "Booking", "kind": "files", "deletion": "1"},
]
PAIRS = [
    {"line": line, "continues": False, "agreement_digest": None, "ends_on": None, "delete_on": None, "feed": "none"}
    for line in ("DAGTILBUD-ADMIN", "KLUB-ADMIN", "SFO-ADMIN", "DAGPLEJE-ADMIN")
]


class Stage:
    """Keys and trust, a clock that stands at 15 January 2026, and orders' processes."""

    def __init__(self, broker: Broker, mongo_uri: str, root: Path) -> None:
        self.broker, self.mongo_uri, self.root = broker, mongo_uri, root
        services = {name: trust.make_key(root, name) for name in SERVICES}
        issuers = {name: (trust.make_key(root, name), EVERYONE) for name in CALLERS}
        trust.write(root / "trust.json", services, issuers)
        self.issuer = Issuer("console", trust.load_key(root, "console"))
        self.client = Patient(broker.uri("console"), "console", self.issuer.acting("p-0", [LEAD]))
        self.mongo: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(mongo_uri)
        self.db = self.mongo["ophor_orders"]
        store_mongo.make_indexes(store_mongo.database(self.mongo, "orders"))
        set_clock(mongo_uri, datetime(2026, 1, 15, 9, tzinfo=UTC))
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, kind: str) -> None:
        environment = {
            **os.environ, "OPHOR_MODE": "test", "OPHOR_AMQP_URI": self.broker.uri("svc-orders"),
            "OPHOR_MONGO_URI": self.mongo_uri, "OPHOR_CLOCK_URI": self.mongo_uri,
            "OPHOR_TRUST": str(self.root / "trust.json"), "OPHOR_KEYS": str(self.root),
        }  # fmt: skip
        argv = [sys.executable, "-m", "services", kind, "orders"]
        with (self.root / "log").open("ab") as log:
            self.running.append(subprocess.Popen(argv, env=environment, cwd=ROOT, stdout=log, stderr=log))

    def close(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()
        self.client.close()
        self.mongo.close()

    def call(self, role: str, wire: str, **data: Any) -> dict[str, Any]:
        """Call the face as somebody in `role`, with the same command id again while it cannot answer."""
        client = self.client.on_behalf(self.issuer.acting(f"p-{role}", [role], ["*" if role == SUPPLIER else CVR]))
        command_id = new_id()

        def answer() -> dict[str, Any] | None:
            try:
                return client.call(f"orders.{wire}", data, command_id=command_id)
            except Unavailable:
                return None

        return dict(until(answer, f"{wire} is answered; {self.root / 'log'}"))

    def told(self, exit_id: str, last: str) -> list[dict[str, Any]]:
        """Take what scheduling is told of an exit, until `last` is among it."""
        found: list[dict[str, Any]] = []
        connection = dial(self.broker.uri("topology"), "test")
        try:
            channel = connection.channel()

            def complete() -> bool:
                while (raw := channel.basic_get("evt-scheduling", no_ack=True)) is not None:
                    found.append(json.loads(raw.body))
                return any(each["type"] == f"orders.{last}" and each["subject"] == exit_id for each in found)

            until(complete, f"orders.{last} is told")
        finally:
            connection.close()
        return [each for each in found if each["subject"] == exit_id]


@pytest.fixture(scope="module")
def stage(parts: Parts) -> Iterator[Stage]:
    with ExitStack() as stack:
        broker = parts.broker()
        stack.callback(broker.remove)
        made = Stage(broker, stack.enter_context(mongo()).uri, stack.enter_context(folder()))
        stack.callback(made.close)
        for kind in ("face", "face", "relay"):
            made.start(kind)
        yield made


def refused(call: Callable[[], Any]) -> Rejected:
    with pytest.raises(Rejected) as caught:
        call()
    assert caught.value.code and caught.value.field and caught.value.remedy and caught.value.da
    return caught.value


def agreement(stage: Stage, reference: str, supplier: str, profiles: list[str], **changes: Any) -> str:
    body = {
        "reference": reference, "dpa_reference": "dba-1", "customer_type": "municipality", "profiles": profiles,
        "customer": {"cvr": CVR, "name": "Korsbæk Kommune"}, "supplier": {"cvr": supplier, "name": "Leverandøren A/S"},
        "in_force_on": "2020-09-01", "takeover_day": "2020-09-30", "agreement_end": "2026-09-30",
    }  # fmt: skip
    return str(stage.call(SUPPLIER, "register_agreement", **body | changes)["agreement_id"])


def order(stage: Stage, agreement_id: str) -> str:
    body = {
        "agreement_id": agreement_id, "go_live": "2026-07-01", "tenant": "korsbaek", "map_digest": DIGEST,
        "systems": SYSTEMS, "places": [],
    }  # fmt: skip
    return str(stage.call(LEAD, "order_window", **body)["exit_id"])


def ready(stage: Stage, exit_id: str, profiles: list[str]) -> None:
    """Give all that the final order needs, but for the confirmation."""
    lines = [{"line": line.line, "answer": "not_used"} for line in required_lines(load_profiles(tuple(profiles)))]
    stage.call(LEAD, "answer_places", exit_id=exit_id, places=lines)
    stage.call(SUPPLIER, "hold_meeting", exit_id=exit_id, held_on="2026-01-14", expected_options=[],
               archive_asked=True, digest=DIGEST)  # fmt: skip
    stage.call(SUPPLIER, "list_equipment", exit_id=exit_id, items=[])
    chain = [{"sub_supplier": "s-1", "name": "Hosting ApS", "holds_data": True, "dpa_digest": DIGEST}]
    stage.call(SUPPLIER, "list_sub_suppliers", exit_id=exit_id, sub_suppliers=chain)


def test_an_exit_goes_from_the_agreement_over_every_decision_to_its_cancellation(stage: Stage) -> None:
    number = agreement(stage, "aftale-1", "99999999", BOTH, takeover_day=None, agreement_end=None)
    assert refused(lambda: order(stage, number)).code == "TAKEOVER_UNKNOWN"
    stage.call(LEAD, "approve_takeover", agreement_id=number, takeover_day="2020-09-30", digest=DIGEST)
    exit_id = order(stage, number)

    def do(role: str, wire: str, **data: Any) -> dict[str, Any]:
        return stage.call(role, wire, exit_id=exit_id, **data)

    # Ordering: what is missing is named at once; the supplier's counter-proposal is accepted.
    missing = refused(lambda: do(LEAD, "place_final_order"))
    assert (missing.code, missing.field) == ("ORDER_INCOMPLETE", "places")
    assert "equipment" in missing.message and "DATA-LOADED" in missing.message
    assert do(SUPPLIER, "confirm_window", answer="countered", go_live="2026-08-01")["state"] == "countered"
    accepted = do(LEAD, "answer_counter", answer="accepted")
    assert accepted["state"] == "confirmed"
    assert [each["code"] for each in accepted["warnings"]] == ["BACKUPS_FIFTEEN_DAYS"]
    ready(stage, exit_id, BOTH)
    assert do(LEAD, "place_final_order")["state"] == "placed"
    assert refused(lambda: do(LEAD, "place_final_order")).code == "STATE_FORBIDS"

    # Preparation.
    person = {"name": "Ingeborg Skjern", "email": "i@korsbaek.invalid", "knows_solution": True}
    do(LEAD, "name_contact", party="customer", **person)
    do(LEAD, "confirm_dates", go_live="2026-08-01")
    chosen = {"options": ["S1-8.3"], "silence": "storage_option"}
    assert refused(lambda: do(LEAD, "choose_options", **chosen)).code == "OPTION_NEEDS"
    proposed = do(SUPPLIER, "propose_accord", kind="amendment", subject="services_after_end", digest=DIGEST)
    signature = {"accord_id": proposed["accord_id"], "digest": DIGEST}
    assert refused(lambda: do(SUPPLIER, "sign_accord", **signature)).code == "WRONG_PARTY"
    assert do(LEAD, "sign_accord", **signature)["state"] == "signed"
    do(LEAD, "choose_options", **chosen)
    do(LEAD, "decide_pairs", pairs=PAIRS)
    do(LEAD, "instruct_transfer", recipient_cvr="13748136", approved_on="2026-01-15", digest=DIGEST)
    instruction = {"kind": "delete", "basis": "INSTRUCTION", "digest": DIGEST, "given_on": "2026-01-15"}
    do(LEAD, "instruct", erase_early=True, **instruction)
    archive = {"decision": "not_worth_keeping", "digest": DIGEST, "decided_on": "2026-01-15"}
    do(LEAD, "decide_archive", system="booking", **archive)

    # Notices and periods.
    notice = {"kind": "postponement", "given_on": "2026-01-15", "effect_on": "2026-09-01"}
    tried = do(LEAD, "check_notice", **notice)
    given = do(LEAD, "give_notice", **notice, digest=DIGEST)
    assert (tried["outcome"], given["outcome"]) == ("accepted", "accepted")
    assert do(SUPPLIER, "give_notice", kind="termination", given_on="2026-01-15", digest=DIGEST)["outcome"] == "refused"
    calendar = do(DPO, "read_calendar")["days"]
    assert {day["latest_on"] for day in calendar if day["kind"] == "retention"} == {"2026-09-29"}
    do(LEAD, "record_trigger", anchor="demand", on="2026-01-15", digest=DIGEST)
    do(SUPPLIER, "answer_obligation", obligation="S2-3.2-d", answer="met", on="2026-01-15", digest=DIGEST)

    row = do(DPO, "read_exit")
    assert (row["state"], row["go_live"], row["operations_end"]) == ("placed", "2026-09-01", "2026-08-31")
    assert (row["options"], row["unanswered"]) == (["S1-8.3"], [])
    assert [contact["name"] for contact in row["contacts"]] == ["Ingeborg Skjern"]
    assert exit_id in {each["exit_id"] for each in stage.call(SUPPLIER, "list_exits")["exits"]}
    pinned = {profile.digest: profile.name for profile in load_profiles(tuple(BOTH))}
    assert {kept["_id"]: kept["name"] for kept in stage.db.profiles.find({})} == pinned
    assert do(LEAD, "cancel_exit", reason="withdrawn", digest=DIGEST)["state"] == "cancelled"
    (capacity,) = stage.db.capacity.find({"_id": "99999999"})
    assert capacity["reserved"] == []

    # What was told: each fact by its contract, in order without a gap, and nobody's name.
    told = stage.told(exit_id, "exit_cancelled")
    assert sorted(each["seq"] for each in told) == list(range(1, len(told) + 1))
    for each in told:
        check(EVENTS[each["type"]].schema, each["data"], each["type"])
        assert not [name for name in NAMES if name in json.dumps(each, ensure_ascii=False)]
    names = [each["type"].removeprefix("orders.") for each in sorted(told, key=lambda each: each["seq"])]
    assert names == [
        "window_ordered", "window_countered", "window_confirmed", "window_ordered", "meeting_held", "equipment_listed",
        "sub_suppliers_listed", "order_placed", "contact_named", "dates_confirmed", "accord_signed",
        "options_confirmed", "pairs_decided", "transfer_instructed", "instruction_given", "archive_decided",
        "notice_given", "notice_given", "trigger_recorded", "obligation_answered", "exit_cancelled",
    ]  # fmt: skip


def confirmed(stage: Stage, count: int, profiles: list[str]) -> tuple[str, list[str]]:
    """Make exits of as many agreements of one supplier who takes one window, each ready for its final order."""
    supplier = next(SUPPLIERS)
    stage.call(SUPPLIER, "set_capacity", supplier_cvr=supplier, starts_on="2026-01-15", windows=1)
    exits = [order(stage, agreement(stage, f"aftale-{supplier}-{n}", supplier, profiles)) for n in range(count)]
    for exit_id in exits:
        ready(stage, exit_id, profiles)
        stage.call(SUPPLIER, "confirm_window", exit_id=exit_id)
    return supplier, exits


def at_once(stage: Stage, exits: list[str]) -> list[str]:
    """Have every exit's final order placed at the same moment; give each outcome."""
    outcomes: list[str] = []
    gate = threading.Barrier(len(exits))

    def place(exit_id: str) -> None:
        gate.wait()
        try:
            outcomes.append(str(stage.call(LEAD, "place_final_order", exit_id=exit_id)["state"]))
        except Rejected as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=place, args=(exit_id,)) for exit_id in exits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


@pytest.mark.parametrize("round_", [1, 2])
def test_of_many_final_orders_for_the_last_window_exactly_one_wins(stage: Stage, round_: int) -> None:
    supplier, exits = confirmed(stage, 6, STANDARD)
    assert at_once(stage, exits) == ["CAPACITY_FULL"] * 5 + ["placed"]
    (row,) = stage.db.capacity.find({"_id": supplier})
    (winner,) = [each["exit_id"] for each in row["reserved"]]
    assert stage.db.outbox.count_documents({"wire": "orders.order_placed", "subject": {"$in": exits}}) == 1
    assert stage.call(LEAD, "read_exit", exit_id=winner)["state"] == "placed"
    losers = [stage.call(LEAD, "read_exit", exit_id=each)["state"] for each in exits if each != winner]
    assert losers == ["confirmed"] * 5
    stage.call(LEAD, "cancel_exit", exit_id=winner, reason="withdrawn", digest=DIGEST)
    loser = next(each for each in exits if each != winner)
    assert stage.call(LEAD, "place_final_order", exit_id=loser)["state"] == "placed"


def test_t8_what_s2_owes_is_placed_beyond_the_capacity_and_shown(stage: Stage) -> None:
    supplier, exits = confirmed(stage, 3, BOTH)
    assert at_once(stage, exits) == ["placed"] * 3
    (row,) = stage.db.capacity.find({"_id": supplier})
    assert {each["exit_id"] for each in row["reserved"]} == set(exits)
    over = [stage.call(LEAD, "read_exit", exit_id=each)["warnings"] for each in exits]
    assert sum("OVER_CAPACITY" in [caution["code"] for caution in warnings] for warnings in over) == 2


def test_of_two_exits_that_end_the_same_agreement_one_is_placed(stage: Stage) -> None:
    supplier = next(SUPPLIERS)
    number = agreement(stage, "aftale-to", supplier, BOTH)
    exits = [order(stage, number) for _ in range(2)]
    for exit_id in exits:
        ready(stage, exit_id, BOTH)
        stage.call(SUPPLIER, "confirm_window", exit_id=exit_id)
    assert at_once(stage, exits) == ["EXIT_ALREADY_PLACED", "placed"]

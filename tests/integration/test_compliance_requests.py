"""A DPO's requests on a real database: clock, reminders, answers by the log and by people, all of it evidence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import Rejected
from services.compliance import requests, store
from tests.integration.bus_store_parts import mongo
from tests.integration.compliance_house import DPO, LEAD, OFFICER, STRANGER, House, house
from tests.unit import evidence_world as given
from tests.unit.evidence_world import EXIT

pytestmark = pytest.mark.xdist_group("compliance-requests")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with mongo() as made:
        yield made.uri


@pytest.fixture
def there(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    with house(database, tmp_path, request.node.name[:40]) as made:
        yield made


def ask(there: House, what: str, basis: str = "S2-13-a", **more: Any) -> dict[str, Any]:
    return there.do(DPO, "make_request", exit_id=EXIT, what=what, basis=basis, **more)


def issue(there: House, stage: str, activities: list[str]) -> None:
    """Keep a certificate as issued and log it, as the renderer does at its end."""
    row = {"_id": f"crt-{stage}", "exit_id": EXIT, "stage": stage, "state": "issued", "activities": activities,
           "kind": "rehearsal", "order": 1}  # fmt: skip
    entry = {"certificate_id": row["_id"], "stage": stage, "number": "ØV-000001", "activities": activities}
    entry |= {"statement_digest": given.sha(stage)}

    def handle(unit: Any) -> None:
        store.save_certificate(unit, row)
        item = {"ref": f"issued-{stage}", "exit_id": EXIT, "kind": "CERTIFICATE_ISSUED", "entry": entry}
        store.offer(unit, item)
        requests.certificate_issued(unit, row, "rehearsal")

    there.store.run(handle)
    there.carry()


def test_documentation_of_what_the_log_holds_whole_is_answered_at_once_with_its_indexes(there: House) -> None:
    there.tell(given.deleted_exit())
    row = ask(there, "DOCUMENTATION", subject="DELETION")
    assert (row["state"], row["due"], row["owner"]) == ("answered", "2026-10-20", "ist_projektleder")
    (said,) = row["answers"]
    assert (said["form"], said["automatic"]) == ("EVIDENCE", True)
    indexes = {entry["job_id"] for entry in there.kinds("DELETION_VERIFIED")}
    assert len(said["evidence"]) == len(indexes) == 3
    assert [one["form"] for one in there.kinds("REQUEST_ANSWERED")] == ["EVIDENCE"]
    waiting = there.store.db.timers.count_documents({"_id": {"$regex": "^request/"}})
    assert waiting == 0, "an answered request waits for nothing"


def test_what_the_log_holds_in_part_waits_for_its_owner_and_is_answered_when_the_rest_comes(there: House) -> None:
    whole = given.deleted_exit()
    there.tell([one for one in whole if one[1].get("activity") != "D7a"])
    row = ask(there, "DOCUMENTATION", subject="DELETION")
    assert (row["state"], row["answers"]) == ("open", [])
    there.tell([one for one in whole if one[1].get("activity") == "D7a"])
    there.walk(date(2026, 10, 7))
    (row,) = there.do(DPO, "list_requests", exit_id=EXIT)["requests"]
    assert (row["state"], row["late"], row["answers"][0]["automatic"]) == ("answered", False, True)


def test_reminders_go_to_the_owner_and_past_the_last_day_to_those_above_and_the_dpo(there: House) -> None:
    there.tell(given.deleted_exit())
    row = ask(there, "DOCUMENTATION", subject="SECURITY")
    there.walk(date(2026, 10, 20))
    told = [data for wire, data in there.told if wire == "compliance.request_reminded"]
    assert [(one["step"], one["on"], one["to"]) for one in told] == [
        ("due_soon", "2026-10-13", ["ist_projektleder"]), ("due_soon", "2026-10-19", ["ist_projektleder"]),
    ]  # fmt: skip
    there.walk(date(2026, 10, 30))
    told = [data for wire, data in there.told if wire == "compliance.request_reminded"][2:]
    assert [(one["step"], one["on"], one["to"]) for one in told] == [
        ("overdue", "2026-10-21", ["ist_projektleder", "kommune_dpo"]),
    ]  # fmt: skip
    digest = given.sha("redegørelse")
    answered = there.do(
        LEAD, "answer_request", exit_id=EXIT, request_id=row["request_id"], outcome="answered", document_digest=digest
    )
    assert (answered["state"], answered["late"]) == ("answered", True)
    assert [one["late"] for one in there.kinds("REQUEST_ANSWERED")] == [True]


def test_a_certificate_that_is_not_there_gives_a_status_that_is_not_permanent_and_then_the_document(
    there: House,
) -> None:
    there.tell(given.deleted_exit(amended=False))
    row = ask(there, "CERTIFICATE", "S2-28.1-d", stage="ACTIVE-DELETED")
    (status,) = row["answers"]
    assert row["state"] == "status_given" and status["form"] == "STATUS" and not status["permanent"]
    assert "ikke permanent" in status["said_da"] and "S2 28.1 står fortsat åben." in status["said_da"]
    assert status["unmet"] == ["PARTIES_MISSING"]
    issue(there, "ACTIVE-DELETED", ["C7", "D2"])
    assert there.do(DPO, "list_requests", exit_id=EXIT)["requests"][0]["state"] == "status_given", "D7a is missing"
    issue(there, "ACTIVE-DELETED", ["C7", "D2", "D7a"])
    (row,) = there.do(DPO, "list_requests", exit_id=EXIT)["requests"]
    assert row["state"] == "answered"
    assert row["answers"][-1]["certificates"] == ["crt-ACTIVE-DELETED"]
    assert "ikke permanent" in row["answers"][-1]["said_da"]
    standing = {one["id"]: one for one in there.do(DPO, "read_obligations", exit_id=EXIT)["obligations"]}
    assert standing["S2-28.1-d"]["state"] == "pending", "28.1 stays open until the backups are gone"


def test_a_demand_that_came_by_letter_runs_from_its_own_day_and_may_be_overdue_at_once(there: House) -> None:
    there.tell(given.deleted_exit())
    row = ask(there, "DOCUMENTATION", subject="OTHER", received_on=date(2026, 9, 14))
    assert (row["made_on"], row["due"], row["late"]) == ("2026-09-14", "2026-09-28", True)
    there.walk(date(2026, 10, 7))
    assert there.do(DPO, "list_requests", exit_id=EXIT)["requests"][0]["state"] == "overdue"


def test_a_refusal_needs_a_listed_reason_and_the_customer_can_withdraw(there: House) -> None:
    there.tell(given.deleted_exit())
    row = ask(there, "DOCUMENTATION", subject="OTHER")
    mine = {"exit_id": EXIT, "request_id": row["request_id"]}
    with pytest.raises(Rejected, match="REQUEST_INVALID"):
        there.do(LEAD, "answer_request", **mine, outcome="refused")
    with pytest.raises(Rejected, match="document_digest"):
        there.do(LEAD, "answer_request", **mine, outcome="answered")
    with pytest.raises(Rejected, match="999 is not an entry"):
        there.do(LEAD, "answer_request", **mine, outcome="answered", evidence=[999])
    refused = there.do(OFFICER, "answer_request", **mine, outcome="refused", reason="DUPLICATE")
    assert refused["state"] == "refused" and "samme anmodning" in refused["answers"][0]["said_da"]
    with pytest.raises(Rejected, match="REQUEST_STATE"):
        there.do(DPO, "withdraw_request", **mine)
    other = ask(there, "DOCUMENTATION", subject="PROCESSING")
    taken = there.do(DPO, "withdraw_request", exit_id=EXIT, request_id=other["request_id"])
    assert taken["state"] == "withdrawn"
    assert [one["state"] for one in there.kinds("REQUEST_ANSWERED")] == ["refused", "withdrawn"]


def test_another_customers_dpo_neither_asks_nor_reads(there: House) -> None:
    there.tell(given.deleted_exit())
    tried: dict[str, dict[str, Any]] = {"make_request": {"what": "STATUS", "basis": "S2-13-a"}, "list_requests": {}}
    for name, more in tried.items():
        with pytest.raises(Rejected, match="CUSTOMER_NOT_IN_SCOPE"):
            there.do(STRANGER, name, exit_id=EXIT, **more)


def test_what_is_asked_fits_together_and_leans_on_what_binds(there: House) -> None:
    there.tell(given.deleted_exit())
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"what": "CERTIFICATE"}, "stage"),
        ({"what": "STATUS", "subject": "OTHER"}, "subject"),
        ({"what": "DOCUMENTATION", "subject": "OTHER", "received_on": date(2026, 10, 7)}, "received_on"),
    ]
    for more, field in wrong:
        with pytest.raises(Rejected) as caught:
            ask(there, **more)
        assert caught.value.field == field
    with pytest.raises(Rejected, match="EXIT_UNKNOWN"):
        there.do(DPO, "make_request", exit_id="exit-none", what="STATUS", basis="S2-13-a")


@pytest.mark.parametrize(
    ("amended", "on", "words"),
    [
        (True, date(2026, 10, 6), "åben for backups"),
        (False, date(2026, 10, 6), "S2 28.1 står fortsat åben."),
        (False, date(2026, 10, 16), "S2 28.1 er OVERTRÅDT"),
    ],
)
def test_a_status_says_how_s2_28_1_stands_that_day(there: House, amended: bool, on: date, words: str) -> None:
    there.tell(given.deleted_exit(amended=amended))
    there.clock.set(on)
    row = ask(there, "STATUS", "S2-28.1-d")
    assert row["state"] == "answered"
    assert "ikke permanent" in row["answers"][0]["said_da"] and words in row["answers"][0]["said_da"]


def force_majeure(anchor: str, on: str) -> given.Event:
    return "orders.trigger_recorded", {"exit_id": EXIT, "anchor": anchor, "on": on, "digest": given.sha(anchor)}


def test_a_force_majeure_told_in_time_stops_the_clock_and_takes_back_what_was_called_overdue(there: House) -> None:
    there.tell(given.deleted_exit())
    ask(there, "DOCUMENTATION", subject="SECURITY")
    lawful = ask(there, "DOCUMENTATION", "GDPR-28.3.h", subject="SECURITY")["request_id"]

    def rows() -> dict[bool, dict[str, Any]]:
        listed = there.do(DPO, "list_requests", exit_id=EXIT)["requests"]
        return {one["request_id"] == lawful: one for one in listed}

    there.walk(date(2026, 10, 21))
    assert rows()[False]["state"] == "overdue", "the last day, 2026-10-20, has passed, and nobody has told anything"
    there.tell([force_majeure("force_majeure", "2026-10-19")])
    there.walk(date(2026, 10, 30))
    still, own = rows()[False], rows()[True]
    assert (still["state"], still["late"], still["suspended"], still["due"]) == ("open", False, True, "2026-11-03")
    assert "uret stod stille i 10 Arbejdsdage: force majeure (S2 23)" in still["rule_da"]
    assert (own["state"], own["due"], own["suspended"]) == ("overdue", "2026-10-20", False), "the GDPR does not wait"
    there.tell([force_majeure("force_majeure_end", "2026-10-30")])
    there.walk(date(2026, 11, 4))
    over = rows()[False]
    assert (over["state"], over["late"], over["suspended"], over["due"]) == ("overdue", True, False, "2026-11-03")
    steps = [(one["step"], one["on"]) for one in there.kinds("REQUEST_REMINDED") if one["request_id"] != lawful]
    assert ("overdue", "2026-10-21") in steps and ("overdue", "2026-11-04") in steps
    assert not [on for _, on in steps if "2026-10-22" <= on <= "2026-10-30"], "nobody is pressed meanwhile"


def test_a_breach_is_declared_notified_and_then_no_longer_open(there: House) -> None:
    there.tell(given.deleted_exit())
    known = {"aware_at": "2026-10-05T09:00:00Z", "natures": ["INTEGRITY"], "subjects": "UP_TO_10", "records": "MORE"}

    def duty() -> str:
        rows = there.do(DPO, "read_obligations", exit_id=EXIT)["obligations"]
        return str(next(one["state"] for one in rows if one["id"] == "GDPR-33.2"))

    with pytest.raises(Rejected, match="CUSTOMER_NOT_IN_SCOPE"):
        there.do(STRANGER, "list_breaches", exit_id=EXIT)
    first = there.do(LEAD, "declare_breach", exit_id=EXIT, answer="BREACH", **known)
    assert duty() == "pending"
    again = {"exit_id": EXIT, "answer": "BREACH", "breach_id": first["breach_id"]}
    there.do(OFFICER, "declare_breach", **again, **known, notified_at="2026-10-05T11:30:00Z")
    (row,) = there.do(DPO, "list_breaches", exit_id=EXIT)["breaches"]
    assert (row["breach_id"], row["hours"], len(row["evidence"])) == (first["breach_id"], 2, 2)
    roles = [one["role"] for one in there.kinds("BREACH_DECLARED")]
    assert (duty(), roles) == ("met", ["ist_projektleder", "ist_sletteansvarlig"])

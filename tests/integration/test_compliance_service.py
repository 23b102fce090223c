"""Compliance on a real broker and database: from what it is told to certificates that a stranger can verify."""

from __future__ import annotations

import base64
import copy
import json
import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from contracts.errors import Rejected
from services.compliance.verifier import ophor_verify
from tests.integration.bus_store_parts import until
from tests.integration.compliance_parts import Bed, bed
from tests.parts import Parts
from tests.unit import evidence_world as given

pytestmark = pytest.mark.xdist_group("compliance")
PARTIES = {
    "controller": given.RECORD.controller, "processor": given.RECORD.processor, "agreement_reference": "02.19-4711",
    "dpa_reference": "dba-4711",
    "officials": [{"actor": "usr-a", "name": "Godkender Et", "function": "IT-chef"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def there(parts: Parts) -> Iterator[Bed]:
    with bed(parts) as made:
        made.set_day(date(2026, 10, 6))
        yield made


def events_for(exit_id: str, told: list[given.Event] | None = None) -> list[given.Event]:
    """Give the world's exit under an id of its own, its jobs too."""
    text = copy.deepcopy(told or given.deleted_exit() + given.backups_gone())
    for _, data in text:
        data["exit_id"] = exit_id
        if "job_id" in data:
            data["job_id"] = f"{data['job_id']}-{exit_id}"
    return text


def deleted(exit_id: str) -> list[given.Event]:
    return [one for one in events_for(exit_id) if not one[0].startswith(("deletion.backup_obs", "deletion.backups_"))]


def prepare(there: Bed, exit_id: str, told: list[given.Event] | None = None) -> list[given.Event]:
    there.client("ist_projektleder").call("compliance.name_parties", {"exit_id": exit_id, **PARTIES})
    told = events_for(exit_id, told) if told else deleted(exit_id)
    there.told(told, exit_id)
    there.wait_logged(exit_id, len(told))
    return told


def ask(there: Bed, exit_id: str, stage: str = "ACTIVE-DELETED", **more: Any) -> dict[str, Any]:
    return there.client().call("compliance.request_certificate", {"exit_id": exit_id, "stage": stage, **more})


def settled(there: Bed, row: dict[str, Any]) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = there.client().call("compliance.read_certificate", {"certificate_id": row["certificate_id"]})
        return found if found["state"] in ("issued", "failed") else None

    return until(look, "the certificate is issued or failed")  # type: ignore[no-any-return]


def fetch(there: Bed, row: dict[str, Any], document: str) -> bytes:
    client, parts, offset = there.client(), [], 0
    while offset is not None:
        asked = {"certificate_id": row["certificate_id"], "document": document, "offset": offset}
        part = client.call("compliance.read_document", asked)
        parts.append(base64.b64decode(part["part"]))
        assert len(part["part"]) <= 128 * 1024
        offset = part["next_offset"]
    whole = b"".join(parts)
    assert len(whole) == part["size"]
    return whole


def verdict(there: Bed, data: bytes, *heads: str) -> ophor_verify.Report:
    keys = there.client().call("compliance.read_log", {})["keys"]
    return ophor_verify.verify(data, ophor_verify.Options(keys, list(heads), rehearsal=True))


def test_a_whole_exit_gives_two_certificates_that_verify_in_every_form(there: Bed) -> None:
    prepare(there, "exit-whole")
    before = there.client().call("compliance.read_log", {})
    first = settled(there, ask(there, "exit-whole"))
    assert (first["state"], first["kind"], first["refusals"]) == ("issued", "rehearsal", [])
    for document in ("pdf", "bundle", "dsse"):
        assert verdict(there, fetch(there, first, document), before["checkpoint"]).code == 0
    with pytest.raises(Rejected) as refused:
        ask(there, "exit-whole", "BACKUP-EXPIRED")
    assert refused.value.code == "CERTIFICATE_REFUSED" and "BACKUP_NOT_GONE" in refused.value.message
    gone = events_for("exit-whole", given.backups_gone("2026-10-06"))
    size = len(there.logged("exit-whole"))
    there.told(gone, "exit-whole")
    there.wait_logged("exit-whole", size + 2)
    until(lambda: any(row["kind"] == "CERTIFICATE_ISSUED" for row in there.logged("exit-whole")), "the issue is logged")
    leaves = [bytes(row["leaf"]) for row in there.logged("exit-whole") if row["kind"] == "CERTIFICATE_ISSUED"]
    sealed = [json.loads(one)["event"]["entry"]["seal"] for one in leaves]
    assert (first["seal"], sealed) == ("B-B", ["B-B"]), "no authority is configured, and the log says so"
    last = settled(there, ask(there, "exit-whole", "BACKUP-EXPIRED"))
    assert last["state"] == "issued" and int(last["number"][3:]) == int(first["number"][3:]) + 1
    report = verdict(there, fetch(there, last, "bundle"), before["checkpoint"])
    assert report.code == 0 and report.predicate["follows"]["number"] == first["number"]
    told = there.db.outbox.count_documents({"wire": "compliance.certificate_issued", "subject": "exit-whole"})
    assert told == 2


def test_asking_again_gives_the_same_certificate(there: Bed) -> None:
    prepare(there, "exit-again")
    first = settled(there, ask(there, "exit-again"))
    assert ask(there, "exit-again")["certificate_id"] == first["certificate_id"]
    listed = there.client().call("compliance.list_certificates", {"exit_id": "exit-again"})["certificates"]
    assert [row["state"] for row in listed] == ["issued"]


def test_a_refusal_names_every_reason_is_kept_and_takes_no_number(there: Bed) -> None:
    numbers = there.db.numbers.find_one({"_id": "ØV"})
    with pytest.raises(Rejected) as refused:
        ask(there, "exit-empty")
    for code in ("ORDER_MISSING", "PARTIES_MISSING", "PLAN_MISSING", "INSTRUCTION_MISSING", "DELIVERY_MISSING"):
        assert code in refused.value.message
    (row,) = there.client().call("compliance.list_certificates", {"exit_id": "exit-empty"})["certificates"]
    assert (row["state"], row["number"], len(row["refusals"])) == ("refused", None, 5)
    assert there.db.numbers.find_one({"_id": "ØV"}) == numbers


def test_what_arrives_in_another_order_is_logged_in_the_order_of_causes(there: Bed) -> None:
    told = deleted("exit-mixed")
    start = next(n for n, one in enumerate(told) if one[1].get("activity") == "D7a" and "previewed" in one[0])
    job = told[start:]
    random.Random(1471).shuffle(job)
    there.told([*told[:start], *job], "exit-mixed")
    rows = there.wait_logged("exit-mixed", len(told))
    kinds = [row["kind"] for row in rows if row["about"].get("job_id") == "job-D7a-exit-mixed"]
    assert kinds == ["DELETION_PREVIEWED", "DELETION_INTENT", "PERMIT_ISSUED", "DELETION_BEGUN",
                     "DELETION_BATCH_CLOSED", "DELETION_EXECUTED", "DELETION_VERIFIED"]  # fmt: skip
    assert there.db.log_held.count_documents({"exit_id": "exit-mixed"}) == 0


def test_each_intent_is_told_with_its_final_index(there: Bed) -> None:
    prepare(there, "exit-intent")
    rows = [row for row in there.logged("exit-intent") if row["kind"] == "DELETION_INTENT"]
    asked = {"wire": "compliance.evidence_recorded", "subject": "exit-intent"}
    told = [ophor_verify.json.loads(row["body"])["data"] for row in there.db.outbox.find(asked)]
    assert sorted(one["index"] for one in told) == [row["index"] for row in rows] and len(rows) == 3


def test_the_ledger_killed_while_it_writes_loses_nothing_and_repeats_nothing(there: Bed) -> None:
    told = deleted("exit-killed")
    there.told(told, "exit-killed")
    until(lambda: len(there.logged("exit-killed")) >= 3, "it has begun")
    there.kill("ledger")
    there.hand("ledger")
    rows = there.wait_logged("exit-killed", len(told))
    assert [row["n"] for row in rows] == list(range(len(told)))

    def agree() -> bool:
        size = there.client().call("compliance.read_log", {})["size"]
        tiles = there.db.log_tiles.find({"_id": {"$regex": "^0/"}})
        return bool(size == there.db.log_refs.count_documents({}) == sum(len(row["hashes"]) for row in tiles) // 32)

    until(agree, "what the tests before still told is in the log")


def test_a_log_that_was_tampered_with_is_not_signed(there: Bed) -> None:
    prepare(there, "exit-bent")
    row = there.logged("exit-bent")[10]
    true = bytes(row["leaf"])
    there.db.log_entries.update_one(
        {"_id": row["_id"]}, {"$set": {"leaf": true.replace(b'"version":1', b'"version":2')}}
    )
    try:
        found = settled(there, ask(there, "exit-bent"))
        assert (found["state"], [one["code"] for one in found["refusals"]]) == ("failed", ["LOG_INCONSISTENT"])
    finally:
        there.db.log_entries.update_one({"_id": row["_id"]}, {"$set": {"leaf": true}})
    mended = settled(there, ask(there, "exit-bent"))
    assert (mended["state"], mended["number"]) == ("issued", found["number"])


def test_t2_a_kept_system_waits_for_a_certificate_of_its_own_and_each_scope_may_have_one(there: Bed) -> None:
    prepare(there, "exit-kept", given.kept_exit())
    first = settled(there, ask(there, "exit-kept"))
    assert (first["state"], first["activities"]) == ("issued", ["C7", "D2", "D3b"])
    said = verdict(there, fetch(there, first, "bundle")).predicate["scope"]
    assert [(one["system"], one["until"]) for one in said["suspended"]] == [("pladsanvisning", given.KEPT_UNTIL)]
    part = settled(there, ask(there, "exit-kept", activities=["D3b"]))
    assert (part["state"], part["activities"]) == ("issued", ["D3b"]) and part["number"] != first["number"]
    assert verdict(there, fetch(there, part, "bundle")).code == 0
    with pytest.raises(Rejected) as refused:
        ask(there, "exit-kept", activities=["D7a"])
    assert "SCOPE_SUSPENDED" in refused.value.message


def test_a_hold_refuses_its_system_s_scope_until_it_is_lifted(there: Bed) -> None:
    told = prepare(there, "exit-held", [*given.deleted_exit(), *given.hold("morgenvagt")])
    with pytest.raises(Rejected) as refused:
        ask(there, "exit-held")
    assert "HELD" in refused.value.message and "morgenvagt" in refused.value.message
    there.told(given.hold("morgenvagt", lifted=True)[1:], "exit-held")
    there.wait_logged("exit-held", len(told) + 1)
    row = settled(there, ask(there, "exit-held"))
    assert verdict(there, fetch(there, row, "bundle")).predicate["holds"][0]["lifted_on"] == "2026-10-02"


def test_t15_obligations_say_how_they_stand_and_where_it_is_shown(there: Bed) -> None:
    late = given.obligation("S2-13-a", "breached", "OVERDUE", "2026-09-15", due="2026-09-14")
    prepare(there, "exit-duties", [*given.deleted_exit(), late])
    answer = there.client().call("compliance.read_obligations", {"exit_id": "exit-duties"})
    rows = {row["id"]: row for row in answer["obligations"]}
    assert (rows["S2-28.1-d"]["state"], rows["S2-28.1-d"]["due"]) == ("met", "2026-10-15")
    assert len(rows["S2-28.1-d"]["evidence"]) == 3 and rows["S2-28.1-d"]["met_on"] == "2026-10-05"
    told = {name: rows["S2-13-a"][name] for name in ("state", "reason", "due", "since")}
    assert told == {"state": "breached", "reason": "OVERDUE", "due": "2026-09-14", "since": "2026-09-15"}


def test_another_customer_s_dpo_is_turned_away(there: Bed) -> None:
    prepare(there, "exit-ours")
    stranger = there.client(customers=("99999999",))
    for wire in ("compliance.list_certificates", "compliance.read_obligations"):
        with pytest.raises(Rejected) as refused:
            stranger.call(wire, {"exit_id": "exit-ours"})
        assert refused.value.code == "CUSTOMER_NOT_IN_SCOPE"


def test_a_controller_who_is_not_the_order_s_customer_is_refused(there: Bed) -> None:
    prepare(there, "exit-party")
    wrong = PARTIES | {"controller": given.party("Andenby Kommune", "33333333")}
    with pytest.raises(Rejected) as refused:
        there.client("ist_projektleder").call("compliance.name_parties", {"exit_id": "exit-party", **wrong})
    assert (refused.value.code, refused.value.field) == ("PARTY_DIFFERS", "controller.cvr")


def test_t13_evidence_in_the_shape_of_a_person_is_dead_lettered_and_never_logged(there: Bed) -> None:
    row = {"system": "barn 010190-1234", "set_id": "pg-1", "taken_on": "2026-09-01", "expires_on": "2027-03-01"}
    before = there.client("overvågning").call("compliance.status", {})["dead"]
    there.told([("deletion.backup_registered", row)], "exit-person")
    until(lambda: there.db.dead.find_one({"wire": "deletion.backup_registered"}), "it is dead-lettered")
    assert there.logged("exit-person") == []
    until(lambda: there.client("overvågning").call("compliance.status", {})["dead"] == before + 1, "it counts as dead")


def test_a_request_is_answered_and_the_report_drawn_over_the_bus(there: Bed) -> None:
    told = prepare(there, "exit-asks")
    asked = {"exit_id": "exit-asks", "what": "DOCUMENTATION", "basis": "S2-13-a", "subject": "DELETION"}
    row = there.client().call("compliance.make_request", asked)
    assert (row["state"], len(row["answers"][0]["evidence"])) == ("answered", 3)
    logged = there.wait_logged("exit-asks", len(told) + 2)
    assert [one["kind"] for one in logged[-2:]] == ["REQUEST_MADE", "REQUEST_ANSWERED"]
    paper = there.client().call("compliance.draw_report", {"exit_id": "exit-asks"})

    def made() -> Any:
        found = there.client().call("compliance.read_paper", {"paper_id": paper["paper_id"]})
        return found if there.all_run() and found["state"] != "requested" else None

    assert until(made, "the report is drawn")["state"] == "made"
    part = there.client().call("compliance.read_paper_part", {"paper_id": paper["paper_id"], "offset": 0})
    assert base64.b64decode(part["part"]).startswith(b"%PDF-1.7")

"""On a real broker and database: the other stages, withdrawal, correction, the list, and the letter of K + 15.

What is killed here is killed with SIGKILL; afterwards no number is missing or twice, and no evidence either.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from contracts.errors import Rejected
from services.compliance.verifier import ophor_verify
from tests.integration.bus_store_parts import until
from tests.integration.compliance_parts import Bed, bed
from tests.integration.test_compliance_service import PARTIES, ask, events_for, fetch, prepare, settled
from tests.parts import Parts
from tests.unit import evidence_world as given
from tests.unit import test_certificate_redeletion as restored

pytestmark = pytest.mark.xdist_group("compliance")


@pytest.fixture(scope="module")
def there(parts: Parts) -> Iterator[Bed]:
    with bed(parts) as made:
        made.set_day(date(2026, 10, 6))
        yield made


def verdict(there: Bed, row: dict[str, Any], *, listed: str | None = None) -> ophor_verify.Report:
    keys = there.client().call("compliance.read_log", {})["keys"]
    options = ophor_verify.Options(keys, rehearsal=True, revocations=listed)
    return ophor_verify.verify(fetch(there, row, "bundle"), options)


def revocations(there: Bed, number: str) -> str:
    """Wait until the published list names `number`, and give its note."""

    def look() -> str | None:
        note = there.client().call("compliance.read_revocations", {})["note"]
        return note if f"{number} " in note else None

    return str(until(look, f"{number} is on the published list"))


def withdraw(there: Bed, row: dict[str, Any], reason: str = "DATA_FOUND", role: str = "ist_projektleder") -> Any:
    asked = {"certificate_id": row["certificate_id"], "reason": reason}
    return there.client(role).call("compliance.revoke_certificate", asked)


def kinds(there: Bed, exit_id: str) -> list[str]:
    return [row["kind"] for row in there.logged(exit_id)]


def wait_kind(there: Bed, exit_id: str, kind: str, count: int = 1) -> None:
    until(lambda: kinds(there, exit_id).count(kind) >= count, f"{kind} is logged")


def kill(there: Bed, *hands: str) -> None:
    """Kill hands in the middle of their work, and start them again."""
    for name in hands:
        there.kill(name)
    for name in hands:
        there.hand(name)


def serials(there: Bed) -> list[int]:
    """Give the numbers that were taken in the certificates' series, first versions only."""
    rows = there.db.certificates.find({"number": {"$regex": "^ØV-[0-9]"}, "version": 1})
    return sorted(int(row["number"].rsplit("-", 1)[1]) for row in rows)


def test_delivery_access_and_letter_are_issued_and_verify(there: Bed) -> None:
    prepare(there, "exit-stages")
    rows = [ask(there, "exit-stages", stage) for stage in ("DELIVERY", "ACCESS-CLOSED", "STATUS")]
    for row in [settled(there, one) for one in rows]:
        assert (row["state"], row["refusals"]) == ("issued", [])
        assert verdict(there, row).code == 0
    again = [ask(there, "exit-stages", stage)["number"] for stage in ("DELIVERY", "ACCESS-CLOSED")]
    assert again == [one["number"] for one in rows[:2]]
    letter = ask(there, "exit-stages", "STATUS")
    assert letter["number"] != rows[2]["number"] and letter["number"].startswith("ØV-ST-")
    with pytest.raises(Rejected) as refused:
        ask(there, "exit-stages", "RE-DELETION")
    assert "RESTORE_NOT_EVIDENCED" in refused.value.message


def test_one_person_withdraws_a_certificate_and_everybody_can_see_it(there: Bed) -> None:
    prepare(there, "exit-wrong")
    first = settled(there, ask(there, "exit-wrong"))
    before = there.client().call("compliance.read_revocations", {})["note"]
    assert verdict(there, first, listed=before).code == 0
    revocation = withdraw(there, first)
    kill(there, "ledger")
    assert withdraw(there, first)["certificate_id"] == revocation["certificate_id"]
    note = revocations(there, first["number"])
    report = verdict(there, first, listed=note)
    assert report.code == 1 and "DATA_FOUND" in next(one.detail for one in report.checks if one.n == 17)
    last = settled(there, revocation)
    assert (last["state"], last["stage"], last["replaces"]) == ("issued", "REVOCATION", first["number"])
    assert verdict(there, last, listed=note).code == 0
    assert kinds(there, "exit-wrong").count("CERTIFICATE_REVOKED") == 1
    told = there.db.outbox.count_documents({"wire": "compliance.certificate_revoked", "subject": "exit-wrong"})
    assert told == 1
    fresh = ask(there, "exit-wrong")
    assert fresh["state"] == "requested" and fresh["number"] not in (first["number"], last["number"])
    with pytest.raises(Rejected) as refused:
        withdraw(there, last)
    assert refused.value.code == "CERTIFICATE_NOT_IN_FORCE"
    with pytest.raises(Rejected):
        withdraw(there, fresh, role="kommune_godkender")


def test_rows_that_return_withdraw_their_certificate_and_a_redeletion_follows_by_itself(there: Bed) -> None:
    prepare(there, "exit-back")
    first = settled(there, ask(there, "exit-back"))
    wait_kind(there, "exit-back", "CERTIFICATE_ISSUED")
    there.told(events_for("exit-back", [restored.announced(), restored.found()]), "exit-back")
    note = revocations(there, first["number"])
    assert verdict(there, first, listed=note).code == 1
    fallen = settled(there, only(there, "exit-back", "REVOCATION"))
    assert (fallen["state"], fallen["replaces"]) == ("issued", first["number"]) and verdict(there, fallen).code == 0
    with pytest.raises(Rejected) as refused:
        ask(there, "exit-back", "RE-DELETION")
    assert "REAPPEARED" in refused.value.message
    there.set_day(date(2026, 10, 12))
    there.told(events_for("exit-back", [*restored.replay(), restored.replayed()]), "exit-back")
    again = settled(there, only(there, "exit-back", "RE-DELETION"))
    assert (again["state"], again["activities"], again["refusals"]) == ("issued", ["D7a"], [])
    assert verdict(there, again, listed=note).code == 0
    assert ask(there, "exit-back", "RE-DELETION")["certificate_id"] == again["certificate_id"]


def only(there: Bed, exit_id: str, stage: str) -> dict[str, Any]:
    """Wait for the one document of a stage that nobody asked for, and give it."""

    def look() -> dict[str, Any] | None:
        rows = there.client().call("compliance.list_certificates", {"exit_id": exit_id})["certificates"]
        mine = [row for row in rows if row["stage"] == stage and row["state"] != "refused"]
        return mine[0] if len(mine) == 1 else None

    return dict(until(look, f"{stage} is drawn up by itself"))


def test_a_correction_is_the_next_version_of_the_number_and_the_former_is_listed(there: Bed) -> None:
    prepare(there, "exit-fix")
    first = settled(there, ask(there, "exit-fix"))
    wait_kind(there, "exit-fix", "CERTIFICATE_ISSUED")
    lead = there.client("ist_projektleder")
    asked = {"certificate_id": first["certificate_id"], "reason": "PARTY_DETAILS"}
    nothing = settled(there, lead.call("compliance.correct_certificate", asked))
    assert (nothing["state"], [one["code"] for one in nothing["refusals"]]) == ("failed", ["NOTHING_CHANGED"])
    moved = PARTIES | {"controller": given.RECORD.controller | {"address": "Rådhuspladsen 2, 9999 Korsbæk"}}
    lead.call("compliance.name_parties", {"exit_id": "exit-fix", **moved})
    second = lead.call("compliance.correct_certificate", asked)
    kill(there, "seal", "render")
    second = settled(there, second)
    assert (second["state"], second["number"], second["version"]) == ("issued", first["number"], 2)
    note = revocations(there, first["number"])
    assert f"{first['number']} {first['statement_digest']} {second['issued_on']} SUPERSEDED" in note
    report = verdict(there, second, listed=note)
    assert report.code == 0 and report.predicate["supersedes"]["changed"] == ["controller"]
    assert verdict(there, first, listed=note).code == 1
    assert ask(there, "exit-fix")["certificate_id"] == second["certificate_id"]


def test_the_letter_goes_out_by_itself_on_the_fifteenth_day_and_only_once(there: Bed) -> None:
    prepare(there, "exit-late", given.deleted_exit(amended=False)[:12])
    there.set_day(date(2026, 10, 14))
    plan = given.plan(2)
    there.told([plan], "exit-late")
    wait_kind(there, "exit-late", "PLAN_MADE", 2)
    listed = there.client().call("compliance.list_certificates", {"exit_id": "exit-late"})["certificates"]
    assert listed == []
    there.set_day(date(2026, 10, 16))

    def sent() -> list[dict[str, Any]]:
        rows = there.client().call("compliance.list_certificates", {"exit_id": "exit-late"})["certificates"]
        return [row for row in rows if row["state"] in ("issued", "failed")]

    (letter,) = until(sent, "the letter is out")
    assert (letter["state"], letter["stage"]) == ("issued", "STATUS")
    report = verdict(there, letter)
    assert report.code == 0 and {"DELIVERY_NOT_ACCEPTED", "JOB_MISSING"} & {
        one["code"] for one in report.predicate["gates"]
    }
    assert any("ikke permanent" in one for one in report.predicate["wording"]["da"])
    there.told([given.plan(3)], "exit-late")
    wait_kind(there, "exit-late", "PLAN_MADE", 3)
    assert there.db.timers.count_documents({"_id": "status-exit-late"}) == 0
    assert there.db.outbox.count_documents({"wire": "compliance.status_letter_sent", "subject": "exit-late"}) == 1


def test_after_all_that_was_killed_no_number_is_missing_or_twice_and_no_evidence_either(there: Bed) -> None:
    """Runs last: over everything that the tests before asked for, withdrew, corrected and killed."""
    under_way = {"state": {"$nin": ["issued", "failed", "refused"]}}
    until(lambda: not there.db.certificates.count_documents(under_way), "every certificate is issued or failed")
    rows = [row for row in there.db.certificates.find({}) if row["state"] == "issued"]
    for row in rows:
        wait_kind(there, row["exit_id"], "CERTIFICATE_ISSUED")
    entries = [json.loads(row["leaf"])["event"] for row in there.db.log_entries.find({"kind": {"$regex": "^CERT"}})]
    issued = [one["entry"]["statement_digest"] for one in entries if one["kind"] == "CERTIFICATE_ISSUED"]
    revoked = [one["entry"]["statement_digest"] for one in entries if one["kind"] == "CERTIFICATE_REVOKED"]
    assert len(set(issued)) == len(issued) and set(issued) <= {row["statement_digest"] for row in rows}
    withdrawn = there.db.certificates.find({"revoked": {"$nin": [None, "SUPERSEDED"]}})
    assert sorted(revoked) == sorted(row["statement_digest"] for row in withdrawn) and set(revoked) <= set(issued)
    taken = serials(there)
    assert taken == list(range(1, len(taken) + 1))
    assert there.db.numbers.find_one({"_id": "ØV"})["last"] == len(taken)

"""The verifier and what people attest: a true certificate verifies, each forgery fails for its own reason.

As in `test_compliance_verifier` the forgeries are an insider's, signed with all of our own keys.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.compliance.documents.statement import statement
from services.compliance.verifier.ophor_verify import Options, Report, verify
from tests.unit import attested_world as people
from tests.unit import evidence_world as given
from tests.unit.attested_world import LINES, attempt, attested_exit, name
from tests.unit.evidence_world import Certificate, Event, World, issue


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return World(tmp_path_factory.mktemp("keys")).told(attempt(attested_exit())).certify()


def judge(certificate: Certificate, data: bytes) -> Report:
    return verify(data, Options(keys=given.keys(certificate.world), rehearsal=True))


def failed(report: Report) -> dict[int, str]:
    return {check.n: check.detail for check in report.checks if check.result == "FAILED"}


def history(folder: Path, events: list[Event]) -> dict[int, str]:
    """Log these events and issue, against every refusal, a certificate over them."""
    world = World(folder).told(events)
    world.mark()
    made = issue(world, statement(world.draft()))
    return failed(judge(made, made.bundle))


def test_a_certificate_with_attestations_and_a_rolled_back_attempt_verifies_in_all_forms(true: Certificate) -> None:
    for data in (true.bundle, true.pdf, true.dsse):
        report = judge(true, data)
        assert (report.code, failed(report)) == (0, {})


@pytest.mark.parametrize("line", [name(each) for each in LINES])
def test_attested_without_the_entry_in_the_log_fails(tmp_path: Path, line: str) -> None:
    sub = "/" not in line and " " not in line
    reason = "sub-processor not confirmed" if sub else "attested without an attestation in the log"
    assert reason in history(tmp_path, attested_exit(without=(line,)))[12]


def test_a_place_that_nobody_was_asked_to_attest_fails(tmp_path: Path) -> None:
    events = [one for one in attested_exit() if not one[0].startswith("deletion.attestation")]
    assert "nobody was asked" in history(tmp_path, events)[12]


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("kundens-maskine SOFTWARE_REMOVED", {"role": people.OFFICER}, "in the role"),
    ("driftscenter", {"role": people.LEAD}, "in the role"),
    ("kundens-maskine SOFTWARE_REMOVED", {"answer": "LICENCE_WITHDRAWN"}, "attested as LICENCE_WITHDRAWN"),
    ("reservemaskine MEDIA_SANITISED", {"media_class": None}, "sanitised media only"),
    ("reservemaskine MEDIA_SANITISED", {"answer": "NOT_USED", "media_class": None}, "attested as NOT_USED"),
]


@pytest.mark.parametrize(("line", "word", "reason"), WRONG)
def test_an_attestation_that_cannot_count_fails(tmp_path: Path, line: str, word: dict[str, Any], reason: str) -> None:
    assert reason in history(tmp_path, attested_exit(said={line: word}))[12]


def test_a_late_attestation_cannot_be_called_in_time(tmp_path: Path) -> None:
    world = World(tmp_path).told(attested_exit(said={"driftscenter": {"on": "2026-10-17"}}))
    world.mark()
    made = statement(world.draft(issued_on="2026-10-18"))
    assert failed(judge(issue(world, made), issue(world, made).bundle)) == {}
    row = next(one for one in made["predicate"]["obligations"] if one["id"] == "S2-28.1-d")
    row["state"] = "met"
    assert "attested after" in failed(judge(issue(world, made), issue(world, made).bundle))[15]


def place(predicate: dict[str, Any], which: str) -> dict[str, Any]:
    return next(one for system in predicate["systems"] for one in system["places"] if one["place"] == which)


FORGED: list[tuple[str, Callable[[dict[str, Any]], Any], int, str]] = [
    ("an attestation left out", lambda p: p["attestations"].pop(), 16, "attestations differ"),
    ("all left out", lambda p: p.pop("attestations"), 16, "attestations differ"),
    ("another document", lambda p: p["attestations"][0].update(digest="0" * 64), 16, "attestations differ"),
    ("another day", lambda p: p["attestations"][0].update(done_on="2026-10-01"), 16, "attestations differ"),
    ("called verified", lambda p: p["attestations"][0].update(verified_by_us=True), 16, "attestations differ"),
    ("another class", lambda p: p["attestations"][3].update(media_class="PURGE"), 16, "attestations differ"),
    ("another person", lambda p: p["attestations"][0]["by"].update(actor="usr-x"), 16, "name others"),
    ("counted", lambda p: place(p, "reservemaskine").update(before=1, deleted=1, row_class="both"), 12, "yet counted"),
    ("called deleted", lambda p: place(p, "reservemaskine").update(disposition="deleted"), 16, "places differ"),
    ("deleted called attested", lambda p: place(p, "kladde").update(disposition="attested"), 16, "places differ"),
    ("what stays concealed", lambda p: p.update(not_covered=[one for one in p["not_covered"] if
     one["subject"] != "extens/kundens-maskine"]), 16, "data left with the customer"),
    ("an attempt concealed", lambda p: p["outside"].update(attempts=[], rolled_back=0), 16, "attempts differ"),
    ("another number of attempts", lambda p: p["outside"].update(rolled_back=0), 16, "attempts differ"),
    ("an attempt that stayed", lambda p: p["outside"]["attempts"][0].update(kept=1), 13, "outside the scope"),
    ("rows without a tenant invented", lambda p: p.update(unowned=[{"system": "pladsanvisning", "place": "barn",
     "rows": 1, "reason": "SHARED_CODE"}]), 16, "without a tenant"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "check", "reason"), [one[1:] for one in FORGED], ids=[one[0] for one in FORGED])
def test_a_forged_statement_fails_for_its_own_reason(
    true: Certificate, change: Callable[[dict[str, Any]], Any], check: int, reason: str
) -> None:
    made = copy.deepcopy(true.statement)
    change(made["predicate"])
    assert reason in failed(judge(true, issue(true.world, made).bundle)).get(check, "")


def test_changes_that_stayed_in_an_earlier_job_fail(tmp_path: Path) -> None:
    assert "outside the scope" in history(tmp_path, attempt(given.deleted_exit(), outside=1))[13]


def test_the_job_that_made_the_attempt_cannot_be_certified(tmp_path: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    next(data for wire, data in events if wire.endswith("batch_closed") and data["activity"] == "D7a")["undone"] = 2
    assert "tried to change 2" in history(tmp_path, events)[13]


def test_rows_without_a_tenant_need_a_reason_of_the_closed_list(tmp_path: Path) -> None:
    events = copy.deepcopy(given.deleted_exit())
    for wire, data in events:
        if wire == "deletion.deletion_verified":
            for each in data["places"]:
                each.update({"unowned": 4, "unowned_reason": "OURS"} if each["place"] == "barn" else {})
    assert "rows without a tenant" in history(tmp_path, events)[12]

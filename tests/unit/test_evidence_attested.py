"""What people attest in certificates: what is missing refuses, what was attested is said to be so and no more."""

from __future__ import annotations

import copy
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.compliance import domain
from services.compliance.documents import document
from services.compliance.documents.statement import statement
from tests.unit import attested_world as people
from tests.unit import evidence_world as given
from tests.unit.attested_world import LINES, attempt, attested_exit, name
from tests.unit.evidence_world import World


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


def said(folder: Path, events: list[given.Event], on: str = "2026-10-06") -> dict[str, Any]:
    made = World(folder).told(events)
    assert made.refusals() == []
    return dict(statement(made.draft(issued_on=on))["predicate"])


def test_an_exit_in_which_all_is_attested_is_not_refused(folder: Path) -> None:
    assert World(folder).told(attested_exit()).refusals() == []


def test_each_line_that_is_missing_refuses_and_all_are_listed_at_once(folder: Path) -> None:
    for each in LINES:
        code = "SUBPROCESSOR_NOT_CONFIRMED" if each["subprocessor"] else "ATTESTATION_MISSING"
        assert World(folder).told(attested_exit(without=(name(each),))).refusals() == [code]
    made = World(folder).told(attested_exit(without=tuple(name(each) for each in LINES)))
    known = domain.Known("rehearsal", named=True, log_checks=True, held=0)
    found = domain.refusals(made.log.facts(), domain.Asked(domain.ACTIVE, date(2026, 10, 6)), known)
    missing = [one.detail for one in found if one.code == "SUBPROCESSOR_NOT_CONFIRMED"]
    assert len(found) == len(LINES) and len(missing) == 3
    assert any("backup-hotel (through driftscenter)" in detail for detail in missing)


def test_a_place_called_attested_of_which_nobody_was_asked_is_refused(folder: Path) -> None:
    events = [one for one in attested_exit() if not one[0].startswith("deletion.attestation")]
    assert World(folder).told(events).refusals() == ["ATTESTATION_MISSING", "ATTESTATION_MISSING"]


WRONG: list[tuple[str, str, dict[str, Any]]] = [
    ("the supplier for the customer", "kundens-maskine SOFTWARE_REMOVED", {"role": people.OFFICER}),
    ("the customer for a sub-processor", "driftscenter", {"role": people.LEAD}),
    ("another method", "kundens-maskine SOFTWARE_REMOVED", {"answer": "LICENCE_WITHDRAWN"}),
    ("a place not used", "reservemaskine MEDIA_SANITISED", {"answer": "NOT_USED", "media_class": None}),
    ("media without a class", "reservemaskine MEDIA_SANITISED", {"media_class": None}),
    ("a class for a licence", "kundens-maskine LICENCE_WITHDRAWN", {"media_class": "PURGE"}),
]


@pytest.mark.parametrize(("line", "word"), [one[1:] for one in WRONG], ids=[one[0] for one in WRONG])
def test_an_attestation_that_cannot_count_is_refused(folder: Path, line: str, word: dict[str, Any]) -> None:
    assert World(folder).told(attested_exit(said={line: word})).refusals() == ["ATTESTATION_WRONG"]


def test_t12_data_stay_with_the_customer_on_the_customers_machine_only(folder: Path) -> None:
    events = copy.deepcopy(attested_exit())
    for _, data in events:
        for each in data.get("lines", []):
            each["owner"] = "supplier" if each["method"] == "DATA_LEFT_WITH_CUSTOMER" else each["owner"]
    assert World(folder).told(events).refusals() == ["ATTESTATION_WRONG"]


def test_what_is_counted_of_peoples_places_is_refused(folder: Path) -> None:
    events = copy.deepcopy(attested_exit())
    for wire, data in events:
        if wire == "deletion.deletion_verified":
            for each in data["places"]:
                each.update({"before": 2, "retained": 2} if each["place"] == "reservemaskine" else {})
    assert "ATTESTED_COUNTED" in World(folder).told(events).refusals()


def test_the_statement_says_attested_not_verified_by_whom_and_what_stays(folder: Path) -> None:
    made = said(folder, attested_exit())
    system = next(one for one in made["systems"] if one["system"] == people.MANUAL)
    assert system["method"] == "manual (attested), not verified by us"
    assert (system["nist_800_88"], system["counts"]["before"]) == ("DESTROY (attested)", 0)
    assert "nothing was counted" in system["verification"]["method"]
    rows = {one["subprocessor"] or f"{one['place']} {one['answer']}": one for one in made["attestations"]}
    assert len(rows) == len(LINES) and rows["sms-gateway"]["answer"] == "NOT_USED"
    assert rows["reservemaskine MEDIA_SANITISED"]["by"]["role"] == people.OFFICER
    left = {(one["code"], one["subject"]) for one in made["not_covered"]}
    assert ("CUSTOMER_POSSESSION", "extens/kundens-maskine") in left
    assert ("SUBPROCESSOR_NOT_USED", "pladsanvisning/sms-gateway") in left
    assert any("53 rækker i 3 systemer" in one or "56 rækker i 3 systemer" in one for one in made["wording"]["da"])
    assert any("IKKE efterprøvet af os" in one for one in made["wording"]["da"])
    assert "REGIONS" in {one["code"] for one in made["not_done"]}
    page = document.page(made, "0" * 64)
    assert "Erklæret af mennesker, ikke efterprøvet af os" in page and "driftscenter" in page
    assert "Attested by people, not verified by us" in document.page(made, "0" * 64, english=True)


def test_28_1_is_met_on_the_last_attestation_and_breached_where_it_came_late(folder: Path) -> None:
    def state(events: list[given.Event], today: str) -> str:
        return domain.standing("S2-28.1-d", World(folder).told(events).log.facts(), date.fromisoformat(today)).state

    assert state(attested_exit(), "2026-10-16") == "met"
    assert state(attested_exit(without=("driftscenter",)), "2026-10-15") == "at_risk"
    assert state(attested_exit(without=("driftscenter",)), "2026-10-16") == "breached"
    assert state(attested_exit(said={"driftscenter": {"on": "2026-10-17"}}), "2026-10-18") == "breached"


def test_an_attempt_that_was_rolled_back_is_named_and_its_job_is_not_certified(folder: Path) -> None:
    made = said(folder, attempt(given.deleted_exit()))
    (tried,) = made["outside"]["attempts"]
    assert made["outside"]["changes"] == 0 and made["outside"]["rolled_back"] == 1
    assert (tried["undone"], tried["kept"], tried["stopped"]) == (3, 0, "OUTSIDE_SCOPE")
    assert any("rullet tilbage" in one for one in made["wording"]["da"])
    assert "Forsøg uden for omfanget" in document.page(made, "0" * 64)
    events = copy.deepcopy(given.deleted_exit())
    next(data for wire, data in events if wire.endswith("batch_closed") and data["activity"] == "D7a")["undone"] = 1
    assert World(folder).told(events).refusals() == ["OUTSIDE_ATTEMPTED"]


def test_what_stayed_outside_refuses_every_later_job_too(folder: Path) -> None:
    events = attempt(given.deleted_exit(), outside=2)
    assert "OUTSIDE_CHANGED" in World(folder).told(events).refusals()


@pytest.mark.parametrize(("reason", "codes"), [("LAW(bogf,2031-12-31)", []), (None, ["UNOWNED_UNEXPLAINED"])])
def test_rows_without_a_tenant_stand_in_the_statement_with_their_reason(
    folder: Path, reason: str | None, codes: list[str]
) -> None:
    events = copy.deepcopy(given.deleted_exit())
    for wire, data in events:
        if wire == "deletion.deletion_verified":
            for each in data["places"]:
                each.update({"unowned": 4, "unowned_reason": reason} if each["place"] == "barn" else {})
    made = World(folder).told(events)
    assert made.refusals() == codes
    if not codes:
        predicate = statement(made.draft())["predicate"]
        (row,) = predicate["unowned"]
        assert (row["place"], row["rows"], row["reason"]) == ("barn", 4, reason)
        assert "rækker uden lejer" in document.page(predicate, "0" * 64)

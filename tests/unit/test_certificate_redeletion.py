"""Rows that return: certificates of before fall, a RE-DELETION says what happened, and no forgery of it stands."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from services.compliance import domain
from services.compliance.documents import document, report
from services.compliance.documents.statement import statement
from services.compliance.domain import requests
from services.compliance.verifier.ophor_verify import Options, verify
from tests.unit import evidence_world as given
from tests.unit import stage_world as stages
from tests.unit.evidence_world import EXIT, Certificate, Event, World, issue, sha
from tests.unit.test_certificate_stages import as_it_was

AGAIN, ON, LATER = domain.REDELETION, "2026-10-10", "2026-10-12"
HEAD = {"exit_id": EXIT, "restore_id": "rst-1", "activity": "D7a", "system": "pladsanvisning"}


def announced(set_id: str = "pg-1") -> Event:
    by = {"actor": "usr-op", "role": "ist_operatør", "on": ON}
    return "deletion.restore_announced", HEAD | by | {"set_id": set_id, "taken_on": "2026-09-01"}


def found(cause: str = "ANNOUNCED", restore_id: str = "rst-1") -> Event:
    places = [{"place": "barn", "rows": 40}]
    told = {"restore_id": restore_id, "cause": cause, "after_job": "job-D7a", "places": places, "rows": 40, "on": ON}
    return "deletion.reappearance_found", HEAD | told


def replay(restore_id: str = "rst-1") -> list[Event]:
    """The deletion of D7a once more, as a job of its own."""
    events = []
    for wire, data in given.destruction("D7a"):
        again = data | {"job_id": "job-D7a-2"} | ({"plan_digest": sha("plan-2")} if "plan_digest" in data else {})
        again |= {"on": LATER} if "on" in data else {}
        if "approvals" in data:
            again["approvals"] = [
                one | {"at": one["at"].replace(given.DAYS["D7a"], LATER)} for one in data["approvals"]
            ]
        events.append((wire, again | ({"restore_id": restore_id} if wire.endswith("previewed") else {})))
    return events


def replayed(restore_id: str = "rst-1") -> Event:
    told = {"restore_id": restore_id, "job_id": "job-D7a-2", "plan_digest": sha("plan-2"), "deleted": 40, "on": LATER}
    return "deletion.restore_replayed", HEAD | told


def certified(folder: Path) -> tuple[World, Certificate]:
    """An exit whose deletion is certified, and then undone by a restore."""
    there = World(folder).told(given.deleted_exit())
    first = issue(there, statement(stages.draft(there, domain.ACTIVE, serial=1)))
    stages.issued(there, first)
    return there.told([announced(), found()]), first


def deleted_again(folder: Path, *, revoked: bool = True) -> World:
    there, first = certified(folder)
    if revoked:
        stages.revoked(there, first)
    return there.told([*replay(), replayed()])


def drawn(there: World, **more: Any) -> Certificate:
    return stages.drawn(stages.draft(there, AGAIN, LATER, activities=("D7a",), serial=3, **more), there)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def made(folder: Path) -> Certificate:
    return drawn(deleted_again(folder))


def failed(certificate: Certificate, data: bytes | None = None) -> dict[int, str]:
    report = verify(data or certificate.bundle, Options(keys=given.keys(certificate.world), rehearsal=True))
    assert not report.malformed
    return {one.n: one.detail for one in report.checks if one.result == "FAILED"}


def refusals(there: World, stage: str = AGAIN, activities: tuple[str, ...] = ("D7a",), **more: Any) -> set[str]:
    return set(there.refusals(stage, LATER, activities, **more))


def test_a_redeletion_verifies_in_all_forms_and_says_what_returned(made: Certificate) -> None:
    for form in ("bundle", "pdf", "dsse"):
        assert failed(made, getattr(made, form)) == {}
    said = made.statement["predicate"]
    (row,) = said["restores"]["returned"]
    assert (row["rows"], row["deleted"], row["set_id"], row["replayed_on"]) == (40, 40, "pg-1", LATER)
    assert [one["number"] for one in said["restores"]["withdrawn"]] == ["ØV-000001"]
    assert said["scope"]["systems"] == ["pladsanvisning"]
    left = {one["code"] for one in said["not_covered"]}
    assert "BACKUPS" in left and "DELETION" not in left


@pytest.mark.parametrize("english", [False, True])
def test_the_page_calls_it_what_it_is(made: Certificate, english: bool) -> None:
    said = made.statement["predicate"]
    html = document.page(said, "0" * 64, english=english)
    assert ("Bevis for fornyet sletning", "Certificate of re-deletion")[english] in html
    assert ("SLETTET IGEN", "DELETED AGAIN")[english] in html
    assert all(escape(one) in html for one in said["wording"]["en" if english else "da"])


def test_what_returned_takes_every_certificate_of_its_deletion_away(folder: Path) -> None:
    there, _ = certified(folder)
    assert refusals(there, domain.ACTIVE) >= {"REAPPEARED", "REDELETION_OWED"}
    assert "REAPPEARED" in refusals(there, domain.EXPIRED) and refusals(there) >= {"REAPPEARED", "FORMER_NOT_REVOKED"}
    assert refusals(there, domain.ACTIVE, ("D2",)) == set()  # the other deletions are as they were


def test_a_redeletion_wants_what_returned_its_replay_and_the_former_withdrawn(folder: Path) -> None:
    assert refusals(World(folder).told(given.deleted_exit())) == {"RESTORE_NOT_EVIDENCED"}
    assert refusals(deleted_again(folder, revoked=False)) == {"FORMER_NOT_REVOKED"}
    there, first = certified(folder)
    stages.revoked(there, first)
    assert refusals(there) == {"REAPPEARED"}
    assert refusals(there.told(replay())) == {"REAPPEARED"}  # a job alone does not say that it was the replay
    assert refusals(there.told([replayed()])) == set()
    assert refusals(there, domain.ACTIVE) == {"REDELETION_OWED"}
    assert refusals(there, AGAIN, ("D2", "D7a")) == {"RESTORE_NOT_EVIDENCED"}


def test_a_replay_that_was_not_verified_is_none(folder: Path) -> None:
    there, first = certified(folder)
    stages.revoked(there, first)
    wrong = [(wire, data | {"result": "ERROR"} if wire.endswith("verified") else data) for wire, data in replay()]
    assert refusals(there.told([*wrong, replayed()])) >= {"REAPPEARED", "VERIFICATION_ERROR"}


def test_no_date_moves_and_the_obligation_is_at_risk_or_breached(folder: Path) -> None:
    there, _ = certified(folder)
    facts = there.log.facts()
    assert facts.backups_due(["D7a"]) == date(2027, 4, 5) and facts.deleted_on(["D7a"]) is None
    before = domain.standing("S2-28.1-d", facts, date(2026, 10, 12))
    assert (before.state, before.reason) == ("at_risk", "REAPPEARED")
    assert domain.standing("S2-28.1-d", facts, date(2026, 10, 16)).state == "breached"
    after = deleted_again(folder).log.facts()
    assert domain.standing("S2-28.1-d", after, date(2026, 10, 16)).state == "met"  # deleted again by 15.10.2026
    assert after.backups_due(["D7a"]) == date(2027, 4, 5)


def test_nothing_is_permanent_after_rows_came_from_a_copy_that_nobody_named(folder: Path) -> None:
    def gone(cause: str, *more: Event) -> set[str]:
        there = World(folder).told(given.deleted_exit()).issued(("C7", "D2", "D7a"))
        events = [found(cause), *replay(), replayed(), *more, *given.backups_gone()]
        there.told(events)
        return {one for one in there.refusals(domain.EXPIRED, "2027-03-05") if one != "STAGE_BEFORE"}

    assert gone("SCHEDULED") == {"RESTORE_SOURCE_UNKNOWN"}
    assert gone("SCHEDULED", announced()) == set()
    assert gone("ANNOUNCED") == set()


def test_the_last_word_on_the_backups_is_said_anew_after_a_restore(folder: Path) -> None:
    there = World(folder).told([*given.deleted_exit(), *given.backups_gone()]).issued()
    assert there.refusals(domain.EXPIRED, "2027-03-05") == []
    there.told([announced(), found(), *replay(), replayed()])
    assert "BACKUPS_NOT_EXPIRED" in there.refusals(domain.EXPIRED, "2027-03-05")


def test_after_it_the_last_certificate_follows_as_after_an_active_one(folder: Path) -> None:
    there = deleted_again(folder)
    again = drawn(there)
    stages.issued(there, again)
    there.told(given.backups_gone())
    assert there.refusals(domain.EXPIRED, "2027-03-05", ("D7a",)) == []
    follows = {"number": "ØV-000003", "statement_digest": document.digest_of(again.payload)}
    last = stages.draft(there, domain.EXPIRED, "2027-03-05", activities=("D7a",), serial=4, follows=follows)
    assert failed(stages.drawn(last, there)) == {}


def test_a_status_letter_says_that_rows_returned_and_one_that_does_not_is_rejected(folder: Path) -> None:
    there, _ = certified(folder)
    letter = stages.drawn(stages.draft(there, domain.STATUS, LATER), there)
    assert failed(letter) == {}
    body = copy.deepcopy(letter.statement)
    gates = body["predicate"]["gates"]
    assert "REAPPEARED" in {one["code"] for one in gates}
    body["predicate"]["gates"] = [one for one in gates if one["code"] != "REAPPEARED"]
    assert "rows returned" in failed(issue(as_it_was(letter), body)).get(12, "")


# Forgeries.


def _row(predicate: dict[str, Any]) -> dict[str, Any]:
    return predicate["restores"]["returned"][0]  # type: ignore[no-any-return]


FORGED: list[tuple[str, Callable[[dict[str, Any]], Any], int, str]] = [
    ("as if nothing had returned", lambda p: p.pop("restores"), 15, "nothing returned"),
    ("posing as the first", lambda p: p.update(stage=domain.ACTIVE), 15, "certified as a RE-DELETION"),
    ("the first, without a word", lambda p: (p.update(stage=domain.ACTIVE), p.pop("restores")), 15,
     "certified as a RE-DELETION"),
    ("not deleted again", lambda p: _row(p).update(replayed_on=None), 15, "not deleted again"),
    ("fewer rows", lambda p: _row(p).update(rows=4), 15, "what returned differs"),
    ("another set", lambda p: _row(p).update(set_id="pg-9"), 15, "what returned differs"),
    ("an earlier day", lambda p: _row(p).update(found_on="2026-10-01"), 15, "what returned differs"),
    ("another replay", lambda p: _row(p).update(job_id="job-D7a"), 15, "what returned differs"),
    ("twice", lambda p: p["restores"]["returned"].append(dict(_row(p))), 15, "what returned differs"),
    ("the withdrawn hidden", lambda p: p["restores"].update(withdrawn=[]), 15, "withdrawn certificates differ"),
    ("in silence", lambda p: p["wording"].update(da=["ØVELSE"], en=["ØVELSE"]), 15, "hides that rows returned"),
    ("permanent", lambda p: p["wording"]["en"].append("It is permanent."), 15, "before the backups are gone"),
    ("the first deletion's places", lambda p: p["systems"][0]["places"][0].update(deleted=41, arrived=1), 13, "add up"),
]  # fmt: skip


@pytest.mark.parametrize(("_name", "change", "n", "why"), FORGED, ids=[one[0] for one in FORGED])
def test_a_forged_redeletion_fails_for_its_own_reason(
    made: Certificate, _name: str, change: Callable[[dict[str, Any]], Any], n: int, why: str
) -> None:
    body = copy.deepcopy(made.statement)
    change(body["predicate"])
    told = failed(issue(as_it_was(made), body))
    assert why in told.get(n, ""), told


def test_a_redeletion_drawn_from_a_log_that_forbids_it_is_rejected(folder: Path) -> None:
    """The service would refuse; an insider signs all the same."""

    def log(*events: Event, revoked: bool = True) -> World:
        there, first = certified(folder)
        if revoked:
            stages.revoked(there, first)
        return there.told(list(events))

    unverified = [one for one in replay() if not one[0].endswith("verified")]
    for there, n, why in (
        (log(*replay(), replayed(), revoked=False), 15, "not withdrawn"),
        (log(*replay()), 15, "not deleted again"),
        (log(*replay(), replayed(), found(restore_id="rst-2")), 15, "not deleted again"),
        (log(*replay("rst-9"), replayed()), 14, "before anything had returned"),
        (log(replayed(), *unverified), 12, "never verified"),
    ):
        body = _forced(there)
        assert why in failed(body).get(n, ""), (why, failed(body))


def _forced(there: World) -> Certificate:
    """Draw a re-deletion whatever the log says: the sections of a true one, as far as they can be drawn."""
    draft = stages.draft(there, AGAIN, LATER, activities=("D7a",), serial=3)
    try:
        return stages.drawn(draft, there)
    except (AssertionError, ValueError, TypeError, KeyError):
        body = copy.deepcopy(drawn(deleted_again(there.folder)).statement)
        body["predicate"]["log"] = statement(stages.draft(there, domain.STATUS, LATER))["predicate"]["log"]
        return issue(there, body)


def test_a_deletion_whose_rows_returned_cannot_be_certified_as_if_they_had_not(folder: Path) -> None:
    there, _ = certified(folder)
    plain = stages.drawn(stages.draft(there, domain.ACTIVE, LATER, activities=("D7a",)), there)
    assert "RE-DELETION" in failed(plain).get(15, "")


@pytest.mark.parametrize("back", [True, False])
def test_neither_a_report_nor_an_answer_calls_deleted_what_is_there_again(folder: Path, back: bool) -> None:
    """From the finding on, before any new job is planned."""
    facts = (certified(folder)[0] if back else deleted_again(folder)).log.facts()
    head = {"origin": "-", "size": 0, "root": "-", "checkpoint": "", "keys": []}
    view = report.View(EXIT, date(2026, 10, 12), "rehearsal", facts, given.RECORD, [], [], [], [], head)
    shown = report.report(view)
    assert shown["verdict"]["gone"] is not back
    cells = {row["system"]: row["cells"]["deleted"] for row in shown["coverage"]}
    assert cells == {"pladsanvisning": "no" if back else "yes", "morgenvagt": "yes", "sagsindeks": "yes"}
    asked = {"what": "DOCUMENTATION", "subject": "DELETION", "stage": None}
    assert (requests.answer(asked, facts, []) is None) is back

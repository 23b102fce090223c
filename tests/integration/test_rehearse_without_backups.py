"""A rehearsal without any backup set ends with a last certificate that says so, and calls nothing permanent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.compliance import domain
from services.compliance.documents.statement import statement
from services.compliance.verifier.ophor_verify import Options, Report, verify
from tests.unit import evidence_world as given
from tests.unit.evidence_world import Certificate, World, issue

LEFT_OUT = {"line": "BACKUPS", "answer": "NOT_IN_REHEARSAL"}


def world(folder: Path, *answers: dict[str, str]) -> World:
    events = [event for event in given.deleted_exit() if event[0] != "deletion.backup_registered"]
    order = next(data for wire, data in events if wire == "orders.order_placed")
    order["places"] += answers
    made = World(folder).told(events)
    entry = {
        "certificate_id": "crt-0",
        "stage": "ACTIVE-DELETED",
        "number": "ØV-000001",
        "activities": ["C7", "D2", "D7a"],
    }
    made.log.add("CERTIFICATE_ISSUED", entry | {"statement_digest": given.sha("first")})
    return made


def judge(made: Certificate) -> Report:
    return verify(made.bundle, Options(keys=given.keys(made.world), rehearsal=True))


def failed(report: Report) -> dict[int, str]:
    return {check.n: check.detail for check in report.checks if check.result == "FAILED"}


def test_the_last_certificate_is_made_and_verifies_and_claims_nothing_of_backups(tmp_path: Path) -> None:
    without = world(tmp_path, LEFT_OUT)
    assert without.refusals(domain.EXPIRED) == []
    made = without.certify(domain.EXPIRED, "2026-10-06")
    assert failed(judge(made)) == {}
    predicate = made.statement["predicate"]
    words = " ".join(predicate["wording"]["da"])
    assert "ingen backupsæt i øvelsen" in words and "er permanent" not in words
    assert "backups_gone" not in [one["name"] for one in predicate["dates"]]
    assert {"BACKUPS", "NO_BACKUP_REGISTERED"} <= {one["code"] for one in predicate["not_covered"]}


def test_without_that_answer_or_outside_a_rehearsal_it_is_refused_as_before(tmp_path: Path) -> None:
    assert "BACKUPS_UNKNOWN" in world(tmp_path / "a").refusals(domain.EXPIRED)
    assert "BACKUPS_UNKNOWN" in world(tmp_path / "b", LEFT_OUT).refusals(domain.EXPIRED, kind="production")


@pytest.mark.parametrize("false", ["permanent", "answer"])
def test_a_false_one_that_was_signed_fails(tmp_path: Path, false: str) -> None:
    made = world(tmp_path, *([LEFT_OUT] if false == "permanent" else []))
    made.mark()
    told: dict[str, Any] = statement(made.draft(domain.EXPIRED, "2026-10-06"))
    if false == "permanent":
        told["predicate"]["wording"]["en"].append("The deletion is permanent.")
    else:
        told["predicate"]["scope"]["answers"] = [*told["predicate"]["scope"]["answers"], LEFT_OUT]
        told["predicate"]["wording"] = {language: ["ØVELSE"] for language in ("da", "en")}
    assert (15 if false == "permanent" else 16) in failed(judge(issue(made, told)))

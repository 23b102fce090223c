"""A status letter goes out however the exit stands: the verifier accepts every true one."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.compliance import domain
from services.compliance.documents.statement import statement
from services.compliance.verifier import ophor_verify
from tests.unit import evidence_world as given
from tests.unit import stage_world as stages
from tests.unit.evidence_world import Event, World

EXITS: dict[str, list[Event]] = {
    "ordered, and no plan yet": given.deleted_exit()[:1],
    "a set catalogued and a hold placed before there is a plan": [
        *(one for one in given.deleted_exit() if one[0] in ("orders.order_placed", "deletion.backup_registered")),
        *given.hold(),
    ],
    "a system kept by an option, with a backup set": given.kept_exit(),
    "a hold on a system that an option keeps": [*given.kept_exit(), *given.hold("pladsanvisning")],
}


@pytest.mark.parametrize("events", EXITS.values(), ids=EXITS.keys())
def test_the_verifier_accepts_the_letter_of_every_exit(events: list[Event], tmp_path: Path) -> None:
    world = World(tmp_path).told(events)
    said = statement(stages.draft(world, domain.STATUS, "2026-10-15"))
    report = ophor_verify.Report(subject=said["subject"])
    ophor_verify._check_content(said["predicate"], stages.items(world), report)
    assert [one.detail for one in report.checks if one.result == "FAILED"] == []

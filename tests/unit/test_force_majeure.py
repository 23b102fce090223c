"""S2 28.1 under force majeure: its last day stands still where that was told in time; a stranger counts the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as some

from services.compliance import domain
from services.compliance.documents.statement import statement
from services.compliance.verifier import ophor_verify
from services.compliance.verifier.ophor_verify import Options, verify
from shared.rules.time import is_working_day
from tests.unit import evidence_world as given
from tests.unit import stage_world as stages
from tests.unit.evidence_world import Event, World, issue
from tests.unit.test_request_clock import STILL, trigger


def held_back(folder: Path, events: tuple[Event, ...], *, deleted: bool = False) -> World:
    """An exit without an amendment whose backups are never gone: under S2 28.1 they are due with everything else."""
    done = given.deleted_exit(amended=False) if deleted else [given.order(amended=False), *given.preparation()]
    return World(folder).told([*done, *events])


LATE_TOLD = (trigger("force_majeure", "2026-09-07"),)  # logged on 1 October: 5 Arbejdsdage after it are the 14th
FIVE = (*STILL, trigger("force_majeure_end", "2026-10-05"))  # 1-5 October are days of the clock; due the 20th


@pytest.mark.parametrize(
    ("events", "on", "state", "reason", "due"),
    [
        ((), date(2026, 10, 16), "breached", "OVERDUE", date(2026, 10, 15)),
        (LATE_TOLD, date(2026, 10, 16), "breached", "OVERDUE", date(2026, 10, 15)),
        (STILL, date(2026, 10, 16), "suspended", "FORCE_MAJEURE", date(2026, 10, 31)),
        (FIVE, date(2026, 10, 20), "at_risk", "DUE_SOON", date(2026, 10, 20)),
        (FIVE, date(2026, 10, 21), "breached", "OVERDUE", date(2026, 10, 20)),
        ((*STILL, *FIVE), date(2026, 10, 21), "breached", "OVERDUE", date(2026, 10, 20)),
    ],
)
def test_the_last_day_of_deletion_stands_still_with_a_force_majeure_told_in_time(
    tmp_path_factory: pytest.TempPathFactory, events: tuple[Event, ...], on: date, state: str, reason: str, due: date
) -> None:
    facts = held_back(tmp_path_factory.mktemp("keys"), events).log.facts()
    stands = domain.standing("S2-28.1-d", facts, on)
    assert (stands.state, stands.reason, stands.due) == (state, reason, due)
    assert domain.standing("GDPR-28.3.g", facts, on).state == "breached" or on < date(2026, 10, 16), "S2 23 is no law"


@pytest.mark.parametrize("stage", [domain.ACTIVE, domain.STATUS])
@pytest.mark.parametrize(
    ("events", "on", "said"),
    [
        (STILL, "2026-10-16", "står stille: force majeure (S2 23)"),
        (FIVE[::-1], "2026-10-20", "har flyttet fristen fra 15.10.2026 med 5 Dage til 20.10.2026"),
        (FIVE, "2026-10-20", "har flyttet fristen fra 15.10.2026 med 5 Dage til 20.10.2026"),
        (FIVE, "2026-10-21", "er OVERTRÅDT: fristen var 20.10.2026"),
        (LATE_TOLD, "2026-10-16", "er OVERTRÅDT: fristen var 15.10.2026"),
    ],
)
def test_a_document_under_force_majeure_says_so_and_the_stranger_counts_the_same_days(
    tmp_path_factory: pytest.TempPathFactory, stage: str, events: tuple[Event, ...], on: str, said: str
) -> None:
    world = held_back(tmp_path_factory.mktemp("keys"), events, deleted=True)
    made = stages.drawn(stages.draft(world, stage, on, serial=1), world)
    assert said in " ".join(made.statement["predicate"]["wording"]["da"])
    options = Options(keys=given.keys(world), rehearsal=True)
    for form in (made.bundle, made.dsse):
        report = verify(form, options)
        assert report.code == 0, (report.malformed, [one for one in report.checks if one.result == "FAILED"])


@pytest.mark.parametrize(("events", "days"), [(FIVE, 6), (LATE_TOLD, 16), ((), 400)])
def test_no_more_days_of_force_majeure_can_be_claimed_than_the_log_has(
    tmp_path_factory: pytest.TempPathFactory, events: tuple[Event, ...], days: int
) -> None:
    world = held_back(tmp_path_factory.mktemp("keys"), events, deleted=True)
    for stage in (domain.ACTIVE, domain.STATUS):
        body = statement(stages.draft(world, stage, "2026-10-20", serial=1))
        row = next(one for one in body["predicate"]["obligations"] if one["id"] == "S2-28.1-d")
        row |= {"stood": days, "state": "pending"}
        report = verify(issue(world, body).bundle, Options(keys=given.keys(world), rehearsal=True))
        assert any("days of force majeure by the log" in one.detail for one in report.checks if one.n == 15)


@drawn(some.dates(date(2020, 1, 1), date(2040, 12, 31)))
def test_the_stranger_counts_arbejdsdage_as_the_rules_do(on: date) -> None:
    assert ophor_verify.working_day(on) == is_working_day(on)

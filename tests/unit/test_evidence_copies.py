"""Our own copies of what was handed over: nothing is certified as deleted while one is left, or nobody looked."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.compliance import domain
from services.compliance.documents.statement import statement
from services.compliance.verifier.ophor_verify import Options, verify
from tests.unit import evidence_world as given
from tests.unit.evidence_world import Event, World

ON = "2026-10-05"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


def without() -> list[Event]:
    return [one for one in given.deleted_exit() if one[0] != "delivery.own_copies_looked"]


def judged(world: World) -> dict[int, str]:
    """Have a certificate drawn in spite of every refusal, and judge it."""
    made = statement(world.draft())
    world.mark()
    report = verify(given.issue(world, made).bundle, Options(keys=given.keys(world), rehearsal=True))
    return {one.n: one.detail for one in report.checks if one.result == "FAILED"}


@pytest.mark.parametrize("answer", ["DELETED", "ABSENT_VERIFIED", "CUSTOMER_POSSESSION"])
def test_copies_that_are_gone_or_the_customers_are_told_with_their_deadline(folder: Path, answer: str) -> None:
    world = World(folder).told([*without(), given.own_copies(ON, answer)])
    assert world.refusals() == []
    told = statement(world.draft())["predicate"]["own_copies"]
    assert (told["due"], told["looked_on"], {one["answer"] for one in told["rows"]}) == ("2026-10-15", ON, {answer})
    assert judged(world) == {}


@pytest.mark.parametrize("answer", ["PRESENT", "ERROR"])
def test_a_copy_that_is_left_keeps_the_certificate_away(folder: Path, answer: str) -> None:
    world = World(folder).told([*without(), given.own_copies(ON, answer)])
    assert set(world.refusals()) == {"OWN_COPY_LEFT"}
    assert "own copies are not gone" in judged(world)[15]
    world.told([given.own_copies(ON)])
    assert world.refusals() == []


def test_a_look_that_nobody_took_is_none_and_the_index_alone_needs_none(folder: Path) -> None:
    world = World(folder).told(without())
    assert world.refusals() == ["OWN_COPY_LEFT"]
    assert world.refusals(activities=("C7",)) == []
    assert "nobody looked" in judged(world)[15]


def test_a_package_that_was_handed_over_since_has_to_be_looked_for_again(folder: Path) -> None:
    again = [
        (wire, data | {"package_id": "pkg-2"})
        for wire, data in given.hand_over()
        if wire in ("delivery.package_delivered", "delivery.delivery_accepted")
    ]
    world = World(folder).told([*given.deleted_exit(), *again])
    assert "OWN_COPY_LEFT" in world.refusals()
    world.told([given.own_copies(ON)])
    assert "OWN_COPY_LEFT" in world.refusals(domain.ACTIVE)  # only the package before was looked for

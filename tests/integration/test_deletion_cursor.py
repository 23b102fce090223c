"""A job's next batch begins behind its last one, and at the beginning whenever that might pass something over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.deletion.worker.cursor import JOBS, Cursor
from shared.connectors.protocol import Connector
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target

JOB, PLACE, ROWS = "job-1", "sager", 7


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with targets.sqlite(tmp_path) as made:
        yield made


@pytest.fixture
def connector(target: Target) -> Connector:
    """Give a real target; nothing of it is deleted here, so that whoever begins at the beginning shows it."""
    return target.open("delete")


def test_the_next_batch_begins_behind_the_last(connector: Connector) -> None:
    cursor, every = Cursor(), connector.keys(PLACE, ROWS)
    first = cursor.next(JOB, 0, connector, PLACE, 3)
    cursor.went(JOB, 1, connector.system, PLACE, first.keys[-1])
    second = cursor.next(JOB, 1, connector, PLACE, 3)
    assert first.keys + second.keys == every[:6]


def test_a_batch_that_was_not_wholly_done_is_begun_again(connector: Connector) -> None:
    cursor = Cursor()
    first = cursor.next(JOB, 0, connector, PLACE, 3)
    assert cursor.next(JOB, 1, connector, PLACE, 3) == first


@pytest.mark.parametrize(("batches", "place"), [(2, PLACE), (1, "noter")])
def test_what_another_process_did_meanwhile_or_another_place_begins_at_the_beginning(
    connector: Connector, batches: int, place: str
) -> None:
    cursor = Cursor()
    cursor.went(JOB, 1, connector.system, PLACE, connector.keys(PLACE, ROWS)[-1])
    assert cursor.next(JOB, batches, connector, place, 3).keys == connector.keys(place, 3)


def test_a_place_is_empty_only_when_nothing_is_left_at_the_beginning_either(connector: Connector) -> None:
    cursor, every = Cursor(), connector.keys(PLACE, ROWS)
    cursor.went(JOB, 1, connector.system, PLACE, every[-1])
    assert cursor.next(JOB, 1, connector, PLACE, 3).keys == every[:3]


@pytest.mark.parametrize(("size", "last"), [(6, False), (7, True), (8, True)])
def test_the_last_batch_is_known_also_where_it_is_a_full_one(connector: Connector, size: int, last: bool) -> None:
    turn = Cursor().next(JOB, 0, connector, PLACE, size)
    assert (len(turn.keys), turn.last) == (min(size, ROWS), last)


def test_the_keys_of_a_few_jobs_are_kept_and_no_more(connector: Connector) -> None:
    cursor, every = Cursor(), connector.keys(PLACE, ROWS)
    for number in range(JOBS + 1):
        cursor.went(f"job-{number}", 1, connector.system, PLACE, every[2])
    begun = [cursor.next(f"job-{number}", 1, connector, PLACE, 1).keys for number in (0, 1, JOBS)]
    assert begun == [every[:1], every[3:4], every[3:4]]

"""The status letter of K + 15 waits for the day that the newest plan gave, however far behind the log is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.bus_store_parts import mongo
from tests.integration.compliance_house import DPO, House, house
from tests.unit import evidence_world as given
from tests.unit.evidence_world import EXIT

pytestmark = pytest.mark.xdist_group("compliance-requests")
PAST, LATER = "2026-09-15", "2027-01-31"


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with mongo() as made:
        yield made.uri


@pytest.fixture
def there(database: str, tmp_path: Path) -> Iterator[House]:
    with house(database, tmp_path, "letters") as made:
        made.tell([given.order(), given.plan(end=LATER)])
        yield made


def letters(there: House) -> list[str]:
    there.carry()
    rows = there.do(DPO, "list_certificates", exit_id=EXIT)["certificates"]
    return [row["stage"] for row in rows]


def test_an_end_moved_to_a_day_long_past_has_its_letter_before_the_log_knows_of_it(there: House) -> None:
    there.hear(*given.plan(2, end=PAST))
    there.store.fire_due()
    assert letters(there) == ["STATUS"]


def test_an_end_that_moved_away_again_has_no_letter_though_its_day_was_told(there: House) -> None:
    there.hear(*given.plan(2, end=PAST))
    there.store.fire_due()
    there.hear(*given.plan(3, end=LATER))
    assert letters(there) == []

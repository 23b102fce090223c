"""The rules' clock without a database: legal dates, midnights, and what production refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from contracts.errors import Rejected
from shared.runtime.clock import SimulatedClock, SystemClock, clock_for, legal_date, midnight, set_clock
from shared.store.unit import Store


def test_the_legal_date_is_copenhagens_not_utcs() -> None:
    assert legal_date(datetime(2026, 7, 1, 22, 30, tzinfo=UTC)) == date(2026, 7, 2)
    assert legal_date(datetime(2026, 1, 1, 22, 30, tzinfo=UTC)) == date(2026, 1, 1)


@pytest.mark.parametrize(("day", "hour"), [(date(2026, 3, 29), 23), (date(2026, 3, 30), 22), (date(2026, 10, 26), 23)])
def test_midnight_in_copenhagen_follows_summer_time(day: date, hour: int) -> None:
    assert midnight(day).hour == hour
    assert legal_date(midnight(day)) == day


def test_production_refuses_a_simulated_clock() -> None:
    with pytest.raises(Rejected, match="CLOCK_SIMULATED"):
        clock_for("production", "mongodb://127.0.0.1/")


def test_demo_and_test_take_a_simulated_clock_and_production_the_systems() -> None:
    assert isinstance(clock_for("demo", "mongodb://127.0.0.1/"), SimulatedClock)
    assert isinstance(clock_for("production"), SystemClock)


@pytest.mark.parametrize(("clock_uri", "shared"), [("mongodb://127.0.0.1:1/", True), ("mongodb://localhost:1/", False)])
def test_a_process_has_one_client_where_its_store_and_its_clock_have_one_address(clock_uri: str, shared: bool) -> None:
    clock = clock_for("test", clock_uri)
    assert isinstance(clock, SimulatedClock)
    store = Store("mongodb://127.0.0.1:1/", "orders", clock)
    try:
        assert (clock._collection().database.client is store.client) is shared
    finally:
        store.close()


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(Rejected, match="CLOCK_NAIVE"):
        set_clock("mongodb://127.0.0.1/", datetime(2026, 1, 5, 9))

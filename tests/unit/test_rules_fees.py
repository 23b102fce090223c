"""The agreement's price clauses: its own worked examples, and each cap on both sides."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from contracts.errors import Rejected
from shared.rules import fees

D = Decimal
SHARES = {"K1": D(35), "K2": D(20), "K3": D(30), "K4": D(15)}
QUARTERS = ((1, 1), (4, 1), (7, 1), (10, 1))


def test_a_reduction_takes_its_percent_of_the_original_total() -> None:
    first = fees.price_cut(D(100), SHARES, ["K1"])
    second = fees.price_cut(D(100), SHARES, ["K3", "K4"])
    assert (first, D(100) - first) == (D(35), D(65))
    assert (second, D(100) - first - second) == (D(45), D(20))


@pytest.mark.parametrize("shares", [{"K1": D(101)}, {"K1": D(60), "K2": D(41)}, {"K1": D(-1)}, {"K2": D(20)}])
def test_shares_that_cannot_be_are_refused_with_the_clause(shares: dict[str, Decimal]) -> None:
    with pytest.raises(Rejected, match=r"15\.6\.2") as refused:
        fees.price_cut(D(100), shares, ["K1"])
    assert (refused.value.code, refused.value.field) == ("PRICE_PARTS_INVALID", "price_parts")


@pytest.mark.parametrize(
    ("takeover", "paid"),
    [(date(2021, 5, 20), date(2021, 10, 1)), (date(2021, 6, 30), date(2021, 10, 1)),
     (date(2021, 7, 1), date(2022, 1, 1)), (date(2021, 12, 31), date(2022, 4, 1))],
)  # fmt: skip
def test_the_first_payment_on_account_follows_the_first_whole_interval(takeover: date, paid: date) -> None:
    assert fees.first_on_account(takeover, QUARTERS) == paid


def test_a_payment_on_account_is_at_most_ninety_percent_and_never_rounded_up() -> None:
    assert fees.most_on_account(D("400.00"), 4) == D("90.00")
    assert fees.most_on_account(D("100.00"), 7) == D("12.85")


@pytest.mark.parametrize(
    ("day", "units"),
    [(date(2026, 4, 1), ("BE1",)), (date(2026, 10, 1), ("BE1",)), (date(2026, 7, 1), ("BE1", "BE2")),
     (date(2026, 1, 1), ("BE1", "BE2", "BE3")), (date(2026, 2, 1), ()), (date(2026, 7, 2), ())],
)  # fmt: skip
def test_one_invoice_carries_every_unit_that_falls_due_on_its_day(day: date, units: tuple[str, ...]) -> None:
    assert fees.invoiced({"BE1": 3, "BE2": 6, "BE3": 12}, day) == units


@pytest.mark.parametrize(
    ("days", "defective", "by_percent", "by_amount"),
    [(0, False, 0, 0), (1, False, 500, 250), (10, False, 5_000, 2_500), (11, False, 5_000, 2_500),
     (20, False, 5_000, 2_500), (21, False, 10_000, 5_000), (21, True, 15_000, 7_500), (0, True, 5_000, 2_500)],
)  # fmt: skip
def test_a_late_report_costs_by_the_day_to_a_cap_and_again_after_twenty(
    days: int, defective: bool, by_percent: int, by_amount: int
) -> None:
    assert fees.late_report(D(100_000), days, defective=defective) == by_percent
    assert fees.late_report(D("49999.99"), days, defective=defective) == by_amount


def test_from_fifty_thousand_the_penalty_is_by_percent() -> None:
    assert [fees.helpdesk(D(50_000)), fees.helpdesk(D("49999.99"))] == [2_500, 2_500]
    assert [fees.helpdesk(D(60_000)), fees.repair(D(60_000))] == [3_000, 6_000]
    assert fees.repair(D(10_000)) == 5_000


@pytest.mark.parametrize(
    ("level", "below", "steps"),
    [("platin", "0.3", 1), ("platin", "0.31", 2), ("guld", "0.6", 1), ("guld", "1.3", 3), ("soelv", "1.0", 1),
     ("soelv", "1.01", 2), ("bronze", "1.5", 1), ("bronze", "1.6", 2), ("bronze", "0", 0)],
)  # fmt: skip
def test_low_efficiency_costs_by_started_steps_of_the_level(level: str, below: str, steps: int) -> None:
    assert fees.inefficiency(D(100_000), level, D(below)) == steps * 10_000
    assert fees.inefficiency(D(10_000), level, D(below)) == steps * 5_000


def test_low_efficiency_is_capped() -> None:
    assert fees.inefficiency(D(100_000), "platin", D(5)) == 75_000
    assert fees.inefficiency(D(10_000), "platin", D(5)) == 37_500


@pytest.mark.parametrize(("days", "by_percent", "by_amount"), [(1, 5_000, 1_250), (30, 150_000, 37_500),
                                                              (31, 150_000, 37_500)])  # fmt: skip
def test_a_late_takeover_costs_by_the_day_to_a_cap(days: int, by_percent: int, by_amount: int) -> None:
    assert fees.late_takeover(D(60_000), D(200_000), days) == by_percent
    assert fees.late_takeover(D(40_000), D(200_000), days) == by_amount


def test_every_second_faulty_invoice_costs_ten_thousand() -> None:
    assert [fees.faulty_invoices(count) for count in range(5)] == [0, 0, 10_000, 10_000, 20_000]


def test_a_month_s_penalties_never_exceed_the_month_s_price() -> None:
    assert fees.month_of(D(12_000), [D(5_000), D(10_000)]) == 12_000
    assert fees.month_of(D(16_000), [D(5_000), D(10_000)]) == 15_000


def test_an_emergency_extension_costs_ten_percent_more() -> None:
    assert fees.emergency_fee(D("1234.50")) == D("1357.95")


def test_kroner_are_written_with_a_comma() -> None:
    assert [fees.kroner(D(65)), fees.kroner(D("37500")), fees.kroner(D("1234567.895"))] == [
        "65,00", "37.500,00", "1.234.567,90"]  # fmt: skip

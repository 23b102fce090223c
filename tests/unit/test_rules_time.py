"""The time rules: every worked example, the holidays of 2020–2040, and properties over all dates."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Rejected
from shared.rules.time import add_months, days_off, is_working_day, parse_date, parse_period, reckon, shift

DATES = st.dates(date(1950, 1, 1), date(2350, 12, 31))

VECTORS = [
    ("2020-01-10", "expires+20d", "2020-01-31"),
    ("2026-01-10", "expires+20d", "2026-01-31"),
    ("2020-10-01", "expires+20d", "2020-10-22"),
    ("2023-04-24", "+10wd", "2023-05-09"),
    ("2024-04-15", "+10wd", "2024-04-29"),
    ("2026-05-29", "+20wd", "2026-06-29"),
    ("2024-08-31", "+6m", "2025-02-28"),
    ("2024-08-29", "+6m", "2025-02-28"),
    ("2025-12-31", "+6m", "2026-06-30"),
    ("2026-10-12", "+6m", "2027-04-12"),
    ("2026-07-01", "-3m", "2026-04-01"),
    ("2026-07-01", "-2m", "2026-05-01"),
    ("2026-07-01", "-1.5m", "2026-05-17"),
    ("2026-07-01", "-1m", "2026-06-01"),
    ("2026-07-01", "-30d", "2026-06-01"),
    ("2026-07-01", "-90d", "2026-04-02"),
    ("2026-05-31", "-3m", "2026-02-28"),
    ("2026-05-31", "-2m", "2026-03-31"),
    ("2026-05-31", "-1.5m", "2026-04-15"),
    ("2026-05-31", "-1m", "2026-04-30"),
    ("2026-05-31", "-30d", "2026-05-01"),
    ("2026-05-31", "-90d", "2026-03-02"),
    ("2026-09-30", "+15d", "2026-10-15"),
    ("2026-09-30", "-1d", "2026-09-29"),
    ("2026-09-30", "+5y", "2031-09-30"),
    ("2026-09-30", "-60d", "2026-08-01"),
    ("2026-09-30", "-14d", "2026-09-16"),
    ("2026-09-30", "-90d", "2026-07-02"),
    ("2021-08-31", "+72m", "2027-08-31"),
    ("2027-08-31", "+24m", "2029-08-31"),
    ("2020-11-05", "+72m", "2026-11-05"),
    ("2026-11-05", "+15d", "2026-11-20"),
    ("2026-04-01", "+30d", "2026-05-01"),
    ("2027-02-10", "+15d", "2027-02-25"),
    ("2027-02-25", "+15d", "2027-03-12"),
    ("2024-02-29", "+1y", "2025-02-28"),
    ("2026-01-31", "+1.5m", "2026-03-15"),
    ("2026-06-29", "-20wd", "2026-05-29"),
    ("2026-05-30", "+0d", "2026-05-30"),
]


EASTER = {
    2020: "2020-04-12", 2021: "2021-04-04", 2022: "2022-04-17", 2023: "2023-04-09", 2024: "2024-03-31",
    2025: "2025-04-20", 2026: "2026-04-05", 2027: "2027-03-28", 2028: "2028-04-16", 2029: "2029-04-01",
    2030: "2030-04-21", 2031: "2031-04-13", 2032: "2032-03-28", 2033: "2033-04-17", 2034: "2034-04-09",
    2035: "2035-03-25", 2036: "2036-04-13", 2037: "2037-04-05", 2038: "2038-04-25", 2039: "2039-04-10",
    2040: "2040-04-01",
}  # fmt: skip


@pytest.mark.parametrize(("start", "period", "expected"), VECTORS)
def test_the_worked_examples_hold(start: str, period: str, expected: str) -> None:
    assert reckon(date.fromisoformat(start), parse_period(period)).on.isoformat() == expected


@pytest.mark.parametrize("year", range(2020, 2041))
def test_the_days_off_of_each_year_are_exactly_these(year: int) -> None:
    easter = date.fromisoformat(EASTER[year])
    offsets = [-3, -2, 0, 1, 39, 49, 50] + ([26] if year <= 2023 else [])
    fixed = [(1, 1), (6, 5), (12, 24), (12, 25), (12, 26), (12, 31)]
    expected = {easter + timedelta(days=n) for n in offsets} | {date(year, month, day) for month, day in fixed}
    assert set(days_off(year)) == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-05-01", True),  # 1 May
        ("2026-05-15", True),  # the Friday after Ascension Day
        ("2026-12-28", True),
        ("2026-12-24", False),
        ("2026-12-31", False),
        ("2026-06-05", False),
        ("2024-04-26", True),  # Store bededag is abolished from 2024
        ("2023-05-05", False),
        ("2026-08-01", False),  # a Saturday
    ],
)
def test_a_day_is_an_arbejdsdag_as_the_agreement_defines_it(day: str, expected: bool) -> None:
    assert is_working_day(date.fromisoformat(day)) is expected


@pytest.mark.parametrize(
    "text", ["", "10d", "+d", "+10", "+10w", "+1.5d", "+1.5y", "+1.5wd", "+1.25m", "expires-20d", "expires+2m",
             "expires+2wd", "+ 10d", "+10d ", "++1d", "+100000d", "+10000wd", "+１d", "-10D"],
)  # fmt: skip
def test_a_period_outside_the_grammar_is_refused_by_name(text: str) -> None:
    with pytest.raises(Rejected) as refused:
        parse_period(text)
    assert (refused.value.code, refused.value.field) == ("PERIOD_INVALID", "period")


@pytest.mark.parametrize(("start", "period"), [("2399-12-31", "+1d"), ("1900-01-01", "-1m"), ("2026-01-01", "+9999y"),
                                               ("2399-12-01", "+9999wd")])  # fmt: skip
def test_a_date_beyond_the_calendar_is_refused(start: str, period: str) -> None:
    with pytest.raises(Rejected) as refused:
        reckon(date.fromisoformat(start), parse_period(period))
    assert refused.value.code == "DATE_OUT_OF_RANGE"


def test_a_text_that_is_no_date_is_refused_naming_the_field() -> None:
    with pytest.raises(Rejected) as refused:
        parse_date("2026-02-30", "go_live")
    assert (refused.value.code, refused.value.field) == ("DATE_INVALID", "go_live")


def test_a_reckoning_tells_rule_basis_and_the_days_it_stepped_over() -> None:
    reckoned = reckon(date(2026, 5, 29), parse_period("+20wd"))
    assert reckoned.rule_da == "20. Arbejdsdag efter 2026-05-29"
    assert reckoned.basis == "S2 1"
    assert reckoned.skipped == ((date(2026, 6, 5), "Grundlovsdag"),)


def test_a_deadline_on_a_saturday_stays_there_and_shows_the_friday_as_internal_target() -> None:
    reckoned = reckon(date(2026, 7, 17), parse_period("+15d"))
    assert (reckoned.on, reckoned.internal_target) == (date(2026, 8, 1), date(2026, 7, 31))


def test_a_notice_counted_backwards_shows_the_day_that_clear_days_would_want() -> None:
    assert reckon(date(2026, 9, 30), parse_period("-90d")).clear_days == date(2026, 7, 1)
    assert reckon(date(2026, 9, 30), parse_period("+90d")).clear_days is None


def test_months_backwards_are_computed_each_from_the_start_never_chained() -> None:
    assert add_months(date(2026, 5, 31), -2) == date(2026, 3, 31)
    assert add_months(add_months(date(2026, 5, 31), -1), -1) == date(2026, 3, 30)


@given(DATES, st.integers(1, 300))
def test_the_nth_arbejdsdag_is_one_and_exactly_n_lie_up_to_it(start: date, count: int) -> None:
    end = shift(start, parse_period(f"+{count}wd"))
    days = [start + timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert is_working_day(end)
    assert sum(map(is_working_day, days)) == count


@pytest.mark.parametrize(("start", "period", "expected"), [
    ("2026-12-31", "+1wd", "2027-01-04"), ("2026-01-02", "-1wd", "2025-12-30"), ("2026-06-06", "+1wd", "2026-06-08"),
    ("2026-06-06", "-1wd", "2026-06-04"), ("2026-06-06", "+0wd", "2026-06-06"), ("2026-01-01", "+500wd", "2027-12-23"),
])  # fmt: skip
def test_arbejdsdage_step_over_years_and_from_days_off(start: str, period: str, expected: str) -> None:
    assert shift(date.fromisoformat(start), parse_period(period)).isoformat() == expected


@given(DATES, st.integers(1, 300))
def test_arbejdsdage_backwards_undo_arbejdsdage_forwards_from_an_arbejdsdag(start: date, count: int) -> None:
    first = shift(start, parse_period("+1wd"))
    there = shift(first, parse_period(f"+{count}wd"))
    assert shift(there, parse_period(f"-{count}wd")) == first


@given(DATES, st.integers(0, 500))
def test_months_keep_the_day_or_fall_to_the_months_last(start: date, months: int) -> None:
    end = add_months(start, months)
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day == start.day or (end.day < start.day and (end + timedelta(days=1)).day == 1)


@given(DATES, DATES, st.sampled_from(["+10wd", "-90d", "+6m", "-1.5m", "+5y", "expires+20d"]))
def test_a_later_start_never_gives_an_earlier_date(one: date, other: date, period: str) -> None:
    first, second = sorted((one, other))
    assert shift(first, parse_period(period)) <= shift(second, parse_period(period))


@given(
    st.sampled_from(["expires", ""]),
    st.sampled_from("+-"),
    st.integers(0, 9999),
    st.sampled_from(["d", "wd", "m", "y"]),
)
def test_a_period_reads_back_what_it_prints(expires: str, sign: str, count: int, unit: str) -> None:
    text = f"{expires if unit == 'd' and sign == '+' else ''}{sign}{count}{unit}"
    assert str(parse_period(text)) == text

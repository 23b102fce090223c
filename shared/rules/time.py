"""Time as the agreements count it: Arbejdsdage, Dage and months, forwards and backwards.

Rules kept (they govern where an agreement says nothing else, and are printed beside every date):
1. An Arbejdsdag is Monday to Friday, but no public holiday, nor 5/6, 24/12 or 31/12 (S2 1). 1 May counts.
2. `+Nd` is X + N: the day of X is not counted (S2 4.2; Reg. 1182/71 Art. 3(1)).
3. `expires+Nd` ("udløber efter N Dage") is X + N + 1 (the example in S2 4.2).
4. `-Nd` is X − N: as a notice, the latest day it can be given; a reading with clear days would want the day before.
5. `+Nwd` is the N-th Arbejdsdag after X; `-Nwd` the N-th before it.
6. Months keep the day's number or fall to the month's last day; half a month is 15 Dage, taken after the whole months.
7. A Dag deadline never rolls over a weekend; the previous Arbejdsdag is given beside it as internal target.
Refused: other periods (PERIOD_INVALID) and dates outside 1900–2399 (DATE_OUT_OF_RANGE).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from contracts.errors import Rejected

Direction = Literal["not_before", "not_after"]

_GRAMMAR = re.compile(r"(?P<expires>expires)?(?P<sign>[+-])(?P<count>[0-9]{1,5})(?P<half>\.5)?(?P<unit>wd|d|m|y)")
_ALSO_FREE = {(6, 5): "Grundlovsdag", (12, 24): "Juleaftensdag", (12, 31): "Nytårsaftensdag"}  # S2 1
_DAY = timedelta(days=1)
_HALF_MONTH = timedelta(days=15)  # Reg. 1182/71 Art. 3(2)
_YEARS = range(1900, 2400)
_LONGEST_WD = 9_999


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time with a sign: `count` Dage (`d`), Arbejdsdage (`wd`), months (`m`) or years (`y`)."""

    sign: int
    count: int
    unit: Literal["d", "wd", "m", "y"]
    half: bool = False
    expires: bool = False

    def __str__(self) -> str:
        half = ".5" if self.half else ""
        return f"{'expires' if self.expires else ''}{'+' if self.sign > 0 else '-'}{self.count}{half}{self.unit}"


@dataclass(frozen=True, slots=True)
class Reckoning:
    """A computed date and how it was reached: rule and basis in Danish and English, days stepped over, target."""

    on: date
    start: date
    period: Period
    rule_da: str
    rule_en: str
    basis: str
    skipped: tuple[tuple[date, str], ...] = ()

    @property
    def internal_target(self) -> date:
        """Give the last Arbejdsdag not later than the date (rule 7)."""
        day = self.on
        while not is_working_day(day):
            day -= _DAY
        return day

    @property
    def clear_days(self) -> date | None:
        """Give the day before, which a reading with clear days would want, for notices counted backwards in Dage."""
        return self.on - _DAY if self.period.sign < 0 and self.period.unit == "d" else None


def parse_period(text: str) -> Period:
    """Read `+10wd`, `-90d`, `+6m`, `-1.5m`, `+5y` or `expires+20d`; raise Rejected PERIOD_INVALID."""
    found = _GRAMMAR.fullmatch(text)
    if not found:
        raise _invalid(text)
    period = Period(
        sign=1 if found["sign"] == "+" else -1,
        count=int(found["count"]),
        unit=found["unit"],  # type: ignore[arg-type]
        half=bool(found["half"]),
        expires=bool(found["expires"]),
    )
    if (period.half and period.unit != "m") or (period.expires and (period.unit != "d" or period.sign < 0)):
        raise _invalid(text)
    if period.unit == "wd" and period.count > _LONGEST_WD:
        raise _invalid(text)
    return period


def parse_date(text: str, field: str) -> date:
    """Read an ISO date; raise Rejected DATE_INVALID naming `field`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Rejected(
            "DATE_INVALID",
            f"'{text}' is not a date",
            field=field,
            remedy="write it as YYYY-MM-DD",
            da=f"'{text}' er ikke en dato. Skriv den som ÅÅÅÅ-MM-DD.",
        ) from None


@lru_cache(maxsize=512)
def days_off(year: int) -> dict[date, str]:
    """Give the year's public holidays and the three further days that are no Arbejdsdage, by name (S2 1)."""
    from holidays.countries.denmark import Denmark  # brings every country's: most processes never count working days

    named = {day: str(name) for day, name in Denmark(years=year, language="da").items()}  # type: ignore[no-untyped-call]
    return named | {date(year, month, day): name for (month, day), name in _ALSO_FREE.items()}


def is_working_day(day: date) -> bool:
    """Tell whether `day` is an Arbejdsdag (S2 1)."""
    return day.weekday() < 5 and day not in days_off(day.year)


def why_free(day: date) -> str:
    """Give the Danish name of what makes `day` no Arbejdsdag, or an empty text."""
    weekday = {5: "lørdag", 6: "søndag"}.get(day.weekday(), "")
    return days_off(day.year).get(day, weekday)


def shift(start: date, period: Period) -> date:
    """Give the date alone; raise Rejected DATE_OUT_OF_RANGE."""
    try:
        day = _shift(start, period)
    except (OverflowError, ValueError):
        raise _out_of_range(start, period) from None
    if day.year not in _YEARS:
        raise _out_of_range(start, period)
    return day


def reckon(start: date, period: Period) -> Reckoning:
    """Compute the date with its rule, basis and the days stepped over; raise Rejected DATE_OUT_OF_RANGE."""
    day = shift(start, period)
    rule_da, rule_en, basis = _wording(start, period)
    skipped = _skipped(start, day) if period.unit == "wd" else ()
    return Reckoning(day, start, period, rule_da, rule_en, basis, skipped)


def add_months(start: date, months: int) -> date:
    """Give the same day's number `months` later, or the month's last day (Forældelsesloven § 27(1))."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def _shift(start: date, period: Period) -> date:
    if period.unit == "wd":
        return _step_working_days(start, period)
    if period.unit == "d":
        return start + timedelta(days=period.sign * period.count + period.expires)
    whole = add_months(start, period.sign * period.count * (12 if period.unit == "y" else 1))
    return whole + period.sign * _HALF_MONTH if period.half else whole


def _step_working_days(start: date, period: Period) -> date:
    """Count in whole years: `place` is the day's place among the Arbejdsdage of `year`."""
    if not period.count:
        return start
    year, days = start.year, _working_days(start.year)
    place = bisect_right(days, start) - 1 + period.count if period.sign > 0 else bisect_left(days, start) - period.count
    while place >= len(days):
        place -= len(days)
        year, days = year + 1, _working_days(year + 1)
    while place < 0:
        year, days = year - 1, _working_days(year - 1)
        place += len(days)
    return days[place]


@lru_cache(maxsize=512)
def _working_days(year: int) -> tuple[date, ...]:
    if year not in _YEARS:
        raise ValueError
    days = (date(year, 1, 1) + timedelta(days=number) for number in range(366))
    return tuple(day for day in days if day.year == year and is_working_day(day))


def _skipped(start: date, end: date) -> tuple[tuple[date, str], ...]:
    """List the days between that are named, not mere weekends."""
    low, high = sorted((start, end))
    days = (low + timedelta(days=n) for n in range((high - low).days + 1))
    return tuple((day, why_free(day)) for day in days if day.weekday() < 5 and not is_working_day(day))


def _wording(start: date, period: Period) -> tuple[str, str, str]:
    """Give rule (Danish, English) and basis of one period."""
    n, from_ = f"{period.count}{'½' if period.half else ''}", start.isoformat()
    side_da, side_en = ("efter", "after") if period.sign > 0 else ("før", "before")
    if period.expires:
        rule = f"udløber efter {n} Dage fra {from_} (dagen selv og de {n} Dage er gået)"
        return rule, f"expires after {n} days from {from_} (that day and the {n} days have passed)", "S2 4.2"
    if period.unit == "wd":
        rule = f"{n}. Arbejdsdag {side_da} {from_}"
        return rule, f"working day no. {n} {side_en} {from_}", "S2 1"
    if period.unit == "d":
        basis = "S2 4.2; Rfo. 1182/71 art. 3, stk. 1"
        days_da, days_en = ("Dag", "day") if period.count == 1 else ("Dage", "days")
        rule = f"{n} {days_da} {side_da} {from_}, dagen ikke medregnet"
        return rule, f"{n} {days_en} {side_en} {from_}, not counting it", basis
    unit_da, unit_en = _month_or_year(period)
    clamp_da, clamp_en = "samme dato, ellers månedens sidste dag", "the same day's number, else the month's last day"
    if period.half:
        clamp_da, clamp_en = clamp_da + ", og derefter 15 Dage", clamp_en + ", and then 15 days"
    basis = "Rfo. 1182/71 art. 3, stk. 2, litra c; forældelsesloven § 27, stk. 1"
    return f"{n} {unit_da} {side_da} {from_}: {clamp_da}", f"{n} {unit_en} {side_en} {from_}: {clamp_en}", basis


def _month_or_year(period: Period) -> tuple[str, str]:
    one = period.count == 1
    if period.unit == "y":
        return "år", "year" if one else "years"
    return "måned" if one else "måneder", "month" if one and not period.half else "months"


def _invalid(text: str) -> Rejected:
    return Rejected(
        "PERIOD_INVALID",
        f"'{text}' is not a period",
        field="period",
        remedy="write e.g. +10wd, -90d, +6m, -1.5m, +5y or expires+20d",
        da=f"'{text}' er ikke en periode. Skriv f.eks. +10wd, -90d, +6m, -1.5m, +5y eller expires+20d.",
    )


def _out_of_range(start: date, period: Period) -> Rejected:
    return Rejected(
        "DATE_OUT_OF_RANGE",
        f"{start.isoformat()} {period} leaves the years {_YEARS.start}–{_YEARS.stop - 1}",
        field="period",
        remedy="use a shorter period",
        da=f"{start.isoformat()} {period} falder uden for årene {_YEARS.start}–{_YEARS.stop - 1}.",
    )

"""A clock that stands still while a force majeure lasts (S2 23), in Dage or Arbejdsdage.

Rules kept here:
1. Each day of the clock on which one lasts does not count, its first and last among them; two on one day count once.
2. While one lasts nobody knows the last day: given is what it would be if it ended today.
3. It brings nothing back that was overdue before it began.
4. It counts only where it was told in writing within 5 Arbejdsdage after it began; told later, it stops no clock.
The stranger's verifier has a count of its own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from shared.rules.time import parse_period, shift

DAY = timedelta(days=1)
_WORKING, _TOLD_WITHIN = parse_period("+1wd"), parse_period("+5wd")
Stop = tuple[date, date | None]
"""The first and the last day of a force majeure; None while it lasts."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The last day, whether the clock stands still today, and how many of its days it has stood until then."""

    due: date
    suspended: bool = False
    stood: int = 0


def told_in_time(began: date, told: date) -> bool:
    """Tell whether a force majeure may be invoked (rule 4)."""
    return told <= shift(began, _TOLD_WITHIN)


def run(start: date, count: int, unit: Literal["d", "wd"], stopped: Collection[Stop], today: date) -> Clock:
    """Give the clock of `count` Dage or Arbejdsdage after `start` as it is today."""
    counted = [(first, last or today) for first, last in stopped]
    due, left, stood = start, count, 0
    while left > 0:
        due = due + DAY if unit == "d" else shift(due, _WORKING)
        still = any(first <= due <= last for first, last in counted)
        left, stood = left - (not still), stood + still
    return Clock(due, any(first <= today <= last and first <= due for first, last in counted), stood)

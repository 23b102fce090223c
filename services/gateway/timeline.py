"""The plan as a timeline: where every bar, line and band lies in the drawing; pure, from the plan's own answers.

Rules kept: the tables say all that the drawing says, so nothing is in the drawing alone; a state is a mark and a
pattern, never a colour alone; what has no date is listed, not drawn. The exit window is drawn larger than the months
around it: the axis has up to three pieces, each with a scale of its own, and every date stands on the axis.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from services.gateway.views import FINISHED, MARKS, activity_state, tone_of

LEFT, RIGHT, TOP, ROW, HEAD = 318, 1180, 84, 24, 34
WINDOW_DAYS, LINEAR_DAYS, MARGIN = 30, 130, timedelta(days=7)
LABEL_WIDTH, TICK_WIDTH = 134, 46
SHARES = (22, 56, 22)

Row = Mapping[str, Any]
Place = Callable[[date], float]


@dataclass(frozen=True, slots=True)
class Bar:
    """One activity: its line in the drawing, the days it may lie on, and the day it was finished, if it was."""

    row: Row
    y: int
    x: float
    width: float
    tone: str
    mark: str
    done_x: float | None
    late_width: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A day that everything is counted from: the names that share it, and on which level its label stands."""

    names: tuple[str, ...]
    on: date
    x: float
    level: int
    ends: bool


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time behind the bars: the exit window, or the frozen zone."""

    kind: str
    start: date
    end: date
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Tick:
    """The first of a month; its label where there is room for one."""

    on: date
    x: float
    labelled: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """The drawing: everything with its place, and the activities that have no date."""

    height: int
    heads: tuple[tuple[str, int], ...]
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    bands: tuple[Band, ...]
    ticks: tuple[Tick, ...]
    breaks: tuple[float, ...]
    undated: tuple[Row, ...]


def draw(plan: Row, exit_: Row, phases: Iterable[str], today: date | None) -> Timeline | None:
    """Lay the plan out; None where nothing has a date yet. `today` is the rules' day, None where it is not known."""
    rows = [row for row in plan["activities"] if row["state"] != "not_chosen"]
    dated = [row for row in rows if _days(row)]
    if not dated:
        return None
    named = named_days(exit_, today)
    place, breaks = _axis([day for row in dated for day in _days(row)] + [day for day, _ in named], exit_)
    heads, bars, y = [], [], TOP
    for phase in phases:
        if mine := [row for row in dated if row["phase"] == phase]:
            heads.append((phase, y))
            y += HEAD
            bars += [_bar(row, y + ROW * number, place, today) for number, row in enumerate(mine)]
            y += ROW * len(mine)
    return Timeline(
        height=y + 12, heads=tuple(heads), bars=tuple(bars), marks=_marks(named, place), breaks=breaks,
        bands=tuple(_bands(plan, exit_, place)), ticks=_ticks(dated, named, place),
        undated=tuple(row for row in rows if row not in dated),
    )  # fmt: skip


def named_days(exit_: Row, today: date | None) -> list[tuple[date, str]]:
    """Give the days that the plan is counted from, with their names: T, D, K, K+15 and today."""
    end = _day(exit_["agreement_end"])
    days = [(_day(exit_["go_live"]), "T"), (_day(exit_["operations_end"]), "D"), (end, "K")]
    days.append((end + timedelta(days=15), "K+15"))
    return days + ([(today, "today")] if today else [])


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def _days(row: Row) -> list[date]:
    return [_day(row[name]) for name in ("earliest", "due", "completed_on") if row[name]]


def _axis(days: Sequence[date], exit_: Row) -> tuple[Place, tuple[float, ...]]:
    """Give where a day lies, and where the axis changes its scale."""
    first, last = min(days) - MARGIN, max(days) + MARGIN
    switch, end = _day(exit_["go_live"]), _day(exit_["agreement_end"])
    inner = (min(switch - timedelta(days=WINDOW_DAYS), end) - MARGIN, max(switch, end + timedelta(days=15)) + MARGIN)
    knots = [first, *(day for day in inner if first < day < last and (last - first).days > LINEAR_DAYS), last]
    sizes = [_share(a, b, inner) for a, b in pairwise(knots)]
    edges = [LEFT + (RIGHT - LEFT) * sum(sizes[:number]) / sum(sizes) for number in range(len(knots))]

    def place(day: date) -> float:
        at = min(max(bisect_right(knots, day) - 1, 0), len(knots) - 2)
        share = (day - knots[at]).days / (knots[at + 1] - knots[at]).days
        return round(edges[at] + (edges[at + 1] - edges[at]) * share, 1)

    return place, tuple(round(edge, 1) for edge in edges[1:-1])


def _share(first: date, last: date, inner: tuple[date, date]) -> int:
    """Give how much of the axis the piece from `first` to `last` gets."""
    return SHARES[0] if last <= inner[0] else SHARES[2] if first >= inner[1] else SHARES[1]


def _bar(row: Row, y: int, place: Place, today: date | None) -> Bar:
    start, end = row["earliest"] or row["due"] or row["completed_on"], row["due"] or row["earliest"]
    x = place(_day(start))
    width = max(place(_day(end or start) + timedelta(days=1)) - x, 7.0)
    finished = row["state"] in FINISHED
    late = today is not None and row["due"] and not finished and today > _day(row["due"])
    state = activity_state(row)
    return Bar(
        row, y, x, round(width, 1), tone_of(state), MARKS[tone_of(state)],
        place(_day(row["completed_on"])) if row["completed_on"] else None,
        round(max(place(today) - x - width, 0), 1) if late and today else 0.0,
    )  # fmt: skip


def _marks(named: Sequence[tuple[date, str]], place: Place) -> tuple[Mark, ...]:
    """Give each named day once, its label on the first level where it hides no other."""
    reach: list[float] = []
    found = []
    for day in sorted({day for day, _ in named}):
        x = place(day)
        ends = x + LABEL_WIDTH > RIGHT
        begins = x - LABEL_WIDTH if ends else x
        level = next((number for number, until in enumerate(reach) if until <= begins), len(reach))
        reach[level : level + 1] = [begins + LABEL_WIDTH]
        found.append(Mark(tuple(name for each, name in named if each == day), day, x, level, ends))
    return tuple(found)


def _bands(plan: Row, exit_: Row, place: Place) -> Iterable[Band]:
    switch = _day(exit_["go_live"])
    yield _band("window", switch - timedelta(days=WINDOW_DAYS), switch - timedelta(days=1), place)
    freeze = next((row for row in plan["activities"] if row["id"] == "C2" and row["state"] != "not_chosen"), None)
    if freeze and (begins := freeze["completed_on"] or freeze["earliest"]):
        ends = _day(exit_["operations_end"])
        if _day(begins) <= ends:
            yield _band("frozen", _day(begins), ends, place)


def _band(kind: str, start: date, end: date, place: Place) -> Band:
    x = place(start)
    return Band(kind, start, end, x, round(place(end + timedelta(days=1)) - x, 1))


def _ticks(dated: Sequence[Row], named: Sequence[tuple[date, str]], place: Place) -> tuple[Tick, ...]:
    """Give the first of every month in the drawing; one whose label would hide another's has none."""
    days = [day for row in dated for day in _days(row)] + [day for day, _ in named]
    month, last = min(days).replace(day=1), max(days)
    ticks, free = [], float(LEFT)
    while month <= last:
        if month >= min(days):
            x = place(month)
            ticks.append(Tick(month, x, x >= free and x + TICK_WIDTH <= RIGHT))
            free = x + TICK_WIDTH if ticks[-1].labelled else free
        month = (month + timedelta(days=32)).replace(day=1)
    return tuple(ticks)

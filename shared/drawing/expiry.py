"""The expiry curve as a picture: how many backup sets are left, by the plan and as they were seen to be gone.

An SVG of its own, without script, style sheet or anything from elsewhere. Plan and sight differ in dash and width, not
in colour alone; every number stands in it as text too. The same curve gives the same bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from xml.sax.saxutils import escape

_WIDTH, _LEFT, _TOP, _FOOT = 920, 64, 96, 56
_PLAN, _SEEN, _LIMIT, _NOW = "#5b6673", "#1f4e79", "#b00020", "#3f6b2f"
_ROWS = 12


@dataclass(frozen=True, slots=True)
class Look:
    """How it is drawn: the font, the colour behind it (`none`: what lies under it shows), its height without names."""

    font: str = "Liberation Sans, Arial, Helvetica, sans-serif"
    ground: str = "#fff"
    height: int = 400


_SCREEN = Look()


@dataclass(frozen=True, slots=True)
class Point:
    """How many sets are left at the end of a day, by the plan and as seen (None: the day has not come)."""

    on: date
    planned: int
    seen: int | None


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn: the points by day, the last day that the rules allow, the sets that are past theirs.

    `now`: what the day `today` is called, in Danish and English.
    """

    points: Sequence[Point]
    today: date
    limit: date | None = None
    overdue: Sequence[str] = ()
    now: tuple[str, str] = ("i dag", "today")


@dataclass(frozen=True, slots=True)
class _Scale:
    first: date
    days: int
    most: int
    height: int

    def x(self, on: date) -> float:
        return _LEFT + (_WIDTH - _LEFT - 40) * (on - self.first).days / self.days

    def y(self, count: float) -> float:
        return _TOP + (self.height - _TOP - _FOOT) * (1 - count / self.most)


def points(planned: Sequence[date], gone: Sequence[date], first: date, today: date) -> list[Point]:
    """Give a point for each day on which a number changes, and today: sets by their last days, and by sight.

    `first` is the day from which the curve runs; a set is still there on its last day, and not on the day it was seen
    to be gone.
    """
    last, ended, day_after = sorted(planned), sorted(gone), timedelta(1)
    days = sorted({min(first, today), today, *(day + day_after for day in last), *ended})
    return [
        Point(day, len(last) - bisect_right(last, day - day_after),
              len(last) - bisect_right(ended, day) if day <= today else None)
        for day in days
    ]  # fmt: skip


def expiry(curve: Curve, title: str, language: str = "da", *, look: Look = _SCREEN) -> str:
    """Draw the curve of at least one point and give the SVG's text."""
    days = [*(each.on for each in curve.points), curve.today, *([curve.limit] if curve.limit else [])]
    most = max(1, *(max(each.planned, each.seen or 0) for each in curve.points))
    scale = _Scale(min(days), max((max(days) - min(days)).days, 1), most, look.height)
    shown = list(curve.overdue)[:_ROWS]
    height = look.height + 22 * (len(shown) + 1 if shown else 0) + 12
    said = _said(curve, language)
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{_WIDTH}" height="{height}"'
        f' viewBox="0 0 {_WIDTH} {height}" font-family="{_text(look.font)}">',
        f"<title>{_text(title)}</title><desc>{_text(said)}</desc>",
        f'<rect width="{_WIDTH}" height="{height}" fill="{look.ground}"/>',
        _words(28, 36, title, size=20, bold=True),
        _words(28, 58, said, ink=_LIMIT if curve.overdue else "#1b1b1b"),
    ]
    rest = [
        *_axes(scale, language),
        *_lines(curve, scale, language),
        *_legend(look.height - 8, language),
        *_overdue(curve, shown, look.height, language),
    ]
    return "\n".join([*head, *rest, "</svg>"]) + "\n"


def _said(curve: Curve, language: str) -> str:
    left = next((each.seen for each in reversed(curve.points) if each.seen is not None), 0)
    whole = max(max(each.planned, each.seen or 0) for each in curve.points)
    over, on = len(curve.overdue), day(curve.today, language)
    if language == "en":
        return f"{left} of {whole} sets left on {on}; {over} past their last day"
    return f"{left} af {whole} sæt tilbage {on}; {over} over sidste dag"


def day(on: date, language: str) -> str:
    """Write a day as the language does: 5.10.2026, or 2026-10-05 in English."""
    return on.isoformat() if language == "en" else f"{on.day}.{on.month}.{on.year}"


def _axes(scale: _Scale, language: str) -> Iterator[str]:
    floor = scale.y(0)
    step = max(1, -(-scale.most // 5))
    for count in range(0, scale.most + 1, step):
        y = scale.y(count)
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - 40}" stroke="#e2e7eb"/>'
        yield _words(_LEFT - 10, y + 4, str(count), size=12, anchor="end")
    yield f'<path d="M{_LEFT} {_TOP}V{floor:.1f}H{_WIDTH - 40}" fill="none" stroke="#5b6673"/>'
    months = list(_months(scale.first, scale.days))
    every = max(1, -(-len(months) // 12))
    for month in months[::every]:
        x = scale.x(month)
        yield f'<path d="M{x:.1f} {floor:.1f}v5" stroke="#5b6673"/>'
        said = f"{month:%Y-%m}" if language == "en" else f"{month.month}.{month.year}"
        yield _words(x, floor + 20, said, size=11, anchor="middle")


def _months(first: date, days: int) -> Iterator[date]:
    year, month = first.year, first.month
    while True:
        month = month % 12 + 1
        year += month == 1
        begins = date(year, month, 1)
        if (begins - first).days > days:
            return
        yield begins


def _lines(curve: Curve, scale: _Scale, language: str) -> Iterator[str]:
    plan = [(each.on, each.planned) for each in curve.points]
    seen = [(each.on, each.seen) for each in curve.points if each.seen is not None]
    yield _steps(plan, scale, f'stroke="{_PLAN}" stroke-width="1.6" stroke-dasharray="6 4"')
    yield _steps([*seen, (curve.today, seen[-1][1])] if seen else [], scale, f'stroke="{_SEEN}" stroke-width="3"')
    now = curve.now[language == "en"]
    yield from _upright(scale, curve.today, f"{now} {day(curve.today, language)}", _NOW, "2 3")
    if curve.limit:
        last = "seks måneder" if language == "da" else "six months"
        yield from _upright(scale, curve.limit, f"{last} {day(curve.limit, language)}", _LIMIT, "")


def _steps(stairs: Sequence[tuple[date, int]], scale: _Scale, look: str) -> str:
    if not stairs:
        return ""
    (first, count), rest = stairs[0], stairs[1:]
    path = f"M{scale.x(first):.1f} {scale.y(count):.1f}"
    path += "".join(f"H{scale.x(on):.1f}V{scale.y(left):.1f}" for on, left in rest)
    return f'<path d="{path}" fill="none" {look}/>'


def _upright(scale: _Scale, on: date, said: str, ink: str, dash: str) -> Iterator[str]:
    x, dashed = scale.x(on), f' stroke-dasharray="{dash}"' if dash else ""
    yield f'<path d="M{x:.1f} {_TOP - 8}V{scale.y(0):.1f}" stroke="{ink}" stroke-width="1.4"{dashed}/>'
    x, anchor = (x - 4, "end") if x > _WIDTH - 200 else (x + 4, "")
    yield _words(x, _TOP - (26 if ink == _LIMIT else 12), said, size=11, ink=ink, anchor=anchor)


def _legend(y: int, language: str) -> Iterator[str]:
    words = ("planlagt", "konstateret") if language == "da" else ("planned", "observed")
    yield f'<path d="M{_LEFT} {y}h36" stroke="{_PLAN}" stroke-width="1.6" stroke-dasharray="6 4"/>'
    yield _words(_LEFT + 44, y + 4, words[0], size=12)
    yield f'<path d="M{_LEFT + 140} {y}h36" stroke="{_SEEN}" stroke-width="3"/>'
    yield _words(_LEFT + 184, y + 4, words[1], size=12)


def _overdue(curve: Curve, shown: Sequence[str], top: int, language: str) -> Iterator[str]:
    if not shown:
        return
    more = len(curve.overdue) - len(shown)
    head = "Over sidste dag" if language == "da" else "Past their last day"
    tail = (f" ({more} flere)" if language == "da" else f" ({more} more)") if more else ""
    yield _words(28, top + 22, f"{head}{tail}:", bold=True, ink=_LIMIT)
    for at, name in enumerate(shown):
        yield _words(44, top + 44 + 22 * at, f"! {name}", ink=_LIMIT)


def _words(  # noqa: PLR0913 - what a text element has
    x: float, y: float, text: str, *, size: int = 13, bold: bool = False, ink: str = "#1b1b1b", anchor: str = ""
) -> str:
    weight = ' font-weight="700"' if bold else ""
    at = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{ink}"{weight}{at}>{_text(text)}</text>'


def _text(text: str) -> str:
    """Escape a text; what XML cannot hold is shown as a question mark."""
    return escape("".join(letter if letter.isprintable() else "?" for letter in text))

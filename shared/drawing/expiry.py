"""The expiry curve as a picture: how many backup sets are left, by the plan and as they were seen to be gone.

An SVG of its own, without script, style sheet or anything from elsewhere. Plan and sight differ in dash and width, not
in colour alone; every number stands in it as text too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _FOOT = 920, 400, 64, 96, 56
_PLAN, _SEEN, _LIMIT, _NOW = "#5b6673", "#1f4e79", "#b00020", "#3f6b2f"
_ROWS = 12


@dataclass(frozen=True, slots=True)
class Point:
    """How many sets are left at the end of a day, by the plan and as seen (None: the day has not come)."""

    on: date
    planned: int
    seen: int | None


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn: the points by day, the last day that the rules allow, the sets that are past theirs."""

    points: Sequence[Point]
    today: date
    limit: date | None = None
    overdue: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Scale:
    first: date
    days: int
    most: int

    def x(self, day: date) -> float:
        return _LEFT + (_WIDTH - _LEFT - 40) * (day - self.first).days / self.days

    def y(self, count: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _FOOT) * (1 - count / self.most)


def expiry(curve: Curve, title: str, language: str = "da") -> str:
    """Draw the curve of at least one point and give the SVG's text."""
    days = [*(each.on for each in curve.points), curve.today, *([curve.limit] if curve.limit else [])]
    most = max(1, *(max(each.planned, each.seen or 0) for each in curve.points))
    scale = _Scale(min(days), max((max(days) - min(days)).days, 1), most)
    shown = list(curve.overdue)[:_ROWS]
    height = _HEIGHT + 22 * (len(shown) + 1 if shown else 0) + 12
    said = _said(curve, language)
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{_WIDTH}" height="{height}"'
        f' viewBox="0 0 {_WIDTH} {height}" font-family="Liberation Sans, Arial, Helvetica, sans-serif">',
        f"<title>{_text(title)}</title><desc>{_text(said)}</desc>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        _words(28, 36, title, size=20, bold=True),
        _words(28, 58, said, ink=_LIMIT if curve.overdue else "#1b1b1b"),
    ]
    rest = [*_axes(scale), *_lines(curve, scale, language), *_legend(language), *_overdue(curve, shown, language)]
    return "\n".join([*head, *rest, "</svg>"]) + "\n"


def _said(curve: Curve, language: str) -> str:
    left = next((each.seen for each in reversed(curve.points) if each.seen is not None), 0)
    whole = max(max(each.planned, each.seen or 0) for each in curve.points)
    over = len(curve.overdue)
    if language == "en":
        return f"{left} of {whole} sets left on {curve.today.isoformat()}; {over} past their last day"
    return f"{left} af {whole} sæt tilbage {curve.today.isoformat()}; {over} over sidste dag"


def _axes(scale: _Scale) -> Iterator[str]:
    floor = scale.y(0)
    step = max(1, -(-scale.most // 5))
    for count in range(0, scale.most + 1, step):
        y = scale.y(count)
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - 40}" stroke="#e2e7eb"/>'
        yield _words(_LEFT - 10, y + 4, str(count), size=12, anchor="end")
    yield f'<path d="M{_LEFT} {_TOP}V{floor:.1f}H{_WIDTH - 40}" fill="none" stroke="#5b6673"/>'
    months = list(_months(scale.first, scale.days))
    every = max(1, -(-len(months) // 12))
    for day in months[::every]:
        x = scale.x(day)
        yield f'<path d="M{x:.1f} {floor:.1f}v5" stroke="#5b6673"/>'
        yield _words(x, floor + 20, f"{day:%Y-%m}", size=11, anchor="middle")


def _months(first: date, days: int) -> Iterator[date]:
    year, month = first.year, first.month
    while True:
        month = month % 12 + 1
        year += month == 1
        day = date(year, month, 1)
        if (day - first).days > days:
            return
        yield day


def _lines(curve: Curve, scale: _Scale, language: str) -> Iterator[str]:
    plan = [(each.on, each.planned) for each in curve.points]
    seen = [(each.on, each.seen) for each in curve.points if each.seen is not None]
    yield _steps(plan, scale, f'stroke="{_PLAN}" stroke-width="1.6" stroke-dasharray="6 4"')
    yield _steps([*seen, (curve.today, seen[-1][1])] if seen else [], scale, f'stroke="{_SEEN}" stroke-width="3"')
    now = "i dag" if language == "da" else "today"
    yield from _upright(scale, curve.today, f"{now} {curve.today.isoformat()}", _NOW, "2 3")
    if curve.limit:
        last = "seks måneder" if language == "da" else "six months"
        yield from _upright(scale, curve.limit, f"{last} {curve.limit.isoformat()}", _LIMIT, "")


def _steps(points: Sequence[tuple[date, int]], scale: _Scale, look: str) -> str:
    if not points:
        return ""
    (day, count), rest = points[0], points[1:]
    path = f"M{scale.x(day):.1f} {scale.y(count):.1f}"
    path += "".join(f"H{scale.x(on):.1f}V{scale.y(left):.1f}" for on, left in rest)
    return f'<path d="{path}" fill="none" {look}/>'


def _upright(scale: _Scale, day: date, said: str, ink: str, dash: str) -> Iterator[str]:
    x, dashed = scale.x(day), f' stroke-dasharray="{dash}"' if dash else ""
    yield f'<path d="M{x:.1f} {_TOP - 8}V{scale.y(0):.1f}" stroke="{ink}" stroke-width="1.4"{dashed}/>'
    x, anchor = (x - 4, "end") if x > _WIDTH - 200 else (x + 4, "")
    yield _words(x, _TOP - (12 if ink == _LIMIT else -4), said, size=11, ink=ink, anchor=anchor)


def _legend(language: str) -> Iterator[str]:
    y = _HEIGHT - 8
    words = ("planlagt", "konstateret") if language == "da" else ("planned", "observed")
    yield f'<path d="M{_LEFT} {y}h36" stroke="{_PLAN}" stroke-width="1.6" stroke-dasharray="6 4"/>'
    yield _words(_LEFT + 44, y + 4, words[0], size=12)
    yield f'<path d="M{_LEFT + 140} {y}h36" stroke="{_SEEN}" stroke-width="3"/>'
    yield _words(_LEFT + 184, y + 4, words[1], size=12)


def _overdue(curve: Curve, shown: Sequence[str], language: str) -> Iterator[str]:
    if not shown:
        return
    more = len(curve.overdue) - len(shown)
    head = "Over sidste dag" if language == "da" else "Past their last day"
    tail = (f" ({more} flere)" if language == "da" else f" ({more} more)") if more else ""
    yield _words(28, _HEIGHT + 22, f"{head}{tail}:", bold=True, ink=_LIMIT)
    for at, name in enumerate(shown):
        yield _words(44, _HEIGHT + 44 + 22 * at, f"! {name}", ink=_LIMIT)


def _words(  # noqa: PLR0913 - what a text element has
    x: float, y: float, text: str, *, size: int = 13, bold: bool = False, ink: str = "#1b1b1b", anchor: str = ""
) -> str:
    weight = ' font-weight="700"' if bold else ""
    at = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{ink}"{weight}{at}>{_text(text)}</text>'


def _text(text: str) -> str:
    """Escape a text; what XML cannot hold is shown as a question mark."""
    return escape("".join(letter if letter.isprintable() else "?" for letter in text))

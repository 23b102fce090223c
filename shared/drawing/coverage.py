"""The coverage report as a picture: an SVG of its own, without script, style sheet or anything from elsewhere.

Rules kept here: every line of the report is in it, with its counts; a disposition is told by fill, border and sign, so
that it can be read in grey too; the whole text of what is cut short stands in the element's title.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from shared.drawing.layout import HEIGHT, WIDTH, Layout, Line, layout
from shared.drawing.lines import DISPOSITIONS, Coverage, number, told, verdict, word

_MARGIN, _LEGEND, _NARROWEST = 28, 340, 3 * 340
_NAME, _DETAIL = 24, 31


@dataclass(frozen=True, slots=True)
class _Look:
    fill: str
    ink: str
    border: str
    sign: str
    width: float = 1.2
    dash: str = ""


_LOOKS = {
    "deleted": _Look("#1f4e79", "#ffffff", "#1f4e79", "×"),
    "shared": _Look("#ffffff", "#1b1b1b", "#6b7680", "="),
    "excluded": _Look("#dfe5ea", "#1b1b1b", "#6b7680", "–"),
    "attested": _Look("#e8f0e4", "#1b1b1b", "#3f6b2f", "✎", 1.6),
    "suspended": _Look("#f6d57a", "#1b1b1b", "#7a5b00", "‖", 1.6, "7 4"),
    "undecided": _Look("url(#undecided)", "#8a0014", "#b00020", "!", 3),
    "unreachable": _Look("url(#unreachable)", "#8a0014", "#b00020", "?", 3, "3 4"),
}
_PATTERNS = """<defs>
<pattern id="undecided" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect width="8" height="8" fill="#fff"/><rect width="2" height="8" fill="#fae3e6"/></pattern>
<pattern id="unreachable" width="8" height="8" patternUnits="userSpaceOnUse">
<rect width="8" height="8" fill="#fff"/><circle cx="4" cy="4" r="1.4" fill="#f0c3c9"/></pattern></defs>"""


def picture(lines: Sequence[Coverage], title: str, language: str = "da", *, said: str = "") -> str:
    """Draw the report of the map called `title`, or with `said` what that says of it; give the SVG's text."""
    name = title if said else f"{_say(language, 'Systemkortets dækning', 'Coverage of the system map')}: {title}"
    there = {line.disposition for line in lines}
    shown = [each for each in DISPOSITIONS if each in there or not (said or each == "attested")]
    said = said or verdict(lines, language)
    systems = list(dict.fromkeys(line.system for line in lines))
    panels = [[line for line in lines if line.system == system] for system in systems]
    drawn = [layout({line.place: line.references for line in mine if line.place}) for mine in panels]
    width = max([float(_NARROWEST), *(laid.width for laid in drawn)])
    parts: list[str] = []
    top = 178.0 + _more(shown)
    for mine, laid in zip(panels, drawn, strict=True):
        parts += _panel(mine, laid, (top, width), language)
        top += laid.height + 74 + 18 * sum(1 for line in mine if not line.place)
    whole, height = f"{width + 2 * _MARGIN:.0f}", f"{top:.0f}"
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{whole}" height="{height}"'
        f' viewBox="0 0 {whole} {height}" font-family="Liberation Sans, Arial, Helvetica, sans-serif">',
        f"<title>{_text(name)}</title><desc>{_text(said)}</desc>{_PATTERNS}",
        f'<rect width="{whole}" height="{height}" fill="#fff"/>',
        _words(_MARGIN, 38, name, size=20, bold=True),
        _words(_MARGIN, 60, said, ink="#8a0014" if any(line.code for line in lines) else "#1b1b1b"),
        *_legend(lines, language, shown),
    ]
    return "\n".join([*head, *parts, "</svg>"]) + "\n"


def _legend(lines: Sequence[Coverage], language: str, shown: Sequence[str]) -> Iterator[str]:
    for at, disposition in enumerate(shown):
        x, y = _MARGIN + at % 3 * _LEGEND, 78 + at // 3 * 30
        mine = [line for line in lines if line.disposition == disposition]
        rows = sum(line.rows if disposition == "deleted" else line.total for line in mine)
        look = _LOOKS[disposition]
        yield _box(x, y, 34, 22, look)
        yield _words(x + 17, y + 16, look.sign, size=14, bold=True, ink=look.ink, anchor="middle")
        counts = _say(language, f"{number(rows, language)} rækker", f"{number(rows, language)} rows")
        counts = _say(language, "ikke talt", "not counted") if disposition == "attested" else counts
        yield _words(x + 44, y + 16, f"{word(disposition, language)}: {_places(len(mine), language)}, {counts}")
    arrows = _say(
        language,
        "En pil er en fremmednøgle og peger på det, der henvises til; stiplet, hvor henvisninger danner en ring; "
        "↻ henviser til sig selv.",
        "An arrow is a foreign key and points to what is referred to; dashed where references form a ring; "
        "↻ refers to itself.",
    )
    if any(line.references for line in lines):
        yield _words(_MARGIN, 156 + _more(shown), arrows, size=11, ink="#5b6673")


def _more(shown: Sequence[str]) -> int:
    """Give how much higher the legend is where it has a third row."""
    return 30 * max(0, (len(shown) - 1) // 3 - 1)


def _places(count: int, language: str) -> str:
    return _say(
        language,
        f"{count} sted" if count == 1 else f"{count} steder",
        f"{count} place" if count == 1 else f"{count} places",
    )


def _panel(lines: Sequence[Coverage], laid: Layout, at: tuple[float, float], language: str) -> Iterator[str]:
    top, width = at
    places = [line for line in lines if line.place]
    yield f'<path d="M{_MARGIN} {top:.0f}h{width:.0f}" stroke="#c3cad1"/>'
    yield _words(_MARGIN, top + 26, f"{lines[0].system} ({_places(len(places), language)})", size=16, bold=True)
    y = top + 42
    for line in (line for line in lines if not line.place):
        yield _words(_MARGIN, y + 8, f"{_LOOKS[line.disposition].sign} {line.code} {line.field}", ink="#8a0014")
        y += 18
    yield f'<g transform="translate({_MARGIN} {y + 6:.0f})">'
    yield from map(_reference, laid.lines)
    for line in places:
        yield from _place(line, laid.corners[line.place], language)
    yield "</g>"


def _reference(line: Line) -> str:
    (x1, y1), (x2, y2) = line.start, line.end
    bend = 46 if x1 != x2 else 40
    second = x2 + bend if x1 == x2 else x2 - bend
    curve = (
        f"L{x2:.1f} {y2:.1f}"
        if y1 == y2 and x1 != x2
        else f"C{x1 + bend:.1f} {y1:.1f} {second:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    )
    dash = ' stroke-dasharray="5 4"' if line.back else ""
    drawn = f'<path d="M{x1:.1f} {y1:.1f}{curve}" fill="none" stroke="#8792a0" stroke-width="1.3"{dash}/>'
    if not line.arrow:
        return drawn
    x, y = line.start if line.arrow == "start" else line.end
    tail = 9 if line.arrow == "start" or x1 == x2 else -9
    return drawn + f'<path d="M{x:.1f} {y:.1f}l{tail} -4.5v9z" fill="#5b6673"/>'


def _place(line: Coverage, at: tuple[float, float], language: str) -> Iterator[str]:
    (x, y), look = at, _LOOKS[line.disposition]
    what, counts = told(line, language), _counts(line, language)
    second = line.code or what
    if line.unowned:
        without = f"{number(line.unowned, language)} " + _say(language, "uden lejer", "no tenant")
        second = f"{word(line.disposition, language).split(',')[0]} · {without}"
        what += f" – {without}" + (f": {line.without_tenant}" if line.without_tenant else "")
    loop = " ↻" if line.place in line.references else ""
    yield f"<g><title>{_text(f'{line.place}{loop} – {what} – {counts}')}</title>"
    yield _box(x, y, WIDTH, HEIGHT, look)
    yield _words(x + 15, y + 21, look.sign, size=15, bold=True, ink=look.ink, anchor="middle")
    yield _words(x + 28, y + 20, _short(line.place, _NAME - len(loop)) + loop, bold=True, ink=look.ink)
    yield _words(x + 28, y + 35, _short(second, _DETAIL), size=11, ink=look.ink)
    yield _words(x + 28, y + 49, _short(counts, _DETAIL), size=11, ink=look.ink) + "</g>"


def _counts(line: Coverage, language: str) -> str:
    if line.disposition in ("unreachable", "attested") or line.code == "MAP_UNKNOWN_PLACE":
        return _say(language, "ikke talt", "not counted")
    total = number(line.total, language)
    if line.disposition == "deleted" and not line.total:  # whoever made the report counts this tenant's rows only
        total = number(line.rows, language)
    elif line.disposition == "deleted" or line.rows:
        rows = number(line.rows, language)
        return _say(language, f"{rows} af {total} rækker", f"{rows} of {total} rows")
    return _say(language, f"{total} rækker", f"{total} rows")


def _say(language: str, da: str, en: str) -> str:
    return en if language == "en" else da


def _box(x: float, y: float, width: float, height: float, look: _Look) -> str:
    dash = f' stroke-dasharray="{look.dash}"' if look.dash else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width}" height="{height}" rx="5" fill="{look.fill}"'
        f' stroke="{look.border}" stroke-width="{look.width}"{dash}/>'
    )


def _words(  # noqa: PLR0913 - what a text element has
    x: float, y: float, text: str, *, size: int = 13, bold: bool = False, ink: str = "#1b1b1b", anchor: str = ""
) -> str:
    weight = ' font-weight="700"' if bold else ""
    at = f" text-anchor={quoteattr(anchor)}" if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{ink}"{weight}{at}>{_text(text)}</text>'


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _text(text: str) -> str:
    """Escape a text; what XML cannot hold is shown as a question mark."""
    return escape("".join(letter if letter.isprintable() else "?" for letter in text))

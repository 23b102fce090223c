"""The report to the DPO as a PDF/A-3: Danish first, English by switch; the same values give the same bytes.

The report's values are embedded as `report.json`, so that nobody has to read figures off a page. A rehearsal is marked
across every page and each of its dates as simulated. The timeline is drawn here, on an axis in equal days.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.compliance.documents import labels
from services.compliance.documents.document import TEMPLATES, day_of
from services.compliance.documents.report_texts import LABELS
from services.compliance.signing.envelope import canonical
from shared.rules.profiles import known_profiles, load_profiles
from shared.words import requests as told
from shared.words.gates import gate

ATTACHMENT = "report.json"
WIDTH, LEFT, RIGHT, STEP = 660, 14, 650, 11
_LABEL = 112
Row = dict[str, Any]


def render(report: Row, *, english: bool = False) -> bytes:
    """Write the unsealed PDF of a report, with its values embedded."""
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")  # fonts are subset without today's date
    from weasyprint import HTML, Attachment

    data = canonical(report)
    digest = hashlib.sha256(data).hexdigest()
    stamp = datetime.fromisoformat(report["on"]).replace(tzinfo=UTC)
    attachment = Attachment(
        file_obj=io.BytesIO(data), name=ATTACHMENT, description="the report's values", relationship="Data",
        created=stamp, modified=stamp,
    )  # fmt: skip
    pdf: bytes = HTML(string=page(report, digest, english=english)).write_pdf(
        attachments=[attachment], pdf_variant="pdf/a-3b", pdf_identifier=bytes.fromhex(digest)[:16], pdf_tags=True
    )
    return pdf


def page(report: Row, digest: str, *, english: bool = False) -> str:
    """Write the report as HTML, Danish unless `english`; `digest` is that of its values."""
    side, language = (1, "en") if english else (0, "da")
    rehearsal = report["kind"] == "rehearsal"
    engine = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    engine.trim_blocks = engine.lstrip_blocks = True
    engine.filters["n"] = lambda value: f"{value:,}" if english else f"{value:,}".replace(",", ".")
    engine.filters["day"] = lambda value: day_of(value, rehearsal, english)
    engine.filters["label"] = lambda value: LABELS[value][side] if value in LABELS else labels.label(value, language)
    engine.filters["title"] = lambda value: _titles().get(value, (value,) * 2)[side]
    engine.filters["entries"] = _entries
    return engine.get_template("report.html").render(
        r=report, t=lambda danish, english_text: english_text if english else danish, language=language, digest=digest,
        rehearsal=rehearsal, timeline=timeline(report["milestones"]), told=told, gate=gate, width=WIDTH,
    )  # fmt: skip


@cache
def _titles() -> dict[str, tuple[str, str]]:
    """Give the titles of the obligations that the profiles have."""
    profiles = load_profiles(tuple(known_profiles()))
    return {one.id: (one.title_da, one.title_en) for each in profiles for one in each.obligations}


def timeline(milestones: Sequence[Mapping[str, Any]]) -> Row:
    """Place the milestones on the axis: days at equal distances; no label lies on another, nor on another's line.

    A label stands to the right of its line, so it goes above every later one that begins within its width.
    """
    days = [date.fromisoformat(one["on"]).toordinal() for one in milestones]
    first, span = min(days, default=0), max(1, max(days, default=0) - min(days, default=0))
    marks: list[Row] = []
    for one, day in sorted(zip(milestones, days, strict=True), key=lambda each: -each[1]):
        x = LEFT + (day - first) * (RIGHT - _LABEL - LEFT) / span
        level = max((mark["level"] + 1 for mark in marks if mark["x"] < x + _LABEL), default=0)
        marks.append({**one, "x": round(x, 1), "level": level})
    axis = 20 + (1 + max((mark["level"] for mark in marks), default=0)) * 2 * STEP
    for mark in marks:
        mark["y"] = axis - 8 - (mark["level"] + 1) * 2 * STEP + STEP
    return {"marks": marks[::-1], "height": axis + 14, "axis": axis, "left": LEFT, "right": RIGHT}


def _entries(indexes: Sequence[int]) -> str:
    """Write indexes; a long list by its first and last and how many."""
    if not indexes:
        return "–"
    shown = [str(one) for one in indexes]
    return ", ".join(shown) if len(shown) <= 6 else f"{shown[0]} … {shown[-1]} ({len(shown)})"

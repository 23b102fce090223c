"""The expiry curve on a certificate's page: drawn from what the signed statement says of the backup sets, and no more.

Rules kept: the same statement gives the same bytes; a certificate draws the sets of the systems that it covers, a
status letter all; what the picture shows is said in words too, for whoever cannot see it; nothing is drawn of no sets.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from contracts.deletion_keys import KEY_DESTROYED
from services.compliance.domain import STATUS
from shared.drawing.expiry import Curve, Look, day, expiry, points

ENDED = ("GONE", KEY_DESTROYED)
PAPER = Look("DejaVu Sans", "none", 300)  # the page's own font, and a rehearsal's mark shows through
_TITLE = {"da": "Backupsæt: planlagt og konstateret udløb", "en": "Backup sets: planned and observed expiry"}
_SAID = {
    "da": "Udløbskurve: {left} af {whole} backupsæt findes endnu {on}. Efter planen er det sidste væk efter {last}.",
    "en": "Expiry curve: {left} of {whole} backup sets are still there on {on}. By the plan none is left after {last}.",
}
_LIMIT = {"da": " Sidste frist er {limit}.", "en": " The last day allowed is {limit}."}
_OVER = {"da": " Over deres sidste dag: {over}.", "en": " Past their last day: {over}."}
Row = Mapping[str, Any]


def sets_of(predicate: Mapping[str, Any]) -> list[Row]:
    """Pick the backup sets that a statement is about: those of its own systems, or all in a status letter."""
    mine = set((predicate.get("scope") or {}).get("systems", ()))
    return [one for one in predicate.get("backups", ()) if predicate["stage"] == STATUS or one["system"] in mine]


def picture(predicate: Mapping[str, Any], language: str) -> dict[str, str] | None:
    """Give the curve as a data address and its words; None where the statement has no set to draw."""
    rows = sets_of(predicate)
    if not rows:
        return None
    svg = expiry(_curve(predicate, rows), _TITLE[language], language, look=PAPER)
    data = base64.b64encode(svg.encode()).decode()
    return {"src": f"data:image/svg+xml;base64,{data}", "alt": _words(predicate, rows, language)}


def _curve(predicate: Mapping[str, Any], rows: Sequence[Row]) -> Curve:
    issued = date.fromisoformat(predicate["issued_on"])
    planned = [date.fromisoformat(one["expires_on"]) for one in rows]
    gone = [date.fromisoformat(one["observed_on"]) for one in rows if one["answer"] in ENDED]
    first = min(date.fromisoformat(one["taken_on"]) for one in rows)
    over = [f"{one['system']}/{one['set_id']}" for one in _overdue(predicate, rows)]
    return Curve(points(planned, gone, first, issued), issued, _limit(predicate), over, ("udstedt", "issued"))


def _overdue(predicate: Mapping[str, Any], rows: Sequence[Row]) -> list[Row]:
    return [one for one in rows if one["answer"] not in ENDED and one["expires_on"] < predicate["issued_on"]]


def _limit(predicate: Mapping[str, Any]) -> date | None:
    """Give the statement's own last day for backups."""
    found = [one["date"] for one in predicate["dates"] if one["name"] == "backups_due"]
    return date.fromisoformat(found[0]) if found else None


def _words(predicate: Mapping[str, Any], rows: Sequence[Row], language: str) -> str:
    left = sum(one["answer"] not in ENDED for one in rows)
    on = day(date.fromisoformat(predicate["issued_on"]), language)
    last = day(date.fromisoformat(max(one["expires_on"] for one in rows)), language)
    said = _SAID[language].format(left=left, whole=len(rows), on=on, last=last)
    limit, over = _limit(predicate), len(_overdue(predicate, rows))
    said += _LIMIT[language].format(limit=day(limit, language)) if limit else ""
    return said + (_OVER[language].format(over=over) if over else "")

"""What anybody may fetch without a login: the signed list of certificates that do not count any more.

It holds numbers, digests, days and codes, and is worth something only where it reaches those who verify. Kept here: the
bytes are exactly what the log's key signed, so that `ophor verify --revocations` takes the file as it was fetched; a
copy may be kept for `FRESH_S` and is asked for anew by its digest; fetches of an address are braked as at `/verify`.
"""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, current_app, g, request

from contracts.roles import MONITOR
from services.gateway.asking import backend
from services.gateway.texts import text
from services.gateway.verify_pages import Turns
from shared.runtime.logins import User

FRESH_S = 300
_ANYBODY = User("", "", "gateway-published", (MONITOR,), ("*",))

published = Blueprint("published", __name__)


@published.get("/revocations.txt")
def revocations() -> Response:
    """Give the list as it was signed; 404 while no certificate was ever drawn up, 429 after too many fetches."""
    turns: Turns = current_app.extensions["fetches"]
    if seconds := turns.wait(request.remote_addr or ""):
        return _plain(text("verify_brake", g.language, seconds=seconds), 429, {"Retry-After": str(seconds)})
    note = backend().ask(_ANYBODY, "compliance.read_revocations", {})["note"]
    if not note:
        return _plain(text("revocations_none", g.language), 404, {})
    answer = _plain(note, 200, {"Content-Disposition": "attachment; filename=revocations.txt"})
    answer.set_etag(hashlib.sha256(note.encode()).hexdigest())
    answer.cache_control.public, answer.cache_control.max_age = True, FRESH_S
    answer.make_conditional(request)
    return answer


def _plain(body: str, status: int, headers: dict[str, str]) -> Response:
    return Response(body, status, headers, mimetype="text/plain")

"""The page of requests: what a DPO asked for, its clock and its answers, a new one, and the report to the DPO.

Rules kept here: who may not ask is not offered the form; the same form sent again is the same request; what a service
refuses is told on the page.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from contracts.catalogue import COMMANDS
from contracts.compliance import STAGES
from contracts.errors import OphorError, Unavailable
from contracts.requests import BASES, SUBJECTS
from services.gateway import asking
from services.gateway.backend import Backend
from shared.bus.envelope import new_id
from shared.runtime.logins import User
from shared.words import requests as told

requests = Blueprint("requests", __name__)
Page = str | AnyResponse | tuple[str, int]
ASKED_STAGES = tuple(stage for stage in STAGES if stage not in ("CORRECTION", "REVOCATION"))
CHOICES = (
    *(f"CERTIFICATE:{stage}" for stage in ASKED_STAGES),
    "STATUS:",
    *(f"DOCUMENTATION:{subject}" for subject in SUBJECTS),
)


@requests.get("/exits/<exit_id>/requests")
def overview(exit_id: str) -> Page:
    """Show the exit's requests."""
    return _page(exit_id)


@requests.post("/exits/<exit_id>/requests")
def make(exit_id: str) -> Page:
    """Make a request; sending the same form twice is one request."""
    asking.check_form()
    what, _, detail = request.form.get("choice", "").partition(":")
    data = {"exit_id": exit_id, "what": what, "basis": request.form.get("basis", "")}
    data |= {"stage": detail} if what == "CERTIFICATE" else {"subject": detail} if what == "DOCUMENTATION" else {}
    try:
        asking.ask("compliance.make_request", data, request.form.get("command_id", "")[:80])
    except OphorError as error:
        return _page(exit_id, error)
    return redirect(url_for("requests.overview", exit_id=exit_id, sent=1), 303)


@requests.post("/exits/<exit_id>/report")
def report(exit_id: str) -> Page:
    """Have the report to the DPO drawn, in the page's language; the same form sent again gives the same paper."""
    asking.check_form()
    data = {"exit_id": exit_id, "language": g.language}
    try:
        row = asking.ask("compliance.draw_report", data, request.form.get("command_id", "")[:80])
    except OphorError as error:
        return _page(exit_id, error)
    return redirect(url_for("requests.overview", exit_id=exit_id, paper=row["paper_id"]), 303)


@requests.get("/papers/<paper_id>")
def paper(paper_id: str) -> Page:
    """Download a paper, part by part."""
    first = asking.ask("compliance.read_paper_part", {"paper_id": paper_id, "offset": 0})
    kind = "application/pdf" if first["name"].endswith(".pdf") else "application/zip"
    answer = Response(_stream(asking.backend(), g.user, first), mimetype=kind)
    answer.content_length = first["size"]
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(first['name'])}"
    return answer


def _stream(backend: Backend, user: User, part: dict[str, Any]) -> Iterator[bytes]:
    while True:
        yield base64.b64decode(part["part"])
        if part["next_offset"] is None:
            return
        asked = {"paper_id": part["paper_id"], "offset": part["next_offset"]}
        part = backend.ask(user, "compliance.read_paper_part", asked)


def _paper(paper_id: str | None) -> dict[str, Any] | None:
    """Give how far the report is that was asked for on this page."""
    return asking.ask("compliance.read_paper", {"paper_id": paper_id}) if paper_id else None


def choice(value: str, language: str) -> str:
    """Write one thing that can be asked for."""
    what, _, detail = value.partition(":")
    row = {"what": what, "stage": None, "subject": None}
    row |= {"stage": detail} if what == "CERTIFICATE" else {"subject": detail or None}
    return told.asked(row, language)


def _page(exit_id: str, error: OphorError | None = None) -> Page:
    parts: dict[str, Any] = asking.parts(exit_id, requests=("compliance.list_requests", {}))
    may = bool(COMMANDS["compliance.make_request"].roles & set(g.user.roles))
    reports = bool(COMMANDS["compliance.draw_report"].roles & set(g.user.roles))
    drawn = _paper(request.args.get("paper", "")[:80]) if request.method == "GET" else None
    body = render_template(
        "requests.html", tab="requests", may=may, token=asking.form_token(), told=told, error=error, choices=CHOICES,
        choice=choice, bases=BASES, command_id=new_id(), sent=request.args.get("sent") == "1",
        reports=reports, drawn=drawn, report_id=new_id(), **parts,
    )  # fmt: skip
    return body, 200 if error is None else 503 if isinstance(error, Unavailable) else 400

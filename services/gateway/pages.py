"""The pages: what each asks of the services and shows. Every page needs a session; every form a token."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from contracts.compliance import ISSUED_STAGES, STATUS
from contracts.roles import CUSTOMER_DPO, CUSTOMER_LEAD, SUPPLIER_LEAD
from services.gateway import asking, duties, timeline, views
from services.gateway.asking import COOKIE
from services.gateway.auth import Brake, log_in
from services.gateway.backend import Backend
from services.gateway.texts import LANGUAGES, text
from shared.bus.envelope import new_id
from shared.runtime.logins import User
from shared.words.certificates import revoked
from shared.words.gates import gate

LANGUAGE_COOKIE, FORM_COOKIE = "ophor_sprog", "ophor_form"
REQUESTERS = frozenset({CUSTOMER_DPO, CUSTOMER_LEAD, SUPPLIER_LEAD})
OPEN_ENDPOINTS = frozenset({"pages.login", "pages.language", "pages.accessibility", "static",
                            "verifying.form", "verifying.judge", "published.revocations", "gate.released"})  # fmt: skip

pages = Blueprint("pages", __name__)
Page = str | AnyResponse | tuple[str, int]


@pages.before_app_request
def enter() -> AnyResponse | None:
    """Find the session; whoever has none is sent to the login."""
    g.language = _language()
    g.user = asking.sessions().user(request.cookies.get(COOKIE))
    if g.user is None and request.endpoint not in OPEN_ENDPOINTS and request.endpoint in current_app.view_functions:
        if (request.endpoint or "").startswith("health."):
            return None
        return redirect(url_for("pages.login", next=request.full_path.rstrip("?")))
    return None


@pages.get("/")
def home() -> Page:
    """Go to the exits."""
    return redirect(url_for("pages.exits"))


@pages.route("/login", methods=["GET", "POST"])
def login() -> Page:
    """Log in with user name and password."""
    if request.method == "GET":
        return _login_form("")
    name, address = request.form.get("login", "")[:80], request.remote_addr or ""
    if not asking.sessions().form_fits(request.cookies.get(FORM_COOKIE), request.form.get("token")):
        return _login_form(text("form_stale", g.language), 400)
    brake: Brake = current_app.extensions["brake"]
    if seconds := brake.wait(name, address):
        return _login_form(text("log_in_brake", g.language, seconds=seconds), 429)
    user = log_in(current_app.extensions["users"](), name, request.form.get("password", "")[:200])
    if user is None:
        brake.failed(name, address)
        return _login_form(text("log_in_wrong", g.language), 401)
    answer = redirect(_local(request.args.get("next")))
    _set(answer, COOKIE, asking.sessions().begin(user))
    answer.delete_cookie(FORM_COOKIE)
    return answer


def _login_form(error: str, status: int = 200) -> AnyResponse:
    cookie = request.cookies.get(FORM_COOKIE) or new_id()
    body = render_template("login.html", error=error, token=asking.sessions().form_token(cookie))
    answer = Response(body, status)
    _set(answer, FORM_COOKIE, cookie)
    return answer


@pages.post("/logout")
def logout() -> Page:
    """End the session."""
    asking.check_form()
    asking.sessions().end(request.cookies.get(COOKIE))
    answer = redirect(url_for("pages.login"))
    answer.delete_cookie(COOKIE)
    return answer


@pages.get("/language/<language>")
def language(language: str) -> Page:
    """Switch the language and go back to the page."""
    answer = redirect(_local(request.args.get("next")))
    _set(answer, LANGUAGE_COOKIE, language if language in LANGUAGES else LANGUAGES[0])
    return answer


@pages.get("/exits")
def exits() -> Page:
    """List the exits that the user may see."""
    found = asking.ask("orders.list_exits", {"limit": 200})["exits"]
    return render_template("exits.html", exits=found)


@pages.get("/exits/<exit_id>")
def plan(exit_id: str) -> Page:
    """Show the plan: phases, timeline, what waits for whom and why, a proposed change, the timetable, approvals."""
    parts, today = asking.parts(exit_id, plan=("scheduling.read_plan", {})), asking.today()
    found = parts["plan"]
    shown: dict[str, Any] = {"titles": {}, "phases": [], "timeline": None}
    if asking.is_there(found):
        shown["titles"] = {row["id"]: views.title(row, g.language) for row in found["activities"]}
        shown["phases"] = views.phases(found)
        shown["timeline"] = timeline.draw(found, parts["exit"], views.PHASES, today)
    return render_template("plan.html", tab="plan", today=today, **shown, **parts)


@pages.get("/exits/<exit_id>/calendar")
def calendar(exit_id: str) -> Page:
    """Show the last day of every notice that the customer can give."""
    parts, today = asking.parts(exit_id, calendar=("orders.read_calendar", {})), asking.today()
    found = parts["calendar"]
    days = duties.notice_days(found["days"], today) if asking.is_there(found) else ()
    return render_template("calendar.html", tab="calendar", days=days, today=today, **parts)


@pages.get("/exits/<exit_id>/obligations")
def obligations(exit_id: str) -> Page:
    """Show what each party owes, how it stands and why, the worst first."""
    parts = asking.parts(exit_id, obligations=("compliance.read_obligations", {}))
    found, exit_ = parts["obligations"], parts["exit"]
    known = (exit_["profiles"], exit_["options"])
    groups = duties.groups(found["obligations"], *known) if asking.is_there(found) else ()
    return render_template("obligations.html", tab="obligations", groups=groups, today=asking.today(), **parts)


@pages.get("/exits/<exit_id>/data")
def data(exit_id: str) -> Page:
    """Show the delivery, live, and what was last seen of the systems' ways in."""
    parts = asking.parts(exit_id, delivery=("delivery.read_delivery", {}), access=("access.read_access", {}))
    return render_template("data.html", tab="data", **parts)


@pages.get("/exits/<exit_id>/certificates")
def certificates(exit_id: str) -> Page:
    """Show the certificates and how to verify them; who may, can request one."""
    parts = asking.parts(exit_id, certificates=("compliance.list_certificates", {}))
    may = bool(REQUESTERS & set(g.user.roles))
    return render_template(
        "certificates.html", tab="certificates", may_request=may, stages=(*ISSUED_STAGES, STATUS), command_id=new_id(),
        token=asking.form_token(), sent=request.args.get("sent") == "1", gate=gate, revoked=revoked, **parts,
    )  # fmt: skip


@pages.post("/exits/<exit_id>/certificates")
def request_certificate(exit_id: str) -> Page:
    """Request a certificate; sending the same form twice is one request."""
    asking.check_form()
    data = {"exit_id": exit_id, "stage": request.form.get("stage", "")}
    asking.ask("compliance.request_certificate", data, request.form.get("command_id", "")[:80])
    return redirect(url_for("pages.certificates", exit_id=exit_id, sent=1))


@pages.get("/certificates/<certificate_id>/<document>")
def document(certificate_id: str, document: str) -> Page:
    """Download a certificate's PDF or evidence bundle, part by part."""
    first = _read(certificate_id, document, 0)
    kinds = {"pdf": "application/pdf", "bundle": "application/zip", "dsse": "application/json"}
    answer = Response(_stream(asking.backend(), g.user, document, first), mimetype=kinds.get(document))
    answer.content_length = first["size"]
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(first['name'])}"
    return answer


def _read(certificate_id: str, document: str, offset: int) -> dict[str, Any]:
    asked = {"certificate_id": certificate_id, "document": document, "offset": offset}
    return asking.ask("compliance.read_document", asked)


def _stream(backend: Backend, user: User, document: str, part: dict[str, Any]) -> Iterator[bytes]:
    size = part["size"]
    while part["size"] == size:  # its seal was renewed meanwhile: break off, and never mix two files
        yield base64.b64decode(part["part"])
        if part["next_offset"] is None:
            return
        asked = {"certificate_id": part["certificate_id"], "document": document, "offset": part["next_offset"]}
        part = backend.ask(user, "compliance.read_document", asked)


@pages.get("/keys")
def keys() -> Page:
    """Show the keys and the evidence log's head."""
    return render_template("keys.html", log=asking.ask("compliance.read_log", {}))


@pages.get("/keys.txt")
def keys_file() -> Page:
    """Download the keys, one a line."""
    lines = "".join(f"{key}\n" for key in asking.ask("compliance.read_log", {})["keys"])
    return Response(lines, mimetype="text/plain", headers={"Content-Disposition": "attachment; filename=keys.txt"})


@pages.get("/accessibility")
def accessibility() -> Page:
    """Say how accessible the pages are."""
    return render_template("accessibility.html")


def _language() -> str:
    chosen = request.cookies.get(LANGUAGE_COOKIE, LANGUAGES[0])
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def _local(target: str | None) -> str:
    """Give `target` where it is a path of these pages, else the front page: nobody is sent elsewhere."""
    path = target or ""
    local = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if local else url_for("pages.home")


def _set(answer: AnyResponse, name: str, value: str) -> None:
    answer.set_cookie(name, value, httponly=True, samesite="Lax", secure=current_app.config["HTTPS"], path="/")

"""What every page uses: its questions to the services, the session's cookie, form tokens and the rules' day."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from flask import current_app, g, request

from contracts.errors import OphorError, Rejected, Unavailable
from services.gateway.auth import Sessions
from services.gateway.backend import Answer, Backend, Question, ask_all
from services.gateway.texts import text

COOKIE = "ophor_session"


def parts(exit_id: str, **questions: Question) -> dict[str, Any]:
    """Ask for the exit and the page's parts at once; the exit itself must be there, a part may be missing."""
    asked = {"exit": ("orders.read_exit", {"exit_id": exit_id})}
    asked |= {name: (wire, {"exit_id": exit_id, **more}) for name, (wire, more) in questions.items()}
    pool: ThreadPoolExecutor = current_app.extensions["pool"]
    answers = ask_all(pool, backend(), g.user, asked)
    if isinstance(answers["exit"], OphorError):
        raise answers["exit"]
    return answers


def today() -> date | None:
    """Give the rules' day; None while the clock cannot be read, for a page without it is better than none."""
    try:
        day: date = current_app.extensions["today"]()
    except Unavailable:
        return None
    return day


def is_there(answer: Answer) -> bool:
    """Tell whether a part of a page was answered."""
    return not isinstance(answer, OphorError)


def ask(wire: str, data: dict[str, Any], command_id: str = "") -> dict[str, Any]:
    """Ask one question, or give one command, as the user of the session."""
    return backend().ask(g.user, wire, data, command_id)


def backend() -> Backend:
    """Give what answers the pages' questions."""
    found: Backend = current_app.extensions["backend"]
    return found


def sessions() -> Sessions:
    """Give the sessions of this process."""
    found: Sessions = current_app.extensions["sessions"]
    return found


def form_token() -> str:
    """Give the token that the session's forms carry."""
    return sessions().form_token(request.cookies.get(COOKIE, ""))


def check_form() -> None:
    """Refuse a form whose token is missing or of another session."""
    if not sessions().form_fits(request.cookies.get(COOKIE), request.form.get("token")):
        raise Rejected("FORM_STALE", "the form's token is missing or of another session", da=text("form_stale", "da"))

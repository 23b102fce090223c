"""The gateway: server-rendered pages on Flask, served by gunicorn's threads in one process.

Rules kept here:
1. No script, no third party: everything is served from here, and the security headers say so.
2. An error page says what happened, what to do and the stable code; never a payload, never a trace.
3. One worker process, many threads: sessions live in its memory and end with it; every call has a deadline.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, g, jsonify, render_template, request
from gunicorn.app.base import BaseApplication
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import HTTPException

from contracts.errors import OphorError, Rejected, Unavailable
from services.gateway import views
from services.gateway.asking import COOKIE
from services.gateway.auth import Brake, Sessions
from services.gateway.backend import Backend, BusBackend
from services.gateway.deletion_pages import deletions
from services.gateway.gate import gate
from services.gateway.pages import pages
from services.gateway.published import published
from services.gateway.request_pages import requests as request_pages
from services.gateway.texts import text
from services.gateway.verify_pages import InMemory, Keys, Turns, verifying
from shared.bus.client import Client
from shared.bus.tokens import Issuer
from shared.bus.trust import load_key
from shared.runtime.clock import clock_for
from shared.runtime.config import Config
from shared.runtime.logging import log, place_of, set_up
from shared.runtime.logins import User, load_users

THREADS, PARALLEL_QUESTIONS = 16, 32
FORBIDDEN = frozenset({"ROLE_MISSING", "ROLE_AMBIGUOUS", "CUSTOMER_NOT_IN_SCOPE"})
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

health = Blueprint("health", __name__)


@health.get("/live")
def live() -> Response:
    """Say that the process answers."""
    return jsonify(process="gateway", live=True)


@health.get("/ready")
def ready() -> tuple[Response, int]:
    """Say whether the services can be asked."""
    answers = bool(current_app.extensions["backend"].ready())
    body = {"process": "gateway", "ready": answers, "failing": [] if answers else ["services"]}
    return jsonify(body), 200 if answers else 503


@health.get("/metrics")
def metrics() -> tuple[bytes, int, dict[str, str]]:
    """Tell Prometheus, on the port of the probes alone: the pages' port is for everybody."""
    if request.environ.get("SERVER_PORT") != os.environ.get("OPHOR_HEALTH_PORT"):
        abort(404)
    return generate_latest(), 200, {"Content-Type": CONTENT_TYPE_LATEST}


def create_app(
    backend: Backend,
    users: Callable[[], dict[str, User]],
    *,
    today: Callable[[], date],
    https: bool = False,
    evidence: Path | None = None,
) -> Flask:
    """Make the application that asks `backend`.

    `users` gives who may log in now, `today` the rules' day; `https` marks cookies Secure; `evidence` is the
    file of the public half of the evidence keys, for the verify page.
    """
    app = Flask("services.gateway", template_folder="templates", static_folder="static")
    app.request_class = InMemory
    app.config.update(HTTPS=https, MAX_CONTENT_LENGTH=64 * 1024)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.tests["acts_now"] = views.acts_now
    app.extensions.update(
        backend=backend, users=users, today=today, sessions=Sessions(), brake=Brake(),
        pool=ThreadPoolExecutor(PARALLEL_QUESTIONS), turns=Turns(), fetches=Turns(), evidence=Keys(evidence),
    )  # fmt: skip
    app.register_blueprint(health)
    app.register_blueprint(gate)
    app.register_blueprint(pages)
    app.register_blueprint(verifying)
    app.register_blueprint(published)
    app.register_blueprint(deletions)
    app.register_blueprint(request_pages)
    app.context_processor(_words)
    app.after_request(_headers)
    app.register_error_handler(OphorError, _told)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)
    return app


def _words() -> dict[str, Any]:
    """Give the templates their words and ways of writing, in the page's language."""
    language, user = getattr(g, "language", "da"), getattr(g, "user", None)
    sessions: Sessions = current_app.extensions["sessions"]
    return {
        "language": language,
        "user": user,
        "t": lambda key, **values: text(key, language, **values),
        "badge": lambda state: views.badge(state, language),
        "day": lambda value: views.short_date(value, language),
        "long_day": lambda value: views.long_date(value, language),
        "number": lambda value: views.number(value, language),
        "size": lambda value: views.size(value, language),
        "role": lambda value: views.role_title(value, language),
        "weekday": lambda value: views.weekday(value, language),
        "stage_title": lambda value: views.stage_title(value, language),
        "views": views,
        "is_error": lambda answer: isinstance(answer, OphorError),
        "here": request.full_path.rstrip("?"),
        "logout_token": sessions.form_token(request.cookies.get(COOKIE, "")) if user else "",
    }


def _headers(answer: Response) -> Response:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if request.endpoint != "static":
        answer.headers.setdefault("Cache-Control", "no-store")
    return answer


def status_of(error: OphorError) -> int:
    """Give the HTTP status of an error of the services."""
    if isinstance(error, Unavailable):
        return 404 if error.code == "EXIT_NOT_KNOWN" else 503
    if error.code in FORBIDDEN:
        return 403
    return 404 if error.code.endswith(("_UNKNOWN", "_NOT_FOUND")) or error.code == "UNKNOWN_EXIT" else 400


def _told(error: OphorError) -> tuple[str, int]:
    return _page(status_of(error), error)


def _http(error: HTTPException) -> tuple[str, int]:
    return _page(error.code or 500, None)


def _bug(error: Exception) -> tuple[str, int]:
    log.error("page failed", endpoint=request.endpoint, **place_of(error))
    return _page(500, None)


def _page(status: int, error: OphorError | None) -> tuple[str, int]:
    kind = status if status in (400, 403, 404, 405, 500, 503) else 400 if status < 500 else 500
    return render_template("error.html", status=kind, error=error), status


class _Server(BaseApplication):
    """gunicorn with settings from here alone: no command line, no configuration file."""

    def __init__(self, make: Any, options: dict[str, Any]) -> None:
        self._make, self._options = make, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application in the worker, after the fork: the bus connection is its own."""
        set_up("gateway")
        return self._make()


def from_environment() -> Flask:
    """Make the application as the environment says (ADR 0001 and the README); raise Rejected CONFIG_INVALID."""
    config = Config.read(os.environ, ("OPHOR_AMQP_URI", "OPHOR_KEYS", "OPHOR_GATEWAY_USERS"))
    assert config.keys is not None
    issuer = Issuer("gateway", load_key(config.keys, "gateway"))
    client = Client(config.amqp_uri, "gateway", issuer.acting("gateway", ()))
    users = partial(load_users, Path(os.environ["OPHOR_GATEWAY_USERS"]))
    users()  # refuse a wrong file at the start; later it is read at every login, for set-up may write it anew
    clock = clock_for(config.mode, config.clock_uri)
    return create_app(BusBackend(client, issuer), users, today=clock.today, https=_https(config),
                      evidence=config.keys / "evidence.json")  # fmt: skip


def _https(config: Config) -> bool:
    return config.mode == "production" or os.environ.get("OPHOR_GATEWAY_HTTPS") == "1"


def main() -> int:
    """Serve the pages until SIGTERM; give the exit code."""
    set_up("gateway")
    try:
        from_environment()  # refuse a wrong environment before anything is bound
        host, port = os.environ.get("OPHOR_GATEWAY_HOST", "127.0.0.1"), os.environ.get("OPHOR_GATEWAY_PORT", "8080")
        binds = [f"{host}:{int(port)}"]
    except (Rejected, ValueError) as error:
        log.critical("cannot run", code=getattr(error, "code", "CONFIG_INVALID"), message=str(error))
        return 1
    if health_port := os.environ.get("OPHOR_HEALTH_PORT"):
        binds.append(f"127.0.0.1:{int(health_port)}")
    options = {
        "bind": binds, "workers": 1, "worker_class": "gthread", "threads": THREADS, "graceful_timeout": 30,
        "timeout": 60, "keepalive": 5, "accesslog": None, "loglevel": "warning", "control_socket_disable": True,
        "limit_request_line": 4094, "limit_request_fields": 50,
    }  # fmt: skip
    _Server(from_environment, options).run()
    return 0

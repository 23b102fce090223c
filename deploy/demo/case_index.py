"""A minimal case index over HTTP, as the demo's stand-in for the common Danish index of cases.

It keeps what a client of the real one must be able to rely on: a source system sees and edits only what it sent
itself; `fjern` answers object by object (20 removed, 40 malformed, 44 not there, 49 removed already); nothing is
answered before it is on disk, so that killing and starting again loses nothing. Roles come from bearer tokens;
`verify` and `extract` can only look. A municipality's agreement says whether its systems may still import.
"""

from __future__ import annotations

import hmac
import json
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

REMOVED, MALFORMED, UNKNOWN, GONE_ALREADY = 20, 40, 44, 49
STATES = ("active", "read_only", "ended")
LONGEST_BODY, LONGEST_PAGE, MOST_REMOVALS = 1 << 20, 1000, 500

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CVR = re.compile(r"[0-9]{8}")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sag (uuid TEXT PRIMARY KEY, ejer_cvr TEXT NOT NULL, master TEXT NOT NULL,
    afsender TEXT NOT NULL, removed INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS sag_ejer ON sag (ejer_cvr, afsender, removed);
CREATE TABLE IF NOT EXISTS agreement (cvr TEXT PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS marker (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL);
"""

_COUNT = """SELECT count(*) FROM sag
    WHERE removed = 0 AND ejer_cvr = coalesce(?, ejer_cvr) AND afsender = coalesce(?, afsender)"""
_PAGE = """SELECT uuid, ejer_cvr, master, afsender FROM sag
    WHERE removed = 0 AND ejer_cvr = coalesce(?, ejer_cvr) AND afsender = coalesce(?, afsender)
    ORDER BY uuid LIMIT ? OFFSET ?"""

Body = dict[str, Any]


class Refused(Exception):
    """A call that is answered with an HTTP status and a stable code."""

    def __init__(self, status: HTTPStatus, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass(frozen=True, slots=True)
class Sag:
    """A case as the index has it; `afsender` is the IT system that sent it and alone may edit it."""

    uuid: str
    ejer_cvr: str
    master: str
    afsender: str


class Index:
    """The cases, agreements and the rehearsal marker, in one SQLite file; every change is on disk when it returns."""

    def __init__(self, path: Path, own_system: str) -> None:
        self._own = own_system
        self._lock = threading.Lock()
        self._base = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._base.execute("PRAGMA synchronous = FULL")
        self._base.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def add(self, cases: Iterable[Sag]) -> int:
        """Take cases in; one that is there already stays as it is. Give how many were new."""
        rows = [(case.uuid, case.ejer_cvr, case.master, case.afsender) for case in cases]
        with self._lock:
            before = self._base.total_changes
            self._base.execute("BEGIN IMMEDIATE")
            self._base.executemany(
                "INSERT OR IGNORE INTO sag (uuid, ejer_cvr, master, afsender) VALUES (?,?,?,?)", rows
            )
            self._base.execute("COMMIT")
            return self._base.total_changes - before

    def search(self, body: Body) -> Body:
        """Find cases by `ejer_cvr` and `afsender` (absent = any): their number, and the page at `offset`."""
        wanted = (_optional(body, "ejer_cvr", _CVR), _optional(body, "afsender", _UUID))
        page = (_number(body, "limit", LONGEST_PAGE), _number(body, "offset", None))
        with self._lock:
            (total,) = self._base.execute(_COUNT, wanted).fetchone()
            rows = self._base.execute(_PAGE, (*wanted, *page)).fetchall()
        names = ("uuid", "ejer_cvr", "master", "afsender")
        return {"antal": total, "sager": [dict(zip(names, row, strict=True)) for row in rows]}

    def remove(self, body: Body) -> Body:
        """Remove the cases that our own system sent, one by one, and say of each what became of it."""
        wanted = body.get("sag_uuid")
        if not isinstance(wanted, list) or len(wanted) > MOST_REMOVALS:
            raise Refused(HTTPStatus.BAD_REQUEST, "MALFORMED")
        with self._lock:
            self._base.execute("BEGIN IMMEDIATE")
            answers = [{"uuid": str(one)[:80], "statuskode": self._remove(one)} for one in wanted]
            self._base.execute("COMMIT")
        return {"retur": answers}

    def _remove(self, uuid: object) -> int:
        if not isinstance(uuid, str) or not _UUID.fullmatch(uuid):
            return MALFORMED
        row = self._base.execute("SELECT afsender, removed FROM sag WHERE uuid = ?", (uuid,)).fetchone()
        if row is None or row[0] != self._own:
            return UNKNOWN
        if row[1]:
            return GONE_ALREADY
        self._base.execute("UPDATE sag SET removed = 1, ejer_cvr = '', master = '' WHERE uuid = ?", (uuid,))
        return REMOVED

    def take_in(self, body: Body) -> Body:
        """Import cases from our own system for municipalities whose agreement is active."""
        cases = [self._checked(one) for one in body.get("sager", ())]
        for cvr in {case.ejer_cvr for case in cases}:
            if self.agreement(cvr)["state"] != "active":
                raise Refused(HTTPStatus.FORBIDDEN, "AGREEMENT_NOT_ACTIVE")
        return {"antal": self.add(cases)}

    def _checked(self, one: object) -> Sag:
        if not isinstance(one, dict):
            raise Refused(HTTPStatus.BAD_REQUEST, "MALFORMED")
        uuid, cvr = _optional(one, "uuid", _UUID), _optional(one, "ejer_cvr", _CVR)
        if uuid is None or cvr is None:
            raise Refused(HTTPStatus.BAD_REQUEST, "MALFORMED")
        return Sag(uuid, cvr, self._own, self._own)

    def agreement(self, cvr: str) -> Body:
        """Give the state of a municipality's agreement with our system."""
        with self._lock:
            row = self._base.execute("SELECT state FROM agreement WHERE cvr = ?", (cvr,)).fetchone()
        return {"state": row[0] if row else "active"}

    def set_agreement(self, cvr: str, body: Body) -> Body:
        """Set the state of a municipality's agreement."""
        if body.get("state") not in STATES:
            raise Refused(HTTPStatus.BAD_REQUEST, "MALFORMED")
        with self._lock:
            self._base.execute("REPLACE INTO agreement VALUES (?, ?)", (cvr, body["state"]))
        return {"state": body["state"]}

    def marker(self) -> Body:
        """Give the rehearsal marker as it was written; refuse with NO_MARKER where there is none."""
        with self._lock:
            row = self._base.execute("SELECT body FROM marker").fetchone()
        if row is None:
            raise Refused(HTTPStatus.NOT_FOUND, "NO_MARKER")
        found: Body = json.loads(row[0])
        return found

    def set_marker(self, body: Body) -> Body:
        """Write the rehearsal marker."""
        if not isinstance(body.get("id"), str) or not isinstance(body.get("written_at"), int | float):
            raise Refused(HTTPStatus.BAD_REQUEST, "MALFORMED")
        with self._lock:
            self._base.execute("REPLACE INTO marker VALUES (1, ?)", (json.dumps(body),))
        return body


def _optional(body: Body, name: str, pattern: re.Pattern[str]) -> str | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Refused(HTTPStatus.BAD_REQUEST, "MALFORMED")
    return value


def _number(body: Body, name: str, most: int | None) -> int:
    value = body.get(name, most or 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0 or (most and value > most):
        raise Refused(HTTPStatus.BAD_REQUEST, "MALFORMED")
    return value


@dataclass(frozen=True, slots=True)
class Route:
    """Which call is answered by what, and which roles may make it (no roles: anybody)."""

    method: str
    path: re.Pattern[str]
    roles: frozenset[str]
    answer: Callable[[Index, str, Body], Body]


def _route(method: str, path: str, roles: str, answer: Callable[[Index, str, Body], Body]) -> Route:
    return Route(method, re.compile(path), frozenset(roles.split()), answer)


EVERY_ROLE = "extract delete verify access prepare import"
ROUTES = (
    _route("GET", r"/live()", "", lambda index, part, body: {"live": True}),
    _route("GET", r"/schema()", EVERY_ROLE, lambda index, part, body: {"places": ["sager"]}),
    _route("POST", r"/search()", "extract delete verify", lambda index, part, body: index.search(body)),
    _route("POST", r"/fjern()", "delete", lambda index, part, body: index.remove(body)),
    _route("POST", r"/importer()", "import", lambda index, part, body: index.take_in(body)),
    _route("GET", r"/agreement/([0-9]{8})", EVERY_ROLE, lambda index, part, body: index.agreement(part)),
    _route("PUT", r"/agreement/([0-9]{8})", "access", lambda index, part, body: index.set_agreement(part, body)),
    _route("GET", r"/marker()", EVERY_ROLE, lambda index, part, body: index.marker()),
    _route("PUT", r"/marker()", "prepare", lambda index, part, body: index.set_marker(body)),
)


class CaseIndexServer(ThreadingHTTPServer):
    """The index behind HTTP on 127.0.0.1; `tokens` maps each role to its bearer token."""

    daemon_threads = True

    def __init__(self, port: int, index: Index, tokens: dict[str, str]) -> None:
        self.index, self.tokens = index, tokens
        super().__init__(("127.0.0.1", port), _Handler)

    def role(self, header: str) -> str | None:
        """Tell which role a bearer token stands for, or None."""
        given = header.removeprefix("Bearer ").encode()
        found = [role for role, token in self.tokens.items() if hmac.compare_digest(token.encode(), given)]
        return found[0] if found else None


class _Handler(BaseHTTPRequestHandler):
    server: CaseIndexServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave in one piece

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_GET

    def _serve(self) -> None:
        try:
            body = self._body()
            status, answer = HTTPStatus.OK, self._answer(body)
        except Refused as refused:
            status, answer = refused.status, {"code": refused.code}
        raw = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _answer(self, body: Body) -> Body:
        for route in ROUTES:
            match = route.path.fullmatch(self.path)
            if match and route.method == self.command:
                self._authorise(route)
                return route.answer(self.server.index, match.group(1), body)
        raise Refused(HTTPStatus.NOT_FOUND, "NOT_FOUND")

    def _authorise(self, route: Route) -> None:
        if not route.roles:
            return
        role = self.server.role(self.headers.get("Authorization", ""))
        if role is None:
            raise Refused(HTTPStatus.UNAUTHORIZED, "UNAUTHENTICATED")
        if role not in route.roles:
            raise Refused(HTTPStatus.FORBIDDEN, "FORBIDDEN")

    def _body(self) -> Body:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            self.close_connection = True
            raise Refused(HTTPStatus.BAD_REQUEST, "MALFORMED")
        raw = self.rfile.read(int(length))
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            raise Refused(HTTPStatus.BAD_REQUEST, "MALFORMED") from None
        if not isinstance(body, dict):
            raise Refused(HTTPStatus.BAD_REQUEST, "MALFORMED")
        return body

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: paths carry CVR numbers."""


def write(folder: Path, cases: Iterable[Sag], tokens: dict[str, str], own_system: str) -> None:
    """Lay down an index in `folder` (index.sqlite, settings.json) before its server is started for the first time."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "settings.json"
    settings.touch(mode=0o600)
    settings.write_text(json.dumps({"own_system": own_system, "tokens": tokens}))
    with closing(Index(folder / "index.sqlite", own_system)) as index:
        index.add(cases)


def open_server(folder: Path, port: int) -> CaseIndexServer:
    """Open the index that lies in `folder`, to be served on 127.0.0.1:`port`."""
    settings = json.loads((folder / "settings.json").read_text())
    return CaseIndexServer(port, Index(folder / "index.sqlite", settings["own_system"]), settings["tokens"])

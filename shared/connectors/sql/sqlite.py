"""A SQLite file as a target (see `protocol.Connector` for what every method promises).

1. A file has no users: whoever verifies opens it read-only, and whoever may read the file may do everything; there are
   no ways in to close but the application's own. 2. References are only kept where a connection asks for it: ours does,
   and any of them may be put off to the commit, so every ring can go together. 3. The engine counts what a connection
   changes, triggers and referential actions included. 4. What is deleted is overwritten with zeros (`secure_delete`),
   and the write-ahead log, which holds older pages, is emptied when the deleter closes.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote as quote_path

from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from contracts.errors import OphorError
from contracts.system_map import CLEAN, MARKER_PLACE, System
from shared.connectors import failures, probe
from shared.connectors.protocol import Access, Key
from shared.connectors.sql import sqlite_catalogue
from shared.connectors.sql.dialect import ELSEWHERE, Catalogue, Dialect
from shared.connectors.sql.forms import SqliteForms
from shared.connectors.sql.session import still_referenced
from shared.connectors.sql.sqlite_physical import SqlitePhysical

WAIT_S = 20.0
_MARKER = f'"main"."{MARKER_PLACE}"'
_WRITERS = ("delete", "prepare", CLEAN)
_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_REFUSED = ("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")
_UNREACHABLE = ("SQLITE_CANTOPEN", "SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_PROTOCOL")


class SqliteDialect(Dialect):
    """SQLite 3.38 and newer."""

    kind = "sqlite"
    marker = _MARKER
    create_marker = (f"CREATE TABLE IF NOT EXISTS {_MARKER} (id TEXT PRIMARY KEY, written_at REAL NOT NULL)",)
    texts = ("",)  # any column may hold a text
    forms = SqliteForms()

    def engine(self, system: System, purpose: str) -> Engine:
        """Open the file afresh each time; it is never made."""
        path, mode = quote_path(str(system.connection["file"])), "rw" if purpose in _WRITERS else "ro"
        return create_engine(
            "sqlite://", creator=lambda: _open(f"file:{path}?mode={mode}"), poolclass=NullPool, hide_parameters=True
        )

    def family(self, error: DBAPIError, system: str, purpose: str, place: str) -> OphorError:
        """Go by the engine's name of the error."""
        name = getattr(error.orig, "sqlite_errorname", "")
        if name.startswith(_BUSY):
            return failures.busy(system, "another connection writes")
        if name.startswith(_REFUSED):
            return failures.refused(system, purpose)
        if name == "SQLITE_CONSTRAINT_FOREIGNKEY":
            return still_referenced(system, place or "?")
        if not name or name.startswith(_UNREACHABLE):
            return failures.unreachable(system, "cannot be opened or read")
        return failures.target_error(system, place, f"error {name}")

    def read(self, connection: Connection, system: str) -> Catalogue:
        """Read the schema."""
        return sqlite_catalogue.read(connection, system)

    def rows(self, width: int) -> str:
        """Unfold one JSON text."""
        columns = ", ".join(f"json_extract(value, '$[{at}]') AS v{at}" for at in range(width))
        return f"(SELECT {columns} FROM json_each(:keys)) k"  # noqa: S608

    def parameters(self, keys: Sequence[Key]) -> dict[str, Any]:
        """Give one JSON text."""
        return {"keys": json.dumps([list(key) for key in keys], ensure_ascii=False)}

    @contextmanager
    def locked(self, connection: Connection, name: str) -> Iterator[None]:
        """Wait for the right to write, which only one connection has."""
        connection.execute(text("BEGIN IMMEDIATE"))
        yield
        connection.rollback()

    @contextmanager
    def transaction(self, connection: Connection, system: str, lock: str, *, deferred: bool) -> Iterator[Connection]:
        """Take the right to write at once: what is read from then on nobody changes."""
        connection.execute(text("BEGIN IMMEDIATE"))
        if deferred:
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        yield connection

    def counted(self, connection: Connection, catalogue: Catalogue, *, since_start: bool) -> Counter[str]:
        """Ask the connection."""
        return Counter({ELSEWHERE: int(connection.execute(text("SELECT total_changes()")).scalar_one())})

    def hashed(self, column: str) -> str:
        """Use a function of ours: the engine has none."""
        return f"ophor_hash(:seed, {column})"

    def matches(self, column: str) -> str:
        """Use a function of ours."""
        return f"ophor_matches(:pattern, {column})"

    def can_write(self, connection: Connection) -> bool:
        """Tell nothing: a file has no user for each purpose; this connection cannot."""
        return False

    def look(self, connection: Connection, roles: Sequence[str]) -> Access:
        """Tell that the engine itself lets nobody in."""
        return Access(0, writable=False, open=False)

    def freeze(self, connection: Connection, roles: Sequence[str]) -> None:
        """Change nothing: the file is everybody's."""

    def close(self, connection: Connection, roles: Sequence[str]) -> None:
        """Change nothing: the file is everybody's."""

    def marker_there(self, connection: Connection) -> bool:
        """Ask the schema."""
        query = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = :name"
        return bool(connection.execute(text(query), {"name": MARKER_PLACE}).scalar())


class SqliteConnector(SqlitePhysical):
    """One tenant's rows in one SQLite file."""

    kind = "sqlite"
    dialect = SqliteDialect()

    def close(self) -> None:
        """Empty the write-ahead log of what was deleted, as far as readers let it."""
        if self._purpose == "delete":
            with suppress(OphorError), self._connected() as connection:
                connection.execute(text("PRAGMA busy_timeout = 1000"))
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        super().close()


def _open(address: str) -> sqlite3.Connection:
    """Open a connection without transactions of its own making; texts that are not UTF-8 keep their bytes."""
    opened = sqlite3.connect(address, uri=True, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
    opened.text_factory = lambda value: value.decode("utf-8", "surrogateescape")
    for setting in ("foreign_keys", "secure_delete"):
        opened.execute(f"PRAGMA {setting} = ON")
    opened.create_function("ophor_hash", 2, _hash, deterministic=True)
    opened.create_function("ophor_matches", 2, _matches, deterministic=True)
    return opened


def _hash(seed: bytes, value: Any) -> str | None:
    return probe.hashed(seed, value) if isinstance(value, str) else None


def _matches(pattern: str, value: Any) -> bool:
    return isinstance(value, str) and re.search(pattern, value) is not None

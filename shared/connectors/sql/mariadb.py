"""MariaDB as a target (see `protocol.Connector` for what every method promises).

1. The engine has no row-level security and no deferrable constraints, and checks references row by row: a ring is let
   go of by setting NULL, else refused. 2. Rows are locked by their key alone (the keys are joined first), and the gaps
   that REPEATABLE READ holds against neighbours who insert only in batches that compare the neighbours.
3. What a transaction changed, cascades and triggers included, is InnoDB's own count of its undo records; it comes from
   a cache that others may keep alive, so an answer counts only when the cache was filled by our very question. Writes
   to engines that keep no undo show in the session's handler counters.
4. Nothing here but the marker and the ways in is DDL, which would commit what is open.
"""

# ruff: noqa: S608 — identifiers come quoted from the live catalogue, values are always parameters

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from contracts.errors import OphorError, Rejected
from contracts.system_map import CLEAN, MARKER_PLACE, System
from shared.connectors import failures
from shared.connectors.order import Break
from shared.connectors.physical import LONGEST_S
from shared.connectors.protocol import Access, Key
from shared.connectors.sql import mariadb_access, mariadb_catalogue
from shared.connectors.sql.dialect import ELSEWHERE, Catalogue, Cell, Dialect
from shared.connectors.sql.forms import MariaForms
from shared.connectors.sql.mariadb_physical import MariaPhysical
from shared.connectors.sql.session import READ_ONLY, statement_limit, still_referenced
from shared.connectors.sql.sessions import announce

_BUSY = {
    1020: "a row was changed meanwhile",
    1205: "a lock was not free in time",
    1213: "a deadlock was broken",
    1969: "a statement took too long",
}
_REFUSED = {1044, 1045, 1130, 1142, 1143, 1227, 1290, 1370, 1698, 1792, 1820, 4151}
_UNREACHABLE = {1040, 1053, 1129, 1152, 1159, 1161, 1203, 1226, 1927, 2002, 2003, 2006, 2013, 2014, 2055}
_STILL_REFERENCED, _NO_PROCESS = 1451, 1227
_HANDLERS, _HANDLER_CALLS = "engine calls", {"Handler_write", "Handler_update", "Handler_delete"}
_CACHE_S, _TRIES = 0.11, 40  # InnoDB refills that cache when nobody has read it for 0.1 s
_ANNOUNCE = "SELECT GET_LOCK(CONCAT('ophor-session:', CONNECTION_ID()), 0)"
_STRANGERS = text("""
SELECT count(*) FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()
  AND USER = (SELECT USER FROM information_schema.PROCESSLIST WHERE ID = CONNECTION_ID())
  AND COALESCE(IS_USED_LOCK(CONCAT('ophor-session:', ID)), 0) <> ID
""")
_SESSION = {
    "sql_mode": "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'",
    "time_zone": "'+00:00'",
    "foreign_key_checks": "1",
    "innodb_lock_wait_timeout": "20",
    "lock_wait_timeout": "20",
}


class MariaDialect(Dialect):
    """MariaDB 10.6 and newer (JSON_TABLE)."""

    kind = "mariadb"
    marker = f"`{MARKER_PLACE}`"
    create_marker = (
        f"CREATE TABLE IF NOT EXISTS `{MARKER_PLACE}` (id VARCHAR(64) PRIMARY KEY, written_at DOUBLE NOT NULL)"
        " ENGINE = InnoDB",
    )
    texts = ("char", "varchar", "text", "tinytext", "mediumtext", "longtext", "uuid")
    row_by_row = True
    forms = MariaForms()
    _asked = 0.0

    def engine(self, system: System, purpose: str) -> Engine:
        """Open it with PyMySQL; `extract` and `verify` sessions are read-only by themselves."""
        user, password = system.secret(purpose)
        where = system.connection
        url = URL.create(
            "mysql+pymysql", user, password, str(where["host"]), int(where["port"]), str(where["database"])
        )
        limit = statement_limit(purpose)
        settings = _SESSION | {
            "tx_read_only": "1" if purpose in READ_ONLY else "0", "max_statement_time": str(limit),
        }  # fmt: skip
        arguments: dict[str, Any] = {
            "charset": "utf8mb4", "connect_timeout": 5, "write_timeout": 60,
            "read_timeout": (limit if purpose != CLEAN else LONGEST_S) + 10,
            "program_name": f"ophor-{purpose}",
            "init_command": "SET " + ", ".join(f"SESSION {name} = {value}" for name, value in settings.items()),
        }  # fmt: skip
        if where.get("tls"):
            arguments |= {"ssl_verify_cert": True, "ssl_verify_identity": True}
        made = create_engine(
            url, connect_args=arguments, pool_size=1, max_overflow=1, hide_parameters=True,
            isolation_level="REPEATABLE READ",
        )  # fmt: skip
        return announce(made, _ANNOUNCE, lambda connection: bool(connection.open))

    def family(self, error: DBAPIError, system: str, purpose: str, place: str) -> OphorError:
        """Go by the engine's error number."""
        given: tuple[Any, ...] = getattr(error.orig, "args", ())
        number = given[0] if given and isinstance(given[0], int) else 0
        if number in _BUSY:
            return failures.busy(system, _BUSY[number])
        if number in _REFUSED:
            return failures.refused(system, purpose)
        if number == _STILL_REFERENCED:
            table = re.search(r"\(`(?:[^`]|``)*`\.`((?:[^`]|``)*)`, CONSTRAINT", str(given[1]))
            return still_referenced(system, table[1].replace("``", "`") if table else "?")
        if not number or number in _UNREACHABLE:
            return failures.unreachable(system)
        return failures.target_error(system, place, f"error {number}")

    def read(self, connection: Connection, system: str) -> Catalogue:
        """Read `information_schema`."""
        return mariadb_catalogue.read(connection, system)

    def quote(self, name: str) -> str:
        """Quote with backticks."""
        return mariadb_catalogue.quote(name)

    def rows(self, width: int) -> str:
        """Unfold one JSON text."""
        columns = ", ".join(f"v{at} LONGTEXT PATH '$[{at}]'" for at in range(width))
        return f"JSON_TABLE(:keys, '$[*]' COLUMNS ({columns})) k"

    def parameters(self, keys: Sequence[Key]) -> dict[str, Any]:
        """Give one JSON text."""
        return {"keys": json.dumps([list(key) for key in keys], ensure_ascii=False)}

    @contextmanager
    def locked(self, connection: Connection, name: str) -> Iterator[None]:
        """Hold a lock of the session: it ends with the connection, however that ends."""
        values = {"name": f"ophor:{hashlib.sha256(name.encode()).hexdigest()[:40]}"}
        if connection.execute(text("SELECT GET_LOCK(:name, 20)"), values).scalar() != 1:
            raise failures.busy(name.split(":")[1], "another batch is open")
        try:
            yield
        finally:
            if not connection.invalidated:
                connection.execute(text("SELECT RELEASE_LOCK(:name)"), values)

    @contextmanager
    def transaction(self, connection: Connection, system: str, lock: str, *, deferred: bool) -> Iterator[Connection]:
        """Hold the lock; `begin` begins."""
        with self.locked(connection, lock):
            yield connection

    def begin(self, connection: Connection, *, snapshot: bool) -> None:
        """Read one snapshot where it is needed; else hold no gaps, also those of the engine's own checks."""
        if snapshot:
            connection.execute(text("START TRANSACTION WITH CONSISTENT SNAPSHOT"))
        else:
            for statement in ("COMMIT", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION"):
                connection.execute(text(statement))

    def counted(self, connection: Connection, catalogue: Catalogue, *, since_start: bool) -> Counter[str]:
        """Give InnoDB's count of this transaction, and the session's count of rows handed to any storage engine."""
        status = connection.execute(text("SHOW SESSION STATUS LIKE 'Handler\\_%'"))
        calls = sum(int(value) for name, value in status if name in _HANDLER_CALLS)
        undo = self._undo(connection, catalogue.inventory.system) if since_start else 0
        return Counter({ELSEWHERE: undo, _HANDLERS: calls})

    def effects(
        self, catalogue: Catalogue, start: Mapping[str, int], now: Mapping[str, int], planned: Mapping[str, int]
    ) -> dict[str, int]:
        """Compare both counts with what was meant; a row of a partitioned table is handed on twice."""
        seen = super().effects(catalogue, start, now, planned)
        partitioned = sum(
            count for place, count in planned.items() if catalogue.inventory.place(place).kind == "partitioned"
        )
        calls = now[_HANDLERS] - start[_HANDLERS] - sum(planned.values()) - partitioned
        return seen | ({ELSEWHERE: max(calls, seen.get(ELSEWHERE, 0))} if calls > 0 else {})

    def strangers(self, connection: Connection) -> int:
        """Look at the sessions of this user on the server."""
        return int(connection.execute(_STRANGERS).scalar_one())

    def delete(self, table: str, columns: Sequence[tuple[str, Cell]], owner: str) -> str:
        """Go from the keys to the rows, so that no other row is locked."""
        return (
            f"DELETE t0 FROM {self.rows(len(columns))} STRAIGHT_JOIN {table} t0 ON {_on(columns, 't0')} WHERE {owner}"
        )

    def let_go(self, each: Break, tables: tuple[str, str], columns: Sequence[tuple[str, Cell]], owner: str) -> str:
        """Go from the keys to the referring rows; also rows that go in this very statement, one after another."""
        child, parent = tables
        same = " AND ".join(
            f"t0.{self.quote(ours)} = p.{self.quote(theirs)}"
            for ours, theirs in zip(each.key.columns, each.key.parent_columns, strict=True)
        )
        nulls = ", ".join(f"t0.{self.quote(name)} = NULL" for name in each.nulls)
        joined = f"{self.rows(len(columns))} STRAIGHT_JOIN {parent} p ON {_on(columns, 'p')}"
        return f"UPDATE {joined} STRAIGHT_JOIN {child} t0 ON {same} SET {nulls} WHERE {owner}"

    def plain(self, column: str) -> str:
        """Compare under one collation."""
        return f"CONVERT({column} USING utf8mb4) COLLATE utf8mb4_bin"

    def hashed(self, column: str) -> str:
        """Use the engine's own."""
        value = f"CAST(CONVERT({column} USING utf8mb4) AS BINARY)"
        return f"CONVERT(SHA2(CONCAT(CAST(:seed AS BINARY), {value}), 256) USING utf8mb4) COLLATE utf8mb4_bin"

    def matches(self, column: str) -> str:
        """Use PCRE, case and all."""
        return f"CONVERT({column} USING utf8mb4) COLLATE utf8mb4_bin REGEXP :pattern"

    def can_write(self, connection: Connection) -> bool:
        """Read the user's grants."""
        return mariadb_access.can_write(connection)

    def look(self, connection: Connection, roles: Sequence[str]) -> Access:
        """Look at accounts, rights and sessions."""
        return mariadb_access.look(connection, roles)

    def freeze(self, connection: Connection, roles: Sequence[str]) -> None:
        """Revoke what changes data."""
        mariadb_access.freeze(connection, roles)

    def close(self, connection: Connection, roles: Sequence[str]) -> None:
        """Lock the accounts, revoke everything, end the sessions."""
        mariadb_access.close(connection, roles)

    def marker_there(self, connection: Connection) -> bool:
        """Ask the catalogue."""
        query = "SELECT count(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = :name"
        return bool(connection.execute(text(query), {"name": MARKER_PLACE}).scalar())

    def _undo(self, connection: Connection, system: str) -> int:
        """Ask how many rows this transaction has changed, until the answer is of this very moment."""
        for _ in range(_TRIES):
            time.sleep(max(0.0, self._asked + _CACHE_S - time.monotonic()))
            mark = secrets.token_hex(8)
            query = "SELECT trx_rows_modified, trx_query FROM information_schema.INNODB_TRX"
            query += f" WHERE trx_mysql_thread_id = CONNECTION_ID() /* {mark} */"
            try:
                row = connection.execute(text(query)).one_or_none()
            except DBAPIError as error:
                raise _not_counted(error, system) from None
            self._asked = time.monotonic()
            if row is not None and mark in (row[1] or ""):
                return int(row[0])
        raise failures.busy(system, "others read its list of transactions all the time")


def _on(columns: Sequence[tuple[str, Cell]], alias: str) -> str:
    return " AND ".join(
        f"{alias}.{name} = {cell.back.replace('{}', f'k.v{at}')}" for at, (name, cell) in enumerate(columns)
    )


def _not_counted(error: DBAPIError, system: str) -> Exception:
    """Make EFFECTS_NOT_COUNTED of a missing right."""
    if getattr(error.orig, "args", (0,))[0] != _NO_PROCESS:
        return error
    return Rejected(
        "EFFECTS_NOT_COUNTED",
        f"{system} does not show this user what its transactions change",
        field=f"systems.{system}.credentials.delete",
        remedy="grant PROCESS to the deleting user (GRANT PROCESS ON *.* TO …)",
        da=f"{system} viser ikke brugeren, hvad dens egne transaktioner ændrer.",
    )


class MariaConnector(MariaPhysical):
    """One tenant's rows in one MariaDB database."""

    kind = "mariadb"
    dialect = MariaDialect()

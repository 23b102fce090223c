"""PostgreSQL as a target (see `protocol.Connector` for what every method promises).

`extract` and `verify` sessions are read-only by themselves, whatever their role may; names resolve in `pg_catalog`
alone; every wait is bounded. Effects are the difference of `pg_stat_xact_user_tables`: cascades and triggers are in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from contracts.errors import OphorError, Rejected
from contracts.system_map import MARKER_PLACE, System
from shared.connectors import failures
from shared.connectors.protocol import Access, Key
from shared.connectors.sql import postgresql_access, postgresql_catalogue
from shared.connectors.sql.dialect import Catalogue, Dialect
from shared.connectors.sql.forms import PostgresForms
from shared.connectors.sql.postgresql_physical import PostgresPhysical
from shared.connectors.sql.session import READ_ONLY, statement_limit, still_referenced
from shared.connectors.sql.sessions import announce
from shared.connectors.sql.tenancy import tenant_invalid

_BUSY = {
    "40001": "a row was changed meanwhile",
    "40P01": "a deadlock was broken",
    "55P03": "a lock was not free in time",
    "57014": "a statement took too long",
}
_MARKER = f'"public"."{MARKER_PLACE}"'
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:name AS text), 0))")
_EFFECTS = text(
    "SELECT relid, schemaname || '.' || relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables"
)

_NESTED_ONLY = text("SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)")
_ANY_JOIN = text("SELECT set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true)")
_CLASS = 0x4F50484F  # "OPHO": advisory locks of sessions; those of batches are of the other kind, of one number
_ANNOUNCE = f"SELECT pg_try_advisory_lock({_CLASS}, pg_backend_pid())"
_STRANGERS = text(f"""
SELECT count(*) FROM pg_stat_activity a WHERE a.pid <> pg_backend_pid() AND a.usename = current_user
  AND a.datname = current_database() AND a.backend_type = 'client backend' AND NOT EXISTS (
    SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.granted
      AND l.classid = {_CLASS} AND l.objid = CAST(a.pid AS oid) AND l.objsubid = 2)
""")  # noqa: S608
_HIDDEN = text("""
WITH mine AS (SELECT polrelid, polpermissive, coalesce(pg_get_expr(polqual, polrelid), 'true') = 'true' AS whole
    FROM pg_policy WHERE polcmd IN ('r', '*') AND EXISTS (
        SELECT 1 FROM unnest(polroles) role WHERE CASE WHEN role = 0 THEN true ELSE pg_has_role(role, 'USAGE') END))
SELECT c.oid FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND row_security_active(c.oid) AND (
    NOT EXISTS (SELECT 1 FROM mine WHERE polrelid = c.oid AND polpermissive AND whole)
    OR EXISTS (SELECT 1 FROM mine WHERE polrelid = c.oid AND NOT polpermissive AND NOT whole))
""")


def engine(system: System, purpose: str) -> Engine:
    """Make an engine with the credentials of `purpose`; connecting happens at first use."""
    user, password = system.secret(purpose)
    where = system.connection
    url = URL.create(
        "postgresql+psycopg", user, password, str(where["host"]), int(where["port"]), str(where["database"])
    )
    settings = {
        "search_path": "pg_catalog",
        "TimeZone": "UTC",
        "jit": "off",
        "lock_timeout": "20s",
        "statement_timeout": f"{statement_limit(purpose)}s",
        "default_transaction_read_only": "on" if purpose in READ_ONLY else "off",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    arguments = {"connect_timeout": 5, "options": options, "application_name": f"ophor-{purpose}"}
    if where.get("sslmode"):
        arguments["sslmode"] = where["sslmode"]
    made = create_engine(url, connect_args=arguments, pool_size=1, max_overflow=1, hide_parameters=True)
    return announce(made, _ANNOUNCE, lambda connection: not connection.closed)


class PostgresDialect(Dialect):
    """PostgreSQL 14 and newer."""

    kind = "postgresql"
    marker = _MARKER
    create_marker = (
        f"CREATE TABLE IF NOT EXISTS {_MARKER} (id text PRIMARY KEY, written_at double precision NOT NULL)",
        f"GRANT SELECT ON {_MARKER} TO PUBLIC",
    )
    texts = ("text", "character", "uuid", "bpchar", "name")
    forms = PostgresForms()

    def engine(self, system: System, purpose: str) -> Engine:
        """Open it with psycopg."""
        return engine(system, purpose)

    def family(self, error: DBAPIError, system: str, purpose: str, place: str) -> OphorError:
        """Go by the SQLSTATE."""
        state = getattr(error.orig, "sqlstate", None) or ""
        if state in _BUSY:
            return failures.busy(system, _BUSY[state])
        if state in {"42501", "25006", "28P01", "28000"} or "authentication failed" in str(error.orig):
            return failures.refused(system, purpose)
        if state == "23503":
            table = getattr(getattr(error.orig, "diag", None), "table_name", None) or "?"
            return still_referenced(system, table)
        if not state or state[:2] in {"08", "53", "57"}:
            return failures.unreachable(system)
        if state[:2] == "22":
            return tenant_invalid(system, f"does not fit its column's type ({state})")
        return failures.target_error(system, place, f"error {state}")

    def read(self, connection: Connection, system: str) -> Catalogue:
        """Read `pg_catalog`."""
        return postgresql_catalogue.read(connection, system)

    def rows(self, width: int) -> str:
        """Unnest an array for each column."""
        arrays = ", ".join(f"CAST(:k{position} AS text[])" for position in range(width))
        return f"unnest({arrays}) AS k({', '.join(f'v{position}' for position in range(width))})"

    def parameters(self, keys: Sequence[Key]) -> dict[str, Any]:
        """Give an array for each column."""
        return {f"k{position}": list(column) for position, column in enumerate(zip(*keys, strict=True))}

    @contextmanager
    def locked(self, connection: Connection, name: str) -> Iterator[None]:
        """Take an advisory lock until the transaction's end."""
        connection.execute(_LOCK, {"name": name})
        yield

    @contextmanager
    def transaction(self, connection: Connection, system: str, lock: str, *, deferred: bool) -> Iterator[Connection]:
        """Use REPEATABLE READ; what it counted is the engine's statistics when its commit returns, not a while later.

        Else whoever reads below the rows next could be told that no dead row lies there (15: see `physical.Physical`).
        """
        repeatable = connection.execution_options(isolation_level="REPEATABLE READ")
        with self.locked(repeatable, lock):
            if (connection.dialect.server_version_info or ()) >= (15,):
                repeatable.execute(text("SELECT pg_stat_force_next_flush()"))
            if repeatable.execute(text("SHOW track_counts")).scalar() != "on":
                raise Rejected(
                    "EFFECTS_NOT_COUNTED",
                    f"{system} does not count what transactions change",
                    field=f"systems.{system}.connection",
                    remedy="set track_counts = on for the deleting role",
                )
            if deferred:
                repeatable.execute(text("SET CONSTRAINTS ALL DEFERRED"))
            yield repeatable

    def counted(self, connection: Connection, catalogue: Catalogue, *, since_start: bool) -> Counter[str]:
        """Ask the transaction's own statistics; partitions count with their root."""
        if since_start:
            connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        found = Counter[str]()
        for oid, name, changes in connection.execute(_EFFECTS):
            found[catalogue.ids.get(oid) or str(name)] += int(changes)
        return found

    def effects(
        self, catalogue: Catalogue, start: Mapping[str, int], now: Mapping[str, int], planned: Mapping[str, int]
    ) -> dict[str, int]:
        """Compare place by place."""
        return {place: now[place] - start.get(place, 0) for place in now if now[place] != start.get(place, 0)}

    def strangers(self, connection: Connection) -> int:
        """Look at the sessions of this user in this database, afresh."""
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        return int(connection.execute(_STRANGERS).scalar_one())

    @contextmanager
    def key_by_key(self, connection: Connection) -> Iterator[None]:
        """Leave nested loops as the only way to join: keys, and what paths lead to, are always indexed."""
        connection.execute(_NESTED_ONLY)
        yield
        connection.execute(_ANY_JOIN)

    def hidden(self, connection: Connection, catalogue: Catalogue) -> set[str]:
        """Go by the row-level policies that bind this user; only `USING (true)` shows every row."""
        return {catalogue.ids.get(oid, "") for oid in connection.execute(_HIDDEN).scalars()}

    def parameter(self, name: str) -> str:
        """Say that it is a text: the engine guesses no type for a parameter."""
        return f"CAST(:{name} AS text)"

    def hashed(self, column: str) -> str:
        """Use the engine's own."""
        value = f"convert_to(CAST({column} AS text), 'UTF8')"
        return f"encode(sha256(CAST(:seed AS bytea) || {value}), 'hex')"

    def matches(self, column: str) -> str:
        """Use `~`."""
        return f"CAST({column} AS text) ~ CAST(:pattern AS text)"

    def can_write(self, connection: Connection) -> bool:
        """Ask for every relation."""
        return postgresql_access.can_write(connection)

    def look(self, connection: Connection, roles: Sequence[str]) -> Access:
        """Look at rights, log-ins and sessions."""
        return postgresql_access.look(connection, roles)

    def freeze(self, connection: Connection, roles: Sequence[str]) -> None:
        """Revoke what changes data."""
        postgresql_access.freeze(connection, roles)

    def close(self, connection: Connection, roles: Sequence[str]) -> None:
        """Revoke everything, end the log-in and the sessions."""
        postgresql_access.close(connection, roles)

    def marker_there(self, connection: Connection) -> bool:
        """Ask the catalogue."""
        return bool(connection.execute(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": _MARKER}).scalar())


class PostgresConnector(PostgresPhysical):
    """One tenant's rows in one PostgreSQL database."""

    kind = "postgresql"
    dialect = PostgresDialect()

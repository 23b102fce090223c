"""The tenant's ways into a PostgreSQL database: roles that can log in, their rights and their open sessions.

Taking rights away is never believed: `look` asks the engine afterwards, so a right that comes through PUBLIC or a
group still shows as writable.
"""

# ruff: noqa: S608 — identifiers come quoted from the live catalogue, values are always parameters

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from shared.connectors.protocol import Access
from shared.connectors.sql.dialect import quote

# A session ends a moment after it is told to: PostgreSQL (14 and later) waits this long for each of them.
END_MS = 5000

_TABLES = """
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN pg_roles r
WHERE c.relkind IN ('r', 'p', 'm', 'f', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_(toast|temp)' AND r.rolname = ANY(:roles)"""
_LOOK = f"""
SELECT (SELECT count(*) {_TABLES} AND has_table_privilege(r.oid, c.oid, 'SELECT')),
       (SELECT count(*) {_TABLES} AND has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')),
       (SELECT count(*) FROM pg_roles WHERE rolname = ANY(:roles) AND rolcanlogin
          AND has_database_privilege(oid, current_database(), 'CONNECT')),
       (SELECT count(*) FROM pg_stat_activity WHERE usename = ANY(:roles) AND datname = current_database()),
       (SELECT count(*) FROM pg_roles WHERE rolname = ANY(:roles) AND rolsuper)"""
_CAN_WRITE = """
SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'f', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND n.nspname !~ '^pg_(toast|temp)'
    AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
      OR has_any_column_privilege(c.oid, 'INSERT, UPDATE')))"""
_GRANTED = """
SELECT DISTINCT n.nspname, c.relname, r.rolname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
WHERE c.relkind IN ('r', 'p', 'm', 'f', 'v') AND r.rolname = ANY(:roles) ORDER BY 1, 2, 3"""
_END = f"""
SELECT pg_terminate_backend(pid, {END_MS}) FROM pg_stat_activity
WHERE usename = ANY(:roles) AND datname = current_database()"""


def look(connection: Connection, roles: Sequence[str]) -> Access:
    """Ask the engine what the roles can still do; rights count only for a role that can log in or has a session."""
    row = connection.execute(text(_LOOK), {"roles": list(roles)}).one()
    reads, writes, logins, sessions, supers = (int(value) for value in row)
    way_in = logins + sessions > 0
    return Access(
        grants=(reads + writes) if way_in else 0,
        writable=way_in and (writes > 0 or supers > 0),
        open=way_in,
        details={"read_rights": reads, "write_rights": writes, "logins": logins, "sessions": sessions},
    )


def can_write(connection: Connection) -> bool:
    """Ask whether the role of this connection may change data anywhere in the database."""
    return bool(connection.execute(text(_CAN_WRITE)).scalar_one())


def freeze(connection: Connection, roles: Sequence[str]) -> None:
    """Take the rights that change data from the roles, wherever one was granted to them."""
    _revoke(connection, roles, "INSERT, UPDATE, DELETE, TRUNCATE")


def close(connection: Connection, roles: Sequence[str]) -> None:
    """Take every right and the login from the roles, and end their sessions."""
    _revoke(connection, roles, "ALL PRIVILEGES")
    database = quote(str(connection.execute(text("SELECT current_database()")).scalar_one()))
    for role in roles:
        connection.execute(text(f"REVOKE ALL PRIVILEGES ON DATABASE {database} FROM {quote(role)}"))
        connection.execute(text(f"ALTER ROLE {quote(role)} NOLOGIN"))
    connection.execute(text(_END), {"roles": list(roles)})


def _revoke(connection: Connection, roles: Sequence[str], rights: str) -> None:
    for schema, table, role in connection.execute(text(_GRANTED), {"roles": list(roles)}).all():
        connection.execute(text(f"REVOKE {rights} ON {quote(schema)}.{quote(table)} FROM {quote(role)}"))

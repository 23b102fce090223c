"""The PostgreSQL system of the demo's world: makes the database, fills it, and gives each role its least rights.

What each role can do is what PostgreSQL lets one narrow down to:
`px_extract`, `px_verify` read every row; `px_delete` reads every row, but deletes only the leaving tenant's (row-level
security) and updates only the columns that hold the cycle and the self-reference; `px_access` gives and takes the app
users' rights and may end their log-in and sessions, but reaches no row; `px_prepare` may create the marker's table.
Each tenant's app user reaches that tenant's rows only. A database of that name that the demo did not make is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import conninfo, sql

from contracts.errors import Rejected
from deploy.demo.data import LEAVING, MAKERS, SHARED, TENANTS, Tables, Tenant

DATABASE = "pladsanvisning"
OWNER = "px_owner"
PURPOSES = ("extract", "delete", "verify", "access", "prepare", "clean")
LOOKERS = "px_extract, px_delete, px_verify, px_clean"
MAINTAIN = 170_000  # the version that has a right of its own for it
MADE_BY_DEMO = "ophor-demo"

OWN = "kommunekode = {code}"
BY_CHILD = "EXISTS (SELECT 1 FROM barn b WHERE b.barn_id = {place}.barn_id AND b.kommunekode = {code})"
REACHED_BY = {
    "barn_foraelder": BY_CHILD,
    "venteliste": BY_CHILD,
    "venteliste_note": "EXISTS (SELECT 1 FROM venteliste v JOIN barn b USING (barn_id)"
    " WHERE v.venteliste_id = {place}.venteliste_id AND b.kommunekode = {code})",
    "opkraevningslinje": "EXISTS (SELECT 1 FROM opkraevning o"
    " WHERE o.opkraevning_id = {place}.opkraevning_id AND o.kommunekode = {code})",
}
BREAKS = {"barn": "aktuel_plads_id", "institution": "overordnet_id"}

Statement = sql.SQL | sql.Composed


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server and its administrator (libpq URI), and the password of every role that is made."""

    admin_uri: str
    passwords: dict[str, str]

    def connect(self, database: str | None = None) -> psycopg.Connection:
        """Connect as the administrator, each statement by itself."""
        address = conninfo.make_conninfo(self.admin_uri, **({"dbname": database} if database else {}))
        return psycopg.connect(address, autocommit=True, connect_timeout=10)


def roles() -> list[str]:
    """List the roles that log in: one for each purpose and one app user for each tenant."""
    return [f"px_{purpose}" for purpose in PURPOSES] + [app_user(tenant) for tenant in TENANTS]


def app_user(tenant: Tenant) -> str:
    """Give the name of the tenant's app user."""
    return f"{tenant.slug}_app"


def guard(server: Server) -> None:
    """Refuse TARGET_EXISTS where the server has a database or roles of these names that are not the demo's own."""
    with server.connect() as admin:
        ours = admin.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s AND shobj_description(oid, 'pg_authid') = %s",
            (OWNER, MADE_BY_DEMO),
        ).fetchone()
        taken = admin.execute(
            "SELECT datname FROM pg_database WHERE datname = %s AND pg_get_userbyid(datdba) <> %s"
            " UNION ALL SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND NOT %s",
            (DATABASE, OWNER, [*roles(), OWNER], ours is not None),
        ).fetchall()
    if taken:
        raise Rejected(
            "TARGET_EXISTS", f"the server has {taken[0][0]}, which the demo did not make", field="postgres",
            remedy="give the demo a server of its own", da=f"Serveren har allerede {taken[0][0]}.",
        )  # fmt: skip


def make(server: Server, made: list[Tables]) -> None:
    """Make the database anew with these tenants' rows; call `guard` first."""
    with server.connect() as admin:
        _clear(admin)
        _make_roles(admin, server.passwords)
    with server.connect(DATABASE) as admin:
        admin.execute(_sql(f"SET ROLE {OWNER}"))
        admin.execute(_file("pladsanvisning_tables.sql"))
        for rows in (SHARED, *made):
            _fill(admin, rows)
        admin.execute(_file("pladsanvisning_keys.sql"))
        _move_sequences(admin)
        for statement in _rights():
            admin.execute(statement)
        admin.execute("RESET ROLE")
        for statement in _app_rights(admin.info.server_version):
            admin.execute(statement)
        admin.execute("ANALYZE")


def _clear(admin: psycopg.Connection) -> None:
    admin.execute(_sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"))
    for role in (*roles(), OWNER):
        admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def _make_roles(admin: psycopg.Connection, passwords: dict[str, str]) -> None:
    with admin.transaction():  # the owner and the comment by which `guard` knows it come to be together
        admin.execute(_sql(f"CREATE ROLE {OWNER} NOLOGIN"))
        admin.execute(_sql(f"COMMENT ON ROLE {OWNER} IS '{MADE_BY_DEMO}'"))
        for role in roles():
            statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            admin.execute(statement.format(sql.Identifier(role), sql.Literal(passwords[role])))
    admin.execute(_sql(f"CREATE DATABASE {DATABASE} OWNER {OWNER}"))
    admin.execute(_sql(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC"))


def _fill(admin: psycopg.Connection, rows: Tables) -> None:
    with admin.transaction(), admin.cursor() as cursor:
        for place, lines in rows.items():
            with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(place))) as copy:
                for line in lines:
                    copy.write_row(line)


def _move_sequences(admin: psycopg.Connection) -> None:
    """Let new ids begin after the ones that were copied in."""
    found = admin.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND is_identity = 'YES'"
    ).fetchall()
    for place, column in found:
        admin.execute(
            sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), (SELECT max({}) FROM {}))").format(
                sql.Literal(place), sql.Literal(column), sql.Identifier(column), sql.Identifier(place)
            )
        )


def tenant_places() -> list[str]:
    """List the places with tenants' rows."""
    return list(MAKERS)


def _rights() -> Iterator[Statement]:
    """Say what the purposes' roles may do; run as the owner of the tables."""
    yield _sql(f"GRANT CONNECT ON DATABASE {DATABASE} TO px_extract, px_delete, px_verify, px_prepare, px_clean")
    yield _sql(f"GRANT CONNECT ON DATABASE {DATABASE} TO px_access WITH GRANT OPTION")
    yield _sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {LOOKERS}")
    for place in (*SHARED, *tenant_places()):
        yield _on("GRANT SELECT, INSERT, UPDATE, DELETE ON {place} TO px_access WITH GRANT OPTION", place)
        yield _on("ALTER TABLE {place} ENABLE ROW LEVEL SECURITY", place)
        yield _on(f"CREATE POLICY looks ON {{place}} FOR SELECT TO {LOOKERS} USING (true)", place)
    for place in tenant_places():
        yield _on("GRANT DELETE ON {place} TO px_delete", place)
        yield _on("CREATE POLICY deletes ON {place} FOR DELETE TO px_delete USING ({whose})", place, LEAVING)
    for place, column in BREAKS.items():
        yield _on(f"GRANT UPDATE ({column}) ON {{place}} TO px_delete", place)
        yield _on("CREATE POLICY breaks ON {place} FOR UPDATE TO px_delete USING ({whose})", place, LEAVING)


def _may_clean(version: int) -> Iterator[Statement]:
    """Let px_clean maintain the tenants' tables; before PostgreSQL 17 only their owner may."""
    if version < MAINTAIN:
        yield _sql(f"GRANT {OWNER} TO px_clean")
        return
    for place in tenant_places():
        yield _on("GRANT MAINTAIN ON {place} TO px_clean", place)


def _app_rights(version: int) -> Iterator[Statement]:
    """Say what the tenants' app users may do; granted by px_access, who can therefore take it back."""
    yield _sql("ALTER ROLE px_access CREATEROLE")
    yield _sql("GRANT pg_signal_backend TO px_access")
    yield from _may_clean(version)
    yield _sql("GRANT CREATE ON SCHEMA public TO px_prepare")
    yield _sql("ALTER DEFAULT PRIVILEGES FOR ROLE px_prepare IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC")
    yield _sql("SET ROLE px_access")
    for tenant in TENANTS:
        user = app_user(tenant)
        yield _sql(f"GRANT CONNECT ON DATABASE {DATABASE} TO {user}")
        for place in tenant_places():
            yield _on(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {{place}} TO {user}", place)
        for place in SHARED:
            yield _on(f"GRANT SELECT ON {{place}} TO {user}", place)
    yield _sql("RESET ROLE")
    for tenant in TENANTS:
        user = app_user(tenant)
        for place in tenant_places():
            yield _on(f"CREATE POLICY {tenant.slug} ON {{place}} TO {user} USING ({{whose}})", place, tenant)
        for place in SHARED:
            yield _on(f"CREATE POLICY {tenant.slug} ON {{place}} FOR SELECT TO {user} USING (true)", place)


def _on(text: str, place: str, tenant: Tenant | None = None) -> Statement:
    name = sql.Identifier(place)
    if tenant is None:
        return _sql(text).format(place=name)
    whose = _sql(REACHED_BY.get(place, OWN)).format(place=name, code=sql.Literal(tenant.code))
    return _sql(text).format(place=name, whose=whose)


def _sql(text: str) -> sql.SQL:
    return sql.SQL(text)  # put together from this module's own constants


def _file(name: str) -> sql.SQL:
    return _sql(Path(__file__).with_name(name).read_text())

"""The tenant's ways into a MariaDB database: accounts, their rights (also by role) and their open sessions.

Taking rights away is never believed: `look` asks the engine afterwards, so a right that comes by a role or for the
whole server still shows as writable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, TextClause, bindparam, text

from shared.connectors.protocol import Access

WRITES = (
    "INSERT", "UPDATE", "DELETE", "DELETE HISTORY", "CREATE", "DROP", "ALTER", "INDEX", "TRIGGER", "CREATE VIEW",
    "EVENT", "CREATE ROUTINE", "ALTER ROUTINE",
)  # fmt: skip
_OF_DATABASES = ("EVENT", "CREATE ROUTINE", "ALTER ROUTINE")
_NAME = r"\*|`(?:[^`]|``)*`"
_ON = re.compile(rf"^GRANT (?P<rights>.+?) ON (?P<scope>{_NAME})\.(?P<table>{_NAME}) TO ")
_ROLE = re.compile(r"^GRANT (`(?:[^`]|``)*`) TO ")
_RIGHT = re.compile(r"([A-Z][A-Z ]*[A-Z])(?: \((`[^)]*`)\))?(?:, |$)")
_ACCOUNTS = text(
    "SELECT User, Host, COALESCE(JSON_VALUE(Priv, '$.account_locked'), 0) FROM mysql.global_priv"
    " WHERE User IN :roles AND COALESCE(JSON_VALUE(Priv, '$.is_role'), 0) = 0 ORDER BY 1, 2"
).bindparams(bindparam("roles", expanding=True))
_SESSIONS = text("SELECT ID FROM information_schema.PROCESSLIST WHERE USER IN :roles").bindparams(
    bindparam("roles", expanding=True)
)


@dataclass(frozen=True, slots=True)
class Grant:
    """One line of SHOW GRANTS that reaches the database: rights (with their columns, or none) on `scope`.`table`."""

    rights: tuple[tuple[str, str], ...]
    scope: str
    table: str

    @property
    def whole(self) -> bool:
        """Tell whether it reaches every table of the database."""
        return self.table == "*"

    def has(self, *names: str) -> bool:
        """Tell whether it holds one of the rights."""
        return any(right in (*names, "ALL PRIVILEGES") for right, _ in self.rights)

    def listed(self, names: Sequence[str] | None) -> str:
        """List those of the rights that are among `names` (None = all), as REVOKE wants them."""
        rights = self.rights
        if names is not None and self.has():
            rights = tuple((name, "") for name in names if self.whole or name not in _OF_DATABASES)
        kept = [row for row in rights if row[0] != "USAGE" and (names is None or row[0] in names)]
        return ", ".join(f"{name} ({columns})" if columns else name for name, columns in kept)


def own(connection: Connection, database: str) -> list[Grant]:
    """Give the rights of this connection's user and its active roles that reach `database`."""
    return list(_grants(connection, "SHOW GRANTS", database, set()))


def can_write(connection: Connection) -> bool:
    """Tell whether this user may change anything in the database."""
    return any(grant.has(*WRITES) for grant in own(connection, _database(connection)))


def look(connection: Connection, roles: Sequence[str]) -> Access:
    """Ask the engine what the accounts can still do; rights count only where one can log in or has a session."""
    accounts = _accounts(connection, roles)
    rights = [grant for account, _ in accounts for grant in _of(connection, account)]
    reads, writes = sum(grant.has("SELECT") for grant in rights), sum(grant.has(*WRITES) for grant in rights)
    logins, sessions = sum(not locked for _, locked in accounts), len(_sessions(connection, roles))
    way_in = logins + sessions > 0
    return Access(
        grants=(reads + writes) if way_in else 0,
        writable=way_in and writes > 0,
        open=way_in,
        details={"read_rights": reads, "write_rights": writes, "logins": logins, "sessions": sessions},
    )


def freeze(connection: Connection, roles: Sequence[str]) -> None:
    """Take the rights that change data, wherever one was granted to an account itself."""
    _revoke(connection, roles, WRITES)


def close(connection: Connection, roles: Sequence[str]) -> None:
    """Take every right and the log-in, and end the sessions."""
    for account, _ in _accounts(connection, roles):
        connection.execute(_plain(f"ALTER USER {account} ACCOUNT LOCK"))
    _revoke(connection, roles, None)
    for session in _sessions(connection, roles):
        connection.execute(text(f"KILL {session}"))


def _revoke(connection: Connection, roles: Sequence[str], names: Sequence[str] | None) -> None:
    for account, _ in _accounts(connection, roles):
        for grant in _grants(connection, f"SHOW GRANTS FOR {account}", _database(connection), None):
            if rights := grant.listed(names):
                connection.execute(_plain(f"REVOKE {rights} ON {grant.scope}.{grant.table} FROM {account}"))


def _accounts(connection: Connection, roles: Sequence[str]) -> list[tuple[str, bool]]:
    if not roles:
        return []
    found = connection.execute(_ACCOUNTS, {"roles": list(roles)})
    return [(f"{_quoted(user)}@{_quoted(host)}", str(locked) in {"1", "true"}) for user, host, locked in found]


def _sessions(connection: Connection, roles: Sequence[str]) -> list[int]:
    return [int(row[0]) for row in connection.execute(_SESSIONS, {"roles": list(roles)})] if roles else []


def _of(connection: Connection, account: str) -> list[Grant]:
    return list(_grants(connection, f"SHOW GRANTS FOR {account}", _database(connection), set()))


def _grants(connection: Connection, ask: str, database: str, seen: set[str] | None) -> Iterator[Grant]:
    """Read SHOW GRANTS; follow roles unless `seen` is None."""
    for line in connection.execute(_plain(ask)).scalars().all():
        if found := _ON.match(line):
            scope, table = found["scope"], found["table"]
            if scope == "*" or _reaches(scope, database, table):
                yield Grant(tuple(_RIGHT.findall(found["rights"])), scope, table)
        elif seen is not None and (role := _ROLE.match(line)) and role[1] not in seen and ask != "SHOW GRANTS":
            seen.add(role[1])
            yield from _grants(connection, f"SHOW GRANTS FOR {role[1]}", database, seen)


def _reaches(scope: str, database: str, table: str) -> bool:
    """Tell whether a grant's database is ours; it is a pattern where the grant is for a whole database."""
    name = scope[1:-1].replace("``", "`")
    if table != "*":
        return name == database
    wild = {"%": ".*", "_": "."}
    parts = re.findall(r"\\.|.", name, re.DOTALL)
    return bool(re.fullmatch("".join(wild.get(part) or re.escape(part[-1]) for part in parts), database, re.DOTALL))


def _database(connection: Connection) -> str:
    return str(connection.execute(text("SELECT DATABASE()")).scalar_one())


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _plain(statement: str) -> TextClause:
    return text(statement.replace(":", "\\:"))

"""PostgreSQL with pg_dump and pg_restore, MariaDB with mariadb-dump and mariadb: whole databases, one transaction."""

from __future__ import annotations

from pathlib import Path

from contracts.system_map import RESTORE, System
from shared.restoring.tool import Engine, run

_DUMP, _SCRIPT = "database.dump", "database.sql"


def _of_postgresql(system: System) -> dict[str, str]:
    user, password = system.secret(RESTORE)
    where = system.connection
    said = {"PGHOST": where["host"], "PGPORT": where["port"], "PGDATABASE": where["database"], "PGUSER": user}
    return {**{name: str(value) for name, value in said.items()}, "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"}


def _dump(system: System, at: Path) -> None:
    words = ["pg_dump", "--format=custom", f"--file={at / _DUMP}", "--no-password"]
    run(system, words, _of_postgresql(system))


def _load(system: System, at: Path) -> None:
    said = _of_postgresql(system)
    words = ["pg_restore", "--clean", "--if-exists", "--single-transaction", "--no-password"]
    run(system, [*words, f"--dbname={said['PGDATABASE']}", str(at / _DUMP)], said)


def _of_mariadb(system: System, at: Path) -> list[str]:
    """Write the login into a file that only we can read; nothing of it stands in a list of processes."""
    user, password = system.secret(RESTORE)
    where, quoted = system.connection, password.replace("\\", "\\\\").replace('"', '\\"')
    path = at / "login.cnf"
    path.touch(mode=0o600)
    path.write_text(f'[client]\nhost={where["host"]}\nport={where["port"]}\nuser={user}\npassword="{quoted}"\n')
    return [f"--defaults-extra-file={path}", "--protocol=TCP"]


def _script(system: System, at: Path) -> None:
    login = _of_mariadb(system, at)
    try:
        with (at / _SCRIPT).open("wb") as file:
            words = ["mariadb-dump", *login, "--single-transaction", "--skip-lock-tables", "--hex-blob"]
            run(system, [*words, "--no-tablespaces", str(system.connection["database"])], {}, stdout=file)
    finally:
        (at / "login.cnf").unlink()


def _play(system: System, at: Path) -> None:
    login = _of_mariadb(system, at)
    try:
        with (at / _SCRIPT).open("rb") as file:
            run(system, ["mariadb", *login, str(system.connection["database"])], {}, stdin=file)
    finally:
        (at / "login.cnf").unlink()


POSTGRESQL = Engine(("pg_dump", "pg_restore"), lambda: "pg_dump", _dump, _load)
MARIADB = Engine(("mariadb-dump", "mariadb"), lambda: "mariadb-dump", _script, _play)

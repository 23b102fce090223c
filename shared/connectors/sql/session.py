"""A PostgreSQL engine for one purpose, and what its errors mean.

Rules: `extract` and `verify` sessions are read-only by themselves, whatever their role may; names resolve in
`pg_catalog` alone; every wait is bounded. An error's text is never passed on, it may hold a row's values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from contracts.errors import OphorError, Rejected
from contracts.system_map import System
from shared.connectors import failures

_READ_ONLY = ("extract", "verify")
_BUSY = {
    "40001": "a row was changed meanwhile",
    "40P01": "a deadlock was broken",
    "55P03": "a lock was not free in time",
    "57014": "a statement took too long",
}


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
        "lock_timeout": "20s",
        "statement_timeout": "50s",
        "default_transaction_read_only": "on" if purpose in _READ_ONLY else "off",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    arguments = {"connect_timeout": 5, "options": options, "application_name": f"ophor-{purpose}"}
    if where.get("sslmode"):
        arguments["sslmode"] = where["sslmode"]
    return create_engine(url, connect_args=arguments, pool_size=1, max_overflow=1, hide_parameters=True)


@contextmanager
def translated(system: str, purpose: str, place: str = "") -> Iterator[None]:
    """Turn the driver's errors into the two families."""
    try:
        yield
    except DBAPIError as error:
        raise _family(error, system, purpose, place) from None
    except SQLAlchemyError as error:
        raise failures.unreachable(system, f"could not be used ({type(error).__name__})") from None


def _family(error: DBAPIError, system: str, purpose: str, place: str) -> OphorError:
    state = getattr(error.orig, "sqlstate", None) or ""
    if state in _BUSY:
        return failures.busy(system, _BUSY[state])
    if state in {"42501", "25006", "28P01", "28000"} or "authentication failed" in str(error.orig):
        return failures.refused(system, purpose)
    if state == "23503":
        return _still_referenced(error, system)
    if not state or state[:2] in {"08", "53", "57"}:
        return failures.unreachable(system)
    if state[:2] == "22":
        return Rejected(
            "TENANT_INVALID",
            f"{system}: a value does not fit its column's type ({state})",
            field=f"systems.{system}.tenant",
            remedy="give the tenant the value that the tenant key has in this system",
            da=f"Lejerens værdi passer ikke til nøglens type i {system}.",
        )
    return failures.target_error(system, place, f"error {state}")


def _still_referenced(error: DBAPIError, system: str) -> Rejected:
    table = getattr(getattr(error.orig, "diag", None), "table_name", None) or "?"
    return Rejected(
        "ROW_STILL_REFERENCED",
        f"{system}: a row of the customer is still referenced from {table}",
        field=f"systems.{system}.places.{table}",
        remedy="this batch was undone; decide whose the referring row is, then correct the map or the reference",
        da=f"En af kundens rækker bruges stadig fra {table}.",
    )

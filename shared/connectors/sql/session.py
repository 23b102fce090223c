"""What every SQL session shares: read-only purposes, and the driver's errors in the two families."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from contracts.errors import Rejected
from shared.connectors import failures
from shared.connectors.sql.dialect import Dialect

READ_ONLY = ("extract", "verify")
_READING_S, _CHANGING_S = 600, 50


def statement_limit(purpose: str) -> int:
    """Give how many seconds a statement may take: reading a whole table keeps nobody waiting, changing it does."""
    return _READING_S if purpose in READ_ONLY else _CHANGING_S


@contextmanager
def translated(dialect: Dialect, system: str, purpose: str, place: str = "") -> Iterator[None]:
    """Turn the driver's errors into the two families."""
    try:
        yield
    except DBAPIError as error:
        raise dialect.family(error, system, purpose, place) from None
    except SQLAlchemyError as error:
        raise failures.unreachable(system, f"could not be used ({type(error).__name__})") from None


def still_referenced(system: str, table: str) -> Rejected:
    """Make ROW_STILL_REFERENCED: a row of `table` that is not going refers to one of the customer's."""
    return Rejected(
        "ROW_STILL_REFERENCED",
        f"{system}: a row of the customer is still referenced from {table}",
        field=f"systems.{system}.places.{table}",
        remedy="this batch was undone; decide whose the referring row is, then correct the map or the reference",
        da=f"En af kundens rækker bruges stadig fra {table}.",
    )

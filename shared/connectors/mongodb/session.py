"""A MongoDB client for one purpose, and what its errors mean; an error's text is never passed on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from contracts.errors import OphorError
from contracts.system_map import CLEAN, System
from shared.connectors import failures
from shared.connectors.physical import LONGEST_S

_REFUSED, _NO_LOGIN = 13, 18
_BUSY = {112, 246, 251, 262}
Document = dict[str, Any]


@contextmanager
def translated(system: str, purpose: str, place: str = "") -> Iterator[None]:
    """Turn the driver's errors into the two families."""
    try:
        yield
    except PyMongoError as error:
        raise _family(error, system, purpose, place) from None


def _family(error: PyMongoError, system: str, purpose: str, place: str) -> OphorError:
    if isinstance(error, OperationFailure) and error.code in {_REFUSED, _NO_LOGIN}:
        return failures.refused(system, purpose)
    if error.has_error_label("TransientTransactionError") or getattr(error, "code", None) in _BUSY:
        return failures.busy(system, "the transaction met another one")
    if isinstance(error, ConnectionFailure):
        return failures.unreachable(system)
    return failures.target_error(system, place, f"error {getattr(error, 'code', None) or type(error).__name__}")


def connect(system: System, purpose: str) -> MongoClient[Document]:
    """Make a client with the credentials of `purpose`; it connects at first use."""
    user, password = system.secret(purpose)
    where = system.connection
    options: dict[str, Any] = {"tls": True} if where.get("tls") else {}
    if where.get("replica_set"):
        options["replicaSet"] = where["replica_set"]
    return MongoClient(
        str(where["host"]), int(where["port"]), username=user, password=password, tz_aware=True,
        authSource=str(where.get("auth_source") or where["database"]), appname=f"ophor-{purpose}",
        serverSelectionTimeoutMS=5_000, connectTimeoutMS=5_000,
        socketTimeoutMS=50_000 if purpose != CLEAN else LONGEST_S * 1000, retryWrites=True,
        readConcernLevel="majority", w="majority", **options,
    )  # fmt: skip

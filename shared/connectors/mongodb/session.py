"""A MongoDB client for one purpose, and what its errors mean; an error's text is never passed on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from contracts.errors import OphorError
from contracts.system_map import CLEAN, System
from shared.connectors import failures
from shared.connectors.physical import LONGEST_S

_REFUSED, _NO_LOGIN = 13, 18
_BUSY = {112, 246, 251, 262}
PATIENCE_S, _PAUSE_S = 20.0, 0.05
_TRANSACTIONS: list[dict[str, Any]] = [
    {"$currentOp": {"allUsers": False, "idleSessions": True}},
    {"$match": {"transaction.parameters.autocommit": False}},
]
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


@contextmanager
def settled(client: MongoClient[Document], system: str) -> Iterator[ClientSession]:
    """Wait until every transaction that this user has open now has ended; what is then read has what they changed.

    A worker that was overtaken may be committing still. Raise TARGET_BUSY where one does not end."""
    until, left = time.monotonic() + PATIENCE_S, _open_transactions(client)
    while left:
        if time.monotonic() > until:
            raise failures.busy(system, "another batch is open")
        time.sleep(_PAUSE_S)
        left &= _open_transactions(client)
    with client.start_session(causal_consistency=True) as session:
        client.admin.command("ping", session=session)  # its time is that of all that is committed by now
        yield session


def _open_transactions(client: MongoClient[Document]) -> set[tuple[bytes, int]]:
    base = client.get_database("admin", read_concern=ReadConcern("local"))
    rows = base.aggregate(_TRANSACTIONS)
    return {(bytes(row["lsid"]["id"]), int(row["transaction"]["parameters"]["txnNumber"])) for row in rows}

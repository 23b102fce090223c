"""How a process reaches its MongoDB database, and what the bus keeps there.

* Every write waits for the majority and the journal; reads see what the majority has; times are aware UTC.
* `date` and `Decimal` are written as ISO and decimal strings; a service's store reads them back.
* Collections of the bus: `outbox`, `answers`, `dead` (90 days each), `inbox` (a month longer: what is replayed from an
  outbox on its last day, and waits in a queue or with the dead letters, is known still), `sequences`, `timers`,
  `leases`, `dead_actions` (who replayed or discarded a dead letter; kept).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bson.codec_options import CodecOptions, TypeEncoder, TypeRegistry
from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern

if TYPE_CHECKING:
    from pymongo.database import Database

KEPT_DAYS, KNOWN_DAYS = 90, 120
_KEPT, _KNOWN = ({"expireAfterSeconds": days * 86_400} for days in (KEPT_DAYS, KNOWN_DAYS))
_KEPT_OTHERWISE = 85  # MongoDB's IndexOptionsConflict: an older version of ours kept it for another time
_OPEN = {"state": {"$in": ["pending", "parked"]}}  # a published row leaves the index: less to write
MAJORITY = WriteConcern(w="majority", j=True)
_INDEXES: tuple[tuple[str, list[tuple[str, int]], dict[str, Any]], ...] = (
    ("outbox", [("state", 1), ("not_before", 1), ("_id", 1)], {"name": "open", "partialFilterExpression": _OPEN}),
    ("outbox", [("published_at", 1)], {"name": "kept", "sparse": True, **_KEPT}),
    ("inbox", [("consumer", 1), ("wire", 1)], {}),
    ("inbox", [("handled_at", 1)], _KNOWN),
    ("answers", [("answered_at", 1)], _KEPT),
    ("dead", [("dead_at", 1)], _KEPT),
    ("timers", [("due", 1)], {}),
)


class DateText(TypeEncoder):
    """Write a date as its ISO string."""

    python_type = date

    def transform_python(self, value: date) -> str:
        """Give the ISO string."""
        return value.isoformat()


class DecimalText(TypeEncoder):
    """Write a decimal as its string."""

    python_type = Decimal

    def transform_python(self, value: Decimal) -> str:
        """Give the decimal string."""
        return str(value)


CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True, type_registry=TypeRegistry([DateText(), DecimalText()])
)


def connect(uri: str, name: str) -> MongoClient[dict[str, Any]]:
    """Make a client for `uri`, known to the server as `ophor-<name>`; it connects when first used.

    It is told who is primary (`stream`): one that asks every 10 s (`poll`) wakes a third less, and hears of it later.
    """
    return MongoClient(
        uri, appname=f"ophor-{name}", tz_aware=True, w="majority", journal=True, readConcernLevel="majority",
        retryWrites=True, serverSelectionTimeoutMS=5_000, connectTimeoutMS=5_000, socketTimeoutMS=65_000,
        serverMonitoringMode="stream",
    )  # fmt: skip


def database(client: MongoClient[dict[str, Any]], service: str) -> Database[dict[str, Any]]:
    """Give the service's own database, `ophor_<service>`, with the codec and the concerns of this module."""
    return client.get_database(f"ophor_{service}", CODEC, ReadPreference.PRIMARY, MAJORITY, ReadConcern("majority"))


def make_indexes(db: Database[dict[str, Any]]) -> None:
    """Make the bus's indexes in a service's database; safe to repeat."""
    for collection, keys, options in _INDEXES:
        try:
            db[collection].create_index(keys, **options)
        except OperationFailure as error:
            if error.code != _KEPT_OTHERWISE:
                raise
            db[collection].drop_index(keys)
            db[collection].create_index(keys, **options)

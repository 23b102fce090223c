"""`python -m deploy.compose.settle`: put users and topology into the parts of `docker-compose.yml`, then end.

Waits for broker and database, makes the replica set, the database's users, the first instant of a simulated clock, and
the broker's exchanges and queues; safe to repeat. The processes start when it has ended well.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from amqp.exceptions import AMQPError
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from contracts.errors import Rejected
from deploy import mongo_users
from shared.bus import topology
from shared.bus.pump import dial
from shared.runtime.clock import set_clock

SECONDS = 120.0


def settle(environ: Mapping[str, str]) -> None:
    """Do all of it; raise TimeoutError where a part does not answer in time."""
    admin = environ["OPHOR_MONGO_ADMIN"]
    _until(lambda: _initiate(admin), "mongod")
    users = {user: environ["OPHOR_PASSWORD_" + user.replace("-", "_")] for user in mongo_users.USERS}
    _until(lambda: mongo_users.make(admin, users), "the database's users")
    if environ["OPHOR_MODE"] != "production":
        with suppress(Rejected):
            set_clock(environ["OPHOR_CLOCK_URI"], datetime(2000, 1, 1, tzinfo=UTC))
    _until(lambda: _apply(environ), "rabbitmq")


def _initiate(admin: str) -> None:
    with MongoClient[dict[str, Any]](admin, directConnection=True, serverSelectionTimeoutMS=2000) as client:
        with suppress(OperationFailure):
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": "mongod:27017"}]})
        if not client.admin.command("hello").get("isWritablePrimary"):
            raise PyMongoError("no primary yet")


def _apply(environ: Mapping[str, str]) -> None:
    uri = environ["OPHOR_TOPOLOGY_URI"]
    with dial(uri, "setup") as connection:
        topology.apply(connection, environ["OPHOR_MODE"], topology.Management(environ["OPHOR_RABBIT_MANAGEMENT"], uri))


def _until(work: Callable[[], None], what: str) -> None:
    ends = time.monotonic() + SECONDS
    while True:
        try:
            return work()
        except (OSError, AMQPError, PyMongoError) as error:
            if time.monotonic() > ends:
                raise TimeoutError(f"{what} did not answer: {type(error).__name__}") from None
            time.sleep(0.5)


if __name__ == "__main__":
    settle(os.environ)
    sys.exit(0)

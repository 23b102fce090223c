"""A connection to a database that is only starting is not kept: the driver would take it for one without sessions."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pymongo
import pytest
from pymongo.errors import AutoReconnect

from shared.store import mongo
from tests.integration.bus_store_parts import folder, free_ports, initiate, mongod_path, stop
from tests.waiting import until


@pytest.fixture
def port() -> Iterator[int]:
    (port,) = free_ports(1)
    with folder() as data:
        process = subprocess.Popen(
            [mongod_path(), "--dbpath", str(data), "--port", str(port), "--replSet", "rs0", "--bind_ip", "127.0.0.1",
             "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            yield port
        finally:
            stop(process)


def test_a_connection_made_while_the_database_starts_fails_and_the_next_one_has_sessions(port: int) -> None:
    uri = f"mongodb://127.0.0.1:{port}/?directConnection=true"
    with pymongo.MongoClient(uri) as other, mongo.connect(uri, "test") as ours:
        until(lambda: other.admin.command("ping"), "mongod answers others, and is in no replica set")
        with pytest.raises(AutoReconnect, match="the server is starting"):
            ours.admin.command("ping")
        initiate(port)
        with ours.start_session() as session, session.start_transaction():
            ours.ophor_test.rows.insert_one({"_id": 1}, session=session)
        assert ours.ophor_test.rows.count_documents({}) == 1

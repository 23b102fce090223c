"""A tenant leaves the demo's world, by the connectors alone, while the neighbours go on working."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from contracts.system_map import SystemMap, load
from deploy.demo import data, neighbours
from deploy.demo.world import World
from services.console import rehearsal
from shared.connectors import open_connector
from tests.integration.demo_parts import made_world, process, until
from tests.parts import Parts


@pytest.fixture
def world(parts: Parts) -> Iterator[World]:
    with made_world(parts) as (made, _):
        yield made


def stats(world: World) -> dict[str, Any]:
    path = world.folder / neighbours.STATS
    return json.loads(path.read_text()) if path.exists() else {"total": 0, "failed": {}}


def test_a_tenant_leaves_while_the_neighbours_work(world: World) -> None:
    systems, ours = load(world.map_path), list(world.rows[world.cvr])  # not what people act on
    with process("neighbours", world):
        until(lambda: stats(world)["total"] > 4, "the neighbours are at work")
        with psycopg.connect(**korsbaek_app(world)) as session:
            for name in ours:
                close_and_delete(world, systems, name)
            with pytest.raises(psycopg.OperationalError):
                session.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
            psycopg.connect(**korsbaek_app(world))
        reached = stats(world)["total"]
        until(lambda: stats(world)["total"] > reached + 4, "the neighbours still work")
    assert stats(world)["failed"] == {}
    for target in rehearsal.list_targets(systems, ours, world.tenant, world.cvr):
        assert target.tenant_rows == 0
    neighbours_rows(world, systems)


def korsbaek_app(world: World) -> dict[str, Any]:
    address = world.servers["pladsanvisning"]
    return {
        "host": address["host"], "port": address["port"], "dbname": address["database"], "user": "korsbaek_app",
        "password": world.secret("korsbaek_app"),
    }  # fmt: skip


def close_and_delete(world: World, systems: SystemMap, name: str) -> None:
    whose = world.tenant, world.cvr
    with closing(open_connector(systems, name, "access", *whose)) as access:
        assert access.access().open and access.access().writable
        access.freeze()
        assert access.access().open and not access.access().writable
        access.close_access()
        assert not access.access().open
    deleted = 0
    with closing(open_connector(systems, name, "delete", *whose)) as connector:
        for place in connector.order(connector.discover()):
            while keys := connector.keys(place, 1000):
                with connector.batch() as batch:
                    deleted += batch.delete(place, keys)
                    assert batch.effects() == batch.planned()
                    batch.commit()
    assert deleted == sum(world.rows[world.cvr][name].values())


def neighbours_rows(world: World, systems: SystemMap) -> None:
    """Check that nothing of the neighbours' is gone: every place that they only add to or change has what it had."""
    for tenant in data.STAYING:
        for name, places in world.rows[tenant.cvr].items():
            with closing(open_connector(systems, name, "verify", tenant.code, tenant.cvr)) as connector:
                for place, rows in places.items():
                    assert connector.count(place) >= rows, (name, place)

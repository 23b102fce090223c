"""The demo's backup retention as a process, on the simulated clock."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pymongo
import pytest

from deploy.demo import backups, retention
from deploy.demo.world import World, save
from shared.runtime.clock import midnight, set_clock
from tests.integration.demo_parts import DELETION, TODAY, mongo, process, until


@pytest.fixture(scope="module")
def clock_uri() -> Iterator[str]:
    with mongo() as uri:
        yield uri


@pytest.fixture
def clock(clock_uri: str) -> dict[str, str]:
    """Take the simulated clock's instant away; give what a process is told of it."""
    with pymongo.MongoClient(clock_uri) as client:
        client.drop_database("ophor_clock")
    return {"OPHOR_MODE": "test", "OPHOR_CLOCK_URI": clock_uri}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Make a world of nothing but two systems' backups."""
    source = tmp_path / "booking"
    source.mkdir()
    (source / "letter.txt").write_text("kept")
    sets = backups.plan(("booking", "breve"), TODAY, DELETION)
    pack = backups.pack_folder(source)
    backups.take(sets, tmp_path / "backups", {"booking": pack, "breve": pack})
    world = World(folder=tmp_path, case_index_port=0, sets=sets, rows={}, servers={})
    save(world)
    return world


def there(world: World) -> set[str]:
    return {each.set_id for each in world.sets if (world.backups / each.system / each.set_id).exists()}


def test_backups_go_after_their_last_day_and_not_before(world: World, clock: dict[str, str], clock_uri: str) -> None:
    expiring = sorted(world.sets, key=lambda each: each.expires_on)
    catalogues = {path: path.read_bytes() for path in world.backups.glob("*/catalogue.json")}
    set_clock(clock_uri, midnight(expiring[0].expires_on))
    with process("retention", world, **clock):
        set_clock(clock_uri, midnight(expiring[3].expires_on + timedelta(days=1)))
        gone = {each.set_id for each in expiring[:4]}
        until(lambda: not there(world) & gone, "four sets are gone")
        assert there(world) == {each.set_id for each in expiring[4:]}
    assert {path: path.read_bytes() for path in catalogues} == catalogues
    log = [json.loads(line) for line in (world.backups / retention.LOG).read_text().splitlines()]
    assert {line["set_id"] for line in log} == gone


def test_a_set_is_still_there_on_its_last_day(world: World) -> None:
    first = min(world.sets, key=lambda each: each.expires_on)
    assert retention.remove_expired(world.backups, first.expires_on) == []
    assert retention.remove_expired(world.backups, first.expires_on + timedelta(days=1)) == [first]
    assert retention.remove_expired(world.backups, first.expires_on + timedelta(days=1)) == []


def test_retention_that_was_killed_goes_on_where_it_was(world: World, clock: dict[str, str], clock_uri: str) -> None:
    set_clock(clock_uri, midnight(DELETION))
    with process("retention", world, **clock) as running:
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        set_clock(clock_uri, midnight(DELETION + timedelta(days=400)))
    assert len(there(world)) == len(world.sets)
    with process("retention", world, **clock):
        until(lambda: not there(world), "every set is gone")

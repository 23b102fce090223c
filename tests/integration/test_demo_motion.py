"""The demo's world in motion: markers and their guards, and neighbours at work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest
from psycopg import conninfo
from typer.testing import CliRunner

from contracts.errors import Rejected
from contracts.system_map import load
from deploy.demo import data, neighbours
from deploy.demo.world import World, WorldSettings, make_world
from services.console import rehearsal
from tests.integration.demo_parts import made_world, process, until
from tests.parts import Parts
from tests.waiting import LONGEST_S

Made = tuple[World, WorldSettings]


@pytest.fixture(scope="module")
def made(parts: Parts) -> Iterator[Made]:
    with made_world(parts) as both:
        yield both


@pytest.fixture
def world(made: Made) -> World:
    return made[0]


@pytest.fixture
def unmarked(made: Made) -> World:
    """Take the markers away (the case index keeps its own), so that the order of the tests means nothing."""
    world, settings = made
    with psycopg.connect(database(settings), autocommit=True) as admin:
        admin.execute("DROP TABLE IF EXISTS ophor_rehearsal_copy")
    with pymongo.MongoClient(settings.mongo_uri) as client:
        client.morgenvagt.drop_collection("ophor_rehearsal_copy")
    (world.folder / "booking" / "ophor_rehearsal_copy").unlink(missing_ok=True)
    return world


def database(settings: WorldSettings) -> str:
    return conninfo.make_conninfo(settings.postgres_uri, dbname="pladsanvisning")


def marker_codes(world: World, **options: Any) -> str:
    systems = load(world.map_path)
    with pytest.raises(Rejected) as refused:
        rehearsal.check_markers(systems, systems.systems, world.tenant, world.cvr, **options)
    return f"{refused.value.code} {refused.value.field}"


# Markers


def test_a_world_that_was_not_marked_is_refused(unmarked: World) -> None:
    assert marker_codes(unmarked) == "TARGET_NOT_MARKED systems.pladsanvisning"


def test_one_system_without_a_marker_is_enough_to_refuse(unmarked: World) -> None:
    systems = load(unmarked.map_path)
    rehearsal.mark(systems, ["pladsanvisning", "morgenvagt"])
    assert marker_codes(unmarked) == "TARGET_NOT_MARKED systems.booking"


def test_a_world_that_the_demo_marked_may_be_rehearsed_on_for_seven_days(unmarked: World) -> None:
    systems = load(unmarked.map_path)
    rehearsal.mark(systems, systems.systems)
    found = rehearsal.check_markers(systems, systems.systems, unmarked.tenant, unmarked.cvr)
    assert len({marker.id for marker in found.values()}) == len(unmarked.systems)
    rehearsal.check_markers(systems, systems.systems, unmarked.tenant, unmarked.cvr, now=time.time() + 6.9 * 86_400)
    assert marker_codes(unmarked, now=time.time() + 7.1 * 86_400) == "MARKER_TOO_OLD systems.pladsanvisning"


def test_prepare_marks_the_systems_whose_names_were_typed(unmarked: World) -> None:
    words = ["prepare", str(unmarked.map_path), "--system", "pladsanvisning", "--system", "booking"]
    shown = CliRunner().invoke(rehearsal.app, words, input="pladsanvisning\nbooking\n")
    assert shown.exit_code == 0, shown.output
    assert f"{unmarked.servers['pladsanvisning']['port']}/pladsanvisning\n" in shown.stdout
    systems = load(unmarked.map_path)
    rehearsal.check_markers(systems, ["pladsanvisning", "booking"], unmarked.tenant, unmarked.cvr)


@pytest.mark.parametrize("typed", ["pladsanvisning\n", "pladsanvisning\nbookng\n", "yes\nyes\n"])
def test_prepare_marks_nothing_when_one_name_is_not_typed(unmarked: World, typed: str) -> None:
    words = ["prepare", str(unmarked.map_path), "--system", "pladsanvisning", "--system", "booking"]
    shown = CliRunner().invoke(rehearsal.app, words, input=typed)
    assert shown.exit_code != 0
    assert marker_codes(unmarked) == "TARGET_NOT_MARKED systems.pladsanvisning"


def test_scripts_name_every_system_and_no_other(unmarked: World) -> None:
    words = ["prepare", str(unmarked.map_path)]
    for name in ("pladsanvisning", "morgenvagt", "bookings"):
        words += ["--yes", name]
    shown = CliRunner().invoke(rehearsal.app, words)
    assert shown.exit_code == 2
    assert "NAME_NOT_CONFIRMED [systems.bookings]" in shown.stderr
    assert marker_codes(unmarked) == "TARGET_NOT_MARKED systems.pladsanvisning"


def test_targets_are_listed_with_host_and_row_counts(world: World) -> None:
    systems = load(world.map_path)
    found = {each.system: each for each in rehearsal.list_targets(systems, systems.systems, world.tenant, world.cvr)}
    assert found["pladsanvisning"].where == f"127.0.0.1:{world.servers['pladsanvisning']['port']}/pladsanvisning"
    assert (found["extens"].rows, found["extens"].tenant_rows) == (0, None)  # people act on it: nobody counts
    for name, each in ((name, found[name]) for name in world.rows[world.cvr]):
        assert each.tenant_rows == sum(world.rows[world.cvr][name].values())
        assert each.rows > each.tenant_rows


def test_an_unknown_system_is_named(world: World) -> None:
    shown = CliRunner().invoke(rehearsal.app, ["prepare", str(world.map_path), "--system", "tabulex"])
    assert shown.exit_code == 2
    assert "MAP_UNKNOWN_SYSTEM" in shown.stderr


# Neighbours


def stats(world: World) -> dict[str, Any]:
    path = world.folder / neighbours.STATS
    return json.loads(path.read_text()) if path.exists() else {"total": 0, "done": {}, "failed": {}}


def test_neighbours_work_in_every_system_and_go_on_after_a_kill(world: World) -> None:
    with process("neighbours", world) as running:
        until(lambda: len(stats(world)["done"]) == 8, "every kind of work was done")
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    before = stats(world)
    with process("neighbours", world):
        until(lambda: stats(world)["total"] > before["total"], "they go on counting")
    assert stats(world)["failed"] == {}


def test_neighbours_touch_their_own_rows_only(made: Made) -> None:
    world, settings = made
    systems = load(world.map_path)
    before = tenant_content(settings)
    with process("neighbours", world):
        until(lambda: len(stats(world)["done"]) == 8, "every kind of work was done")
    assert tenant_content(settings) == before
    for target in rehearsal.list_targets(systems, world.rows[world.cvr], world.tenant, world.cvr):
        assert target.tenant_rows == sum(world.rows[world.cvr][target.system].values())


def tenant_content(settings: WorldSettings) -> list[Any]:
    """Read digests over the leaving tenant's children and applications, and its mornings."""
    with psycopg.connect(database(settings)) as admin:
        found: list[Any] = [
            admin.execute(
                f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {place} t WHERE kommunekode = %s",
                (data.LEAVING.code,),
            ).fetchone()
            for place in ("barn", "ansoegning")
        ]
    with pymongo.MongoClient(settings.mongo_uri) as client:
        return [*found, list(client.morgenvagt.fremmoede.find({"kommune": data.LEAVING.code}).sort("_id"))]


# The processes


@pytest.mark.parametrize("name", ["case-index", "neighbours", "retention"])
def test_a_process_without_a_world_says_so_and_ends(name: str, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "deploy.demo", name, "--world", str(tmp_path / "nowhere")]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    assert ended.returncode == 2
    assert "WORLD_MISSING" in ended.stderr


def test_a_mongo_database_that_the_demo_did_not_make_is_left_alone(made: Made) -> None:
    world, settings = made
    with pymongo.MongoClient(settings.mongo_uri) as client:
        version = {"_id": "version"}
        client.morgenvagt.systemindstillinger.update_one(version, {"$unset": {"made_by": ""}})
        try:
            with pytest.raises(Rejected, match="TARGET_EXISTS"):
                make_world(settings)
            assert client.morgenvagt.fremmoede.count_documents({}) > 5_000
            assert world.map_path.exists()
        finally:
            client.morgenvagt.systemindstillinger.update_one(version, {"$set": {"made_by": "ophor-demo"}})

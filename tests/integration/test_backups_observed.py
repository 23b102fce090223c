"""An exit's backups over six months on the real store: rolling, late, forgotten, beside the catalogue, dated wrong."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.deletion import store
from services.deletion.worker import backups, ground
from tests.integration import connectors_targets as targets
from tests.integration.deletion_house import EXIT
from tests.integration.deletion_world import World, a_world
from tests.parts import Parts

BEGUN = datetime(2026, 10, 1, 8, tzinfo=UTC)
FOUND, OVERDUE, OBSERVED = (f"deletion.backup_{name}" for name in ("found", "overdue", "observed"))


@pytest.fixture
def world(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with ExitStack() as stack:
        target = stack.enter_context(targets.sqlite(tmp_path))
        made = stack.enter_context(a_world(target, parts.mongo_uri, tmp_path, monkeypatch))
        target.content["backups"] = [
            {"kind": "postgresql", "folder": str(tmp_path / "base")},
            {"kind": "binlog", "folder": str(tmp_path / "log"), "retention_days": 14},
        ]
        for name in ("base", "log"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "catalogue.json").write_text("{}")
        (tmp_path / "log" / "binlog.000001").write_bytes(b"\xfebin" + struct.pack("<I", 1_700_000_000))
        made.house.store.db.exits.drop()
        made.house.order()
        yield made


def base(world: World, name: str, day: str) -> Path:
    place = world.house.folder / "base" / name
    place.mkdir()
    (place / "backup_label").write_text(f"START TIME: {day} 02:00:00 UTC\nLABEL: {name}\n")
    return place


def register(world: World, name: str, taken: str, expires: str) -> None:
    body = {"system": "maal", "set_id": name, "taken_on": taken, "expires_on": expires, "kind": "postgresql"}
    world.house.ask("register_backup", body)


def pass_days(world: World, until: int) -> None:
    """Let the days pass on which a timer is due, as the clock does, until so many after the deletion."""
    end = BEGUN + timedelta(until)
    while (due := world.house.timer()) and due.replace(tzinfo=UTC) <= end:
        world.house.clock.instant = max(world.house.clock.instant, due.replace(tzinfo=UTC) + timedelta(hours=8))
        world.house.fire()
    world.house.clock.instant = end


def answers(world: World) -> dict[str, str]:
    return {row["set_id"]: row["state"] for row in world.house.ask("read_backups", {})["backups"]}


def test_six_months_in_which_each_set_goes_its_own_way(world: World) -> None:
    rolling = [base(world, f"rolling-{month}", f"2026-09-{20 + month}") for month in range(6)]
    late, forgotten = base(world, "late", "2026-09-10"), base(world, "forgotten", "2026-08-01")
    wrong = base(world, "wrong", "2026-09-25")
    for month, each in enumerate(rolling):
        register(world, each.name, f"2026-09-{20 + month}", f"{BEGUN + timedelta(30 * month + 9):%Y-%m-%d}")
    register(world, "late", "2026-09-10", "2026-10-20")
    register(world, "forgotten", "2026-08-01", "2028-01-01")
    register(world, "wrong", "2026-01-01", "2026-10-15")
    beside = base(world, "beside", "2026-09-30")
    world.house.delete("D7a", "maal")
    found = {each["set_id"]: each["finding"] for each in world.house.events(FOUND)}
    assert found == {"beside": "UNCATALOGUED", "wrong": "DATED_OTHERWISE"}
    assert answers(world)["binlog-20261001"] == "WAITING"  # the copy that the deletion itself made
    register(world, "beside", "2026-09-30", "2026-10-12")
    register(world, "wrong", "2026-09-25", "2026-10-15")
    for gone in (beside, wrong):
        shutil.rmtree(gone)
    late.rename(late.parent / ".Trash")
    (world.house.folder / "log" / "binlog.000001").unlink()
    roll(world, rolling[0], 0)
    assert answers(world) == {
        "rolling-0": "GONE", **{f"rolling-{month}": "WAITING" for month in range(1, 6)}, "beside": "GONE",
        "wrong": "GONE", "late": "OVERDUE", "forgotten": "WAITING", "binlog-20261001": "GONE",
    }  # fmt: skip
    assert [(each["set_id"], each["days"]) for each in world.house.events(OVERDUE)] == [("late", 1), ("late", 8)]
    shutil.rmtree(late.parent / ".Trash")
    for month in range(1, 6):
        roll(world, rolling[month], month)
        assert answers(world)[f"rolling-{month}"] == "GONE"
    pass_days(world, 185)
    told = [each for each in world.house.events(OVERDUE) if each["set_id"] == "forgotten"]
    assert [(each["last_on"], each["days"]) for each in told] == [("2027-04-01", 1)]  # six months, whatever was planned
    assert not world.house.events("deletion.backups_expired")
    shutil.rmtree(forgotten)
    pass_days(world, 190)
    (told_once,) = world.house.events("deletion.backups_expired")
    assert told_once["sets"] == 11 and len(world.house.events(FOUND)) == 2  # what was made since is no set of this exit
    assert [each["seen"] for each in world.house.ask("read_backups", {})["curve"]][-1] == 0


def roll(world: World, gone: Path, month: int) -> None:
    """Let the tool take one set away and make a new one, as it does each month, and the month pass."""
    shutil.rmtree(gone)
    base(world, f"since-{month}", f"{BEGUN + timedelta(30 * month + 2):%Y-%m-%d}")
    pass_days(world, 30 * (month + 1))


def test_a_source_that_cannot_be_looked_into_is_an_error_for_every_set(world: World) -> None:
    shutil.rmtree(base(world, "et", "2026-09-20"))
    register(world, "et", "2026-09-20", "2026-10-05")
    world.house.delete("D7a", "maal")
    (world.house.folder / "base" / "catalogue.json").unlink()
    pass_days(world, 6)
    assert [each["answer"] for each in world.house.events(OBSERVED)] == ["ERROR", "ERROR"]
    assert answers(world)["et"] == "UNSEEN"


def test_a_set_beside_the_catalogue_keeps_the_expiry_away_even_when_it_is_gone(world: World) -> None:
    beside = base(world, "beside", "2026-09-30")
    world.house.delete("D7a", "maal")
    shutil.rmtree(beside)
    (world.house.folder / "log" / "binlog.000001").unlink()
    pass_days(world, 20)
    assert answers(world) == {"binlog-20261001": "GONE"}
    assert not world.house.events("deletion.backups_expired")
    register(world, "beside", "2026-09-30", "2026-10-12")
    pass_days(world, 40)
    assert world.house.events("deletion.backups_expired")


def test_a_set_registered_after_the_deletion_is_known_by_its_content_and_looked_for_in_time(world: World) -> None:
    kept = base(world, "kept", "2026-09-30")
    world.house.delete("D7a", "maal")
    (world.house.folder / "log" / "binlog.000001").unlink()
    register(world, "kept", "2026-09-30", "2028-01-01")
    world.house.carry()
    kept.rename(kept.parent / ".Trash")
    pass_days(world, 185)
    told = [(each["set_id"], each["last_on"], each["days"]) for each in world.house.events(OVERDUE)]
    assert told == [("kept", "2027-04-01", 1)]
    assert answers(world)["kept"] == "OVERDUE"


def test_what_is_registered_while_a_look_lasts_stands(world: World) -> None:
    base(world, "wrong", "2026-09-25")
    register(world, "wrong", "2026-01-01", "2026-10-15")
    world.house.delete("D7a", "maal")
    world.house.clock.instant = BEGUN + timedelta(20)
    task = {"type": "deletion.verify.observe_backups", "id": "m-1", "data": {"exit_id": EXIT, "on": "2026-10-21"}}
    work = world.house.work(task)
    exit_ = world.house.store.read(lambda unit: store.load_exit(unit, EXIT))
    looked = backups.observe(work, EXIT, ground.load_map(work, exit_))
    register(world, "wrong", "2026-09-25", "2026-12-01")
    world.house.store.run(lambda unit: backups.keep(unit, EXIT, looked))
    (row,) = (row for row in world.house.ask("read_backups", {})["backups"] if row["set_id"] == "wrong")
    assert (row["taken_on"], row["expires_on"], row["answer"]) == ("2026-09-25", "2026-12-01", "PRESENT")

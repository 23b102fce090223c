"""A drill per engine, on real ones: backup, exit, restore announced or not, found, deleted again, released."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import Rejected
from services.deletion.domain import restore as rules
from shared.restoring import put_back
from tests.integration.deletion_house import Killed
from tests.integration.restores_parts import ENGINES, Drill, a_drill
from tests.parts import Parts

FOUND, LOOKED, REPLAYED, CLEARED = (
    f"deletion.{name}"
    for name in (
        "reappearance_found", "reappearance_looked", "restore_replayed", "restore_cleared",
    )
)  # fmt: skip
BOUNDARIES = {("look_again", 1), ("preview", 1), ("delete_batch", 1), ("delete_batch", 3), ("clean", 1), ("verify", 1)}
"""Turns of a task at which its process dies: the look, the preview, the beginning, a batch, cleaning, verification."""


@pytest.fixture(params=ENGINES)
def drill(
    request: pytest.FixtureRequest, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Drill]:
    with a_drill(request.param, parts, tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def quick(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drill]:
    with a_drill("postgresql", parts, tmp_path, monkeypatch) as made:
        yield made


def test_a_restore_behind_our_back_is_found_within_the_interval_and_deleted_again(drill: Drill) -> None:
    taken = drill.back_up()
    neighbours = drill.world.target.neighbours()
    done = drill.world.house.delete("D7a", "maal")
    assert done["state"] == "verified" and drill.world.rows() == 0 and drill.gate()["released"]
    deleted = sum(row["deleted"] for row in done["places"])

    put_back(drill.map, taken)
    assert drill.world.rows() > 0 and drill.gate()["released"]  # nobody knows yet
    drill.pass_days(timedelta(days=7))

    (found,) = drill.events(FOUND)
    assert found["cause"] == "SCHEDULED" and found["after_job"] == done["job_id"] and found["rows"] > 0
    (open_,) = drill.gate()["restores"]
    assert not drill.gate()["released"] and open_["state"] == "found" and open_["rows"] == found["rows"]

    again = drill.delete_again()
    assert again["state"] == "verified" and again["job_id"] != done["job_id"]
    assert drill.events("deletion.deletion_previewed")[-1]["restore_id"] == found["restore_id"]
    (replayed,) = drill.events(REPLAYED)
    assert replayed["job_id"] == again["job_id"] and 0 < replayed["deleted"] <= deleted
    assert drill.gate()["released"] and drill.world.rows() == 0
    assert drill.world.target.neighbours() == neighbours


def test_an_announced_restore_closes_the_gate_until_its_replay_is_verified(quick: Drill) -> None:
    taken = quick.back_up()
    done = quick.world.house.delete("D7a", "maal")
    told = quick.announce()
    (entry,) = told["entries"]
    assert entry["needed"] and entry["job_id"] == done["job_id"]
    assert {row["place"]: row["predicate"] for row in entry["places"]} == {
        "noter": "sag/lejer = {tenant}", "sager": "lejer = {tenant}",
    }  # fmt: skip
    assert not quick.gate()["released"]
    put_back(quick.map, taken)
    quick.replay(told["restore_id"])
    assert [row["cause"] for row in quick.events(FOUND)] == ["ANNOUNCED"]
    assert quick.gate()["restores"][0]["state"] == "found"
    assert quick.delete_again()["state"] == "verified"
    assert quick.gate()["released"] and len(quick.events(REPLAYED)) == 1
    assert quick.announce("natlig-2")["restore_id"] != told["restore_id"]


def test_an_announced_restore_that_brings_nothing_back_is_cleared_by_a_look(quick: Drill) -> None:
    quick.world.house.delete("D7a", "maal")
    taken = quick.back_up()
    told = quick.announce()
    quick.pass_days(timedelta(days=8))
    assert not quick.gate()["released"]  # an announcement ends by a replay, never by waiting
    put_back(quick.map, taken)
    quick.replay(told["restore_id"])
    assert [row["restore_id"] for row in quick.events(CLEARED)] == [told["restore_id"]]
    assert quick.gate()["released"] and not quick.events(FOUND)


def test_a_look_that_began_before_the_hand_over_clears_nothing(quick: Drill) -> None:
    house, taken = quick.world.house, quick.back_up()
    house.delete("D7a", "maal")
    told = quick.announce()
    house.clock.instant += timedelta(days=8)  # the scheduled look is due
    house.store.fire_due()
    house.tell("deletion.reappearance_look_due", house.events("deletion.reappearance_look_due")[-1])
    work = house.work(house.tasks()[0])
    commit = work.commit

    def restored_meanwhile(handle: Callable[[Any], Any]) -> Any:
        """The look has seen nothing yet; before it can say so, the backup is put back and handed over."""
        put_back(quick.map, taken)
        house.ask("replay_restore", {"restore_id": told["restore_id"]})
        return commit(handle)

    work.commit = restored_meanwhile  # type: ignore[method-assign]
    house.hands["verify"]().look_again(work)  # type: ignore[attr-defined]
    assert not quick.gate()["released"] and not quick.events(CLEARED)
    house.carry()
    assert [row["cause"] for row in quick.events(FOUND)] == ["ANNOUNCED"]


def test_the_gate_stays_closed_while_the_replay_fails(quick: Drill) -> None:
    taken = quick.back_up()
    quick.world.house.delete("D7a", "maal")
    told = quick.announce()
    put_back(quick.map, taken)
    quick.replay(told["restore_id"])
    quick.world.house.due("D7a", "maal")
    quick.world.house.carry()
    quick.world.execute("CREATE TABLE kommet_til (id int)")  # the restored schema is not the approved one
    quick.world.house.permit()
    quick.world.house.carry()
    job = quick.world.house.ask("read_job", {"activity": "D7a"})
    assert job["state"] == "stopped" and not quick.gate()["released"] and not quick.events(REPLAYED)
    quick.pass_days(timedelta(days=3))
    assert not quick.gate()["released"] and quick.world.rows() > 0
    quick.world.execute("DROP TABLE kommet_til")
    assert quick.delete_again()["state"] == "verified" and quick.gate()["released"]


def test_a_look_that_cannot_be_made_is_no_absence(quick: Drill) -> None:
    taken = quick.back_up()
    quick.world.house.delete("D7a", "maal")
    told = quick.announce()
    put_back(quick.map, taken)
    quick.world.execute("REVOKE SELECT ON sager FROM PUBLIC")
    reader = quick.world.target.content["credentials"]["verify"]["user"]
    quick.world.execute(f"REVOKE SELECT ON sager FROM {reader}")
    quick.replay(told["restore_id"])
    (row,) = quick.events(LOOKED)[-1]["systems"]
    assert row["answer"] == "ERROR" and row["code"] and not quick.gate()["released"]
    assert quick.gate()["restores"][0]["code"] == row["code"]
    quick.world.execute(f"GRANT SELECT ON sager TO {reader}")
    quick.pass_days(timedelta(days=1))  # it comes again by itself
    assert [row["cause"] for row in quick.events(FOUND)] == ["ANNOUNCED"]


def test_a_crash_at_every_boundary_of_the_replay_loses_nothing(quick: Drill) -> None:
    taken = quick.back_up()
    quick.world.house.delete("D7a", "maal")
    told = quick.announce()
    put_back(quick.map, taken)
    rows, died = quick.world.rows(), _dies(quick, BOUNDARIES)
    quick.replay(told["restore_id"])
    assert not quick.gate()["released"]
    job = quick.delete_again()
    assert died == BOUNDARIES and job["state"] == "verified" and quick.gate()["released"]
    assert sum(row["deleted"] for row in job["places"]) == rows == quick.events(REPLAYED)[-1]["deleted"]
    assert len(quick.events(FOUND)) == len(quick.events(REPLAYED)) == 1


def _dies(drill: Drill, boundaries: set[tuple[str, int]]) -> set[tuple[str, int]]:
    """Have the process die at each of these turns of a task, after its work and before its commit; give where it did.

    What it was to do is then done by another process.
    """
    house, turns, died = drill.world.house, dict.fromkeys((name for name, _ in boundaries), 0), set()
    do = house.do

    def dying(body: dict[str, Any]) -> None:
        _, hand, name = body["type"].split(".")
        turns[name] = turns.get(name, 0) + 1
        if (name, turns[name]) not in boundaries:
            do(body)
            return
        work = house.work(body)
        work.commit = _dead  # type: ignore[method-assign]
        with pytest.raises(Killed):
            getattr(house.hands[hand](), name)(work)
        died.add((name, turns[name]))

    house.do = dying  # type: ignore[method-assign]
    return died


def _dead(handle: Callable[[Any], Any]) -> None:
    raise Killed


def test_a_system_that_no_order_names_is_not_released(quick: Drill) -> None:
    with pytest.raises(Rejected) as refused:
        quick.world.house.ask("restore_check", {"system": "stavefejl"})
    assert refused.value.code == "SYSTEM_UNKNOWN"
    with pytest.raises(Rejected) as refused:
        quick.world.house.ask("replay_restore", {"restore_id": "rst-ingen"})
    assert refused.value.code == "RESTORE_UNKNOWN"


def test_a_set_that_was_seen_to_be_gone_and_can_be_restored_is_not_gone(quick: Drill) -> None:
    house = quick.world.house
    backup = {"system": "maal", "set_id": "natlig-1", "taken_on": "2026-09-30", "expires_on": "2026-10-05"}
    house.ask("register_backup", backup)
    (quick.folder / "backups").mkdir()
    (quick.folder / "backups" / "catalogue.json").write_text("{}")
    house.delete("D7a", "maal")
    quick.pass_days(timedelta(days=6))
    assert house.ask("read_backups", {})["backups"][0]["answer"] == "GONE"
    told = quick.announce()
    assert told["taken_on"] == "2026-09-30" and told["entries"][0]["needed"]
    assert house.events("deletion.backup_observed")[-1]["answer"] == "PRESENT"
    quick.announce("ukendt")
    assert [row["set_id"] for row in house.ask("read_backups", {})["findings"]] == ["ukendt"]


def test_looks_go_on_until_the_backups_are_gone_and_no_longer() -> None:
    today = date(2026, 10, 8)
    assert rules.next_look(today, every=7, anxious=False, over=False) == date(2026, 10, 15)
    assert rules.next_look(today, every=7, anxious=True, over=True) == date(2026, 10, 9)
    assert rules.next_look(today, every=7, anxious=False, over=True) is None


def test_a_drill_puts_nothing_back_over_what_is_no_marked_copy(quick: Drill) -> None:
    taken = quick.back_up()
    later = datetime.now(UTC).timestamp() + 8 * 24 * 3600
    with pytest.raises(Rejected) as refused:
        put_back(quick.map, taken, lambda: later)
    assert refused.value.code == "TARGET_NOT_MARKED"

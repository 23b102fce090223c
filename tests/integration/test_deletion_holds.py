"""Holds, cancellations and the moment of beginning, on a real database: what was decided first is what holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import OphorError
from contracts.roles import CUSTOMER_DPO, CUSTOMER_LEAD, DELETION_OFFICER
from services.deletion import store
from shared.connectors.sql.batch import SqlBatch
from tests.integration import connectors_targets as targets
from tests.integration.deletion_house import EXIT
from tests.integration.deletion_world import World, a_world, preview, stopped
from tests.parts import Parts

FIRST, DOCUMENT, ANOTHER = f"{EXIT}.D7a.1", "a" * 64, "b" * 64
HOLD = {"system": "maal", "basis": "INSTRUCTION", "digest": DOCUMENT}
ANSWERS = ("deletion.deletion_cancelled", "deletion.deletion_already_begun")


@pytest.fixture
def world(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with (
        targets.postgresql(parts.postgres_uri, tmp_path) as target,
        a_world(target, parts.mongo_uri, tmp_path, monkeypatch) as one,
    ):
        yield one


def job(world: World) -> dict[str, Any]:
    return world.house.ask("read_job", {"activity": "D7a"})


def told(world: World, *wires: str) -> list[str]:
    return [wire for wire in wires for _ in world.house.events(wire)]


def again(world: World) -> None:
    """Have the activity be due once more, its job permitted and carried to its end."""
    world.house.due("D7a", "maal")
    world.house.carry()
    world.house.permit()
    world.house.carry()


# Holds.


@pytest.mark.parametrize("system", ["maal", None])
@pytest.mark.parametrize("role", [CUSTOMER_LEAD, CUSTOMER_DPO, DELETION_OFFICER])
def test_a_hold_keeps_a_permitted_job_from_beginning_and_its_lifting_allows_it_again(
    world: World, system: str | None, role: str
) -> None:
    preview(world)
    world.house.permit()
    placed = world.house.ask("place_hold", HOLD | {"system": system}, role)
    assert placed == world.house.ask("place_hold", HOLD | {"system": system}, role)
    world.house.carry()
    assert stopped(world) == ("HOLD_PLACED", f"systems.{system}" if system else "systems")
    assert world.rows() == 11 and not world.house.events("deletion.deletion_begun")

    lift = {"hold_id": placed["hold_id"], "digest": ANOTHER}
    for _ in range(2):
        assert world.house.ask("lift_hold", lift, role)["state"] == "lifted"
    again(world)
    assert job(world)["state"] == "verified"
    (first,), (last,) = world.house.events("deletion.hold_placed"), world.house.events("deletion.hold_lifted")
    assert (first["hold_id"], first["basis"], first["role"]) == (last["hold_id"], "INSTRUCTION", role)


def test_a_hold_in_the_middle_stops_before_the_next_row_and_the_sums_stay_true(world: World) -> None:
    preview(world)
    world.house.permit()
    world.house.carry(until=lambda: bool(world.house.events("deletion.deletion_batch_closed")))
    left = world.rows()
    assert 0 < left < 11
    placed = world.house.ask("place_hold", HOLD | {"basis": "LAW"}, DELETION_OFFICER)
    world.house.carry()
    assert stopped(world) == ("HOLD_PLACED", "systems.maal")
    assert world.rows() == left
    assert sum(each["deleted"] for each in world.house.events("deletion.deletion_batch_closed")) == 11 - left
    world.house.ask("lift_hold", {"hold_id": placed["hold_id"], "digest": ANOTHER}, DELETION_OFFICER)
    again(world)
    assert (job(world)["state"], world.rows()) == ("verified", 0)


def test_a_hold_that_comes_while_rows_are_being_deleted_undoes_that_batch(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview(world)
    world.house.permit()
    real = SqlBatch.effects

    def slow(batch: SqlBatch) -> dict[str, int]:  # the rows are deleted on the target, but not committed
        world.house.ask("place_hold", HOLD, CUSTOMER_LEAD)
        return real(batch)

    monkeypatch.setattr(SqlBatch, "effects", slow)
    world.house.carry()
    assert stopped(world) == ("HOLD_PLACED", "systems.maal")
    (batch,) = world.house.events("deletion.deletion_batch_closed")
    assert (batch["deleted"], world.rows()) == (0, 11)


def test_a_wrong_hold_is_refused_and_changes_nothing(world: World) -> None:
    placed = world.house.ask("place_hold", HOLD, CUSTOMER_LEAD)
    wrong: tuple[tuple[str, dict[str, Any], str, str, str], ...] = (
        ("place_hold", HOLD | {"system": "andet"}, CUSTOMER_LEAD, "SYSTEM_UNKNOWN", "system"),
        ("place_hold", HOLD | {"basis": "DISPUTE"}, CUSTOMER_LEAD, "MESSAGE_INVALID", "basis"),
        ("lift_hold", {"hold_id": "x", "digest": DOCUMENT}, CUSTOMER_LEAD, "HOLD_UNKNOWN", "hold_id"),
        (
            "lift_hold", {"hold_id": placed["hold_id"], "digest": ANOTHER}, DELETION_OFFICER, "WRONG_PARTY", "hold_id",
        ),
    )  # fmt: skip
    for command, body, role, code, field in wrong:
        with pytest.raises(OphorError) as caught:
            world.house.ask(command, body, role)
        assert (caught.value.code, caught.value.field) == (code, field)
        assert caught.value.remedy and caught.value.da
    assert told(world, "deletion.hold_placed", "deletion.hold_lifted") == ["deletion.hold_placed"]


# Races: both transactions have read before either writes.


def at_once(monkeypatch: pytest.MonkeyPatch, meet_in: str, *steps: Callable[[], Any]) -> None:
    """Run the steps side by side; each waits at its first call of `store.<meet_in>` for the other to come there."""
    real, met, barrier = getattr(store, meet_in), threading.local(), threading.Barrier(len(steps), timeout=120)

    def meeting(*args: Any, **named: Any) -> Any:
        if not getattr(met, "once", False):
            met.once = True
            barrier.wait()
        return real(*args, **named)

    def run(step: Callable[[], Any]) -> None:
        try:
            step()
        except OphorError as error:
            assert error.code == "FENCED", error  # the other was first: the task is tried again, below

    with monkeypatch.context() as patched, ThreadPoolExecutor(len(steps)) as pool:
        patched.setattr(store, meet_in, meeting)
        for done in [pool.submit(run, step) for step in steps]:
            done.result(60)


ORDERS = ["cancelled first", "cancelled last", "at once"]


def in_order(how: str, monkeypatch: pytest.MonkeyPatch, cancel: Callable[[], Any], other: Callable[[], Any]) -> None:
    if how == "at once":
        at_once(monkeypatch, "save_job", cancel, other)
        return
    for step in (cancel, other) if how == "cancelled first" else (other, cancel):
        step()


@pytest.mark.parametrize("how", ORDERS)
def test_a_permit_and_a_cancellation_in_any_order_leave_the_job_cancelled_for_good(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    preview(world)
    in_order(how, monkeypatch, lambda: world.house.cancel(FIRST), world.house.permit)
    world.house.carry()
    assert told(world, *ANSWERS, "deletion.deletion_begun") == ["deletion.deletion_cancelled"]
    world.house.permit()
    world.house.cancel(FIRST)
    world.house.carry()
    assert told(world, *ANSWERS) == ["deletion.deletion_cancelled"], "a late permit has no effect, the answer stands"
    assert (job(world)["state"], world.rows()) == ("cancelled", 11)
    again(world)
    assert (job(world)["job_id"], job(world)["state"]) == (f"{EXIT}.D7a.2", "verified")


@pytest.mark.parametrize("how", ORDERS)
def test_beginning_and_a_cancellation_have_exactly_one_winner(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    preview(world)
    world.house.permit()
    (begin,) = world.house.tasks()
    in_order(how, monkeypatch, lambda: world.house.cancel(FIRST), lambda: world.house.do(begin))
    world.house.carry()
    (answer,) = told(world, *ANSWERS)
    begun = bool(world.house.events("deletion.deletion_begun"))
    assert begun == (answer == "deletion.deletion_already_begun")
    assert begun in {"cancelled first": {False}, "cancelled last": {True}, "at once": {False, True}}[how]
    assert (job(world)["state"], world.rows()) == (("verified", 0) if begun else ("cancelled", 11))


def test_beginning_and_a_hold_at_once_delete_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    preview(world)
    world.house.permit()
    (begin,) = world.house.tasks()
    at_once(
        monkeypatch, "claim_exit", lambda: world.house.ask("place_hold", HOLD, CUSTOMER_DPO),
        lambda: world.house.do(begin),
    )  # fmt: skip
    world.house.carry()
    assert stopped(world)[0] == "HOLD_PLACED"
    assert world.rows() == 11 and len(world.house.events("deletion.hold_placed")) == 1


# The exit is cancelled.


def cancel_exit(world: World) -> None:
    body = {"reason": "agreement_continues", "digest": DOCUMENT, "on": "2026-10-01"}
    world.house.tell("orders.exit_cancelled", body)


def test_after_the_exit_was_cancelled_nothing_begins_any_more(world: World) -> None:
    preview(world)
    world.house.permit()
    cancel_exit(world)
    world.house.cancel(FIRST)
    again(world)
    assert told(world, *ANSWERS, "deletion.deletion_begun") == ["deletion.deletion_cancelled"]
    assert [each["state"] for each in world.house.ask("list_jobs", {})["jobs"]] == ["cancelled"]
    assert world.rows() == 11


def test_what_had_begun_when_the_exit_was_cancelled_goes_on_to_its_end(world: World) -> None:
    preview(world)
    world.house.permit()
    world.house.carry(until=lambda: bool(world.house.events("deletion.deletion_batch_closed")))
    cancel_exit(world)
    world.house.cancel(FIRST)
    world.house.carry()
    (answer,) = world.house.events("deletion.deletion_already_begun")
    assert answer["batches"] >= 1
    assert (job(world)["state"], world.rows()) == ("verified", 0)


def test_an_exit_cancelled_before_its_final_order_is_known_never_begins(world: World) -> None:
    world.house.store.db.exits.drop()
    cancel_exit(world)
    world.house.order()
    preview(world)
    assert world.house.ask("list_jobs", {})["jobs"] == []


def test_a_plan_with_other_systems_replaces_the_job_that_has_not_begun(world: World) -> None:
    preview(world)
    world.house.due("D7a", "maal", "ukendt")
    world.house.carry()
    assert told(world, *ANSWERS) == ["deletion.deletion_cancelled"]
    assert stopped(world) == ("SYSTEM_UNKNOWN", "systems.ukendt")
    again(world)
    assert job(world)["state"] == "verified"

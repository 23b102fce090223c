"""Races with a deletion: holds, cancellations and rows that vanish at every step, and sessions beside our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from contracts.roles import CUSTOMER_LEAD
from services.deletion.worker import transaction
from shared.connectors.sql import sessions
from shared.connectors.sql.batch import SqlBatch
from tests.integration import connectors_targets as targets
from tests.integration.deletion_house import Killed
from tests.integration.deletion_world import World, a_world, preview, stopped
from tests.integration.test_deletion_holds import FIRST, HOLD, at_once, told
from tests.parts import Parts


@pytest.fixture
def world(
    request: pytest.FixtureRequest, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    made: dict[str, Callable[[], Any]] = {
        "postgresql": lambda: targets.postgresql(parts.postgres_uri, tmp_path),
        "mariadb": lambda: targets.mariadb(parts.mariadb, tmp_path),
    }
    with (
        made[getattr(request, "param", "postgresql")]() as target,
        a_world(target, parts.mongo_uri, tmp_path, monkeypatch) as one,
    ):
        yield one


def begun(world: World) -> dict[str, Any]:
    """Begin a permitted job; give the task of its first batch."""
    preview(world)
    world.house.permit()
    world.house.do(world.house.tasks()[0])
    (first,) = world.house.tasks()
    return first


def counted(world: World) -> int:
    return sum(each["deleted"] for each in world.house.events("deletion.deletion_batch_closed"))


# What comes at a step of the first batch: step → where, before or after it, and how many rows are in hand then.

STEPS: dict[str, tuple[Any, str, bool, int]] = {
    "before the intent": (transaction, "open_", False, 0),
    "after the intent": (transaction, "_act", False, 0),
    "after the rows are deleted, not kept": (SqlBatch, "effects", True, 0),
    "after it is decided that they are kept": (SqlBatch, "commit", False, 3),
    "after the target has kept them": (SqlBatch, "commit", True, 3),
    "before the batch is closed": (transaction, "close", False, 3),
}


def at_step(monkeypatch: pytest.MonkeyPatch, step: str, act: Callable[[], Any]) -> None:
    """Have `act` happen when the first batch comes to a step."""
    owner, name, after, _ = STEPS[step]
    real, done = getattr(owner, name), list[str]()

    def reached(*args: Any) -> Any:
        result = real(*args) if after else None
        if not done:
            done.append(step)
            act()
        return result if after else real(*args)

    monkeypatch.setattr(owner, name, reached)


@pytest.mark.parametrize("step", STEPS)
def test_after_a_holds_answer_no_row_goes_but_those_that_it_names(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    begun(world)
    answers: list[tuple[int, int]] = []

    def hold() -> None:
        placed = world.house.ask("place_hold", HOLD, CUSTOMER_LEAD)
        answers.append((placed["in_hand"], world.rows()))

    at_step(monkeypatch, step, hold)
    world.house.carry()
    ((in_hand, rows),) = answers
    assert in_hand == STEPS[step][3]
    assert rows - world.rows() <= in_hand, "kept after the hold's answer, which did not name it"
    assert stopped(world) == ("HOLD_PLACED", "systems.maal")
    assert counted(world) == 11 - world.rows() == in_hand
    placed = world.house.ask("place_hold", HOLD, CUSTOMER_LEAD)
    assert placed["in_hand"] == 0, "the batch is closed: nothing is in hand any more"


def test_a_batch_that_died_and_whose_job_was_stopped_keeps_no_key_and_is_in_nobodys_hand(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = begun(world)

    def die() -> None:
        raise Killed

    at_step(monkeypatch, "after it is decided that they are kept", die)
    with pytest.raises(Killed):
        world.house.do(first)
    (world.house.folder / "maps" / f"{world.house.digest}.yaml").write_text("version: 1\nsystems: {}\n")
    world.house.carry()
    stopped(world)
    assert [row for row in world.house.store.db.batches.find() if "keys" in row] == []
    assert world.house.ask("place_hold", HOLD, CUSTOMER_LEAD)["in_hand"] == 0


def test_a_hold_and_the_keeping_of_a_batch_at_once_have_one_order(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = begun(world)
    answers: list[tuple[int, int]] = []

    def hold() -> None:
        placed = world.house.ask("place_hold", HOLD, CUSTOMER_LEAD)
        answers.append((placed["in_hand"], world.rows()))

    at_once(monkeypatch, "claim_exit", hold, lambda: world.house.do(first))
    world.house.carry()
    ((in_hand, rows),) = answers
    assert rows - world.rows() <= in_hand <= 3
    assert stopped(world)[0] == "HOLD_PLACED"
    assert counted(world) == 11 - world.rows() in (0, 3)


def test_a_cancellation_at_any_step_of_the_first_batch_is_answered_that_it_has_begun(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(world)
    for step in STEPS:
        at_step(monkeypatch, step, lambda: world.house.cancel(FIRST))
    world.house.carry()
    assert set(told(world, "deletion.deletion_cancelled", "deletion.deletion_already_begun")) == {
        "deletion.deletion_already_begun"
    }
    assert world.house.ask("read_job", {"activity": "D7a"})["state"] == "verified"
    assert (world.rows(), counted(world), world.target.neighbours()) == (0, 11, 8)


# Rows vanish: somebody else deletes the customer's rows.


def vanish(world: World, where: str = "true") -> None:
    world.execute("UPDATE sager SET note = NULL, over = NULL; DELETE FROM noter WHERE nr < 100")
    world.execute(f"DELETE FROM sager WHERE lejer = 101 AND {where}")


def test_rows_that_vanished_between_approval_and_beginning_stop_the_job_before_the_first_row(world: World) -> None:
    preview(world)
    vanish(world)
    world.house.permit()
    world.house.carry()
    assert stopped(world) == ("COUNT_BELOW_PREVIEW", "systems.maal.places.noter")
    assert not told(world, "deletion.deletion_begun", "deletion.deletion_batch_closed")


def test_rows_that_vanish_while_the_job_deletes_make_no_true_sum_and_no_certificate(world: World) -> None:
    begun(world)
    world.house.carry(until=lambda: counted(world) > 0)
    ours = counted(world)
    vanish(world, f"id = '{targets.uuid_of(10106)}'")
    world.house.carry()
    (answer,) = world.house.events("deletion.deletion_verified")
    rows = {row["place"]: row for row in answer["places"]}
    assert (answer["result"], rows["sager"]["residual"]) == ("ERROR", 0)
    assert (rows["sager"]["before"], rows["sager"]["deleted"]) == (7, 6), "ours alone are counted as deleted"
    assert counted(world) == ours + 6


# Sessions beside our own, with our credentials.

both = pytest.mark.parametrize("world", ["postgresql", "mariadb"], indirect=True)
NEIGHBOUR = "DELETE FROM noter WHERE nr = 202"


def connect(world: World) -> Any:
    """Open a session with the deleter's user, as nobody but our engine should."""
    where, user = world.target.content["connection"], world.target.content["credentials"]["delete"]["user"]
    named = {"host": where["host"], "port": where["port"], "user": user, "password": "hemmelig"}
    if world.target.kind == "mariadb":
        return pymysql.connect(**named, database=where["database"], autocommit=True)
    return psycopg.connect(**named, dbname=where["database"], autocommit=True)


def elsewhere(world: World, batch: SqlBatch, stack: ExitStack, how: str) -> None:
    """Delete a neighbour's row outside the batch's transaction, and leave the session open."""
    if how == "a session of its own":
        stack.enter_context(connect(world)).cursor().execute(NEIGHBOUR)
        return
    second = stack.enter_context(batch._connection.engine.connect())
    second.exec_driver_sql(NEIGHBOUR if world.target.kind == "mariadb" else NEIGHBOUR.replace("noter", "public.noter"))
    second.commit()


@both
@pytest.mark.parametrize("how", ["a session of its own", "the second of our engine"])
def test_a_connector_that_deletes_over_a_second_session_stops_the_job_and_keeps_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(sessions, "PATIENCE_S", 0.2)  # nobody is going to end here
    world.execute("UPDATE sager SET note = NULL WHERE lejer = 102")
    real = SqlBatch.delete
    with ExitStack() as stack:

        def rogue(batch: SqlBatch, place: str, keys: Any) -> int:
            elsewhere(world, batch, stack, how)
            return real(batch, place, keys)

        monkeypatch.setattr(SqlBatch, "delete", rogue)
        world.house.delete("D7a", "maal")
    assert world.target.neighbours() == 7, "the fault was made: a neighbour's row is gone, which no accounting saw"
    assert stopped(world) == ("SECOND_SESSION", "systems.maal.credentials.delete")
    assert (world.rows(), counted(world)) == (11, 0)
    assert not told(world, "deletion.deletion_executed", "deletion.deletion_verified")


@both
def test_another_exits_deleter_and_a_session_that_has_ended_are_no_strangers(world: World) -> None:
    other = world.target.open("delete", "102", targets.OTHER_CVR)
    other.discover()
    connect(world).close()
    assert world.house.delete("D7a", "maal")["state"] == "verified"

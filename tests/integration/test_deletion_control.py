"""The control of a deletion on a real database: pauses, window, pace, approvals, overrides, changed schemas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from contracts.deletion import APPROVAL_DAYS
from contracts.errors import OphorError
from contracts.roles import CUSTOMER_DPO, CUSTOMER_LEAD, DELETION_OFFICER
from services.deletion import domain
from shared.connectors.sql.batch import SqlBatch
from tests.integration import connectors_targets as targets
from tests.integration.deletion_house import EXIT
from tests.integration.deletion_world import World, a_world, preview, stopped
from tests.parts import Parts

FIRST, DOCUMENT, ANOTHER = f"{EXIT}.D7a.1", "a" * 64, "b" * 64
PAUSE, RESUME = {"job_id": FIRST, "reason": "OPERATION"}, {"job_id": FIRST}
ROWS = 11


class Make(Protocol):
    def __call__(self, **content: Any) -> World: ...


@pytest.fixture
def make(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Give what makes a world whose system map says more of its one system."""
    with ExitStack() as stack:
        target = stack.enter_context(targets.postgresql(parts.postgres_uri, tmp_path))

        def made(**content: Any) -> World:
            target.content |= content
            return stack.enter_context(a_world(target, parts.mongo_uri, tmp_path, monkeypatch))

        yield made


@pytest.fixture
def world(make: Make) -> World:
    return make()


def job(world: World) -> dict[str, Any]:
    return world.house.ask("read_job", {"activity": "D7a"})


def permit(world: World) -> None:
    preview(world)
    world.house.permit()


def until_the_first_batch(world: World) -> int:
    """Carry on until one more batch is closed; give how many rows are left."""
    before = len(batches(world))
    world.house.carry(until=lambda: len(batches(world)) > before)
    return world.rows()


def batches(world: World) -> list[dict[str, Any]]:
    return world.house.events("deletion.deletion_batch_closed")


def sums_are_true(world: World) -> bool:
    deleted = sum(each["deleted"] for each in batches(world))
    return deleted == ROWS - world.rows() and world.target.neighbours() == 8


# Pause and resume.


def test_a_paused_job_deletes_nothing_until_it_is_resumed_and_then_goes_on_to_its_end(world: World) -> None:
    permit(world)
    left = until_the_first_batch(world)
    assert 0 < left < ROWS
    for _ in range(2):
        assert world.house.ask("pause_job", PAUSE, DELETION_OFFICER)["state"] == "paused"
    world.house.carry()
    assert (job(world)["state"], job(world)["paused_by"], world.rows()) == ("paused", "supplier", left)
    assert world.house.ask("resume_job", RESUME, CUSTOMER_LEAD)["state"] == "executing"
    world.house.carry()
    assert (job(world)["state"], world.rows()) == ("verified", 0) and sums_are_true(world)
    (paused,), (resumed,) = (world.house.events(f"deletion.deletion_{name}") for name in ("paused", "resumed"))
    assert (paused["job_id"], paused["batches"], paused["reason"], paused["role"]) == (
        FIRST, 1, "OPERATION", DELETION_OFFICER,
    )  # fmt: skip
    assert (resumed["batches"], resumed["role"]) == (1, CUSTOMER_LEAD)


@pytest.mark.parametrize("resumed", [True, False])
def test_a_pause_while_rows_are_being_deleted_closes_that_batch_and_waits_before_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch, *, resumed: bool
) -> None:
    permit(world)
    real, asked = SqlBatch.effects, list[Any]()

    def slow(batch: SqlBatch) -> dict[str, int]:  # the rows are deleted on the target, but not committed
        if not asked:
            asked.append(world.house.ask("pause_job", PAUSE, CUSTOMER_LEAD))
            if resumed:
                world.house.ask("resume_job", RESUME, CUSTOMER_LEAD)
        return real(batch)

    monkeypatch.setattr(SqlBatch, "effects", slow)
    world.house.carry()
    if not resumed:
        (batch,) = batches(world)
        assert batch["deleted"] > 0 and job(world)["state"] == "paused" and sums_are_true(world)
        world.house.ask("resume_job", RESUME, CUSTOMER_LEAD)
        world.house.carry()
    assert (job(world)["state"], world.rows()) == ("verified", 0) and sums_are_true(world)


def test_a_batch_that_a_killed_worker_left_open_is_closed_when_the_job_is_resumed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    permit(world)
    with monkeypatch.context() as patched:
        patched.setattr("services.deletion.worker.transaction.close", lambda *given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.house.carry()
    world.house.ask("pause_job", PAUSE, DELETION_OFFICER)
    world.house.carry()
    assert not batches(world) and world.rows() < ROWS
    world.house.ask("resume_job", RESUME, DELETION_OFFICER)
    world.house.carry()
    assert (job(world)["state"], world.rows()) == ("verified", 0) and sums_are_true(world)


def test_what_cannot_be_paused_or_resumed_is_refused_and_told_nowhere(world: World) -> None:
    preview(world)
    refused: list[tuple[str, dict[str, Any], str, str]] = [
        ("pause_job", PAUSE, DELETION_OFFICER, "JOB_NOT_DELETING"),
        ("resume_job", RESUME, DELETION_OFFICER, "JOB_NOT_PAUSED"),
        ("pause_job", PAUSE | {"job_id": "exit-2.D7a.1"}, DELETION_OFFICER, "JOB_NOT_KNOWN"),
    ]
    for command, body, role, code in refused:
        with pytest.raises(OphorError, match=code):
            world.house.ask(command, body, role)
    world.house.permit()
    until_the_first_batch(world)
    world.house.ask("pause_job", PAUSE | {"reason": "CUSTOMER_REQUEST"}, CUSTOMER_LEAD)
    with pytest.raises(OphorError, match="WRONG_PARTY"):
        world.house.ask("resume_job", RESUME, DELETION_OFFICER)
    assert job(world)["state"] == "paused"
    assert len(world.house.events("deletion.deletion_paused")) == 1
    assert not world.house.events("deletion.deletion_resumed")


def test_a_pause_that_outlasts_an_approval_ends_the_job_and_a_new_one_takes_its_place(world: World) -> None:
    permit(world)
    left = until_the_first_batch(world)
    world.house.ask("pause_job", PAUSE, DELETION_OFFICER)
    world.house.clock.instant += timedelta(days=APPROVAL_DAYS)
    assert world.house.ask("resume_job", RESUME, DELETION_OFFICER)["state"] == "stopped"
    world.house.carry()
    assert stopped(world) == ("APPROVAL_EXPIRED", "approvals") and world.rows() == left
    world.house.due("D7a", "maal")
    world.house.carry()
    world.house.permit()
    world.house.carry()
    assert (job(world)["job_id"], job(world)["state"]) == (f"{EXIT}.D7a.2", "verified") and sums_are_true(world)


# The window and the pace of a target.


def test_batches_wait_for_the_maintenance_window_and_use_up_no_attempt(make: Make) -> None:
    world = make(window={"start": "22:00", "until": "05:00"})
    permit(world)
    world.house.carry()
    opens = datetime(2026, 10, 1, 20, tzinfo=UTC)
    assert (job(world)["state"], world.rows(), world.house.tasks()) == ("executing", ROWS, [])
    assert job(world)["waits_until"] == opens.isoformat() and world.house.timer() == opens

    world.house.clock.instant = opens
    world.house.store.fire_due()
    world.house.tell("deletion.batch_due", world.house.events("deletion.batch_due")[-1])
    left = until_the_first_batch(world)
    assert 0 < left < ROWS and job(world)["waits_until"] is None

    world.house.clock.instant = datetime(2026, 10, 2, 3, tzinfo=UTC)  # the window has closed meanwhile
    world.house.carry()
    assert (world.rows(), world.house.timer()) == (left, opens + timedelta(days=1))
    world.house.clock.instant = opens + timedelta(days=1)
    world.house.fire()
    assert (job(world)["state"], world.rows()) == ("verified", 0) and sums_are_true(world)


def test_a_paused_job_does_not_go_on_when_its_window_opens(make: Make) -> None:
    world = make(window={"start": "22:00", "until": "05:00", "days": ["fri"]})
    permit(world)
    world.house.carry()
    assert world.house.timer() == datetime(2026, 10, 2, 20, tzinfo=UTC)
    world.house.ask("pause_job", PAUSE, CUSTOMER_LEAD)
    world.house.clock.instant = datetime(2026, 10, 2, 20, tzinfo=UTC)
    world.house.fire()
    assert (job(world)["state"], world.rows()) == ("paused", ROWS)
    world.house.ask("resume_job", RESUME, CUSTOMER_LEAD)
    world.house.carry()
    assert (job(world)["state"], world.rows()) == ("verified", 0)


def test_no_more_rows_go_than_the_rate_of_the_target_allows(make: Make) -> None:
    world = make(rate=2)
    permit(world)
    began = world.house.clock.instant
    world.house.carry()
    while job(world)["state"] != "verified":
        at = world.house.timer()
        assert at is not None and at > world.house.clock.instant and not world.house.tasks()
        world.house.clock.instant = at
        world.house.fire()
        gone, seconds = ROWS - world.rows(), (at - began).total_seconds()
        assert gone <= 2 * seconds + 2
    assert job(world)["state"] == "verified" and sums_are_true(world)
    assert all(each["deleted"] <= 2 for each in batches(world))
    assert timedelta(seconds=4) < world.house.clock.instant - began < timedelta(seconds=12)


def test_jobs_of_all_exits_share_the_pace_of_one_target(make: Make) -> None:
    world = make(rate=3)
    permit(world)
    name = domain.target_of(world.target.map().system("maal"))
    taken = world.house.clock.instant + timedelta(seconds=30)
    world.house.store.db.paces.insert_one({"_id": name, "free_at": taken})
    world.house.carry()
    assert (world.rows(), world.house.timer()) == (ROWS, taken)
    world.house.clock.instant = taken
    world.house.fire()
    assert 0 < ROWS - world.rows() <= 3


def test_the_preview_shows_order_of_work_and_time(make: Make) -> None:
    world = make(rate=2, window={"start": "22:00", "until": "05:00"})
    preview(world)
    shown = job(world)
    assert [(step["place"], step["rows"], step["seconds"]) for step in shown["work"]] == [
        ("noter", 4, 2), ("sager", 7, 4),
    ]  # fmt: skip
    assert (shown["estimated_seconds"], shown["estimated_end"]) == (6, "2026-10-01T20:00:06+00:00")


# Approvals.


def test_approvals_that_have_expired_delete_nothing(world: World) -> None:
    preview(world)
    world.house.permit(approved=timedelta(days=APPROVAL_DAYS))
    world.house.carry()
    assert stopped(world) == ("APPROVAL_EXPIRED", "approvals")
    assert world.rows() == ROWS and not world.house.events("deletion.deletion_begun")


def test_an_approval_of_what_is_still_the_same_changes_nothing(world: World) -> None:
    preview(world)
    world.execute("INSERT INTO sager SELECT gen_random_uuid(), 101, 'sen' FROM generate_series(1, 10)")
    world.house.approve()
    world.house.carry()
    assert job(world)["state"] == "previewed"
    world.house.permit()
    world.house.carry()
    assert (job(world)["state"], world.rows()) == ("verified", 0)


def test_more_rows_than_the_band_stop_the_job_when_it_is_approved(world: World) -> None:
    preview(world)
    world.execute("INSERT INTO sager SELECT gen_random_uuid(), 101, 'sen' FROM generate_series(1, 11)")
    world.house.approve()
    world.house.carry()
    assert stopped(world) == ("COUNT_EXCEEDS_PREVIEW", "systems.maal.places.sager")


def test_rows_that_keep_coming_stop_the_job_where_the_band_ends(world: World) -> None:
    permit(world)
    until_the_first_batch(world)
    world.execute("INSERT INTO sager SELECT gen_random_uuid(), 101, 'sen' FROM generate_series(1, 30)")
    world.house.carry()
    assert stopped(world) == ("COUNT_EXCEEDS_PREVIEW", "systems.maal.places.sager")
    row = next(row for row in job(world)["places"] if row["place"] == "sager")
    assert row["deleted"] <= domain.most(7) and world.rows() >= 7 + 30 - domain.most(7)


# The schema is the approved one at approval, at the beginning and before each batch.

CHANGES = {
    "a new table": ("CREATE TABLE ny (id int)", "DROP TABLE ny", "PLACE_NOT_MAPPED", "ny"),
    "a table that is gone": ("ALTER TABLE kode RENAME TO koder", "ALTER TABLE koder RENAME TO kode",
                             "PLACE_NOT_MAPPED", "koder"),
    "a new column": ("ALTER TABLE noter ADD cpr text", "ALTER TABLE noter DROP cpr", "SCHEMA_CHANGED", "noter"),
    "another type": ("ALTER TABLE noter ALTER tekst TYPE varchar(99)", "ALTER TABLE noter ALTER tekst TYPE text",
                     "SCHEMA_CHANGED", "noter"),
    "a changed key": ("ALTER TABLE kode DROP CONSTRAINT kode_pkey", "ALTER TABLE kode ADD PRIMARY KEY (kode)",
                      "SCHEMA_CHANGED", "kode"),
    "a new trigger": (
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'; "
        "CREATE TRIGGER t BEFORE DELETE ON noter FOR EACH ROW EXECUTE FUNCTION f()",
        "DROP TRIGGER t ON noter; DROP FUNCTION f()", "SCHEMA_CHANGED", "noter",
    ),
    "a table that is out of reach": (
        "ALTER TABLE noter DROP CONSTRAINT noter_sag_fkey",
        "ALTER TABLE noter ADD FOREIGN KEY (sag) REFERENCES sager (id)", "TENANT_PATH_BROKEN", "noter",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_schema_stops_the_job_before_the_next_row(world: World, change: str) -> None:
    doing, undoing, code, place = CHANGES[change]

    def stops_with(rows: int) -> None:
        world.execute(doing)
        world.house.carry()
        told, field = stopped(world)
        assert told == code and field is not None and field.startswith(f"systems.maal.places.{place}")
        world.execute(undoing)
        assert world.rows() == rows
        world.house.due("D7a", "maal")
        world.house.carry()

    preview(world)
    world.house.approve()
    stops_with(ROWS)
    world.house.permit()
    stops_with(ROWS)
    assert not world.house.events("deletion.deletion_begun")
    world.house.permit()
    left = until_the_first_batch(world)
    stops_with(left)
    assert len(batches(world)) == 1 and sums_are_true(world)


# Overriding a hold.

HOLD = {"system": "maal", "basis": "LAW", "digest": DOCUMENT}


def test_two_people_of_two_parties_override_a_hold_and_every_refused_attempt_is_recorded(world: World) -> None:
    placed = world.house.ask("place_hold", HOLD, CUSTOMER_DPO)
    wanted = {"hold_id": placed["hold_id"], "reason": "LAW_LAPSED", "digest": ANOTHER}

    def ask(role: str, person: str, **changes: str) -> tuple[str, str | None]:
        answer = world.house.ask("override_hold", wanted | changes, role, person)
        return answer["state"], answer["code"]

    refused = [
        (ask(DELETION_OFFICER, "p-1", reason="REQUEST_DECIDED"), "REASON_NOT_FOR_BASIS"),
        (ask(DELETION_OFFICER, "p-1", hold_id="H9"), "HOLD_UNKNOWN"),
    ]
    assert ask(DELETION_OFFICER, "p-1") == ("requested", None)
    refused += [
        (ask(DELETION_OFFICER, "p-1"), "SAME_PERSON"),
        (ask(CUSTOMER_DPO, "p-1"), "SAME_PERSON"),
        (ask(DELETION_OFFICER, "p-2"), "SAME_PARTY"),
        (ask(CUSTOMER_DPO, "p-3", digest=DOCUMENT), "OVERRIDE_DIFFERS"),
    ]
    permit(world)
    world.house.carry()
    assert stopped(world)[0] == "HOLD_PLACED", "one person's word changes nothing"
    assert ask(CUSTOMER_LEAD, "p-3") == ("overridden", None)
    refused += [(ask(CUSTOMER_LEAD, "p-4"), "HOLD_ALREADY_LIFTED")]

    assert all(answer == ("refused", code) for answer, code in refused)
    recorded = world.house.events("deletion.hold_override_refused")
    assert [each["code"] for each in recorded] == [code for _, code in refused]
    (overridden,), (lifted,) = (world.house.events(f"deletion.hold_{name}") for name in ("overridden", "lifted"))
    assert (overridden["requested_by"], overridden["actor"], overridden["reason"]) == ("p-1", "p-3", "LAW_LAPSED")
    assert (lifted["hold_id"], lifted["digest"]) == (placed["hold_id"], ANOTHER)

    world.house.due("D7a", "maal")
    world.house.carry()
    world.house.permit()
    world.house.carry()
    assert (job(world)["state"], world.rows()) == ("verified", 0)

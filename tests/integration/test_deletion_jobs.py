"""Deletion's hands on real systems: whole jobs, crashes, and everything that must stop a job."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.deletion.worker import delete as delete_hand
from services.deletion.worker import transaction
from shared.connectors.protocol import Connector
from shared.connectors.sql.batch import SqlBatch
from tests.integration import connectors_targets as targets
from tests.integration.deletion_house import EXIT, Killed
from tests.integration.deletion_world import World, a_world, preview, stopped
from tests.parts import Parts


@pytest.fixture
def world(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with (
        targets.postgresql(parts.postgres_uri, tmp_path) as target,
        a_world(target, parts.mongo_uri, tmp_path, monkeypatch) as one,
    ):
        yield one


@pytest.fixture(params=["postgresql", "mariadb", "sqlite", "mongodb", "files", "case_index"])
def any_world(
    request: pytest.FixtureRequest, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    made: dict[str, Callable[[], Any]] = {
        "postgresql": lambda: targets.postgresql(parts.postgres_uri, tmp_path),
        "mariadb": lambda: targets.mariadb(parts.mariadb, tmp_path),
        "sqlite": lambda: targets.sqlite(tmp_path),
        "mongodb": lambda: targets.mongodb(parts.mongo_uri, tmp_path),
        "files": lambda: targets.files(tmp_path),
        "case_index": lambda: targets.index(tmp_path),
    }
    with made[request.param]() as target, a_world(target, parts.mongo_uri, tmp_path, monkeypatch) as one:
        yield one


def test_a_whole_job_leaves_nothing_of_the_customer_and_every_sum_is_true(any_world: World) -> None:
    target, house = any_world.target, any_world.house
    house.tell("delivery.package_delivered", {
        "package_id": "p", "package_digest": "0" * 64, "package_bytes": 1, "files": 1, "rows": 1, "on": "2026-09-01",
        "places": [{"system": "maal", "place": "sager", "rows": 7, "disposition": "tenant"}],
    })  # fmt: skip
    job = house.delete("D7a", "maal")
    assert (job["state"], job["outside"]) == ("verified", 0)
    told = house.events("deletion.deletion_verified")[-1]
    assert told["result"] == "DELETED"
    assert told["probes_drawn"] == told["probes_found_before"] > 0 == told["probes_found_after"]
    for row in told["places"]:
        assert row["before"] + row["arrived"] == row["deleted"] + row["retained"] + row["residual"]
    rows = {row["place"]: row for row in told["places"]}
    assert {place: rows[place]["deleted"] for place in target.places} == target.before(own=True)
    assert rows["sager"]["row_class"] == ("deleted_not_delivered" if target.kind == "case_index" else "both")
    assert any_world.rows() == 0
    assert target.neighbours() == sum(target.before(own=False).values())


def test_every_batch_is_told_and_keeps_no_key(world: World) -> None:
    job = world.house.delete("D7a", "maal")
    batches = world.house.events("deletion.deletion_batch_closed")
    assert [each["batch"] for each in batches] == list(range(1, job["batches"] + 1))
    assert sum(each["deleted"] for each in batches) == 11
    assert all(each["planned"] == each["deleted"] <= 3 for each in batches)
    kept = list(world.house.store.db.batches.find())
    assert len(kept) == job["batches"] and all("keys" not in row and row["state"] == "closed" for row in kept)
    executed = world.house.events("deletion.deletion_executed")[-1]
    assert (executed["deleted"], executed["batches"], executed["outside"]) == (11, job["batches"], 0)


def test_the_preview_shows_every_place_and_changes_nothing(world: World) -> None:
    preview(world)
    told = world.house.events("deletion.deletion_previewed")[-1]
    shown = {row["place"]: (row["disposition"], row["reason"], row["count"]) for row in told["places"]}
    assert shown == {
        "sager": ("deleted", None, 7), "noter": ("deleted", None, 4), "kode": ("excluded", "SHARED_CODE", 2),
        "ophor_rehearsal_copy": ("excluded", "NOT_CUSTOMER_DATA", 1),
    }  # fmt: skip
    assert told["total"] == 11
    assert world.rows() == 11


def test_nothing_is_deleted_before_a_permit(world: World) -> None:
    preview(world)
    assert not world.house.tasks()
    assert world.house.ask("read_job", {"activity": "D7a"})["state"] == "previewed"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"plan_digest": "f" * 64}, "PERMIT_WRONG"),
        ({"valid_until": (datetime.now(UTC) - timedelta(minutes=1)).isoformat()}, "PERMIT_EXPIRED"),
        ({"approvals": [{"actor": "a", "role": "r", "at": "1"}, {"actor": "a", "role": "s", "at": "2"}]},
         "APPROVALS_MISSING"),
    ],
)  # fmt: skip
def test_a_permit_that_is_not_good_stops_the_job_before_the_first_row(
    world: World, changes: dict[str, Any], code: str
) -> None:
    preview(world)
    world.house.permit(**changes)
    world.house.carry()
    assert stopped(world)[0] == code
    assert world.rows() == 11


def test_a_target_without_a_fresh_marker_is_not_touched_in_a_rehearsal(world: World) -> None:
    preview(world)
    world.execute("UPDATE ophor_rehearsal_copy SET written_at = 0")
    world.house.permit()
    world.house.carry()
    assert stopped(world) == ("TARGET_NOT_MARKED", "systems.maal")
    assert world.rows() == 11


def test_production_needs_no_marker(world: World) -> None:
    world.execute("DROP TABLE ophor_rehearsal_copy")
    world.house.mode = "production"
    assert world.house.delete("D7a", "maal")["state"] == "verified"


def test_a_new_table_after_the_plan_stops_the_job_before_the_first_row(world: World) -> None:
    preview(world)
    world.target.add_place()
    world.house.permit()
    world.house.carry()
    assert stopped(world) == ("PLACE_NOT_MAPPED", "systems.maal.places.ny")
    assert not world.house.events("deletion.deletion_begun")
    assert world.rows() == 11


def test_a_new_column_after_the_plan_stops_the_job_before_the_first_row(world: World) -> None:
    preview(world)
    world.execute("ALTER TABLE noter ADD cpr text")
    world.house.permit()
    world.house.carry()
    assert stopped(world) == ("SCHEMA_CHANGED", "systems.maal.places.noter")
    assert world.rows() == 11


def test_an_unmapped_table_stops_the_preview_and_a_corrected_system_is_previewed_anew(world: World) -> None:
    world.target.add_place()
    preview(world)
    assert stopped(world) == ("PLACE_NOT_MAPPED", "systems.maal.places.ny")
    world.execute("DROP TABLE ny")
    job = world.house.delete("D7a", "maal")
    assert (job["state"], job["job_id"]) == ("verified", f"{EXIT}.D7a.2")


def test_a_stopped_job_is_followed_when_its_activity_is_due_again(world: World) -> None:
    world.target.add_place()
    preview(world)
    world.execute("DROP TABLE ny")
    for _ in range(2):
        world.house.due("D7a", "maal")
        world.house.carry()
    assert [each["state"] for each in world.house.ask("list_jobs", {})["jobs"]] == ["stopped", "previewed"]


def test_access_that_is_not_closed_stops_the_job_at_once(world: World) -> None:
    world.house.due("D7a", "maal")
    rows = [{"system": "maal", "state": "error", "grants": 1, "verified": False, "on": "2026-10-01"}]
    world.house.tell("access.access_closed", {"activity": "D7a", "systems": rows, "on": "2026-10-01"})
    assert stopped(world) == ("ACCESS_NOT_CLOSED", "systems.maal.access")


def test_more_rows_than_the_preview_allows_stop_the_job_before_the_first_row(world: World) -> None:
    preview(world)
    world.execute("INSERT INTO sager SELECT gen_random_uuid(), 101, 'sen' FROM generate_series(1, 20)")
    world.house.permit()
    world.house.carry()
    assert stopped(world) == ("COUNT_EXCEEDS_PREVIEW", "systems.maal.places.sager")
    assert world.rows() == 31


def test_rows_that_arrive_during_the_job_are_deleted_and_accounted_for(world: World) -> None:
    preview(world)
    world.house.permit()
    world.house.carry(until=lambda: bool(world.house.events("deletion.deletion_batch_closed")))
    world.execute("INSERT INTO sager SELECT gen_random_uuid(), 101, 'sen' FROM generate_series(1, 2)")
    world.house.carry()
    rows = {row["place"]: row for row in world.house.events("deletion.deletion_verified")[-1]["places"]}
    assert (rows["sager"]["before"], rows["sager"]["arrived"], rows["sager"]["deleted"]) == (7, 2, 9)


def test_an_empty_system_is_verified_to_be_absent_not_deleted(world: World) -> None:
    world.execute("UPDATE sager SET note = NULL; DELETE FROM noter WHERE nr < 100; DELETE FROM sager WHERE lejer = 101")
    world.house.delete("D7a", "maal")
    told = world.house.events("deletion.deletion_verified")[-1]
    assert told["result"] == "ABSENT_VERIFIED"
    assert {row["disposition"] for row in told["places"]} == {"absent_verified", "excluded"}


# Crashes: whatever moment is hit, running again leads to the same sums.


def killing(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, after: bool, at: int) -> None:
    """Kill the process at the `at`-th call of a function, before or after what it does."""
    real, calls = getattr(owner, name), iter(range(1, 1_000_000))

    def dying(*args: Any, **named: Any) -> Any:
        hit = next(calls) == at
        if hit and not after:
            raise Killed
        result = real(*args, **named)
        if hit:
            raise Killed
        return result

    monkeypatch.setattr(owner, name, dying)


MOMENTS = {
    "before the intent": (transaction, "open_", False),
    "after the intent": (transaction, "_act", False),
    "before the target's commit": (SqlBatch, "commit", False),
    "after the target's commit": (SqlBatch, "commit", True),
    "in the closing transaction": (transaction, "close", True),
    "when the end is told": (delete_hand, "_tell_executed", True),
}


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_at_any_moment_loses_and_repeats_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, moment: str, at: int
) -> None:
    preview(world)
    world.house.permit()
    owner, name, after = MOMENTS[moment]
    with monkeypatch.context() as patched:
        killing(patched, owner, name, after=after, at=at if moment != "when the end is told" else 1)
        with pytest.raises(Killed):
            world.house.carry()
    world.house.carry()
    job = world.house.ask("read_job", {"activity": "D7a"})
    assert job["state"] == "verified"
    assert {row["place"]: row["deleted"] for row in job["places"] if row["deleted"]} == {"sager": 7, "noter": 4}
    batches = world.house.events("deletion.deletion_batch_closed")
    assert sum(each["deleted"] for each in batches) == 11
    assert [each["batch"] for each in batches] == list(range(1, len(batches) + 1))
    assert world.target.neighbours() == 8


def test_a_slice_that_is_delivered_again_after_its_end_does_nothing(world: World) -> None:
    preview(world)
    world.house.permit()
    sent = world.house.tasks()
    world.house.carry()
    told = len(world.house.events("deletion.deletion_batch_closed"))
    for body in sent:
        world.house.do(body)
    assert len(world.house.events("deletion.deletion_batch_closed")) == told


def test_a_worker_that_was_overtaken_cannot_commit_on_the_target(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    preview(world)
    world.house.permit()
    world.house.do(world.house.tasks()[0])
    (first,) = world.house.tasks()
    overtaken: list[bool] = []
    real = SqlBatch.effects

    def slow(batch: SqlBatch) -> dict[str, int]:
        if not overtaken:  # while the first worker stands here, the fence goes to another one
            overtaken.append(True)
            world.house.store.db.jobs.update_one({"_id": f"{EXIT}.D7a.1"}, {"$inc": {"fence": 1}})
        return real(batch)

    monkeypatch.setattr(SqlBatch, "effects", slow)
    with pytest.raises(Exception, match="FENCED"):
        world.house.do(first)
    assert world.rows() == 11
    world.house.carry()
    assert world.house.ask("read_job", {"activity": "D7a"})["state"] == "verified"


# Nothing outside the scope.


def make_greedy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patch the connector so that it removes one neighbour's row with the tenant's."""
    world.execute("UPDATE sager SET note = NULL WHERE lejer = 102")
    real = SqlBatch.delete

    def greedy(batch: SqlBatch, place: str, keys: Any) -> int:
        deleted = real(batch, place, keys)
        if place == "noter":
            one = "DELETE FROM public.noter WHERE nr = (SELECT max(nr) FROM public.noter WHERE nr > 100)"
            batch._connection.exec_driver_sql(one)
        return deleted

    monkeypatch.setattr(SqlBatch, "delete", greedy)


def test_a_cascade_into_a_neighbour_is_undone_and_stops_the_job(world: World) -> None:
    world.execute("""
        ALTER TABLE noter DROP CONSTRAINT noter_sag_fkey, ADD FOREIGN KEY (sag) REFERENCES sager (id) ON DELETE CASCADE;
        CREATE TABLE deling (id int PRIMARY KEY, lejer int, sag uuid REFERENCES sager (id) ON DELETE CASCADE);
        INSERT INTO deling SELECT 1, 102, id FROM sager WHERE lejer = 101 ORDER BY id LIMIT 1""")
    world.target.content["places"]["deling"] = {"tenant_key": "lejer"}
    user = world.target.content["credentials"]["delete"]["user"].removesuffix("_delete")
    world.execute(f"GRANT SELECT, DELETE, UPDATE ON deling TO {user}_delete; GRANT SELECT ON deling TO {user}_verify")
    world.house.store.db.exits.drop()
    world.house.order()
    preview(world)
    world.house.permit()
    world.house.carry()
    assert stopped(world) == ("OUTSIDE_SCOPE", "systems.maal.places.sager")
    assert world.execute("SELECT count(*) FROM deling").fetchone()[0] == 1
    closed = world.house.events("deletion.deletion_batch_closed")[-1]
    assert (closed["outside"], closed["undone"]) == (0, 1)  # rolled back, so it is no change
    assert not world.house.events("deletion.deletion_executed")


def test_a_connector_that_removes_a_neighbours_row_is_caught_by_the_engines_own_count(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_greedy(world, monkeypatch)
    world.house.delete("D7a", "maal")
    assert stopped(world) == ("OUTSIDE_SCOPE", "systems.maal.places.noter")
    assert world.target.neighbours() == 8
    assert world.rows() == 11


def test_a_connector_that_hides_its_effects_is_caught_by_the_snapshot(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_greedy(world, monkeypatch)
    monkeypatch.setattr(SqlBatch, "effects", SqlBatch.planned)
    world.house.delete("D7a", "maal")
    assert stopped(world) == ("OUTSIDE_SCOPE", "systems.maal.places.noter")
    assert world.target.neighbours() == 8


def test_a_trigger_that_keeps_rows_stops_the_job(world: World) -> None:
    world.execute("""CREATE FUNCTION behold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER behold BEFORE DELETE ON noter FOR EACH ROW EXECUTE FUNCTION behold()""")
    world.house.delete("D7a", "maal")
    assert stopped(world) == ("ROWS_NOT_DELETABLE", "systems.maal.places.noter")
    assert world.rows() == 11


def test_a_row_that_comes_back_before_the_verification_is_an_error_not_a_certificate(world: World) -> None:
    preview(world)
    world.house.permit()
    world.house.carry(until=lambda: bool(world.house.events("deletion.deletion_executed")))
    world.execute("INSERT INTO sager VALUES (gen_random_uuid(), 101, 'tilbage')")
    world.house.carry()
    told = world.house.events("deletion.deletion_verified")[-1]
    assert told["result"] == "ERROR"
    assert {row["place"]: row["residual"] for row in told["places"]}["sager"] == 1
    job = world.house.delete("D7a", "maal")
    assert (job["job_id"], job["state"]) == (f"{EXIT}.D7a.2", "verified")


def test_a_probe_that_another_tenant_shows_afterwards_is_an_error(world: World) -> None:
    preview(world)
    world.house.permit()
    world.house.carry(until=lambda: bool(world.house.events("deletion.deletion_executed")))
    world.execute("UPDATE sager SET navn = '2024-1010001' WHERE lejer = 102; UPDATE noter SET tekst = 'x'")
    for number in range(7):
        world.execute(f"INSERT INTO sager VALUES (gen_random_uuid(), 102, '{targets.uuid_of(10100 + number)}')")
    world.house.carry()
    told = world.house.events("deletion.deletion_verified")[-1]
    assert told["result"] == "ERROR" and told["probes_found_after"] > 0


def test_the_verifier_never_opens_the_deleters_credentials(world: World) -> None:
    (world.target.folder / "secrets" / world.target.content["credentials"]["delete"]["user"]).unlink()
    preview(world)
    assert world.house.events("deletion.deletion_previewed")
    world.house.permit()
    world.house.carry()
    assert stopped(world) == ("MAP_SECRET_MISSING", "systems.maal.credentials.delete.password_file")


# Backups.


def register(world: World, set_id: str, expires: str) -> None:
    folder = world.house.folder / "backups"
    (folder / set_id).mkdir(parents=True)
    (folder / "catalogue.json").write_text("{}")
    world.house.ask("register_backup", {
        "system": "maal", "set_id": set_id, "taken_on": "2026-09-01", "expires_on": expires,
    })  # fmt: skip


def look_on(world: World, day: int) -> list[str]:
    seen = len(world.house.events("deletion.backup_observed"))
    world.house.clock.instant = datetime(2026, 11, day, 8, tzinfo=UTC)
    world.house.fire()
    return [each["answer"] for each in world.house.events("deletion.backup_observed")[seen:]]


def test_backups_are_looked_for_after_their_last_day_until_they_are_gone(world: World) -> None:
    register(world, "et", "2026-11-01")
    register(world, "to", "2026-11-05")
    world.house.delete("D7a", "maal")
    folder = world.house.folder / "backups"
    assert look_on(world, 1) == []
    assert look_on(world, 2) == ["PRESENT"]
    assert look_on(world, 2) == []
    shutil.rmtree(folder / "et")
    assert look_on(world, 3) == ["GONE"]
    assert not world.house.events("deletion.backups_expired")
    (folder / "catalogue.json").unlink()
    shutil.rmtree(folder / "to")
    assert look_on(world, 6) == ["ERROR"]
    (folder / "catalogue.json").write_text("{}")
    assert look_on(world, 7) == ["GONE"]
    (told,) = world.house.events("deletion.backups_expired")
    assert (told["sets"], told["last_expiry_on"], told["on"]) == (2, "2026-11-05", "2026-11-07")
    answers = {row["set_id"]: row["answer"] for row in world.house.ask("read_backups", {})["backups"]}
    assert answers == {"et": "GONE", "to": "GONE"}


def test_a_set_registered_after_the_deletion_is_looked_for_too(world: World) -> None:
    world.house.delete("D7a", "maal")
    register(world, "sen", "2026-11-01")
    world.house.carry()  # what is looked for at once: content alone, for it is not due
    assert look_on(world, 2) == ["PRESENT"]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"system": "andet"}, "SYSTEM_UNKNOWN", "system"),
        ({"expires_on": "2026-08-01"}, "DATES_REVERSED", "expires_on"),
        ({"set_id": ".."}, "SET_ID_INVALID", "set_id"),
    ],
)
def test_a_backup_that_makes_no_sense_is_refused(world: World, changes: dict[str, str], code: str, field: str) -> None:
    body = {"system": "maal", "set_id": "et", "taken_on": "2026-09-01", "expires_on": "2026-11-01"}
    with pytest.raises(Exception) as caught:
        world.house.ask("register_backup", body | changes)
    assert (caught.value.code, caught.value.field) == (code, field)  # type: ignore[attr-defined]


def test_the_case_index_is_cleaned_when_its_activity_is_due(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        target = stack.enter_context(targets.index(tmp_path))
        world = stack.enter_context(a_world(target, parts.mongo_uri, tmp_path, monkeypatch))
        target.content["deletion"] = "index"
        world.house.store.db.exits.drop()
        world.house.order()
        world.house.due("C7", "maal")
        world.house.carry()
        world.house.permit()
        world.house.carry()
        assert world.house.ask("read_job", {"activity": "C7"})["state"] == "verified"
        assert target.neighbours() == 5
        connector: Connector = target.open("verify")
        assert connector.count("sager") == 0


def test_a_key_of_another_tenant_is_never_deleted(world: World) -> None:
    connector = world.target.open("delete")
    connector.discover()
    with connector.batch() as batch:
        assert batch.delete("sager", [(targets.uuid_of(10200),)]) == 0
        batch.commit()
    assert world.target.neighbours() == 8

"""Below the rows (ADR 0011): what lies in the engines' own files before and after each method, byte by byte."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest
from psycopg import conninfo

from contracts.errors import Rejected
from contracts.roles import DELETION_OFFICER
from services.deletion.worker import clean as clean_step
from shared.connectors.physical import Physical, Stored
from shared.connectors.protocol import Connector
from shared.connectors.sql import mariadb_physical, postgresql_physical
from shared.connectors.sql import sqlite as sqlite_connector
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target
from tests.integration.deletion_house import Killed
from tests.integration.deletion_world import World, a_world, preview
from tests.parts import MariaServer, Parts
from tests.waiting import LONGEST_S

PROBE = "fortroligt-7c1e94d2"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the engines' own workers, whom other tests may keep busy."""
    for engine in (postgresql_physical, mariadb_physical):
        monkeypatch.setattr(engine, "PATIENCE_S", LONGEST_S)


@pytest.fixture
def postgresql(parts: Parts, tmp_path: Path) -> Iterator[Target]:
    with targets.postgresql(parts.postgres_uri, tmp_path) as target:
        target.execute(f"INSERT INTO sager SELECT gen_random_uuid(), 101, '{PROBE}' || n FROM generate_series(1, 40) n")
        yield target


@pytest.fixture
def mariadb(parts: Parts, tmp_path: Path) -> Iterator[Target]:
    with targets.mariadb(parts.mariadb, tmp_path) as target:
        target.execute(
            f"INSERT INTO sager (id, lejer, navn) SELECT UUID(), 101, CONCAT('{PROBE}', seq) FROM seq_1_to_40"
        )
        yield target


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Target]:
    with targets.sqlite(tmp_path) as target:
        target.execute(f"INSERT INTO sager (id, lejer, navn) VALUES ('p', 101, '{PROBE}')")
        yield target


def user_of(target: Target, purpose: str) -> str:
    return str(target.content["credentials"][purpose]["user"])


def emptied(target: Target) -> None:
    """Delete everything of the tenant as the deleter does, and let go of its connections."""
    connector = target.open("delete")
    for place in connector.order(connector.discover()):
        while keys := connector.keys(place, 1000):
            with connector.batch() as batch:
                for each, rows in connector.together(place, keys):
                    batch.delete(each, rows)
                batch.commit()
        assert connector.count(place) == 0
    connector.close()


def physical(connector: Connector) -> Physical:
    assert isinstance(connector, Physical)
    connector.discover()
    return connector


def seen(target: Target, asked: str = "clean") -> Stored:
    return physical(target.open("verify")).stored("sager", asked)


def clean(target: Target, asked: str = "clean") -> str:
    return physical(target.open("clean")).clean("sager", asked)


def in_postgresql(target: Target) -> bool:
    """Search the table's own file, written out first."""
    target.execute("CHECKPOINT")
    query = f"SELECT position('{PROBE}'::bytea IN pg_read_binary_file(pg_relation_filepath('sager'))) > 0"
    return bool(target.execute(query).fetchone()[0])


def owned(target: Target) -> None:
    target.execute(f"ALTER TABLE sager OWNER TO {user_of(target, 'delete')}")


def test_what_a_batch_left_below_the_rows_is_seen_the_moment_it_is_committed(postgresql: Target) -> None:
    connector, gone = postgresql.open("delete"), 0
    for place in connector.order(connector.discover()):
        while keys := connector.keys(place, 15):
            with connector.batch() as batch:
                for each, rows in connector.together(place, keys):
                    batch.delete(each, rows)
                batch.commit()
                gone += batch.planned().get("sager", 0)
                assert seen(postgresql).held >= gone, "its session goes on"
    assert gone >= 40
    connector.close()


def test_vacuum_frees_rows_but_leaves_bytes_and_only_a_rewrite_takes_them(postgresql: Target) -> None:
    owned(postgresql)
    assert in_postgresql(postgresql)
    emptied(postgresql)
    before = seen(postgresql)
    assert before.held >= 40
    assert in_postgresql(postgresql)
    assert clean(postgresql) == ""
    after = seen(postgresql)
    assert after.held == 0
    assert after.mark != before.mark
    assert in_postgresql(postgresql), "VACUUM does not overwrite: what we say remains is there"
    assert {"FREE_SPACE", "INDEX_KEYS", "LOG"} <= set(after.remains)
    assert clean(postgresql, "rewrite") == ""
    assert not in_postgresql(postgresql)
    rewritten = seen(postgresql, "rewrite")
    assert rewritten.mark != after.mark
    assert "FREE_SPACE" not in rewritten.remains
    assert "DISK" in rewritten.remains
    assert postgresql.neighbours() == 8


def test_a_snapshot_that_somebody_holds_is_named_and_its_rows_stay(
    postgresql: Target, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_physical, "PATIENCE_S", 0.0)
    owned(postgresql)
    uri = conninfo.make_conninfo(parts.postgres_uri, dbname=postgresql.content["connection"]["database"])
    with psycopg.connect(uri) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT count(*) FROM sager")
        emptied(postgresql)
        assert clean(postgresql) == "OPEN_SNAPSHOT"
        assert seen(postgresql).held >= 40
        assert reader.execute(f"SELECT count(*) FROM sager WHERE navn LIKE '{PROBE}%'").fetchone() == (40,)
    monkeypatch.setattr(postgresql_physical, "PATIENCE_S", LONGEST_S)
    assert clean(postgresql) == ""
    assert seen(postgresql).held == 0


def test_who_may_not_clean_is_refused_where_the_engine_would_only_warn(postgresql: Target) -> None:
    emptied(postgresql)
    before = seen(postgresql)
    with pytest.raises(Rejected) as refused:
        clean(postgresql)
    assert refused.value.code == "TARGET_REFUSED"
    assert seen(postgresql) == before
    assert before.held >= 40


def test_statistics_hold_values_until_they_are_drawn_anew_and_stay_where_a_table_is_empty(postgresql: Target) -> None:
    owned(postgresql)
    known = f"SELECT count(*) FROM pg_stats WHERE tablename = 'sager' AND histogram_bounds::text LIKE '%{PROBE}%'"
    postgresql.execute("ANALYZE sager")
    assert postgresql.execute(known).fetchone()[0] == 1
    emptied(postgresql)
    assert clean(postgresql) == ""
    assert postgresql.execute(known).fetchone()[0] == 0
    postgresql.execute("UPDATE sager SET note = NULL")
    postgresql.execute("DELETE FROM noter")
    postgresql.execute("DELETE FROM sager")
    assert clean(postgresql) == ""
    assert "STATISTICS" in seen(postgresql).remains


def in_mariadb(target: Target, server: MariaServer) -> bool:
    """Search the table's own file, written out first."""
    target.execute("FLUSH TABLES sager FOR EXPORT")
    name = target.content["connection"]["database"]
    found = PROBE.encode() in (server.folder / "db" / name / "sager.ibd").read_bytes()
    target.execute("UNLOCK TABLES")
    return found


def test_after_purge_pages_may_keep_bytes_and_after_a_rewrite_the_file_has_none(mariadb: Target, parts: Parts) -> None:
    mariadb.execute(f"GRANT INSERT ON sager TO {user_of(mariadb, 'delete')}@'%'")
    assert in_mariadb(mariadb, parts.mariadb)
    emptied(mariadb)
    assert clean(mariadb) == ""
    assert "FREE_SPACE" in seen(mariadb).remains
    assert clean(mariadb, "rewrite") == ""
    assert not in_mariadb(mariadb, parts.mariadb)
    assert "FREE_SPACE" not in seen(mariadb, "rewrite").remains
    assert mariadb.neighbours() == 8


def test_a_transaction_that_keeps_purge_back_is_named(
    mariadb: Target, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mariadb_physical, "PATIENCE_S", 0.0)
    with parts.mariadb.connect() as reader, reader.cursor() as cursor:
        cursor.execute(f"USE {mariadb.content['connection']['database']}")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        cursor.execute("SELECT count(*) FROM sager")
        emptied(mariadb)
        assert clean(mariadb) == "OPEN_SNAPSHOT"
        assert seen(mariadb).held > 0
        cursor.execute("ROLLBACK")
    monkeypatch.setattr(mariadb_physical, "PATIENCE_S", LONGEST_S)
    assert clean(mariadb) == ""


def test_a_rewrite_that_the_engine_refuses_in_its_answer_is_no_success(mariadb: Target) -> None:
    emptied(mariadb)
    with pytest.raises(Rejected):
        clean(mariadb, "rewrite")


def test_words_of_a_full_text_index_are_named(mariadb: Target) -> None:
    assert "INDEX_KEYS" not in seen(mariadb).remains
    mariadb.execute("ALTER TABLE sager ADD FULLTEXT (navn)")
    assert "INDEX_KEYS" in seen(mariadb).remains
    assert "INDEX_KEYS" not in seen(mariadb, "rewrite").remains


@pytest.fixture
def mongodb(parts: Parts, tmp_path: Path) -> Iterator[Target]:
    with (
        targets.mongodb(parts.mongo_uri, tmp_path) as target,
        pymongo.MongoClient[dict[str, Any]](parts.mongo_uri) as client,
    ):
        base = client[target.content["connection"]["database"]]
        base.drop_collection("sager")
        plain = {"wiredTiger": {"configString": "block_compressor=none"}}
        base.create_collection("sager", storageEngine=plain)
        rows = [{"_id": n, "lejer": 101 + n % 2, "tekst": f"{PROBE}-{n % 2}-{'y' * 900}"} for n in range(3000)]
        base.sager.insert_many(rows)
        target.virtual = base
        yield target


def of_mongodb(target: Target, role: str, *actions: str) -> None:
    """Give the role of a purpose more rights on the database."""
    rights = [{"resource": {"db": target.virtual.name, "collection": ""}, "actions": list(actions)}]
    target.virtual.command("grantPrivilegesToRole", f"{role}_role", privileges=rights)


def in_mongodb(target: Target) -> bool:
    """Search the collection's own file, written out first."""
    admin = target.virtual.client.admin
    admin.command("fsync")
    folder = Path(admin.command("getCmdLineOpts")["parsed"]["storage"]["dbPath"])
    name = target.virtual.command("collStats", "sager")["wiredTiger"]["uri"].rpartition(":")[2]
    return f"{PROBE}-0-".encode() in (folder / f"{name}.wt").read_bytes()


def test_compact_gives_space_back_but_never_says_that_documents_are_gone(mongodb: Target) -> None:
    of_mongodb(mongodb, "delete", "compact", "collStats")
    of_mongodb(mongodb, "verify", "collStats")
    assert in_mongodb(mongodb)
    emptied(mongodb)
    assert in_mongodb(mongodb)
    before = seen(mongodb)
    assert clean(mongodb) == "HISTORY_WINDOW"
    after = seen(mongodb)
    assert after.held < before.held / 2
    assert in_mongodb(mongodb), "compact keeps versions: what we say is so"
    assert "FREE_SPACE" in after.remains


def test_a_collection_without_the_right_is_neither_cleaned_nor_looked_at(mongodb: Target) -> None:
    emptied(mongodb)
    for refused in (clean, seen):
        with pytest.raises(Rejected) as error:
            refused(mongodb)
        assert error.value.code == "TARGET_REFUSED"


def in_sqlite(target: Target) -> list[str]:
    """Name the file's parts in which the probe lies."""
    path = target.folder / "maal.db"
    parts = {"file": path, "log": path.with_name("maal.db-wal")}
    return [name for name, each in parts.items() if each.exists() and PROBE.encode() in each.read_bytes()]


def test_the_log_of_a_sqlite_file_is_emptied_unless_somebody_reads_an_older_state(
    sqlite: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_connector, "WAIT_S", 0.1)
    assert in_sqlite(sqlite) == ["log"]
    with sqlite3.connect(sqlite.folder / "maal.db", isolation_level=None) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sager").fetchone()
        emptied(sqlite)
        assert clean(sqlite) == "OPEN_SNAPSHOT"
        assert "log" in in_sqlite(sqlite)
        reader.execute("COMMIT")
    reader.close()
    assert clean(sqlite) == ""
    assert in_sqlite(sqlite) == []


def test_free_pages_that_others_left_go_with_a_rewrite_of_a_sqlite_file(sqlite: Target) -> None:
    sqlite.execute("PRAGMA secure_delete = OFF")
    sqlite.execute("CREATE TABLE kladde (tekst TEXT)")
    sqlite.execute(f"INSERT INTO kladde SELECT '{PROBE}' || hex(randomblob(300)) FROM json_each('[1,2,3,4,5,6,7,8,9]')")
    sqlite.execute("DROP TABLE kladde")
    emptied(sqlite)
    assert clean(sqlite) == ""
    assert in_sqlite(sqlite) == ["file"]
    assert seen(sqlite).held > 0
    assert clean(sqlite, "rewrite") == ""
    assert in_sqlite(sqlite) == []
    assert seen(sqlite, "rewrite").held == 0
    assert sqlite.neighbours() == 8


@pytest.fixture
def make(
    postgresql: Target, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., World]]:
    """Give what makes a world whose system carries some more keys in the map; its deleter owns `sager`."""
    with ExitStack() as stack:

        def made(**more: Any) -> World:
            postgresql.content.update(more)
            owned(postgresql)
            world = stack.enter_context(a_world(postgresql, parts.mongo_uri, tmp_path, monkeypatch))
            monkeypatch.setenv("OPHOR_BATCH", "100")
            return world

        yield made


def executed(world: World) -> None:
    """Run a job until its last row is deleted."""
    preview(world)
    world.house.permit()
    world.house.carry(until=lambda: bool(world.house.events("deletion.deletion_executed")))


def below(world: World) -> dict[str, dict[str, Any]]:
    """Give what the verifier told of the level below the rows, by place."""
    (told,) = world.house.events("deletion.deletion_verified")
    assert told["result"] == "DELETED"
    return {row["place"]: row for row in told["physical"]}


def test_a_job_cleans_and_the_verifier_tells_what_it_sees(make: Callable[..., World]) -> None:
    world = make()
    assert world.house.delete("D7a", "maal")["state"] == "verified"
    found = below(world)
    assert found["sager"]["answer"] == "CLEANED"
    assert found["sager"]["before"] >= 40
    assert found["sager"]["after"] == 0
    assert found["sager"]["unit"] == "rows"
    assert {"FREE_SPACE", "LOG", "REPLICAS"} <= set(found["sager"]["remains"])
    assert (found["noter"]["answer"], found["noter"]["reason"]) == ("ERROR", "TARGET_REFUSED")
    assert found["noter"]["after"] >= 4
    assert "kode" not in found


def test_what_the_map_does_not_ask_for_is_not_done_and_said_so(make: Callable[..., World]) -> None:
    world = make(physical="none")
    assert world.house.delete("D7a", "maal")["state"] == "verified"
    assert {row["answer"] for row in below(world).values()} == {"NOT_ASKED"}


def test_a_hold_placed_after_the_last_batch_keeps_versions_where_they_are(make: Callable[..., World]) -> None:
    world = make()
    executed(world)
    world.house.ask("place_hold", {"system": "maal", "basis": "LAW", "digest": "a" * 64}, role=DELETION_OFFICER)
    world.house.carry()
    assert (below(world)["sager"]["answer"], below(world)["sager"]["reason"]) == ("ERROR", "HOLD_PLACED")
    assert below(world)["sager"]["after"] >= 40


def test_a_crash_after_the_cleaning_repeats_it_and_keeps_the_first_reading(
    make: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make()
    real = clean_step._close
    crashed: list[str] = []

    def close(unit: Any, before: Any, at: int, changes: Any) -> None:
        if not crashed:
            crashed.append(changes["answer"])
            raise Killed
        real(unit, before, at, changes)

    monkeypatch.setattr(clean_step, "_close", close)
    preview(world)
    world.house.permit()
    with pytest.raises(Killed):
        world.house.carry()
    world.house.carry()
    assert len(crashed) == 1
    assert below(world)["sager"]["answer"] == "CLEANED"
    assert below(world)["sager"]["before"] >= 40


def test_a_cleaner_that_does_nothing_is_not_believed(
    make: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make()
    monkeypatch.setattr(postgresql_physical.PostgresPhysical, "clean", lambda *_, **__: "")
    assert world.house.delete("D7a", "maal")["state"] == "verified"
    assert {(row["answer"], row["reason"]) for row in below(world).values()} == {("ERROR", "EFFECT_NOT_SEEN")}


def test_a_rewrite_waits_for_its_window_and_uses_up_no_attempt(make: Callable[..., World]) -> None:
    world = make(physical="rewrite", window={"start": "22:00", "until": "05:00"})
    world.house.clock.instant = datetime(2026, 10, 1, 21, tzinfo=UTC)  # 23:00 in Copenhagen
    executed(world)
    world.house.clock.instant = datetime(2026, 10, 2, 10, tzinfo=UTC)
    world.house.carry()
    assert world.house.ask("read_job", {"activity": "D7a"})["state"] == "executed"
    assert world.house.timer() == datetime(2026, 10, 2, 20, tzinfo=UTC)
    assert in_postgresql(world.target)
    world.house.clock.instant = datetime(2026, 10, 2, 20, tzinfo=UTC)
    world.house.fire()
    assert below(world)["sager"]["answer"] == "CLEANED"
    assert not in_postgresql(world.target)

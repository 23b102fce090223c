"""Our own deleter, broken on purpose: each fault is found by the accounting or by the verifier, none is certified."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest

from services.deletion.worker import delete as delete_hand
from shared.connectors.mongodb.batch import MongoBatch
from shared.connectors.mongodb.connector import MongoConnector
from shared.connectors.protocol import Key
from shared.connectors.sql.batch import SqlBatch
from shared.connectors.sql.connector import SqlConnector
from shared.connectors.sql.tenancy import Tenancy
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target
from tests.integration.deletion_world import World, a_world, preview, stopped
from tests.parts import Parts
from tests.waiting import until

CONNECTORS: dict[str, Any] = {"postgresql": SqlConnector, "mongodb": MongoConnector}


@contextmanager
def made(kind: str, parts: Parts, folder: Path) -> Iterator[Target]:
    """Make a target of a kind."""
    kinds: dict[str, Callable[[], Any]] = {
        "postgresql": lambda: targets.postgresql(parts.postgres_uri, folder),
        "mongodb": lambda: targets.mongodb(parts.mongo_uri, folder),
        "sqlite": lambda: targets.sqlite(folder),
        "mariadb": lambda: targets.mariadb(parts.mariadb, folder),
    }
    with kinds[kind]() as target:
        yield target


@pytest.fixture
def world(
    request: pytest.FixtureRequest, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    kind = getattr(request, "param", "postgresql")
    with made(kind, parts, tmp_path) as target, a_world(target, parts.mongo_uri, tmp_path, monkeypatch) as one:
        yield one


either = pytest.mark.parametrize("world", ["postgresql", "mongodb"], indirect=True)


def answers(world: World) -> list[str]:
    """List what the verifier answered."""
    return [told["result"] for told in world.house.events("deletion.deletion_verified")]


def residuals(world: World) -> dict[str, int]:
    """Give per place what the verifier found left, where it found any."""
    (told,) = world.house.events("deletion.deletion_verified")
    return {row["place"]: row["residual"] for row in told["places"] if row["residual"]}


def counted(world: World) -> int:
    """Give how many rows the closed batches say were deleted."""
    return sum(told["deleted"] for told in world.house.events("deletion.deletion_batch_closed"))


def for_the_deleter(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, mutant: Callable[..., Any]) -> None:
    """Give `mutant(real, self, …)` to connectors opened for deleting; whoever verifies keeps the real one."""
    real = getattr(owner, name)

    def chosen(self: Any, *args: Any) -> Any:
        return mutant(real, self, *args) if self._purpose == "delete" else real(self, *args)

    monkeypatch.setattr(owner, name, chosen)


# A table struck from the list.


@either
def test_a_place_struck_from_the_deleters_list_stops_the_job_before_the_first_row(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = CONNECTORS[world.target.kind]
    for_the_deleter(monkeypatch, connector, "order", lambda real, self, found: real(self, found)[1:])
    world.house.delete("D7a", "maal")
    assert stopped(world)[0] == "SCHEMA_CHANGED"
    assert (world.rows(), counted(world), answers(world)) == (11, 0, [])


@either
def test_a_place_struck_from_the_list_of_planner_and_deleter_alike_is_found_left_by_the_verifier(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = CONNECTORS[world.target.kind]
    real = connector.order

    def short(self: Any, inventory: Any) -> list[str]:
        return [place for place in real(self, inventory) if place != "sager"]

    monkeypatch.setattr(connector, "order", short)
    world.house.delete("D7a", "maal")
    assert answers(world) == ["ERROR"]
    assert residuals(world) == {"sager": 7}
    assert counted(world) == 4


def test_a_child_struck_from_everybodys_list_is_held_by_its_foreign_key(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = SqlConnector.order
    monkeypatch.setattr(SqlConnector, "order", lambda self, found: [one for one in real(self, found) if one != "noter"])
    world.house.delete("D7a", "maal")
    assert stopped(world) == ("ROW_STILL_REFERENCED", "systems.maal.places.noter")
    assert answers(world) == []
    assert 11 - counted(world) == world.rows() > 0


# A wrong predicate.


def wrong(monkeypatch: pytest.MonkeyPatch, predicate: Callable[[str], str]) -> None:
    """Have the deleter take `predicate(the right one)` for the tenant's rows of `sager`."""

    class Wrong(Tenancy):
        def owner(self, place: str, alias: str = "t0") -> str:
            right = super().owner(place, alias)
            return f"({predicate(right)})" if place == "sager" else right

    def opened(self: Any) -> Tenancy:
        with self._connected() as connection:
            catalogue = self.dialect.read(connection, self.system)
        kind = Wrong if self._purpose == "delete" else Tenancy
        return kind(self._map, self.dialect, catalogue, self._tenant)

    mutated = cached_property(opened)
    mutated.__set_name__(SqlConnector, "_tenancy")
    monkeypatch.setattr(SqlConnector, "_tenancy", mutated)


def test_a_predicate_that_misses_some_of_the_tenants_rows_is_found_by_the_verifier(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.execute("UPDATE sager SET over = NULL")
    wrong(monkeypatch, lambda right: f"{right} AND t0.navn < '2024-1010004'")
    world.house.delete("D7a", "maal")
    assert answers(world) == ["ERROR"]
    assert residuals(world) == {"sager": 3}
    assert (counted(world), world.target.neighbours()) == (8, 8)


def test_a_predicate_that_takes_a_few_neighbours_rows_in_deletes_none_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.execute("UPDATE sager SET note = NULL, over = NULL WHERE lejer = 102; DELETE FROM noter WHERE nr > 100")
    wrong(monkeypatch, lambda right: f"{right} OR t0.lejer = 102")
    world.house.delete("D7a", "maal")
    assert stopped(world) == ("ROWS_NOT_DELETABLE", "systems.maal.places.sager")
    assert world.execute("SELECT count(*) FROM sager WHERE lejer = 102").fetchone() == (5,)
    assert answers(world) == []


def test_a_predicate_that_takes_everybodys_rows_in_stops_the_job_before_the_first_row(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.execute("INSERT INTO sager SELECT gen_random_uuid(), 103, 'nabo' FROM generate_series(1, 50)")
    wrong(monkeypatch, lambda right: "true")
    world.house.delete("D7a", "maal")
    assert stopped(world) == ("COUNT_EXCEEDS_PREVIEW", "systems.maal.places.sager")
    assert (world.rows(), counted(world), answers(world)) == (11, 0, [])


@pytest.mark.parametrize("world", ["mongodb"], indirect=True)
def test_a_query_that_takes_neighbours_documents_in_deletes_none_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for_the_deleter(monkeypatch, MongoConnector, "_owner", lambda real, self, place: {})
    world.house.delete("D7a", "maal")
    assert stopped(world)[0] == "ROWS_NOT_DELETABLE"
    assert world.target.neighbours() == 8
    assert answers(world) == []


# A cascade into a neighbour, on the engines whose accounting is one sum (PostgreSQL's is in test_deletion_jobs).


@pytest.mark.parametrize("world", ["sqlite", "mariadb"], indirect=True)
def test_a_cascade_into_a_neighbour_is_undone_by_every_engines_accounting(world: World) -> None:
    kind, user = world.target.kind, world.target.content.get("credentials", {}).get("delete", {}).get("user")
    id_ = "UUID" if kind == "mariadb" else "TEXT"
    world.execute(
        f"CREATE TABLE deling (id INT PRIMARY KEY, lejer INT, sag {id_},"
        " FOREIGN KEY (sag) REFERENCES sager (id) ON DELETE CASCADE)"
    )
    world.execute(f"INSERT INTO deling VALUES (1, 102, '{targets.uuid_of(10106)}')")
    if kind == "mariadb":
        world.execute(f"GRANT DELETE ON deling TO {user}")
    world.target.content["places"]["deling"] = {"tenant_key": "lejer"}
    world.house.store.db.exits.drop()
    world.house.order()
    world.house.delete("D7a", "maal")
    assert stopped(world) == ("OUTSIDE_SCOPE", "systems.maal.places.sager")
    assert [row[0] for row in world.execute("SELECT count(*) FROM deling")] == [1]
    assert answers(world) == []
    assert 11 - counted(world) == world.rows() > 0


# A batch skipped.


def test_a_batch_that_was_never_committed_counts_nothing_and_is_done_by_a_later_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = SqlBatch.commit, iter(range(1, 1000))

    def lazy(self: SqlBatch) -> None:
        if next(calls) != 2:
            real(self)

    monkeypatch.setattr(SqlBatch, "commit", lazy)
    world.house.delete("D7a", "maal")
    batches = [told["deleted"] for told in world.house.events("deletion.deletion_batch_closed")]
    assert (batches[1], sum(batches)) == (0, 11)
    assert (answers(world), world.rows()) == (["DELETED"], 0)


def test_a_deleter_that_never_commits_ends_with_nothing_claimed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqlBatch, "commit", lambda self: None)
    world.house.delete("D7a", "maal")
    assert stopped(world)[0] == "ROWS_NOT_DELETABLE"
    assert (world.rows(), counted(world), answers(world)) == (11, 0, [])


@either
def test_a_batch_that_is_skipped_without_a_word_is_found_left_by_the_verifier(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def skipping(real: Any, self: Any, place: str, limit: int, after: Key | None = None) -> list[Key]:
        mine = real(self, place, 100, after)
        return list(mine[3:][:limit] if place == "sager" else mine[:limit])

    for_the_deleter(monkeypatch, CONNECTORS[world.target.kind], "keys", skipping)
    monkeypatch.setattr(delete_hand, "_check_empty", lambda connector, place: None)
    world.house.delete("D7a", "maal")
    assert answers(world) == ["ERROR"]
    assert residuals(world) == {"sager": 3}
    assert counted(world) == 8


def test_a_batch_that_is_skipped_is_missed_before_the_next_place_is_begun(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for_the_deleter(monkeypatch, SqlConnector, "keys", lambda real, self, place, limit: real(self, place, 100)[limit:])
    world.house.delete("D7a", "maal")
    assert stopped(world)[0] == "ROWS_NOT_DELETABLE"
    assert answers(world) == []


@either
def test_a_batch_that_is_skipped_and_claimed_is_found_left_by_the_verifier(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector, batch = CONNECTORS[world.target.kind], SqlBatch if world.target.kind == "postgresql" else MongoBatch
    claimed: list[Key] = []

    def idle(self: Any, place: str, keys: Sequence[Key]) -> int:
        claimed.extend(keys)
        return len(keys)

    monkeypatch.setattr(batch, "delete", idle)
    monkeypatch.setattr(batch, "commit", lambda self: None)
    for_the_deleter(
        monkeypatch, connector, "keys",
        lambda real, self, place, limit, after=None: [
            key for key in real(self, place, 100, after) if key not in claimed
        ][:limit],
    )  # fmt: skip
    for_the_deleter(monkeypatch, connector, "present", lambda real, self, place, keys: 0)
    monkeypatch.setattr(delete_hand, "_check_empty", lambda connector, place: None)
    world.house.delete("D7a", "maal")
    assert answers(world) == ["ERROR"]
    assert residuals(world) == {"noter": 4, "sager": 7}
    assert world.rows() == 11


# Others write meanwhile.


Write = Callable[[int], Any]


@contextmanager
def application(world: World) -> Iterator[Write]:
    """Connect as the system's own application; give what writes one case of a tenant."""
    where = world.target.content["connection"]
    host, port, base = where["host"], where["port"], where["database"]
    if world.target.kind == "mongodb":
        user = {"username": f"{base}_app", "password": "hemmelig", "authSource": base}
        with pymongo.MongoClient[dict[str, Any]](host, port, **user) as client:
            yield lambda tenant: client[base].sager.insert_one({"lejer": tenant})
        return
    with psycopg.connect(
        host=host, port=port, dbname=base, user=f"{base}_app", password="hemmelig", autocommit=True
    ) as connection:
        yield lambda tenant: connection.execute("INSERT INTO sager VALUES (gen_random_uuid(), %s, 'ny')", [tenant])


@either
def test_a_writer_that_keeps_inserting_tenant_rows_is_found_while_neighbours_write_all_the_time(world: World) -> None:
    ended, of_neighbours, of_tenant = threading.Event(), list[int](), list[int]()

    def neighbour() -> None:
        with application(world) as write:
            while not ended.is_set():
                write(102)
                of_neighbours.append(1)

    def write_on(write: Write) -> bool:
        write(101)
        of_tenant.append(1)
        return False

    writer = threading.Thread(target=neighbour)
    preview(world)
    writer.start()
    try:
        until(lambda: of_neighbours, "the neighbour writes")
        world.house.permit()
        with application(world) as write:
            world.house.carry(until=lambda: write_on(write))
    finally:
        ended.set()
        writer.join(60)
    job = world.house.ask("read_job", {"activity": "D7a"})
    assert (job["state"], job["stopped_code"], job["outside"]) == ("stopped", "COUNT_EXCEEDS_PREVIEW", 0)
    assert answers(world) == []
    assert counted(world) > 11  # rows that came meanwhile were deleted too, and it did not end there
    assert world.rows() == 11 + len(of_tenant) - counted(world) > 0
    assert world.target.neighbours() == 8 + len(of_neighbours)

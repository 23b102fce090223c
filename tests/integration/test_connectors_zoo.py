"""Every schema of the zoo is deleted completely and provably, or refused with the right reason (see `zoo`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import psycopg
import pymysql
import pytest

from contracts.errors import Rejected
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target
from tests.integration.zoo import ENGINES, GONE, IMPOSSIBLE, ZOO, Animal
from tests.integration.zoo_forms import FORMS
from tests.integration.zoo_keeper import grant, outcome
from tests.parts import Parts

ALL = ZOO | FORMS
IN_FILE = """SELECT type, name FROM pragma_table_list WHERE schema = 'main' AND type IN ('view', 'table', 'virtual')
AND name NOT LIKE 'sqlite%' ORDER BY type DESC"""


@pytest.fixture(scope="module", params=ENGINES)
def house(request: pytest.FixtureRequest, parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Give a database of each engine with its users, in which all schemas are made one after another."""
    folder = tmp_path_factory.mktemp("zoo")
    made: dict[str, Callable[[], AbstractContextManager[Target]]] = {
        "postgresql": lambda: targets.postgresql(parts.postgres_uri, folder),
        "mariadb": lambda: targets.mariadb(parts.mariadb, folder),
        "sqlite": lambda: targets.sqlite(folder),
    }
    with made[request.param]() as one:
        yield one


@pytest.fixture
def target(house: Target) -> Iterator[Target]:
    """Empty the database before, and let go of it afterwards."""
    name = house.content["connection"].get("database", "")
    if house.kind == "postgresql":
        house.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC")
    elif house.kind == "mariadb":
        house.execute(f"DROP DATABASE {name}")
        house.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_danish_ci")
        house.execute(f"USE {name}")
    else:
        house.execute("PRAGMA foreign_keys = OFF")
        for kind, one in [(kind.replace("virtual", "table"), one) for kind, one in house.execute(IN_FILE)]:
            house.execute(f'DROP {kind} IF EXISTS "{one}"')
    house.content["places"] = {}
    yield house
    while house.opened:
        house.opened.pop().close()


@pytest.mark.parametrize("name", ALL)
def test_every_schema_is_deleted_completely_and_provably_or_refused(target: Target, name: str) -> None:
    animal = ALL[name]
    expected = animal.outcome[ENGINES.index(target.kind)]
    try:
        for statement in animal.made_for(target.kind):
            target.execute(statement)
    except (psycopg.Error, pymysql.Error, sqlite3.Error):
        assert expected == IMPOSSIBLE
        return
    grant(target)
    target.content["places"] = animal.places
    before = totals(target, animal)
    assert outcome(target) == expected
    owned = [place for place, rule in animal.places.items() if "shared" not in rule and "excluded" not in rule]
    if expected == GONE:
        verifier = target.open("verify")
        assert [verifier.count(place) for place in owned] == [0] * len(owned)
        assert totals(target, animal) == {place: (0, others) for place, (_, others) in before.items()}
        assert {place: rows(target, place) for place in animal.left} == animal.left
    elif not any(statement.endswith("= Aria") for statement in animal.statements):
        assert totals(target, animal) == before


def rows(target: Target, place: str) -> int:
    """Count a table's rows without any map."""
    found = target.execute(f"SELECT count(*) FROM {place}")
    return int((found.fetchone() if target.kind == "postgresql" else found[0])[0])


def totals(target: Target, animal: Animal) -> dict[str, tuple[int, int]]:
    """Count with a second connection, place by place: the tenant's rows, and all the others."""
    verifier = target.open("verify")
    try:
        owned = {place for place, rule in animal.places.items() if "tenant_key" in rule or "tenant_path" in rule}
        mine = {place: verifier.count(place) if place in owned else 0 for place in animal.places}
        return {place: (count, verifier.total(place) - count) for place, count in mine.items()}
    except Rejected:
        return {}

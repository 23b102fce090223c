"""What is SQLite's own: one writer, references that others do not keep, bytes that stay in the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.errors import Rejected, Unavailable
from shared.connectors.sql import sqlite
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with targets.sqlite(tmp_path) as one:
        yield one


def remove(target: Target) -> None:
    """Delete everything of the tenant."""
    connector = target.open("delete")
    for place in connector.order(connector.discover()):
        while keys := connector.keys(place, 1000):
            with connector.batch() as batch:
                assert batch.delete(place, keys) == len(keys)
                assert batch.effects() == batch.planned()
                batch.commit()
    connector.close()


def test_nothing_of_the_rows_is_left_in_the_bytes_of_the_file(target: Target) -> None:
    def found() -> int:
        return sum(path.read_bytes().count(b"2024-101") for path in target.folder.glob("maal.db*"))

    assert found()
    remove(target)
    assert found() == 0
    assert sum(path.read_bytes().count(b"2024-102") for path in target.folder.glob("maal.db*"))


def test_a_batch_waits_for_another_writer_and_gives_up_as_busy(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WAIT_S", 0.1)
    connector = target.open("delete")
    connector.discover()
    target.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="TARGET_BUSY"), connector.batch():
        pass
    target.execute("ROLLBACK")
    assert connector.count("sager") == 7


def test_readers_go_on_while_a_batch_is_open_and_see_nothing_of_it(target: Target) -> None:
    connector = target.open("delete")
    connector.discover()
    with connector.batch() as batch:
        batch.delete("noter", connector.keys("noter", 2))
        assert target.open("verify").count("noter") == 4
        batch.commit()
    assert target.open("verify").count("noter") == 2


def test_references_are_kept_although_the_application_never_asked_for_it(target: Target) -> None:
    target.execute("PRAGMA foreign_keys = OFF")
    target.execute("INSERT INTO noter VALUES (900, (SELECT id FROM sager WHERE lejer = 102 LIMIT 1), 'x')")
    target.execute("UPDATE sager SET note = NULL, over = (SELECT min(id) FROM sager WHERE lejer = 101)")
    connector = target.open("delete")
    connector.discover()
    first = connector.keys("sager", 1)
    with pytest.raises(Rejected, match="ROW_STILL_REFERENCED"), connector.batch() as batch:
        batch.delete("sager", first)
        batch.commit()
    assert connector.present("sager", first) == 1


@pytest.mark.parametrize(
    ("kind", "value"), [("NUMERIC", "101.0"), ("", "101.0"), ("", "x'313031'"), ("TEXT", "'101 '")]
)
def test_a_tenant_key_is_found_as_number_and_text_and_written_otherwise_it_is_named(
    target: Target, kind: str, value: str
) -> None:
    target.execute(f"CREATE TABLE p (id INTEGER PRIMARY KEY, lejer {kind})")
    target.execute("INSERT INTO p VALUES (1, 101), (2, '101')")
    target.content["places"]["p"] = {"tenant_key": "lejer"}
    verifier = target.open("verify")
    verifier.order(verifier.discover())
    assert verifier.count("p") == 2
    target.execute(f"INSERT INTO p VALUES (3, {value})")
    if (kind, value) in {
        ("NUMERIC", "101.0"),
        ("TEXT", "'101 '"),
    }:  # the one is stored as 101, the other is another text
        verifier.order(verifier.discover())
        assert verifier.count("p") == (3 if kind == "NUMERIC" else 2)
        return
    with pytest.raises(Rejected, match="TENANT_AMBIGUOUS"):
        verifier.order(verifier.discover())


def test_a_verifier_cannot_write_whatever_it_tries(target: Target) -> None:
    verifier = target.open("verify")
    verifier.discover()
    engine = verifier._engine  # type: ignore[attr-defined]
    with engine.connect() as connection, pytest.raises(Exception, match="readonly"):
        connection.exec_driver_sql("DELETE FROM sager")
    assert target.open("verify").count("sager") == 7


def test_a_file_that_is_not_there_is_never_made_and_one_that_is_no_database_is_not_empty(target: Target) -> None:
    (target.folder / "ingen.db").write_text("ikke en database, men længere end en side hoved " * 50)
    for name in ("borte.db", "ingen.db"):
        target.content["connection"]["file"] = name
        for purpose in ("verify", "delete"):
            with pytest.raises(Unavailable, match="SYSTEM_UNREACHABLE"):
                target.open(purpose).discover()
    assert not (target.folder / "borte.db").exists()


def test_names_are_spelled_as_the_schema_spells_them(target: Target) -> None:
    target.content["places"]["Sager"] = target.content["places"].pop("sager")
    connector = target.open("verify")
    with pytest.raises(Rejected, match="PLACE_NOT_MAPPED"):
        connector.order(connector.discover())


def test_an_open_file_of_the_application_does_not_keep_the_deleter_from_closing(target: Target) -> None:
    with sqlite3.connect(target.folder / "maal.db", isolation_level=None) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sager").fetchone()
        remove(target)
        assert reader.execute("SELECT count(*) FROM sager").fetchone() == (12,)
    assert target.open("verify").count("sager") == 0

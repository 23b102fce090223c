"""What is MariaDB's own: gaps that stay free, counts that must be fresh, collations, rights, what it does not show."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from contracts.errors import OphorError, Rejected, Unavailable
from shared.connectors.sql import mariadb
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target
from tests.parts import MariaServer, Parts
from tests.waiting import LONGEST_S, until


@pytest.fixture
def server(parts: Parts) -> MariaServer:
    return parts.mariadb


@pytest.fixture
def target(server: MariaServer, tmp_path: Path) -> Iterator[Target]:
    with targets.mariadb(server, tmp_path) as one:
        yield one


def another(target: Target, server: MariaServer) -> Any:
    """Open a session of somebody else's."""
    session = server.connect()
    session.cursor().execute(f"USE {target.content['connection']['database']}")
    return session


def user(target: Target, purpose: str) -> str:
    return str(target.content["credentials"][purpose]["user"])


def test_neighbours_insert_and_change_rows_while_a_batch_is_open(target: Target, server: MariaServer) -> None:
    connector, session = target.open("delete"), another(target, server)
    connector.discover()
    target.execute("UPDATE sager SET note = NULL WHERE lejer = 101;\nDELETE FROM noter WHERE nr < 100")
    cursor = session.cursor()
    cursor.execute("SET innodb_lock_wait_timeout = 1")
    keys = connector.keys("sager", 1000)
    with connector.batch() as batch:
        assert batch.delete("sager", keys) == 7
        for number in (0, 1, 0x7FFFFFFF):
            row = f"('{number:08x}-0000-4000-8000-000000000000', 102, 'ny', NULL, NULL)"
            cursor.execute(f"INSERT INTO sager VALUES {row}")
        cursor.execute(f"UPDATE sager SET navn = 'ændret' WHERE id = '{targets.uuid_of(10200)}'")
        assert batch.effects() == batch.planned()
        batch.commit()
    assert target.open("verify").count("sager") == 0
    assert target.open("verify").total("sager") == 8


def test_a_deleter_that_is_not_shown_its_own_changes_is_refused(target: Target) -> None:
    target.execute(f"REVOKE PROCESS ON *.* FROM {user(target, 'delete')}@'%'")
    connector = target.open("delete")
    connector.discover()
    with pytest.raises(Rejected) as caught, connector.batch() as batch:
        batch.delete("noter", connector.keys("noter", 2))
        batch.effects()
    assert (caught.value.code, caught.value.field) == ("EFFECTS_NOT_COUNTED", "systems.maal.credentials.delete")
    assert target.open("verify").count("noter") == 4


def test_a_count_that_somebody_else_keeps_from_being_fresh_is_not_believed(
    target: Target, server: MariaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mariadb, "_TRIES", 2)
    ended, reading = threading.Event(), threading.Event()
    often = "FOR i IN 1..1000 DO SELECT count(*) INTO n FROM information_schema.INNODB_TRX; END FOR"

    def watch() -> None:
        with server.connect() as session, session.cursor() as cursor:
            while not ended.is_set():
                cursor.execute(f"BEGIN NOT ATOMIC DECLARE n INT; {often}; END")
                reading.set()

    watchers = [threading.Thread(target=watch) for _ in range(4)]
    for watcher in watchers:
        watcher.start()
    try:
        assert reading.wait(LONGEST_S)
        connector = target.open("delete")
        connector.discover()
        with pytest.raises(Unavailable, match="TARGET_BUSY"), connector.batch() as batch:
            batch.delete("noter", connector.keys("noter", 2))
            batch.effects()
    finally:
        ended.set()
        for watcher in watchers:
            watcher.join(LONGEST_S)
    assert target.open("verify").count("noter") == 4


def test_credentials_that_may_not_see_every_table_give_no_inventory(target: Target) -> None:
    name, base = user(target, "verify"), target.content["connection"]["database"]
    target.execute(f"REVOKE SELECT ON {base}.* FROM {name}@'%';\nGRANT SELECT ON {base}.sager TO {name}@'%'")
    with pytest.raises(Rejected, match="INVENTORY_NOT_WHOLE"):
        target.open("verify").discover()


def test_what_is_left_is_counted_only_after_another_workers_batch_has_ended(
    target: Target, server: MariaServer
) -> None:
    stale, fresh = target.open("delete"), target.open("delete")
    stale.discover(), fresh.discover()
    keys, counted = stale.keys("noter", 2), list[int]()
    waiting = "SELECT count(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User lock'"
    with stale.batch() as batch:
        batch.delete("noter", keys)
        thread = threading.Thread(target=lambda: counted.append(fresh.present("noter", keys)))
        thread.start()
        until(lambda: target.execute(waiting)[0][0], "the counting connection waits for the batch")
        assert not counted
        batch.commit()
    thread.join(LONGEST_S)
    assert counted == [0]


def test_a_connection_that_is_killed_in_a_batch_leaves_nothing_behind_and_the_next_goes_on(target: Target) -> None:
    connector = target.open("delete")
    connector.discover()
    keys = connector.keys("noter", 2)
    with pytest.raises(OphorError), connector.batch() as batch:
        batch.delete("noter", keys)
        mine = f"SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '{user(target, 'delete')}'"
        for (number,) in target.execute(mine):
            target.execute(f"KILL {number}")
        batch.effects()
        batch.commit()
    again = target.open("delete")
    again.discover()
    assert again.present("noter", keys) == 2
    with again.batch() as batch:
        assert batch.delete("noter", keys) == 2
        assert batch.effects() == {"noter": 2, "sager": 2}
        batch.commit()
    assert again.present("noter", keys) == 0


def test_a_key_that_the_collation_takes_for_the_tenants_is_named_before_anything(target: Target) -> None:
    target.execute(
        "CREATE TABLE by_navn (id INT PRIMARY KEY, lejer VARCHAR(20));\n"
        "INSERT INTO by_navn VALUES (1, 'Aabenraa'), (2, 'Åbenrå')"
    )
    target.content["places"] = {place: {"excluded": "NOT_IN_REHEARSAL"} for place in ("sager", "noter", "kode")}
    target.content["places"]["by_navn"] = {"tenant_key": "lejer"}
    verifier = target.open("verify", tenant="Aabenraa")
    assert verifier.count("by_navn") == 1
    with pytest.raises(Rejected) as caught:
        verifier.order(verifier.discover())
    assert (caught.value.code, caught.value.field) == ("TENANT_AMBIGUOUS", "systems.maal.places.by_navn")


@pytest.mark.parametrize("tenant", ["abc", "", " 101", "101'; DROP TABLE sager; --", "9" * 30])
def test_a_tenant_that_does_not_fit_its_column_is_refused(target: Target, tenant: str) -> None:
    with pytest.raises(Rejected, match="TENANT_INVALID"):
        target.open("verify", tenant=tenant).count("sager")


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE sager ADD ny text",
        "CREATE TABLE ny (id int)",
        "ALTER TABLE noter PARTITION BY HASH (nr) PARTITIONS 2",
        "ALTER TABLE sager DROP FOREIGN KEY sager_ibfk_2, ADD FOREIGN KEY (note) REFERENCES noter (nr) ON DELETE CASCADE",  # noqa: E501
    ],
)
def test_what_changes_the_schema_changes_the_fingerprint(target: Target, change: str) -> None:
    if "PARTITION" in change:
        target.execute(
            "ALTER TABLE sager DROP FOREIGN KEY sager_ibfk_2;\nALTER TABLE noter DROP FOREIGN KEY noter_ibfk_1"
        )
    before = target.open("verify").discover().fingerprint
    target.execute("INSERT INTO kode VALUES ('C', 'En række til')")
    assert target.open("verify").discover().fingerprint == before
    assert target.open("delete").discover().fingerprint == before
    target.execute(change)
    assert target.open("verify").discover().fingerprint != before


def test_open_sessions_are_ended_with_the_access(target: Target) -> None:
    name, where = target.content["access"]["roles"][0], target.content["connection"]
    words = {"host": where["host"], "port": where["port"], "database": where["database"], "password": "hemmelig"}
    session = pymysql.connect(user=name, **words)
    session.cursor().execute("SELECT 1 FROM sager LIMIT 1")
    target.open("access").close_access()
    until(lambda: not target.open("access").access().details["sessions"], "the session is gone")
    with pytest.raises(pymysql.err.OperationalError):
        session.cursor().execute("SELECT 1")
    with pytest.raises(pymysql.err.OperationalError):
        pymysql.connect(user=name, **words)


def test_a_right_that_comes_by_a_role_still_shows_as_writable(target: Target) -> None:
    base, name = target.content["connection"]["database"], target.content["access"]["roles"][0]
    target.execute(f"CREATE ROLE {base}_r;\nGRANT INSERT ON {base}.* TO {base}_r;\nGRANT {base}_r TO {name}@'%'")
    connector = target.open("access")
    connector.freeze()
    assert connector.access().writable
    target.execute(f"DROP ROLE {base}_r")
    assert not connector.access().writable

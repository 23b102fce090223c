"""What is PostgreSQL's own: cascades, cycles, self-references, partitions, views that hold rows, the snapshot."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from contracts.errors import Rejected, Unavailable
from shared.connectors.protocol import Connector
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target
from tests.parts import Parts
from tests.waiting import LONGEST_S, until


@pytest.fixture
def target(parts: Parts, tmp_path: Path) -> Iterator[Target]:
    with targets.postgresql(parts.postgres_uri, tmp_path) as one:
        yield one


def make(target: Target, statements: str, rule: tuple[str, dict[str, Any]]) -> None:
    """Add a place with its rule; the deleter may read and change it."""
    user = target.content["credentials"]["delete"]["user"].removesuffix("_delete")
    target.execute(statements)
    target.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}_verify, {user}_extract")
    target.execute(f"GRANT SELECT, DELETE, UPDATE ON ALL TABLES IN SCHEMA public TO {user}_delete")
    target.content["places"][rule[0]] = rule[1]


def remove(connector: Connector, size: int = 1000) -> list[str]:
    """Delete everything of the tenant; give the order it went in."""
    order = connector.order(connector.discover())
    for place in order:
        while keys := connector.keys(place, size):
            with connector.batch() as batch:
                assert batch.delete(place, keys) == len(keys)
                assert batch.effects() == batch.planned()
                batch.commit()
    assert all(connector.count(place) == 0 for place in order)
    return order


def test_a_cascade_into_a_neighbour_is_seen_by_effects_and_by_the_snapshot(target: Target) -> None:
    make(
        target,
        """CREATE TABLE deling (id int PRIMARY KEY, lejer int, sag uuid REFERENCES sager (id) ON DELETE CASCADE);
        INSERT INTO deling SELECT 1, 102, id FROM sager WHERE lejer = 101 ORDER BY id DESC LIMIT 1""",
        ("deling", {"tenant_key": "lejer"}),
    )
    connector = target.open("delete")
    connector.discover()
    target.execute("UPDATE sager SET note = NULL WHERE lejer = 101")
    target.execute("DELETE FROM noter WHERE nr < 100")
    with connector.batch() as batch:
        before = batch.neighbours()
        batch.delete("sager", connector.keys("sager", 1000))
        assert batch.planned() == {"sager": 7}
        assert batch.effects() == {"sager": 7, "deling": 1}
        assert batch.neighbours()["deling"] == before["deling"] - 1
    assert target.open("verify").total("deling") == 1


def test_a_neighbours_reference_that_the_engine_sets_null_is_seen_by_effects(target: Target) -> None:
    make(
        target,
        """CREATE TABLE henvis (id int PRIMARY KEY, lejer int, sag uuid REFERENCES sager (id) ON DELETE SET NULL);
        INSERT INTO henvis SELECT 1, 102, id FROM sager WHERE lejer = 101 ORDER BY id DESC LIMIT 1""",
        ("henvis", {"tenant_key": "lejer"}),
    )
    connector = target.open("delete")
    connector.discover()
    last = connector.keys("sager", 1000)[-1:]
    with connector.batch() as batch:
        batch.delete("sager", last)
        assert batch.planned() == {"sager": 1}
        assert batch.effects() == {"sager": 1, "henvis": 1}


def test_a_trigger_that_writes_elsewhere_is_seen_by_effects(target: Target) -> None:
    make(
        target,
        """CREATE TABLE spor (id serial, tekst text);
        CREATE FUNCTION spor() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS
          'BEGIN INSERT INTO public.spor (tekst) VALUES (OLD.id); RETURN OLD; END';
        CREATE TRIGGER efter AFTER DELETE ON sager FOR EACH ROW EXECUTE FUNCTION spor()""",
        ("spor", {"excluded": "NOT_CUSTOMER_DATA"}),
    )
    connector = target.open("delete")
    connector.discover()
    with connector.batch() as batch:
        batch.delete("sager", connector.keys("sager", 1000)[-2:])
        assert batch.effects() == {"sager": 2, "spor": 2}


def test_a_row_that_a_neighbour_still_refers_to_is_a_finding(target: Target) -> None:
    target.execute(
        "UPDATE sager SET over = (SELECT id FROM sager WHERE lejer = 101 ORDER BY id LIMIT 1) WHERE lejer = 102"
    )
    connector = target.open("delete")
    connector.discover()
    first = connector.keys("sager", 1)
    with pytest.raises(Rejected) as caught, connector.batch() as batch:
        batch.delete("sager", first)
    assert (caught.value.code, caught.value.field) == ("ROW_STILL_REFERENCED", "systems.maal.places.sager")


def test_the_cycle_is_broken_where_a_reference_may_be_null_and_never_on_the_tenants_path(target: Target) -> None:
    assert remove(target.open("delete"), 2) == ["noter", "sager"]
    assert target.neighbours() == 8


def test_a_self_reference_that_may_not_be_null_is_deleted_from_its_leaves(target: Target) -> None:
    make(
        target,
        """CREATE TABLE led (id int PRIMARY KEY, lejer int, over int NOT NULL REFERENCES led (id));
        INSERT INTO led SELECT n, 101, greatest(n - 1, 1) FROM generate_series(1, 7) n;
        INSERT INTO led VALUES (90, 102, 90)""",
        ("led", {"tenant_key": "lejer"}),
    )
    remove(target.open("delete"), 2)
    assert target.open("verify").total("led") == 1


def test_a_cycle_without_a_nullable_reference_is_refused_before_anything(target: Target) -> None:
    make(
        target,
        """CREATE TABLE a (id int PRIMARY KEY, lejer int, b int NOT NULL);
        CREATE TABLE b (id int PRIMARY KEY, lejer int,
        a int NOT NULL REFERENCES a (id)); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id)""",
        ("a", {"tenant_key": "lejer"}),
    )
    target.content["places"]["b"] = {"tenant_key": "lejer"}
    connector = target.open("delete")
    with pytest.raises(Rejected) as caught:
        connector.order(connector.discover())
    assert (caught.value.code, caught.value.field) == ("CYCLE_NOT_BREAKABLE", "systems.maal.places.a")


def test_partitions_are_one_place_and_a_new_one_changes_the_fingerprint(target: Target) -> None:
    make(
        target,
        """CREATE TABLE log (lejer int, nr int, PRIMARY KEY (lejer, nr)) PARTITION BY LIST (lejer);
        CREATE TABLE log_101 PARTITION OF log FOR VALUES IN (101);
        CREATE TABLE log_102 PARTITION OF log FOR VALUES IN (102);
        INSERT INTO log SELECT 101 + n % 2, n FROM generate_series(1, 20) n""",
        ("log", {"tenant_key": "lejer"}),
    )
    before = target.open("verify").discover()
    assert [place.name for place in before.places if place.name.startswith("log")] == ["log"]
    remove(target.open("delete"), 3)
    assert target.open("verify").total("log") == 10
    target.execute("CREATE TABLE log_103 PARTITION OF log FOR VALUES IN (103)")
    assert target.open("verify").discover().fingerprint != before.fingerprint


def test_a_place_without_a_primary_key_is_read_and_deleted_by_address(target: Target) -> None:
    make(
        target,
        """CREATE TABLE loes (lejer int, tekst text);
        INSERT INTO loes SELECT 101 + n % 2, 'x' FROM generate_series(1, 20) n""",
        ("loes", {"tenant_key": "lejer"}),
    )
    reader, after, seen = target.open("extract"), None, 0
    while True:
        rows = reader.read("loes", after, 3)
        seen, after = seen + len(rows.rows), rows.after
        if after is None:
            break
    assert seen == 10
    remove(target.open("delete"), 3)
    assert target.open("verify").total("loes") == 10


def test_a_view_that_holds_rows_is_refreshed_after_its_tables(target: Target) -> None:
    make(
        target,
        "CREATE MATERIALIZED VIEW oversigt AS SELECT id, lejer FROM sager",
        ("oversigt", {"tenant_key": "lejer", "deliver": False, "reason": "derived"}),
    )
    user = target.content["credentials"]["delete"]["user"]
    target.execute(f"GRANT CREATE ON SCHEMA public TO {user}")
    target.execute(f"ALTER MATERIALIZED VIEW oversigt OWNER TO {user}")
    assert remove(target.open("delete"))[-1] == "oversigt"
    assert target.open("verify").total("oversigt") == 5
    target.execute(f"ALTER MATERIALIZED VIEW oversigt OWNER TO postgres; REVOKE CREATE ON SCHEMA public FROM {user}")


def test_large_objects_are_a_place_of_their_own(target: Target) -> None:
    target.execute("SELECT lo_create(0)")
    connector = target.open("verify")
    with pytest.raises(Rejected) as caught:
        connector.order(connector.discover())
    assert caught.value.field == "systems.maal.places.pg_largeobject"


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE sager ADD ny text",
        "CREATE TABLE andet.ny (id int)",
        "CREATE TRIGGER t AFTER DELETE ON sager FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "ALTER TABLE noter DROP CONSTRAINT noter_sag_fkey, "
        "ADD FOREIGN KEY (sag) REFERENCES sager (id) ON DELETE CASCADE",
    ],
)
def test_what_changes_the_schema_changes_the_fingerprint(target: Target, change: str) -> None:
    target.execute("CREATE SCHEMA andet")
    before = target.open("verify").discover().fingerprint
    target.execute("INSERT INTO kode VALUES ('C', 'En række til')")
    assert target.open("verify").discover().fingerprint == before
    target.execute(change)
    assert target.open("verify").discover().fingerprint != before


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (["tekst", "lejer"], "systems.maal.places.noter.tenant_path.0"),
        (["sag", "findes_ikke"], "systems.maal.places.noter.tenant_path.1"),
    ],
)
def test_a_broken_tenant_path_is_named(target: Target, path: list[str], field: str) -> None:
    target.content["places"]["noter"] = {"tenant_path": path}
    connector = target.open("verify")
    with pytest.raises(Rejected) as caught:
        connector.order(connector.discover())
        connector.count("noter")
    assert (caught.value.code, caught.value.field) == ("TENANT_PATH_BROKEN", field)


def test_a_tenant_that_does_not_fit_its_column_is_refused(target: Target) -> None:
    with pytest.raises(Rejected, match="TENANT_INVALID"):
        target.open("verify", tenant="Korsbæk'; DROP TABLE sager; --").count("sager")


def test_names_and_values_with_quotes_and_colons_are_only_names_and_values(target: Target) -> None:
    make(
        target,
        """CREATE TABLE "o'r:d ""x"" %s" ("n:r" text PRIMARY KEY, "le""jer" text);
        INSERT INTO "o'r:d ""x"" %s" VALUES ('a'';--', '101'), ('b:c', '102')""",
        ('o\'r:d "x" %s', {"tenant_key": 'le"jer'}),
    )
    assert target.open("extract").read('o\'r:d "x" %s', None, 5).rows == [("a';--", "101")]
    remove(target.open("delete"))
    assert target.open("verify").total('o\'r:d "x" %s') == 1


def test_what_is_left_is_counted_only_after_another_workers_batch_has_ended(target: Target) -> None:
    stale, fresh = target.open("delete"), target.open("delete")
    stale.discover(), fresh.discover()
    keys = stale.keys("noter", 2)
    counted: list[int] = []
    with stale.batch() as batch:
        batch.delete("noter", keys)
        thread = threading.Thread(target=lambda: counted.append(fresh.present("noter", keys)))
        thread.start()
        until(lambda: _waiting(target), "the counting connection waits for the batch")
        assert not counted
        batch.commit()
    thread.join(LONGEST_S)
    assert counted == [0]


def _waiting(target: Target) -> bool:
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    return bool(target.execute(query).fetchone()[0])


def test_a_row_changed_meanwhile_makes_the_batch_busy_not_wrong(target: Target) -> None:
    connector = target.open("delete")
    connector.discover()
    keys = connector.keys("noter", 2)
    with pytest.raises(Unavailable, match="TARGET_BUSY"), connector.batch() as batch:
        batch.neighbours()
        target.execute("UPDATE noter SET tekst = 'ny'")
        batch.delete("noter", keys)
    assert connector.present("noter", keys) == 2


def test_a_wrong_password_is_a_refusal_not_an_absence(target: Target) -> None:
    user = target.content["credentials"]["verify"]["user"]
    (target.folder / "secrets" / user).write_text("forkert")
    with pytest.raises(Rejected, match="TARGET_REFUSED"):
        target.open("verify").count("sager")


def test_open_sessions_are_ended_with_the_access(target: Target) -> None:
    user, where = target.content["access"]["roles"][0], target.content["connection"]
    with psycopg.connect(
        host=where["host"], port=where["port"], dbname=where["database"], user=user, password="hemmelig"
    ) as session:
        session.execute("SELECT 1 FROM sager LIMIT 1")
        target.open("access").close_access()
        until(lambda: not target.open("access").access().details["sessions"], "the session is gone")
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")

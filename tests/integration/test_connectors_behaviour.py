"""What every connector promises, seen on PostgreSQL, MariaDB, SQLite, MongoDB, a folder, an object store, queues,
attestations and a case index.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contracts.errors import OphorError, Rejected, Unavailable
from contracts.system_map import WITHOUT_USERS
from shared.connectors import marker
from shared.connectors.protocol import Connector, Marker
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target
from tests.parts import Broker, Parts

KINDS = ("postgresql", "mariadb", "sqlite", "mongodb", "files", "s3", "queues", "manual", "case_index")
SEED = b"0123456789abcdef"


@pytest.fixture(scope="module")
def rabbit(parts: Parts) -> Iterator[Broker]:
    made = parts.broker()
    yield made
    made.remove()


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest, parts: Parts, tmp_path: Path) -> Iterator[Target]:
    made: dict[str, Callable[[], object]] = {
        "postgresql": lambda: targets.postgresql(parts.postgres_uri, tmp_path),
        "mariadb": lambda: targets.mariadb(parts.mariadb, tmp_path),
        "sqlite": lambda: targets.sqlite(tmp_path),
        "mongodb": lambda: targets.mongodb(parts.mongo_uri, tmp_path),
        "files": lambda: targets.files(tmp_path),
        "s3": lambda: targets.s3(parts.object_store, tmp_path),
        "queues": lambda: targets.queues(request.getfixturevalue("rabbit"), tmp_path),
        "manual": lambda: targets.manual(tmp_path),
        "case_index": lambda: targets.index(tmp_path),
    }
    with made[request.param]() as one:  # type: ignore[attr-defined]
        yield one


def counts(connector: Connector, places: tuple[str, ...]) -> dict[str, int]:
    return {place: connector.count(place) for place in places}


def skip_where_people_act(target: Target) -> None:
    if target.kind == "manual":
        pytest.skip("nothing in it is done by us; tests/integration/test_connectors_manual.py")


def delete_everything(target: Target, size: int) -> None:
    connector = target.open("delete")
    for place in connector.order(connector.discover()):
        after = None
        while keys := connector.keys(place, size, after) or connector.keys(place, size):
            with connector.batch() as batch:
                assert batch.delete(place, keys) == len(keys)
                assert batch.effects() == batch.planned()
                batch.commit()
            after = keys[-1]


def test_the_live_inventory_names_every_place_and_stays_the_same(target: Target) -> None:
    first, second = target.open("verify").discover(), target.open("delete").discover()
    assert set(target.places) <= {place.name for place in first.places}
    assert first == second


def test_counts_are_of_the_tenant_and_totals_of_everybody(target: Target) -> None:
    connector = target.open("verify")
    assert counts(connector, target.places) == target.before(own=True)
    for place in target.places:
        assert connector.total(place) == sum(targets.COUNTS[place])


def test_reading_in_slices_gives_every_row_once(target: Target) -> None:
    skip_where_people_act(target)
    connector = target.open("extract")
    for place in target.places:
        seen, after = [], None
        while True:
            rows = connector.read(place, after, 3)
            seen += [row[0] for row in rows.rows]
            assert all(len(row) == len(rows.columns) for row in rows.rows)
            if (after := rows.after) is None:
                break
        assert len(seen) == len(set(seen)) == targets.COUNTS[place][0]


def test_a_committed_batch_removes_exactly_its_keys(target: Target) -> None:
    skip_where_people_act(target)
    connector = target.open("delete")
    place = connector.order(connector.discover())[0]
    keys, before = connector.keys(place, 3), connector.count(place)
    with connector.batch() as batch:
        neighbours = batch.neighbours()
        assert batch.delete(place, keys) == 3
        assert batch.effects() == batch.planned()
        assert batch.neighbours() == neighbours
        batch.commit()
    assert connector.present(place, keys) == 0
    assert target.open("verify").count(place) == before - 3


def test_a_batch_that_is_left_without_commit_changes_nothing(target: Target) -> None:
    skip_where_people_act(target)
    connector = target.open("delete")
    place = connector.order(connector.discover())[0]
    keys = connector.keys(place, 3)
    with connector.batch() as batch:
        batch.delete(place, keys)
    with pytest.raises(ZeroDivisionError), connector.batch() as batch:
        batch.delete(place, keys)
        raise ZeroDivisionError
    assert connector.present(place, keys) == 3
    assert counts(target.open("verify"), target.places) == target.before(own=True)


@pytest.mark.parametrize("size", [2, 1000])
def test_deleting_in_the_order_given_leaves_none_of_the_tenant_and_all_of_the_neighbours(
    target: Target, size: int
) -> None:
    skip_where_people_act(target)
    delete_everything(target, size)
    assert counts(target.open("verify"), target.places) == dict.fromkeys(target.places, 0)
    assert target.neighbours() == sum(target.before(own=False).values())


def test_probes_are_found_before_and_not_after(target: Target) -> None:
    skip_where_people_act(target)
    verifier = target.open("verify")
    drawn = {place: verifier.probes(place, 3, SEED) for place in ("sager",)}
    assert len(drawn["sager"]) == 3
    assert verifier.probes("sager", 3, SEED) == drawn["sager"] != verifier.probes("sager", 3, b"another seed")
    assert verifier.find("sager", drawn["sager"], SEED) == 3
    delete_everything(target, 1000)
    assert target.open("verify").find("sager", drawn["sager"], SEED) == 0


def test_a_connector_for_verification_opens_no_batch(target: Target) -> None:
    skip_where_people_act(target)
    with pytest.raises(Rejected, match="PURPOSE_REFUSED"), target.open("verify").batch():
        pass


def test_the_target_itself_refuses_the_verifiers_credentials_to_delete(target: Target) -> None:
    if target.kind in WITHOUT_USERS:
        pytest.skip("files have no users of their own; the operating system's are a later matter")
    if target.kind == "queues":
        pytest.skip("RabbitMQ has no right to look into a queue without the right to take from it")
    target.content["credentials"]["delete"], target.content["credentials"]["verify"] = (
        target.content["credentials"]["verify"],
        target.content["credentials"]["delete"],
    )
    connector = target.open("delete")
    place = connector.order(connector.discover())[0]
    with pytest.raises(Rejected, match="TARGET_REFUSED"), connector.batch() as batch:
        batch.delete(place, connector.keys(place, 2))
        batch.commit()
    assert counts(connector, target.places) == target.before(own=True)


def test_a_place_that_the_map_does_not_know_is_named(target: Target) -> None:
    target.add_place()
    connector = target.open("delete")
    with pytest.raises(Rejected) as caught:
        connector.order(connector.discover())
    assert caught.value.code == "PLACE_NOT_MAPPED"
    assert caught.value.field.startswith("systems.maal.places.")
    assert caught.value.remedy


def test_a_place_that_is_only_in_the_map_is_named(target: Target) -> None:
    target.content["places"]["borte"] = {"excluded": "NOT_CUSTOMER_DATA"}
    connector = target.open("verify")
    with pytest.raises(Rejected) as caught:
        connector.order(connector.discover())
    assert (caught.value.code, caught.value.field) == ("MAP_UNKNOWN_PLACE", "systems.maal.places.borte")


def test_freezing_takes_writing_and_closing_takes_everything(target: Target) -> None:
    skip_where_people_act(target)
    connector = target.open("access")
    if target.kind == "sqlite":
        assert not connector.access().open
        pytest.skip("a database file lets nobody in by itself")
    before = connector.access()
    assert before.open and before.writable and before.grants
    connector.freeze()
    frozen = connector.access()
    assert frozen.open and not frozen.writable
    connector.close_access()
    closed = connector.access()
    assert not closed.open and not closed.writable and not closed.grants
    connector.close_access()


def test_access_is_changed_by_its_own_credentials_only(target: Target) -> None:
    skip_where_people_act(target)
    with pytest.raises(Rejected, match="PURPOSE_REFUSED"):
        target.open("delete").close_access()


def test_a_target_without_a_fresh_marker_is_no_rehearsal_copy(target: Target) -> None:
    connector, now = target.open("delete"), time.time()
    with pytest.raises(Rejected, match="TARGET_NOT_MARKED"):
        marker.require_fresh(connector, now)
    written = marker.prepare(target.open("prepare"), now)
    assert marker.require_fresh(target.open("delete"), now) == written
    assert marker.require_fresh(target.open("verify"), now) == written
    target.open("prepare").write_marker(Marker("gammel", now - 8 * 86400))
    with pytest.raises(Rejected, match="TARGET_NOT_MARKED"):
        marker.require_fresh(target.open("delete"), now)


def test_the_marker_needs_no_line_in_the_map(target: Target) -> None:
    skip_where_people_act(target)
    marker.prepare(target.open("prepare"), time.time())
    connector = target.open("delete")
    assert sorted(connector.order(connector.discover())) == sorted(target.places)


def test_an_unreachable_system_is_never_empty(target: Target) -> None:
    nowhere = {"port": 1, "folder": "findes ikke", "file": "findes ikke", "url": "http://127.0.0.1:1"}
    nowhere["amqp"] = "amqp://127.0.0.1:1/ingen"
    target.content["connection"] |= {name: nowhere[name] for name in nowhere if name in target.content["connection"]}
    with pytest.raises(OphorError):
        target.open("verify").count("sager")
    with pytest.raises(Unavailable, match="SYSTEM_UNREACHABLE"):
        target.open("verify").discover()


def test_a_missing_secret_is_named(target: Target) -> None:
    if target.kind in WITHOUT_USERS:
        pytest.skip("files have no secret")
    target.content["credentials"]["verify"]["password_file"] = "secrets/findes-ikke"
    with pytest.raises(Rejected) as caught:
        target.open("verify")
    assert caught.value.code == "MAP_SECRET_MISSING"
    assert caught.value.field == "systems.maal.credentials.verify.password_file"


def test_rows_that_no_tenant_is_found_for_stop_whoever_verifies_until_the_map_says_what_they_are(
    target: Target,
) -> None:
    if target.kind not in ("mongodb", "queues", "s3", "files"):
        pytest.skip("the schema zoo shows it on the SQL engines; a case always has an owner")
    target.execute("sager")
    assert target.open("verify").unowned("sager") == 1
    connector = target.open("verify")
    with pytest.raises(Rejected) as caught:
        connector.order(connector.discover())
    assert (caught.value.code, caught.value.field) == (
        "ROWS_WITHOUT_TENANT",
        "systems.maal.places.sager.without_tenant",
    )
    target.content["places"]["sager"]["without_tenant"] = "NOT_CUSTOMER_DATA"
    delete_everything(target, 1000)
    assert target.open("verify").total("sager") == targets.COUNTS["sager"][1] + 1

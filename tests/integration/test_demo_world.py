"""The demo's world on real servers: what lies in it, and what each credential can and cannot do there."""

from __future__ import annotations

import json
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import bson
import psycopg
import pymongo
import pytest
from psycopg import conninfo
from pymongo.errors import OperationFailure, PyMongoError
from typer.testing import CliRunner

from contracts import system_map
from contracts.errors import Rejected
from deploy.demo import backups, data
from deploy.demo.world import World, WorldSettings, load_world, make_world
from deploy.stack import programs
from services.console import systems
from shared.connectors import open_connector
from tests.integration.demo_parts import made_world
from tests.parts import Parts

STAYING = data.STAYING[0]


@pytest.fixture(scope="module")
def made(parts: Parts) -> Iterator[tuple[World, WorldSettings]]:
    with made_world(parts) as both:
        yield both


@pytest.fixture
def world(made: tuple[World, WorldSettings]) -> World:
    return made[0]


def base(world: World, user: str) -> psycopg.Connection:
    address = world.servers["pladsanvisning"]
    return psycopg.connect(
        host=address["host"], port=address["port"], dbname=address["database"], user=user,
        password=world.secret(user), autocommit=True,
    )  # fmt: skip


def documents(world: World, user: str) -> pymongo.MongoClient:
    address = world.servers["morgenvagt"]
    secret = world.secret(user if user.startswith("mv_") else f"mv_{user}")
    return pymongo.MongoClient(
        address["host"], address["port"], username=user, password=secret, authSource=address["auth_source"]
    )


def test_the_map_covers_everything_and_counts_every_row_that_was_made(world: World) -> None:
    lines = systems.check(system_map.load(world.map_path), world.tenant, world.cvr)
    assert [line for line in lines if line.code] == []
    found = {(line.system, line.place): line.rows for line in lines if line.disposition == "deleted"}
    expected = {(name, place): rows for name, places in world.rows[world.cvr].items() for place, rows in places.items()}
    assert found == expected
    assert sum(rows for (name, _), rows in found.items() if name == "pladsanvisning") >= 25_000


def test_the_placement_solution_has_a_self_reference_a_cycle_and_a_place_two_joins_away(world: World) -> None:
    loaded = system_map.load(world.map_path)
    with closing(open_connector(loaded, "pladsanvisning", "verify", world.tenant, world.cvr)) as connector:
        inventory = connector.discover()
        order = connector.order(inventory)
    references = {(place.name, key.parent) for place in inventory.places for key in place.foreign_keys}
    assert ("institution", "institution") in references
    assert {("barn", "plads"), ("plads", "barn")} <= references
    assert len(loaded.system("pladsanvisning").rules["venteliste_note"].tenant_path) == 3
    assert len(order) >= 15
    assert order.index("venteliste_note") < order.index("venteliste") < order.index("barn") < order.index("kommune")


def test_a_world_can_be_loaded_again(world: World) -> None:
    assert load_world(world.folder) == world


def test_a_missing_world_is_named(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="WORLD_MISSING"):
        load_world(tmp_path)


def test_secrets_can_be_read_by_their_owner_alone(world: World) -> None:
    files = [
        *(world.folder / "secrets").iterdir(),
        world.folder / "case-index/settings.json",
    ]
    assert len(files) > 20
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)


def test_a_database_that_the_demo_did_not_make_is_left_alone(made: tuple[World, WorldSettings]) -> None:
    _, settings = made
    with psycopg.connect(settings.postgres_uri, autocommit=True) as admin:
        admin.execute("COMMENT ON ROLE px_owner IS NULL")
        try:
            with pytest.raises(Rejected, match="TARGET_EXISTS"):
                make_world(WorldSettings(**fields(settings) | {"folder": settings.folder.with_name("other")}))
        finally:
            admin.execute("COMMENT ON ROLE px_owner IS 'ophor-demo'")
    with psycopg.connect(conninfo.make_conninfo(settings.postgres_uri, dbname="pladsanvisning")) as admin:
        assert admin.execute("SELECT count(*) > 5000 FROM barn").fetchone() == (True,)


def test_a_folder_that_the_demo_did_not_make_is_left_alone(made: tuple[World, WorldSettings], tmp_path: Path) -> None:
    _, settings = made
    (tmp_path / "letter.txt").write_text("somebody's")
    with pytest.raises(Rejected, match="TARGET_EXISTS"):
        make_world(WorldSettings(**fields(settings) | {"folder": tmp_path}))
    assert (tmp_path / "letter.txt").read_text() == "somebody's"


def fields(settings: WorldSettings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in WorldSettings.__dataclass_fields__}


# Rights in PostgreSQL


def refused(connection: psycopg.Connection, statement: str) -> bool:
    try:
        connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


@pytest.mark.parametrize("user", ["px_extract", "px_verify"])
def test_readers_read_everything_and_change_nothing(world: World, user: str) -> None:
    with base(world, user) as connection:
        assert connection.execute("SELECT count(DISTINCT kommunekode) FROM barn").fetchone() == (3,)
        for statement in (
            "DELETE FROM barn", "UPDATE barn SET adresse = ''", "INSERT INTO kode_brevtype VALUES ('X', 'x')",
            "TRUNCATE brev", "CREATE TABLE mine (id integer)", "DELETE FROM schema_version",
        ):  # fmt: skip
            assert refused(connection, statement), statement


def test_the_deleter_cannot_reach_a_neighbours_row(world: World) -> None:
    neighbours = f"WHERE kommunekode = '{STAYING.code}'"
    with base(world, "px_delete") as connection:
        before = connection.execute(f"SELECT count(*) FROM brev {neighbours}").fetchone()
        assert connection.execute(f"DELETE FROM brev {neighbours}").rowcount == 0
        assert connection.execute(f"UPDATE barn SET aktuel_plads_id = NULL {neighbours}").rowcount == 0
        assert connection.execute(f"SELECT count(*) FROM brev {neighbours}").fetchone() == before
        note = "DELETE FROM venteliste_note WHERE note_id IN (SELECT note_id FROM venteliste_note JOIN venteliste"
        note += f" USING (venteliste_id) JOIN barn USING (barn_id) {neighbours})"
        assert connection.execute(note).rowcount == 0


def test_the_deleter_can_do_nothing_but_delete_and_let_go_of_references(world: World) -> None:
    with base(world, "px_delete") as connection:
        for statement in (
            "UPDATE barn SET adresse = ''", "UPDATE plads SET til = NULL", "DELETE FROM kode_brevtype",
            "INSERT INTO kode_relation VALUES ('X', 'x')", "DELETE FROM schema_version", "TRUNCATE brev",
            "DROP TABLE brev",
        ):  # fmt: skip
            assert refused(connection, statement), statement


def test_who_controls_access_reaches_no_row(world: World) -> None:
    with base(world, "px_access") as connection:
        assert connection.execute("SELECT count(*) FROM barn").fetchone() == (0,)
        assert connection.execute("DELETE FROM brev").rowcount == 0


def test_who_prepares_reads_nothing(world: World) -> None:
    with base(world, "px_prepare") as connection:
        assert refused(connection, "SELECT 1 FROM barn")
        assert refused(connection, "DELETE FROM barn")


@pytest.mark.parametrize("tenant", data.TENANTS, ids=lambda tenant: tenant.slug)
def test_a_tenants_app_user_sees_that_tenant_only(world: World, tenant: data.Tenant) -> None:
    with base(world, f"{tenant.slug}_app") as connection:
        for place in ("barn", "venteliste_note", "opkraevningslinje", "barn_foraelder"):
            found = connection.execute(f"SELECT count(*) FROM {place}").fetchone()
            assert found == (world.rows[tenant.cvr]["pladsanvisning"][place],)
        assert connection.execute("SELECT count(*) FROM kode_pasningstype").fetchone() == (5,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO takst (kommunekode, pasningstype, beloeb, gyldig_fra)"
                               " VALUES ('999', 'SFO', 1, current_date)")  # fmt: skip


# Rights in MongoDB


@pytest.mark.parametrize("user", ["mv_extract", "mv_verify"])
def test_mongo_readers_change_nothing(world: World, user: str) -> None:
    with documents(world, user) as client:
        assert set(client.morgenvagt.fremmoede.distinct("kommune")) == {tenant.code for tenant in data.TENANTS}
        with pytest.raises(OperationFailure, match="not authorized"):
            client.morgenvagt.fremmoede.delete_one({})
        with pytest.raises(OperationFailure, match="not authorized"):
            client.morgenvagt.mine.insert_one({})


def test_the_mongo_deleter_removes_from_the_tenants_collections_only(world: World) -> None:
    with documents(world, "mv_delete") as client:
        assert client.morgenvagt.fremmoede.delete_one({"_id": "there is no such"}).deleted_count == 0
        for collection in ("vagttyper", "systemindstillinger"):
            with pytest.raises(OperationFailure, match="not authorized"):
                client.morgenvagt[collection].delete_one({"_id": "there is no such"})
        with pytest.raises(OperationFailure, match="not authorized"):
            client.morgenvagt.fremmoede.insert_one({})


def test_who_prepares_or_controls_access_in_mongo_reads_no_tenants_document(world: World) -> None:
    for user in ("mv_prepare", "mv_access"):
        with documents(world, user) as client, pytest.raises(OperationFailure, match="not authorized"):
            client.morgenvagt.fremmoede.find_one()


def test_a_wrong_secret_lets_nobody_in(world: World) -> None:
    address = world.servers["morgenvagt"]
    with (
        pymongo.MongoClient(
            address["host"], address["port"], username="mv_verify", password="wrong", authSource="morgenvagt"
        ) as client,
        pytest.raises(PyMongoError, match="Authentication failed"),
    ):
        client.morgenvagt.fremmoede.find_one()


# Backups


def test_a_database_backup_can_be_restored(made: tuple[World, WorldSettings]) -> None:
    world, settings = made
    dump = next((world.backups / "pladsanvisning").glob("*/pladsanvisning.dump"))
    with psycopg.connect(settings.postgres_uri, autocommit=True) as admin:
        admin.execute("CREATE DATABASE restored")
        try:
            target = conninfo.make_conninfo(settings.postgres_uri, dbname="restored")
            subprocess.run([programs.postgres("pg_restore"), "--no-owner", "-d", target, str(dump)], check=True)
            with psycopg.connect(target) as restored:
                found = restored.execute("SELECT kommunekode, count(*) FROM barn GROUP BY 1").fetchall()
        finally:
            admin.execute("DROP DATABASE restored WITH (FORCE)")
    assert dict(found) == {tenant.code: tenant.children for tenant in data.TENANTS}


def test_a_document_backup_holds_every_document(world: World) -> None:
    for each in (world.backups / "morgenvagt").glob("*/morgenvagt/fremmoede.bson"):
        found = bson.decode_all(each.read_bytes())
        assert len(found) == sum(tenant.children for tenant in data.TENANTS)
        about = json.loads(each.with_name("fremmoede.metadata.json").read_text())
        assert {index["name"] for index in about["indexes"]} == {"_id_", "kommune_1"}


def test_a_folder_backup_holds_every_file(world: World) -> None:
    made = sum(sum(world.rows[tenant.cvr]["booking"].values()) for tenant in data.TENANTS)
    for each in (world.backups / "booking").glob("*/booking.tar"):
        with tarfile.open(each) as tar:
            assert sum(member.isfile() for member in tar) == made + 1


def test_the_catalogue_lists_what_lies_there(world: World) -> None:
    for name in ("pladsanvisning", "morgenvagt", "booking"):
        listed = {each.set_id for each in backups.read_catalogue(world.backups / name)}
        assert listed == {entry.name for entry in (world.backups / name).iterdir() if entry.is_dir()}
        assert len(listed) == 3


# The console's commands on the map


def test_a_registered_map_is_the_one_that_was_written(world: World, tmp_path: Path) -> None:
    digest = systems.register(world.map_path, tmp_path / "maps")
    pinned = system_map.load_registered(tmp_path / "maps", digest)
    assert pinned.digest == digest == system_map.load(world.map_path).digest
    assert pinned.system("booking").connection["folder"] == str(world.folder / "booking")
    assert pinned.system("morgenvagt").secret("verify") == ("mv_verify", world.secret("mv_verify"))
    assert stat.S_IMODE((tmp_path / "maps" / f"{digest}.yaml").stat().st_mode) == 0o600


def test_the_coverage_report_ends_well_on_a_whole_map(world: World) -> None:
    words = ["check", str(world.map_path), "--tenant", world.tenant, "--cvr", world.cvr]
    shown = CliRunner().invoke(systems.app, [*words, "--json"])
    assert shown.exit_code == 0
    assert len(json.loads(shown.stdout)) == 33
    assert "Kortet dækker alt" in CliRunner().invoke(systems.app, words).stdout


def test_the_coverage_report_names_what_the_map_leaves_out_and_what_it_invents(world: World) -> None:
    text = world.map_path.read_text().replace("      vagttyper:\n", "      vagttypr:\n")
    changed = world.folder / "changed.yaml"
    changed.write_text(text)
    words = ["check", str(changed), "--tenant", world.tenant, "--cvr", world.cvr, "--json"]
    shown = CliRunner().invoke(systems.app, words)
    assert shown.exit_code == 1
    found = {(line["code"], line["field"]) for line in json.loads(shown.stdout) if line["code"]}
    assert found == {
        ("PLACE_NOT_MAPPED", "systems.morgenvagt.places.vagttyper"),
        ("MAP_UNKNOWN_PLACE", "systems.morgenvagt.places.vagttypr"),
    }


def test_an_unreachable_system_is_a_finding_and_the_others_are_still_reported(world: World) -> None:
    changed = world.folder / "unreachable.yaml"
    changed.write_text(
        world.map_path.read_text().replace(f"port: {world.servers['pladsanvisning']['port']}", "port: 1")
    )
    lines = systems.check(system_map.load(changed), world.tenant, world.cvr)
    assert [(line.code, line.field) for line in lines if line.code] == [
        ("SYSTEM_UNREACHABLE", "systems.pladsanvisning.connection")
    ]
    assert {line.system for line in lines} == set(world.systems)


def test_a_map_that_cannot_be_read_ends_with_2_and_names_the_field(world: World) -> None:
    broken = world.folder / "broken.yaml"
    broken.write_text(world.map_path.read_text().replace("kind: mongodb", "kind: carrier_pigeon"))
    shown = CliRunner().invoke(systems.app, ["check", str(broken), "--tenant", world.tenant])
    assert shown.exit_code == 2
    assert "systems.morgenvagt.kind" in shown.stderr


def test_a_neighbours_row_that_hangs_on_the_tenants_by_a_cascade_shows_in_the_effects(
    made: tuple[World, WorldSettings],
) -> None:
    world, settings = made
    with psycopg.connect(conninfo.make_conninfo(settings.postgres_uri, dbname="pladsanvisning")) as admin:
        parent, letter = admin.execute(
            "WITH parent AS (SELECT min(foraelder_id) id FROM foraelder WHERE kommunekode = %s)"
            " INSERT INTO brev (kommunekode, foraelder_id, brevtype, sendt, indhold)"
            " SELECT %s, id, 'RYKKER', now(), '' FROM parent RETURNING foraelder_id, brev_id",
            (world.tenant, STAYING.code),
        ).fetchone()  # type: ignore[misc]
        admin.commit()
        try:
            loaded = system_map.load(world.map_path)
            whose = world.tenant, world.cvr
            with (
                closing(open_connector(loaded, "pladsanvisning", "delete", *whose)) as connector,
                connector.batch() as batch,
            ):
                for place in ("barn_foraelder", "opkraevningslinje", "opkraevning", "brev"):
                    batch.delete(place, connector.keys(place, 10_000))
                batch.delete("foraelder", [(str(parent),)])
                assert batch.effects()["brev"] == batch.planned()["brev"] + 1
        finally:
            admin.execute("DELETE FROM brev WHERE brev_id = %s", (letter,))

"""A first system map from live servers: filled in, it covers what they hold."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pymongo
import pytest
from psycopg import conninfo, sql
from typer.testing import CliRunner

from contracts import system_map
from deploy.demo import data, pladsanvisning
from deploy.demo.system_map import build
from services.console import systems
from tests.integration.connectors_targets import Target, mariadb
from tests.parts import Parts

DEMO = Path(pladsanvisning.__file__).parent
SECRET = "hemmelig"


@pytest.fixture
def schema(postgres_database: str) -> Iterator[tuple[str, str]]:
    """Make the demo's tables with one tenant's rows; give the superuser's address and a reader's name."""
    reader = f"r{secrets.token_hex(4)}"
    with psycopg.connect(postgres_database, autocommit=True) as base:
        base.execute((DEMO / "pladsanvisning_tables.sql").read_bytes())
        for place, rows in (data.SHARED | data.tables(data.LEAVING)).items():
            with (
                base.cursor() as cursor,
                cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(place))) as to,
            ):
                for row in rows:
                    to.write_row(row)
        base.execute((DEMO / "pladsanvisning_keys.sql").read_bytes())
        base.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(reader), SECRET))
        base.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(sql.Identifier(reader)))
    yield postgres_database, reader
    with psycopg.connect(postgres_database, autocommit=True) as base:
        base.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(reader)))


def filled(text: str, reader: str, decided: dict[str, str], folder: Path) -> Path:
    """Make the decisions of a first map; every purpose but the verifier's is another user's."""
    for before, after in decided.items():
        assert before in text
        text = text.replace(before, after)
    text = text.replace("verify: {user: FILL_IN", f"verify: {{user: {reader}").replace("user: FILL_IN", "user: another")
    path = folder / "map.yaml"
    path.write_text(text.replace("roles: [FILL_IN]", "roles: [app]"))
    content = system_map.load(path)
    for name in content.systems:
        secret = folder / content.system(name).credentials["verify"].password_file
        secret.parent.mkdir(exist_ok=True)
        secret.write_text(SECRET)
    return path


def test_a_first_map_of_the_demos_schema_is_the_demos_own_once_its_codes_are_decided(
    schema: tuple[str, str], tmp_path: Path
) -> None:
    uri, reader = schema
    where = conninfo.conninfo_to_dict(uri)
    url = f"postgresql://{reader}:{SECRET}@{where['host']}:{where['port']}/{where['dbname']}"
    shown = CliRunner().invoke(systems.app, ["init", url, "--name", "pladsanvisning"])
    assert shown.exit_code == 0, shown.output
    assert SECRET not in shown.stdout
    codes = [place for place in data.SHARED if place.startswith("kode_")]
    decided = {f"{code}: FILL_IN": f"{code}: {{shared: SHARED_CODE}}" for code in codes}
    decided |= {"schema_version: FILL_IN": "schema_version: {excluded: NOT_CUSTOMER_DATA}"}
    path = filled(shown.stdout, reader, decided | {"deletion: FILL_IN": "deletion: 2"}, tmp_path)

    made = system_map.load(path).system("pladsanvisning").rules
    expected = build(uri, "mongodb://h/db", "http://h")["systems"]["pladsanvisning"]["places"]
    expected["login_log"] = {"tenant_key": "kommunekode"}  # that a log is not delivered is nobody's guess
    assert {
        name: {"tenant_path": list(rule.tenant_path)} if rule.tenant_path
        else {"tenant_key": rule.tenant_key} if rule.tenant_key
        else {"shared": rule.shared} if rule.shared
        else {"excluded": rule.excluded}
        for name, rule in made.items()
    } == expected  # fmt: skip

    drawn = tmp_path / "coverage.svg"
    words = ["check", str(path), "--tenant", data.LEAVING.code, "--picture", str(drawn)]
    checked = CliRunner().invoke(systems.app, words)
    assert checked.exit_code == 0, checked.output
    assert "Kortet dækker alt" in checked.stdout
    assert all(place in drawn.read_text() for place in expected)


def test_a_place_that_the_verifier_may_not_read_is_unreachable_and_never_empty(
    schema: tuple[str, str], tmp_path: Path
) -> None:
    uri, reader = schema
    where = conninfo.conninfo_to_dict(uri)
    with psycopg.connect(uri, autocommit=True) as base:
        base.execute(sql.SQL("REVOKE SELECT ON brev FROM {}").format(sql.Identifier(reader)))
    url = f"postgresql://{reader}@{where['host']}:{where['port']}/{where['dbname']}"
    (tmp_path / "password").write_text(SECRET)
    shown = CliRunner().invoke(systems.app, ["init", url, "--password-file", str(tmp_path / "password")])
    assert "brev: {tenant_key: kommunekode}  # fremmednøgle til lejeren (ikke talt)" in shown.stdout
    decided = {": FILL_IN": ": {shared: SHARED_CODE}", "deletion: {shared: SHARED_CODE}": "deletion: 2"}
    text = shown.stdout.replace("user: FILL_IN", "user: OPEN")
    path = filled(_replaced(text, decided).replace("user: OPEN", "user: FILL_IN"), reader, {}, tmp_path)
    checked = CliRunner().invoke(systems.app, ["check", str(path), "--tenant", data.LEAVING.code, "--json"])
    assert checked.exit_code == 1
    found = [(line["place"], line["disposition"]) for line in json.loads(checked.stdout) if line["code"]]
    assert found == [("brev", "unreachable")]


def _replaced(text: str, decided: dict[str, str]) -> str:
    for before, after in decided.items():
        text = text.replace(before, after)
    return text


def test_a_first_map_of_mongodb_goes_by_the_fields_of_its_documents(
    mongo_database: tuple[str, str], tmp_path: Path
) -> None:
    uri, name = mongo_database
    with pymongo.MongoClient(uri) as client:
        base = client[name]
        base.fremmoede.insert_many([{"_id": 1, "kommune": "101"}, {"_id": 2, "kommune": 102}, {"_id": 3}])
        base.vagter.insert_one({"_id": 1, "kommune": "101"})
        base.vagttyper.insert_one({"_id": "A", "navn": "Aften"})
        base.command("createUser", "reader", pwd=SECRET, roles=["read"])
        host, port = client.address or ("", 0)
        shown = CliRunner().invoke(systems.app, ["init", f"mongodb://reader:{SECRET}@{host}:{port}/{name}"])
        assert shown.exit_code == 0, shown.output
        assert "fremmoede: {tenant_key: kommune, without_tenant: FILL_IN}  # kun efter kolonnens navn" in shown.stdout
        assert "(3 rækker; 1 uden lejer)" in shown.stdout
        decided = {
            "deletion: FILL_IN": "deletion: 1", "without_tenant: FILL_IN": "without_tenant: NOT_CUSTOMER_DATA",
            "vagttyper: FILL_IN": "vagttyper: {shared: SHARED_CODE}",
        }  # fmt: skip
        path = filled(shown.stdout, "reader", decided, tmp_path)
        checked = CliRunner().invoke(systems.app, ["check", str(path), "--tenant", "102", "--json"])
        base.command("dropUser", "reader")
    lines = {line["place"]: line for line in json.loads(checked.stdout)}
    assert checked.exit_code == 0
    assert (lines["fremmoede"]["rows"], lines["fremmoede"]["unowned"], lines["fremmoede"]["total"]) == (1, 1, 3)


@pytest.fixture
def maria(parts: Parts, tmp_path: Path) -> Iterator[Target]:
    with mariadb(parts.mariadb, tmp_path) as target:
        yield target


def test_a_first_map_of_mariadb_finds_the_tenant_key_and_the_path_to_it(maria: Target, tmp_path: Path) -> None:
    where = maria.content["connection"]
    reader = maria.content["credentials"]["verify"]["user"]
    url = f"mariadb://{reader}:{SECRET}@{where['host']}:{where['port']}/{where['database']}"
    shown = CliRunner().invoke(systems.app, ["init", url])
    assert shown.exit_code == 0, shown.output
    decided = {"deletion: FILL_IN": "deletion: 2", "kode: FILL_IN": "kode: {shared: SHARED_CODE}"}
    path = filled(shown.stdout, reader, decided, tmp_path)
    rules = system_map.load(path).system(where["database"]).rules
    assert rules["sager"].tenant_key == "lejer"
    assert rules["noter"].tenant_path == ("sag", "lejer")
    checked = CliRunner().invoke(systems.app, ["check", str(path), "--tenant", "101"])
    assert checked.exit_code == 0, checked.output

"""`ophor systems` from the first map to the covered one, on a database in a file."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from contracts import system_map
from contracts.errors import Rejected
from services.console import systems
from services.console.systems_init import draft, read_url

SCHEMA = """
CREATE TABLE kommune (kommunekode TEXT PRIMARY KEY, navn TEXT);
CREATE TABLE barn (id INTEGER PRIMARY KEY, kommunekode TEXT NOT NULL REFERENCES kommune);
CREATE TABLE "note: ""é"" #1" (id INTEGER PRIMARY KEY, barn_id INTEGER REFERENCES barn (id));
CREATE TABLE "true" (kommunekode TEXT NOT NULL);
CREATE TABLE kode (kode TEXT PRIMARY KEY);
CREATE TABLE arkiv (id INTEGER PRIMARY KEY);
CREATE TABLE ophor_rehearsal_copy (id TEXT, written_at REAL);
INSERT INTO kommune VALUES ('101', 'A'), ('102', 'B');
INSERT INTO barn VALUES (1, '101'), (2, '102'), (3, '101');
INSERT INTO "note: ""é"" #1" VALUES (1, 1), (2, 2), (3, NULL);
INSERT INTO kode VALUES ('x');
"""
DECIDED = {
    "deletion: FILL_IN": "deletion: 1",
    "without_tenant: FILL_IN": "without_tenant: NOT_CUSTOMER_DATA",
    "kode: FILL_IN": "kode: {shared: SHARED_CODE}",
    "arkiv: FILL_IN": "arkiv: {excluded: OPTION(opslag)}",
}

UNEXPLAINED = {before: after for before, after in DECIDED.items() if "without_tenant" not in before}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Make the database."""
    path = tmp_path / "app.db"
    with sqlite3.connect(path) as base:
        base.executescript(SCHEMA)
    base.close()
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(systems.app, [str(word) for word in words])


def written(file: Path, decided: dict[str, str]) -> Path:
    """Write the first map with these decisions made."""
    text = run("init", f"sqlite:{file}").stdout
    for before, after in decided.items():
        assert before in text
        text = text.replace(before, after)
    path = file.with_name("map.yaml")
    path.write_text(text)
    return path


def report(path: Path) -> dict[str, dict[str, object]]:
    shown = run("check", path, "--tenant", "101", "--json")
    return {line["place"]: line for line in json.loads(shown.stdout)}


def test_a_first_map_is_refused_with_the_number_of_decisions_that_are_missing(file: Path) -> None:
    path = written(file, {})
    shown = run("check", path, "--tenant", "101")
    assert shown.exit_code == 2
    assert "MAP_NOT_FILLED_IN [systems.app.deletion]" in shown.stderr
    assert "4 felter mangler" in shown.stderr


@pytest.mark.parametrize("left", DECIDED)
def test_each_decision_that_is_not_made_refuses_the_map(file: Path, left: str) -> None:
    path = written(file, {before: after for before, after in DECIDED.items() if before != left})
    with pytest.raises(Rejected, match="MAP_NOT_FILLED_IN") as error:
        system_map.load(path)
    assert error.value.field.startswith("systems.app.")


def test_a_map_with_all_decisions_made_covers_the_system(file: Path) -> None:
    path = written(file, DECIDED)
    shown = run("check", path, "--tenant", "101")
    assert shown.exit_code == 0, shown.output
    assert "Kortet dækker alt" in shown.stdout
    rules = system_map.load(path).system("app").rules
    assert rules['note: "é" #1'].tenant_path == ("barn_id", "kommunekode")
    assert "ophor_rehearsal_copy" not in rules


def test_the_report_counts_the_tenants_rows_and_those_of_nobody_place_by_place(file: Path) -> None:
    lines = report(written(file, DECIDED))
    note = lines['note: "é" #1']
    assert (note["disposition"], note["rows"], note["unowned"], note["total"]) == ("deleted", 1, 1, 3)
    assert (note["reason"], note["without_tenant"]) == ("", "NOT_CUSTOMER_DATA")
    assert note["references"] == ["barn"]
    assert (lines["barn"]["rows"], lines["barn"]["unowned"], lines["barn"]["total"]) == (2, 0, 3)
    assert (lines["arkiv"]["disposition"], lines["arkiv"]["reason"]) == ("suspended", "OPTION(opslag)")
    assert lines["kode"]["disposition"] == "shared"


def test_rows_of_nobody_that_the_map_does_not_explain_are_a_finding_of_their_place(file: Path) -> None:
    line = report(written(file, {", without_tenant: FILL_IN": ""} | UNEXPLAINED))['note: "é" #1']
    assert (line["code"], line["unowned"]) == ("ROWS_WITHOUT_TENANT", 1)
    assert line["field"] == 'systems.app.places.note: "é" #1.without_tenant'


def test_what_the_order_of_deletion_refuses_is_a_finding_of_its_place(file: Path) -> None:
    path = written(file, DECIDED)
    with sqlite3.connect(file) as base:
        base.execute("CREATE VIRTUAL TABLE soeg USING fts5 (kommunekode)")
    base.close()
    path.write_text(path.read_text() + "\n".join(f"      {each}: {rule}" for each, rule in VIRTUAL.items()) + "\n")
    lines = report(path)
    assert {place: line["code"] for place, line in lines.items() if line["code"]} == {"soeg": "PLACE_NOT_DELETABLE"}
    assert lines["soeg"]["disposition"] == "undecided"


VIRTUAL = {"soeg": "{tenant_key: kommunekode}"}


def test_the_picture_is_written_beside_the_table(file: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "coverage.svg"
    shown = run("check", written(file, DECIDED), "--tenant", "101", "--picture", drawn)
    assert shown.exit_code == 0
    assert "Uden lejer" in shown.stdout
    assert "OPTION(" in shown.stdout
    assert "slettes · 1 uden lejer" in drawn.read_text()


def test_a_picture_that_cannot_be_written_is_named(file: Path, tmp_path: Path) -> None:
    shown = run("check", written(file, DECIDED), "--tenant", "101", "--picture", tmp_path / "nowhere" / "x.svg")
    assert shown.exit_code == 2
    assert "PICTURE_NOT_WRITTEN [--picture]" in shown.stderr


def test_the_caller_may_name_the_tenant_and_the_system(file: Path) -> None:
    shown = run("init", f"sqlite:{file}", "--name", "Min: app", "--tenant-table", "kode", "--tenant-column", "kode")
    assert "\n  'Min: app':\n" in shown.stdout
    assert "      kode: {tenant_key: kode}" in shown.stdout
    assert "      barn: FILL_IN" in shown.stdout


@pytest.mark.parametrize(
    "url",
    [
        "oracle://u:hemmelig@h/db",
        "postgresql://u:hemmelig@h:99999/db",
        "postgresql://u:hemmelig@h",
        "postgresql://h/hemmelig",
        "mongodb://u:hemmelig@h1,h2/db",
        "mariadb://u:hemmelig@h/db?charset=hemmelig",
        "sqlite:hemmelig.db",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_being_repeated(url: str) -> None:
    shown = run("init", url)
    assert shown.exit_code == 2
    assert "URL_INVALID [URL]" in shown.stderr
    assert "hemmelig" not in shown.output


def test_an_address_is_read_with_its_options() -> None:
    read = read_url("mongodb://l%C3%A6ser:a%40b@db.example:27018/app?authSource=admin&replicaSet=rs0&tls=true")
    assert read.secret("verify") == ("læser", "a@b")
    assert read.connection == {
        "host": "db.example", "port": 27018, "database": "app", "auth_source": "admin", "replica_set": "rs0",
        "tls": True,
    }  # fmt: skip
    assert "a@b" not in repr(read)
    assert read_url("mysql://u@h/db?tls=false").connection == {
        "host": "h", "port": 3306, "database": "db", "tls": False,
    }  # fmt: skip
    assert read_url("postgres://u@h/db", "fra fil").secret("verify") == ("u", "fra fil")


def test_comments_are_english_where_that_is_wanted(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPHOR_LANG", "en")
    text = draft(f"sqlite:{file}")
    assert "the tenant's own table (2 rows)" in text
    assert "may be empty (3 rows; 1 without a tenant)" in text


def test_a_map_that_repeats_itself_by_reference_is_walked_once(tmp_path: Path) -> None:
    levels = [f"n{level}: &n{level} [{', '.join([f'*n{level - 1}'] * 20)}]" for level in range(1, 30)]
    path = tmp_path / "map.yaml"
    path.write_text("\n".join(["n0: &n0 [FILL_IN]", *levels]))
    with pytest.raises(Rejected, match="1 fields still say FILL_IN") as error:
        system_map.load(path)
    assert error.value.field == "n0.0"


def test_a_reference_by_type_and_id_and_a_tenant_inside_json_are_proposed_and_once_decided_covered(file: Path) -> None:
    with sqlite3.connect(file) as base:
        base.executescript(
            "CREATE TABLE bilag (id INTEGER PRIMARY KEY, ref_type TEXT, ref_id TEXT);"
            "CREATE TABLE spor (id INTEGER PRIMARY KEY, data JSON);"
            "INSERT INTO bilag VALUES (1, 'Barn', '1'), (2, 'Barn', '3'), (3, 'Barn', '2');"
            """INSERT INTO spor VALUES (1, '{"kunde": 101}'), (2, '{"kunde": "102"}');"""
        )
    base.close()
    decided = {
        "bilag: {tenant_path: {type: ref_type, id: ref_id, to: FILL_IN}}":
            "bilag: {tenant_path: {type: ref_type, id: ref_id, to: {Barn: barn}}}",
        "spor: {tenant_key: {column: data, json: FILL_IN}}": "spor: {tenant_key: {column: data, json: $.kunde}}",
    }  # fmt: skip
    lines = report(written(file, DECIDED | decided))
    counted = {name: (line["disposition"], line["rows"], line["total"]) for name, line in lines.items()}
    assert (counted["bilag"], counted["spor"]) == (("deleted", 2, 3), ("deleted", 1, 2))
    assert lines["bilag"]["references"] == ["barn"]
    path = file.with_name("map.yaml")
    path.write_text(path.read_text().replace("json: $.kunde", "json: $.andet"))
    lines = report(path)
    assert (lines["spor"]["code"], lines["spor"]["unowned"]) == ("ROWS_WITHOUT_TENANT", 2)

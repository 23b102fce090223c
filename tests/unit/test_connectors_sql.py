"""What the SQL connectors read without a server: maps for them, MariaDB's types, its grants and its references."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts import system_map
from contracts.errors import Rejected
from shared.connectors.sql import mariadb_access, mariadb_catalogue
from shared.connectors.sql.mariadb_access import Grant


def parse(system: dict[str, Any]) -> system_map.System:
    body = {"title": "Mål", "deletion": "1", "tenant": "{tenant}"} | system
    text = yaml.safe_dump({"version": 1, "systems": {"s": body}})
    return system_map.parse(text.encode(), "kort.yaml", Path("/hjemme")).system("s")


FILE = {"kind": "sqlite", "connection": {"file": "data/a.db"}, "places": {"p": {"tenant_key": "lejer"}}}
USERS = {name: {"user": name, "password_file": name} for name in ("delete", "verify")}


def test_a_file_has_its_path_from_the_maps_home_and_needs_no_users() -> None:
    assert parse(FILE).connection == {"file": "/hjemme/data/a.db"}


@pytest.mark.parametrize("part", [{"credentials": USERS}, {"access": {"roles": ["app"]}}])
def test_users_of_a_file_are_refused(part: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as caught:
        parse(FILE | part)
    assert (caught.value.code, caught.value.field) == ("MAP_UNKNOWN_FIELD", f"systems.s.{next(iter(part))}")


def test_a_path_is_followed_on_every_sql_engine_and_users_are_needed() -> None:
    connection = {"host": "h", "port": 3306, "database": "b"}
    places = {"p": {"tenant_path": ["c", "lejer"], "without_tenant": "LAW(arkivloven,2030-01-01)"}}
    server = {"kind": "mariadb", "connection": connection, "places": places}
    assert parse(server | {"credentials": USERS}).rules["p"].without_tenant == "LAW(arkivloven,2030-01-01)"
    with pytest.raises(Rejected, match="MAP_CREDENTIAL_MISSING"):
        parse(server)


@pytest.mark.parametrize("rule", [{"shared": "SHARED_CODE"}, {"excluded": "NOT_CUSTOMER_DATA"}])
def test_only_tenants_places_can_have_rows_without_a_tenant(rule: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as caught:
        parse(FILE | {"places": {"p": rule | {"without_tenant": "NOT_CUSTOMER_DATA"}}})
    assert caught.value.field == "systems.s.places.p.without_tenant"


def test_the_exclusion_of_rows_without_a_tenant_is_from_the_closed_list() -> None:
    with pytest.raises(Rejected, match="MAP_FIELD_INVALID"):
        parse(FILE | {"places": {"p": {"tenant_key": "l", "without_tenant": "needed by the supplier"}}})


@pytest.mark.parametrize(
    ("native", "exact"),
    [
        ("int(11) unsigned", True), ("bigint(20)", True), ("decimal(9,2)", True), ("varchar(20)", True),
        ("enum('a','b')", True), ("binary(16)", True), ("uuid", True), ("datetime(6)", True), ("year(4)", True),
        ("float", False), ("double", False), ("bit(1)", False), ("point", False), ("inet6", False),
    ],
)  # fmt: skip
def test_only_types_whose_text_is_exact_name_a_row(native: str, exact: bool) -> None:
    assert (mariadb_catalogue._cell(native, "utf8mb4", "utf8mb4_danish_ci") is not None) is exact


@pytest.mark.parametrize(
    ("scope", "table", "reached"),
    [
        ("`plads`", "*", True), ("`pla__`", "*", True), (r"`pla\__`", "*", False), ("`%`", "*", True),
        ("`pla%`", "`barn`", False), ("`plads`", "`barn`", True), ("`andet`", "*", False),
    ],
)  # fmt: skip
def test_a_grant_reaches_a_database_by_its_pattern(scope: str, table: str, reached: bool) -> None:
    assert mariadb_access._reaches(scope, "plads", table) is reached


def test_what_is_revoked_is_what_was_granted() -> None:
    line = "GRANT SELECT, UPDATE (`a`, `b, c`), DELETE ON `plads`.`barn` TO `app`@`%`"
    found = mariadb_access._ON.match(line)
    assert found is not None
    grant = Grant(tuple(mariadb_access._RIGHT.findall(found["rights"])), found["scope"], found["table"])
    assert grant.listed(mariadb_access.WRITES) == "UPDATE (`a`, `b, c`), DELETE"
    assert grant.listed(None) == "SELECT, UPDATE (`a`, `b, c`), DELETE"
    assert not grant.whole and grant.has("DELETE") and not grant.has("DROP")


def test_everything_on_one_table_is_narrowed_to_reading_with_rights_that_tables_have() -> None:
    everything = Grant((("ALL PRIVILEGES", ""),), "`plads`", "`barn`")
    assert "EVENT" not in everything.listed(mariadb_access.WRITES)
    assert everything.listed(mariadb_access.WRITES).startswith("INSERT, UPDATE, DELETE")


def test_references_are_read_from_the_statement_with_any_names_and_from_nowhere_else() -> None:
    statement = """CREATE TABLE `c` (
  `a) REFERENCES` int(11) DEFAULT NULL COMMENT 'CONSTRAINT `x` FOREIGN KEY (`a`) REFERENCES `y` (`z`)',
  PRIMARY KEY (`id`),
  CONSTRAINT `k` FOREIGN KEY (`a) REFERENCES`, `b``, d`) REFERENCES `p` (`e`, `f`) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT `k2` FOREIGN KEY (`g`) REFERENCES `andet`.`p` (`h`)
) ENGINE=InnoDB"""
    first, second = map(mariadb_catalogue._reference, mariadb_catalogue._FOREIGN.finditer(statement))
    assert (first.columns, first.parent, first.parent_columns) == (("a) REFERENCES", "b`, d"), "p", ("e", "f"))
    assert (first.on_delete, second.parent, second.on_delete) == ("SET NULL", "?", "NO ACTION")


def test_the_examples_for_these_engines_in_the_document_can_be_copied() -> None:
    text = (Path(__file__).parents[2] / "docs" / "system-map.md").read_text()
    example = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[1]
    loaded = system_map.parse(f"version: 1\nsystems:\n{example}".encode(), "kort.yaml", Path("/hjemme"))
    assert [system.kind for system in loaded.systems.values()] == ["mariadb", "sqlite"]

"""The forms of a map for tenants that no column of their own names: inside JSON, and by type and id."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts import system_map
from contracts.errors import Rejected

INSIDE = {"column": "data", "json": '$.kunde."cvr nr"'}
BY_TYPE = {"type": "slags", "id": "nr", "to": {"Sag": "sager", 7: "breve"}}


def parsed(places: dict[str, Any], kind: str = "postgresql") -> dict[str, system_map.Rule]:
    known = {"sager": {"tenant_key": "lejer"}, "breve": {"tenant_key": INSIDE}, "koder": {"shared": "SHARED_CODE"}}
    system = {
        "title": "Arkiv", "kind": kind, "deletion": "1", "tenant": "{tenant}",
        "connection": {"host": "h", "port": 1, "database": "d"},
        "credentials": {"delete": {"user": "d", "password_file": "d"}, "verify": {"user": "v", "password_file": "v"}},
        "places": (known if kind == "postgresql" else {}) | places,
    }  # fmt: skip
    body = yaml.safe_dump({"version": 1, "systems": {"arkiv": system}}).encode()
    return system_map.parse(body, "systems.yaml", Path("/hjemme")).system("arkiv").rules


def test_a_key_inside_json_names_its_column_and_the_path_in_it() -> None:
    rule = parsed({})["breve"]
    assert (rule.tenant_key, rule.json, rule.owned) == ("data", '$.kunde."cvr nr"', True)
    assert rule.way == 'data $.kunde."cvr nr"'


def test_a_reference_by_type_and_id_says_where_each_type_leads() -> None:
    rule = parsed({"noter": {"tenant_path": BY_TYPE}})["noter"]
    assert rule.refers == system_map.Refers("slags", "nr", {"Sag": "sager", "7": "breve"})
    assert (rule.tenant_path, rule.owned) == (("nr",), True)
    assert rule.way == "nr (slags: Sag > sager, 7 > breve)"


def test_both_may_end_a_path() -> None:
    rules = parsed({"a": {"tenant_path": ["sag_id", INSIDE]}, "b": {"tenant_path": ["x", "y", BY_TYPE]}})
    assert (rules["a"].tenant_path, rules["a"].json) == (("sag_id", "data"), '$.kunde."cvr nr"')
    assert rules["b"].tenant_path == ("x", "y", "nr") and rules["b"].refers is not None


def test_a_map_is_held_against_both_columns_of_a_reference() -> None:
    rules = parsed({"noter": {"tenant_path": BY_TYPE}})
    system = system_map.System("arkiv", "Arkiv", "postgresql", "1", "x", {}, {}, {"noter": rules["noter"]})
    system_map.check_live(system, {"noter": ("nr", "slags")})
    for columns in (("nr",), ("slags",)):
        with pytest.raises(Rejected, match="MAP_UNKNOWN_COLUMN"):
            system_map.check_live(system, {"noter": columns})


JSON_AT = "tenant_key.json"


@pytest.mark.parametrize(
    ("rule", "code", "field"),
    [
        *(({"tenant_key": {"column": "data", "json": path}}, "MAP_FIELD_INVALID", JSON_AT)
          for path in ("kunde.id", "$", "$.", "$.a[0]", "$.a[*].b", '$."0"', "$.0", "$.a.b\n", '$."a\'"b"', "$..a")),
        ({"tenant_key": {"column": "data"}}, "MAP_FIELD_MISSING", JSON_AT),
        ({"tenant_key": {"json": "$.a"}}, "MAP_FIELD_MISSING", "tenant_key.column"),
        ({"tenant_key": INSIDE | {"x": "y"}}, "MAP_UNKNOWN_FIELD", "tenant_key.x"),
        ({"tenant_path": BY_TYPE | {"to": {}}}, "MAP_FIELD_INVALID", "tenant_path.to"),
        ({"tenant_path": {"type": "a", "id": "b"}}, "MAP_FIELD_MISSING", "tenant_path.to"),
        ({"tenant_path": BY_TYPE | {"to": {"Sag": "FILL_IN"}}}, "MAP_NOT_FILLED_IN", "tenant_path.to.Sag"),
        ({"tenant_path": BY_TYPE | {"to": {"Kode": "koder"}}}, "MAP_FIELD_INVALID", "tenant_path.to"),
        ({"tenant_path": BY_TYPE | {"to": {"Kode": "ukendt"}}}, "MAP_FIELD_INVALID", "tenant_path.to"),
        ({"tenant_path": BY_TYPE | {"to": {"Note": "noter"}}}, "MAP_FIELD_INVALID", "tenant_path.to"),
        ({"tenant_path": [INSIDE, "lejer"]}, "MAP_FIELD_INVALID", "tenant_path"),
        ({"tenant_path": BY_TYPE, "whole": "truncate"}, "MAP_FIELD_INVALID", "whole"),
    ],
)  # fmt: skip
def test_a_form_that_leads_nowhere_is_refused_with_its_field(rule: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Rejected) as caught:
        parsed({"noter": rule})
    assert (caught.value.code, caught.value.field) == (code, f"systems.arkiv.places.noter.{field}")
    assert caught.value.remedy


def test_references_that_go_round_between_places_are_refused() -> None:
    there = {"tenant_path": BY_TYPE | {"to": {"B": "b"}}}
    back = {"tenant_path": ["x", BY_TYPE | {"to": {"A": "a"}}]}
    with pytest.raises(Rejected, match="MAP_FIELD_INVALID"):
        parsed({"a": there, "b": back})


@pytest.mark.parametrize("key", [INSIDE, "kunde.$id", "$id"], ids=["json", "part of a reference", "its id"])
def test_documents_name_what_lies_deeper_with_dots_and_never_by_a_reference(key: Any) -> None:
    assert parsed({"a": {"tenant_key": "kunde.id"}}, "mongodb")["a"].tenant_key == "kunde.id"
    with pytest.raises(Rejected, match="MAP_FIELD_INVALID") as caught:
        parsed({"a": {"tenant_key": key}}, "mongodb")
    assert caught.value.field == "systems.arkiv.places.a.tenant_key"


def test_the_examples_in_the_document_can_be_copied() -> None:
    text = (Path(__file__).parents[2] / "docs" / "system-map.md").read_text()
    example = next(each for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "json:" in each)
    rules = parsed(yaml.safe_load(example))
    assert {name for name, rule in rules.items() if rule.json or rule.refers} >= {"hændelse", "bilag", "kommentar"}

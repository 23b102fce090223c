"""What the map may say of places that go as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.errors import Rejected
from contracts.system_map import System, check_live, parse

CONNECTIONS = {
    "postgresql": {"host": "h", "port": 1, "database": "d"}, "mariadb": {"host": "h", "port": 1, "database": "d"},
    "mongodb": {"host": "h", "port": 1, "database": "d"}, "sqlite": {"file": "f"}, "files": {"folder": "f"},
    "queues": {"url": "http://h", "amqp": "amqp://h/v"},
}  # fmt: skip
USERS = {purpose: {"user": purpose, "password_file": purpose} for purpose in ("delete", "verify")}


def system(kind: str, **place: Any) -> System:
    """Parse a map of one system with one place."""
    body = {
        "title": "Mål", "kind": kind, "deletion": "1", "tenant": "{tenant}", "connection": CONNECTIONS[kind],
        "places": {"sager": place}, **({} if kind in ("sqlite", "files") else {"credentials": USERS}),
    }  # fmt: skip
    text = yaml.safe_dump({"version": 1, "systems": {"maal": body}}, allow_unicode=True)
    return parse(text.encode(), "kort.yaml", Path("/")).systems["maal"]


@pytest.mark.parametrize(
    ("kind", "way"), [("postgresql", "part"), ("mariadb", "truncate"), ("sqlite", "drop"), ("mongodb", "drop")]
)
def test_a_place_of_tenants_may_go_in_the_ways_that_its_engine_has(kind: str, way: str) -> None:
    rule = system(kind, tenant_key="lejer", whole=way).rules["sager"]
    assert (rule.whole, rule.goes) == (way, way == "drop")


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("mongodb", {"tenant_key": "lejer", "whole": "truncate"}),
        ("queues", {"tenant_key": "queue", "whole": "drop"}),
        ("postgresql", {"shared": "SHARED_CODE", "whole": "drop"}),
        ("postgresql", {"excluded": "NOT_CUSTOMER_DATA", "whole": "drop"}),
        ("postgresql", {"tenant_key": "lejer", "without_tenant": "NOT_CUSTOMER_DATA", "whole": "drop"}),
        ("postgresql", {"tenant_path": ["sag", "lejer"], "whole": "part"}),
        ("postgresql", {"tenant_key": "lejer", "whole": "cascade"}),
    ],
)
def test_what_cannot_be_proved_to_be_one_tenants_may_not_go_as_a_whole(kind: str, place: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as error:
        system(kind, **place)
    assert (error.value.code, error.value.field) == ("MAP_FIELD_INVALID", "systems.maal.places.sager.whole")


def test_only_whoever_deletes_takes_an_absent_place_for_gone_and_only_where_it_was_to_go() -> None:
    check_live(system("sqlite", tenant_key="lejer", whole="drop"), {}, may_be_gone=True)
    for way, may_be_gone in (("drop", False), ("truncate", True)):
        with pytest.raises(Rejected, match="not in the system"):
            check_live(system("sqlite", tenant_key="lejer", whole=way), {}, may_be_gone=may_be_gone)

"""The system map of queues and of systems in which people act."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts import system_map
from contracts.errors import Rejected


def parsed(**changes: Any) -> system_map.System:
    system = {
        "title": "Bus", "kind": "queues", "deletion": "1", "tenant": "{tenant}",
        "connection": {"url": "https://bus:15671", "amqp": "amqps://bus:5671/kommuner"},
        "credentials": {"delete": {"user": "d", "password_file": "d"}, "verify": {"user": "v", "password_file": "v"}},
        "places": {"breve": {"tenant_key": "lejer", "without_tenant": "NOT_CUSTOMER_DATA"}},
    } | changes  # fmt: skip
    body = yaml.safe_dump({"version": 1, "systems": {"bus": system}}).encode()
    return system_map.parse(body, "systems.yaml", Path("/hjemme")).system("bus")


MANUAL = {
    "kind": "manual", "connection": {"folder": "erklæringer"}, "credentials": {},
    "places": {"arkivskab": {"attested": "supplier"}, "kundens": {"excluded": "CUSTOMER_POSSESSION"}},
}  # fmt: skip


def test_queues_are_owned_by_header_and_may_hold_what_is_nobodys() -> None:
    system = parsed()
    assert (system.owned(), system.rules["breve"].without_tenant) == (["breve"], "NOT_CUSTOMER_DATA")


def test_what_people_attest_is_neither_owned_nor_delivered_by_us() -> None:
    system = parsed(**MANUAL)
    assert (system.owned(), system.connection["folder"]) == ([], "/hjemme/erklæringer")
    assert (system.rules["arkivskab"].attested, system.rules["arkivskab"].deliver) == ("supplier", False)
    with pytest.raises(Rejected, match="TENANT_INVALID"):
        system.tenant_value("../101", "11111111")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"connection": {"url": "https://bus:15671"}}, "MAP_FIELD_MISSING", "connection.amqp"),
        ({"connection": {"url": "https://bus", "amqp": "amqp://u:p@bus/x"}}, "MAP_FIELD_INVALID", "connection.amqp"),
        ({"connection": {"url": "https://bus", "amqp": "http://bus/x"}}, "MAP_FIELD_INVALID", "connection.amqp"),
        ({"credentials": {}}, "MAP_CREDENTIAL_MISSING", "credentials.delete"),
        ({"places": {"breve": {"tenant_path": ["a", "b"]}}}, "MAP_FIELD_INVALID", "places.breve.tenant_path"),
        ({"places": {"breve": {"attested": "supplier"}}}, "MAP_FIELD_INVALID", "places.breve.attested"),
        (MANUAL | {"places": {"skab": {"tenant_key": "x"}}}, "MAP_FIELD_INVALID", "places.skab.tenant_key"),
        (MANUAL | {"places": {"skab": {"shared": "SHARED_CODE"}}}, "MAP_FIELD_INVALID", "places.skab.shared"),
        (MANUAL | {"places": {"skab": {"attested": "nogen"}}}, "MAP_FIELD_INVALID", "places.skab.attested"),
        (MANUAL | {"places": {"skab": {}}}, "MAP_TENANT_KEY_MISSING", "places.skab"),
        (MANUAL | {"access": {"roles": ["app"]}}, "MAP_UNKNOWN_FIELD", "access"),
        (MANUAL | {"connection": {}}, "MAP_FIELD_MISSING", "connection.folder"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_field(changes: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(Rejected) as caught:
        parsed(**changes)
    assert (caught.value.code, caught.value.field) == (code, f"systems.bus.{field}")
    assert caught.value.remedy


def test_the_examples_of_both_in_the_document_can_be_copied() -> None:
    text = (Path(__file__).parents[2] / "docs" / "system-map.md").read_text()
    example = next(each for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "kind: queues" in each)
    loaded = system_map.parse(f"version: 1\nsystems:\n{example}".encode(), "kort.yaml", Path("/hjemme"))
    assert [system.kind for system in loaded.systems.values()] == ["queues", "manual"]

"""What a map may say of an object store's places, and whose an object is by its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.errors import Rejected
from contracts.system_map import SystemMap, parse
from contracts.system_map.objects import ObjectOwner, owner_of


def loaded(places: dict[str, Any], **connection: Any) -> SystemMap:
    system = {
        "title": "Arkiv", "kind": "s3", "deletion": "1", "tenant": "{tenant}",
        "connection": {"url": "https://s3.example.dk"} | connection, "places": places,
        "credentials": {purpose: {"user": purpose, "password_file": purpose} for purpose in ("delete", "verify")},
    }  # fmt: skip
    return parse(yaml.safe_dump({"version": 1, "systems": {"arkiv": system}}).encode(), "kort.yaml", Path())


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ("Sager", "prefix:{tenant}/"), ("sager/a", "prefix:{tenant}/"), ("sager/a/", "prefix:{tenant}/"),
        ("nyt", "prefix:{tenant}"), ("nyt", "prefix:alle/"), ("nyt", r"key:\d+/"), ("nyt", "key:("), ("nyt", "lejer"),
        ("nyt", "tag:"), ("s", "prefix:{tenant}/"),
    ],
)  # fmt: skip
def test_a_place_or_tenant_key_that_says_nothing_is_refused_with_its_field(place: str, key: str) -> None:
    with pytest.raises(Rejected, match="MAP_FIELD_INVALID") as caught:
        loaded({"sager": {"tenant_key": "prefix:{tenant}/"}, place: {"tenant_key": key}})
    assert str(caught.value.field).startswith(f"systems.arkiv.places.{place}")


def test_buckets_prefixes_and_what_lies_beside_them_are_places() -> None:
    system = loaded(
        {
            "dokumenter/sager/": {"tenant_key": "prefix:kommune-{tenant}/"},
            "dokumenter/post/ind/": {"tenant_key": r"key:\d+/(?P<tenant>\d+)/", "without_tenant": "NOT_CUSTOMER_DATA"},
            "dokumenter/.": {"excluded": "NOT_CUSTOMER_DATA"}, "billeder": {"tenant_key": "tag:kunde"},
            "logs": {"shared": "SHARED_CODE"},
        },
        region="eu-north-1", copies=["kopi"],
    ).system("arkiv")  # fmt: skip
    assert system.owned() == ["billeder", "dokumenter/post/ind/", "dokumenter/sager/"]


@pytest.mark.parametrize("field", ["region", "copies"])
def test_a_connection_that_is_no_text_or_list_is_named(field: str) -> None:
    with pytest.raises(Rejected, match="MAP_FIELD_INVALID") as caught:
        loaded({"nyt": {"tenant_key": "tag:kunde"}}, **{field: 7})
    assert caught.value.field == f"systems.arkiv.connection.{field}"


@pytest.mark.parametrize(
    ("form", "key", "owner"),
    [
        ("prefix:{tenant}/", "75/a.txt", "75"), ("prefix:{tenant}/", "751/a.txt", "751"),
        ("prefix:{tenant}/", "75", ""), ("prefix:{tenant}/", "/75/a", ""), ("prefix:k-{tenant}.", "k-75.x.y", "75"),
        ("prefix:k-{tenant}.", "k-75x", ""), (r"key:\d+/(?P<tenant>\d+)/", "2024/75/x", "75"),
        (r"key:\d+/(?P<tenant>\d+)/", "a/2024/75/x", ""), (r"key:x(?P<tenant>\d+)?", "x", ""),
    ],
)  # fmt: skip
def test_a_key_names_its_tenant_whole_or_nobody(form: str, key: str, owner: str) -> None:
    found = owner_of(form)
    assert isinstance(found, ObjectOwner)
    assert found.of_key(key) == owner


def test_a_tenant_value_that_holds_what_ends_it_fits_no_prefix() -> None:
    prefix = owner_of("prefix:{tenant}/")
    assert prefix is not None and prefix.fits("75") and not prefix.fits("75/76")

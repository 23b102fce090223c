"""The document on the system map says what the program does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from contracts import system_map
from contracts.errors import Rejected
from deploy.demo import backups

TEXT = (Path(__file__).parents[2] / "docs" / "system-map.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found
    return found[1]


def test_the_example_can_be_copied_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text(block("yaml"))
    loaded = system_map.load(tmp_path / "map.yaml")
    assert list(loaded.systems) == ["pladsanvisning", "morgenvagt", "booking"]
    assert loaded.system("booking").connection["folder"] == str(tmp_path / "booking")


def test_a_place_that_the_example_says_nothing_of_is_refused(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text(block("yaml").replace("barn: {tenant_key: kommunekode}", "barn: {}"))
    with pytest.raises(Rejected, match="MAP_TENANT_KEY_MISSING") as refused:
        system_map.load(tmp_path / "map.yaml")
    assert refused.value.field == "systems.pladsanvisning.places.barn"


def test_the_catalogue_in_the_document_is_one_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "catalogue.json").write_text(block("json"))
    assert [each.set_id for each in backups.read_catalogue(tmp_path)] == [
        json.loads(block("json"))["sets"][0]["set_id"]
    ]


def test_every_kind_and_purpose_is_described() -> None:
    for word in (*system_map.KINDS, *system_map.PURPOSES):
        assert f"`{word}`" in TEXT

"""Systems in which people act: every number is attested, with its document, and nothing is done or claimed by us."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import Rejected, Unavailable
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import LEAVING, Target, attest


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with targets.manual(tmp_path) as one:
        yield one


@pytest.fixture
def mine(target: Target) -> Path:
    return target.folder / "erklæringer" / "sager" / LEAVING


def test_the_newest_attestation_counts_whatever_its_files_name(target: Target, mine: Path) -> None:
    attest(mine, left=0, on="2026-11-22", method="destroyed")
    attest(mine, left=3, on="2026-11-21")
    assert target.open("verify").count("sager") == 0
    assert target.open("verify").total("sager") == targets.COUNTS["sager"][1]


def test_without_an_attestation_there_is_no_number(target: Target) -> None:
    with pytest.raises(Rejected) as caught:
        target.open("verify", tenant="103").count("sager")
    assert (caught.value.code, caught.value.field) == ("ATTESTATION_MISSING", "systems.maal.places.sager.attested")


def test_a_folder_that_is_not_there_is_no_missing_attestation(target: Target) -> None:
    target.content["connection"]["folder"] = "findes ikke"
    with pytest.raises(Unavailable, match="SYSTEM_UNREACHABLE"):
        target.open("verify").count("sager")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"party": "customer"}, "ATTESTATION_WRONG"),
        ({"left": -1}, "ATTESTATION_WRONG"),
        ({"left": "0"}, "ATTESTATION_WRONG"),
        ({"on": "i går"}, "ATTESTATION_WRONG"),
        ({"navn": "Hanne"}, "ATTESTATION_WRONG"),
        ({"role": "Hanne Holm"}, "ATTESTATION_WRONG"),
        ({"document": "../x.pdf"}, "ATTESTATION_WRONG"),
        ({"document": "findes-ikke.pdf"}, "ATTESTATION_DOCUMENT"),
        ({"sha256": "0" * 64}, "ATTESTATION_DOCUMENT"),
    ],
)
def test_an_attestation_that_does_not_hold_is_refused_even_beside_a_good_one(
    target: Target, mine: Path, said: dict[str, Any], code: str
) -> None:
    attest(mine, **said)
    with pytest.raises(Rejected) as caught:
        target.open("verify").count("sager")
    assert caught.value.code == code
    assert caught.value.remedy and caught.value.da


def test_what_is_no_json_is_refused(target: Target, mine: Path) -> None:
    (mine / "a.json").write_bytes(b"\xff{")
    with pytest.raises(Rejected, match="ATTESTATION_WRONG"):
        target.open("verify").count("sager")


def test_a_document_changed_after_it_was_attested_is_found(target: Target, mine: Path) -> None:
    document = json.loads(next(mine.glob("*.json")).read_text())["document"]
    (mine / document).write_bytes(b"rettet bagefter")
    with pytest.raises(Rejected, match="ATTESTATION_DOCUMENT"):
        target.open("verify").count("sager")


def test_nothing_is_deleted_listed_frozen_or_closed_by_us(target: Target) -> None:
    connector = target.open("delete")
    assert connector.order(connector.discover()) == []
    acts = (
        connector.batch, connector.freeze, connector.close_access, lambda: connector.keys("sager", 1),
        lambda: connector.present("sager", [("a",)]), lambda: connector.read("sager", None, 1),
        lambda: connector.find("sager", ["a"], b"seed"),
    )  # fmt: skip
    for act in acts:
        with pytest.raises(Rejected, match="DONE_BY_PEOPLE"):
            act()
    assert connector.count("sager") == targets.COUNTS["sager"][0]


def test_ways_in_are_closed_only_when_every_place_is_attested_to_have_none(target: Target, mine: Path) -> None:
    attest(mine, on="2026-11-21", ways_in=2)
    seen = target.open("verify").access()
    assert (seen.grants, seen.open) == (2, True)
    attest(mine, on="2026-11-22", ways_in=0)
    assert not target.open("verify").access().open
    with pytest.raises(Rejected, match="ATTESTATION_MISSING"):
        target.open("verify", tenant="103").access()


def test_the_example_in_the_document_can_be_copied(target: Target, mine: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "system-map.md").read_text()
    example = next(each for each in re.findall(r"```json\n(.*?)```", text, re.DOTALL) if "ways_in" in each)
    said = json.loads(example)
    attest(mine, **{name: said[name] for name in said if name not in ("document", "sha256")} | {"on": "2026-11-30"})
    assert target.open("verify").count("sager") == said["left"] == 0

"""Profiles as data: what is delivered, and that whatever is wrong is named with file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.errors import Rejected
from shared.rules.profiles import (
    FOLDER,
    known_profiles,
    load_profile,
    load_profiles,
    missing_needs,
    parse_profile,
    pins,
    required_lines,
)

ACTIVITIES = """
A1 A2 A3 A4 A5 B1 B2 B3 B4 B5 B6 B7 B8 B9 B10 B11 B12 B13 B14
C1 C2 C3 C4 C5 C6 C7 D1 D2 D3 D3b D4 D5 D6 D7 D7a D7b D8 D9
"""
OBLIGATIONS = """
1-a 3.1-a 3.2-a 3.2-b 3.2-c 3.2-d 3.2-e 3.2-f 3.2-g 4.2-a 4.2-b 6.2.1-a 7.1-a DPA-a 7.2-a 7.3-a 8.1-a 8.2-a 8.3-a
9.1-a 9.2-a 10.2-a 11.1-a 13-a 13-b 12.2-a 14-a 15.4-a 15.6.1-a 15.2-a 15.6.2-a 16.4-a 16.1-a 16.4-b 16.6.4-a 17-a
18.1-a 19.3-a 20-a 21-a 23-a 24-a 27.1-a 27.1.1-a 27.2-a 27.3-a 28.1-a 28.1-b 28.1-c 28.1-d 28.2-a 28.2-b 29-a 30-a
"""

SMALL = """\
profile: small
version: "1"
rank: 1
title_da: Lille
title_en: Small
source: {title: Ingen, digest: null}
anchors:
  - {name: T, title_da: Skifte, title_en: Go-live}
options:
  - {id: V1, title_da: Valg, title_en: Choice, clause: §1}
activities:
  - id: X1
    phase: order
    title_da: En
    title_en: One
    owner: customer
    responsible: [customer]
    clause: §1
    dates: [{not_after: T -10d}]
    completed_by: manual
  - id: X2
    phase: order
    title_da: To
    title_en: Two
    owner: supplier
    responsible: [supplier]
    clause: §1
    after: [X1]
    completed_by: manual
"""


def test_the_standard_model_has_every_activity_of_the_source_and_the_three_parts() -> None:
    assert [activity.id for activity in load_profile("ist-standard").activities] == ACTIVITIES.split()


def test_the_framework_agreement_has_every_obligation_by_its_wire_name() -> None:
    ids = {obligation.id for obligation in load_profile("ski-02-19").obligations}
    assert {f"S2-{name}" for name in OBLIGATIONS.split()} <= ids


def test_only_three_activities_and_one_part_destroy_and_each_says_which_systems() -> None:
    destructive = {a.id: a.deletion for a in load_profile("ist-standard").activities if a.destructive}
    assert destructive == {"C7": "index", "D2": "1", "D3b": "uncovered", "D7a": "2"}


def test_profiles_are_laid_together_in_the_order_of_their_rank() -> None:
    assert [each.name for each in load_profiles(("data-act", "ski-02-19", "ist-standard"))] == [
        "ist-standard", "ski-02-19", "data-act",
    ]  # fmt: skip


def test_every_line_of_the_reconciled_list_is_there_once() -> None:
    lines = required_lines(load_profiles(("ist-standard", "ski-02-19")))
    assert len({line.line for line in lines}) == len(lines) == 25
    assert sum(line.kind == "forgotten" for line in lines) == 10


@pytest.mark.parametrize("option", ["S1-8.3", "S1-8.4", "S1-8.5"])
def test_under_the_framework_agreement_a_service_after_the_end_needs_the_storage_option(option: str) -> None:
    both = load_profiles(("ist-standard", "ski-02-19"))
    assert [need.clause for need in missing_needs(both, [option])] == ["S2 28.2"]
    assert missing_needs(both, [option, "S2-28.2-retention"]) == []
    assert missing_needs(load_profiles(("ist-standard",)), [option]) == []


def test_a_profile_that_does_not_exist_is_refused_with_the_names_that_do() -> None:
    with pytest.raises(Rejected) as refused:
        load_profile("ski-02-20")
    assert refused.value.code == "PROFILE_UNKNOWN"
    assert "ski-02-19" in refused.value.remedy


def test_a_profiles_name_never_reaches_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "inside").mkdir()
    with pytest.raises(Rejected) as refused:
        load_profile("../outside", tmp_path / "inside")
    assert refused.value.code == "PROFILE_UNKNOWN"


def test_a_whole_profile_can_be_added_without_code(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL, encoding="utf-8")
    assert known_profiles(tmp_path) == ["small"]
    assert [activity.id for activity in load_profile("small", tmp_path).activities] == ["X1", "X2"]


def test_comments_and_layout_do_not_change_the_digest_but_content_does() -> None:
    digest = parse_profile(SMALL, "small.yaml").digest
    assert parse_profile("# a comment\n" + SMALL.replace("[X1]", "[ X1 ]"), "small.yaml").digest == digest
    assert parse_profile(SMALL.replace("-10d", "-11d"), "small.yaml").digest != digest


def test_the_pins_hold_name_version_and_digest() -> None:
    (pin,) = pins([load_profile("ist-standard")])
    assert pin["name"] == "ist-standard"
    assert len(pin["digest"]) == 64


WRONG = [
    ("rank: 1", "rank: one", 3, "rank"),
    ("rank: 1\n", "", 1, "rank"),
    ("rank: 1", "rank: 1\nrang: 2", 4, "rang"),
    ("rank: 1", "rank: 1\nrank: 2", 4, "rank"),
    ("phase: order\n    title_da: To", "phase: someday\n    title_da: To", 22, "activities.1.phase"),
    ("not_after: T -10d", "not_after: T minus ten", 19, "activities.0.dates.0.not_after"),
    ("not_after: T -10d", "not_after: U -10d", 19, "activities.0.dates.0.not_after"),
    ("not_after: T -10d", "not_after: 'T -{n}d'", 19, "activities.0.dates.0.not_after"),
    ("not_after: T -10d", "not_after: T, not_before: T", 19, "activities.0.dates.0.not_after"),
    ("after: [X1]", "after: [X9]", 28, "activities.1.after.0"),
    ("after: [X1]", "after: [X2]", 28, "activities.1.after"),
    ("id: X2", "id: X1", 21, "activities.1.id"),
    ("completed_by: manual\n  - id: X2", "completed_by: orders.nothing\n  - id: X2", 20, "activities.0.completed_by"),
    ("    after: [X1]", "    after: [X1]\n    destructive: true", 21, "activities.1.deletion"),
    ("    after: [X1]", "    after: [X1]\n    options: [V1]", 29, "activities.1.options"),
    ("source: {title: Ingen, digest: null}", "source: {title: Ingen, digest: abc}", 6, "source.digest"),
    ("profile: small", "profile: !!python/object:os.system small", 1, "profile"),
    ("profile: small", "profile: [small", 2, ""),
    ("profile: small", "profile: 2026-13-45", 1, "profile"),
    ("rank: 1", "rank: &a [*a]", 3, "rank" + ".0" * 20),
]


@pytest.mark.parametrize(("good", "bad", "line", "field"), WRONG)
def test_what_is_wrong_in_a_profile_is_named_with_file_line_and_field(
    good: str, bad: str, line: int, field: str
) -> None:
    assert good in SMALL
    with pytest.raises(Rejected) as refused:
        parse_profile(SMALL.replace(good, bad, 1), "small.yaml")
    assert refused.value.code == "PROFILE_INVALID"
    assert refused.value.message.startswith(f"small.yaml:{line}: ")
    assert refused.value.field == field


@pytest.mark.parametrize("text", ["", "- a list\n", "just text\n"])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(Rejected) as refused:
        parse_profile(text, "small.yaml")
    assert refused.value.code == "PROFILE_INVALID"


def test_every_delivered_profile_is_valid() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == {load_profile(name).name for name in known_profiles()}

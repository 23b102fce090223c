"""Profiles as data: what is delivered, and that whatever is wrong is named with file, line and field."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import groupby
from pathlib import Path

import pytest

from contracts.errors import Rejected
from shared.rules.path import paths
from shared.rules.plan import PlanFacts, make_plan
from shared.rules.profile_schema import PHASES
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


NEW_ACTIVITY = """\
  - id: B15
    phase: preparation
    title_da: Ekstra møde
    title_en: Another meeting
    owner: supplier
    responsible: [supplier]
    clause: §X
    dates: [{not_after: T -5wd}]
    after: [B12]
    completed_by: manual
    evidence: [MINUTES]
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
    assert len({line.line for line in lines}) == len(lines)
    assert Counter(line.kind for line in lines) == {"system": 15, "forgotten": 10, "data_kind": 10, "register": 3}


@pytest.mark.parametrize("name", ["ist-standard", "ski-02-19"])
def test_the_forgotten_places_are_asked_for_under_each_profile_alone(name: str) -> None:
    assert sum(line.kind == "forgotten" for line in required_lines([load_profile(name)])) == 10


def test_every_activity_names_phase_responsible_completion_and_the_evidence_it_needs() -> None:
    activities = load_profile("ist-standard").activities
    assert [phase for phase, _ in groupby(each.phase for each in activities)] == list(PHASES)
    assert [each.id for each in activities if not each.evidence] == ["D7"], "D7 is complete when its parts are"
    assert all(each.responsible and each.completed_by and each.clause for each in activities)


COMPLETED = {
    "A1": "orders.window_ordered", "A2": "orders.meeting_held", "A3": "orders.window_confirmed",
    "A4": "orders.order_placed", "A5": "orders.notice_given", "B1": "orders.contact_named",
    "B2": "orders.dates_confirmed", "B3": "orders.options_confirmed", "B4": "delivery.needs_submitted",
    "B5": "delivery.dispatch_set", "B6": "orders.pairs_decided", "B7": "manual",
    "B8": "scheduling.timetable_submitted", "B9": "delivery.connection_tested", "B10": "delivery.specification_made",
    "B11": "scheduling.timetable_answered", "B12": "manual", "B13": "manual", "B14": "orders.accord_signed",
    "C1": "orders.billing_run_recorded", "C2": "access.access_frozen", "C3": "delivery.package_delivered",
    "C4": "delivery.delivery_accepted", "C5": "access.access_attested", "C6": "access.access_attested",
    "C7": "deletion.deletion_verified", "D1": "date", "D2": "deletion.deletion_verified", "D3": "manual",
    "D3b": "deletion.deletion_verified", "D4": "manual", "D5": "manual", "D6": "manual", "D7": "parts",
    "D7a": "deletion.deletion_verified", "D7b": "access.access_attested", "D8": "access.access_attested",
    "D9": "deletion.backups_expired",
}  # fmt: skip


@pytest.mark.parametrize("activity", COMPLETED)
def test_each_activity_is_completed_by_the_fact_that_shows_it(activity: str) -> None:
    (found,) = [each for each in load_profile("ist-standard").activities if each.id == activity]
    assert found.completed_by == COMPLETED[activity]


def test_a_rejected_delivery_opens_the_delivery_again() -> None:
    assert [each.id for each in load_profile("ist-standard").activities if each.reopened_by] == ["C3"]


def test_t12_machines_lose_software_and_licences_before_the_customer_closes_access() -> None:
    by_id = {each.id: each for each in load_profile("ist-standard").activities}
    assert not by_id["D7b"].destructive
    assert by_id["D8"].after == ("D7b",)


def test_t10_every_deletion_of_a_solution_waits_for_an_answer_to_the_delivery_or_an_instruction() -> None:
    for each in load_profile("ist-standard").activities:
        if each.deletion and each.deletion != "index":
            assert {"accepted", "instruction", "holds"} <= set(each.gates)
            assert "C3" in each.after and "C4" not in each.after


def test_t2_options_say_what_they_put_off_and_whether_they_run_after_the_end() -> None:
    both = load_profiles(("ist-standard", "ski-02-19"))
    options = {option.id: (option.suspends, option.after_end) for each in both for option in each.options}
    assert {name for name, (_, after_end) in options.items() if after_end} == {
        "S1-8.3", "S1-8.4", "S1-8.5", "S2-28.2-retention",
    }  # fmt: skip
    assert options["S1-8.3"][0] == ("2",)
    assert options["S2-28.2-retention"][0] == ("1", "2")


@pytest.mark.parametrize("option", ["S1-8.3", "S1-8.4", "S1-8.5"])
def test_t2_under_the_framework_agreement_a_service_after_the_end_needs_storage_or_an_amendment(option: str) -> None:
    both = load_profiles(("ist-standard", "ski-02-19"))
    assert [need.clause for need in missing_needs(both, [option])] == ["S2 28.2"]
    assert missing_needs(both, [option, "S2-28.2-retention"]) == []
    assert missing_needs(both, [option, "amendment:services_after_end"]) == []
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
    (small,) = load_profiles(("small",), tmp_path)
    plan = make_plan([small], PlanFacts({"T": date(2026, 7, 1)}, frozenset({"V1"})))
    assert [(each.id, each.due) for each in plan.activities] == [("X1", date(2026, 6, 21)), ("X2", None)]
    assert paths(plan, set(), date(2026, 6, 1)).actors("X2") == ("customer",)


def test_an_activity_can_be_added_to_a_delivered_profile_without_code() -> None:
    text = (FOLDER / "ist-standard.yaml").read_text(encoding="utf-8")
    added = text.replace("  # ---- Exit-vindue\n", NEW_ACTIVITY)
    profile = parse_profile(added, "ist-standard.yaml")
    found = make_plan([profile], PlanFacts({"T": date(2026, 7, 1)})).activity("B15")
    assert (found.due, found.activity.after) == (date(2026, 6, 24), ("B12",))
    assert profile.digest != load_profile("ist-standard").digest
    assert profile.source_digest == load_profile("ist-standard").source_digest


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
    ("not_after: T -10d", "not_after: T -10d, when: ['amendment:none']", 19, "activities.0.dates.0.when.0"),
    ("not_after: T -10d", "not_after: T -10d, unless: ['perhaps:V1']", 19, "activities.0.dates.0.unless.0"),
    ("title_en: Go-live}", "title_en: Go-live, first_of: [T -1d]}", 8, "anchors.0"),
    ("title_en: Go-live}", "title_en: Go-live, first_of: [due(X1)]}", 8, "anchors.0"),
    ("    after: [X1]", "    after: [X1]\n    reopened_by: orders.nothing", 29, "activities.1.reopened_by"),
    ("    after: [X1]", "    after: [X1]\n    timetable: on", 29, "activities.1.timetable"),
    ("    after: [X1]", "    after: [X1]\n    gates: [payment]", 29, "activities.1.gates.0"),
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

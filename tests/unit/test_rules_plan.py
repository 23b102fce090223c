"""The plan engine: each activity's dates, bounds and conflicts, options, the timetable, and what is ready when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Rejected
from shared.rules.difference import difference
from shared.rules.plan import (
    Owed,
    Plan,
    PlanFacts,
    Planned,
    anchor_date,
    as_json,
    check_timetable,
    make_plan,
    ready,
    reference_date,
)  # fmt: skip
from shared.rules.profiles import load_profiles, option_ids, parse_profile
from shared.rules.references import parse_reference
from shared.rules.scopes import route

BOTH = load_profiles(("ist-standard", "ski-02-19"))
ALONE = load_profiles(("ist-standard",))
WITH_OVERLAY = load_profiles(("ist-standard", "ski-02-19", "data-act"))
T, K = date(2026, 7, 1), date(2026, 9, 30)
FACTS = PlanFacts({"T": T, "K": K})
OPTIONS = sorted(option_ids(BOTH))
SYSTEMS = {"pladsanvisning": "2", "tabulex": "2", "morgenvagt": "1", "booking": "1", "sagsindeks": "index"}
LOOK_UP, STORAGE, LATER = "S1-8.3", "S2-28.2-retention", "S1-8.4"


def plan_of(
    *options: str, profiles: str = "ist-standard ski-02-19", amended: tuple[str, ...] = (), **dates: str
) -> Plan:
    anchors = {"T": T, "K": K} | {name: date.fromisoformat(day) for name, day in dates.items()}
    facts = PlanFacts(anchors, frozenset(options), amendments=frozenset(amended))
    return make_plan(load_profiles(tuple(profiles.split())), facts)


def routed(options: set[str], covers: Mapping[str, tuple[str, ...]], **dates: str) -> PlanFacts:
    anchors = {"T": T, "K": K} | {name: date.fromisoformat(day) for name, day in dates.items()}
    scopes = route(BOTH, SYSTEMS, options, covers)
    return PlanFacts(anchors, frozenset(options), covers, scopes=scopes)


def dates_of(plan: Plan, activity: str) -> tuple[str | None, str | None]:
    planned = plan.activity(activity)
    return iso(planned.earliest), iso(planned.due)


def obligation(plan: Plan, name: str) -> tuple[str | None, str | None]:
    (row,) = [each for each in plan.obligations if each.id == name]
    return iso(row.earliest), iso(row.due)


def iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


WINDOW = ("2026-06-01", "2026-06-30")
DELETION = ("2026-10-01", "2026-10-15")
DATES: dict[str, tuple[str | None, str | None]] = {
    "A1": (None, None), "A2": (None, None), "A3": (None, None), "A4": (None, None), "A5": (None, "2026-07-02"),
    **{name: (None, "2026-04-01") for name in ("B1", "B2", "B3", "B4", "B5", "B6", "B7")},
    **{name: (None, "2026-05-01") for name in ("B8", "B9", "B10")},
    "B11": (None, "2026-05-17"), "B12": (None, "2026-05-17"), "B13": ("2026-05-17", None), "B14": (None, "2026-06-01"),
    **{name: WINDOW for name in ("C1", "C2", "C3", "C4", "C5", "C6", "C7")},
    "D1": ("2026-09-30", "2026-09-30"), "D2": DELETION, "D3": ("2026-09-30", "2026-09-30"), "D3b": DELETION,
    "D4": (None, None), "D5": (None, None), "D6": (None, None), "D7": DELETION, "D7a": DELETION, "D7b": DELETION,
    "D8": (None, None), "D9": ("2026-10-01", "2027-04-15"),
}  # fmt: skip


@pytest.mark.parametrize("activity", DATES)
def test_each_activity_has_the_dates_of_the_model(activity: str) -> None:
    assert dates_of(plan_of(), activity) == DATES[activity]


def test_the_model_has_a_date_for_each_activity_of_the_profile() -> None:
    assert [each.id for each in plan_of().activities] == list(DATES)


@pytest.mark.parametrize("rule", ["R1"])
def test_heavy_jobs_are_kept_out_from_the_start_of_preparation_to_go_live(rule: str) -> None:
    (found,) = [each for each in ALONE[0].rules if each["id"] == rule]
    assert (anchor_date(BOTH, FACTS, found["start"]), anchor_date(BOTH, FACTS, found["end"])) == (date(2026, 4, 1), T)
    assert {"S2-3.2-a", "S2-28.1-a"} <= set(found["exceptions"])
    assert [each.id for each in ALONE[0].activities if each.heavy] == ["D4", "D5"]


OWED = {
    "S2-27.2-a": (None, "2026-07-02"), "S2-27.1-a": (None, "2026-08-01"), "S2-27.1.1-a": (None, "2026-09-16"),
    "S2-28.2-b": (None, "2026-09-29"), "S2-28.1-d": DELETION, "S2-16.4-a": (None, "2026-07-15"),
    "S2-18.1-a": (None, "2027-09-30"), "S2-28.1-c": (None, "2026-09-30"), "S2-13-a": (None, None),
    "S2-4.2-a": (None, None), "S2-28.2-a": (None, None), "S2-28.1-d-backups": (None, "2026-10-15"),
}  # fmt: skip


@pytest.mark.parametrize("name", OWED)
def test_each_obligation_has_the_dates_of_its_clause(name: str) -> None:
    assert obligation(plan_of(), name) == OWED[name]


def test_every_date_of_the_plan_tells_direction_rule_clause_and_inputs() -> None:
    plan = plan_of(*OPTIONS, O="2027-03-31")
    items: list[Planned | Owed] = [*plan.activities, *plan.obligations]
    for bound in (bound for item in items for bound in item.dates.bounds):
        assert bound.direction in ("not_before", "not_after")
        assert bound.rule and bound.rule_en and bound.clause and bound.inputs
    assert all(row["rule"] and row["clause"] and len(row["rule"]) <= 200 for row in as_json(plan)["activities"])


# ---- Dates that are given, planned, or kept apart


def test_t5_the_last_day_of_operations_is_the_day_before_go_live_unless_it_is_given() -> None:
    early = plan_of(D="2026-06-20")
    assert dates_of(early, "C6")[1] == "2026-06-20"
    assert dates_of(early, "C3")[1] == "2026-06-20"
    assert dates_of(early, "C7")[1] == "2026-06-30"
    assert obligation(early, "S2-16.4-a")[1] == "2026-07-05"


def test_t5_the_agreements_end_and_go_live_move_nothing_of_one_another() -> None:
    assert dates_of(plan_of(K="2026-12-31"), "C3") == WINDOW
    assert dates_of(plan_of(T="2026-08-01"), "D2") == DELETION


def test_t5_what_has_to_be_deleted_before_it_can_be_delivered_is_warned_of() -> None:
    late = plan_of(K="2026-05-30")
    (warned,) = [each for each in late.conflicts if each.ids == ("C3", "D2")]
    assert (warned.not_before, warned.not_after) == (date(2026, 6, 30), date(2026, 6, 14))
    assert warned.clauses == ("S2 28.1", "S1 §6")
    assert late.blocking == ()


def test_t6_months_and_days_are_counted_each_from_go_live_and_bounds_are_intersected() -> None:
    plan = plan_of(T="2026-05-31")
    months = {"B1": "2026-02-28", "B8": "2026-03-31", "B11": "2026-04-15", "B14": "2026-04-30"}
    assert {name: dates_of(plan, name)[1] for name in months} == months
    assert dates_of(plan, "C1") == ("2026-05-01", "2026-05-30")
    (bound,) = [each for each in plan_of().activity("A5").dates.bounds if each.clause == "S1 §4"]
    assert (bound.on, plan_of().activity("A5").due) == (K, date(2026, 7, 2))


def test_t6_the_window_is_the_thirty_days_before_go_live() -> None:
    days = {name: anchor_date(BOTH, FACTS, name) for name in ("P", "W", "We", "D", "K", "O")}
    assert {name: iso(day) for name, day in days.items()} == {
        "P": "2026-04-01", "W": "2026-06-01", "We": "2026-06-30", "D": "2026-06-30", "K": "2026-09-30", "O": None,
    }  # fmt: skip


def test_the_agreement_ends_seventy_two_months_after_the_takeover_where_no_end_is_given() -> None:
    facts = PlanFacts({"takeover": date(2020, 11, 5), "T": date(2026, 11, 1)})
    assert make_plan(BOTH, facts).activity("D2").due == date(2026, 11, 20)
    assert reference_date(BOTH, facts, parse_reference("K -60d")) == date(2026, 9, 6)


def test_without_a_takeover_day_and_an_end_nothing_after_the_end_has_a_date() -> None:
    plan = make_plan(BOTH, PlanFacts({"T": T}))
    dated = {each.id for each in plan.activities if each.id.startswith("D") and (each.due or each.earliest)}
    assert dated == set()


def test_the_annexes_numbers_fill_the_periods_that_need_them() -> None:
    numbers = {"takeover_days": 20, "exit_process_days": 60}
    plan = make_plan(BOTH, PlanFacts({"T": T, "K": K, "in_force": date(2020, 10, 1)}, numbers=numbers))
    assert obligation(plan, "S2-4.2-a")[1] == "2020-10-22"
    assert obligation(plan, "S2-28.2-a")[1] == "2026-07-27"
    assert not any("{" in each["rule"] for each in as_json(plan)["obligations"])


def test_t16_the_backups_date_is_provisional_until_the_actual_deletions_are_known() -> None:
    planned = plan_of().activity("D9")
    actual = plan_of(S1d="2026-10-05", S2d="2026-10-12").activity("D9")
    assert (planned.dates.provisional, planned.due) == (True, date(2027, 4, 15))
    assert (actual.dates.provisional, actual.due) == (False, date(2027, 4, 12))


@pytest.mark.parametrize("profiles", ["ist-standard", "ist-standard ski-02-19", "ist-standard ski-02-19 data-act"])
def test_t1_backups_have_six_months_in_the_model_under_every_profile(profiles: str) -> None:
    assert dates_of(plan_of(profiles=profiles), "D9")[1] == "2027-04-15"


def test_t1_the_framework_agreement_wants_backups_gone_in_fifteen_days_unless_both_signed_otherwise() -> None:
    assert obligation(plan_of(), "S2-28.1-d-backups")[1] == "2026-10-15"
    assert obligation(plan_of(amended=("backups_six_months",)), "S2-28.1-d-backups")[1] == "2027-04-15"


# ---- Options


def test_an_option_not_chosen_stays_in_the_plan_and_counts_as_met() -> None:
    plan = plan_of()
    assert not plan.activity("D3").chosen
    assert plan.unmet(plan.activity("D7"), {"D1"}) == ()


def test_t2_look_up_access_puts_off_the_second_deletion_only() -> None:
    plan = plan_of(LOOK_UP, profiles="ist-standard", O="2027-03-31")
    assert dates_of(plan, "D2") == DELETION
    assert dates_of(plan, "D3b") == DELETION
    assert dates_of(plan, "D7a") == ("2027-04-01", "2027-04-15")
    assert dates_of(plan, "D6") == ("2027-03-31", "2027-03-31")
    assert dates_of(plan, "D9")[1] == "2027-10-15"


@pytest.mark.parametrize("option", ["S1-8.3", "S1-8.4", "S1-8.5"])
def test_t2_a_service_after_the_end_without_storage_is_a_conflict_with_both_clauses(option: str) -> None:
    (conflict,) = plan_of(option, O="2027-03-31").conflicts
    assert conflict.ids == ("D7", "D7a")
    assert (conflict.not_before, conflict.not_after) == (date(2027, 4, 1), date(2026, 10, 15))
    assert conflict.clauses == ("S2 28.1", "S1 §7")
    assert plan_of(option, STORAGE, O="2027-03-31").conflicts == ()
    assert plan_of(option, O="2027-03-31", amended=("services_after_end",)).conflicts == ()


def test_t2_the_amendment_alone_puts_nothing_off() -> None:
    assert dates_of(plan_of(amended=("services_after_end",)), "D7a") == DELETION


def test_t2_storage_suspends_the_deletion_until_fifteen_days_after_its_end() -> None:
    plan = plan_of(STORAGE, O="2027-02-25")
    assert obligation(plan, "S2-28.1-d") == ("2027-02-26", "2027-03-12")
    assert dates_of(plan, "D7a") == dates_of(plan, "D2") == ("2027-02-26", "2027-03-12")


def test_t2_storage_without_an_end_stops_provisionally_five_years_after_the_agreement() -> None:
    planned = plan_of(STORAGE).activity("D7a")
    assert (planned.due, planned.dates.provisional) == (date(2031, 10, 15), True)


def test_t2_storage_beyond_five_years_is_a_conflict() -> None:
    (conflict,) = plan_of(STORAGE, O="2031-10-31").conflicts
    assert (conflict.ids, conflict.not_after) == (("D7", "D7a"), date(2031, 10, 15))
    assert plan_of(STORAGE, O="2031-09-30").conflicts == ()


def test_t2_storage_of_some_systems_leaves_the_others_their_fifteen_days() -> None:
    plan = make_plan(BOTH, routed({STORAGE}, {STORAGE: ("tabulex",)}, O="2027-02-25"))
    assert (plan.activity("D7a").systems, dates_of(plan, "D7a")[1]) == (("tabulex",), "2027-03-12")
    assert (plan.activity("D3b").systems, dates_of(plan, "D3b")[1]) == (("pladsanvisning",), "2026-10-15")
    assert (plan.activity("D2").systems, dates_of(plan, "D2")[1]) == (("booking", "morgenvagt"), "2026-10-15")


def test_t2_storage_of_every_system_leaves_only_the_last_deletion() -> None:
    plan = make_plan(BOTH, routed({STORAGE}, {}, O="2027-02-25"))
    assert [each.id for each in plan.activities if each.activity.destructive and each.chosen] == ["C7", "D7a"]
    assert plan.activity("D7a").systems == ("booking", "morgenvagt", "pladsanvisning", "tabulex")


def test_t4_the_case_index_is_cleaned_in_the_window_whatever_is_put_off() -> None:
    plan = make_plan(BOTH, routed({STORAGE, LOOK_UP}, {}, O="2031-09-30"))
    assert (plan.activity("C7").systems, dates_of(plan, "C7")) == (("sagsindeks",), WINDOW)


def test_a_target_that_nothing_owed_enforces_gives_way_to_the_first_day_allowed() -> None:
    facts = PlanFacts({"T": T, "K": K}, lawyer_confirmed=frozenset({"data-act"}))
    planned = make_plan(load_profiles(("ist-standard", "data-act")), facts).activity("D2")
    assert (planned.earliest, planned.due) == (date(2026, 10, 30), date(2026, 10, 30))


# ---- The overlay


def test_t14_the_data_act_only_warns_but_shows_the_conflict_with_both_clauses() -> None:
    plan = plan_of(profiles="ski-02-19 data-act")
    (conflict,) = plan.conflicts
    assert conflict.ids == ("S2-28.1-d",)
    assert (conflict.not_before, conflict.not_after) == (date(2026, 10, 30), date(2026, 10, 15))
    assert conflict.clauses == ("S2 28.1", "Rfo. 2023/2854 art. 25")
    assert conflict.warns and plan.blocking == ()
    assert obligation(plan, "S2-28.1-d") == DELETION


def test_t14_confirmed_by_a_lawyer_it_blocks_until_the_customer_instructs_early_erasure() -> None:
    confirmed = replace(FACTS, lawyer_confirmed=frozenset({"data-act"}))
    blocked = make_plan(WITH_OVERLAY, confirmed)
    assert [each.ids for each in blocked.blocking] == [("D2", "D7", "D7a", "S2-28.1-d")]
    instructed = make_plan(WITH_OVERLAY, replace(confirmed, instructions=frozenset({"erase_early"})))
    assert instructed.conflicts == ()
    assert dates_of(instructed, "D2") == DELETION


# ---- Applicability


def test_t19_a_customer_who_is_no_municipality_has_neither_case_index_nor_day_care_systems() -> None:
    plan = make_plan(BOTH, PlanFacts({"T": T, "K": K}, customer_type="other"))
    without = [each.id for each in plan.activities if not each.chosen and each.activity.obligatory]
    assert without == ["B6", "C5", "C7"]


def test_a_deletion_without_any_system_has_nothing_to_do() -> None:
    scopes = route(BOTH, {"pladsanvisning": "2"}, (), {})
    plan = make_plan(BOTH, PlanFacts({"T": T, "K": K}, scopes=scopes))
    assert [plan.activity(name).chosen for name in ("C7", "D2", "D3b", "D7a")] == [False, False, False, True]


def test_t3_every_deletion_of_a_solution_waits_for_the_archive_and_archiving_counts_as_heavy() -> None:
    gates = {each.id: each.gates for each in ALONE[0].activities if each.destructive}
    assert all("archive" in gates[name] for name in ("D2", "D3b", "D7a"))
    assert "D5" in plan_of().activity("D7a").activity.after


def test_t20_no_gate_of_any_activity_is_about_payment() -> None:
    gates = {gate for each in ALONE[0].activities for gate in each.gates}
    assert gates == {"instruction", "archive", "accepted", "transfer", "addendum", "holds"}


# ---- The timetable

DAYS = {"C1": 5, "C2": 9, "C3": 16, "C4": 23, "C5": 24, "C6": 25, "C7": 29}
TIMETABLE = {name: date(2026, 6, day) for name, day in DAYS.items()}


def test_a_timetable_gives_the_frozen_zone_its_day_and_the_rest_their_last_day() -> None:
    check_timetable(BOTH, plan_of(), TIMETABLE)
    plan = make_plan(BOTH, replace(FACTS, days=TIMETABLE))
    assert dates_of(plan, "C2") == ("2026-06-09", "2026-06-09")
    assert dates_of(plan, "C3") == ("2026-06-01", "2026-06-16")
    assert "detailtidsplanen" in plan.activity("C3").rule
    check_timetable(BOTH, plan, TIMETABLE | {"C4": date(2026, 6, 24)})


def test_a_trial_extract_has_a_last_day_once_the_timetable_gives_one() -> None:
    facts = PlanFacts({"T": T, "K": K}, frozenset({"S1-8.2"}))
    check_timetable(BOTH, make_plan(BOTH, facts), {"B13": date(2026, 5, 20)})
    plan = make_plan(BOTH, replace(facts, days={"B13": date(2026, 5, 20)}))
    assert dates_of(plan, "B13") == ("2026-05-17", "2026-05-20")


WRONG_DAYS: dict[str, tuple[dict[str, date], str, str]] = {
    "outside the window": ({"C2": date(2026, 5, 31)}, "TIMETABLE_OUT_OF_BOUNDS", "days.C2"),
    "after go-live": ({"C7": date(2026, 7, 1)}, "TIMETABLE_OUT_OF_BOUNDS", "days.C7"),
    "delivery before the freeze": ({"C3": date(2026, 6, 8)}, "TIMETABLE_OUT_OF_ORDER", "days.C3"),
    "not planned by the day": ({"D2": date(2026, 10, 5)}, "TIMETABLE_NOT_PLANNED", "days.D2"),
    "an option not chosen": ({"B13": date(2026, 5, 20)}, "TIMETABLE_NOT_PLANNED", "days.B13"),
}


@pytest.mark.parametrize("case", WRONG_DAYS)
def test_a_timetable_that_the_plan_does_not_allow_is_refused_by_name(case: str) -> None:
    changed, code, field = WRONG_DAYS[case]
    with pytest.raises(Rejected) as refused:
        check_timetable(BOTH, plan_of(), TIMETABLE | changed)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert refused.value.da and refused.value.remedy


def test_a_day_outside_its_bounds_is_refused_naming_both_clauses() -> None:
    with pytest.raises(Rejected) as refused:
        check_timetable(BOTH, plan_of(), {"C6": date(2026, 7, 2)})
    assert "S1 §6; S1 §6" in refused.value.message


def test_order_is_checked_through_activities_that_have_no_day() -> None:
    with pytest.raises(Rejected) as refused:
        check_timetable(BOTH, plan_of(), {"C1": date(2026, 6, 20), "C7": date(2026, 6, 10)})
    assert refused.value.code == "TIMETABLE_OUT_OF_ORDER"


# ---- What is refused


def test_the_order_of_the_profiles_does_not_change_the_plan() -> None:
    turned = load_profiles(("ski-02-19", "ist-standard"))
    assert make_plan(turned, FACTS).digest == make_plan(BOTH, FACTS).digest


def test_an_option_without_its_prefix_is_refused_naming_both_it_may_mean() -> None:
    with pytest.raises(Rejected) as refused:
        plan_of("8.1")
    assert (refused.value.code, refused.value.field) == ("OPTION_UNKNOWN", "options")
    assert refused.value.remedy == "use one of: S1-8.1, S2-8.1"


def test_an_option_that_no_profile_has_is_refused_naming_those_there_are() -> None:
    with pytest.raises(Rejected) as refused:
        plan_of("S1-9.9")
    assert all(option in refused.value.remedy for option in OPTIONS)


ROUND = """\
profile: {name}
version: "1"
rank: 1
title_da: Rund
title_en: Round
source: {{title: Ingen, digest: null}}
anchors:
  - {{name: X, title_da: X, title_en: X{x}}}
  - {{name: Y, title_da: Y, title_en: Y{y}}}
obligations:
  - {{id: {name}, clause: §1, who: [supplier], title_da: R, title_en: R, dates: [{{not_after: X}}]}}
"""


def test_anchors_that_depend_on_themselves_through_another_profile_are_refused() -> None:
    one = parse_profile(ROUND.format(name="one", x=", first_of: [Y +1d]", y=""), "one.yaml")
    two = parse_profile(ROUND.format(name="two", x="", y=", first_of: [X +1d]"), "two.yaml")
    with pytest.raises(Rejected) as refused:
        make_plan([one, two], PlanFacts({}))
    assert refused.value.code == "PROFILE_CIRCULAR"


# ---- What is ready


def test_nothing_is_ready_before_its_earliest_day_or_its_preconditions() -> None:
    plan = plan_of()
    assert [each.id for each in ready(plan, set(), date(2026, 1, 1))] == ["A1"]
    assert "C1" not in {each.id for each in ready(plan, {"B11"}, date(2026, 5, 31))}
    assert "C1" in {each.id for each in ready(plan, {"B11"}, date(2026, 6, 1))}


# ---- Properties

OWN_DATES = st.fixed_dictionaries({}, optional={
    "D": st.integers(-60, -1), "O": st.integers(0, 1900), "S1d": st.integers(1, 40), "S2d": st.integers(1, 400),
})  # fmt: skip


@st.composite
def exits(draw: st.DrawFn) -> PlanFacts:
    go_live = draw(st.dates(date(2021, 1, 1), date(2039, 12, 31)))
    end = go_live + timedelta(days=draw(st.integers(-40, 800)))
    own: dict[str, int] = draw(OWN_DATES)
    anchors = {"T": go_live, "K": end}
    anchors |= {name: (go_live if name == "D" else end) + timedelta(days=days) for name, days in own.items()}
    options = draw(st.sets(st.sampled_from(OPTIONS)))
    covers = {each: draw(some_systems()) for each in sorted(options & {LOOK_UP, LATER, STORAGE}) if draw(st.booleans())}
    known = draw(st.booleans())
    return PlanFacts(
        anchors,
        frozenset(options),
        covers if known else {},
        amendments=frozenset(draw(st.sets(st.sampled_from(["backups_six_months", "services_after_end"])))),
        customer_type=draw(st.sampled_from(["municipality", "other"])),
        scopes=route(BOTH, SYSTEMS, options, covers) if known else None,
        lawyer_confirmed=frozenset(draw(st.sets(st.just("data-act")))),
    )


def some_systems() -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(["pladsanvisning", "tabulex"]), min_size=1, unique=True).map(tuple)


@given(exits())
def test_a_precondition_is_never_due_after_what_follows_unless_a_conflict_says_so(facts: PlanFacts) -> None:
    plan = make_plan(WITH_OVERLAY, facts)
    said = {name for conflict in plan.conflicts for name in conflict.ids}
    for planned in plan.activities:
        for before in (plan.activity(name) for name in planned.activity.after):
            if planned.chosen and before.chosen and planned.due and before.due and before.due > planned.due:
                assert planned.id in said


@given(exits())
def test_earliest_is_never_after_due_unless_a_conflict_says_so(facts: PlanFacts) -> None:
    plan = make_plan(WITH_OVERLAY, facts)
    in_conflict = {name for conflict in plan.conflicts for name in conflict.ids}
    items: list[Planned | Owed] = [*(each for each in plan.activities if each.chosen), *plan.obligations]
    for item in items:
        if item.earliest and item.due and item.id not in in_conflict:
            assert item.earliest <= item.due


@given(exits())
def test_nothing_but_the_case_index_is_destroyed_before_the_agreement_has_ended(facts: PlanFacts) -> None:
    for planned in make_plan(WITH_OVERLAY, facts).activities:
        if planned.activity.destructive and planned.id != "C7":
            assert planned.earliest is not None and planned.earliest > facts.anchors["K"]


@given(exits())
def test_planning_again_changes_nothing(facts: PlanFacts) -> None:
    once, again = make_plan(WITH_OVERLAY, facts), make_plan(WITH_OVERLAY, replace(facts))
    assert once.digest == again.digest
    assert difference(once, again) == ()


@given(exits(), st.sampled_from([LOOK_UP, LATER, STORAGE]), some_systems())
def test_suspending_and_resuming_gives_the_same_plan_again(
    facts: PlanFacts, option: str, systems: tuple[str, ...]
) -> None:
    def with_options(options: frozenset[str], covers: Mapping[str, tuple[str, ...]]) -> Plan:
        scopes = route(BOTH, SYSTEMS, options, covers)
        return make_plan(BOTH, replace(facts, options=options, covers=covers, scopes=scopes))

    without = {name: named for name, named in facts.covers.items() if name != option}
    before = with_options(facts.options - {option}, without)
    suspended = with_options(facts.options | {option}, without | {option: systems})
    assert with_options(facts.options - {option}, without).digest == before.digest
    back: dict[str, Any] = {change.id: change.after for change in difference(suspended, before)}
    assert back.keys() == {change.id for change in difference(before, suspended)}


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.sets(st.sampled_from([a.id for a in BOTH[0].activities])))
def test_what_is_ready_has_all_its_preconditions(today: date, completed: set[str]) -> None:
    plan = plan_of()
    for planned in ready(plan, completed, today):
        assert planned.id not in completed
        assert all(name in completed or not plan.activity(name).chosen for name in planned.activity.after)

"""The plan engine: the worked dates of domain.md §3, conflicts, provisional dates, and what is ready when."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Rejected
from shared.rules.plan import Plan, PlanFacts, as_json, make_plan, ready
from shared.rules.profiles import load_profiles, option_ids, parse_profile

BOTH = load_profiles(("ist-standard", "ski-02-19"))
T, K = date(2026, 7, 1), date(2026, 9, 30)
OPTIONS = sorted(option_ids(BOTH))


def plan_of(*options: str, profiles: str = "ist-standard ski-02-19", amended: bool = False, **dates: str) -> Plan:
    anchors = {"T": T, "K": K} | {name: date.fromisoformat(day) for name, day in dates.items()}
    amendments = frozenset({"backups_six_months"} if amended else set())
    return make_plan(load_profiles(tuple(profiles.split())), PlanFacts(anchors, frozenset(options), amendments))


def dates_of(plan: Plan, activity: str) -> tuple[str | None, str | None]:
    planned = plan.activity(activity)
    early, due = planned.earliest, planned.due
    return early.isoformat() if early else None, due.isoformat() if due else None


def obligation(plan: Plan, name: str) -> tuple[str | None, str | None]:
    (row,) = [row for row in as_json(plan)["obligations"] if row["id"] == name]
    return row["earliest"], row["due"]


DATES = [
    ("A1", None, None), ("A4", None, None), ("A5", None, "2026-07-02"),
    ("B1", None, "2026-04-01"), ("B8", None, "2026-05-01"), ("B11", None, "2026-05-17"),
    ("B13", "2026-05-17", None), ("B14", None, "2026-06-01"),
    ("C1", "2026-06-01", "2026-06-30"), ("C6", "2026-06-01", "2026-06-30"), ("C7", "2026-06-01", "2026-06-30"),
    ("D1", "2026-09-30", "2026-09-30"), ("D2", "2026-10-01", "2026-10-15"), ("D3", "2026-09-30", "2026-09-30"),
    ("D3b", "2026-10-01", "2026-10-15"), ("D4", None, None), ("D5", None, None), ("D6", None, None),
    ("D7", "2026-10-01", "2026-10-15"), ("D7a", "2026-10-01", "2026-10-15"), ("D7b", "2026-10-01", "2026-10-15"),
    ("D8", None, None), ("D9", "2026-10-01", "2027-04-15"),
]  # fmt: skip


@pytest.mark.parametrize(("activity", "earliest", "due"), DATES)
def test_each_activity_has_the_dates_of_the_model(activity: str, earliest: str | None, due: str | None) -> None:
    assert dates_of(plan_of(), activity) == (earliest, due)


OWED = [
    ("S2-27.2-a", None, "2026-07-02"), ("S2-27.1-a", None, "2026-08-01"), ("S2-27.1.1-a", None, "2026-09-16"),
    ("S2-28.2-b", None, "2026-09-29"), ("S2-28.1-d", "2026-10-01", "2026-10-15"), ("S2-16.4-a", None, "2026-07-15"),
    ("S2-18.1-a", None, "2027-09-30"), ("S2-28.1-c", None, "2026-09-30"), ("S2-13-a", None, None),
    ("S2-4.2-a", None, None), ("S2-28.2-a", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "earliest", "due"), OWED)
def test_each_obligation_has_the_dates_of_its_clause(name: str, earliest: str | None, due: str | None) -> None:
    assert obligation(plan_of(), name) == (earliest, due)


def test_backups_follow_the_fifteen_days_without_the_amendment_and_six_months_with_it() -> None:
    assert obligation(plan_of(), "S2-28.1-d-backups")[1] == "2026-10-15"
    assert obligation(plan_of(amended=True), "S2-28.1-d-backups")[1] == "2027-04-15"


def test_the_backups_date_is_provisional_until_the_actual_deletions_are_known() -> None:
    planned = plan_of().activity("D9")
    actual = plan_of(S1d="2026-10-05", S2d="2026-10-12").activity("D9")
    assert (planned.dates.provisional, planned.due) == (True, date(2027, 4, 15))
    assert (actual.dates.provisional, actual.due) == (False, date(2027, 4, 12))


def test_the_last_day_of_operations_is_the_day_before_go_live_unless_it_is_given() -> None:
    assert dates_of(plan_of(D="2026-06-20"), "C6")[1] == "2026-06-20"
    assert obligation(plan_of(D="2026-06-20"), "S2-16.4-a")[1] == "2026-07-05"


def test_the_agreement_ends_seventy_two_months_after_the_takeover_where_no_end_is_given() -> None:
    facts = PlanFacts({"takeover": date(2020, 11, 5), "T": date(2026, 11, 1)})
    assert make_plan(BOTH, facts).activity("D2").due == date(2026, 11, 20)


def test_the_annexes_numbers_fill_the_periods_that_need_them() -> None:
    facts = PlanFacts(
        {"T": T, "K": K, "in_force": date(2020, 10, 1)}, numbers={"takeover_days": 20, "exit_process_days": 60}
    )
    plan = make_plan(BOTH, facts)
    assert obligation(plan, "S2-4.2-a")[1] == "2020-10-22"
    assert obligation(plan, "S2-28.2-a")[1] == "2026-07-27"


def test_an_option_not_chosen_stays_in_the_plan_and_counts_as_met() -> None:
    plan = plan_of()
    assert not plan.activity("D3").chosen
    assert plan.unmet(plan.activity("D7"), {"D1"}) == ()


def test_look_up_access_moves_the_second_deletion_only() -> None:
    plan = plan_of("S1-8.3", profiles="ist-standard", O="2027-03-31")
    assert dates_of(plan, "D2") == ("2026-10-01", "2026-10-15")
    assert dates_of(plan, "D3b") == ("2026-10-01", "2026-10-15")
    assert dates_of(plan, "D7a") == ("2027-04-01", "2027-04-15")
    assert dates_of(plan, "D6") == ("2027-03-31", "2027-03-31")
    assert dates_of(plan, "D9")[1] == "2027-10-15"


def test_look_up_access_under_the_framework_agreement_without_storage_is_a_conflict_with_both_clauses() -> None:
    (conflict,) = plan_of("S1-8.3", O="2027-03-31").conflicts
    assert conflict.ids == ("D7", "D7a")
    assert (conflict.not_before, conflict.not_after) == (date(2027, 4, 1), date(2026, 10, 15))
    assert conflict.clauses == ("S2 28.1", "S1 §7")
    assert plan_of("S1-8.3", "S2-28.2-retention", O="2027-03-31").conflicts == ()


def test_storage_suspends_the_deletion_until_fifteen_days_after_its_end() -> None:
    plan = plan_of("S2-28.2-retention", O="2027-02-25")
    assert obligation(plan, "S2-28.1-d") == ("2027-02-26", "2027-03-12")
    assert dates_of(plan, "D7a")[1] == "2027-03-12"


def test_storage_without_an_end_stops_five_years_after_the_agreement() -> None:
    assert dates_of(plan_of("S2-28.2-retention"), "D7a")[1] == "2031-10-15"


def test_the_data_act_only_warns_but_shows_the_conflict_with_both_clauses() -> None:
    plan = plan_of(profiles="ski-02-19 data-act")
    (conflict,) = plan.conflicts
    assert conflict.ids == ("S2-28.1-d",)
    assert (conflict.not_before, conflict.not_after) == (date(2026, 10, 30), date(2026, 10, 15))
    assert conflict.clauses == ("S2 28.1", "Rfo. 2023/2854 art. 25")
    assert conflict.warns
    assert obligation(plan, "S2-28.1-d") == ("2026-10-01", "2026-10-15")


def test_a_customer_who_is_no_municipality_has_no_case_index() -> None:
    plan = make_plan(BOTH, PlanFacts({"T": T, "K": K}, customer_type="other"))
    assert [each.id for each in plan.activities if not each.chosen and each.activity.obligatory] == ["C5", "C7"]


def test_a_deletion_without_any_system_has_nothing_to_do() -> None:
    plan = make_plan(BOTH, PlanFacts({"T": T, "K": K}, deletions=frozenset({"2"})))
    assert [plan.activity(name).chosen for name in ("C7", "D2", "D7a")] == [False, False, True]


def test_the_order_of_the_profiles_does_not_change_the_plan() -> None:
    facts = PlanFacts({"T": T, "K": K})
    turned = load_profiles(("ski-02-19", "ist-standard"))
    assert make_plan(turned, facts).digest == make_plan(BOTH, facts).digest


def test_an_option_that_no_profile_has_is_refused() -> None:
    with pytest.raises(Rejected) as refused:
        plan_of("8.1")
    assert (refused.value.code, refused.value.field) == ("OPTION_UNKNOWN", "options")


def test_anchors_that_depend_on_themselves_are_refused() -> None:
    text = """\
profile: round
version: "1"
rank: 1
title_da: Rund
title_en: Round
source: {title: Ingen, digest: null}
anchors:
  - {name: X, title_da: X, title_en: X, first_of: [Y +1d]}
  - {name: Y, title_da: Y, title_en: Y, first_of: [X +1d]}
obligations:
  - {id: R, clause: §1, who: [supplier], title_da: R, title_en: R, dates: [{not_after: X}]}
"""
    with pytest.raises(Rejected) as refused:
        make_plan([parse_profile(text, "round.yaml")], PlanFacts({}))
    assert refused.value.code == "PROFILE_CIRCULAR"


def test_nothing_is_ready_before_its_earliest_day_or_its_preconditions() -> None:
    plan = plan_of()
    assert [each.id for each in ready(plan, set(), date(2026, 1, 1))] == ["A1"]
    assert "C1" not in {each.id for each in ready(plan, {"B11"}, date(2026, 5, 31))}
    assert "C1" in {each.id for each in ready(plan, {"B11"}, date(2026, 6, 1))}


def test_every_date_of_the_plan_tells_rule_and_clause() -> None:
    for row in as_json(plan_of())["activities"]:
        assert row["rule"] and row["clause"]
        assert len(row["rule"]) <= 200


@given(
    st.dates(date(2021, 1, 1), date(2039, 12, 31)),
    st.integers(-40, 800),
    st.sets(st.sampled_from(OPTIONS)),
    st.booleans(),
)
def test_any_plan_keeps_its_invariants(go_live: date, days: int, options: set[str], amended: bool) -> None:
    end = go_live + timedelta(days=days)
    facts = PlanFacts(
        {"T": go_live, "K": end}, frozenset(options), frozenset({"backups_six_months"} if amended else set())
    )
    plan = make_plan(BOTH, facts)
    assert make_plan(BOTH, facts).digest == plan.digest
    in_conflict = {name for conflict in plan.conflicts for name in conflict.ids}
    for planned in plan.activities:
        if planned.chosen and planned.earliest and planned.due and planned.id not in in_conflict:
            assert planned.earliest <= planned.due
        if planned.activity.destructive and planned.id != "C7":
            assert planned.earliest is not None and planned.earliest > end


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.sets(st.sampled_from([a.id for a in BOTH[0].activities])))
def test_what_is_ready_has_all_its_preconditions(today: date, completed: set[str]) -> None:
    plan = plan_of()
    for planned in ready(plan, completed, today):
        assert planned.id not in completed
        assert all(name in completed or not plan.activity(name).chosen for name in planned.activity.after)

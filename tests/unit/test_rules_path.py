"""Slack, critical path, what blocks what and who must act, on the standard plan."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from shared.rules.path import paths
from shared.rules.plan import PlanFacts, make_plan
from shared.rules.profiles import load_profiles

PLAN = make_plan(
    load_profiles(("ist-standard", "ski-02-19")), PlanFacts({"T": date(2026, 7, 1), "K": date(2026, 9, 30)})
)
CHOSEN = [each.id for each in PLAN.activities if each.chosen]
ORDERED = frozenset({"A1", "A2", "A3", "A4"})
TODAY = date(2026, 3, 1)


def test_slack_is_what_is_left_until_the_last_day_of_it_or_of_what_follows() -> None:
    found = paths(PLAN, ORDERED, TODAY)
    assert found.slack["B1"] == (date(2026, 4, 1) - TODAY).days
    assert found.slack["B8"] == (date(2026, 5, 1) - TODAY).days
    assert found.slack["C1"] == (date(2026, 6, 30) - date(2026, 6, 1)).days
    assert paths(PLAN, frozenset(), TODAY).slack["A1"] == 31, "what the order precedes is due on 1 April"


def test_slack_is_negative_where_something_is_late_and_none_where_nothing_is_owed() -> None:
    found = paths(PLAN, ORDERED, date(2026, 4, 11))
    assert found.slack["B4"] == -10
    assert found.slack["D8"] is None
    assert found.slack["A1"] is None, "it is done"
    assert found.slack["D3"] is None, "it is not chosen"


def test_the_critical_path_leads_from_what_is_open_to_the_end_through_what_is_tightest() -> None:
    assert paths(PLAN, frozenset(), TODAY).critical == (
        "A1", "A2", "A3", "A4", "B2", "B8", "B11", "C1", "C2", "C3", "D2", "D9",
    )  # fmt: skip
    late = frozenset({*ORDERED, "B1", "B2", "B3", "B4", "B6", "B7", "B8", "B11"})
    assert paths(PLAN, late, date(2026, 4, 11)).critical == ("B5", "B9", "C3", "D2", "D9")


def test_what_waits_for_an_activity_is_blocked_by_it_directly_or_through_others() -> None:
    found = paths(PLAN, ORDERED, TODAY)
    assert found.blocks["B10"] == ("B12", "C3", "C4", "C5", "D2", "D7a", "C6", "D9", "C7")
    assert found.blocks["D8"] == ()
    assert found.blocks["A1"] == ()


def test_who_must_act_next_is_who_holds_up_what_comes_first() -> None:
    assert paths(PLAN, ORDERED, TODAY).actors("C1") == ("customer", "supplier")
    done = frozenset({*ORDERED, *(name for name in CHOSEN if name[0] == "B")})
    assert paths(PLAN, done, TODAY).actors("C4") == ("supplier", "customer")
    assert paths(PLAN, done | {"C1", "C2", "C3"}, TODAY).actors("C4") == ("customer",)
    assert paths(PLAN, done | {"C1", "C2", "C3", "C4"}, TODAY).actors("C4") == ()


@given(st.sets(st.sampled_from(CHOSEN)), st.dates(date(2025, 1, 1), date(2028, 1, 1)))
def test_the_critical_path_is_a_chain_of_open_activities(done: set[str], today: date) -> None:
    found = paths(PLAN, done, today)
    assert not done.intersection(found.critical)
    for before, after in zip(found.critical, found.critical[1:], strict=False):
        assert before in PLAN.activity(after).activity.after
        assert after in found.blocks[before]
    for name in found.critical:
        assert found.slack[name] is not None
    for name in CHOSEN:
        assert bool(found.actors(name)) == (name not in done)

"""The readable difference between two plans."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from contracts import scheduling_plan
from shared.rules.difference import Change, difference
from shared.rules.plan import Plan, PlanFacts, make_plan
from shared.rules.profiles import FOLDER, load_profiles, option_ids, parse_profile

BOTH = load_profiles(("ist-standard", "ski-02-19"))
T, K = date(2026, 7, 1), date(2026, 9, 30)


def plan_of(*options: str, **dates: date) -> Plan:
    return make_plan(BOTH, PlanFacts({"T": T, "K": K} | dates, frozenset(options)))


def lines(before: Plan, after: Plan) -> dict[tuple[str, str], Change]:
    return {(each.id, each.what): each for each in difference(before, after)}


def test_a_moved_agreement_end_moves_what_hangs_on_it_and_says_why_in_both_languages() -> None:
    found = lines(plan_of(), plan_of(K=date(2026, 10, 31)))
    moved = found["D2", "due"]
    assert (moved.before, moved.after) == ("2026-10-15", "2026-11-15")
    assert moved.why_da == "senest K +15d: 15 Dage efter 2026-10-31, dagen ikke medregnet (S2 28.1)"
    assert moved.why_en == "not after K +15d: 15 days after 2026-10-31, not counting it (S2 28.1)"
    assert ("S2-28.1-d", "due") in found
    assert not any(name.startswith(("B", "C")) for name, _ in found)


def test_a_chosen_option_shows_what_it_brings_and_what_it_puts_off() -> None:
    found = lines(plan_of(), plan_of("S2-28.2-retention", "S1-8.3", O=date(2027, 3, 1)))
    assert (found["D3", "chosen"].before, found["D3", "chosen"].after) == ("not_chosen", "chosen")
    assert found["D7a", "due"].after == "2027-03-16"
    assert (found["D6", "due"].before, found["D6", "due"].after) == (None, "2027-03-01")


def test_systems_that_change_their_scope_are_listed() -> None:
    before = make_plan(BOTH, PlanFacts({"T": T, "K": K}, scopes={"D2": ("a",), "D7a": ("b", "c")}))
    after = make_plan(BOTH, PlanFacts({"T": T, "K": K}, scopes={"D2": ("a",), "D7a": ("c",)}))
    (change,) = difference(before, after)
    assert (change.id, change.what, change.before, change.after) == ("D7a", "systems", "b, c", "c")


def test_an_activity_that_a_new_profile_brings_or_drops_is_one_line() -> None:
    text = (FOLDER / "ist-standard.yaml").read_text(encoding="utf-8")
    changed = parse_profile(text.replace("id: B7", "id: B7x").replace("B7]", "B7x]"), "changed.yaml")
    facts = PlanFacts({"T": T, "K": K})
    found = lines(make_plan(BOTH, facts), make_plan([changed, BOTH[1]], facts))
    assert (found["B7", "removed"].before, found["B7", "removed"].after) == ("… 2026-04-01", None)
    assert (found["B7x", "added"].before, found["B7x", "added"].after) == (None, "… 2026-04-01")
    assert len(found) == 2


@given(
    st.tuples(st.dates(date(2024, 1, 1), date(2034, 1, 1)), st.dates(date(2024, 1, 1), date(2034, 1, 1))),
    st.sets(st.sampled_from(sorted(option_ids(BOTH)))),
)
def test_every_line_fits_the_wire_and_the_way_back_names_the_same_items(
    days: tuple[date, date], options: set[str]
) -> None:
    before, after = plan_of(), plan_of(*options, T=days[0], K=days[1])
    there, back = difference(before, after), difference(after, before)
    assert {(each.id, each.what) for each in there} == {(each.id, each.what) for each in back}
    for each in there:
        body = {name: getattr(each, name) for name in Change.__slots__}
        assert scheduling_plan.Change().validate(body) == {}
    assert difference(after, after) == difference(after, plan_of(*options, T=days[0], K=days[1])) == ()

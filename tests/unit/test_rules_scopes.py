"""Scopes: every system in exactly one deletion, what options cover, and what is refused of it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Rejected
from shared.rules.plan import PlanFacts
from shared.rules.profiles import load_profiles, option_ids
from shared.rules.scopes import check_covers, conditions_of, covered, route

BOTH = load_profiles(("ist-standard", "ski-02-19"))
SYSTEMS = {"pladsanvisning": "2", "tabulex": "2", "morgenvagt": "1", "sagsindeks": "index"}
LOOK_UP, STORAGE = "S1-8.3", "S2-28.2-retention"
BY_ID = {option.id: option for profile in BOTH for option in profile.options}


def test_without_options_each_system_goes_in_the_deletion_of_its_number() -> None:
    assert route(BOTH, SYSTEMS, (), {}) == {
        "C7": ("sagsindeks",), "D2": ("morgenvagt",), "D3b": (), "D7a": ("pladsanvisning", "tabulex"),
    }  # fmt: skip


def test_t2_what_the_look_up_access_leaves_out_is_deleted_apart() -> None:
    scopes = route(BOTH, SYSTEMS, {LOOK_UP}, {LOOK_UP: ("tabulex",)})
    assert (scopes["D3b"], scopes["D7a"], scopes["D2"]) == (("pladsanvisning",), ("tabulex",), ("morgenvagt",))


def test_an_option_without_a_list_covers_all_that_it_can_and_no_more() -> None:
    assert covered(BY_ID[LOOK_UP], SYSTEMS, {}) == ("pladsanvisning", "tabulex")
    assert covered(BY_ID[STORAGE], SYSTEMS, {}) == ("morgenvagt", "pladsanvisning", "tabulex")
    assert covered(BY_ID["S1-8.2"], SYSTEMS, {}) == ()


REFUSED: dict[str, tuple[set[str], dict[str, tuple[str, ...]], str]] = {
    "an option not chosen": (set(), {LOOK_UP: ("tabulex",)}, "COVER_NOT_CHOSEN"),
    "a system that is not there": ({LOOK_UP, STORAGE}, {LOOK_UP: ("booking",)}, "COVER_UNKNOWN"),
    "a deletion it cannot put off": ({LOOK_UP, STORAGE}, {LOOK_UP: ("morgenvagt",)}, "COVER_NOT_SUSPENDED"),
    "the case index": ({STORAGE}, {STORAGE: ("sagsindeks",)}, "COVER_NOT_SUSPENDED"),
    "look-up without storage": ({LOOK_UP}, {}, "OPTION_NEEDS"),
    "storage of other systems": (
        {LOOK_UP, STORAGE}, {LOOK_UP: ("tabulex",), STORAGE: ("pladsanvisning",)}, "OPTION_NEEDS",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_covers_that_cannot_be_kept_are_refused_in_both_languages(case: str) -> None:
    options, covers, code = REFUSED[case]
    with pytest.raises(Rejected) as refused:
        check_covers(BOTH, SYSTEMS, options, covers)
    assert (refused.value.code, refused.value.field) == (code, "covers")
    assert refused.value.da and refused.value.remedy


@pytest.mark.parametrize("option", ["S1-8.3", "S1-8.4", "S1-8.5"])
def test_t2_storage_of_the_same_systems_or_an_amendment_makes_a_service_after_the_end_possible(option: str) -> None:
    check_covers(BOTH, SYSTEMS, {option, STORAGE}, {option: ("tabulex",), STORAGE: ("tabulex",)})
    check_covers(BOTH, SYSTEMS, {option}, {}, {"services_after_end"})
    check_covers(load_profiles(("ist-standard",)), SYSTEMS, {option}, {})
    with pytest.raises(Rejected) as refused:
        check_covers(BOTH, SYSTEMS, {option}, {}, {"backups_six_months"})
    assert "S2 28.2" in refused.value.message


def test_whole_holds_only_where_nothing_that_could_be_covered_is_left() -> None:
    def holds(systems: tuple[str, ...] | None) -> bool:
        covers = {STORAGE: systems} if systems else {}
        scopes = route(BOTH, SYSTEMS, {STORAGE}, covers)
        facts = PlanFacts({}, frozenset({STORAGE}), covers, scopes=scopes)
        return f"whole:{STORAGE}" in conditions_of(BOTH, facts)

    assert holds(None)
    assert holds(("morgenvagt", "pladsanvisning", "tabulex"))
    assert not holds(("pladsanvisning", "tabulex"))


@given(
    st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.sampled_from(["1", "2", "index"])),
    st.sets(st.sampled_from(sorted(option_ids(BOTH)))),
    st.data(),
)
def test_every_system_is_in_exactly_one_scope(systems: dict[str, str], options: set[str], data: st.DataObject) -> None:
    names = st.lists(st.sampled_from(sorted(systems) or ["none"]), unique=True)
    covers = {option: data.draw(names) for option in sorted(options)}
    scopes = route(BOTH, systems, options, covers)
    assert Counter(system for each in scopes.values() for system in each) == Counter(systems.keys())
    assert set(scopes["C7"]) == {system for system, number in systems.items() if number == "index"}

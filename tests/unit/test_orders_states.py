"""The table of states: every state with every command, and what any sequence of commands keeps true."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.catalogue import COMMANDS
from contracts.errors import Rejected
from contracts.registry import primitives
from services.orders import domain
from services.orders.domain import LIVE, TRANSITIONS, Case
from tests.unit.orders_parts import BOTH, DIGEST, OTHER, PAIRS, STANDARD, VALID, do, in_state, ordered, registered

STATES = (*LIVE, "cancelled")
LATE = {"record_billing_run": date(2026, 6, 2)}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", VALID)
def test_every_command_in_every_state_goes_where_the_table_says_or_is_refused(state: str, command: str) -> None:
    case = in_state(state)
    if (state, command) in TRANSITIONS:
        assert do(case, command, day=LATE.get(command)).exit.state == TRANSITIONS[state, command]
        return
    with pytest.raises(Rejected) as refused:
        do(case, command)
    incomplete = command == "place_final_order" and state in ("ordered", "countered")
    assert refused.value.code == ("ORDER_INCOMPLETE" if incomplete else "STATE_FORBIDS")
    assert refused.value.field and refused.value.remedy and refused.value.da


def test_the_table_names_only_states_and_commands_that_there_are() -> None:
    assert {state for state, _ in TRANSITIONS} | set(TRANSITIONS.values()) == set(STATES)
    assert {command for _, command in TRANSITIONS} == set(VALID)


WISHED = st.dates(date(2026, 1, 1), date(2027, 3, 1)).map(date.isoformat)
CHANGES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "confirm_window(countered)": st.fixed_dictionaries({"go_live": WISHED}),
    "confirm_dates": st.fixed_dictionaries({"go_live": WISHED}, optional={"operations_end": WISHED}),
    "choose_options": st.fixed_dictionaries({"options": st.lists(
        st.sampled_from(["S1-8.2", "S1-8.3", "S2-28.2-retention", "S2-28.2-exit-process", "8.1"]), max_size=3,
    )}),
    "decide_pairs": st.fixed_dictionaries({"pairs": st.sampled_from([PAIRS, PAIRS[:3], [*PAIRS, PAIRS[0]]])}),
    "give_notice": st.fixed_dictionaries(
        {"kind": st.sampled_from([
            "termination", "extension", "emergency_extension", "postponement", "retention", "retention_end",
        ])},
        optional={"effect_on": WISHED},
    ),
    "propose_accord": st.one_of(
        st.fixed_dictionaries({
            "kind": st.just("milestone"), "subject": st.sampled_from(["T", "C6"]), "on": WISHED,
            "reason": st.just("technical"),
        }),
        st.fixed_dictionaries({"kind": st.just("option_end"), "options": st.just(["S1-8.3"]), "until": WISHED}),
    ),
    "sign_accord": st.fixed_dictionaries({"digest": st.sampled_from([DIGEST, OTHER])}),
}  # fmt: skip
STEPS = st.sampled_from(sorted(VALID)).flatmap(
    lambda command: st.tuples(
        st.just(command), CHANGES.get(command, st.just({})), st.sampled_from(["", "customer", "supplier"]),
        st.integers(0, 40),
    )
)  # fmt: skip


def holds(case: Case) -> None:
    """Check what every exit keeps, whatever was asked of it."""
    exit_, agreement = case.exit, case.agreement
    assert exit_.state in STATES
    assert agreement.takeover_day and agreement.takeover_day <= exit_.operations_end < exit_.go_live
    assert exit_.operations_end <= case.end
    reserved = {each.exit_id: (each.first, each.last) for each in case.capacity.reserved}
    window = (exit_.go_live - timedelta(days=30), exit_.go_live - timedelta(days=1))
    assert reserved == ({exit_.exit_id: window} if exit_.state == "placed" else {})
    assert [each.exit_id for each in agreement.placed] == ([exit_.exit_id] if exit_.state == "placed" else [])
    if exit_.state == "placed":
        assert exit_.meeting and exit_.equipment is not None and exit_.sub_suppliers is not None
        assert [pin.name for pin in exit_.pinned] == [profile.name for profile in case.profiles]
    if "S1-8.3" in exit_.options and "ski-02-19" in agreement.profiles:
        assert "S2-28.2-retention" in exit_.options or "services_after_end" in agreement.amended
    assert all(each.proposed_by in ("customer", "supplier") for each in exit_.accords.values())
    row = primitives(COMMANDS["orders.read_exit"].answer, domain.exit_row(case), "orders.read_exit")
    assert row["state"] == exit_.state


@settings(max_examples=150, deadline=None)
@given(profiles=st.sampled_from([BOTH, STANDARD]), steps=st.lists(STEPS, max_size=14), head=st.integers(0, 2))
def test_no_sequence_of_commands_breaks_what_an_exit_keeps(profiles: Any, steps: Any, head: int) -> None:
    case = ordered(registered(profiles=list(profiles), agreement_end="2026-09-30"))
    for command in ("confirm_window", "place_final_order")[:head]:
        case = do(case, command)
    for command, changes, party, days in steps:
        today = case.today + timedelta(days=days)
        if command == "sign_accord" and case.exit.accords:
            changes = {**changes, "accord_id": sorted(case.exit.accords)[-1]}
        before = case
        try:
            case = do(case, command, by=party, day=today, **changes)
        except Rejected as refused:
            assert refused.code and refused.message and refused.da and refused.field
            assert case is before
        holds(case)

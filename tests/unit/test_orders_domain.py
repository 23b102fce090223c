"""Agreements and exits: what is accepted, and that each wrong thing is refused by code and field."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.catalogue import COMMANDS, EVENTS
from contracts.errors import Rejected
from contracts.registry import check, primitives
from services.orders import domain
from shared.rules.profiles import load_profiles, required_lines

TODAY = date(2026, 1, 15)
PROFILES = load_profiles(("ist-standard", "ski-02-19"))
DIGEST = "a" * 64


def agreement_body(**changes: Any) -> dict[str, Any]:
    body = {
        "reference": "aftale-1", "dpa_reference": "dba-1", "customer_type": "municipality",
        "customer": {"cvr": "11111111", "name": "Korsbæk Kommune"},
        "supplier": {"cvr": "99999999", "name": "Demoleverandøren A/S"},
        "profiles": ["ist-standard", "ski-02-19"],
        "in_force_on": "2020-09-01", "takeover_day": "2020-09-30", "agreement_end": "2026-09-30",
        "amendments": [{
            "kind": "backups_six_months", "digest": DIGEST, "signed_on": "2025-12-01",
            "signed_by": ["customer", "supplier"],
        }],
    }  # fmt: skip
    return check(COMMANDS["orders.register_agreement"].request, body | changes, "orders.register_agreement")


def window_body(agreement: domain.Agreement, **changes: Any) -> dict[str, Any]:
    body = {
        "agreement_id": agreement.agreement_id, "go_live": "2026-07-01", "tenant": "korsbaek", "map_digest": DIGEST,
        "systems": [
            {"system": "pladsanvisning", "title": "IST Pladsanvisning", "kind": "postgresql", "deletion": "2"},
            {"system": "booking", "title": "Booking", "kind": "files", "deletion": "1"},
        ],
        "places": [{"line": line.line, "answer": "not_used"} for line in required_lines(PROFILES)],
    }  # fmt: skip
    return check(COMMANDS["orders.order_window"].request, body | changes, "orders.order_window")


def registered(**changes: Any) -> domain.Agreement:
    return domain.register(agreement_body(**changes), PROFILES, TODAY, allow_test=True)


def ordered(**changes: Any) -> domain.Exit:
    agreement = registered()
    return domain.order_window(agreement, window_body(agreement, **changes), "command-1", PROFILES, TODAY)


def placed() -> domain.Exit:
    return domain.place_final_order(domain.confirm(ordered()), PROFILES)


def refusal(call: Any) -> tuple[str, str]:
    with pytest.raises(Rejected) as refused:
        call()
    assert refused.value.remedy
    return refused.value.code, refused.value.field


@pytest.mark.parametrize("cvr", ["13748136", "35434399", "86631628", "19435075"])
def test_a_cvr_with_the_right_check_digit_is_accepted_in_every_mode(cvr: str) -> None:
    parties = {"customer": {"cvr": cvr, "name": "A"}, "supplier": {"cvr": "19435075", "name": "B"}}
    assert domain.register(agreement_body(**parties), PROFILES, TODAY, allow_test=False).customer_cvr == cvr


@pytest.mark.parametrize("cvr", ["12345678", "00000000", "35434390"])
def test_a_wrong_cvr_is_refused_naming_the_party(cvr: str) -> None:
    assert refusal(lambda: registered(supplier={"cvr": cvr, "name": "B"})) == ("CVR_INVALID", "supplier.cvr")


@pytest.mark.parametrize("cvr", ["11111111", "99999999"])
def test_the_test_authorities_are_refused_in_production(cvr: str) -> None:
    body = agreement_body(customer={"cvr": cvr, "name": "A"})
    assert refusal(lambda: domain.register(body, PROFILES, TODAY, allow_test=False)) == ("CVR_INVALID", "customer.cvr")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"in_force_on": "2020-10-01"}, "takeover_day"),
        ({"takeover_day": "2026-09-30"}, "agreement_end"),
        ({"agreement_end": "2020-09-01"}, "agreement_end"),
    ],
)
def test_an_agreements_dates_in_the_wrong_order_are_refused_naming_the_field(changes: Any, field: str) -> None:
    assert refusal(lambda: registered(**changes)) == ("DATES_OUT_OF_ORDER", field)


@pytest.mark.parametrize("signers", [["customer"], ["supplier"], []])
def test_an_amendment_that_only_one_party_signed_is_refused(signers: list[str]) -> None:
    amendment = {"kind": "backups_six_months", "digest": DIGEST, "signed_on": "2025-12-01", "signed_by": signers}
    assert refusal(lambda: registered(amendments=[amendment])) == ("AMENDMENT_NOT_SIGNED", "amendments.0.signed_by")


def test_an_amendment_signed_in_the_future_is_refused() -> None:
    amendment = {
        "kind": "backups_six_months", "digest": DIGEST, "signed_on": "2026-12-01",
        "signed_by": ["customer", "supplier"],
    }  # fmt: skip
    assert refusal(lambda: registered(amendments=[amendment])) == ("DATES_OUT_OF_ORDER", "amendments.0.signed_on")


def test_an_agreement_without_any_activity_is_refused() -> None:
    overlay = load_profiles(("ski-02-19",))
    found = refusal(lambda: domain.register(agreement_body(), overlay, TODAY, allow_test=True))
    assert found == ("PROFILE_WITHOUT_ACTIVITIES", "profiles")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"operations_end": "2026-07-01"}, "go_live"),
        ({"operations_end": "2020-09-01"}, "operations_end"),
        ({"go_live": "2026-01-15"}, "go_live"),
        ({"go_live": "2027-01-01"}, "agreement_end"),
    ],
)
def test_an_orders_dates_in_the_wrong_order_are_refused_naming_the_field(changes: Any, field: str) -> None:
    assert refusal(lambda: ordered(**changes)) == ("DATES_OUT_OF_ORDER", field)


def test_operations_end_the_day_before_go_live_unless_told_otherwise() -> None:
    assert ordered().operations_end == date(2026, 6, 30)
    assert ordered(operations_end="2026-06-20").operations_end == date(2026, 6, 20)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"systems": []}, ("SYSTEMS_MISSING", "systems")),
        ({"systems": [{"system": "a", "title": "A", "kind": "files", "deletion": "1"}] * 2},
         ("SYSTEM_TWICE", "systems.1.system")),
        ({"places": [{"line": "ATTIC", "answer": "not_used"}]}, ("PLACE_UNKNOWN", "places.0.line")),
        ({"places": [{"line": "CACHES", "answer": "not_used"}] * 2}, ("PLACE_TWICE", "places.1.line")),
    ],
)  # fmt: skip
def test_systems_and_places_are_checked_when_the_window_is_ordered(changes: Any, found: tuple[str, str]) -> None:
    assert refusal(lambda: ordered(**changes)) == found


def test_not_in_rehearsal_is_an_answer_for_rehearsals_only() -> None:
    answers = {"CACHES": "NOT_IN_REHEARSAL"}
    domain.check_answers(answers, rehearsal=True)
    assert refusal(lambda: domain.check_answers(answers, rehearsal=False)) == ("PLACE_ANSWER_NOT_ALLOWED", "places")


def test_an_unanswered_line_blocks_the_final_order_and_is_named() -> None:
    lines = [{"line": line.line, "answer": "not_used"} for line in required_lines(PROFILES) if line.line != "CACHES"]
    exit_ = domain.confirm(ordered(places=lines))
    with pytest.raises(Rejected) as refused:
        domain.place_final_order(exit_, PROFILES)
    assert (refused.value.code, refused.value.field) == ("PLACES_UNANSWERED", "places")
    assert "CACHES" in refused.value.message


def test_the_final_order_pins_version_and_digest_of_every_profile() -> None:
    pinned = placed().pinned
    assert [pin["name"] for pin in pinned] == ["ist-standard", "ski-02-19"]
    assert [pin["digest"] for pin in pinned] == [profile.digest for profile in PROFILES]


def test_the_order_goes_on_the_wire_as_its_contract_says() -> None:
    agreement, exit_ = registered(), placed()
    body = primitives(EVENTS["orders.order_placed"].schema, domain.order_fact(agreement, exit_), "orders.order_placed")
    assert body["go_live"] == "2026-07-01"
    row = domain.exit_row(agreement, exit_)
    assert primitives(COMMANDS["orders.read_exit"].answer, row, "orders.read_exit")["state"] == "placed"


COMMANDS_OF_STATE = ["confirm_window", "place_final_order", "choose_options", "instruct", "decide_archive"]


@pytest.mark.parametrize("state", ["ordered", "confirmed", "placed"])
@pytest.mark.parametrize("command", COMMANDS_OF_STATE)
def test_what_the_table_does_not_list_is_refused(state: str, command: str) -> None:
    if (state, command) in domain.TRANSITIONS:
        assert domain.step(state, command)
    else:
        assert refusal(lambda: domain.step(state, command)) == ("STATE_FORBIDS", "exit_id")


def test_a_service_after_the_end_needs_the_storage_option_and_names_the_clause() -> None:
    body = {"options": ["S1-8.3"], "silence": "delete_at_k15"}
    with pytest.raises(Rejected) as refused:
        domain.choose_options(placed(), body, PROFILES)
    assert (refused.value.code, refused.value.field) == ("OPTION_NEEDS", "options")
    assert "S2 28.2" in refused.value.message
    both = body | {"options": ["S1-8.3", "S2-28.2-retention"]}
    assert domain.choose_options(placed(), both, PROFILES).options == ("S1-8.3", "S2-28.2-retention")


def test_an_unknown_option_is_refused_by_its_place() -> None:
    body = {"options": ["S1-8.2", "8.1"], "silence": "delete_at_k15"}
    assert refusal(lambda: domain.choose_options(placed(), body, PROFILES)) == ("OPTION_UNKNOWN", "options.1")


def test_an_archive_decision_is_for_a_system_of_the_order_and_not_in_the_future() -> None:
    body = {"system": "booking", "decision": "not_worth_keeping", "digest": DIGEST, "decided_on": TODAY}
    assert domain.decide_archive(placed(), body, TODAY).archive["booking"]["decision"] == "not_worth_keeping"
    other = body | {"system": "mail"}
    assert refusal(lambda: domain.decide_archive(placed(), other, TODAY)) == ("SYSTEM_UNKNOWN", "system")
    late = body | {"decided_on": date(2026, 1, 16)}
    assert refusal(lambda: domain.decide_archive(placed(), late, TODAY)) == ("DATES_OUT_OF_ORDER", "decided_on")


def test_an_instruction_given_in_the_future_is_refused() -> None:
    body = {"kind": "delete", "basis": "INSTRUCTION", "digest": DIGEST, "given_on": date(2026, 1, 16)}
    assert refusal(lambda: domain.instruct(placed(), body, TODAY)) == ("DATES_OUT_OF_ORDER", "given_on")


@given(st.lists(st.sampled_from(COMMANDS_OF_STATE), max_size=12))
def test_no_sequence_of_commands_reaches_the_final_order_without_a_confirmation(commands: list[str]) -> None:
    state, confirmed = "ordered", False
    for command in commands:
        try:
            state = domain.step(state, command)
        except Rejected:
            continue
        confirmed = confirmed or command == "confirm_window"
        assert state != "placed" or confirmed

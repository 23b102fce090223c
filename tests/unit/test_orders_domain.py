"""Agreements and ordering: what is accepted, and that each wrong thing is refused by code and field."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.errors import Rejected
from services.orders import domain
from services.orders.domain import Capacity, Case
from shared.rules.profiles import load_profiles
from tests.unit.orders_parts import (
    AMENDMENT,
    BOTH,
    DIGEST,
    STANDARD,
    SUPPLIER,
    TODAY,
    confirmed,
    do,
    loaded,
    ordered,
    placed,
    registered,
    told,
)


def refusal(call: Any) -> tuple[str, str]:
    with pytest.raises(Rejected) as refused:
        call()
    assert refused.value.remedy and refused.value.da
    return refused.value.code, refused.value.field


# ---- agreements


@pytest.mark.parametrize("cvr", ["13748136", "35434399", "86631628"])
def test_a_cvr_with_the_right_check_digit_is_accepted_in_every_mode(cvr: str) -> None:
    body = {"customer": {"cvr": cvr, "name": "A"}, "supplier": {"cvr": "19435075", "name": "B"}}
    assert registered(**body).customer_cvr == cvr


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"supplier": {"cvr": "12345678", "name": "B"}}, ("CVR_INVALID", "supplier.cvr")),
        ({"supplier": {"cvr": "11111111", "name": "B"}}, ("PARTY_TWICE", "supplier.cvr")),
        ({"in_force_on": "2020-10-01"}, ("DATES_OUT_OF_ORDER", "takeover_day")),
        ({"takeover_day": "2026-01-16"}, ("DATES_OUT_OF_ORDER", "takeover_day")),
        ({"agreement_end": "2020-09-30"}, ("DATES_OUT_OF_ORDER", "agreement_end")),
        ({"profiles": ["ist-standard"], "agreement_end": None}, ("AGREEMENT_END_MISSING", "agreement_end")),
        ({"profiles": ["ski-02-19"]}, ("PROFILE_WITHOUT_ACTIVITIES", "profiles")),
        ({"profiles": ["ist-standard", "ski-99"]}, ("PROFILE_UNKNOWN", "profiles")),
        ({"numbers": {"moon_days": 3}}, ("NUMBER_UNKNOWN", "numbers.moon_days")),
        ({"lawyer_confirmed": ["ski-02-19"]}, ("OVERLAY_UNKNOWN", "lawyer_confirmed.0")),
        ({"amendments": [AMENDMENT | {"signed_by": ["customer"]}]}, ("AMENDMENT_NOT_SIGNED", "amendments.0.signed_by")),
        ({"amendments": [AMENDMENT | {"signed_on": "2026-12-01"}]}, ("DATES_OUT_OF_ORDER", "amendments.0.signed_on")),
        ({"services": [{"service": "a", "kind": "core", "systems": []}]}, ("SYSTEMS_MISSING", "services.0.systems")),
        ({"services": [{"service": "a", "kind": "core", "systems": ["x"]}] * 2},
         ("SERVICE_TWICE", "services.1.service")),
    ],
)  # fmt: skip
def test_an_agreement_that_cannot_be_is_refused_naming_the_field(changes: Any, found: tuple[str, str]) -> None:
    assert refusal(lambda: registered(**changes)) == found


def test_the_test_authorities_are_refused_in_production() -> None:
    body = {
        "reference": "a", "dpa_reference": "d", "customer_type": "municipality", "profiles": list(BOTH),
        "customer": {"cvr": "11111111", "name": "A"}, "supplier": {"cvr": "19435075", "name": "B"},
        "in_force_on": "2020-09-01", "takeover_day": "2020-09-30",
    }  # fmt: skip
    data = loaded("register_agreement", body)
    refused = refusal(lambda: domain.register(data, load_profiles(BOTH), TODAY, allow_test=False))
    assert refused == ("CVR_INVALID", "customer.cvr")


@pytest.mark.parametrize(
    ("takeover", "end"), [("2021-08-31", date(2027, 8, 31)), ("2020-11-05", date(2026, 11, 5))]
)  # fmt: skip
def test_the_agreement_ends_72_months_after_the_takeover_where_no_end_is_given(takeover: str, end: date) -> None:
    assert registered(in_force_on="2020-10-01", takeover_day=takeover).agreement_end == end


def test_an_end_that_is_given_stands() -> None:
    assert registered(agreement_end="2025-03-31").agreement_end == date(2025, 3, 31)


def test_before_the_takeover_is_approved_no_end_is_known_and_no_exit_can_be_ordered() -> None:
    agreement = registered(takeover_day=None)
    assert agreement.agreement_end is None
    assert refusal(lambda: ordered(agreement)) == ("TAKEOVER_UNKNOWN", "agreement_id")
    body = {"agreement_id": agreement.agreement_id, "takeover_day": "2021-08-31", "digest": DIGEST}
    approval = loaded("approve_takeover", body)
    approved = domain.approve_takeover(agreement, approval, load_profiles(BOTH), TODAY)
    assert approved.agreement_end == date(2027, 8, 31)
    assert ordered(approved).end == date(2027, 8, 31)
    again = refusal(lambda: domain.approve_takeover(approved, approval, load_profiles(BOTH), TODAY))
    assert again == ("TAKEOVER_KNOWN", "takeover_day")


# ---- the order


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"operations_end": "2026-07-01"}, ("DATES_OUT_OF_ORDER", "go_live")),
        ({"operations_end": "2020-09-01"}, ("DATES_OUT_OF_ORDER", "operations_end")),
        ({"go_live": "2026-01-15"}, ("DATES_OUT_OF_ORDER", "go_live")),
        ({"go_live": "2027-01-01", "operations_end": "2026-12-31"}, ("DATES_OUT_OF_ORDER", "agreement_end")),
        ({"fixed_dates": [{"line": "skolestart", "on": "2026-01-01"}]}, ("DATES_OUT_OF_ORDER", "fixed_dates.0.on")),
        ({"fixed_dates": [{"line": "a", "on": "2026-08-10"}] * 2}, ("FIXED_DATE_TWICE", "fixed_dates.1.line")),
        ({"systems": []}, ("SYSTEMS_MISSING", "systems")),
        ({"systems": [{"system": "a", "title": "A", "kind": "files", "deletion": "1"}] * 2},
         ("SYSTEM_TWICE", "systems.1.system")),
        ({"places": [{"line": "ATTIC", "answer": "not_used"}]}, ("PLACE_UNKNOWN", "places.0.line")),
        ({"places": [{"line": "CACHES", "answer": "not_used"}] * 2}, ("PLACE_TWICE", "places.1.line")),
        ({"services": ["pladser"]}, ("SCOPE_WHOLE", "services")),
        ({"ends_on": "2026-07-31"}, ("SCOPE_WHOLE", "ends_on")),
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_is_refused_naming_the_field(changes: Any, found: tuple[str, str]) -> None:
    assert refusal(lambda: ordered(**changes)) == found


def test_t5_production_ends_the_day_before_the_switch_and_never_after_the_agreement() -> None:
    assert ordered().exit.operations_end == date(2026, 6, 30)
    assert ordered(operations_end="2026-06-20").exit.operations_end == date(2026, 6, 20)
    late = ordered(go_live="2026-12-01")
    assert late.exit.operations_end == date(2026, 9, 30)
    assert [each["code"] for each in domain.cautions(late)] == ["GO_LIVE_AFTER_END"]
    assert domain.cautions(ordered(go_live="2026-10-01")) == []


def test_an_answer_for_rehearsals_is_refused_elsewhere() -> None:
    data = loaded("answer_places", {"exit_id": "x", "places": [{"line": "CACHES", "answer": "NOT_IN_REHEARSAL"}]})
    refused = refusal(lambda: domain.answer_places(ordered(), data, rehearsal=False))
    assert refused == ("PLACE_ANSWER_NOT_ALLOWED", "places.0.answer")


def test_t1_the_backups_own_limit_is_named_with_the_confirmation_unless_an_amendment_gives_six_months() -> None:
    assert domain.cautions(confirmed()) == []
    (caution,) = domain.cautions(confirmed(agreement=registered(amendments=[])))
    assert (caution["code"], caution["clause"]) == ("BACKUPS_FIFTEEN_DAYS", "S2 28.1, 15.1")
    assert "2026-10-15" in caution["message_da"] and "2026-10-15" in caution["message_en"]
    standard = registered(amendments=[], profiles=list(STANDARD), agreement_end="2026-09-30")
    assert domain.cautions(confirmed(agreement=standard)) == []


def test_t3_archiving_that_the_meeting_did_not_raise_is_named_until_every_system_has_its_decision() -> None:
    case = do(ordered(), "hold_meeting", archive_asked=False)
    assert [each["code"] for each in domain.cautions(case)] == ["ARCHIVE_NOT_RAISED"]
    for system in ("booking", "pladsanvisning"):
        case = do(case, "decide_archive", system=system)
    assert domain.cautions(case) == []


def test_t19_other_customers_than_municipalities_have_neither_index_nor_day_care_register() -> None:
    others = registered(customer_type="other")
    lines = set(placed(agreement=others).exit.places)
    assert set(placed().exit.places) - lines == {"DAGTILBUDSREGISTRET", "SAGSINDEKSET"}
    index = [{"system": "indeks", "title": "Sagsindekset", "kind": "case_index", "deletion": "index"}]
    assert refusal(lambda: ordered(others, systems=index)) == ("SYSTEM_NOT_APPLICABLE", "systems.0.system")


# ---- counter-proposal


def test_a_counter_proposal_takes_effect_when_the_customer_accepts_it() -> None:
    countered = do(ordered(), "confirm_window(countered)")
    assert told(countered, "window_countered")["go_live"] == date(2026, 8, 1)
    assert countered.exit.go_live == date(2026, 7, 1)
    accepted = do(countered, "answer_counter(accepted)")
    assert (accepted.exit.go_live, accepted.exit.operations_end) == (date(2026, 8, 1), date(2026, 7, 31))
    assert told(accepted, "window_ordered")["go_live"] == date(2026, 8, 1)
    assert told(accepted, "window_confirmed") == {"exit_id": accepted.exit.exit_id}
    declined = do(countered, "answer_counter(declined)")
    assert (declined.exit.state, declined.exit.go_live) == ("ordered", date(2026, 7, 1))
    assert told(declined, "window_ordered")["go_live"] == date(2026, 7, 1)


@pytest.mark.parametrize(
    ("command", "changes", "found"),
    [
        ("confirm_window(countered)", {"go_live": None}, ("DATE_MISSING", "go_live")),
        ("confirm_window(countered)", {"go_live": "2026-07-01"}, ("DATES_SAME", "go_live")),
        ("confirm_window(countered)", {"go_live": "2026-01-01"}, ("DATES_OUT_OF_ORDER", "go_live")),
        ("confirm_window", {"go_live": "2026-08-01"}, ("DATES_DIFFER", "go_live")),
    ],
)
def test_an_answer_to_the_order_that_does_not_fit_is_refused(command: str, changes: Any, found: Any) -> None:
    assert refusal(lambda: do(ordered(), command, **changes)) == found


# ---- the final order


def test_the_final_order_names_all_that_is_missing_in_one_error() -> None:
    with pytest.raises(Rejected) as refused:
        do(ordered(bare=True, places=[{"line": "BOOKING", "answer": "mapped"}]), "place_final_order")
    error = refused.value
    assert (error.code, error.field) == ("ORDER_INCOMPLETE", "places")
    for name in ("CACHES", "DATA-LOADED", "equipment register", "sub-suppliers", "meeting (A2)", "confirmation (A3)"):
        assert name in error.message
    assert "BOOKING" not in error.message
    for name in ("udstyrsregisteret", "underleverandørerne", "afklaringsmødet (A2)", "bekræftelsen (A3)"):
        assert name in error.da


@pytest.mark.parametrize("field", ["equipment", "sub_suppliers", "meeting"])
def test_each_missing_thing_alone_blocks_the_final_order(field: str) -> None:
    case = confirmed().put(**{field: None})
    assert refusal(lambda: do(case, "place_final_order")) == ("ORDER_INCOMPLETE", field)


def test_the_final_order_pins_version_and_digests_of_every_profile() -> None:
    case = placed()
    pins = told(case, "order_placed")["pinned"]
    profiles = load_profiles(BOTH)
    assert [pin["name"] for pin in pins] == list(BOTH)
    assert [pin["digest"] for pin in pins] == [profile.digest for profile in profiles]
    assert [pin["source_digest"] for pin in pins] == [profile.source_digest for profile in profiles]


def full(case: Case) -> Case:
    """Give a case whose supplier takes one window, which another exit has."""
    body = {"supplier_cvr": case.agreement.supplier_cvr, "starts_on": "2026-01-15", "windows": 1}
    capacity = domain.set_capacity(case.capacity, loaded("set_capacity", body), TODAY, allow_test=True)
    others = tuple(replace(each, exit_id="exit-other") for each in placed().capacity.reserved)
    return replace(case, capacity=replace(capacity, reserved=others))


def test_t8_a_full_capacity_refuses_the_window_under_the_standard_model_alone() -> None:
    standard = registered(profiles=list(STANDARD), agreement_end="2026-09-30")
    case = full(confirmed(agreement=standard))
    with pytest.raises(Rejected) as refused:
        do(case, "place_final_order")
    assert (refused.value.code, refused.value.field) == ("CAPACITY_FULL", "go_live")
    assert "2026-06-01" in refused.value.message
    missing = case.put(meeting=None)
    with pytest.raises(Rejected, match="a free window on 2026-06-01") as refused:
        do(missing, "place_final_order")
    assert refused.value.code == "ORDER_INCOMPLETE"


def test_t8_a_full_capacity_never_refuses_what_s2_owes_and_shows_it() -> None:
    case = do(full(confirmed()), "place_final_order")
    assert case.exit.state == "placed"
    assert [each["code"] for each in domain.exit_row(case)["warnings"]] == ["OVER_CAPACITY"]
    assert len(case.capacity.reserved) == 2


@pytest.mark.parametrize(
    ("starts_on", "cvr", "found"),
    [
        ("2026-01-14", "99999999", ("DATES_OUT_OF_ORDER", "starts_on")),
        ("2026-01-15", "12345678", ("CVR_INVALID", "supplier_cvr")),
    ],
)
def test_a_capacity_is_a_suppliers_and_from_today_on(starts_on: str, cvr: str, found: Any) -> None:
    data = loaded("set_capacity", {"supplier_cvr": cvr, "starts_on": starts_on, "windows": 1})
    assert refusal(lambda: domain.set_capacity(Capacity(cvr), data, TODAY, allow_test=True)) == found


def test_windows_that_share_no_day_do_not_compete_and_a_cancelled_one_is_free_again() -> None:
    standard = registered(profiles=list(STANDARD), agreement_end="2026-12-31")
    later = full(confirmed(agreement=standard, go_live="2026-07-31"))
    assert do(later, "place_final_order").exit.state == "placed"
    assert refusal(lambda: do(full(confirmed(agreement=standard, go_live="2026-07-30")), "place_final_order"))[0] == (
        "CAPACITY_FULL"
    )
    assert do(placed(), "cancel_exit").capacity.reserved == ()


# ---- partial exits (S2 15.6.1, 27.2)

PARTLY = {
    "scope": "partial", "services": ["lokaler"], "ends_on": "2026-07-31",
    "systems": [{"system": "booking", "title": "Booking", "kind": "files", "deletion": "1"}],
}  # fmt: skip


def test_a_partial_exit_has_the_systems_of_its_services_alone_and_an_end_of_its_own() -> None:
    case = do(confirmed(**PARTLY), "place_final_order")
    fact = told(case, "order_placed")
    assert (fact["scope"], fact["agreement_end"]) == ("partial", date(2026, 7, 31))
    assert [system["system"] for system in fact["systems"]] == ["booking"]
    assert case.agreement.agreement_end == date(2026, 9, 30)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"services": []}, ("PARTIAL_INCOMPLETE", "services")),
        ({"ends_on": None}, ("PARTIAL_INCOMPLETE", "ends_on")),
        ({"services": ["kantine"]}, ("SERVICE_UNKNOWN", "services.0")),
        ({"services": ["lokaler", "lokaler"]}, ("SERVICE_TWICE", "services.1")),
        ({"services": ["pladser", "foresatte"]}, ("LAST_CORE_SERVICE", "services")),
        ({"ends_on": "2026-10-01"}, ("DATES_OUT_OF_ORDER", "ends_on")),
        ({"ends_on": "2020-09-30"}, ("DATES_OUT_OF_ORDER", "ends_on")),
        ({"systems": [{"system": "pladsanvisning", "title": "P", "kind": "files", "deletion": "2"}]},
         ("SYSTEM_UNKNOWN", "systems.0")),
        ({"systems": [*PARTLY["systems"], {"system": "faelles", "title": "F", "kind": "files", "deletion": "1"}]},
         ("SYSTEM_STILL_USED", "systems.1.system")),
        ({"services": ["lokaler", "foresatte"]}, ("SYSTEMS_MISSING", "systems")),
    ],
)  # fmt: skip
def test_a_partial_exit_that_takes_too_much_or_too_little_is_refused(changes: Any, found: Any) -> None:
    assert refusal(lambda: ordered(**PARTLY | changes)) == found


def test_two_exits_never_end_the_same_and_one_core_service_is_always_left() -> None:
    core = {"services": ["pladser"], "systems": [
        {"system": "pladsanvisning", "title": "P", "kind": "postgresql", "deletion": "2"},
    ]}  # fmt: skip
    first = do(confirmed(**PARTLY | core), "place_final_order").agreement
    second = replace(confirmed(**PARTLY | core), agreement=first).put(exit_id="exit-other")
    assert refusal(lambda: do(second, "place_final_order")) == ("EXIT_ALREADY_PLACED", "exit_id")
    portal = [{"system": name, "title": name, "kind": "files", "deletion": "1"} for name in ("portal",)]
    last = PARTLY | {"services": ["foresatte"], "systems": portal}
    assert refusal(lambda: ordered(first, **last)) == ("LAST_CORE_SERVICE", "services")


def test_after_a_partial_exit_the_whole_agreement_can_still_be_left_once() -> None:
    first = do(confirmed(**PARTLY), "place_final_order").agreement
    rest = [{"system": "pladsanvisning", "title": "P", "kind": "postgresql", "deletion": "2"}]
    whole = do(confirmed(agreement=first, systems=rest).put(exit_id="exit-whole"), "place_final_order")
    assert [each.scope for each in whole.agreement.placed] == ["partial", "whole"]
    again = confirmed(agreement=whole.agreement, systems=[rest[0] | {"system": "portal"}])
    assert refusal(lambda: do(again, "place_final_order")) == ("EXIT_ALREADY_PLACED", "exit_id")


def test_no_name_leaves_with_the_sub_suppliers_and_the_supplier_is_asked_for_its_machines() -> None:
    case = do(ordered(), "list_sub_suppliers", by=SUPPLIER)
    assert told(case, "sub_suppliers_listed") | {"digest": ""} == {
        "exit_id": case.exit.exit_id, "digest": "", "sub_suppliers": 1, "holding_data": 1, "without_dpa": 1,
        "on": TODAY,
    }  # fmt: skip
    assert told(do(ordered(), "list_equipment"), "equipment_listed")["supplier_machines"] == 1


@pytest.mark.parametrize(
    ("command", "changes", "found"),
    [
        ("list_equipment", {"items": [
            {"item": "a", "owner": "supplier", "kind": "media", "insured": True, "system": None}] * 2},
         ("ITEM_TWICE", "items.1.item")),
        ("list_equipment", {"items": [
            {"item": "a", "owner": "supplier", "kind": "media", "insured": True, "system": "mail"}]},
         ("SYSTEM_UNKNOWN", "items.0.system")),
        ("list_sub_suppliers", {"sub_suppliers": [
            {"sub_supplier": "a", "name": "A", "holds_data": True, "dpa_digest": None}] * 2},
         ("SUB_SUPPLIER_TWICE", "sub_suppliers.1.sub_supplier")),
        ("hold_meeting", {"held_on": "2026-01-16"}, ("DATES_OUT_OF_ORDER", "held_on")),
        ("hold_meeting", {"expected_options": ["8.1"]}, ("OPTION_UNKNOWN", "expected_options.0")),
    ],
)  # fmt: skip
def test_what_the_final_order_rests_on_is_checked(command: str, changes: Any, found: Any) -> None:
    assert refusal(lambda: do(ordered(), command, **changes)) == found

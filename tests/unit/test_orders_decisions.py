"""What is decided after the order: contacts, dates, options, pairs, accords, notices, and what is refused of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.catalogue import COMMANDS
from contracts.errors import Rejected
from contracts.registry import primitives
from services.orders import domain
from services.orders.domain import Caller, Case
from tests.unit.orders_parts import (
    CUSTOMER,
    DIGEST,
    OTHER,
    PAIRS,
    SECRETS,
    STANDARD,
    SUPPLIER,
    TODAY,
    do,
    loaded,
    ordered,
    placed,
    registered,
    told,
)
from tests.unit.test_orders_domain import PARTLY, full, refusal

STORAGE = ["S1-8.3", "S2-28.2-retention"]


def alone(**changes: Any) -> Case:
    """Give a finally ordered exit under the standard model alone."""
    return placed(agreement=registered(profiles=list(STANDARD), agreement_end="2026-09-30"), **changes)


# ---- contacts (B1)


def test_a_contact_is_shown_to_readers_and_told_by_an_opaque_id_alone() -> None:
    case = do(placed(), "name_contact")
    row = domain.exit_row(case)
    assert [each["name"] for each in row["contacts"]] == ["Ingeborg Skjern"]
    assert row["contacts"][0]["contact_id"] == told(case, "contact_named")["contact_id"]
    assert not any(secret in row["contacts"][0]["contact_id"] for secret in SECRETS)


@pytest.mark.parametrize(
    ("party", "changes", "found"),
    [
        (SUPPLIER, {}, ("WRONG_PARTY", "party")),
        (CUSTOMER, {"party": "supplier"}, ("WRONG_PARTY", "party")),
        (CUSTOMER, {"email": "ingeborg"}, ("EMAIL_INVALID", "email")),
        (CUSTOMER, {"knows_solution": False}, ("CONTACT_UNFIT", "knows_solution")),
    ],
)
def test_a_contact_that_does_not_fit_is_refused(party: str, changes: Any, found: Any) -> None:
    assert refusal(lambda: do(placed(), "name_contact", by=party, **changes)) == found


def test_no_refusal_quotes_a_name_or_an_address() -> None:
    for changes in ({"email": "ingeborg"}, {"party": "supplier"}, {"knows_solution": False}):
        with pytest.raises(Rejected) as refused:
            do(placed(), "name_contact", **changes)
        assert not [secret for secret in SECRETS if secret in str(refused.value.as_dict())]


# ---- dates (B2, T7)


def test_dates_as_ordered_are_confirmed_and_those_that_move_in_time_move_the_window() -> None:
    same = do(placed(operations_end="2026-06-20"), "confirm_dates")
    assert told(same, "dates_confirmed")["adjusted"] is False
    assert same.exit.operations_end == date(2026, 6, 20)
    moved = do(placed(), "confirm_dates", day=date(2026, 4, 2), go_live="2026-09-01")
    assert told(moved, "dates_confirmed") == {
        "exit_id": moved.exit.exit_id, "go_live": date(2026, 9, 1), "operations_end": date(2026, 8, 31),
        "adjusted": True, "on": date(2026, 4, 2),
    }  # fmt: skip
    assert [(each.first, each.last) for each in moved.capacity.reserved] == [(date(2026, 8, 2), date(2026, 8, 31))]


@pytest.mark.parametrize("go_live", ["2026-09-01", "2026-05-01"])
def test_t7_less_than_90_days_before_the_switch_the_dates_move_by_an_accord_of_both_alone(go_live: str) -> None:
    case = placed()
    day = date(2026, 4, 3) if go_live > "2026-07" else date(2026, 2, 1)
    assert refusal(lambda: do(case, "confirm_dates", day=day, go_live=go_live)) == ("CONSENT_NEEDED", "go_live")
    moved = signed(case, day, kind="milestone", subject="T", on=go_live, reason="technical")
    assert moved.exit.go_live == date.fromisoformat(go_live)
    assert do(moved, "confirm_dates", go_live=go_live).exit.go_live == moved.exit.go_live


def test_t7_the_last_day_of_production_moves_late_by_an_accord_of_both_as_well() -> None:
    case, day = placed(), date(2026, 5, 1)
    wish = {"go_live": "2026-07-01", "operations_end": "2026-06-15"}
    assert refusal(lambda: do(case, "confirm_dates", day=day, **wish)) == ("CONSENT_NEEDED", "operations_end")
    agreed = signed(case, day, kind="milestone", subject="C6", on="2026-06-15", reason="technical")
    assert do(agreed, "confirm_dates", **wish).exit.operations_end == date(2026, 6, 15)


def test_t7_a_switch_that_moves_by_right_takes_no_late_last_day_of_production_with_it() -> None:
    case, wish = placed(), {"go_live": "2026-07-02", "operations_end": "2026-01-20"}
    assert refusal(lambda: do(case, "confirm_dates", **wish)) == ("CONSENT_NEEDED", "operations_end")
    agreed = signed(case, TODAY, kind="milestone", subject="C6", on="2026-01-20", reason="technical")
    assert do(agreed, "confirm_dates", **wish).exit.operations_end == date(2026, 1, 20)


def test_t8_a_date_moved_by_accord_needs_a_free_window_under_the_standard_model_alone() -> None:
    terms = {"kind": "milestone", "subject": "T", "on": "2026-06-20", "reason": "technical"}
    day = date(2026, 5, 1)
    busy = alone(go_live="2026-09-01")
    busy = replace(
        busy, capacity=replace(full(busy).capacity, reserved=(*full(busy).capacity.reserved, *busy.capacity.reserved))
    )
    assert refusal(lambda: signed(busy, day, **terms)) == ("CAPACITY_FULL", "go_live")
    owed = placed(go_live="2026-09-01")
    owed = replace(owed, capacity=full(owed).capacity)
    assert signed(owed, day, **terms).exit.over_capacity


def test_t7_in_time_the_dates_move_by_right_even_where_every_window_is_taken() -> None:
    busy = alone(go_live="2026-09-01")
    busy = replace(busy, capacity=full(busy).capacity)
    moved = do(busy, "confirm_dates", go_live="2026-06-25")
    assert moved.exit.over_capacity and [each["code"] for each in domain.cautions(moved)] == ["OVER_CAPACITY"]


# ---- options (B3, T2)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"options": ["S1-8.3"]}, ("OPTION_NEEDS", "covers")),
        ({"options": ["8.1"]}, ("OPTION_UNKNOWN", "options")),
        ({"options": ["S1-9.9"]}, ("OPTION_UNKNOWN", "options")),
        ({"options": ["S1-8.2", "S1-8.2"]}, ("OPTION_TWICE", "options.1")),
        ({"options": STORAGE, "covers": [{"option": "S1-8.3", "systems": ["mail"]}]}, ("COVER_UNKNOWN", "covers")),
        ({"options": [], "covers": [{"option": "S1-8.3", "systems": ["booking"]}]}, ("COVER_NOT_CHOSEN", "covers")),
        ({"options": STORAGE, "covers": [{"option": "S1-8.3", "systems": ["pladsanvisning"]},
                                         {"option": "S2-28.2-retention", "systems": ["booking"]}]},
         ("OPTION_NEEDS", "covers")),
    ],
)  # fmt: skip
def test_options_that_the_agreement_does_not_allow_are_refused(changes: Any, found: Any) -> None:
    assert refusal(lambda: do(placed(), "choose_options", **changes)) == found


def test_t2_a_service_after_the_end_is_allowed_with_storage_for_the_same_systems_or_an_amendment() -> None:
    assert do(placed(), "choose_options", options=STORAGE).exit.options == tuple(STORAGE)
    assert do(alone(), "choose_options", options=["S1-8.3"]).exit.options == ("S1-8.3",)
    amended = signed(placed(), TODAY, kind="amendment", subject="services_after_end")
    assert "services_after_end" in amended.agreement.amended
    assert do(amended, "choose_options", options=["S1-8.3"]).exit.options == ("S1-8.3",)


def test_t10_what_silence_means_is_told_with_the_options() -> None:
    assert told(do(placed(), "choose_options", silence="storage_option"), "options_confirmed")["silence"] == (
        "storage_option"
    )


def test_the_storage_option_cannot_be_chosen_after_its_last_day() -> None:
    assert do(placed(), "choose_options", day=date(2026, 9, 29), options=STORAGE).exit.options
    late = refusal(lambda: do(placed(), "choose_options", day=date(2026, 9, 30), options=STORAGE))
    assert late == ("OPTION_LATE", "options")


def test_an_option_that_a_notice_chose_stays_chosen() -> None:
    case = do(placed(), "give_notice", kind="retention")
    assert told(case, "notice_given")["options"] == ["S2-28.2-retention"]
    assert told(do(case, "choose_options"), "options_confirmed")["options"] == ["S1-8.2", "S2-28.2-retention"]


# ---- pairs, transfer, billing


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"continues": True}, ("PAIR_AGREEMENT_MISSING", "pairs.0.agreement_digest")),
        ({"delete_on": "2026-10-01"}, ("PAIR_END_MISSING", "pairs.0.ends_on")),
        ({"ends_on": "2026-10-01", "delete_on": "2026-10-01"}, ("DATES_OUT_OF_ORDER", "pairs.0.delete_on")),
        ({"line": "KLUB-ADMIN"}, ("PAIR_TWICE", "pairs.1.line")),
        ({"line": "BOOKING"}, ("PAIRS_INCOMPLETE", "pairs")),
    ],
)
def test_exactly_the_four_pairs_are_decided_each_consistently(change: Any, found: Any) -> None:
    assert refusal(lambda: do(placed(), "decide_pairs", pairs=[PAIRS[0] | change, *PAIRS[1:]])) == found


def test_a_pair_that_continues_without_a_feed_is_shown() -> None:
    going_on = PAIRS[0] | {"continues": True, "agreement_digest": DIGEST, "feed": "not_secured"}
    case = do(placed(), "decide_pairs", pairs=[going_on, *PAIRS[1:]])
    assert [each["code"] for each in domain.cautions(case)] == ["FEED_NOT_SECURED"]


@pytest.mark.parametrize(
    ("command", "changes", "found"),
    [
        ("instruct_transfer", {"recipient_cvr": "12345678"}, ("CVR_INVALID", "recipient_cvr")),
        ("instruct_transfer", {"recipient_cvr": "99999999"}, ("RECIPIENT_NOT_OTHER", "recipient_cvr")),
        ("instruct_transfer", {"approved_on": "2026-06-03"}, ("DATES_OUT_OF_ORDER", "approved_on")),
        ("record_billing_run", {"errors": 4}, ("BILLING_ERRORS_OPEN", "errors")),
        ("record_billing_run", {"corrected": 1, "accepted": 2}, ("WRONG_PARTY", "accepted")),
        ("record_billing_run", {"run_on": "2026-06-03"}, ("DATES_OUT_OF_ORDER", "run_on")),
        ("record_billing_run", {"run_on": "2026-05-31"}, ("DATES_OUT_OF_ORDER", "run_on")),
        ("instruct", {"given_on": "2026-06-03"}, ("DATES_OUT_OF_ORDER", "given_on")),
        ("decide_archive", {"system": "mail"}, ("SYSTEM_UNKNOWN", "system")),
        ("decide_archive", {"decided_on": "2026-06-03"}, ("DATES_OUT_OF_ORDER", "decided_on")),
        ("record_trigger", {"anchor": "K"}, ("ANCHOR_UNKNOWN", "anchor")),
        ("record_trigger", {"anchor": "W"}, ("ANCHOR_UNKNOWN", "anchor")),
        ("record_trigger", {"on": "2026-06-03"}, ("DATES_OUT_OF_ORDER", "on")),
        ("answer_obligation", {"obligation": "S2-99-a"}, ("OBLIGATION_UNKNOWN", "obligation")),
        ("answer_obligation", {"on": "2026-06-03"}, ("DATES_OUT_OF_ORDER", "on")),
        ("give_notice", {"given_on": "2026-06-03"}, ("DATES_OUT_OF_ORDER", "given_on")),
        ("give_notice", {"kind": "standard_copy", "variant": "urgent"}, ("NOTICE_VARIANT", "variant")),
    ],
)
def test_a_decision_that_cannot_be_is_refused_naming_the_field(command: str, changes: Any, found: Any) -> None:
    assert refusal(lambda: do(placed(), command, day=date(2026, 6, 2), **changes)) == found


def test_the_customer_may_accept_an_error_of_the_last_billing_run() -> None:
    accepted = {"corrected": 1, "accepted": 2}
    case = do(placed(), "record_billing_run", by=CUSTOMER, day=date(2026, 6, 2), **accepted)
    assert told(case, "billing_run_recorded")["accepted"] == 2


def test_an_audit_that_is_announced_may_lie_ahead() -> None:
    case = do(placed(), "record_trigger", anchor="audit_by_customer", on="2026-03-15")
    assert case.facts.anchors["audit_by_customer"] == date(2026, 3, 15)


def test_an_instruction_to_erase_early_reaches_the_plan() -> None:
    assert do(placed(), "instruct", erase_early=True).facts.instructions == {"erase_early"}


# ---- accords


def signed(case: Case, day: date, **terms: Any) -> Case:
    """Have the supplier propose and the customer sign."""
    case = do(case, "propose_accord", day=day, **terms)
    return do(case, "sign_accord", day=day, accord_id=list(case.exit.accords)[-1])


def test_an_accord_binds_when_the_other_party_signed_exactly_the_same() -> None:
    case = do(placed(), "propose_accord")
    (name,) = case.exit.accords
    assert [each["state"] for each in domain.exit_row(case)["accords"]] == ["proposed"]
    assert refusal(lambda: do(case, "sign_accord", accord_id="accord-9")) == ("ACCORD_UNKNOWN", "accord_id")
    assert refusal(lambda: do(case, "sign_accord", accord_id=name, by=SUPPLIER)) == ("WRONG_PARTY", "accord_id")
    assert refusal(lambda: do(case, "sign_accord", accord_id=name, digest=OTHER)) == ("ACCORD_DIFFERS", "digest")
    done = do(case, "sign_accord", accord_id=name)
    assert told(done, "accord_signed")["signed_by"] == ["customer", "supplier"]
    assert refusal(lambda: do(done, "sign_accord", accord_id=name)) == ("ACCORD_SIGNED", "accord_id")


def test_nobody_signs_for_both_parties() -> None:
    case = do(placed(), "propose_accord")
    (name,) = case.exit.accords
    both = replace(case, caller=Caller(CUSTOMER, "p-supplier", "c-9"))
    data = loaded("sign_accord", {"exit_id": case.exit.exit_id, "accord_id": name, "digest": DIGEST})
    assert refusal(lambda: domain.sign(both, data)) == ("SAME_PERSON", "accord_id")


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ({"kind": "addendum", "until": "2027-01-01"}, ("ACCORD_INCOMPLETE", "options")),
        ({"kind": "cooperation", "until": "2027-01-01"}, ("ACCORD_INCOMPLETE", "until")),
        ({"kind": "amendment", "subject": "other"}, ("AMENDMENT_UNKNOWN", "subject")),
        ({"kind": "amendment", "subject": "backups_six_months"}, ("AMENDMENT_EXISTS", "subject")),
        ({"kind": "addendum", "options": ["S1-8.4"], "until": "2027-01-01"}, ("OPTION_NOT_CHOSEN", "options.0")),
        ({"kind": "addendum", "options": ["S1-8.3"], "until": "2026-09-30"}, ("DATES_OUT_OF_ORDER", "until")),
        ({"kind": "addendum", "options": ["S1-8.3"], "until": "2031-10-01"}, ("DATES_OUT_OF_ORDER", "until")),
        ({"kind": "option_end", "options": ["S1-8.3"], "until": "2026-01-14"}, ("DATES_OUT_OF_ORDER", "until")),
        ({"kind": "milestone", "subject": "Z9", "on": "2026-05-01", "reason": "technical"},
         ("ACTIVITY_UNKNOWN", "subject")),
        ({"kind": "milestone", "subject": "T", "on": "2026-01-01", "reason": "technical"},
         ("DATES_OUT_OF_ORDER", "on")),
        ({"kind": "heavy_job", "subject": "B7", "on": "2026-05-01", "reason": "technical"},
         ("ACTIVITY_UNKNOWN", "subject")),
        ({"kind": "heavy_job", "subject": "D5", "on": "2026-11-01", "reason": "authority"},
         ("ADDENDUM_MISSING", "subject")),
    ],
)  # fmt: skip
def test_an_accord_with_the_wrong_content_is_refused(terms: Any, found: Any) -> None:
    case = do(placed(), "choose_options", options=STORAGE)
    assert refusal(lambda: do(case, "propose_accord", **terms)) == found


def test_a_service_after_the_end_is_agreed_on_when_its_addendum_is_signed() -> None:
    case = do(placed(), "choose_options", options=["S1-8.5", *STORAGE])
    case = signed(case, TODAY, kind="addendum", options=["S1-8.3", "S1-8.5"], until="2027-09-30")
    assert case.exit.option_ends == date(2027, 9, 30)
    job = {"kind": "heavy_job", "subject": "D5", "on": "2026-11-01", "reason": "authority"}
    assert told(signed(case, TODAY, **job), "accord_signed")["subject"] == "D5"
    ended = signed(case, TODAY, kind="option_end", options=["S1-8.3"], until="2027-01-31")
    assert ended.exit.option_ends == date(2027, 1, 31)


def test_before_the_final_order_no_milestone_is_agreed_that_could_move() -> None:
    terms = {"kind": "milestone", "subject": "T", "on": "2026-09-01", "reason": "technical"}
    assert refusal(lambda: do(ordered(), "propose_accord", **terms)) == ("MILESTONE_NOT_AGREED", "kind")
    wish = {"kind": "postponement", "effect_on": "2026-09-01"}
    assert refusal(lambda: do(ordered(), "give_notice", **wish)) == ("MILESTONE_NOT_AGREED", "kind")


# ---- notices


def verdict(case: Case, party: str = CUSTOMER, day: date = TODAY, **body: Any) -> dict[str, Any]:
    data = loaded("check_notice", {"exit_id": case.exit.exit_id, "given_on": day.isoformat(), **body})
    answer = domain.check_notice(replace(case, caller=Caller(party, "p", "c"), today=day), data)
    return primitives(COMMANDS["orders.check_notice"].answer, answer, "orders.check_notice")


def test_an_accepted_termination_moves_the_end_and_production_with_it() -> None:
    case = do(placed(), "give_notice", effect_on="2026-05-31")
    assert case.agreement.agreement_end == case.end == date(2026, 5, 31)
    assert case.exit.operations_end == date(2026, 5, 31)
    assert {each["anchor"]: each["on"] for each in told(case, "notice_given")["moved"]} == {
        "K": date(2026, 5, 31), "D": date(2026, 5, 31),
    }  # fmt: skip


def test_a_notice_that_is_tried_out_says_what_the_notice_itself_would() -> None:
    tried = verdict(placed(), kind="termination", effect_on="2026-05-31")
    given = told(do(placed(), "give_notice", effect_on="2026-05-31"), "notice_given")
    assert (tried["outcome"], tried["effect_on"]) == (given["outcome"], given["effect_on"].isoformat())
    assert [each["on"] for each in tried["moved"]] == [each["on"].isoformat() for each in given["moved"]]
    assert tried["message_da"] and tried["message_en"] and tried["notice_id"] is None


@pytest.mark.parametrize(
    ("party", "day", "body", "outcome"),
    [
        (SUPPLIER, TODAY, {"kind": "termination"}, "refused"),
        (CUSTOMER, date(2026, 8, 2), {"kind": "extension", "months": 24}, "refused"),
        (CUSTOMER, date(2026, 4, 3), {"kind": "postponement", "effect_on": "2026-09-01"}, "agreement_needed"),
        (CUSTOMER, TODAY, {"kind": "retention_end"}, "refused"),
    ],
)
def test_a_notice_that_does_not_count_is_answered_and_kept_and_changes_nothing(
    party: str, day: date, body: Any, outcome: str
) -> None:
    before = placed()
    after = do(before, "give_notice", by=party, day=day, given_on=day.isoformat(), **body)
    fact = told(after, "notice_given")
    assert (fact["outcome"], *fact["moved"], *fact["options"]) == (outcome,)
    assert [each.outcome for each in after.exit.notices] == [outcome]
    assert after.exit == replace(before.exit, notices=after.exit.notices)
    assert (after.agreement, after.capacity) == (before.agreement, before.capacity)


def test_an_extension_is_counted_and_the_third_refused() -> None:
    case = placed()
    for end in (date(2028, 9, 30), date(2030, 9, 30)):
        case = do(case, "give_notice", kind="extension", months=24)
        assert case.end == end
    assert case.agreement.extensions == 2
    assert do(case, "give_notice", kind="extension", months=24).end == date(2030, 9, 30)


def test_a_postponement_in_time_moves_the_switch_and_its_window() -> None:
    case = do(placed(), "give_notice", kind="postponement", effect_on="2026-09-01")
    assert (case.exit.go_live, case.exit.operations_end) == (date(2026, 9, 1), date(2026, 8, 31))
    assert [each.last for each in case.capacity.reserved] == [date(2026, 8, 31)]


def test_storage_and_its_end_fix_the_day_on_which_it_ends() -> None:
    case = do(placed(), "give_notice", kind="retention", effect_on="2027-12-31")
    assert case.exit.option_ends == date(2027, 12, 31)
    ended = do(case, "give_notice", day=date(2027, 2, 10), kind="retention_end", given_on="2027-02-10")
    assert ended.exit.option_ends == date(2027, 2, 25)


def test_a_partial_exits_end_is_its_own() -> None:
    case = placed(**PARTLY)
    sooner = do(case, "give_notice", kind="reduction", services=["lokaler"], effect_on="2026-06-30")
    assert (sooner.end, sooner.agreement.agreement_end) == (date(2026, 6, 30), date(2026, 9, 30))
    assert {"anchor": "K", "on": date(2026, 6, 30)} in told(sooner, "notice_given")["moved"]
    longer = do(case, "give_notice", kind="extension", months=12)
    assert (longer.end, longer.agreement.agreement_end) == (date(2026, 7, 31), date(2027, 9, 30))
    assert not told(longer, "notice_given")["moved"]
    over = do(case, "give_notice", effect_on="2026-04-30")
    assert (over.end, over.agreement.agreement_end) == (date(2026, 4, 30), date(2026, 4, 30))


def test_the_calendar_gives_the_last_day_of_every_notice() -> None:
    body = primitives(COMMANDS["orders.read_calendar"].answer, domain.read_calendar(placed()), "orders.read_calendar")
    days = {(day["kind"], day["variant"]): day["latest_on"] for day in body["days"]}
    assert days["retention", "general"] == "2026-09-29"
    assert days["extension", "general"] == "2026-08-01"
    assert days["emergency_extension", "general"] == "2026-09-16"
    assert days["termination", "general"] == "2026-07-02"

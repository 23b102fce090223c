"""What access decides: which systems when, what counts as holding, whose attestation."""

from dataclasses import replace
from itertools import permutations

import pytest

from contracts.errors import Rejected, Unavailable
from services.access.domain import (
    CLOSE,
    FREEZE,
    Control,
    Exit,
    Order,
    attest,
    begins_anew,
    ready,
    sent,
    state_after,
    step,
    with_cleaned,
    with_due,
)

ORDER = Order("11111111", "991", "a" * 64, ("booking", "px", "sagsindeks"))
KNOWN = Exit("x", ORDER)
DIGEST, OTHER = "b" * 64, "c" * 64


def test_a_freeze_takes_every_system_and_a_closing_exactly_those_that_the_plan_names():
    exit_ = KNOWN
    for activity, systems in (("D7a", ["px"]), ("C2", []), ("D3b", ["booking"]), ("C7", ["sagsindeks"])):
        exit_ = with_due(exit_, activity, systems)
    assert ready(exit_) == (
        Control("D7a", CLOSE, ("px",)),
        Control("C2", FREEZE, ("booking", "px", "sagsindeks")),
        Control("D3b", CLOSE, ("booking",)),
    )


def test_the_case_index_is_closed_when_its_cleaning_was_verified_and_not_before():
    for activity, result in (("C7", "ERROR"), ("D2", "DELETED")):
        assert ready(with_cleaned(KNOWN, activity, result, ["sagsindeks"])) == ()
    for result in ("DELETED", "ABSENT_VERIFIED"):
        cleaned = with_cleaned(KNOWN, "C7", result, ["sagsindeks", "sagsindeks"])
        assert ready(cleaned) == (Control("C7", CLOSE, ("sagsindeks",)),)


def test_whatever_comes_first_a_control_is_sent_once_for_each_time_it_is_told():
    for order in permutations([lambda e: replace(e, order=ORDER), lambda e: with_due(e, "C2", [])]):
        exit_, told = Exit("x"), []
        for change in order:
            exit_ = change(exit_)
            told += [control.activity for control in ready(exit_)]
            exit_ = sent(exit_)
        assert told == ["C2"]
        assert [control.activity for control in ready(with_due(exit_, "C2", []))] == ["C2"]


def test_after_the_exit_was_cancelled_nothing_is_frozen_or_closed_any_more():
    assert ready(with_due(replace(KNOWN, cancelled=True), "D2", ["booking"])) == ()


@pytest.mark.parametrize(
    ("action", "seen", "state"),
    [
        (FREEZE, {"grants": 3, "writable": False, "is_open": True}, "frozen"),
        (FREEZE, {"grants": 3, "writable": True, "is_open": True}, "error"),
        (CLOSE, {"grants": 0, "writable": False, "is_open": False}, "closed"),
        (CLOSE, {"grants": 0, "writable": False, "is_open": True}, "error"),
        (CLOSE, {"grants": 1, "writable": False, "is_open": False}, "error"),
        (CLOSE, {"grants": 0, "writable": True, "is_open": False}, "error"),
    ],
)
def test_only_what_was_seen_to_hold_counts(action, seen, state):
    assert state_after(action, **seen) == state


def test_what_is_closed_is_never_opened_by_a_late_freeze():
    assert step(FREEZE, "closed") == CLOSE
    assert step(FREEZE, "open") == step(FREEZE, "error") == FREEZE and step(CLOSE, "frozen") == CLOSE


@pytest.mark.parametrize(
    ("activity", "kind", "party", "code"),
    [
        ("C1", "access_closed", "customer", "ACTIVITY_NOT_ATTESTED_HERE"),
        ("C6", "operations_stopped", "customer", "WRONG_PARTY"),
        ("D8", "access_closed", "supplier", "WRONG_PARTY"),
        ("D7b", "access_closed", "supplier", "KIND_WRONG"),
    ],
)
def test_an_attestation_by_the_wrong_party_or_of_another_kind_is_refused(activity, kind, party, code):
    with pytest.raises(Rejected) as caught:
        attest(KNOWN, activity, kind, party, DIGEST)
    assert caught.value.code == code and caught.value.remedy and caught.value.da


def test_what_is_not_due_yet_is_not_attested():
    with pytest.raises(Unavailable) as caught:
        attest(with_due(KNOWN, "C5", []), "C6", "operations_stopped", "supplier", DIGEST)
    assert caught.value.code == "ACTIVITY_NOT_DUE" and caught.value.remedy and caught.value.da


def test_an_attestation_stands_and_is_not_changed():
    once = attest(with_due(KNOWN, "D7b", []), "D7b", "software_removed", "supplier", DIGEST)
    assert attest(once, "D7b", "software_removed", "supplier", DIGEST) == once
    with pytest.raises(Rejected) as caught:
        attest(once, "D7b", "software_removed", "supplier", OTHER)
    assert caught.value.code == "ALREADY_ATTESTED"


def test_an_activity_that_is_due_anew_is_attested_anew_and_a_second_c2_begins_the_window_anew():
    attested = attest(with_due(KNOWN, "C6", []), "C6", "operations_stopped", "supplier", DIGEST)
    assert attest(with_due(attested, "C6", []), "C6", "operations_stopped", "supplier", OTHER) != attested
    assert with_due(attested, "C5", []).attested == attested.attested
    once = with_due(KNOWN, "C2", [])
    assert not begins_anew(KNOWN, "C2") and begins_anew(once, "C2") and not begins_anew(once, "D2")


def test_an_exit_that_access_was_not_told_of_is_unavailable_not_wrong():
    with pytest.raises(Unavailable):
        attest(Exit("x"), "C5", "access_withdrawn", "customer", DIGEST)

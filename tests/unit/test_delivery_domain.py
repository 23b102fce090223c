"""What delivery decides: facts in any order, tasks once, the receipt."""

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest

from contracts.errors import Rejected, Unavailable
from services.delivery.domain import (
    Delivery,
    Dispatch,
    Order,
    check_newest,
    check_receipt,
    check_rejection,
    next_package_state,
    ready,
    refuse_cancelled,
    reopened,
    state_of,
    with_dispatch,
    with_due,
    with_needs,
)

ORDER = Order("11111111", "991", "a" * 64, ("booking", "pladsanvisning"))
DROPS = frozenset({"successor"})
INSTRUCTION = "f" * 64
TO_SUCCESSOR = Dispatch("successor", "age1test", "successor", INSTRUCTION)
KNOWN = Delivery("x1", order=ORDER, instructions=frozenset({INSTRUCTION}))
SENT = replace(KNOWN, sent=frozenset({"C3"}))
CANCELLED = replace(KNOWN, cancelled=True)


def _drive(steps):
    """Apply `steps` one by one; give the activities whose tasks were sent, in order."""
    delivery, sent = KNOWN, []
    for step in steps:
        delivery = step(delivery)
        now = ready(delivery)
        sent += now
        delivery = replace(delivery, sent=delivery.sent | set(now))
    return delivery, sent


def test_whatever_the_order_of_the_facts_each_task_is_sent_exactly_once():
    steps = (
        lambda d: with_needs(d, ("pladsanvisning",)),
        lambda d: with_dispatch(d, TO_SUCCESSOR, DROPS),
        lambda d: with_due(d, "B9"),
        lambda d: with_due(d, "B10"),
        lambda d: with_due(with_due(d, "B9"), "B10"),
    )
    for order in permutations(steps):
        delivery, sent = _drive(order)
        assert sorted(sent) == ["B10", "B9"]
        assert ready(delivery) == ()


def test_the_extract_waits_for_the_specification():
    delivery, sent = _drive(
        [
            lambda d: with_needs(d, ("booking",)),
            lambda d: with_dispatch(d, TO_SUCCESSOR, DROPS),
            lambda d: with_due(d, "C3"),
            lambda d: replace(d, specification="b" * 64),
        ]
    )
    assert sent == ["C3"]
    assert state_of(delivery, None) == "extract_sent"


def test_a_due_activity_of_somebody_else_changes_nothing():
    assert with_due(KNOWN, "D2") == KNOWN


def test_needs_keep_the_order_of_the_order_and_ask_for_a_new_specification():
    first = replace(with_needs(KNOWN, ("booking",)), specification="c" * 64, sent=frozenset({"B10"}))
    again = with_needs(first, ("pladsanvisning", "booking"))
    assert again.needs == ("booking", "pladsanvisning")
    assert again.specification is None and "B10" not in again.sent


def test_a_new_dispatch_asks_for_a_new_connection_test():
    first = replace(with_dispatch(KNOWN, TO_SUCCESSOR, DROPS), connection="DROP_MISSING", sent=frozenset({"B9"}))
    again = with_dispatch(first, replace(TO_SUCCESSOR, recipient="age1other"), DROPS)
    assert again.connection is None and "B9" not in again.sent


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        (lambda: with_needs(KNOWN, ("booking", "ukendt")), "SYSTEM_UNKNOWN", "systems.1"),
        (lambda: with_needs(KNOWN, ()), "NEEDS_EMPTY", "systems"),
        (lambda: with_dispatch(KNOWN, replace(TO_SUCCESSOR, drop="attic"), DROPS), "DROP_UNKNOWN", "drop"),
        (lambda: with_needs(SENT, ("booking",)), "EXTRACT_BEGUN", "systems"),
        (lambda: with_dispatch(SENT, TO_SUCCESSOR, DROPS), "EXTRACT_BEGUN", "drop"),
        (
            lambda: with_dispatch(KNOWN, replace(TO_SUCCESSOR, instruction=None), DROPS),
            "TRANSFER_INSTRUCTION_MISSING",
            "transfer_instruction_digest",
        ),
        (lambda: with_needs(CANCELLED, ("booking",)), "EXIT_CANCELLED", "exit_id"),
        (lambda: with_dispatch(CANCELLED, TO_SUCCESSOR, DROPS), "EXIT_CANCELLED", "exit_id"),
        (lambda: refuse_cancelled(CANCELLED), "EXIT_CANCELLED", "exit_id"),
        (lambda: check_newest(replace(KNOWN, package_id="p2"), "p1"), "PACKAGE_SUPERSEDED", "package_id"),
        (lambda: check_rejection({"state": "accepted"}, "incomplete", "a" * 64), "PACKAGE_STATE", "package_id"),
    ],
)
def test_a_wrong_choice_is_refused_with_its_field_and_a_remedy(change, code, field):
    with pytest.raises(Rejected) as caught:
        change()
    assert (caught.value.code, caught.value.field) == (code, field)
    assert caught.value.remedy and caught.value.da


def test_an_exit_that_delivery_was_not_told_of_is_unavailable_not_wrong():
    with pytest.raises(Unavailable) as caught:
        with_needs(Delivery("x1"), ("booking",))
    assert caught.value.code == "EXIT_NOT_KNOWN"


def test_a_receipt_counts_only_with_our_own_digest():
    check_receipt("delivered", "d" * 64, "d" * 64)
    check_receipt("accepted", "d" * 64, "d" * 64)
    with pytest.raises(Rejected) as caught:
        check_receipt("delivered", "d" * 64, "e" * 64)
    assert caught.value.code == "RECEIPT_DIGEST_MISMATCH"


def test_nothing_is_accepted_before_it_is_delivered():
    for state in ("ordered", "extracting", "sealed"):
        with pytest.raises(Rejected) as caught:
            check_receipt(state, "d" * 64, "d" * 64)
        assert caught.value.code == "PACKAGE_STATE"


def test_a_package_is_delivered_once():
    assert next_package_state("sealed", "deliver") == "delivered"
    with pytest.raises(Rejected):
        next_package_state("delivered", "deliver")
    with pytest.raises(Rejected):
        next_package_state("accepted", "seal")


def test_data_go_to_the_successor_only_under_an_instruction_that_is_known_and_to_the_customer_without():
    unknown = replace(KNOWN, instructions=frozenset())
    with pytest.raises(Unavailable) as caught:
        with_dispatch(unknown, TO_SUCCESSOR, DROPS)
    assert caught.value.code == "TRANSFER_INSTRUCTION_NOT_KNOWN" and caught.value.remedy and caught.value.da
    to_customer = Dispatch("successor", "age1test", "customer")
    assert with_dispatch(unknown, to_customer, DROPS).dispatch == to_customer


def test_a_rejection_reopens_the_delivery_until_c3_is_due_anew():
    facts = {"needs": ("booking",), "dispatch": TO_SUCCESSOR, "specification": "b" * 64}
    delivered = replace(SENT, **facts, due=frozenset({"C3"}), package_id="p1", packages=1)
    rejected = reopened(delivered)
    assert ready(delivered) == ready(rejected) == ()
    assert with_needs(rejected, ("pladsanvisning",)).specification is None
    assert ready(with_due(rejected, "C3")) == ("C3",)


def test_c3_told_as_due_again_makes_another_package_only_once_the_one_before_was_delivered():
    facts = {"needs": ("booking",), "dispatch": TO_SUCCESSOR, "specification": "b" * 64}
    accepted = replace(SENT, **facts, due=frozenset({"C3"}), package_id="p1", accepted_on=date(2026, 6, 2))
    for state, tasks in (("extracting", ()), ("sealed", ()), ("delivered", ("C3",)), ("accepted", ("C3",))):
        assert ready(with_due(accepted, "C3", state)) == tasks
    assert with_due(accepted, "C3", "accepted").accepted_on is None


def test_the_same_rejection_again_changes_nothing_and_another_is_refused():
    package = {"state": "delivered"}
    assert check_rejection(package, "unreadable", "a" * 64)
    rejected = {"state": "rejected", "rejected": {"reason": "unreadable", "digest": "a" * 64}}
    assert not check_rejection(rejected, "unreadable", "a" * 64)
    with pytest.raises(Rejected):
        check_rejection(rejected, "incomplete", "a" * 64)


def test_a_rejected_package_is_superseded_and_never_accepted():
    assert next_package_state("rejected", "supersede") == "superseded"
    for state in ("rejected", "superseded"):
        with pytest.raises(Rejected):
            check_receipt(state, "d" * 64, "d" * 64)


def test_after_the_exit_was_cancelled_no_task_is_sent_and_only_what_is_under_way_is_stopped():
    cancelled = replace(CANCELLED, dispatch=TO_SUCCESSOR, due=frozenset({"B9"}))
    assert ready(cancelled) == () and state_of(cancelled, None) == "cancelled"
    assert {next_package_state(state, "stop") for state in ("ordered", "extracting", "sealed")} == {"stopped"}
    with pytest.raises(Rejected):
        next_package_state("delivered", "stop")

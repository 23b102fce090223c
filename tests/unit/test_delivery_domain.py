"""What delivery decides: facts in any order, tasks once, the receipt."""

from dataclasses import replace
from itertools import permutations

import pytest

from contracts.errors import Rejected, Unavailable
from services.delivery.domain import (
    Delivery,
    Dispatch,
    Order,
    check_receipt,
    next_package_state,
    ready,
    state_of,
    with_dispatch,
    with_due,
    with_needs,
)

ORDER = Order("11111111", "991", "a" * 64, ("booking", "pladsanvisning"))
DROPS = frozenset({"successor"})
TO_SUCCESSOR = Dispatch("successor", "age1test")
KNOWN = Delivery("x1", order=ORDER)


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
    again = with_dispatch(first, Dispatch("successor", "age1other"), DROPS)
    assert again.connection is None and "B9" not in again.sent


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        (lambda: with_needs(KNOWN, ("booking", "ukendt")), "SYSTEM_UNKNOWN", "systems.1"),
        (lambda: with_needs(KNOWN, ()), "NEEDS_EMPTY", "systems"),
        (lambda: with_dispatch(KNOWN, Dispatch("attic", "age1test"), DROPS), "DROP_UNKNOWN", "drop"),
        (lambda: with_needs(replace(KNOWN, sent=frozenset({"C3"})), ("booking",)), "EXTRACT_BEGUN", "systems"),
        (lambda: with_dispatch(replace(KNOWN, sent=frozenset({"C3"})), TO_SUCCESSOR, DROPS), "EXTRACT_BEGUN", "drop"),
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

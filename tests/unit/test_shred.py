"""Crypto-shredding: only an own key from the set's creation, with all its copies, in time and seen to be destroyed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Rejected
from services.deletion.domain import Exit, shred, shredding
from services.deletion.domain.shred import COPIES, Copy, Key, Sealed
from services.deletion.domain.shredding import Shredding

MADE = datetime(2026, 9, 1, tzinfo=UTC)
SET = Sealed("plads", "s1", MADE, MADE, "k1")
KEY = Key("k1", MADE - timedelta(seconds=1), frozenset({"11111111"}), frozenset({("plads", "s1")}))
ALL = [Copy("STORE", "a", "DESTROYED"), *(Copy(kind, none=True) for kind in COPIES[1:])]


def test_a_set_with_a_key_of_its_own_from_its_creation_may_end_so() -> None:
    assert shred.refusals(SET, KEY, "11111111", ALL) == []
    assert shred.shredded(ALL)


@pytest.mark.parametrize(
    ("sealed", "key", "code"),
    [
        (replace(SET, encrypted_at=None), KEY, "SET_NOT_ENCRYPTED"),
        (replace(SET, key_id="k2"), KEY, "SET_NOT_ENCRYPTED"),
        (replace(SET, encrypted_at=MADE + timedelta(seconds=1)), KEY, "ENCRYPTED_LATER"),
        (SET, replace(KEY, made_at=MADE + timedelta(days=1)), "KEY_YOUNGER_THAN_SET"),
        (SET, replace(KEY, customers=frozenset({"11111111", "22222222"})), "KEY_SHARED"),
        (SET, replace(KEY, customers=frozenset({"22222222"})), "KEY_SHARED"),
        (SET, replace(KEY, sets=KEY.sets | {("plads", "s2")}), "KEY_OF_SEVERAL_SETS"),
    ],
)
def test_shared_sets_and_sets_that_were_encrypted_later_are_refused(sealed: Sealed, key: Key, code: str) -> None:
    assert shred.refusals(sealed, key, "11111111", ALL) == [code]


@given(st.lists(st.builds(Copy, st.sampled_from(COPIES), st.just("x"), st.sampled_from(shred.STATES), st.booleans())))
def test_nothing_is_shredded_while_a_copy_is_left_or_nobody_spoke_of_a_kind(copies: list[Copy]) -> None:
    if shred.shredded(copies):
        assert {each.kind for each in copies} == set(COPIES)
        assert all(each.none or each.state == "DESTROYED" for each in copies)
        assert any(not each.none for each in copies)
    for kind in {each.kind for each in copies}:
        assert not shred.shredded([each for each in copies if each.kind != kind])


@given(st.dates(date(2026, 1, 1), date(2028, 1, 1)), st.integers(0, 30), st.dates(date(2026, 1, 1), date(2028, 1, 1)))
def test_destruction_is_asked_for_as_late_as_it_can_be_and_never_in_the_past(
    last_on: date, waits: int, today: date
) -> None:
    made = shred.plan(last_on, waits, today)
    assert made.ask_on >= today
    assert made.ends_on - made.ask_on == timedelta(waits)
    assert made.in_time == (made.ends_on <= last_on)
    assert made.in_time == (today + timedelta(waits) <= last_on)
    assert made.ask_on == today or made.ends_on < last_on


HOLDERS = {"STORE": "a", "ESCROW": "b"}
ROW = {"copies": [{"copy": each, "holder": HOLDERS.get(each)} for each in COPIES]}


@pytest.mark.parametrize(
    ("states", "answer"),
    [
        (("DESTROYED", "DESTROYED"), "DESTROYED"), (("DESTROYED", "PENDING"), "PENDING"),
        (("ACTIVE", "PENDING"), "ACTIVE"), (("DESTROYED", "ERROR"), "ERROR"), (("DESTROYED",), "ERROR"),
    ],
)  # fmt: skip
def test_the_one_answer_over_all_copies_is_the_least_that_is_certain(states: tuple[str, ...], answer: str) -> None:
    told = zip(HOLDERS.items(), states, strict=False)
    seen = [{"copy": copy, "holder": name, "state": state} for (copy, name), state in told]
    assert shredding.answer(ROW, seen) == answer


def test_a_plan_is_of_the_sets_that_are_due_first_and_its_digest_of_nothing_that_changes_by_the_day() -> None:
    exit_ = Exit("x-1", map_digest="m")
    rows = [
        dict.fromkeys(shredding.FIXED, "") | {"set_id": f"s{day}", "last_on": date(2026, 1, 1) + timedelta(day)}
        for day in reversed(range(shredding.MOST + 1))
    ]
    late = [row | {"ask_on": date(2026, 3, 3), "in_time": False} for row in rows]
    first, second = (shredding.planned(Shredding("x-1.D9.1", "x-1"), exit_, each, []) for each in (rows, late))
    assert (len(first.sets), first.sets[0]["set_id"]) == (shredding.MOST, "s0")
    assert first.plan_digest == second.plan_digest
    with pytest.raises(Rejected, match="PLAN_CHANGED"):
        shredding.check_same(first, exit_, rows)

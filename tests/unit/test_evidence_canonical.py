"""Canonical JSON: written fast, and always the bytes that RFC 8785's own library writes."""

import random
from typing import Any

import pytest
import rfc8785

from services.compliance.signing.envelope import canonical
from tests.unit import evidence_world as given

LETTERS = 'aZ09_é€\x7f\u2028\ue000\U0001f600"\\/\b\f\n\r\t\x00\x1f'


def made(dice: random.Random, depth: int, names: str) -> Any:
    kind = dice.randrange(7 if depth else 5)
    if kind == 0:
        return "".join(dice.choices(LETTERS, k=dice.randrange(8)))
    if kind == 1:
        return dice.choice([0, -1, 7, 2**53 - 1, -(2**53) + 1, dice.randrange(10**6)])
    if kind in (2, 3, 4):
        return (None, True, False)[kind - 2]
    if kind == 5:
        return [made(dice, depth - 1, names) for _ in range(dice.randrange(5))]
    return {"".join(dice.choices(names, k=dice.randrange(4))): made(dice, depth - 1, names) for _ in range(5)}


@pytest.mark.parametrize("names", ["abcXYZ019_-.", LETTERS])
def test_the_bytes_are_those_of_the_standard_s_library(names: str) -> None:
    dice = random.Random(8785)
    for _ in range(3000):
        value = {"value": made(dice, 4, names)}
        assert canonical(value) == rfc8785.dumps(value)


def test_every_entry_of_a_whole_exit_is_written_as_the_standard_s_library_writes_it() -> None:
    for _, data in given.deleted_exit():
        assert canonical(data) == rfc8785.dumps(data)


@pytest.mark.parametrize("value", [1.0, float("nan"), {"a": [0.5]}, 2**53, -(2**53), {1: 2}, {"a": b"b"}, "\ud800"])
def test_what_the_standard_or_a_reader_cannot_take_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        canonical(value)

"""What `fsck` takes for a leaf is just what the stranger's strict reader takes for one."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from services.compliance.log.fsck_leaf import event_of
from services.compliance.verifier import ophor_verify

TEXT = some.text(max_size=8) | some.sampled_from(
    ["ist_operatør", "\ud7ff", "\ue000", "😀", "\x7f", "\n", '"', "\\", "1" * 16]
)
NUMBERS = some.integers() | some.integers(-(2**54), 2**54) | some.floats(allow_nan=False)
VALUES = some.recursive(
    some.none() | some.booleans() | NUMBERS | TEXT,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
EVENTS = some.fixed_dictionaries(
    {name: TEXT for name in ("at", "exit", "kind", "origin", "prev", "ref")}
    | {"entry": some.dictionaries(TEXT, VALUES, max_size=4), "n": some.integers(0, 10**17), "version": some.just(1)},
)
SPLICES = some.tuples(some.floats(0, 1), some.integers(0, 3), some.binary(max_size=3) | some.sampled_from(
    [b"0", b"1e5", b"1.0", b"-0", b"NaN", b"0" * 16, b'"a":1,', b"[", b"}", b" ", b"\\u00e6", b"\xc3", b"\xed\xa0\x80",
     b"\xc0\x80", b"\xe0\x80\x80", b"null", b"true", b",", b"\xef\xbb\xbf"]))  # fmt: skip
BASE = {"at": "", "entry": {}, "exit": "e", "kind": "K", "n": 0, "origin": "o", "prev": "", "ref": "r", "version": 1}


def canonical(event: Any, salt: Any = "s") -> bytes:
    return ophor_verify.canonical({"event": event, "salt": salt})


def of_entry(text: bytes) -> bytes:
    """Give a leaf whose entry is written so."""
    return canonical(BASE).replace(b'"entry":{}', b'"entry":' + text)


def strictly(data: bytes) -> dict[str, Any] | None:
    """Read a leaf as the stranger does, and look at its fields."""
    try:
        body = ophor_verify.parse(data, "leaf")
    except ophor_verify.Malformed:
        return None
    if not isinstance(body, dict) or body.keys() != {"event", "salt"} or type(body["salt"]) is not str:
        return None
    event = body["event"]
    if not isinstance(event, dict) or event.keys() != ophor_verify.EVENT_FIELDS:
        return None
    kinds = {"entry": dict, "n": int, "version": int}
    return event if all(type(value) is kinds.get(name, str) for name, value in event.items()) else None


def agree(data: bytes) -> bool:
    """Tell whether both take it, having found that both say the same."""
    ours, theirs = event_of(data), strictly(data)
    assert (None if ours is None else msgspec.to_builtins(ours)) == theirs
    return theirs is not None


@settings(max_examples=300)
@given(EVENTS, TEXT, some.lists(SPLICES, max_size=2))
def test_whatever_is_in_a_leaf_or_changed_in_it_both_say_the_same(
    event: dict[str, Any], salt: str, splices: list[tuple[float, int, bytes]]
) -> None:
    data = canonical(event, salt)
    for where, gone, new in splices:
        at = int(where * len(data))
        data = data[:at] + new + data[at + gone :]
    agree(data)


LARGE = 2**53 - 1
TAKEN = [
    b"{}", b'{"a":[]}', b'{"a":-1}', b'{"a":[%d]}' % LARGE, b'{"a":"1234567890123456"}', b'{"a":"1e5"}',
    b'{"a":"\x7f"}', '{"ø":1}'.encode(), '{"\ue000":1,"\ue001":1}'.encode(),
    '{"\U0001f600":1,"\ue000":2}'.encode(), b'{"a":"\\\\"}',
    b'{"a":"\\n"}', b'{"a":' + b"[" * 150 + b"]" * 150 + b"}", b'{"a":[' + b"1," * 60_000 + b"1]}",
]  # fmt: skip
REFUSED = [
    b"[]", b"null", b'{"a":1.0}', b'{"a":1e5}', b'{"a":1E400}', b'{"a":-0}', b'{"a":-0.0}', b'{"a":01}', b'{"a":NaN}',
    b'{"a":[%d]}' % (LARGE + 1), b'{"a":-%d}' % (LARGE + 1), b'{"a":18446744073709551616}', b'{"b":1,"a":1}',
    b'{"a":1,"a":1}', b'{"a" :1}', b'{"a":"\\u00f8"}', '{"\ue000":2,"\U0001f600":1}'.encode(), b'{"a":"\\/"}',
    b'{"a":"\n"}', b'{"a":"\xc3"}', b'{"a":"\xc0\x80"}', b'{"a":"\xe0\x80\x80"}', b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\xf8\x88\x80\x80\x80"}', b'{"a":1,}', b'{"a":tru}', b'{"a":' + b"[" * 600 + b"]" * 600 + b"}",
    b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
]  # fmt: skip


@pytest.mark.parametrize("text", TAKEN, ids=lambda text: ascii(text[:24]))
def test_what_looks_doubtful_is_taken_where_it_is_canonical(text: bytes) -> None:
    assert agree(of_entry(text))


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text[:24]))
def test_what_is_written_otherwise_is_refused(text: bytes) -> None:
    assert not agree(of_entry(text))


@pytest.mark.parametrize("field", sorted(BASE))
@pytest.mark.parametrize("value", [None, 1.5, True, [], 7, "x", {}])
def test_an_event_has_these_fields_of_these_types(field: str, value: Any) -> None:
    agree(canonical(BASE | {field: value}))
    assert not agree(canonical({name: each for name, each in BASE.items() if name != field}))
    assert not agree(canonical(BASE | {f"{field}x": value}))

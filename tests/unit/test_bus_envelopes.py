"""The envelope's schema is the rule; the quick way through it never answers otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from contracts.errors import Rejected
from shared.bus import envelope
from shared.bus.envelope import Envelope, make_command, make_event, parse

TOLD = make_event("orders.window_confirmed", {"exit_id": "u-1"}, subject="u-1", aggregate="orders:u-1", seq=3)
ASKED = make_command("orders.list_exits", {}, correlation_id="k-1")
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2**70), st.floats(allow_nan=False), st.text(max_size=6),
    st.sampled_from([
        "", "1.0", "1.0\n", "a.b", "a.b\n", "æ.b", "x" * 81, "x" * 201, "/ophor/orders", "2026-01-01",
        "2026-01-01T24:00:00.000+00:00", "2026-01-01T00:00:00.000+00:00\n", "2026-01-01T00:00:00.000",
        "2026-02-30T00:00:00.000+00:00", "٢٠26-01-01T00:00:00.000+00:00", "2026-01-01T00:00:60.000+00:00",
        "application/json", "text/plain",
    ]),
    st.dictionaries(st.one_of(st.text(max_size=2), st.integers()), st.integers(), max_size=2),
    st.lists(st.text(), max_size=1),
)  # fmt: skip


def ruled(body: Any) -> Any:
    """Give what the schema alone says of an envelope."""
    try:
        return Envelope().load(body)
    except ValidationError as error:
        return next(iter(error.normalized_messages()))  # type: ignore[no-untyped-call]


def parsed(body: Any) -> Any:
    """Give what a receiver says of it."""
    try:
        return parse(body)
    except Rejected as refused:
        return refused.field.partition(".")[0]


@pytest.mark.parametrize("body", [TOLD, ASKED])
def test_what_we_write_takes_the_quick_way_and_reads_as_the_schema_says(body: dict[str, Any]) -> None:
    quick = envelope._usual(body)
    assert quick == ruled(body)
    assert quick is not None and quick["time"].utcoffset() is not None


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from([TOLD, ASKED]),
    st.dictionaries(st.sampled_from(sorted({*envelope._ATTRIBUTES, "more"})), ODD, max_size=3),
    st.sets(st.sampled_from(sorted(envelope._ATTRIBUTES)), max_size=2),
)
def test_no_envelope_is_read_otherwise_than_the_schema_says(
    body: dict[str, Any], changed: dict[str, Any], left_out: set[str]
) -> None:
    made = {name: value for name, value in {**body, **changed}.items() if name not in left_out}
    told = ruled(made)
    assert parsed(made) == told if isinstance(told, dict) else isinstance(parsed(made), str)


@pytest.mark.parametrize("body", [None, [], "text", 7, [TOLD]])
def test_what_is_no_object_is_no_envelope(body: Any) -> None:
    with pytest.raises(Rejected):
        parse(body)

"""Envelopes: canonical, JSON primitives only, checked on the way out."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contracts.errors import Rejected
from shared.bus.envelope import encode, jsonable, make_command, make_event, make_task, parse


def test_an_event_is_a_cloud_event_with_our_extensions() -> None:
    body = make_event("orders.window_confirmed", {"exit_id": "x"}, subject="x", aggregate="orders:x", seq=4)
    assert (body["specversion"], body["source"], body["seq"]) == ("1.0", "/ophor/orders", 4)
    assert parse(body)["time"].utcoffset().total_seconds() == 0


def test_dates_become_iso_strings_and_may_already_be_such() -> None:
    data = {"exit_id": "x", "activity": "D1", "on": date(2026, 1, 2), "owner": "deletion", "systems": [], "due": None}
    first = make_event("scheduling.activity_due", {**data, "earliest": "2026-01-01"})
    assert (first["data"]["on"], first["data"]["earliest"]) == ("2026-01-02", "2026-01-01")


def test_unknown_fields_survive() -> None:
    body = make_event("orders.window_confirmed", {"exit_id": "x", "later": 1}) | {"traceparent": "t"}
    assert parse(body)["data"]["later"] == 1
    assert parse(body)["traceparent"] == "t"


def test_encoding_is_canonical() -> None:
    assert encode({"b": "æ", "a": [1, Decimal("1.10")]}) == '{"a":[1,"1.10"],"b":"æ"}'.encode()
    assert encode(json.loads(encode({"b": 1, "a": 2}))) == encode({"a": 2, "b": 1})


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}, b"x"])
def test_what_is_no_json_primitive_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        jsonable({"a": value})


@pytest.mark.parametrize(
    ("make", "wire"),
    [
        (make_command, "orders.instruct"),
        (make_event, "orders.order_placed"),
        (make_task, "deletion.delete.delete_batch"),
    ],
)
def test_data_that_the_contract_refuses_are_not_sent(make: Any, wire: str) -> None:
    with pytest.raises(Rejected, match="MESSAGE_INVALID"):
        make(wire, {"exit_id": "x"})


def test_what_is_not_in_the_contracts_is_not_sent() -> None:
    with pytest.raises(Rejected, match="WIRE_UNKNOWN"):
        make_event("orders.rumour", {})


@pytest.mark.parametrize(
    "change",
    [{"specversion": "0.3"}, {"id": ""}, {"type": "Orders"}, {"time": "2026-01-01T00:00:00"}, {"data": None},
     {"seq": -1}, {"seq": 1.5}, {"datacontenttype": "text/xml"}],
)  # fmt: skip
def test_a_wrong_envelope_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as refused:
        parse(make_event("orders.window_confirmed", {"exit_id": "x"}) | change)
    assert (refused.value.code, refused.value.field) == ("ENVELOPE_INVALID", next(iter(change)))

"""What is told of a dead letter: ids, words and sizes that are ours or the broker's own, never what a sender wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.bus.dead import EXPIRED, Letter
from shared.bus.guard import Received
from tests.unit.bus_parts import call

BROKERS = {"x-death": [{"queue": "rpc-orders", "reason": "expired", "count": 1}]}


def letter(body: bytes = b"{}", **headers: Any) -> Letter:
    return Letter.of(Received(body, headers, {}, "orders"))


def test_what_the_broker_took_off_a_queue_has_its_reason_and_its_queue() -> None:
    assert (letter(**BROKERS).reason, letter(**BROKERS).queue) == (EXPIRED, "rpc-orders")
    returned = {"x-death": [{"queue": "evt-orders", "reason": "delivery_limit"}]}
    assert (letter(**returned).reason, letter(**returned).queue) == ("delivery-limit", "evt-orders")


def test_our_own_reason_counts_before_the_brokers() -> None:
    assert letter(**BROKERS, **{"ophor-reason": "signature", "ophor-queue": "evt-orders"}).reason == "signature"


@pytest.mark.parametrize("forged", [None, 7, "expired", [], ["expired"], [[]], {"reason": "expired"}])
def test_what_is_no_record_of_the_broker_counts_as_none(forged: Any) -> None:
    found = letter(**{"x-death": forged, "x-first-death-reason": "expired"})
    assert (found.reason, found.queue) == ("delivery-limit", "")


def test_a_dead_call_is_named_by_its_command_and_nothing_of_its_data_is_told() -> None:
    received = call(data={"exit_id": "exit-secret"})
    found = Letter.of(received)
    assert (found.id, found.wire) == ("cmd-1", "orders.place_final_order")
    assert "secret" not in repr(found)


@pytest.mark.parametrize("body", [b"\xff", b"[]", b'"text"', json.dumps({"id": "a b", "type": "drop table"}).encode()])
def test_what_cannot_be_read_is_named_by_the_digest_of_its_body(body: bytes) -> None:
    found = letter(body)
    assert (found.id, found.wire, found.size) == (f"sha256-{found.digest[:16]}", "-", len(body))

"""The guard lets only proven and well-formed messages through, and nothing but its own errors out."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import OphorError, Rejected, Unavailable
from shared.bus import guard
from shared.bus.guard import Poison, Received
from shared.bus.tokens import Actor
from shared.bus.trust import Signer
from tests.unit.bus_parts import CONSOLE, KEYS, TRUST, call, told


def test_a_good_call_becomes_a_message_and_its_unverified_headers_are_dropped() -> None:
    message = guard.command(call(headers={"nameko.correlation_id": "corr-1", "anything": "else"}), "orders", TRUST)
    assert (message.kind, message.id, message.wire) == ("command", "cmd-1", "orders.place_final_order")
    assert (message.subject, message.correlation_id, message.consumer) == ("exit-1", "corr-1", "orders")
    assert message.actor == Actor("usr-1", frozenset({"kommune_projektleder"}), frozenset({"*"}))
    assert "else" not in repr(message)


def test_the_digest_of_a_command_tells_body_and_actor_but_not_time() -> None:
    first, again = (guard.command(call(), "orders", TRUST).body_digest for _ in range(2))
    other_body = guard.command(call(data={"exit_id": "exit-2"}), "orders", TRUST).body_digest
    token = CONSOLE.acting("usr-2", ["kommune_projektleder"])("orders")
    other_actor = guard.command(call(token=token), "orders", TRUST).body_digest
    assert first == again
    assert len({first, other_body, other_actor}) == 3


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [
        ("content-type", {"properties": {"content_type": "application/json; charset=utf-8"}}),
        ("content-encoding", {"properties": {"content_encoding": "utf-16"}}),
        ("size", {"body": b" " * 262_145}),
        ("headers", {"headers": {"compression": "zlib"}}),
        ("reply-to", {"properties": {"reply_to": "orders.place_final_order"}}),
        ("reply-to", {"properties": {"reply_to": "#"}}),
        ("correlation-id", {"properties": {"correlation_id": ""}}),
    ],
)
def test_what_has_no_usable_form_is_poison_without_an_answer(reason: str, spoil: dict[str, Any]) -> None:
    with pytest.raises(Poison) as poison:
        guard.command(call(**spoil), "orders", TRUST)
    assert (poison.value.reason, poison.value.answerable) == (reason, False)


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [
        ("headers", {"headers": {"nameko.authorization": None}}),
        ("headers", {"deadline": float("nan")}),
        ("headers", {"deadline": float("inf")}),
        ("headers", {"deadline": True}),
        ("token-malformed", {"token": "x"}),
        ("token-forged", {"token": CONSOLE.acting("u", [])("orders")[:-8] + "AAAAAAAA"}),
        ("undecodable", {"body": b"\xff"}),
        ("undecodable", {"body": b"[" * 50_000}),
        ("undecodable", {"body": b'{"args":[],"kwargs":{"message":Infinity}}'}),
        ("body", {"body": b"{}"}),
        ("routing-key", {"key": "orders.read_exit"}),
        ("envelope:id", {"envelope": {"id": "a b"}}),
        ("envelope:data", {"envelope": {"data": []}}),
    ],
)
def test_what_is_malformed_or_unproven_is_poison_and_answered(reason: str, spoil: dict[str, Any]) -> None:
    with pytest.raises(Poison) as poison:
        guard.command(call(**spoil), "orders", TRUST)
    assert (poison.value.reason, poison.value.answerable) == (reason, True)


def test_a_proven_caller_is_told_which_field_is_wrong() -> None:
    with pytest.raises(Rejected) as refused:
        guard.command(call(envelope={"data": {"exit_id": ""}}), "orders", TRUST)
    assert (refused.value.code, refused.value.field) == ("MESSAGE_INVALID", "exit_id")


def test_text_that_cannot_be_written_is_poison_before_an_answer_would_name_it() -> None:
    wire, token = "orders.register_agreement", CONSOLE.acting("usr-1", ["ist_projektleder"])("orders")
    body = call(envelope={"type": wire, "data": {"numbers": {"?": 1}}}).body.replace(b'"?"', rb'"\ud800"')
    with pytest.raises(Poison, match="body"):
        guard.command(call(key=wire, token=token, body=body), "orders", TRUST)


def test_a_proven_caller_without_the_role_is_told_who_may() -> None:
    with pytest.raises(Rejected, match="ROLE_MISSING"):
        guard.command(call(token=CONSOLE.acting("usr-1", ["kommune_dpo"])("orders")), "orders", TRUST)


def test_a_call_for_another_service_is_not_served() -> None:
    token = CONSOLE.acting("usr-1", ["kommune_projektleder"])("deletion")
    with pytest.raises(Rejected, match="WIRE_UNKNOWN"):
        guard.command(call(token=token), "deletion", TRUST)


def test_a_call_after_its_deadline_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="DEADLINE_PASSED"):
        guard.command(call(deadline=time.time()), "orders", TRUST)


def test_a_good_event_becomes_a_message() -> None:
    message = guard.event(told(headers={"ophor-attempts": 2}), "scheduling", TRUST)
    assert (message.kind, message.id, message.consumer, message.attempts) == ("event", "evt-1", "scheduling", 2)
    assert (message.subject, message.aggregate, message.seq) == ("exit-1", "orders:exit-1", 3)


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [
        ("signer", {"signer": Signer("deletion", KEYS["deletion"])}),
        ("signature", {"signer": Signer("orders", KEYS["deletion"])}),
        ("signature", {"headers": {"ophor-signature": "!"}}),
        ("signer", {"headers": {"ophor-signature": None}}),
        ("headers", {"headers": {"ophor-attempts": "2"}}),
        ("headers", {"headers": {"ophor-attempts": True}}),
        ("unknown-type", {"envelope": {"type": "orders.unheard_of"}}),
        ("unknown-type", {"envelope": {"type": "orders.place_final_order"}}),
        ("schema:exit_id", {"envelope": {"data": {}}}),
        ("envelope:seq", {"envelope": {"seq": "3"}}),
    ],
)
def test_a_wrong_event_is_poison(reason: str, spoil: dict[str, Any]) -> None:
    with pytest.raises(Poison) as poison:
        guard.event(told(**spoil), "scheduling", TRUST)
    assert poison.value.reason == reason


def test_an_event_changed_in_any_byte_is_poison() -> None:
    good = told()
    for at in range(len(good.body)):
        changed = good.body[:at] + bytes([good.body[at] ^ 1]) + good.body[at + 1 :]
        with pytest.raises(Poison):
            guard.event(Received(changed, good.headers, good.properties, good.routing_key), "scheduling", TRUST)


def test_an_event_is_refused_by_a_service_that_is_no_subscriber() -> None:
    with pytest.raises(Poison, match="unknown-type"):
        guard.event(told(), "deletion", TRUST)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PLACES = ("args", "kwargs", "message", "specversion", "id", "type", "time", "data", "subject", "seq", "correlationid")


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from(PLACES), value=JSON, header=JSON, raw=st.binary(max_size=40))
def test_nothing_but_poison_and_our_errors_leaves_the_guard(place: str, value: Any, header: Any, raw: bytes) -> None:
    envelope = {place: value} if place not in ("args", "kwargs", "message") else {}
    received = [
        call(envelope=envelope),
        call(headers={"nameko.authorization": header, "nameko.deadline": value}),
        call(properties={"reply_to": value, "correlation_id": header}),
        call(body=raw or b"x"),
        told(envelope=envelope, headers={"ophor-signature": value, "ophor-attempts": header}),
        told(body=raw),
    ]
    for each in received:
        with suppress(Poison, OphorError):
            guard.command(each, "orders", TRUST)
        with suppress(Poison):
            guard.event(each, "scheduling", TRUST)

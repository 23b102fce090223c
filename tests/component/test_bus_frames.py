"""Frames on the broker's socket: each at once, or gathered and sent together, in the order they were written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import amqp
import pytest
from amqp.serialization import dumps

from shared.bus.frames import Writer, acked, published

HEARTBEAT = (8, 0, None, None, None)
ON_WIRE = b"\x08\x00\x00\x00\x00\x00\x00\xce"


def written() -> tuple[Writer, list[bytes]]:
    sent: list[bytes] = []
    transport = SimpleNamespace(write=lambda frame: sent.append(bytes(frame)))
    connection: Any = SimpleNamespace(frame_max=131_072, bytes_sent=0)
    return Writer(connection, transport), sent


def frame(number: int) -> tuple[Any, ...]:
    """A method frame: basic.ack of a delivery tag."""
    return (1, 1, (60, 80), number.to_bytes(8, "big") + b"\x00", None)


def test_a_frame_is_sent_at_once() -> None:
    writer, sent = written()
    writer(*HEARTBEAT)
    writer(*HEARTBEAT)
    assert sent == [ON_WIRE, ON_WIRE]


def test_gathered_frames_are_sent_together_in_their_order_and_the_next_one_at_once() -> None:
    writer, sent = written()
    with writer.gathered():
        for number in (1, 2, 3):
            writer(*frame(number))
        assert sent == []
    writer(*HEARTBEAT)
    gathered, after = sent
    assert [gathered.find(number.to_bytes(8, "big")) for number in (1, 2, 3)] == [11, 32, 53] and after == ON_WIRE


def test_many_frames_do_not_wait_for_the_end_and_an_error_keeps_none_back() -> None:
    writer, sent = written()
    with pytest.raises(RuntimeError), writer.gathered():
        for number in range(5_000):
            writer(*frame(number))
        assert sent
        raise RuntimeError
    assert len(b"".join(sent)) == 5_000 * 21


HEADERS = {"ophor-signer": "orders", "ø": "æ" * 300, "odd": "\ud800", "ophor-attempts": 0, "low": -7, "yes": True}
PROPERTIES = {
    "content_type": "application/json", "content_encoding": "utf-8", "message_id": "0193-ø", "correlation_id": "c",
    "type": "t", "user_id": "svc-orders",
}  # fmt: skip


@pytest.mark.parametrize("names", [[], ["content_type", "message_id"], list(PROPERTIES)])
@pytest.mark.parametrize("body", [b"", b"{}", b"x" * 131_064, b"x" * 300_000])
def test_a_message_is_written_byte_for_byte_as_py_amqp_writes_it(names: list[str], body: bytes) -> None:
    writer, sent = written()
    properties: dict[str, Any] = {name: PROPERTIES[name] for name in names}
    properties["application_headers"] = HEADERS
    message = amqp.Message(body, delivery_mode=2, **properties)
    writer(1, 7, (60, 40), dumps("Bssbb", (0, "orders.events", "order_placed", True, False)), message)
    to = ("orders.events", "order_placed")
    assert published(7, to, properties, body, 131_072) == b"".join(sent)


@pytest.mark.parametrize("headers", [None, {}, {"nameko.deadline": 1.5, "nameko.authorization": "e30"}])
def test_a_call_and_the_ack_of_an_answer_are_written_as_py_amqp_writes_them(headers: dict[str, Any] | None) -> None:
    writer, sent = written()
    properties: dict[str, Any] = {
        "content_type": "application/json",
        "delivery_mode": 1,
        "reply_to": "a",
        "correlation_id": "c",
    }
    properties |= {} if headers is None else {"application_headers": headers}
    message = amqp.Message(b"{}", **properties)
    writer(1, 7, (60, 40), dumps("Bssbb", (0, "nameko-rpc", "orders.x", False, False)), message)
    writer(1, 7, (60, 80), dumps("Lb", (2**40, False)), None)
    frames = published(7, ("nameko-rpc", "orders.x"), properties, b"{}", 131_072, mandatory=False)
    assert frames + acked(7, 2**40) == b"".join(sent)


@pytest.mark.parametrize("number", [2**31, -(2**40), 2**63 - 1, -(2**63)])
def test_a_large_number_is_read_back_by_py_amqp(number: int) -> None:
    """py-amqp writes it under another letter, as unsigned; the broker knows this one."""
    frames = published(1, ("", "x"), {"application_headers": {"n": number}}, b"", 131_072)
    header = frames[frames.index(b"\xce\x02") + 8 :]
    message = amqp.Message()
    message.inbound_header(header)
    assert message.properties["application_headers"] == {"n": number}

"""Messages read in one piece are what py-amqp would have read, and whatever is not usual is left to it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from struct import pack
from typing import Any

import amqp
import pytest
from amqp.serialization import dumps
from amqp.transport import TCPTransport

from shared.bus.frames import published
from shared.bus.reading import has_come, read_ahead, read_on, tolerant

HEADERS = {"nameko.deadline": 1.5, "ø": "æ" * 300, "attempts": 3}
PROPERTIES = {
    "content_type": "application/json", "correlation_id": "c-1", "application_headers": HEADERS, "delivery_mode": 2,
}  # fmt: skip
HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"


def delivered(body: bytes, key: bytes = b"orders.x", number: int = 7, most: int = 131_072) -> bytes:
    """The frames of a delivery on channel 1."""
    content = published(1, ("", "x"), PROPERTIES, body, most)
    arguments: bytes = dumps("sLbs", ("tag", number, True, "nameko-rpc")) + bytes((len(key),)) + key
    payload = pack(">HH", 60, 60) + arguments
    return pack(">BHI", 1, 1, len(payload)) + payload + b"\xce" + content[content.index(b"\xce\x02") + 1 :]


@contextmanager
def reading() -> Iterator[tuple[amqp.Connection, socket.socket, list[amqp.Message]]]:
    """A connection whose broker is the other end of a socket, with a consumer that keeps what it hears."""
    ours, theirs = socket.socketpair()
    transport = TCPTransport("broker")
    transport.sock = ours
    transport._setup_transport()
    connection = amqp.Connection(frame_handler=tolerant)
    connection.transport = transport
    connection.on_inbound_frame = connection.frame_handler_cls(connection, connection.on_inbound_method)
    channel, heard = amqp.Channel(connection, 1), list[amqp.Message]()
    channel.auto_decode, channel.callbacks["tag"] = False, heard.append
    read_ahead(connection)
    try:
        yield connection, theirs, heard
    finally:
        ours.close()
        theirs.close()


def told(raw: amqp.Message) -> tuple[Any, ...]:
    return bytes(raw.body or b""), raw.properties, raw.delivery_info, raw.channel.channel_id


@pytest.mark.parametrize("body", [b"", b"{}", b"x" * 20_000])
def test_a_message_that_is_there_whole_is_the_one_that_py_amqp_reads(body: bytes) -> None:
    with reading() as (connection, broker, heard):
        broker.sendall(delivered(body) * 2 + HEARTBEAT)
        read_on(connection)
        assert len(heard) == 1 and connection.bytes_recv > 0 and has_come(connection.transport)
        connection.drain_events()
        read_on(connection)  # the heartbeat, which is no message
        assert told(heard[0]) == told(heard[1]) and not has_come(connection.transport)
        assert told(heard[0])[:2] == (body, PROPERTIES) and heard[0].delivery_info["routing_key"] == "orders.x"


@pytest.mark.parametrize("size", [1, 7, 20, 61, 500])
def test_a_message_that_comes_in_pieces_or_in_many_frames_is_heard_once_and_whole(size: int) -> None:
    with reading() as (connection, broker, heard):
        broker.sendall(delivered(b"y" * 300)[:size])
        transport, read = connection.transport, connection.transport._quick_recv
        transport._quick_recv = lambda wanted: read(min(wanted, size))
        broker.sendall(delivered(b"y" * 300)[size:] + delivered(b"z" * 300, number=8, most=128))
        while len(heard) < 2:
            read_on(connection)
        assert [bytes(raw.body) for raw in heard] == [b"y" * 300, b"z" * 300]
        assert [raw.delivery_tag for raw in heard] == [7, 8] and not has_come(transport)


def test_what_cannot_be_read_comes_as_our_frame_handler_gives_it() -> None:
    with reading() as (connection, broker, heard):
        spoilt = delivered(b"{}").replace(b"application/json", b"application/\xff\xff\xff\xff")
        broker.sendall(delivered(b"{}", key=b"\xff\xfe") + spoilt)
        read_on(connection)
        read_on(connection)
        assert [raw.delivery_info["routing_key"] for raw in heard] == ["??", "orders.x"]
        assert [raw.properties for raw in heard] == [PROPERTIES, {}]


def test_a_frame_that_ends_wrongly_is_refused() -> None:
    with reading() as (connection, broker, heard):
        broker.sendall(delivered(b"{}")[:-1] + b"\x00")
        with pytest.raises(amqp.exceptions.UnexpectedFrame):
            read_on(connection)
        assert heard == []

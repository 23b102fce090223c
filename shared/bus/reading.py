"""Reading from the broker's socket: all that has come at once, and a message that is there whole in one piece.

py-amqp reads a message as three frames, in a dozen reads and as many calls; here what is usual is cut out of the bytes
that were read, in a quarter of the time. Whatever is not usual (a frame that is not all there, a body in many frames,
text that cannot be decoded) is left to py-amqp, whose frame handler says what becomes of it (`tolerant`).
"""

from __future__ import annotations

import ssl
from struct import unpack_from
from typing import Any

import amqp
from amqp.method_framing import frame_handler

_MOST = 65_536
_FRAME, _END = 8, 0xCE  # type, channel, size, end
_DELIVER = b"\x00\x3c\x00\x3c"
_NO_BODY = bytes(8)


def read_ahead(connection: amqp.Connection) -> None:
    """Have py-amqp take from the socket all that has come, not a frame in two reads.

    For a connection that is read with `drain_events` or `read_on` alone: whoever waits on the socket by `select` would
    not see what was read ahead.
    """
    transport = connection.transport
    receive = transport._quick_recv
    transport._quick_recv = lambda wanted: receive(max(wanted, _MOST))


def has_come(transport: Any) -> bool:
    """Tell whether a frame, or what the socket will not show, was read ahead already."""
    sock = transport.sock
    return _end(transport._read_buffer, 0) > 0 or (isinstance(sock, ssl.SSLSocket) and sock.pending() > 0)


def read_on(connection: amqp.Connection) -> None:
    """Read one message or method, as `drain_events` does, and hand it on; the socket's patience is that of `dial`."""
    transport = connection.transport
    if not transport._read_buffer:
        transport._read_buffer = transport._read(1) + transport._read_buffer
    if not _delivered(connection, transport._read_buffer):
        connection.drain_events()


def _delivered(connection: amqp.Connection, ahead: bytes) -> bool:
    """Hand on the message that the bytes begin with; nothing where it is not a whole and usual one."""
    ends = _frames(ahead)
    channel = (connection.channels or {}).get(int.from_bytes(ahead[1:3]))
    if not ends or channel is None or channel.auto_decode or channel.is_closing:
        return False
    method, header, body = ends
    try:
        message = amqp.Message(ahead[header + 7 : body - 1] if body > header else b"")
        message.inbound_header(ahead[method + 7 : header - 1])
        arguments = _arguments(ahead[11 : method - 1])
    except Exception:  # whatever py-amqp raises on what it cannot read: it, and our handler, shall say so
        return False
    connection.transport._read_buffer = ahead[body:]
    connection.bytes_recv += 1  # for the heartbeat
    channel._on_basic_deliver(*arguments, message)
    return True


def _frames(ahead: bytes) -> tuple[int, int, int] | None:
    """Give where method, header and body of a delivery end that is there whole: three frames, or two without a body."""
    if ahead[:1] != b"\x01" or ahead[7:11] != _DELIVER:
        return None
    method = _end(ahead, 0)
    header = method and _end(ahead, method)
    if not header or ahead[method : method + 3] != b"\x02" + ahead[1:3]:
        return None
    (size,) = unpack_from(">Q", ahead, method + 11)
    body = _end(ahead, header) if size else header
    if not body or (size and (ahead[header : header + 3] != b"\x03" + ahead[1:3] or body - header - _FRAME != size)):
        return None
    return (method, header, body) if {ahead[end - 1] for end in (method, header, body)} == {_END} else None


def _end(ahead: bytes, at: int) -> int:
    """Give where the frame ends that begins at `at`, 0 where not all of it is there."""
    end = at + _FRAME + int.from_bytes(ahead[at + 3 : at + 7])
    return end if len(ahead) >= end else 0


def _arguments(given: bytes) -> tuple[str, int, bool, str, str]:
    """Give a delivery's consumer tag, delivery tag, redelivered, exchange and routing key (AMQP 0-9-1 §1.8.3.13)."""
    at = 1 + given[0]
    number, redelivered, length = unpack_from(">QBB", given, at)
    key = at + 10 + length
    if len(given) != key + 1 + given[key]:
        raise ValueError("a text ends outside of its frame")
    return given[1:at].decode(), number, bool(redelivered), given[at + 10 : key].decode(), given[key + 1 :].decode()


def tolerant(connection: amqp.Connection, callback: Any) -> Any:
    """Make py-amqp's frame handler, but return on heartbeats, and mend bad properties (none) and keys (`?`)."""
    inner = frame_handler(connection, callback)

    def on_frame(frame: tuple[int, int, Any]) -> Any:
        kind, channel, body = frame
        if kind == 8:  # a heartbeat: else `drain_events` would wait on for a message
            inner(frame)
            return True
        if kind == 1 and bytes(body[:4]) == _DELIVER:
            return inner((kind, channel, _legible(bytes(body))))
        if kind == 2 and body[4:12] != _NO_BODY:  # it is only decoded here: the body is still to come
            try:
                return inner(frame)
            except Exception:  # whatever py-amqp raises on a table or text that it cannot read
                return inner((kind, channel, _bare(body)))
        if kind == 2 and not _decodes(body):
            return inner((kind, channel, _bare(body)))
        return inner(frame)

    return on_frame


def _bare(header: Any) -> bytes:
    """Give a content header without properties: class, weight and size are left."""
    return bytes(header[:12]) + b"\x00\x00"


def _decodes(header: Any) -> bool:
    try:
        amqp.Message().inbound_header(header)
    except Exception:  # whatever py-amqp raises on a table or text that it cannot read
        return False
    return True


def _legible(body: bytes) -> Any:
    """Replace the routing key of a basic.deliver by as many `?` where it is not UTF-8."""
    at = 4 + 1 + body[4] + 8 + 1  # method, consumer tag, delivery tag, redelivered
    at += 1 + body[at]  # exchange
    length = body[at]
    key = body[at + 1 : at + 1 + length]
    try:
        key.decode("utf-8")
    except UnicodeDecodeError:
        return body[: at + 1] + b"?" * length + body[at + 1 + length :]
    return body

"""Frames on the broker's socket: each at once, or gathered and sent together, in the order they were written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from shared.bus.frames import Writer

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

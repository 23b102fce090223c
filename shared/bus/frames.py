"""Writing to the broker's socket: frame by frame, or, while `gathered`, many frames with one system call.

py-amqp sends each message by itself; a relay sends hundreds in a row. Nothing may be read while frames are gathered:
the answer waited for would be to something that has not been sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import amqp
from amqp.method_framing import frame_writer

_MOST = 65_536


class Writer:
    """A connection's frame writer, as `amqp.Connection` makes one: py-amqp's own, with this in the socket's place."""

    def __init__(self, connection: amqp.Connection, transport: Any) -> None:
        self._send, self._held, self._gathering = transport.write, bytearray(), False
        self._write_frame = frame_writer(connection, self)

    def __call__(self, *frame: Any) -> None:
        """Write a frame."""
        self._write_frame(*frame)

    def write(self, frame: Any) -> None:
        """Send a frame's bytes, now or with the others."""
        if not self._gathering:
            self._send(frame)
            return
        self._held += frame
        if len(self._held) >= _MOST:
            self._flush()

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep frames back until the end of the block (or until they are many), then send them together."""
        self._gathering = True
        try:
            yield
        finally:
            self._gathering = False
            self._flush()

    def _flush(self) -> None:
        held, self._held = self._held, bytearray()
        if held:
            self._send(held)

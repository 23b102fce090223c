"""Publishing with pipelined confirms on one channel: the fate of every message is told once (design §3.1).

* `ok` = some queue has it on disk; `unroutable` = no queue took it; `nacked` = some queue refused it.
* A tag is noted before its message is sent. A return carries no tag and comes before its ack, so each message bears its
  tag in a header.
* Only the thread that owns the connection may use this. A channel that closes leaves all open fates unknown.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Literal

import amqp
from amqp.exceptions import RecoverableConnectionError

from shared.bus.frames import published

Fate = Literal["ok", "unroutable", "nacked"]
Told = Callable[[Fate], None]
TAG_HEADER = "ophor-tag"


class Confirms:
    """A channel in confirm mode; `open` fates are not known yet, the oldest since `waiting_s`."""

    def __init__(self, channel: amqp.Channel) -> None:
        self.channel = channel
        self._next = 1
        self._open: OrderedDict[int, tuple[Told, float]] = OrderedDict()
        self._returned: set[int] = set()
        channel.confirm_select()
        channel.events["basic_ack"].add(self._acked)
        channel.events["basic_nack"].add(self._nacked)
        channel.events["basic_return"].add(self._came_back)

    @property
    def open(self) -> int:
        """Count the messages whose fate is not known yet."""
        return len(self._open)

    @property
    def waiting_s(self) -> float:
        """Give how long the oldest open message has waited for its confirm (seconds)."""
        return time.monotonic() - next(iter(self._open.values()))[1] if self._open else 0.0

    def publish(self, body: bytes, properties: Mapping[str, Any], to: tuple[str, str], told: Told) -> None:
        """Publish persistently to (exchange, routing key), mandatory; `told` hears the fate when it is known.

        Properties are texts, `application_headers` texts and numbers. Raise RecoverableConnectionError where the
        channel is closed, OSError where the socket is.
        """
        connection = self.channel.connection
        if connection is None:
            raise RecoverableConnectionError("the channel is closed")
        tag, self._next = self._next, self._next + 1
        self._open[tag] = (told, time.monotonic())
        headers = {**properties.get("application_headers", {}), TAG_HEADER: tag}
        properties = {**properties, "application_headers": headers}
        frames = published(self.channel.channel_id, to, properties, body, connection.frame_max)
        connection.frame_writer.write(frames)

    def _acked(self, tag: int, multiple: bool) -> None:
        for each, told in self._taken(tag, multiple):
            fate: Fate = "unroutable" if each in self._returned else "ok"
            self._returned.discard(each)
            told(fate)

    def _nacked(self, tag: int, multiple: bool) -> None:
        for each, told in self._taken(tag, multiple):
            self._returned.discard(each)
            told("nacked")

    def _came_back(self, _error: Exception, _exchange: str, _key: str, message: amqp.Message) -> None:
        self._returned.add(int(message.properties["application_headers"][TAG_HEADER]))

    def _taken(self, tag: int, multiple: bool) -> list[tuple[int, Told]]:
        """Take out all that this answer settles before anybody is told: whoever is told may read the next answer."""
        return [(each, self._open.pop(each)[0]) for each in self._tags(tag, multiple)]

    def _tags(self, tag: int, multiple: bool) -> list[int]:
        if not multiple:
            return [tag] if tag in self._open else []
        found = []
        for each in self._open:
            if each > tag:
                break
            found.append(each)
        return found

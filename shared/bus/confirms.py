"""Publishing with pipelined confirms on one channel: the fate of every message is told once (design §3.1).

* `ok` = some queue has it on disk; `unroutable` = no queue took it; `nacked` = some queue refused it.
* A tag is noted before its message is sent: acks are dispatched inside `basic_publish`. A return carries no tag and
  comes before its ack, so each message bears its tag in a header.
* Only the thread that owns the connection may use this. A channel that closes leaves all open fates unknown.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Literal

import amqp

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
        """Publish persistently to (exchange, routing key), mandatory; `told` hears the fate when it is known."""
        tag, self._next = self._next, self._next + 1
        self._open[tag] = (told, time.monotonic())
        options = {name: value for name, value in properties.items() if name != "application_headers"}
        headers = {**properties.get("application_headers", {}), TAG_HEADER: tag}
        message = amqp.Message(body, application_headers=headers, delivery_mode=2, **options)
        self.channel.basic_publish(message, exchange=to[0], routing_key=to[1], mandatory=True)

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

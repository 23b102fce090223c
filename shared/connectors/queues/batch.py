"""Messages held to be acknowledged or given back (see `protocol.Batch`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import amqp

from shared.connectors.protocol import Key
from shared.connectors.queues import message
from shared.connectors.queues.broker import Look, translated

if TYPE_CHECKING:
    from shared.connectors.queues.connector import QueuesConnector


@dataclass(slots=True)
class _Held:
    """What waited in one queue: the tenant's messages id → tag, how many are others', and the tags chosen to go."""

    look: Look
    own: dict[str, int] = field(default_factory=dict)
    others: int = 0
    chosen: set[int] = field(default_factory=set)


class QueuesBatch:
    """Everything that waits in the queues it touches, held on one channel; without `commit` all of it goes back."""

    def __init__(self, target: QueuesConnector, channel: amqp.Channel) -> None:
        self._target, self._channel = target, channel
        self._held: dict[str, _Held] = {}

    def delete(self, place: str, keys: Sequence[Key]) -> int:
        """Choose the tenant's messages of these ids."""
        held = self._hold(place)
        before = len(held.chosen)
        held.chosen |= {held.own[str(key[0])] for key in keys if str(key[0]) in held.own}
        return len(held.chosen) - before

    def planned(self) -> dict[str, int]:
        """Give how many were chosen."""
        return {place: len(held.chosen) for place, held in self._held.items() if held.chosen}

    def effects(self) -> dict[str, int]:
        """Give what would be acknowledged, by its tag: that, and nothing else, goes."""
        tags = {tag: place for place, held in self._held.items() for tag in held.own.values()}
        chosen = [tags[tag] for held in self._held.values() for tag in held.chosen]
        return {place: chosen.count(place) for place in set(chosen)}

    def neighbours(self) -> dict[str, int]:
        """Count the others' messages, which are held as well until the batch ends."""
        return {place: self._hold(place).others for place in self._target.owned()}

    def commit(self) -> None:
        """Acknowledge what was chosen, give the rest back, and wait until the broker has done both."""
        with translated(self._target.system, "delete"):
            for held in self._held.values():
                held.look.acknowledge(held.chosen)
            self.give_back()
            self._channel.close()

    def give_back(self) -> None:
        """Give back, in order, what is still held; where the channel is gone, the broker has done so."""
        if self._channel.is_open:
            for held in self._held.values():
                held.look.give_back()
        self._held = {}

    def _hold(self, place: str) -> _Held:
        if place not in self._held:
            held = _Held(Look(self._channel, self._target.system, place))
            self._held[place] = held
            with translated(self._target.system, "delete", place):
                for each in message.named(self._own(place, held)):
                    held.own[each.id] = int(each.message.delivery_info["delivery_tag"])
        return self._held[place]

    def _own(self, place: str, held: _Held) -> Iterator[amqp.Message]:
        for one in held.look.messages():
            if self._target.is_own(place, one):
                yield one
            else:
                held.others += 1

"""Confirms: every fate is told once, also where whoever is told reads the broker's next answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from shared.bus.confirms import Confirms, Fate


class Wire:
    """What `Confirms` needs of a channel: it publishes nowhere, and lets the test speak for the broker."""

    channel_id = 1

    def __init__(self) -> None:
        self.events: dict[str, set[Callable[..., None]]] = defaultdict(set)
        self.connection = SimpleNamespace(frame_max=131_072, frame_writer=SimpleNamespace(write=bytes))

    def confirm_select(self) -> None:
        """Be in confirm mode."""

    def says(self, event: str, tag: int, *, multiple: bool) -> None:
        for hears in list(self.events[event]):
            hears(tag, multiple)


def test_a_fate_is_told_once_where_the_told_read_on() -> None:
    wire: Any = Wire()
    confirms, fates = Confirms(wire), list[tuple[int, Fate]]()

    def told(number: int) -> Callable[[Fate], None]:
        def hear(fate: Fate) -> None:
            fates.append((number, fate))
            if number == 1:  # as basic_ack does on a channel that has more to read
                wire.says("basic_ack", 3, multiple=True)

        return hear

    for number in (1, 2, 3):
        confirms.publish(b"{}", {}, ("there", "x"), told(number))
    wire.says("basic_ack", 2, multiple=True)
    assert sorted(fates) == [(1, "ok"), (2, "ok"), (3, "ok")] and confirms.open == 0

"""A message that the broker waits for, and the ways in which a face settles it: exactly one of them, once.

Everything is done in the turn of the inlet's pump, on the channel that brought the message; of a channel that was lost
nothing is done any more, for the broker has its messages back. Answers need no confirm: a caller who got none repeats
its command.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import amqp

from contracts.errors import OphorError
from shared.bus.envelope import FORM, encode
from shared.bus.faces_house import Outcome
from shared.bus.guard import Received
from shared.bus.ladder import Ladder
from shared.bus.pump import publish

if TYPE_CHECKING:
    from shared.bus.faces_inlet import Inlet

RPC_EXCHANGE = "nameko-rpc"


class Delivery:
    """A message that the broker waits for; exactly one of the methods below settles it, from any greenlet."""

    def __init__(self, inlet: Inlet, raw: amqp.Message) -> None:
        self.inlet, self.raw, self.received = inlet, raw, Received.of(raw)
        self.moving = False  # handled, and on its way to the ladder or the dead letters

    def ack(self) -> None:
        """Tell the broker that it is done."""
        self._settle(lambda channel: channel.basic_ack(self.raw.delivery_tag))

    def requeue(self) -> None:
        """Give it back to the broker, for another process or for later."""
        self._settle(lambda channel: channel.basic_reject(self.raw.delivery_tag, requeue=True))

    def answer(self, outcome: Outcome) -> None:
        """Answer the caller, then ack."""

        self._settle(lambda channel: self._reply(channel, outcome, self.raw.delivery_tag))

    def bury(self, reason: str, answer: OphorError | None = None) -> None:
        """Put it with the dead letters; once they have it, ack, and tell its sender where there is an answer."""

        def buried() -> None:
            if answer is not None:
                self._reply(self.raw.channel, Outcome(error=answer))
            self.inlet.in_flight.discard(self)

        self._climb(lambda ladder: ladder.bury(self.raw, self.inlet.queue, reason, buried))

    def climb(self, reason: str) -> None:
        """Have it tried again later, or buried after the last attempt."""
        self._climb(lambda ladder: ladder.climb(self.raw, self.inlet.queue, reason, self._gone))

    def wait(self) -> None:
        """Have it come back a little later as it is."""
        self._climb(lambda ladder: ladder.wait(self.raw, self.inlet.queue, self._gone))

    def _settle(self, action: Callable[[amqp.Channel], None]) -> None:
        self.inlet.pump.at_once(action, self.raw.channel)
        self._gone()

    def _climb(self, step: Callable[[Ladder], None]) -> None:
        self.moving = True
        self.inlet.pump.post(lambda _channel: step(self.inlet.ladder), self.raw.channel)

    def _gone(self) -> None:
        self.inlet.in_flight.discard(self)

    def _reply(self, channel: amqp.Channel, outcome: Outcome, ack: int = 0) -> None:
        asked = self.received.properties
        properties = {**FORM, "correlation_id": asked["correlation_id"]}
        publish(channel, (RPC_EXCHANGE, asked["reply_to"]), properties, encode(outcome.wire()), ack=ack)

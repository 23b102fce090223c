"""A broker for one purpose: its management API, its channels, and what their errors mean; no error's text is passed on.

The management API names what there is; only a channel says what waits there now (the API's numbers are seconds old).
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import amqp
import httpx
from amqp import exceptions, spec

from contracts.errors import OphorError, Rejected
from contracts.system_map import System
from shared.bus.pump import dial
from shared.connectors import failures

_WINDOW, _ROUNDS = 200, 10
_PATIENCE_S, _PAUSE_S = 20.0, 0.02
_GOT, _NOTHING = spec.Basic.GetOk, spec.Basic.GetEmpty


@contextmanager
def translated(system: str, purpose: str, place: str = "") -> Iterator[None]:
    """Turn the client's and the operating system's errors into the two families."""
    try:
        yield
    except (amqp.AMQPError, OSError, httpx.HTTPError) as error:
        raise _family(error, system, purpose, place) from None


def _family(error: Exception, system: str, purpose: str, place: str) -> OphorError:
    if isinstance(error, exceptions.AccessRefused | exceptions.NotAllowed):
        return failures.refused(system, purpose)
    if isinstance(error, exceptions.ResourceLocked):
        return failures.busy(system, "the queue is held by another connection")
    if isinstance(error, exceptions.NotFound):
        return missing(system, place)
    if isinstance(error, exceptions.IrrecoverableChannelError):
        return failures.target_error(system, place, f"error {error.code}")
    return failures.unreachable(system)


def missing(system: str, place: str) -> Rejected:
    """Make MAP_UNKNOWN_PLACE: the broker has no such queue."""
    return Rejected(
        "MAP_UNKNOWN_PLACE", f"{system}: the queue is not there", field=f"systems.{system}.places.{place}",
        remedy="correct its name in the map", da=f"{system}: køen findes ikke.",
    )  # fmt: skip


class Broker:
    """One virtual host, as the user of one purpose; a channel is a connection of its own, closed after its use."""

    def __init__(self, system: System, purpose: str) -> None:
        self._system, self._purpose = system.name, purpose
        user, password = system.secret(purpose)
        where = urlsplit(str(system.connection["amqp"]))
        self.vhost = unquote(where.path[1:]) or "/"
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        query = f"?{where.query}" if where.query else ""
        self._uri = f"{where.scheme}://{login}@{where.netloc}/{quote(self.vhost, safe='')}{query}"
        address = str(system.connection["url"]).rstrip("/") + "/api/"
        self._client = httpx.Client(base_url=address, auth=(user, password), timeout=10.0, trust_env=False)

    def ask(self, method: str, kind: str, *names: str, body: Any = None) -> Any:
        """Ask the management API about `kind` in this virtual host; None where the thing is not there (404)."""
        path = "/".join((kind, *(quote(name, safe="") for name in names)))
        with translated(self._system, self._purpose):
            answer = self._client.request(method, path, json=body)
        if answer.status_code in (401, 403):
            raise failures.refused(self._system, self._purpose)
        if answer.status_code == 404:
            return None
        if not answer.is_success:
            raise failures.unreachable(self._system, f"answers {answer.status_code}")
        try:
            return answer.json() if answer.content else {}
        except ValueError:
            raise failures.unreachable(self._system, "answers something else than JSON") from None

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """List what the virtual host has of a `kind`; a 404 is no empty list."""
        found = self.ask("GET", kind, self.vhost)
        if not isinstance(found, list):
            raise failures.unreachable(self._system, "has no such virtual host")
        return found

    @contextmanager
    def channel(self, place: str = "") -> Iterator[amqp.Channel]:
        """Open a channel; at its end the broker puts back whatever was taken and not acknowledged."""
        with translated(self._system, self._purpose, place):
            connection = dial(self._uri, f"ophor-{self._purpose}")
            try:
                channel = connection.channel()
                yield channel
                if channel.is_open:
                    channel.close()
            finally:
                with suppress(amqp.AMQPError, OSError):
                    connection.close()

    def close(self) -> None:
        """Close the management client."""
        self._client.close()


def waiting(channel: amqp.Channel, queue: str) -> tuple[int, int]:
    """Give (messages that wait, consumers) of a queue as of now; needs no right."""
    said = channel.queue_declare(queue, passive=True)
    return int(said.message_count), int(said.consumer_count)


class Look:
    """Everything that waits in one queue, taken unacknowledged and given back message by message, in its order.

    As long as it is held, a consumer of ours stands at the queue: the broker counts it until it has put everything
    back, also after our death. So a second look is refused meanwhile, and never takes what we hold for gone.
    """

    def __init__(self, channel: amqp.Channel, system: str, queue: str) -> None:
        self._channel, self._system, self._queue = channel, system, queue
        self._tags: list[int] = []
        self._pushed: deque[amqp.Message] = deque()
        self._guard = ""

    def messages(self) -> Iterator[amqp.Message]:
        """Take until nothing waits; raise TARGET_BUSY where others take too, or it never ends."""
        number = self._stand_guard()
        for _ in range(_ROUNDS):
            yield from self._take_pushed()
            before = len(self._tags)
            for start in range(0, max(1, number), _WINDOW):  # a quorum queue without a leader says 0: ask it itself
                yield from self._get(min(_WINDOW, max(1, number) - start))
            got = len(self._tags) - before
            if got < number:
                raise failures.busy(self._system, "messages went while they were looked at")
            if not got and not self._pushed:
                return
            number, _ = waiting(self._channel, self._queue)
        raise failures.busy(self._system, "messages arrive faster than they can be looked at")

    def acknowledge(self, tags: Collection[int]) -> None:
        """Have the broker forget these messages for good, before anything else happens."""
        for tag in sorted(tags):
            self._channel.basic_ack(tag)
        waiting(self._channel, self._queue)
        self._tags = [tag for tag in self._tags if tag not in tags]

    def give_back(self) -> None:
        """Give back what is held, one by one: so a quorum queue keeps its order too; wait until it is there again."""
        if not self._guard:
            return
        self._channel.basic_cancel(self._guard)
        tags = self._tags + [int(one.delivery_info["delivery_tag"]) for one in self._pushed]
        for tag in sorted(tags):
            self._channel.send_method(spec.Basic.Nack, "Lbb", (tag, False, True))
        self._tags, self._guard = [], ""
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            there, holders = waiting(self._channel, self._queue)
            if there >= len(tags) and not holders:
                return
            time.sleep(_PAUSE_S)

    def _stand_guard(self) -> int:
        """Put our consumer, of one message, at the queue, alone; give how many messages are left to ask for."""
        before, consumers = waiting(self._channel, self._queue)
        if not consumers:
            self._guard = f"ophor-{secrets.token_hex(8)}"
            self._channel.basic_qos(0, 1, False)
            self._channel.basic_consume(self._queue, self._guard, callback=self._pushed.append)
            number, consumers = waiting(self._channel, self._queue)
        if consumers != 1 or not self._guard:
            raise failures.busy(self._system, "somebody consumes from it, and nobody else can look into what they hold")
        until = time.monotonic() + _PATIENCE_S
        while before and not self._pushed:
            if time.monotonic() > until:
                raise failures.busy(self._system, "messages went before they were looked at")
            with suppress(TimeoutError):
                self._channel.connection.drain_events(timeout=_PAUSE_S)
        return number

    def _take_pushed(self) -> Iterator[amqp.Message]:
        while self._pushed:
            yield self._held(self._pushed.popleft())

    def _get(self, number: int) -> Iterator[amqp.Message]:
        """Ask for `number` messages in one go."""
        for _ in range(number):
            self._channel.send_method(spec.Basic.Get, "Bsb", (0, self._queue, False))
        for _ in range(number):
            answer = self._channel.wait([_GOT, _NOTHING], returns_tuple=True)
            if len(answer) > 1:
                tag, _, exchange, key, _, message = answer
                message.delivery_info = {"delivery_tag": tag, "exchange": exchange, "routing_key": key}
                yield self._held(message)

    def _held(self, message: amqp.Message) -> amqp.Message:
        self._tags.append(int(message.delivery_info["delivery_tag"]))
        return message

"""The pump: one thread (or, in a face, one greenlet) that owns one broker connection and alone reads and writes it.

* It selects on the socket and on a wake-up pipe; everything else hands it actions with `post`. So acks, answers and
  heartbeats are never interleaved, and a slow handler never costs the connection.
* What only writes need not wait for it to wake: `at_once` takes its turn while it rests. It alone reads.
* A lost connection is opened again with growing pauses and jitter; actions that were posted for a lost channel are
  dropped, for the broker has taken back what was not acked.
* 403, 404 and 406 (and a refused login or virtual host) do not heal by waiting: `run` raises BusMismatch.
* A message whose properties cannot be decoded reaches the consumer with empty ones, to be dead-lettered there; stock
  py-amqp would end the connection, and meet the same message again.
"""

from __future__ import annotations

import logging
import os
import random
import selectors
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import amqp
from amqp.exceptions import (
    AccessRefused,
    AMQPError,
    NotAllowed,
    NotFound,
    PreconditionFailed,
    RecoverableConnectionError,
    ResourceLocked,
)

from shared.bus.frames import Writer, acked, published
from shared.bus.reading import has_come, read_ahead, read_on, tolerant

Action = Callable[[amqp.Channel], None]

FATAL = (NotFound, AccessRefused, PreconditionFailed, NotAllowed, ResourceLocked)
LOST = (AMQPError, OSError)
HEARTBEAT_S = 10
LONGEST_PAUSE_S = 5.0
_TURN_S = 1.0
_REST_S = 3.0  # the broker beats every 5 s: so a turn follows each beat, and another one before the next
_PATIENCE_S = 30.0
_log = logging.getLogger("ophor.bus")


class BusMismatch(Exception):
    """The broker refuses, or lacks, what the contracts declare: waiting cannot help."""


def dial(uri: str, name: str, timeout: float = 5.0) -> amqp.Connection:
    """Open a connection to the broker at `uri`, shown there as `name`; TLS checks the host's name."""
    parts = urlsplit(uri)
    secure = parts.scheme == "amqps"
    host, port = parts.hostname or "127.0.0.1", parts.port or (5671 if secure else 5672)
    connection = amqp.Connection(
        host=f"{host}:{port}", userid=unquote(parts.username or "guest"), password=unquote(parts.password or "guest"),
        virtual_host=unquote(parts.path[1:]) or "/", heartbeat=HEARTBEAT_S, connect_timeout=timeout,
        ssl=_tls(host, parse_qs(parts.query)) if secure else False, frame_handler=tolerant,
        frame_writer=Writer,
        client_properties={"connection_name": name},
    )  # fmt: skip
    connection.connect()
    connection.transport.sock.settimeout(_PATIENCE_S)
    return connection


def publish(
    channel: amqp.Channel, to: tuple[str, str], properties: Mapping[str, Any], body: bytes, *, mandatory: bool = False,
    ack: int = 0,
) -> None:  # fmt: skip
    """Publish to (exchange, routing key) without a confirm and without reading; ack a delivery in the same breath.

    Raise RecoverableConnectionError where the channel is closed, OSError where the socket is.
    """
    connection, number = channel.connection, channel.channel_id
    if connection is None:
        raise RecoverableConnectionError("the channel is closed")
    frames = published(number, to, properties, body, connection.frame_max, mandatory=mandatory)
    connection.frame_writer.write(frames + acked(number, ack) if ack else frames)


class Pump:
    """Own one connection: `opened(channel)` sets up after each (re)connection, `post` hands in work, `run` pumps."""

    def __init__(self, uri: str, name: str, opened: Action) -> None:
        self._uri, self._name, self._opened = uri, name, opened
        self._actions: deque[tuple[amqp.Channel | None, Action]] = deque()
        self._resting = self._woken = False
        self._turn = threading.Lock()
        self._channel: amqp.Channel | None = None
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._stopping = False
        self.connected = threading.Event()
        self.ended = threading.Event()

    def post(self, action: Action, channel: amqp.Channel | None = None) -> None:
        """Have the pump do `action(channel)` soon, in order; with `channel` given, only while that one is open."""
        self._actions.append((channel, action))
        if self._resting and not self._woken:
            self._woken = True  # until what is written was read: a face's greenlets may not write side by side
            self._wake()

    def at_once(self, action: Action, channel: amqp.Channel | None = None) -> None:
        """Do an action that only writes in the caller's thread while the pump rests; else as `post` does."""
        if not self._turn.acquire(blocking=False):
            return self.post(action, channel)
        current = self._channel
        try:
            if current is None:
                self.post(action, channel)
            elif channel is None or channel is current:
                action(current)
        except Exception as error:  # what the pump would have met, it meets
            self.post(partial(_throw, error), current)
        except BaseException:
            self.post(partial(_throw, OSError("a frame may be cut off")), current)
            raise
        finally:
            self._turn.release()
        return None

    def stop(self) -> None:
        """End after the actions posted so far; from any thread."""
        self._stopping = True
        self.post(lambda _channel: None)

    def run(self) -> None:
        """Pump until stopped; raise BusMismatch where the broker refuses what is declared."""
        pause = 0.1
        try:
            while not self._stopping:
                started = time.monotonic()
                try:
                    self._session()
                except FATAL as error:
                    raise BusMismatch(f"{self._name}: {_says(error)}") from None
                except LOST as error:
                    _log.warning("connection lost", extra={"connection": self._name, "error": type(error).__name__})
                    pause = 0.1 if time.monotonic() - started > LONGEST_PAUSE_S else min(pause * 2, LONGEST_PAUSE_S)
                    self._wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
        finally:
            self.ended.set()

    def _session(self) -> None:
        connection = dial(self._uri, self._name)
        try:
            read_ahead(connection)
            channel = connection.channel()
            self._opened(channel)
            self._channel = channel
            self.connected.set()
            with selectors.DefaultSelector() as selector:
                selector.register(connection.transport.sock, selectors.EVENT_READ, "broker")
                selector.register(self._wake_read, selectors.EVENT_READ, "wake")
                self._turns(connection, channel, selector)
        finally:
            self._channel = None
            self.connected.clear()
            _close(connection)

    def _turns(self, connection: amqp.Connection, channel: amqp.Channel, selector: selectors.BaseSelector) -> None:
        ticked = time.monotonic()
        while True:
            come = self._rest(connection.transport, selector)
            with self._turn:
                if come:
                    read_on(connection)
                if time.monotonic() - ticked >= _TURN_S:
                    connection.heartbeat_tick()
                    ticked = time.monotonic()
                self._act(channel)
            if self._stopping and not self._actions:
                return

    def _rest(self, transport: Any, selector: selectors.BaseSelector) -> bool:
        """Wait for the broker, an action or the next heartbeat; tell whether there is something to read."""
        if has_come(transport):
            return True
        self._resting = True  # whoever posts from here on wakes; what was posted before is seen
        try:
            return self._select(transport.sock, selector, 0 if self._actions or self._stopping else _REST_S)
        finally:
            self._resting = False

    def _select(self, _sock: Any, selector: selectors.BaseSelector, seconds: float) -> bool:
        """Wait for the broker or a wake-up; tell whether it is the broker."""
        ready = {key.data for key, _ in selector.select(seconds)}
        if "wake" in ready:
            self._awake()
        return "broker" in ready

    def _act(self, channel: amqp.Channel) -> None:
        for _ in range(len(self._actions)):
            wanted, action = self._actions.popleft()
            if wanted is None or wanted is channel:
                action(channel)

    def _wake(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._wake_write, b"x")

    def _awake(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._wake_read, 4096)
        self._woken = False

    def _wait(self, seconds: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            end, self._resting = time.monotonic() + seconds, True
            while not self._stopping and (left := end - time.monotonic()) > 0:
                if selector.select(left):
                    self._awake()
            self._resting = False
            if selector.select(0):  # asked first: a greenlet that reads an empty pipe waits for good
                self._awake()
        self._woken = False  # nobody's wake-up is left over: it would keep the next one from being given


def _throw(error: Exception, _channel: amqp.Channel) -> None:
    raise error


def _tls(host: str, query: dict[str, list[str]]) -> dict[str, Any]:
    options: dict[str, Any] = {"server_hostname": host, "cert_reqs": ssl.CERT_REQUIRED}
    for option, name in (("ca_certs", "cacertfile"), ("certfile", "certfile"), ("keyfile", "keyfile")):
        if name in query:
            options[option] = query[name][0]
    return options


def _close(connection: amqp.Connection) -> None:
    with suppress(Exception):
        if connection.connected:
            connection.transport.sock.settimeout(2.0)
            connection.close()
    with suppress(Exception):
        connection.collect()


def _says(error: AMQPError) -> str:
    return f"{error.reply_code} {error.reply_text}".strip() or type(error).__name__

"""The pump: one thread (or, in a face, one greenlet) that owns one broker connection and alone reads and writes it.

* It selects on the socket and on a wake-up pipe; everything else hands it actions with `post`. So acks, answers and
  heartbeats are never interleaved, and a slow handler never costs the connection.
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
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import amqp
from amqp.exceptions import AccessRefused, AMQPError, NotAllowed, NotFound, PreconditionFailed, ResourceLocked
from amqp.method_framing import frame_handler

from shared.bus.frames import Writer

Action = Callable[[amqp.Channel], None]

FATAL = (NotFound, AccessRefused, PreconditionFailed, NotAllowed, ResourceLocked)
LOST = (AMQPError, OSError)
HEARTBEAT_S = 10
LONGEST_PAUSE_S = 5.0
_TURN_S = 1.0
_PATIENCE_S = 30.0
_DELIVER = b"\x00\x3c\x00\x3c"
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
        ssl=_tls(host, parse_qs(parts.query)) if secure else False, frame_handler=_tolerant,
        frame_writer=Writer,
        client_properties={"connection_name": name},
    )  # fmt: skip
    connection.connect()
    connection.transport.sock.settimeout(_PATIENCE_S)
    return connection


class Pump:
    """Own one connection: `opened(channel)` sets up after each (re)connection, `post` hands in work, `run` pumps."""

    def __init__(self, uri: str, name: str, opened: Action) -> None:
        self._uri, self._name, self._opened = uri, name, opened
        self._actions: deque[tuple[amqp.Channel | None, Action]] = deque()
        self._woken = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._stopping = False
        self.connected = threading.Event()
        self.ended = threading.Event()

    def post(self, action: Action, channel: amqp.Channel | None = None) -> None:
        """Have the pump do `action(channel)` soon, in order; with `channel` given, only while that one is open."""
        self._actions.append((channel, action))
        if not self._woken:
            self._woken = True
            self._wake()

    def stop(self) -> None:
        """End after the actions posted so far; from any thread."""
        self._stopping = True
        self._wake()

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
            channel = connection.channel()
            self._opened(channel)
            self.connected.set()
            with selectors.DefaultSelector() as selector:
                selector.register(connection.transport.sock, selectors.EVENT_READ, "broker")
                selector.register(self._wake_read, selectors.EVENT_READ, "wake")
                self._turns(connection, channel, selector)
        finally:
            self.connected.clear()
            _close(connection)

    def _turns(self, connection: amqp.Connection, channel: amqp.Channel, selector: selectors.BaseSelector) -> None:
        sock, ticked = connection.transport.sock, time.monotonic()
        while True:
            self._act(channel)
            if self._stopping and not self._actions:
                return
            waiting = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
            ready = {key.data for key, _ in selector.select(0 if waiting else _TURN_S)}
            if "wake" in ready:
                self._awake()
            if waiting or "broker" in ready:
                connection.drain_events(timeout=_PATIENCE_S)
            if time.monotonic() - ticked >= _TURN_S:
                connection.heartbeat_tick()
                ticked = time.monotonic()

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
        self._woken = False  # after the read, before the actions are taken: whoever posts from here on wakes again

    def _wait(self, seconds: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            end = time.monotonic() + seconds
            while not self._stopping and (left := end - time.monotonic()) > 0:
                if selector.select(left):
                    self._awake()


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


def _tolerant(connection: amqp.Connection, callback: Any) -> Any:
    """Make py-amqp's frame handler, but return on heartbeats, and mend bad properties (none) and keys (`?`)."""
    inner = frame_handler(connection, callback)

    def on_frame(frame: tuple[int, int, Any]) -> Any:
        kind, channel, body = frame
        if kind == 8:  # a heartbeat: else `drain_events` would wait on for a message
            inner(frame)
            return True
        if kind == 1 and bytes(body[:4]) == _DELIVER:
            return inner((kind, channel, _legible(bytes(body))))
        if kind == 2 and not _decodes(body):
            return inner((kind, channel, bytes(body[:12]) + b"\x00\x00"))  # class, weight, size; no properties
        return inner(frame)

    return on_frame


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

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
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import amqp
from amqp.exceptions import AccessRefused, AMQPError, NotAllowed, NotFound, PreconditionFailed, ResourceLocked
from amqp.method_framing import frame_handler
from amqp.spec import Basic

from shared.bus.frames import Writer, read_ahead

Action = Callable[[amqp.Channel], None]

FATAL = (NotFound, AccessRefused, PreconditionFailed, NotAllowed, ResourceLocked)
LOST = (AMQPError, OSError)
HEARTBEAT_S = 10
LONGEST_PAUSE_S = 5.0
_TURN_S = 1.0
_PATIENCE_S = 30.0
_LEAST = 8  # type, channel, size, end
_NO_BODY = bytes(8)
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


def publish(channel: amqp.Channel, message: amqp.Message, exchange: str, key: str, *, mandatory: bool = False) -> None:
    """Publish without a confirm and without reading, unlike py-amqp's own, which looks first whether it is blocked."""
    channel.send_method(Basic.Publish, "Bssbb", (0, exchange, key, mandatory, False), message)


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
                    connection.drain_events(timeout=_PATIENCE_S)
                if time.monotonic() - ticked >= _TURN_S:
                    connection.heartbeat_tick()
                    ticked = time.monotonic()
                self._act(channel)
            if self._stopping and not self._actions:
                return

    def _rest(self, transport: Any, selector: selectors.BaseSelector) -> bool:
        """Wait for the broker, an action or the next heartbeat; tell whether there is something to read."""
        if _has_come(transport):
            return True
        self._resting = True  # whoever posts from here on wakes; what was posted before is seen
        ready = {key.data for key, _ in selector.select(0 if self._actions or self._stopping else _TURN_S)}
        self._resting = False
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


def _has_come(transport: Any) -> bool:
    """Tell whether a frame, or what the socket will not show, was read ahead already."""
    ahead, sock = transport._read_buffer, transport.sock
    if len(ahead) >= _LEAST and len(ahead) >= _LEAST + int.from_bytes(ahead[3:7]):
        return True
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0


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
        if kind == 2 and body[4:12] != _NO_BODY:  # it is only decoded here: the body is still to come
            try:
                return inner(frame)
            except Exception:  # whatever py-amqp raises on a table or text that it cannot read
                return inner((kind, channel, _bare(body)))
        if kind == 2 and not _decodes(body):
            return inner((kind, channel, _bare(body)))
        return inner(frame)

    return on_frame


def _bare(header: Any) -> bytes:
    """Give a content header without properties: class, weight and size are left."""
    return bytes(header[:12]) + b"\x00\x00"


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

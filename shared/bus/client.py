"""The project's own RPC client: nameko's protocol, from any thread, without nameko or eventlet (design §2, §3.4).

* One I/O thread and one connection serve all calling threads; both start at the first call.
* Every call has a deadline, which travels with it. Past it the outcome is unknown: repeat with the same command id,
  and the first answer comes back.
* After a lost connection the calls that still wait are sent again with the same command id, on a new reply queue.
* Nothing but `Rejected` and `Unavailable` (contracts.errors) leaves `call`. Data go out checked by the contract;
  answers come back as JSON primitives (dates as ISO strings), checked likewise.

    client = Client(uri, "console", issuer.acting("usr-7", ["ist_projektleder"]))
    answer = client.call("orders.read_exit", {"exit_id": exit_id})
    client.on_behalf(issuer.acting("usr-8", ["kommune_dpo"], ["12345678"])).call(…)   # same connection, other actor
"""

from __future__ import annotations

import json
import select
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

import amqp
import structlog

from contracts.catalogue import COMMANDS
from contracts.errors import OphorError, Rejected, Unavailable
from contracts.registry import check
from shared.bus.envelope import FORM, MAX_BYTES, declared, encode, make_command, new_id
from shared.bus.pump import BusMismatch, Pump, publish
from shared.bus.tokens import Authorise
from shared.runtime import tracing
from shared.runtime.metrics import CALLS

RPC_EXCHANGE = "nameko-rpc"
TIMEOUT_S = 15.0
SMALL = 8_192  # bytes: less than a socket has room for that is writable at all
_FAMILIES = {"Rejected": Rejected, "Unavailable": Unavailable}
log = structlog.get_logger("ophor.client")


@dataclass(slots=True, eq=False)
class _Waiting:
    """A call on its way: what is sent (again), and where its answer goes."""

    wire: str
    body: bytes = field(repr=False)
    headers: dict[str, Any] = field(repr=False)
    deadline: float
    correlation: str = field(default_factory=new_id)
    sent_on: amqp.Channel | None = None
    settled: SimpleQueue[tuple[Any, OphorError | None]] = field(default_factory=SimpleQueue)

    def settle(self, answer: Any = None, error: OphorError | None = None) -> None:
        self.settled.put((answer, error))


class Client:
    """Calls faces over the broker at `uri`, as `caller` (its reply queues are `reply-<caller>-…`)."""

    def __init__(self, uri: str, caller: str, authorise: Authorise) -> None:
        self._wire = _Connection(uri, caller)
        self._authorise = authorise

    def on_behalf(self, authorise: Authorise) -> Client:
        """Give a client for another actor that shares this one's connection."""
        other = object.__new__(type(self))
        other._wire, other._authorise = self._wire, authorise
        return other

    def call(
        self, wire: str, data: dict[str, Any], command_id: str | None = None, timeout: float = TIMEOUT_S,
        correlation_id: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Call `wire` with `data` (dates or ISO strings) and give the answer's data as JSON primitives.

        Raise Rejected, or Unavailable: NO_ANSWER after `timeout` seconds (repeat with the same `command_id`; the
        error's `field` names it), BUS_UNREACHABLE, SERVICE_ABSENT.
        """
        known = declared(COMMANDS, wire)
        command_id = command_id or new_id()
        message = make_command(wire, data, command_id=command_id, correlation_id=correlation_id)
        body = encode({"args": [], "kwargs": {"message": message}})
        if len(body) > MAX_BYTES:
            raise Rejected("MESSAGE_TOO_LARGE", f"{wire}: {len(body)} bytes; at most {MAX_BYTES}", remedy="send less")
        deadline = time.time() + timeout
        headers = {
            "nameko.authorization": self._authorise(known.service), "nameko.deadline": deadline,
            "nameko.correlation_id": correlation_id or command_id, "nameko.traceparent": tracing.onward(),
        }  # fmt: skip
        with _timed(wire):
            answer: dict[str, Any] = self._wire.ask(_Waiting(wire, body, headers, deadline), command_id)
        return answer

    def close(self) -> None:
        """Close the connection; calls that still wait end as Unavailable."""
        self._wire.close()


class _Connection:
    """The shared connection: waiting calls by correlation id, and the I/O thread that sends and hears."""

    def __init__(self, uri: str, caller: str) -> None:
        self._caller, self._address = caller, str(uuid.uuid4())
        self._pump = Pump(uri, f"{caller} calls", self._opened)
        self._waiting: dict[str, _Waiting] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def ask(self, call: _Waiting, command_id: str) -> Any:
        self._start()
        self._waiting[call.correlation] = call
        try:
            self._pump.at_once(lambda channel: self._send_now(channel, call))
            answer, error = call.settled.get(timeout=max(0.0, call.deadline - time.time()))
        except Empty:
            raise self._too_late(call, command_id) from None
        finally:
            self._waiting.pop(call.correlation, None)
        if error is not None:
            raise error
        check(COMMANDS[call.wire].answer, answer, call.wire)
        return answer

    def close(self) -> None:
        self._closed = True
        self._pump.stop()
        if self._thread is not None:
            self._thread.join(5)
        self._give_up("CLIENT_CLOSED", "the client was closed before the answer came")

    def _start(self) -> None:
        with self._lock:
            if self._closed:
                raise Unavailable("CLIENT_CLOSED", "the client is closed", remedy="make a new one")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"{self._caller} calls", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closed:
            try:
                self._pump.run()
            except BusMismatch as error:
                log.error("the broker refused the caller", caller=self._caller, message=str(error))
                self._give_up("BUS_REFUSED", str(error))
                time.sleep(1)

    def _opened(self, channel: amqp.Channel) -> None:
        channel.auto_decode = False
        queue = f"reply-{self._caller}-{uuid.uuid4()}"
        channel.queue_declare(queue, exclusive=True, auto_delete=True, durable=False)
        channel.queue_bind(queue, RPC_EXCHANGE, self._address)
        channel.basic_consume(queue, no_ack=True, callback=self._heard)
        channel.events["basic_return"].add(self._returned)
        for call in list(self._waiting.values()):
            self._send(channel, call)

    def _send_now(self, channel: amqp.Channel, call: _Waiting) -> None:
        """Send a call by the thread that makes it, unless that thread might have to wait for the broker."""
        if len(call.body) <= SMALL and _has_room(channel):
            self._send(channel, call)
        else:
            self._pump.post(lambda channel: self._send(channel, call))

    def _send(self, channel: amqp.Channel, call: _Waiting) -> None:
        if call.sent_on is channel or call.correlation not in self._waiting:
            return
        call.sent_on = channel
        properties = {
            **FORM, "application_headers": call.headers, "reply_to": self._address, "correlation_id": call.correlation,
        }  # fmt: skip
        publish(channel, (RPC_EXCHANGE, call.wire), properties, call.body, mandatory=True)

    def _heard(self, raw: amqp.Message) -> None:
        call = self._waiting.get(str(raw.properties.get("correlation_id")))
        if call is None:
            return  # the caller has gone
        try:
            body = json.loads(raw.body)
            error = body["error"]
            call.settle(body["result"], _error(error) if error else None)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            call.settle(error=Unavailable("ANSWER_INVALID", f"{call.wire} answered nonsense"))

    def _returned(self, _error: Exception, _exchange: str, _key: str, raw: amqp.Message) -> None:
        if call := self._waiting.get(str(raw.properties.get("correlation_id"))):
            call.settle(error=Unavailable(
                "SERVICE_ABSENT", f"no queue takes {call.wire}", remedy="run: ophor topology apply",
                da="Tjenesten findes ikke på bussen.",
            ))  # fmt: skip

    def _give_up(self, code: str, message: str) -> None:
        for call in list(self._waiting.values()):
            call.settle(error=Unavailable(code, message))

    def _too_late(self, call: _Waiting, command_id: str) -> Unavailable:
        if call.sent_on is None:
            return Unavailable(
                "BUS_UNREACHABLE", f"{call.wire}: the broker cannot be reached; nothing was sent", field=command_id,
                remedy="see whether the broker runs, then repeat", da="Bussen kan ikke nås; intet er sendt.",
            )  # fmt: skip
        return Unavailable(
            "NO_ANSWER", f"{call.wire}: no answer before the deadline; the outcome is unknown", field=command_id,
            remedy="repeat with the same command id", da="Intet svar inden fristen; udfaldet er ukendt.",
        )  # fmt: skip


def _has_room(channel: amqp.Channel) -> bool:
    """Tell whether the socket takes something small at once (select knows the first 1024 files only)."""
    with suppress(ValueError):
        return bool(select.select((), (channel.connection.transport.sock,), (), 0)[1])
    return False


@contextmanager
def _timed(wire: str) -> Iterator[None]:
    """Count a call by its outcome's family, with the time that its caller waited."""
    began, outcome = time.perf_counter(), "ok"
    try:
        yield
    except OphorError as error:
        outcome = "rejected" if isinstance(error, Rejected) else "unavailable"
        raise
    finally:
        CALLS.labels(wire, outcome).observe(time.perf_counter() - began)


def _error(body: dict[str, Any]) -> OphorError:
    family = _FAMILIES.get(body.get("exc_type", ""))
    arguments = body.get("exc_args") or []
    if family is None or not arguments or not isinstance(arguments[0], dict):
        return Unavailable("INTERNAL", "an error of the service")
    return family.from_dict(arguments[0])

"""The guard: every check of an incoming message, pure, before nameko or a handler sees it (design §3.7).

    1. the content type is JSON in UTF-8               6. the body is an envelope of the type it was routed as
    2. the body is at most 256 KiB                     7. the contract knows it; the caller's role may give it
    3. a call has a reply address: a UUID, nothing else   8. the contract's schema accepts the data
    4. the headers that count are there and well formed   9. the deadline has not passed
    5. who sends it is proven: token or signature

What is malformed or unproven is `Poison`: dead-lettered with its reason, never logged raw, and answered without detail
where it has a reply address. What a proven caller got wrong (5 late or misdirected, 7, 8, 9) is an `OphorError` for the
caller. Unverified headers go no further: only a `Message` leaves this module.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeGuard

from contracts.catalogue import COMMANDS, EVENTS, TASKS
from contracts.errors import OphorError, Rejected, Unavailable
from contracts.registry import check
from shared.bus import tokens
from shared.bus.envelope import CONTENT_TYPE, MAX_BYTES, Message, command_digest, digest, new_id, parse
from shared.bus.trust import SIGNATURE_HEADER, SIGNER_HEADER, Trust

ATTEMPTS_HEADER = "ophor-attempts"
LONGEST_CALL_S = 3600
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ID = re.compile(r"[\w.:\-]{1,80}")
_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Poison(Exception):
    """Not a message of ours: `reason` is one of a few words; `answerable` where it had a usable reply address."""

    def __init__(self, reason: str, *, answerable: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.answerable = reason, answerable

    def answer(self) -> Rejected:
        """Give what the sender is told: that it was refused and in which respect, nothing of what was expected."""
        return Rejected("MESSAGE_REFUSED", f"the message was refused: {self.reason}", remedy="see the contracts")


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came from the broker, nothing of it believed yet."""

    body: bytes
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    routing_key: str

    @classmethod
    def of(cls, raw: Any) -> Received:
        """Take what counts from a message of py-amqp."""
        body = raw.body.encode("utf-8", "surrogateescape") if isinstance(raw.body, str) else bytes(raw.body)
        headers = raw.properties.get("application_headers") or {}
        return cls(body, headers, raw.properties, (raw.delivery_info or {}).get("routing_key") or "")


def command(received: Received, service: str, trust: Trust) -> Message:
    """Check a call to `service`; raise Poison, Rejected or Unavailable."""
    _form(received)
    _reply_address(received)
    try:
        return _command(received, service, trust)
    except Poison as poison:
        raise Poison(poison.reason, answerable=True) from None


def event(received: Received, service: str, trust: Trust) -> Message:
    """Check an event that `service` is told; raise Poison."""
    body = _told(received)
    known = EVENTS.get(body["type"])
    if known is None or service not in known.subscribers:  # 7
        raise Poison("unknown-type")
    _signature(received, body, known.emitter, trust)
    return _message("event", received, body, service, _data(known.schema, body))


def task(received: Received, service: str, hand: str, trust: Trust) -> Message:
    """Check a task that `service` sent to its own `hand`; raise Poison."""
    body = _told(received)
    known = TASKS.get(body["type"])
    if known is None or (known.service, known.hand) != (service, hand):  # 7
        raise Poison("unknown-type")
    _signature(received, body, service, trust)
    return _message("task", received, body, f"{service}.{hand}", _data(known.schema, body))


def _form(received: Received) -> None:
    properties = received.properties
    if properties.get("content_type") != CONTENT_TYPE:  # 1
        raise Poison("content-type")
    if (properties.get("content_encoding") or "utf-8").lower() not in ("utf-8", "utf8"):
        raise Poison("content-encoding")
    if len(received.body) > MAX_BYTES:  # 2
        raise Poison("size")
    if not isinstance(received.headers, Mapping) or "compression" in received.headers:
        raise Poison("headers")


def _reply_address(received: Received) -> None:
    reply_to, correlation = (received.properties.get(name) for name in ("reply_to", "correlation_id"))
    if not isinstance(reply_to, str) or not _UUID.fullmatch(reply_to):  # 3
        raise Poison("reply-to")
    if not isinstance(correlation, str) or not 0 < len(correlation) <= 80:
        raise Poison("correlation-id")


def _command(received: Received, service: str, trust: Trust) -> Message:
    headers = received.headers
    authorization, deadline = headers.get("nameko.authorization"), headers.get("nameko.deadline")
    if not isinstance(authorization, str) or not _moment(deadline):  # 4
        raise Poison("headers")
    actor = _proven(authorization, service, trust)
    body = _envelope(_call_body(received))
    if body["type"] != received.routing_key:  # 6
        raise Poison("routing-key")
    written = _digest(body, actor)  # first: what cannot be written, no answer that names its fields can be either
    data = _permitted(body, service, actor)
    in_time(deadline)  # 9
    return Message(
        "command", body["id"], body["type"], data, written, service, subject=_exit(body),
        correlation_id=_header(headers, "nameko.correlation_id", _ID) or body["correlationid"] or new_id(),
        actor=actor, deadline=float(deadline), traceparent=_header(headers, "nameko.traceparent", _TRACE),
    )  # fmt: skip


def _moment(value: Any) -> TypeGuard[float]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and value < time.time() + LONGEST_CALL_S  # false for NaN as well


def in_time(deadline: float | None) -> None:
    """Raise Unavailable DEADLINE_PASSED where it has passed (Unix seconds): nothing was done, nothing runs later."""
    if deadline is not None and time.time() >= deadline:
        raise Unavailable(
            "DEADLINE_PASSED", "the caller's deadline has passed; nothing was done",
            remedy="repeat the call with the same command id", da="Fristen for kaldet er overskredet; intet er udført.",
        )  # fmt: skip


def _proven(token: str, service: str, trust: Trust) -> tokens.Actor:
    try:
        return tokens.verify(token, trust, service)  # 5
    except tokens.TokenRefused as refused:
        if not refused.proven:
            raise Poison(refused.reason) from None
        raise Rejected(
            "TOKEN_REFUSED", f"the token was refused: {refused.reason}", field="authorization",
            remedy="sign in again", da="Log ind igen.",
        ) from None  # fmt: skip


def _permitted(body: dict[str, Any], service: str, actor: tokens.Actor) -> dict[str, Any]:
    known = COMMANDS.get(body["type"])
    if known is None or known.service != service:  # 7
        raise Rejected("WIRE_UNKNOWN", f"{body['type']} is not in the contracts", remedy="use a declared message")
    if not actor.roles & known.roles:
        actor.role_for(known)  # raises ROLE_MISSING
    return check(known.request, body["data"], known.wire)  # 8


def _told(received: Received) -> dict[str, Any]:
    _form(received)
    attempts = received.headers.get(ATTEMPTS_HEADER, 0)
    if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 0:  # 4
        raise Poison("headers")
    return _envelope(_json(received.body))


def _signature(received: Received, body: dict[str, Any], sender: str, trust: Trust) -> None:
    signer, signature = (received.headers.get(name) for name in (SIGNER_HEADER, SIGNATURE_HEADER))
    if signer != sender or not isinstance(signature, str):  # 4
        raise Poison("signer")
    if not trust.verifies(sender, signature, body, received.body):  # 5
        raise Poison("signature")


def _data(schema: Any, body: dict[str, Any]) -> dict[str, Any]:
    try:
        return check(schema, body["data"], body["type"])  # 8
    except OphorError as error:
        raise Poison(f"schema:{error.field}"[:120]) from None


def _message(kind: Any, received: Received, body: dict[str, Any], consumer: str, data: dict[str, Any]) -> Message:
    return Message(
        kind, body["id"], body["type"], data, digest(received.body), consumer, subject=body["subject"],
        aggregate=body["aggregate"], seq=body["seq"], correlation_id=body["correlationid"], ruletime=body["ruletime"],
        attempts=received.headers.get(ATTEMPTS_HEADER, 0),
        traceparent=_header(received.headers, "traceparent", _TRACE), told_at=body["time"].timestamp(),
    )  # fmt: skip


def _call_body(received: Received) -> Any:
    body = _json(received.body)
    kwargs = body.get("kwargs") if isinstance(body, dict) and body.get("args") == [] else None
    if not isinstance(kwargs, dict) or set(kwargs) != {"message"}:
        raise Poison("body")
    return kwargs["message"]


def _json(body: bytes) -> Any:
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Poison("undecodable") from None


def _envelope(body: Any) -> dict[str, Any]:
    try:
        return parse(body)  # 6
    except OphorError as error:
        raise Poison(f"envelope:{error.field}"[:120]) from None


def _digest(body: dict[str, Any], actor: tokens.Actor) -> str:
    try:
        return command_digest(body["type"], actor.id, body["data"])
    except (ValueError, RecursionError):  # lone surrogates and the like
        raise Poison("body") from None


def _exit(body: dict[str, Any]) -> str:
    value = body["subject"] or body["data"].get("exit_id", "")
    return value if isinstance(value, str) else ""


def _header(headers: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = headers.get(name)
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)

"""Malformed messages by a grammar: a valid one with one thing wrong, at every kind of queue.

Every one of them must reach the dead letters of its service, no process may end of it, and its body, which bears MARK,
must be in no log.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Any

import amqp

from contracts.catalogue import SERVICES, TASKS, subscribed
from shared.bus.envelope import CONTENT_TYPE, MAX_BYTES
from shared.bus.outbox import address
from tests.chaos.bed import Bed

MARK = "zqx-raw-body-zqx"
Spoil = Callable[[random.Random, dict[str, Any], dict[str, Any], dict[str, Any]], Any]


def spoil(bed: Bed, rng: random.Random, count: int) -> None:
    """Publish `count` malformed messages; note the ids that each service's dead letters must have."""
    with closing(bed.dial()) as connection:
        channel = connection.channel()
        channel.confirm_select()
        for _ in range(count):
            service, exchange, key, kind = _target(rng)
            made = message(rng, kind, key)
            bed.spoiled.setdefault(service, set()).add(made.properties["message_id"])
            bed.excused.add(made.properties["message_id"])  # until the broker has it
            channel.basic_publish_confirm(made, exchange=exchange, routing_key=key)
            bed.excused.discard(made.properties["message_id"])


def _target(rng: random.Random) -> tuple[str, str, str, str]:
    """Choose (service, exchange, routing key, `call` or `told`)."""
    service = rng.choice(SERVICES)
    hands = [task for task in TASKS.values() if task.service == service]
    alone = [event for event in subscribed(service) if event.subscribers == (service,)]
    choices = ["call", *(["event"] if alone else []), *(["task"] if hands else [])]
    match rng.choice(choices):
        case "call":
            return service, "nameko-rpc", f"{service}.status", "call"
        case "event":
            exchange, key = address(rng.choice(alone).wire)
            return service, exchange, key, "told"
        case _:
            exchange, key = address(rng.choice(hands).wire)
            return service, exchange, key, "told"


def message(rng: random.Random, kind: str, key: str) -> amqp.Message:
    """Make a message with one thing wrong."""
    envelope: dict[str, Any] = {
        "specversion": "1.0", "id": str(uuid.uuid4()), "type": key, "source": "/chaos", "subject": MARK,
        "time": "2026-01-05T09:00:00Z", "data": {"exit_id": MARK},
    }  # fmt: skip
    properties: dict[str, Any] = {
        "content_type": CONTENT_TYPE, "content_encoding": "utf-8", "reply_to": str(uuid.uuid4()),
        "correlation_id": str(uuid.uuid4()), "message_id": str(uuid.uuid4()),
    }  # fmt: skip
    headers: dict[str, Any] = {"nameko.authorization": f"e30.{MARK}.x", "nameko.deadline": 9e9}
    body = _SPOILS[rng.randrange(len(_SPOILS))](rng, envelope, properties, headers)
    if body is None:
        inner = {"args": [], "kwargs": {"message": envelope}} if kind == "call" else envelope
        body = json.dumps(inner).encode()
    return amqp.Message(body, application_headers=headers, delivery_mode=2, **properties)


def _bytes(rng: random.Random, envelope: Any, properties: Any, headers: Any) -> bytes:
    return rng.randbytes(rng.randrange(200)) + MARK.encode()


def _cut(rng: random.Random, envelope: Any, properties: Any, headers: Any) -> bytes:
    whole = json.dumps(envelope).encode()
    return whole[: rng.randrange(len(whole))]


def _deep(rng: random.Random, envelope: Any, properties: Any, headers: Any) -> bytes:
    return b"[" * 50_000 + MARK.encode()


def _large(rng: random.Random, envelope: Any, properties: Any, headers: Any) -> bytes:
    return json.dumps(envelope | {"more": "x" * (MAX_BYTES + rng.randrange(1000))}).encode()


def _typed(rng: random.Random, envelope: Any, properties: Any, headers: Any) -> bytes:
    return json.dumps(rng.choice([None, 1, [], "x", {"args": [1], "kwargs": {}}, {"kwargs": {"message": 7}}])).encode()


def _no_content_type(rng: random.Random, envelope: Any, properties: Any, headers: Any) -> None:
    properties["content_type"] = rng.choice(["text/plain", "application/x-python-serialize", ""])


def _bad_reply(rng: random.Random, envelope: Any, properties: Any, headers: Any) -> None:
    properties["reply_to"] = rng.choice(["", "orders.status", "amq.gen-x", "../" + MARK])
    properties["content_encoding"] = rng.choice(["utf-8", "binary"])


def _bad_headers(rng: random.Random, envelope: Any, properties: Any, headers: Any) -> None:
    headers["nameko.deadline"] = rng.choice(["soon", True, -1, [], {"x": 1}])
    headers["ophor-attempts"] = rng.choice([-1, "many", True, 2**40])
    headers["compression"] = "gzip"


def _forged(rng: random.Random, envelope: Any, properties: Any, headers: Any) -> None:
    headers["ophor-signer"], headers["ophor-signature"] = rng.choice(SERVICES), MARK
    headers["nameko.authorization"] = rng.choice(["", "Bearer " + MARK, "a.b", "e30.e30.e30"])


def _bad_envelope(rng: random.Random, envelope: Any, properties: Any, headers: Any) -> None:
    field = rng.choice(list(envelope))
    envelope[field] = rng.choice([None, 7, [], {"x": MARK}, "", "\ud800"])


_SPOILS: tuple[Spoil, ...] = (
    _bytes, _cut, _deep, _large, _typed, _no_content_type, _bad_reply, _bad_headers, _forged, _bad_envelope,
)  # fmt: skip

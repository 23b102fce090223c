"""A message as a row: whose it is, its name among its like, and its plain values. Pure."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import amqp

from shared.connectors import probe

COLUMNS = ("id", "exchange", "routing_key", "sent_at", "properties", "headers", "body", "encoding")
_COUNTERS = ("x-delivery-count", "x-acquired-count")  # the broker counts there how often a message was taken
_WORD = re.compile(r"[0-9A-Za-zÆØÅæøå./_-]{8,64}")


@dataclass(frozen=True, slots=True)
class Taken:
    """One message with its id."""

    id: str
    message: amqp.Message


def owner(message: amqp.Message, header: str) -> str:
    """Give the value of the header that says whose a message is, as text; empty where nothing says it."""
    value = _headers(message).get(header)
    if isinstance(value, bytes | bytearray):
        value = bytes(value).decode("utf-8", "replace")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)


def named(messages: Iterable[amqp.Message]) -> Iterator[Taken]:
    """Name messages by their content and, among equal ones, by their number in the queue's order."""
    seen: Counter[str] = Counter()
    for message in messages:
        digest = _digest(message)
        yield Taken(f"{digest}-{seen[digest]:08}", message)
        seen[digest] += 1


def last_of_their_like_first(ids: Iterable[str]) -> list[str]:
    """Order ids so that of equal messages the highest number goes first, and the others keep their names."""
    return sorted(ids, key=lambda each: -int(each.rpartition("-")[2]))


def row(id_: str, message: amqp.Message) -> tuple[Any, ...]:
    """Give a message's values for delivery, in the order of COLUMNS; a body that is no text goes as base64."""
    body = _bytes(message)
    try:
        text, encoding = body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text, encoding = base64.b64encode(body).decode("ascii"), "base64"
    properties = dict(message.properties)
    properties.pop("application_headers", None)
    sent_at = properties.pop("timestamp", None)
    info = message.delivery_info
    return (
        id_, info["exchange"], info["routing_key"], None if sent_at is None else str(sent_at), _json(properties),
        _json(_headers(message)), text, encoding,
    )  # fmt: skip


def texts(message: amqp.Message) -> Iterator[str]:
    """Give the words of body, headers and properties that are worth a probe."""
    whole = " ".join((_bytes(message).decode("utf-8", "replace"), _json(_headers(message)), _json(message.properties)))
    return (word for word in _WORD.findall(whole) if probe.worth(word))


def _digest(message: amqp.Message) -> str:
    info = message.delivery_info
    properties = {name: value for name, value in message.properties.items() if name != "application_headers"}
    said = _json([info["exchange"], info["routing_key"], properties, _headers(message)])
    return hashlib.sha256(said.encode() + b"\x00" + _bytes(message)).hexdigest()


def _headers(message: amqp.Message) -> dict[str, Any]:
    headers = message.properties.get("application_headers") or {}
    return {name: value for name, value in headers.items() if name not in _COUNTERS}


def _bytes(message: amqp.Message) -> bytes:
    body = message.body
    return body.encode("utf-8") if isinstance(body, str) else bytes(body)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)

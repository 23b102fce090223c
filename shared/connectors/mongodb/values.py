"""Values of documents: as texts for keys and probes, as plain values for delivery."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bson import ObjectId, json_util

from shared.connectors import probe

_ORDERED = json_util.JSONOptions(json_mode=json_util.JSONMode.CANONICAL, tz_aware=True)
_OID, _END = '{"$oid": "', '"}'
_LONG = len(_OID) + 24 + len(_END)
_RELAXED = json_util.JSONOptions(json_mode=json_util.JSONMode.RELAXED, tz_aware=True)


def text(value: Any) -> str:
    """Write a value as canonical extended JSON, a key's form; an ObjectId, by far the most keys, at once."""
    if type(value) is ObjectId:
        return f"{_OID}{value}{_END}"
    return json_util.dumps(value, json_options=_ORDERED)


def value(text: str) -> Any:
    """Read a value from canonical extended JSON."""
    if text.startswith(_OID) and len(text) == _LONG:
        return ObjectId(text[len(_OID) : -len(_END)])
    return json_util.loads(text, json_options=_ORDERED)


def plain(value: Any) -> Any:
    """Give a field's value for delivery: ids as text, nested values as JSON."""
    if isinstance(value, ObjectId):
        return str(value)
    if isinstance(value, dict | list):
        return json.dumps(json.loads(json_util.dumps(value, json_options=_RELAXED)), ensure_ascii=False)
    return value


def texts(value: Any) -> Iterator[str]:
    """Give the texts in a document, however deep, that are worth a probe."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
        elif probe.worth(text := one if isinstance(one, str) else str(one)):
            yield text

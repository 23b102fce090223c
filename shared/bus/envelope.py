"""The CloudEvents 1.0 envelope that every command, event and task travels in (ADR 0001, design §3.9).

* The body on the wire is canonical JSON (sorted keys, no blanks, UTF-8), so that an envelope that was stored and is
  written again has the same digest and keeps its signature.
* `data` holds JSON primitives only, checked by the contract's schema on send and on receive; unknown fields survive.
* `time` is real time; `ruletime` is the rules' clock of the unit that told the fact.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar

from marshmallow import INCLUDE, Schema, ValidationError, fields, validate

from contracts.catalogue import COMMANDS, EVENTS, TASKS
from contracts.errors import Rejected
from contracts.fields import Id
from contracts.registry import Command, Event, Task, check
from shared.bus.tokens import Actor

Kind = Literal["command", "event", "task"]
Wire = TypeVar("Wire", Command, Event, Task)
MAX_BYTES = 256 * 1024
CONTENT_TYPE = "application/json"
FORM = {"content_type": CONTENT_TYPE, "content_encoding": "utf-8", "delivery_mode": 1}
"""The properties of a call and of its answer, which no restart of the broker need survive."""


@dataclass(frozen=True, slots=True)
class Message:
    """A verified message as a handler's unit of work sees it.

    `data` is loaded by the contract's schema (dates are `date`). `body_digest` (SHA-256, hex) tells whether a repeated
    `id` carries the same: for a command over wire, actor and data; for events and tasks over the whole body.
    `consumer` is who handles it: a service (`orders`) or a hand (`deletion.delete`). `deadline` and
    `told_at` (of events and tasks) are Unix seconds.
    """

    kind: Kind
    id: str
    wire: str
    data: dict[str, Any] = field(repr=False)
    body_digest: str
    consumer: str
    subject: str = ""
    aggregate: str = ""
    seq: int = 0
    correlation_id: str = ""
    ruletime: str = ""
    attempts: int = 0
    actor: Actor | None = None
    deadline: float | None = None
    traceparent: str = ""
    told_at: float = 0.0


class Envelope(Schema):
    """CloudEvents 1.0 in structured mode with the extensions of Ophør; unknown attributes survive."""

    class Meta:
        unknown = INCLUDE

    specversion = fields.String(required=True, validate=validate.Equal("1.0"))
    id = Id()
    type = fields.String(required=True, validate=validate.Regexp(r"^[a-z_]+(\.[a-z_]+){1,2}$"))
    source = fields.String(required=True, validate=validate.Length(min=1, max=200))
    time = fields.AwareDateTime(format="iso", required=True)
    datacontenttype = fields.String(load_default=CONTENT_TYPE, validate=validate.Equal(CONTENT_TYPE))
    subject = Id(required=False, load_default="")
    aggregate = fields.String(load_default="", validate=validate.Length(max=200))
    seq = fields.Integer(load_default=0, strict=True, validate=validate.Range(min=0))
    correlationid = Id(required=False, load_default="")
    ruletime = fields.String(load_default="", validate=validate.Length(max=40))
    data = fields.Dict(keys=fields.String(), required=True)


_ENVELOPE = Envelope()

_USUAL = {
    "specversion": re.compile(r"1\.0"),
    "id": re.compile(r"[\w.:\-]{1,80}"),
    "type": re.compile(r"[a-z_]+(\.[a-z_]+){1,2}"),
    "source": re.compile(r"[a-z/]{1,200}"),
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00"),
    "datacontenttype": re.compile(re.escape(CONTENT_TYPE)),
    "subject": re.compile(r"[\w.:\-]{1,80}"),
    "aggregate": re.compile(r"[\w.:\-]{0,200}"),
    "correlationid": re.compile(r"[\w.:\-]{1,80}"),
    "ruletime": re.compile(r"[\d.:+TZ\-]{0,40}"),
}
_NEEDED = {"specversion", "id", "type", "source", "time", "data"}
_ATTRIBUTES = {*_USUAL, "seq", "data"}
_DEFAULTS = {
    "datacontenttype": CONTENT_TYPE, "subject": "", "aggregate": "", "seq": 0, "correlationid": "", "ruletime": "",
}  # fmt: skip


def new_id() -> str:
    """Make a random id (UUID 4)."""
    return str(uuid.uuid4())


def encode(body: Any) -> bytes:
    """Write `body` as canonical JSON in UTF-8; dates become ISO strings, decimals strings."""
    return _CANONICAL.encode(body).encode()


def digest(body: bytes) -> str:
    """Give the SHA-256 of `body` in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def jsonable(data: Any) -> Any:
    """Give `data` as JSON primitives (dates as ISO strings, decimals as strings)."""
    return json.loads(encode(data))


def command_digest(wire: str, actor: str, data: dict[str, Any]) -> str:
    """Give what a repeated command id must match: the same wire, actor and data."""
    return digest(encode([wire, actor, data]))


def make_command(wire: str, data: dict[str, Any], *, command_id: str = "", correlation_id: str = "") -> dict[str, Any]:
    """Make a command's envelope; `data` may hold dates. Raise Rejected where the contract refuses it."""
    primitive: dict[str, Any] = jsonable(data)
    check(declared(COMMANDS, wire).request, primitive, wire)
    return _make(wire, "caller", primitive, id=command_id or new_id(), correlationid=correlation_id)


def make_event(wire: str, data: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    """Make an event's envelope (`data` may hold dates); attributes: id, subject, aggregate, seq, correlationid, …"""
    event = declared(EVENTS, wire)
    primitive: dict[str, Any] = jsonable(data)
    check(event.schema, primitive, wire)
    return _make(wire, event.emitter, primitive, **attributes)


def make_task(wire: str, data: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    """Make a task's envelope from `data` (may hold dates); attributes as for an event."""
    task = declared(TASKS, wire)
    primitive: dict[str, Any] = jsonable(data)
    check(task.schema, primitive, wire)
    return _make(wire, task.service, primitive, **attributes)


def parse(body: Any) -> dict[str, Any]:
    """Give the envelope's attributes with defaults filled in (`time` aware); raise Rejected ENVELOPE_INVALID."""
    if (usual := _usual(body)) is not None:
        return usual
    try:
        loaded: dict[str, Any] = _ENVELOPE.load(body)
    except ValidationError as error:
        messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
        refused = Rejected.invalid("envelope", messages)
        raise Rejected("ENVELOPE_INVALID", refused.message, field=refused.field, remedy=refused.remedy) from None
    return loaded


def _usual(body: Any) -> dict[str, Any] | None:
    """Give what the schema would give for an envelope as `_make` writes it, in a tenth of the time; else nothing.

    It accepts less than the schema, and refuses nothing: whatever else comes, the schema decides (a test compares).
    """
    if type(body) is not dict or not _NEEDED <= body.keys() <= _ATTRIBUTES or type(body["data"]) is not dict:
        return None
    seq, texts = body.get("seq", 0), [body[name] for name in body.keys() & _USUAL.keys()]
    if type(seq) is not int or seq < 0 or set(map(type, [*texts, *body["data"]])) != {str}:
        return None
    if not all(form.fullmatch(body[name]) for name, form in _USUAL.items() if name in body):
        return None
    try:
        return {**_DEFAULTS, **body, "time": datetime.fromisoformat(body["time"])}
    except ValueError:
        return None


def declared(catalogue: dict[str, Wire], wire: str) -> Wire:
    """Look `wire` up in a catalogue of the contracts; raise Rejected WIRE_UNKNOWN."""
    if wire not in catalogue:
        raise Rejected("WIRE_UNKNOWN", f"{wire} is not in the contracts", remedy="use a declared message")
    return catalogue[wire]


def _make(wire: str, source: str, data: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    body = {
        "specversion": "1.0", "type": wire, "source": f"/ophor/{source}", "datacontenttype": CONTENT_TYPE,
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"), "id": attributes.pop("id", "") or new_id(),
        "data": data,
    }  # fmt: skip
    body.update({name: value for name, value in attributes.items() if value not in ("", None)})
    return body


def _primitive(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, uuid.UUID | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a value of the wire")


_CANONICAL = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_primitive
)

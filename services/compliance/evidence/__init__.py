"""What enters the evidence log: one closed schema a kind, made from the contract's events.

Rules it keeps: an entry holds enums, codes, ids, counts, dates and digests only; there is no free-text type, unknown
fields are refused, and a value in the shape of a CPR number or an e-mail address is refused wherever it stands
(evidence.md §1.6).
What an event says beyond its schema (titles, texts) is dropped by `entry_of`. A leaf is salted, so that deleting its
salt and event leaves every other proof valid (§1.7). Within an exit the entries form a chain (`n`, `prev`), so that
none can be left out of a bundle unseen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from marshmallow import Schema, fields
from marshmallow.exceptions import ValidationError

from contracts.errors import Rejected
from services.compliance.evidence.certain import Test, certainly
from services.compliance.evidence.kinds import KIND_OF_EVENT, KINDS
from services.compliance.signing.envelope import canonical

__all__ = ["GENESIS", "KINDS", "KIND_OF_EVENT", "Logged", "checked", "entry_of", "leaf", "read_leaf", "written"]

GENESIS = "0" * 64
_HEX = "[0-9A-Fa-f]"  # a digest may hold any digits
_CPR = re.compile(rf"(?<!{_HEX})(0[1-9]|[12][0-9]|3[01])(0[1-9]|1[0-2])[0-9]{{2}}[-–._ ]{{0,3}}[0-9]{{4}}(?!{_HEX})")
_MAIL = re.compile(r"[^\s@/]@[^\s@/]+\.[^\W\d_]{2,}")


@dataclass(frozen=True, slots=True)
class Logged:
    """One entry as it stands in the log."""

    index: int
    kind: str
    at: str
    entry: dict[str, Any]


def entry_of(wire: str, data: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Turn an event's data (as its contract loads it) into (kind, entry); fields that are not evidence are dropped."""
    kind = KIND_OF_EVENT[wire]
    schema = _schema(kind)
    return kind, checked(kind, schema.dump(_picked(schema, data)))


def checked(kind: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Give `entry` back when it is valid evidence of `kind`; Rejected EVIDENCE_INVALID naming the field, else."""
    written(kind, entry)
    return dict(entry)


def written(kind: str, entry: Mapping[str, Any]) -> bytes:
    """Write valid evidence of `kind` as canonical JSON; Rejected EVIDENCE_INVALID naming the field, else."""
    if kind not in KINDS:
        raise _invalid("kind", "no such kind of evidence")
    if not _certain(kind)(entry):
        _judge(kind, entry)
    try:
        data = canonical(entry)
    except ValueError:
        raise _invalid(kind, "a number or letters that JSON has no one form of") from None
    if _may_name(data.decode()):
        _refuse_person(entry, kind)
    return data


def leaf(event: Mapping[str, Any], salt: str, entry: bytes | None = None) -> bytes:
    """Write a leaf's bytes: canonical JSON of the event and its salt (64 hexadecimal digits).

    The event has exactly: version, origin, exit, n (its number among the exit's entries), prev (the leaf hash of the
    one before, GENESIS for the first), kind, ref, at (the rules' clock, ISO 8601 UTC) and entry, which may be given as
    it was `written`.
    """
    if entry is None:
        return canonical({"event": dict(event), "salt": salt})
    return canonical({"event": {**event, "entry": 0}, "salt": salt}).replace(b'"entry":0', b'"entry":' + entry, 1)


def read_leaf(index: int, data: bytes) -> Logged:
    """Read a leaf's bytes back."""
    event = json.loads(data)["event"]
    return Logged(index, event["kind"], event["at"], event["entry"])


@cache
def _schema(kind: str) -> Schema:
    return KINDS[kind]()


@cache
def _certain(kind: str) -> Test:
    return certainly(_schema(kind))


def _judge(kind: str, entry: Mapping[str, Any]) -> None:
    try:
        _schema(kind).load(entry)
    except ValidationError as error:
        rejected = Rejected.invalid(kind, error.normalized_messages())
        raise _invalid(rejected.field, "not an enum, id, count, date or digest") from None


def _picked(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(field, data[name]) for name, field in schema.fields.items() if name in data}


def _value(field: fields.Field[Any], value: Any) -> Any:
    if isinstance(field, fields.Nested):
        return _picked(field.schema, value)
    if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
        return [_picked(field.inner.schema, item) for item in value]
    return value


def _may_name(text: str) -> bool:
    """Tell whether a value in this JSON text may have a person's shape; only then is each looked at for itself."""
    return "\\" in text or "@" in text or _CPR.search(text) is not None


def _refuse_person(value: Any, path: str) -> None:
    if isinstance(value, str) and _CPR.search(value):
        raise _invalid(path, "a value in the shape of a CPR number")
    if isinstance(value, str) and _MAIL.search(value):
        raise _invalid(path, "a value in the shape of an e-mail address")
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _refuse_person(name, path)
            _refuse_person(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            _refuse_person(inner, f"{path}.{number}")


def _invalid(field: str, why: str) -> Rejected:
    return Rejected(
        "EVIDENCE_INVALID",
        f"{field}: {why}",
        field=field,
        remedy="evidence holds no text and no personal data; correct the event at its emitter",
        da=f"Feltet {field} kan ikke indgå i bevisloggen.",
    )

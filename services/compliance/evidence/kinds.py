"""The kinds of evidence: one closed schema each, made from the contract's events, and the table from events to them.

The closed form of a wire schema keeps its enums, codes, ids, counts, dates, digests and truth values. It drops text for
people (what no pattern or list closes), the exit's id (the entry has it) and the tenant's name, and refuses every field
that it does not know. So a new event told to compliance is evidence at once, and nobody writes its fields down twice.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

from marshmallow import RAISE, Schema, fields, missing, validate

from contracts.catalogue import subscribed
from contracts.compliance import REVOKED_FOR
from contracts.compliance_seals import SEALS
from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many
from contracts.records import ENDINGS, REDACTION_REASONS

DROPPED = frozenset({"exit_id", "tenant"})
NO_EVIDENCE = frozenset(
    {
        "scheduling.activity_due",
        "compliance.request_look_due",
        "compliance.status_due",
        "compliance.retention_over",
        "compliance.redeletion_due",
    }
)


class Entry(Schema):
    """An entry's body: closed, unlike a wire message."""

    class Meta:
        unknown = RAISE


def Name(**options: Any) -> fields.String:
    """Make a number or name as it is written: at most 200, no control characters."""
    return fields.String(required=True, validate=validate.Regexp(r"^[^\x00-\x1f]{1,200}\Z"), **options)


def Role(**options: Any) -> fields.String:
    """Make a role's wire name: one word."""
    return fields.String(required=True, validate=validate.Regexp(r"^[\w\-]{1,60}\Z"), **options)


def Instant(**options: Any) -> fields.String:
    """Make an instant or an opaque time id (digits, `T`, `Z`, signs)."""
    return fields.String(required=True, validate=validate.Regexp(r"^[0-9TZ:.+\-]{1,40}\Z"), **options)


NARROWED: dict[str, Callable[[], fields.String]] = {"role": Role, "at": Instant}
"""Fields that the wire has wider than evidence may: by name, wherever they stand."""


class CertificateSealed(Entry):
    """Written by the ledger itself when a certificate was issued, so that the log knows of every certificate."""

    certificate_id = Id()
    stage = Code()
    number = Name()
    activities = Many(Code())
    statement_digest = Digest()
    version = Count(required=False)
    seal = Choice(*SEALS, required=False)


class CertificateWithdrawn(Entry):
    """Written when somebody revoked a certificate: which, why, and in what role."""

    certificate_id = Id()
    stage = Code()
    number = Name()
    version = Count()
    statement_digest = Digest()
    reason = Choice(*REVOKED_FOR)
    actor = Id()
    role = Role()
    on = Day()


class Approval(Entry):
    actor = Id()
    role = Role()


class Redacted(Entry):
    """Written when one entry was forgotten: its place, number, kind and leaf hash, why, and by whose two words."""

    index = Count()
    n = Count()
    was = Code()
    leaf = Digest()
    reason = Choice(*REDACTION_REASONS)
    approvals = Many(Approval)


class RetentionExtended(Entry):
    """Written when the controller instructed that the evidence be kept longer."""

    until = Day()
    digest = Digest()
    actor = Id()
    role = Role()


class RetentionEnded(Entry):
    """Written when every earlier entry of the exit was forgotten."""

    how = Choice(*ENDINGS)
    kept_until = Day()
    offered_on = Day()
    on = Day()


class KeyRotated(Entry):
    """Written when a signing key followed another: which, by which note, valid from which size of the log on."""

    name = Code()
    old_digest = Digest()
    new_digest = Digest()
    note_digest = Digest()
    size = Count()
    on = Instant()


class SignersChecked(Entry):
    """What the signing processes found of themselves at their start: user, own files, and the other's folder."""

    seal_user = Count()
    sign_user = Count()
    seal_key = Digest()
    sign_key = Digest()
    own_files = Code()
    other_folder = Code()
    on = Instant()


@cache
def closed(schema: type[Schema]) -> type[Entry]:
    """Give the closed form of a wire schema: the same fields without free text, each required that always stands."""
    kept = {name: _field(name, field) for name, field in schema._declared_fields.items()}
    found = {name: field for name, field in kept.items() if field is not None}
    made: type[Entry] = type(schema.__name__, (Entry,), {"__doc__": schema.__doc__, **found})
    return made


def _field(name: str, field: fields.Field[Any]) -> fields.Field[Any] | None:
    if name in DROPPED:
        return None
    return NARROWED[name]() if name in NARROWED else _closed(field)


def _closed(field: fields.Field[Any]) -> fields.Field[Any] | None:
    """Give a field's closed form, or None where it takes free text."""
    if isinstance(field, fields.Nested):
        return fields.Nested(closed(type(field.schema)), required=_always(field), allow_none=field.allow_none)
    if isinstance(field, fields.List):
        inner = _closed(field.inner)
        return None if inner is None else fields.List(inner, required=_always(field), allow_none=field.allow_none)
    if isinstance(field, fields.Dict):
        parts = [part and _closed(part) for part in (field.key_field, field.value_field)]
        return fields.Dict(*parts, required=True) if all(parts) else None
    shut = any(isinstance(rule, validate.Regexp | validate.OneOf) for rule in field.validators)
    if not shut and not isinstance(field, fields.Date | fields.Integer | fields.Boolean):
        return None
    made = copy.deepcopy(field)
    made.required, made.load_default = _always(field), missing
    return made


def _always(field: fields.Field[Any]) -> bool:
    """Tell whether a loaded message always has the field: it is required, or has a default."""
    return field.required or field.load_default is not missing


_RENAMED = {"scheduling.approval_completed": "DELETION_INTENT"}
_TOLD = {event.wire: event for event in subscribed("compliance") if event.wire not in NO_EVIDENCE}

KIND_OF_EVENT: dict[str, str] = {wire: _RENAMED.get(wire, event.name.upper()) for wire, event in _TOLD.items()}
"""Every event that becomes evidence. `scheduling.activity_due` is told to compliance too, but shows nothing: what was
due stands in PLAN_MADE, what was late in ACTIVITY_OVERDUE, what was done in ACTIVITY_COMPLETED."""

KINDS: dict[str, type[Entry]] = {
    "CERTIFICATE_ISSUED": CertificateSealed,
    "KEY_ROTATED": KeyRotated,
    "SIGNERS_CHECKED": SignersChecked,
    "CERTIFICATE_REVOKED": CertificateWithdrawn,
    "REDACTED": Redacted,
    "RETENTION_EXTENDED": RetentionExtended,
    "RETENTION_ENDED": RetentionEnded,
    **{KIND_OF_EVENT[wire]: closed(event.schema) for wire, event in _TOLD.items()},
}

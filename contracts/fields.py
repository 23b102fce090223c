"""The field types of the wire: ids, digests, dates, codes. Free text is not among them where evidence may follow."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate


def Id(**options: Any) -> fields.String:
    """Make an opaque id: 1–80 characters of letters, digits and `._:-`."""
    return fields.String(
        required=options.pop("required", True), validate=validate.Regexp(r"^[\w.:\-]{1,80}$(?!\n)"), **options
    )


def Digest(**options: Any) -> fields.String:
    """Make a SHA-256 in lower-case hexadecimal (64 characters)."""
    return fields.String(
        required=options.pop("required", True), validate=validate.Regexp(r"^[0-9a-f]{64}$(?!\n)"), **options
    )


def Day(**options: Any) -> fields.Date:
    """Make a legal date (ISO 8601, Europe/Copenhagen)."""
    return fields.Date(required=options.pop("required", True), format="iso", **options)


def Instant(**options: Any) -> fields.String:
    """Make an instant with its zone (ISO 8601, seconds)."""
    form = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+\-]\d{2}:\d{2})$(?!\n)"
    return fields.String(required=options.pop("required", True), validate=validate.Regexp(form), **options)


def Count(**options: Any) -> fields.Integer:
    """Make a count of rows, files or bytes (≥ 0)."""
    return fields.Integer(
        required=options.pop("required", True), strict=True, validate=validate.Range(min=0), **options
    )


def Code(**options: Any) -> fields.String:
    """Make an upper-case code or activity id such as `DELETED`, `D3b`, `S2-28.1-d`, `OPTION(S1-8.3)`."""
    return fields.String(
        required=options.pop("required", True),
        validate=validate.Regexp(r"^[A-Za-z0-9][A-Za-z0-9_.\-(),:]{0,79}$(?!\n)"),
        **options,
    )


def Choice(*values: str, **options: Any) -> fields.String:
    """Make one of a closed list."""
    return fields.String(required=options.pop("required", True), validate=validate.OneOf(values), **options)


def Place(**options: Any) -> fields.String:
    """Make the name of a place or system as its own schema has it (1–200 characters, no control characters)."""
    return fields.String(
        required=options.pop("required", True), validate=validate.Regexp(r"^[^\x00-\x1f]{1,200}$(?!\n)"), **options
    )


def Text(maximum: int = 500, **options: Any) -> fields.String:
    """Make text for people (commands only, never events or evidence)."""
    return fields.String(
        required=options.pop("required", True), validate=validate.Length(min=1, max=maximum), **options
    )


def Cvr(**options: Any) -> fields.String:
    """Make a CVR number (8 digits; the check digit is a rule of the domain)."""
    return fields.String(
        required=options.pop("required", True), validate=validate.Regexp(r"^[0-9]{8}$(?!\n)"), **options
    )


def Many(inner: Any, **options: Any) -> fields.List[Any]:
    """Make a list of fields or, given a schema class, of nested bodies."""
    required = options.pop("required", True)
    element = fields.Nested(inner) if isinstance(inner, type) else inner
    return fields.List(element, required=required, **options)


def One(inner: Any, **options: Any) -> fields.Nested:
    """Make one nested body."""
    return fields.Nested(inner, required=options.pop("required", True), **options)

"""The form of a profile file: marshmallow schemas that refuse unknown fields and say what is missing."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from contracts.errors import Rejected
from contracts.fields import Code, Digest, Many, One, Text
from shared.rules.references import parse_reference

PHASES = ("order", "preparation", "window", "after")
OWNERS = ("customer", "supplier", "delivery", "access", "deletion", "scheduling")
PARTIES = ("customer", "supplier", "successor")
DELETIONS = ("", "1", "2", "index", "uncovered")
GATES = ("instruction", "archive")


def _codes(**options: Any) -> fields.List[Any]:
    return Many(Code(), required=False, load_default=list, **options)


def _parties() -> fields.List[Any]:
    choice = fields.String(validate=validate.OneOf(PARTIES))
    return fields.List(choice, required=True, validate=validate.Length(min=1))


def _reference(value: str) -> None:
    try:
        parse_reference(value)
    except Rejected as error:
        raise ValidationError(error.message) from None


def _references() -> fields.List[Any]:
    return fields.List(fields.String(validate=_reference), load_default=list)


class _Part(Schema):
    class Meta:
        unknown = RAISE


class _Titled(_Part):
    title_da = Text(200)
    title_en = Text(200)


class Source(_Part):
    title = Text(200)
    digest = Digest(allow_none=True)


class Parameter(_Titled):
    name = Code()
    default = fields.Integer(strict=True, load_default=None, validate=validate.Range(min=0))


class AnchorSchema(_Titled):
    name = Code()
    first_of = _references()
    latest_of = _codes()
    planned = fields.Boolean(load_default=False)


class DateSchema(_Part):
    not_before = fields.String(load_default="", validate=_reference)
    not_after = fields.String(load_default="", validate=_reference)
    clause = Text(80, required=False, load_default="")
    when = _codes()
    unless = _codes()
    target = fields.Boolean(load_default=False)

    @validates_schema
    def one_direction(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a bound with no direction or with both."""
        if bool(data.get("not_before")) == bool(data.get("not_after")):
            raise ValidationError("give either not_before or not_after", "not_after")


class AdditionSchema(DateSchema):
    targets = fields.List(Code(), required=True, data_key="for", validate=validate.Length(min=1))
    clause = Text(80)


class OptionSchema(_Titled):
    id = Code()
    clause = Text(80)


class NeedSchema(_Part):
    options = Many(Code())
    one_of = Many(Code())
    clause = Text(80)


class RuleSchema(_Titled):
    id = Code()
    clause = Text(80)
    start = Code(data_key="from")
    end = Code(data_key="to")
    exceptions = _codes()


class ActivitySchema(_Titled):
    id = Code()
    phase = fields.String(required=True, validate=validate.OneOf(PHASES))
    owner = fields.String(required=True, validate=validate.OneOf(OWNERS))
    responsible = _parties()
    obligatory = fields.Boolean(load_default=True)
    options = _codes()
    clause = Text(80)
    timing_da = Text(150, required=False, load_default="")
    dates = Many(DateSchema, required=False, load_default=list)
    after = _codes()
    completed_by = Code()
    parts = _codes()
    destructive = fields.Boolean(load_default=False)
    deletion = fields.String(load_default="", validate=validate.OneOf(DELETIONS))
    gates = fields.List(fields.String(validate=validate.OneOf(GATES)), load_default=list)
    applies_to = _codes()

    @validates_schema
    def consistent(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse an activity whose fields contradict one another."""
        if data.get("obligatory") == bool(data.get("options")):
            raise ValidationError("an option, and only an option, names its options", "options")
        if bool(data.get("parts")) != (data.get("completed_by") == "parts"):
            raise ValidationError("`parts` and `completed_by: parts` belong together", "parts")
        if bool(data.get("deletion")) != bool(data.get("destructive")):
            raise ValidationError("a destructive activity, and only such a one, names its deletion", "deletion")
        if data.get("destructive") and data.get("owner") != "deletion":
            raise ValidationError("only deletion may own what destroys", "owner")


class ObligationSchema(_Titled):
    id = Code()
    clause = Text(80)
    who = _parties()
    dates = Many(DateSchema, required=False, load_default=list)
    consequence = Text(200, required=False, load_default="")


class PlaceSchema(_Titled):
    line = Code()
    kind = fields.String(required=True, validate=validate.OneOf(("system", "forgotten")))


class ProfileSchema(_Titled):
    profile = Code()
    version = Code()
    rank = fields.Integer(required=True, strict=True)
    warns = fields.Boolean(load_default=False)
    source = One(Source)
    parameters = Many(Parameter, required=False, load_default=list)
    anchors = Many(AnchorSchema, required=False, load_default=list)
    options = Many(OptionSchema, required=False, load_default=list)
    needs = Many(NeedSchema, required=False, load_default=list)
    rules = Many(RuleSchema, required=False, load_default=list)
    activities = Many(ActivitySchema, required=False, load_default=list)
    obligations = Many(ObligationSchema, required=False, load_default=list)
    adds = Many(AdditionSchema, required=False, load_default=list)
    places = Many(PlaceSchema, required=False, load_default=list)


def problems_of(content: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """List (path, message) of everything that is wrong with the form of `content`."""
    messages = ProfileSchema().validate(content) if isinstance(content, dict) else {"_schema": ["not a mapping"]}
    return list(_flat(messages, ()))


def _flat(messages: Any, path: tuple[str | int, ...]) -> Any:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flat(inner, path if key == "_schema" else (*path, key))
    else:
        yield path, "; ".join(map(str, messages))

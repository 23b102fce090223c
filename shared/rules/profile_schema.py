"""The form of a profile file: marshmallow schemas that refuse unknown fields and say what is missing."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from contracts.errors import Rejected
from contracts.fields import Code, Digest, Many, One, Text
from shared.rules.references import parse_reference
from shared.rules.time import parse_period

PHASES = ("order", "preparation", "window", "after")
OWNERS = ("customer", "supplier", "delivery", "access", "deletion", "scheduling")
PARTIES = ("customer", "supplier", "successor")
DELETIONS = ("", "1", "2", "index", "uncovered")
GATES = ("instruction", "archive", "accepted", "transfer", "addendum", "holds")
TIMETABLES = ("", "on", "by")
NOTICE_LATE = ("later", "refused", "agreement", "other_clause")
NOTICE_MEASURES = ("end", "extension", "milestone", "option", "copy", "none")


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


def _period(value: str) -> None:
    try:
        parse_period(value)
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
    suspends = fields.List(fields.String(validate=validate.OneOf(DELETIONS[1:])), load_default=list)
    after_end = fields.Boolean(load_default=False)


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
    timetable = fields.String(load_default="", validate=validate.OneOf(TIMETABLES))
    evidence = _codes()
    heavy = fields.Boolean(load_default=False)
    reopened_by = Text(80, required=False, load_default="")

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
    all_of = _codes()
    any_of = _codes()
    at_risk = fields.String(load_default="-5wd", validate=_period)
    suspended_by = _codes()
    options = _codes()
    applies_to = _codes()
    continuous = fields.Boolean(load_default=False)


class VariantSchema(_Titled):
    """One variant of a notice: its period counted to the day it takes effect, and a day it cannot be earlier than."""

    id = Code()
    clause = Text(80)
    period = fields.String(required=True, validate=_period)
    not_before = fields.String(load_default="", validate=_reference)


class NoticeSchema(_Titled):
    """A kind of notice: who may give it, against which date its period runs, and what a late one brings.

    `measure`: end (the wished day), extension (K), milestone, option (`latest`), copy (delivery day), none.
    `late`: later (takes effect later), refused, agreement (of both), other_clause (served under `late_clause`).
    """

    kind = Code()
    clause = Text(80)
    by = _parties()
    measure = fields.String(required=True, validate=validate.OneOf(NOTICE_MEASURES))
    moves = Code(required=False, load_default="")
    chooses = _codes()
    latest = fields.String(load_default="", validate=_reference)
    late = fields.String(required=True, validate=validate.OneOf(NOTICE_LATE))
    late_clause = Text(80, required=False, load_default="")
    most_months = fields.Integer(strict=True, load_default=None, validate=validate.Range(min=1))
    most_times = fields.Integer(strict=True, load_default=None, validate=validate.Range(min=1))
    partial = fields.Boolean(load_default=False)
    variants = Many(VariantSchema)


class ReminderSchema(_Titled):
    """A reminder at a date while any of `unmet` (activities or gates) is open; `letter`: a status letter goes too."""

    id = Code()
    at = fields.String(required=True, validate=_reference)
    clause = Text(80)
    to = _parties()
    unmet = _codes()
    notice = Code(required=False, load_default="")
    letter = fields.Boolean(load_default=False)


class PlaceSchema(_Titled):
    line = Code()
    kind = fields.String(required=True, validate=validate.OneOf(("system", "forgotten", "data_kind", "register")))


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
    notices = Many(NoticeSchema, required=False, load_default=list)
    reminders = Many(ReminderSchema, required=False, load_default=list)


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

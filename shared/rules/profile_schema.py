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
NOTICE_MEASURES = ("end", "before", "milestone", "copy")


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
    """What a party owes. It is met by everything in `all_of` and something in `any_of` (rules/obligations.py names what
    may stand there), or by an answer of its own; `right`: not owed, so that it lapses instead of being breached;
    `continuous`: in force throughout; `at_risk`: how long before its last day it is shown as at risk; `controls`: those
    of standards that its evidence serves as well."""

    id = Code()
    clause = Text(80)
    who = _parties()
    dates = Many(DateSchema, required=False, load_default=list)
    consequence = Text(200, required=False, load_default="")
    all_of = _codes()
    any_of = _codes()
    at_risk = fields.String(load_default="-5wd", validate=[_period, validate.Regexp("-", error="it runs backwards")])
    suspended_by = _codes()
    options = _codes()
    applies_to = _codes()
    continuous = fields.Boolean(load_default=False)
    right = fields.Boolean(load_default=False)
    controls = Many(Text(40), required=False, load_default=list)


class VariantSchema(_Titled):
    """One variant of a notice: from the day it is given, `period` runs to the day it takes effect or has to precede.

    `not_before`: no effect before that day (`core_only`: only where a Kerneydelse is ended; `exact`: on that very day);
    `whole_only`: it cannot end a part; `by`: others than the kind's. `general` is meant where none is named.
    """

    id = Code()
    clause = Text(80)
    period = fields.String(required=True, validate=_period)
    not_before = fields.String(load_default="", validate=_reference)
    exact = fields.Boolean(load_default=False)
    core_only = fields.Boolean(load_default=False)
    whole_only = fields.Boolean(load_default=False)
    by = fields.List(fields.String(validate=validate.OneOf(PARTIES)), load_default=list)


class NoticeSchema(_Titled):
    """A kind of notice: who may give it, against which date its period runs, and what a late one brings.

    `measure`: `end` (the wished day of effect), `before` (the anchor `against`), `milestone` (the one named, else
    `against`), `copy` (the wished day of delivery). `moves`: the anchor that gets the day of effect, or `most_months`
    more; `moves_part`: the anchor moved instead where only services end; `begins`: the anchor for the day after the one
    that is moved. `until`: no effect after it. `chooses`: options taken by it; `requires`: options it ends. `partly`:
    services may be named; `leaves_core`: they must be, and one Kerneydelse is left. `late`: later (takes effect later),
    refused, agreement (of both), other_clause (under `late_clause`).
    """

    kind = Code()
    clause = Text(80)
    by = _parties()
    measure = fields.String(required=True, validate=validate.OneOf(NOTICE_MEASURES))
    against = Code()
    moves = Code(required=False, load_default="")
    moves_part = Code(required=False, load_default="")
    begins = Code(required=False, load_default="")
    until = fields.String(load_default="", validate=_reference)
    chooses = _codes()
    requires = _codes()
    late = fields.String(required=True, validate=validate.OneOf(NOTICE_LATE))
    late_clause = Text(80, required=False, load_default="")
    most_months = fields.Integer(strict=True, load_default=None, validate=validate.Range(min=1))
    most_times = fields.Integer(strict=True, load_default=None, validate=validate.Range(min=1))
    partly = fields.Boolean(load_default=False)
    leaves_core = fields.Boolean(load_default=False)
    variants = fields.List(fields.Nested(VariantSchema), required=True, validate=validate.Length(min=1))


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

"""A quick yes for an entry that is valid for certain; whatever gets none is for the schema to judge.

The ledger looks at every entry again before it appends it. `certainly` turns a closed schema into plain tests that say
yes to nothing that the schema would refuse: they are narrower (exact types, dates in full) and know only the fields and
rules that evidence is made of. A test compares both on every kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

from marshmallow import Schema, fields, validate

Test = Callable[[Any], bool]
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def certainly(schema: Schema) -> Test:
    """Give the test that is true only for what `schema` loads."""
    tests = {name: _field(field) for name, field in schema.fields.items()}
    required = frozenset(name for name, field in schema.fields.items() if field.required)

    def test(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        return all([name in tests and tests[name](inner) for name, inner in value.items()])

    return test


def _field(field: fields.Field[Any]) -> Test:
    test = _typed(field)
    if field.data_key is not None or field.dump_only:
        return _never
    return (lambda value: value is None or test(value)) if field.allow_none else test


def _typed(field: fields.Field[Any]) -> Test:
    rules = [_rule(one) for one in field.validators]
    if not rules:
        return _plain(field)
    wanted = {fields.String: str, fields.Integer: int}.get(type(field))
    return _exactly(wanted, rules[0]) if wanted and len(rules) == 1 else _never


def _exactly(kind: type, rule: Test) -> Test:
    return lambda value: type(value) is kind and rule(value)


def _plain(field: fields.Field[Any]) -> Test:
    """Give the test of a field without rules of its own."""
    if isinstance(field, fields.List):
        return _list(_field(field.inner))
    if isinstance(field, fields.Nested):
        return _never if field.many else certainly(field.schema)
    if isinstance(field, fields.Dict) and field.key_field and field.value_field:
        return _dict(_field(field.key_field), _field(field.value_field))
    simple: dict[type, Test] = {fields.Boolean: _bool, fields.Integer: _int, fields.Date: _day}
    return simple.get(type(field), _never)


def _rule(rule: Any) -> Test:
    if type(rule) is validate.Regexp:
        match = rule.regex.match
        return lambda value: match(value) is not None
    if type(rule) is validate.OneOf:
        return frozenset(rule.choices).__contains__
    if type(rule) is validate.Range and rule.max is None and rule.min_inclusive:
        least = rule.min
        return lambda value: bool(value >= least)
    return _never


def _list(inner: Test) -> Test:
    return lambda value: type(value) is list and all([inner(one) for one in value])


def _dict(key: Test, inner: Test) -> Test:
    return lambda value: type(value) is dict and all([key(name) and inner(one) for name, one in value.items()])


def _never(_value: Any) -> bool:
    return False


def _bool(value: Any) -> bool:
    return type(value) is bool


def _int(value: Any) -> bool:
    return type(value) is int


def _day(value: Any) -> bool:
    return type(value) is str and _is_day(value)


@lru_cache(maxsize=4096)
def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True

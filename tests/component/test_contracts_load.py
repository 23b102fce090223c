"""A message is loaded as marshmallow loads it, whatever it holds: the quick way gives the same, or leaves it to it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields
from marshmallow.error_store import ErrorStore

from contracts.catalogue import COMMANDS, EVENTS, TASKS
from contracts.registry import Message

BODIES = [each.schema for each in EVENTS.values()] + [each.schema for each in TASKS.values()]
BODIES += [each.request for each in COMMANDS.values()] + [each.answer for each in COMMANDS.values()]
POOL: list[Any] = [
    None, True, 0, -1, 7, 1.5, "", "x", "exit-1", "2026-01-02", "2026-02-30", "12345678", "1.50", "0" * 64, [], ["x"],
    {}, "2026-01-02T00:00:00+00:00", "orders.order_placed",
]  # fmt: skip
ODD = st.sampled_from(POOL)


def within(schema: Any) -> set[type[Message]]:
    """Give a schema and all that are nested in it."""
    found, inner = {type(schema)}, [getattr(field, "inner", field) for field in schema.fields.values()]
    for field in inner:
        if isinstance(field, fields.Nested):
            found |= within(field.schema)
    return found


KINDS = sorted(set().union(*(within(body()) for body in BODIES)), key=lambda kind: (kind.__module__, kind.__qualname__))


def value(field: Any, depth: int) -> st.SearchStrategy[Any]:
    """Values that may be right for a field."""
    if isinstance(field, fields.Nested) and depth:
        return body(field.schema, depth - 1)
    if isinstance(field, fields.List):
        return st.lists(value(field.inner, depth), max_size=2)
    names = [name for validator in field.validators for name in getattr(validator, "choices", ())]
    return st.sampled_from([each for each in (*names, *POOL) if taken(field, each)] or POOL)


def taken(field: Any, each: Any) -> bool:
    """Tell whether a field takes a value."""
    try:
        field.deserialize(each)
    except ValidationError:
        return False
    return True


def body(schema: Any, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies of a schema, right or wrong in some fields, with more than it knows."""
    known = {name: value(field, depth) for name, field in schema.fields.items()}
    needed = {name: known.pop(name) for name, field in schema.fields.items() if field.required}
    spoilt = {name: ODD for name in [*needed, *known]}
    return st.fixed_dictionaries(needed, optional={**known, "more": ODD, "least": ODD}) | st.fixed_dictionaries(
        {}, optional=spoilt
    )


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_every_message_is_loaded_as_marshmallow_loads_it(data: st.DataObject) -> None:
    schema: Any = data.draw(st.sampled_from(KINDS))()
    given_ = data.draw(st.one_of(body(schema, 2), ODD))
    ours, theirs = ErrorStore(), ErrorStore()  # type: ignore[no-untyped-call]
    quick = schema._deserialize(given_, error_store=ours, unknown=schema.unknown)
    plain = Schema._deserialize(schema, given_, error_store=theirs, unknown=schema.unknown)
    assert ours.errors == theirs.errors
    assert theirs.errors or (quick == plain and list(quick)[: len(schema.fields)] == list(plain)[: len(schema.fields)])


def test_no_message_renames_its_fields() -> None:
    renamed = [field for kind in KINDS for field in kind().fields.values() if field.data_key or field.attribute]
    assert renamed == [] and all(issubclass(kind, Message) for kind in KINDS)

"""What a wire message is: the three kinds (command, event, task) and how each is declared.

A command is asked of one face over RPC and answered. An event is a fact that its emitter tells; the contract lists
every subscriber. A task is work that a service sends to one of its own hands. Unknown fields survive (§3.9).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from marshmallow import INCLUDE, Schema, ValidationError, missing

from contracts.errors import Rejected


class Message(Schema):
    """A body on the wire: JSON primitives, checked on send and on receive; unknown fields survive."""

    class Meta:
        unknown = INCLUDE
        ordered = True

    def _deserialize(self, data: Any, *, many: bool = False, **more: Any) -> Any:
        """Load an object in which nothing is wrong by its fields alone; what is wrong, marshmallow says in full.

        It has a closure and a look at `partial` for every field, which is more than the fields themselves cost.
        """
        if type(data) is dict and not many and not more.get("partial") and more.get("unknown") == INCLUDE:
            with suppress(ValidationError):
                return self._usual(data)
        return super()._deserialize(data, many=many, **more)

    def _usual(self, data: dict[str, Any]) -> dict[str, Any]:
        loaded = {}
        for name, field_ in self.load_fields.items():
            value = field_.deserialize(data.get(name, missing), name, data)
            if value is not missing:
                loaded[name] = value
        loaded.update((name, data[name]) for name in data.keys() - self.load_fields.keys())
        return loaded


@dataclass(frozen=True, slots=True)
class Command:
    """A method of a face. `roles` may call it; a `query` reads, keeps no answer and needs no transaction."""

    service: str
    name: str
    request: type[Schema]
    answer: type[Schema]
    roles: frozenset[str]
    query: bool = False

    @property
    def wire(self) -> str:
        """Give the routing key on the RPC exchange, e.g. `orders.place_final_order`."""
        return f"{self.service}.{self.name}"


@dataclass(frozen=True, slots=True)
class Event:
    """A fact told by `emitter` to `subscribers` (services); `ordered` = handled strictly by seq per aggregate."""

    emitter: str
    name: str
    schema: type[Schema]
    subscribers: tuple[str, ...]
    ordered: bool = False

    @property
    def wire(self) -> str:
        """Give the full type, e.g. `orders.order_placed`."""
        return f"{self.emitter}.{self.name}"


@dataclass(frozen=True, slots=True)
class Task:
    """A bounded slice of work for one `hand` (process) of the sending `service`; `single` = one consumer at a time."""

    service: str
    hand: str
    name: str
    schema: type[Schema]
    single: bool = field(default=False)

    @property
    def wire(self) -> str:
        """Give the full type, e.g. `deletion.delete.delete_batch`."""
        return f"{self.service}.{self.hand}.{self.name}"


def check(schema: type[Schema], data: Any, wire: str) -> dict[str, Any]:
    """Load `data` (JSON primitives) by `schema`, dates as `date`; raise Rejected MESSAGE_INVALID with the field."""
    try:
        loaded: dict[str, Any] = _made(schema).load(data)
    except ValidationError as error:
        raise Rejected.invalid(wire, error.normalized_messages()) from None  # type: ignore[no-untyped-call]
    return loaded


def primitives(schema: type[Schema], data: dict[str, Any], wire: str) -> dict[str, Any]:
    """Dump `data` (Python values) to JSON primitives by `schema` and check the result as a receiver would."""
    body: dict[str, Any] = _made(schema).dump(data)
    check(schema, body, wire)
    return body


@cache
def _made(schema: type[Schema]) -> Schema:
    """Give a schema that is made once a process; neither loading nor dumping changes it."""
    return schema()

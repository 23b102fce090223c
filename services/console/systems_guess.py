"""Guess from a live schema whose each place is: by column names, and by foreign keys to a place that is known. Pure.

Rules kept here: a guess is a tenant key or a tenant path that the connectors can follow, never an exclusion; where
nothing speaks for a tenant, nothing is guessed; a table or column that the caller names is used or refused.
"""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from contracts.errors import Rejected
from shared.connectors.protocol import ForeignKey, LivePlace, Rows

_TENANT = (
    r"(tenant|lejer|kommune|mandant|customer|kunde|organi[sz]ation|org|client|klient|myndighed|municipality|authority"
    r"|account|cvr)(s|er|r)?"
)
_HINT = re.compile(rf"^(fk_?)?{_TENANT}(_?(id|key|kode|code|nr|no|nummer|number|uuid|guid|cvr))?$", re.IGNORECASE)
_PASSIVE = ("foreign", "virtual", "timeseries", "capped", "bucket")
_TYPE = re.compile(r"^(?P<stem>.*?)_?(type|slags|art|class|klasse|content_type_id|content_type)$", re.IGNORECASE)

Keys = dict[str, str]


def field_names(seen: Rows) -> tuple[str, ...]:
    """Give the fields of some documents, and of a field that holds an object those inside it (`kunde.id`) instead."""
    inner: dict[str, dict[str, None]] = {}
    for row in seen.rows:
        for name, value in zip(seen.columns, row, strict=True):
            if isinstance(value, str) and value.startswith("{"):
                inner.setdefault(name, {}).update(dict.fromkeys(_fields_of(value)))
    whole = [name for name in seen.columns if not inner.get(name)]
    return (*whole, *(f"{name}.{field}" for name, fields in inner.items() for field in fields))


def _fields_of(text: str) -> list[str]:
    """List the fields of an object written as JSON; none where it is another text, or a reference (DBRef)."""
    try:
        found = json.loads(text)
    except ValueError:
        return []
    return [field for field in found if not field.startswith("$") and "." not in field]


@dataclass(frozen=True, slots=True)
class Guess:
    """What is guessed of a place: its tenant key or tenant path, and what speaks for it or against it.

    `by`: `key` (the tenant's own table), `reference`, `name`, `path`; `nullable`: the key may be empty, or the path may
    break off; `others`: further columns that lead to a tenant just as well.
    """

    by: str
    tenant_key: str = ""
    tenant_path: tuple[str, ...] = ()
    nullable: bool = False
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hint:
    """A form that may fit where nothing is guessed, with what somebody has to decide in it still open.

    `by`: `type` (columns `type` and `id` name a row of one of several places) or `json` (`column` holds JSON).
    """

    by: str
    column: str = ""
    type: str = ""
    id: str = ""


def hint(place: LivePlace) -> Hint | None:
    """Look for a reference by type and id (ref_type beside ref_id), else for a column of JSON."""
    names = _columns(place)
    lower = {name.lower(): name for name in names}
    for name in names:
        if found := _TYPE.match(name):
            stem = found["stem"].lower()
            ids = [f"{stem}_id", f"{stem}id", f"{stem}_nr", f"{stem}_key"] if stem else ["object_id", "ref_id"]
            if by := [lower[one] for one in ids if one in lower]:
                return Hint("type", type=name, id=by[0])
    return next((Hint("json", column.name) for column in place.columns if column.type in ("json", "jsonb")), None)


def guess(places: Sequence[LivePlace], table: str = "", column: str = "") -> dict[str, Guess]:
    """Guess place by place; what is missing in the answer is undecided. `table` and `column` name the tenant's own.

    Raise Rejected INIT_UNKNOWN_TABLE or INIT_UNKNOWN_COLUMN where the live schema has no such thing.
    """
    schema = {place.name: place for place in places if place.kind not in _PASSIVE}
    starts = [_asked(schema, table, column)] if table or column else list(_candidates(schema))
    found = [_spread(schema, start) for start in starts]
    return max(found, key=len, default={})  # of equals the first: names come before mere references


def _asked(schema: Mapping[str, LivePlace], table: str, column: str) -> Keys:
    if table and table not in schema:
        raise _unknown("INIT_UNKNOWN_TABLE", "--tenant-table", table)
    if not table:
        named = _named(schema, column)
        if not named:
            raise _unknown("INIT_UNKNOWN_COLUMN", "--tenant-column", column)
        return named
    own = schema[table].primary_key
    key = column or (own[0] if len(own) == 1 else "")
    if key not in _columns(schema[table]):
        raise _unknown("INIT_UNKNOWN_COLUMN", "--tenant-column", key or f"({table})")
    return {table: key} | (_named(schema, key) if column and _speaks(key) else {})


def _unknown(code: str, option: str, name: str) -> Rejected:
    return Rejected(
        code, f"the live schema has no {name}", field=option, remedy="spell it as the schema does; give both options",
        da=f"Databasen har ikke {name}.",
    )  # fmt: skip


def _candidates(schema: Mapping[str, LivePlace]) -> Iterator[Keys]:
    names = {column for place in schema.values() for column in _columns(place) if _speaks(column)}
    counted = {name: _named(schema, name) for name in sorted(names)}
    yield from sorted(counted.values(), key=len, reverse=True)
    for place in schema.values():
        if _HINT.match(place.name.rsplit(".", 1)[-1]) and len(place.primary_key) == 1 and _referred(schema, place.name):
            yield {place.name: place.primary_key[0]}


def _speaks(column: str) -> bool:
    """Tell whether a column's name speaks of a tenant; of a field inside another, its own name or both together."""
    return any(_HINT.match(name) for name in (column.replace(".", "_"), column.rpartition(".")[2]))


def _named(schema: Mapping[str, LivePlace], column: str) -> Keys:
    return {name: column for name, place in schema.items() if column in _columns(place)}


def _columns(place: LivePlace) -> tuple[str, ...]:
    return tuple(column.name for column in place.columns)


def _referred(schema: Mapping[str, LivePlace], name: str) -> bool:
    return any(key.parent == name for place in schema.values() for key in place.foreign_keys)


def _spread(schema: Mapping[str, LivePlace], start: Keys) -> dict[str, Guess]:
    """Follow references from the places that are known: to the tenant's own table, then to whoever refers to them."""
    keys = dict(start)
    for name, column in start.items():
        for key in schema[name].foreign_keys:
            if key.columns == (column,) and key.parent in schema and not schema[key.parent].foreign_keys:
                keys.setdefault(key.parent, key.parent_columns[0])
    news = True
    while news:
        fresh: Keys = {}
        for name, ours in _keyed_by_reference(schema, keys):
            fresh.setdefault(name, ours)
        news = not fresh.keys() <= keys.keys()
        keys = fresh | keys
    found = {name: _key_guess(schema, keys, name) for name in keys}
    return found | _paths(schema, keys)


def _keyed_by_reference(schema: Mapping[str, LivePlace], keys: Keys) -> Iterator[tuple[str, str]]:
    for name, place in schema.items():
        for key in place.foreign_keys:
            for ours, theirs in zip(key.columns, key.parent_columns, strict=False):
                if keys.get(key.parent) == theirs:
                    yield name, ours


def _key_guess(schema: Mapping[str, LivePlace], keys: Keys, name: str) -> Guess:
    place, column = schema[name], keys[name]
    pairs = [
        (ours, key.parent, theirs)
        for key in place.foreign_keys
        for ours, theirs in zip(key.columns, key.parent_columns, strict=False)
    ]
    by = "name"
    if any(ours == column and keys.get(parent) == theirs for ours, parent, theirs in pairs):
        by = "reference"
    elif place.primary_key == (column,):
        by = "key"
    others = {ours for ours, parent, theirs in pairs if keys.get(parent) == theirs and ours != column}
    return Guess(by, tenant_key=column, nullable=_nullable(place, (column,)), others=tuple(sorted(others)))


def _nullable(place: LivePlace, columns: Sequence[str]) -> bool:
    """Tell whether a column may be empty; a document store, which has none, always may."""
    return not place.columns or any(column.nullable for column in place.columns if column.name in columns)


def _paths(schema: Mapping[str, LivePlace], keys: Keys) -> dict[str, Guess]:
    """Give the best path of each place that has no key: never empty before perhaps empty, then short before long."""
    found: dict[str, Guess] = {}
    best: dict[str, tuple[int, int]] = {}
    ways: list[tuple[int, int, int, str, tuple[str, ...]]] = []
    for name, column in keys.items():
        best[name] = (0, 0)
        ways += _ways_to(schema, name, (column,), 0)
    heapq.heapify(ways)
    while ways:
        nulls, length, _, name, path = heapq.heappop(ways)
        if name not in best:
            best[name] = (nulls, length)
            found[name] = Guess("path", tenant_path=path, nullable=nulls > 0)
            for way in _ways_to(schema, name, path, nulls):
                heapq.heappush(ways, way)
        elif best[name] == (nulls, length):
            known = found[name]
            others = (*known.others, path[0])
            found[name] = Guess("path", tenant_path=known.tenant_path, nullable=known.nullable, others=others)
    return found


def _ways_to(
    schema: Mapping[str, LivePlace], parent: str, path: tuple[str, ...], nulls: int
) -> list[tuple[int, int, int, str, tuple[str, ...]]]:
    ways = []
    for name, place in schema.items():
        for key in place.foreign_keys:
            column = _followable(place, key)
            if key.parent == parent != name and column:
                at = _columns(place).index(column)
                more = int(_nullable(place, key.columns))
                ways.append((nulls + more, len(path) + 1, at, name, (column, *path)))
    return ways


def _followable(place: LivePlace, key: ForeignKey) -> str:
    """Give the column by which a tenant path names this reference and no other, if there is one."""
    for column in key.columns:
        alike = [each for each in place.foreign_keys if column in each.columns]
        if ([each for each in alike if each.columns == (column,)] or alike) == [key]:
            return column
    return ""

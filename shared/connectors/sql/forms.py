"""What the engines differ in where a tenant is found otherwise than in a column: inside JSON, or by type and id.

Rules kept here: what the map says comes into a statement as hexadecimal, never as text; only a JSON string, or a whole
number, names a tenant: an array, an object, true, null or a fraction names none; ids are compared as exact texts,
beside a comparison that an index of the place referred to serves.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence

from shared.connectors.sql.dialect import Cell

_WHOLE = "^-?[0-9]+$"
_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_STEP = re.compile(r"\.(?:\"([^\"]*)\"|(\w+))")


def steps(path: str) -> tuple[str, ...]:
    """Take a JSON path ($.kunde."cvr nr") apart into names."""
    return tuple(quoted or plain for quoted, plain in _STEP.findall(path))


class Forms(ABC):
    """One engine's ways; `column` is always quoted and with its alias."""

    json_types: tuple[str, ...]
    tenant = ":tenant"

    @abstractmethod
    def literal(self, text: str) -> str:
        """Write a text that comes from the map."""

    @abstractmethod
    def value(self, column: str, names: Sequence[str]) -> str:
        """Give the text at a place inside a column's JSON; NULL where it is no string and no whole number."""

    @abstractmethod
    def near(self, column: str, name: str) -> str:
        """Give everything below the first name as a text."""

    @abstractmethod
    def within(self, text: str) -> str:
        """Give the predicate that a text has `:tenant` somewhere in it."""

    @abstractmethod
    def exact(self, text: str) -> str:
        """Give a text as it is compared letter by letter, blanks included."""

    @abstractmethod
    def meets(self, ours: tuple[str, str], theirs: tuple[str, str], cells: tuple[Cell, Cell]) -> str:
        """Give a comparison that an index on `theirs` serves, and that every pair of equal texts passes.

        `ours`, `theirs`: column and its type; `cells`: how the values of both travel.
        """

    def json(self, column: str, path: str) -> tuple[Cell, str]:
        """Give the cell of what lies inside a column's JSON, and the expression that stands for the column."""
        names = steps(path)
        value = self.value(column, names)
        hidden = f"{value} IS NULL AND {self.within(self.near(column, names[0]))}"
        tenant = self.exact(self.tenant)
        return Cell(
            "{}", "{}", same=f"{{}} = {self.tenant}", exact=f"{self.exact('{}')} = {tenant}", also=hidden
        ), value

    def is_type(self, cell: Cell, column: str, kind: str) -> str:
        """Give the predicate that a type column says `kind`, letter by letter."""
        return f"{self.exact(cell.out.replace('{}', column))} = {self.exact(self.literal(kind))}"

    def same(self, ours: tuple[str, str], theirs: tuple[str, str], cells: tuple[Cell, Cell]) -> str:
        """Give the predicate that an id column and the key that it names are the same text."""
        texts = (cell.out.replace("{}", column) for cell, (column, _) in zip(cells, (ours, theirs), strict=True))
        return f"{self.meets(ours, theirs, cells)} AND {' = '.join(map(self.exact, texts))}"


class PostgresForms(Forms):
    """PostgreSQL."""

    json_types = ("json", "jsonb")
    tenant = "CAST(:tenant AS text)"
    _numbers = ("smallint", "integer", "bigint")

    def literal(self, text: str) -> str:
        """Decode bytes."""
        return f"convert_from(decode('{text.encode().hex()}', 'hex'), 'UTF8')"

    def value(self, column: str, names: Sequence[str]) -> str:
        """Go by `jsonb`, in which the last of two equal names counts."""
        way = f"ARRAY[{', '.join(map(self.literal, names))}]"
        found, text = f"jsonb_typeof(CAST({column} AS jsonb) #> {way})", f"CAST({column} AS jsonb) #>> {way}"
        return f"(CASE WHEN {found} = 'string' OR {found} = 'number' AND {text} ~ '{_WHOLE}' THEN {text} END)"

    def near(self, column: str, name: str) -> str:
        """Write it out."""
        return f"CAST(CAST({column} AS jsonb) -> {self.literal(name)} AS text)"

    def within(self, text: str) -> str:
        """Use `strpos`."""
        return f"strpos({text}, {self.tenant}) > 0"

    def exact(self, text: str) -> str:
        """Compare bytes."""
        return f'CAST({text} AS text) COLLATE "C"'

    def meets(self, ours: tuple[str, str], theirs: tuple[str, str], cells: tuple[Cell, Cell]) -> str:
        """Turn a text into the key's type where it looks like one: a cast that fails would end the statement."""
        (mine, kind), (key, wanted) = ours, theirs
        if kind == wanted or {kind, wanted} <= {*self._numbers}:
            return f"{mine} = {key}"
        text = f"CAST({mine} AS text)"
        if wanted in self._numbers:
            fits = f"CAST({text} AS numeric) BETWEEN -9223372036854775808 AND 9223372036854775807"
            return f"CASE WHEN {text} ~ '^-?[0-9]{{1,19}}$' AND {fits} THEN CAST({text} AS bigint) END = {key}"
        if wanted == "uuid":
            return f"CASE WHEN {text} ~ '{_UUID}' THEN CAST({text} AS uuid) END = {key}"
        return f"{text} = CAST({key} AS text)"


class MariaForms(Forms):
    """MariaDB, where JSON is a text."""

    json_types = ("json", "longtext", "mediumtext", "text", "varchar")

    def literal(self, text: str) -> str:
        """Convert bytes."""
        return f"CONVERT(X'{text.encode().hex()}' USING utf8mb4)"

    def value(self, column: str, names: Sequence[str]) -> str:
        """Look only into what is valid: anything else would end a strict statement."""
        way = self._way(*names)
        kind = f"JSON_TYPE(JSON_EXTRACT({column}, {way})) IN ('STRING', 'INTEGER')"
        return f"(CASE WHEN JSON_VALID({column}) THEN CASE WHEN {kind} THEN JSON_VALUE({column}, {way}) END END)"

    def near(self, column: str, name: str) -> str:
        """Cut it out."""
        return f"CASE WHEN JSON_VALID({column}) THEN JSON_EXTRACT({column}, {self._way(name)}) END"

    def within(self, text: str) -> str:
        """Use LOCATE."""
        return f"LOCATE({self.exact(':tenant')}, {self.exact(text)}) > 0"

    def exact(self, text: str) -> str:
        """Compare under a collation that takes nothing for anything else."""
        return f"CONVERT({text} USING utf8mb4) COLLATE utf8mb4_nopad_bin"

    def meets(self, ours: tuple[str, str], theirs: tuple[str, str], cells: tuple[Cell, Cell]) -> str:
        """Turn our text into the key's type, where it looks like one."""
        text = cells[0].out.replace("{}", ours[0])
        value = cells[1].back.replace("{}", text)
        form = cells[1].form
        fits = f"CASE WHEN {text} REGEXP {self.literal(f'^({form})$')} THEN {value} END" if form else value
        return f"{fits} = {theirs[0]}"

    def _way(self, *names: str) -> str:
        return self.literal("$" + "".join(f'."{name}"' for name in names))


class SqliteForms(Forms):
    """SQLite, where a column holds values of any type."""

    json_types = ("",)

    def literal(self, text: str) -> str:
        """Cast bytes."""
        return f"CAST(x'{text.encode().hex()}' AS TEXT)"

    def value(self, column: str, names: Sequence[str]) -> str:
        """Look only into what is valid: anything else would end the statement."""
        way = self._way(*names)
        found = f"CASE WHEN json_type({column}, {way}) IN ('text', 'integer') THEN json_extract({column}, {way}) END"
        return f"CAST(CASE WHEN json_valid({column}) THEN {found} END AS TEXT)"

    def near(self, column: str, name: str) -> str:
        """Cut it out."""
        return f"CASE WHEN json_valid({column}) THEN json_extract({column}, {self._way(name)}) END"

    def within(self, text: str) -> str:
        """Use `instr`."""
        return f"instr({text}, :tenant) > 0"

    def exact(self, text: str) -> str:
        """Compare bytes."""
        return f"CAST({text} AS TEXT) COLLATE BINARY"

    def meets(self, ours: tuple[str, str], theirs: tuple[str, str], cells: tuple[Cell, Cell]) -> str:
        """Leave it to the engine's affinities."""
        return f"{ours[0]} = {theirs[0]}"

    def _way(self, *names: str) -> str:
        return self.literal("$" + "".join(f'."{name}"' for name in names))

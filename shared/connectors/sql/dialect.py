"""What the SQL engines differ in: one `Dialect` for each, and the live catalogue in the form that all of them fill.

A key and the tenant's value travel as text. A `Cell` says how a column's value becomes text and comes back, exactly;
a column for which an engine has no exact way is not used as a key (`Catalogue.refusals`).
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from contracts.errors import OphorError
from contracts.system_map import System
from shared.connectors.order import Break
from shared.connectors.protocol import Access, Inventory, Key, LivePlace

if TYPE_CHECKING:
    from shared.connectors.sql.forms import Forms

ELSEWHERE = "(cascades and triggers)"
UNSEEN = "(functions)"


@dataclass(frozen=True, slots=True)
class Cell:
    """How values of one column travel; `{}` stands for the column, or for the text that comes back.

    `same` is the engine's own comparison with `:tenant`, which an index serves; `exact`, where set, is what must hold
    beside it, because the engine's own takes different texts for one; `also` finds more that would be taken for it.
    `form` is what a tenant's value must look like, `mine` the column as it is compared with what came back.
    """

    out: str
    back: str
    same: str
    exact: str = ""
    also: str = "false"
    form: str = ""
    mine: str = "{}"

    def alike(self, column: str) -> str:
        """Give the predicate for values that are not the tenant's as written, but that are taken for it."""
        if not self.exact:
            return "false"
        return f"({self.same} AND NOT {self.exact} OR {self.also})".replace("{}", column)

    def owner(self, column: str) -> str:
        """Give the predicate that holds for the tenant's value and no other."""
        same = self.same.replace("{}", column)
        return f"({same} AND {self.exact.replace('{}', column)})" if self.exact else same


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why rows of a place cannot be deleted provably."""

    code: str
    text: str
    remedy: str


NO_KEY = Refusal(
    "ROW_KEY_MISSING",
    "its rows have no key that names one of them exactly",
    "give it a primary key, or a unique key over columns that are never NULL",
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The inventory with what SQL needs beside it, all by place.

    `keys` are the columns that one row is named by (quoted, in order); `ids` are the engine's own table numbers;
    `reads` names per materialised view the places that it is made from, UNSEEN where that cannot be seen.
    """

    inventory: Inventory
    quoted: Mapping[str, str]
    cells: Mapping[str, Mapping[str, Cell]]
    keys: Mapping[str, tuple[tuple[str, Cell], ...]]
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    ids: Mapping[int, str] = field(default_factory=dict)
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Dialect(ABC):
    """One SQL engine; the connector, its batches and its predicates are the same for all."""

    kind: str
    marker: str
    create_marker: tuple[str, ...]
    texts: tuple[str, ...]
    forms: Forms
    row_by_row = False

    @abstractmethod
    def engine(self, system: System, purpose: str) -> Engine:
        """Make an engine with the credentials of `purpose`; connecting happens at first use."""

    @abstractmethod
    def family(self, error: DBAPIError, system: str, purpose: str, place: str) -> OphorError:
        """Put the driver's error into one of the two families; its text is never passed on, it may hold values."""

    @abstractmethod
    def read(self, connection: Connection, system: str) -> Catalogue:
        """Read the live catalogue."""

    @abstractmethod
    def rows(self, width: int) -> str:
        """Give keys of `width` columns as a table `k` with the text columns `v0`, `v1`, …"""

    @abstractmethod
    def parameters(self, keys: Sequence[Key]) -> dict[str, Any]:
        """Give keys as the parameters of `rows`."""

    @abstractmethod
    def locked(self, connection: Connection, name: str) -> AbstractContextManager[None]:
        """Hold the lock `name`: one batch at a time per system and tenant, and none open while its rest is counted."""

    @abstractmethod
    def transaction(
        self, connection: Connection, system: str, lock: str, *, deferred: bool
    ) -> AbstractContextManager[Connection]:
        """Open a deleting transaction under `lock`; `deferred`: references are checked at its end."""

    @abstractmethod
    def counted(self, connection: Connection, catalogue: Catalogue, *, since_start: bool) -> Counter[str]:
        """Give what the engine counts as changed so far, by place where it tells places apart, else ELSEWHERE.

        `since_start`: the transaction may have changed something; what the schema would put off to the commit
        happens first, so that it is counted. Else nothing has happened in it.
        Raise Rejected EFFECTS_NOT_COUNTED where the engine would not tell us.
        """

    @abstractmethod
    def hashed(self, column: str) -> str:
        """Give SHA-256(`:seed` ‖ the column as UTF-8 text), hexadecimal."""

    @abstractmethod
    def matches(self, column: str) -> str:
        """Give the predicate that a column's text matches the regular expression `:pattern`."""

    @abstractmethod
    def can_write(self, connection: Connection) -> bool:
        """Tell whether these credentials may change data anywhere in the database."""

    @abstractmethod
    def look(self, connection: Connection, roles: Sequence[str]) -> Access:
        """Look at the ways in that the map names."""

    @abstractmethod
    def freeze(self, connection: Connection, roles: Sequence[str]) -> None:
        """Take the right to change data."""

    @abstractmethod
    def close(self, connection: Connection, roles: Sequence[str]) -> None:
        """Take every way in and end the sessions."""

    @abstractmethod
    def marker_there(self, connection: Connection) -> bool:
        """Tell whether the marker's table exists."""

    def strangers(self, connection: Connection) -> int:
        """Count other sessions with this session's user that none of our engines has announced (`sessions`)."""
        return 0

    @contextmanager
    def key_by_key(self, connection: Connection) -> Iterator[None]:
        """Have the engine look up key by key inside, where it might read a whole table instead."""
        yield

    def hidden(self, connection: Connection, catalogue: Catalogue) -> set[str]:
        """Give the places of which this user may not see every row."""
        return set()

    def quote(self, name: str) -> str:
        """Quote an identifier for `sqlalchemy.text` (where a bare colon would begin a parameter)."""
        return quote(name)

    def begin(self, connection: Connection, *, snapshot: bool) -> None:
        """Begin where the engine needs to know beforehand whether the transaction must see one snapshot throughout."""
        return None

    def parameter(self, name: str) -> str:
        """Write a parameter that is a text."""
        return f":{name}"

    def plain(self, column: str) -> str:
        """Give a text column of `rows` as it is compared with `hashed`."""
        return column

    def effects(
        self, catalogue: Catalogue, start: Mapping[str, int], now: Mapping[str, int], planned: Mapping[str, int]
    ) -> dict[str, int]:
        """Give the changes per place between two counts; what is counted in one sum is compared with what was meant."""
        beyond = now[ELSEWHERE] - start[ELSEWHERE] - sum(planned.values())
        return dict(planned) | ({ELSEWHERE: abs(beyond)} if beyond else {})

    def delete(self, table: str, columns: Sequence[tuple[str, Cell]], owner: str) -> str:
        """Give the statement that deletes the rows of these keys that are the tenant's."""
        return f"DELETE FROM {table} AS t0 WHERE {self.among(columns, 't0')} AND {owner}"  # noqa: S608

    def let_go(self, each: Break, tables: tuple[str, str], columns: Sequence[tuple[str, Cell]], owner: str) -> str:
        """Give the statement that sets the tenant's references to the rows of these keys NULL.

        `tables`: child and parent; `columns`: the parent's keys. Rows that go in this very statement may keep theirs.
        """
        nulls = ", ".join(f"{self.quote(name)} = NULL" for name in each.nulls)
        ours = ", ".join(f"t0.{self.quote(name)}" for name in each.key.columns)
        theirs = ", ".join(f"p.{self.quote(name)}" for name in each.key.parent_columns)
        held = f"SELECT {theirs} FROM {tables[1]} p WHERE {self.among(columns, 'p')}"  # noqa: S608
        stay = f" AND NOT ({self.among(columns, 't0')})" if each.child == each.key.parent else ""
        return f"UPDATE {tables[0]} AS t0 SET {nulls} WHERE {owner} AND ({ours}) IN ({held}){stay}"  # noqa: S608

    def among(self, columns: Sequence[tuple[str, Cell]], alias: str) -> str:
        """Give the predicate for the rows of the keys in `parameters`."""
        mine = ", ".join(cell.mine.replace("{}", f"{alias}.{name}") for name, cell in columns)
        cast = ", ".join(cell.back.replace("{}", f"k.v{at}") for at, (_, cell) in enumerate(columns))
        return f"({mine}) IN (SELECT {cast} FROM {self.rows(len(columns))})"  # noqa: S608


def quote(name: str) -> str:
    """Quote an identifier as the standard does, for `sqlalchemy.text`."""
    doubled = name.replace('"', '""').replace(":", "\\:")
    return f'"{doubled}"'


def digest(lines: Iterable[str]) -> str:
    """Give the fingerprint of some lines."""
    return hashlib.sha256("\n".join(lines).encode("utf-8")).hexdigest()


def inventory(system: str, places: Sequence[LivePlace]) -> Inventory:
    """Make the inventory of places, with the fingerprint over all of them."""
    return Inventory(system, tuple(places), digest(f"{place.name} {place.fingerprint}" for place in places))

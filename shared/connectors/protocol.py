"""What every connector can do, and the values it speaks in.

A connector is opened for one purpose (`extract`, `delete`, `verify`, `access`, `prepare`) with that purpose's own
credentials. It never decides: what is in scope comes from the system map and the live inventory. Every answer is
positive: a place that cannot be looked into raises Unavailable, it is never "empty".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    nullable: bool = True
    generated: bool = False


@dataclass(frozen=True, slots=True)
class ForeignKey:
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_delete: str = "NO ACTION"
    deferrable: bool = False


@dataclass(frozen=True, slots=True)
class LivePlace:
    """One place as the live schema has it. `fingerprint` changes when its columns, keys or triggers change.

    `kind` is the engine's own: table, matview, foreign, collection, folder, index.
    """

    name: str
    columns: tuple[Column, ...] = ()
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    fingerprint: str = ""
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every place of one system, from its live schema; `fingerprint` is over all of them."""

    system: str
    places: tuple[LivePlace, ...]
    fingerprint: str

    def place(self, name: str) -> LivePlace:
        """Give the place called `name` (KeyError when the live schema has none)."""
        for place in self.places:
            if place.name == name:
                return place
        raise KeyError(name)

    def columns(self) -> dict[str, tuple[str, ...]]:
        """Give place → column names, the form in which the system map is compared with it."""
        return {place.name: tuple(column.name for column in place.columns) for place in self.places}


@dataclass(frozen=True, slots=True)
class Effect:
    """What one deleting transaction did: rows of the place itself, and changes it caused anywhere else."""

    deleted: int
    outside: int = 0
    outside_places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """A slice of a place for delivery: rows in column order and the cursor after the last one (None = the end)."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    after: Any | None


@dataclass(frozen=True, slots=True)
class Access:
    """How many ways in the tenant's users have, and whether they can write or log in at all."""

    grants: int
    writable: bool
    open: bool
    details: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Marker:
    """The rehearsal marker that a target carries (design §6): random id and when it was written (Unix seconds)."""

    id: str
    written_at: float


class Batch(Protocol):
    """One open deleting transaction: nothing counts before `commit`; leaving it without commit rolls back."""

    def delete(self, place: str, keys: Sequence[Key]) -> int:
        """Delete these keys of the tenant's rows in `place`; return the engine's own row count."""

    def planned(self) -> dict[str, int]:
        """Give the changes per place that our own statements made: rows deleted, and references set NULL first."""

    def effects(self) -> dict[str, int]:
        """Give the changes per place that the engine counts in this transaction so far, cascades included."""

    def neighbours(self) -> dict[str, int]:
        """Count, in this transaction's snapshot, the other tenants' rows of the places that `delete` may reach."""

    def commit(self) -> None:
        """Make the batch final."""


class Whole(Protocol):
    """One place about to go as a whole, proved to be the tenant's alone; left without `commit` it is as it was.

    `rows` is its number of rows under the lock, or whatever keeps others away in the engine: so many go.
    """

    rows: int

    def effects(self) -> dict[str, int]:
        """Give the changes of other places that the engine counts; those of the place itself are not in its count."""

    def commit(self) -> None:
        """Make it final."""


@runtime_checkable
class DropsWhole(Protocol):
    """What a connector offers beside `Connector` where a place may go as a whole (`whole` in the map)."""

    def look_whole(self, place: str, going: Sequence[str]) -> None:
        """Raise PLACE_NOT_WHOLE or PLACE_REFERENCED as far as that is seen without a lock.

        `going`: the places that will have gone before this one.
        """

    def whole(self, place: str) -> AbstractContextManager[Whole]:
        """Lock and prove a place; raise PLACE_NOT_WHOLE, PLACE_REFERENCED, or Unavailable while the lock is taken."""

    def left_whole(self, place: str) -> int | None:
        """Count what is left of a place once nobody holds it: all rows, or the tenant's where only a part goes.

        None: the live schema was read, and the place is not there.
        """


@runtime_checkable
class NamesRows(Protocol):
    """What a connector offers beside `Connector` where each place has columns of its own that name a row."""

    def named_by(self, place: str) -> tuple[str, ...]:
        """Give the columns that a key of `keys` is made of; none where it is the engine's own address of a row."""


class Connector(Protocol):
    """One target system opened for one purpose. All counts are of the tenant's rows."""

    system: str
    kind: str

    def discover(self) -> Inventory:
        """Read the live schema: every place, whether mapped or not."""

    def order(self, inventory: Inventory) -> list[str]:
        """List the mapped, tenant-owned places in the order of deletion: children first, cycles resolved."""

    def count(self, place: str) -> int:
        """Count the tenant's rows in `place` in committed state."""

    def total(self, place: str) -> int:
        """Count all rows in `place` (for exclusions and shared places)."""

    def unowned(self, place: str) -> int:
        """Count the rows of a tenants' place that no tenant at all is found for; whoever verifies refuses them.

        Unless the map says what they are (`without_tenant`).
        """

    def read(self, place: str, after: Any | None, limit: int) -> Rows:
        """Read the next slice for delivery, in key order; shared places are read whole."""

    def keys(self, place: str, limit: int, after: Key | None = None) -> list[Key]:
        """List the next keys of the tenant's rows that are still there.

        Behind `after` where the place has an order that can be taken up again, so that what was deleted is not passed
        over each time; else from the beginning. Only an empty answer without `after` says that none is left.
        """

    def together(self, place: str, keys: Sequence[Key]) -> list[tuple[str, list[Key]]]:
        """List place by place, in the order of deletion, what must go in one transaction with these keys.

        More than the keys only where rows of a cycle hold one another and none may be let go of.
        """

    def present(self, place: str, keys: Sequence[Key]) -> int:
        """Count how many of `keys` are still there, in committed state."""

    def batch(self) -> AbstractContextManager[Batch]:
        """Open a deleting transaction."""

    def probes(self, place: str, number: int, seed: bytes) -> list[str]:
        """Draw up to `number` high-entropy values (UUID, case number, CPR, file name) that only the tenant's rows have.

        What leaves the target is SHA-256(seed ‖ value) in hexadecimal, never a value; `seed` stays secret.
        """

    def find(self, place: str, probes: Sequence[str], seed: bytes) -> int:
        """Count how many of the probes (drawn with `seed`) exist anywhere in `place`, whatever the tenant."""

    def can_write(self) -> bool:
        """Tell whether these credentials may change data of the target, as far as the engine can say so."""

    def access(self) -> Access:
        """Look at the tenant's ways in."""

    def freeze(self) -> None:
        """Take the right to change data from the tenant's users; reading stays."""

    def close_access(self) -> None:
        """Take every way in from the tenant's users and end their sessions."""

    def marker(self) -> Marker | None:
        """Read the rehearsal marker, or None."""

    def write_marker(self, marker: Marker) -> None:
        """Write the rehearsal marker (purpose `prepare` only)."""

    def documents(self, place: str, after: str = "") -> Iterator[tuple[str, str]]:
        """Give (name in the package, local path) of the tenant's files behind `after`, by name; nothing without files.

        A path holds until the next one is asked for.
        """

    def close(self) -> None:
        """Let go of the target."""

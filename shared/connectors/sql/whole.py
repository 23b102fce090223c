"""One SQL place as a whole: proved under a lock to be one tenant's alone, then dropped or emptied in one statement.

1. The proof is the counting's own predicate, written twice (`Tenancy.owner` and `guard`): every row of the place holds
   by both, so that rows of others, of nobody, or of a tenant written alike all forbid it.
2. It is taken under the lock and is of what is committed by then; places that the tenant path leads through cannot
   change meanwhile. Waiting for the lock is short: neighbours queue behind whoever waits.
3. Nothing may refer to the place from outside: no CASCADE is ever used. DROP and TRUNCATE are not in the engine's count
   of changes, so all rows under the lock are what goes: they are counted apart from the proof, and whoever commits
   compares them with what was meant. Any change that is counted beside them is outside the scope.
"""

# ruff: noqa: S608 — identifiers come quoted from the live catalogue, values are always parameters

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import ClassVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from shared.connectors import failures
from shared.connectors.sql.sessions import require_alone
from shared.connectors.sql.tenancy import Tenancy

LOCK_WAIT_S, PROOF_S = 2, 10
DROPPABLE = ("table", "partitioned")


class SqlWhole(ABC):
    """See `protocol.Whole`; each engine says how it locks, what depends on a place, and how the place goes."""

    held_by: ClassVar[Collection[object]]

    def __init__(self, connection: Connection, tenancy: Tenancy, place: str) -> None:
        self.connection, self.tenancy, self.place = connection, tenancy, place
        self.way = tenancy.system.rules[place].whole
        self.dialect, self.table = tenancy.dialect, tenancy.catalogue.quoted[place]
        self.rows, self.committed = 0, False

    def look(self, going: Sequence[str]) -> None:
        """Raise unless, as far as can be seen without a lock, the place may go after the places `going`."""
        kind = self.tenancy.catalogue.inventory.place(self.place).kind
        if kind not in DROPPABLE:
            raise failures.not_whole(self.tenancy.system.name, self.place, f"a {kind} cannot go as a whole")
        if self.place in self.dialect.hidden(self.connection, self.tenancy.catalogue):
            raise failures.not_whole(self.tenancy.system.name, self.place, "a policy may hide rows of others from us")
        if found := [name for name in (*self._children(), *self.dependents()) if name not in going]:
            raise failures.place_referenced(self.tenancy.system.name, self.place, found[0])
        self.prove()

    def prove(self) -> None:
        """Count, and raise PLACE_NOT_WHOLE where a row is not the tenant's."""
        tenancy = self.tenancy
        ours = f"{tenancy.owner(self.place)} AND {tenancy.guard(self.place)}"
        query = f"SELECT count(*), coalesce(sum(CASE WHEN {ours} THEN 1 ELSE 0 END), 0) FROM {self.table} t0"
        total, own = self.connection.execute(text(query), {"tenant": tenancy.tenant}).one()
        if int(total) != int(own):
            what = f"{int(total) - int(own)} of its {total} rows are not the customer's"
            raise failures.not_whole(tenancy.system.name, self.place, what)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the place, prove it, and take it; what is not committed at the end is as if it had not been."""
        with self.held():
            self.look(())
            self.rows = int(self.connection.execute(text(f"SELECT count(*) FROM {self.table} t0")).scalar_one())
            self.take()
            require_alone(self.dialect, self.connection, self.tenancy.system.name)
            yield

    def run(self, statement: str) -> None:
        """Run what makes the place go; the engine's own word that something holds it is a refusal."""
        try:
            self.connection.execute(text(statement))
        except DBAPIError as error:
            if self._code(error) not in self.held_by:
                raise
            raise failures.place_referenced(self.tenancy.system.name, self.place, "") from None

    @abstractmethod
    def held(self) -> AbstractContextManager[None]:
        """Lock the place against everybody, and what its path leads through against changes."""

    @abstractmethod
    def dependents(self) -> list[str]:
        """List what would break or go with the place, foreign keys of its own system's places apart."""

    @abstractmethod
    def take(self) -> None:
        """Drop or empty the place where the engine can still undo it."""

    @abstractmethod
    def effects(self) -> dict[str, int]:
        """Give what the engine counts as changed elsewhere."""

    @abstractmethod
    def commit(self) -> None:
        """Make it final."""

    @abstractmethod
    def _code(self, error: DBAPIError) -> object:
        """Give the engine's own code of an error."""

    def _children(self) -> list[str]:
        places = self.tenancy.catalogue.inventory.places
        return [
            each.name
            for each in places
            if each.name != self.place and any(key.parent == self.place for key in each.foreign_keys)
        ]

"""One deleting transaction on an SQL engine, and what the engine itself says that it did.

1. One batch at a time per system and tenant: a lock of the engine's, so that a stale worker's transaction has ended
   before anybody counts what is left. 2. One snapshot, where the neighbours are counted first. 3. Effects are the
   difference of the engine's own count of changes since the start: cascades and triggers are in it, TRUNCATE and DROP
   are not (never used). 4. What the schema would put off to the commit (deferred constraints and triggers) happens
   before effects are counted.
5. It is kept only while nobody else is there with our credentials (`sessions`).
"""

# ruff: noqa: S608 — identifiers come quoted from the live catalogue, values are always parameters

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, text

from shared.connectors.order import Break
from shared.connectors.protocol import Key
from shared.connectors.sql.session import translated
from shared.connectors.sql.sessions import require_alone
from shared.connectors.sql.tenancy import Tenancy


class SqlBatch:
    """See `protocol.Batch`."""

    def __init__(self, connection: Connection, tenancy: Tenancy, breaks: Sequence[Break]) -> None:
        self._connection, self._tenancy, self._breaks = connection, tenancy, breaks
        self._dialect, self._catalogue, self._name = tenancy.dialect, tenancy.catalogue, tenancy.system.name
        self._planned: Counter[str] = Counter()
        self._begun = self.committed = False
        self._start = self._dialect.counted(connection, self._catalogue, since_start=False)

    def delete(self, place: str, keys: Sequence[Key]) -> int:
        """Let go of references to these rows, then delete them; only rows of the tenant can be hit."""
        if not keys:
            return 0
        with translated(self._dialect, self._name, "delete", place):
            self._begin(snapshot=False)
            if self._catalogue.inventory.place(place).kind == "matview":
                return self._refresh(place, keys)
            for each in self._breaks:
                if each.key.parent == place and each.nulls:
                    self._let_go(each, keys)
            ours = f"{self._tenancy.owner(place)} AND {self._tenancy.guard(place)}"
            statement = self._dialect.delete(self._catalogue.quoted[place], self._tenancy.keys(place), ours)
            with self._dialect.key_by_key(self._connection):
                deleted = self._run(statement, keys)
            self._planned[place] += deleted
            return deleted

    def planned(self) -> dict[str, int]:
        """Give what our own statements report to have changed."""
        return {place: count for place, count in self._planned.items() if count}

    def effects(self) -> dict[str, int]:
        """Give what the engine counted."""
        with translated(self._dialect, self._name, "delete"):
            now = self._dialect.counted(self._connection, self._catalogue, since_start=True)
        return self._dialect.effects(self._catalogue, self._start, now, self.planned())

    def neighbours(self) -> dict[str, int]:
        """Count the other tenants' rows of every owned place, in this snapshot and with our own changes.

        All but the tenant's: engines join what is theirs, and look row by row for what is not.
        """
        with translated(self._dialect, self._name, "delete"):
            self._begin(snapshot=True)
            return {
                place: self._count(place, "true") - self._count(place, self._tenancy.owner(place))
                for place in self._tenancy.owned()
            }

    def commit(self) -> None:
        """Commit."""
        with translated(self._dialect, self._name, "delete"):
            require_alone(self._dialect, self._connection, self._name)
            self._connection.commit()
        self.committed = True

    def _begin(self, *, snapshot: bool) -> None:
        if not self._begun:
            self._dialect.begin(self._connection, snapshot=snapshot)
            self._begun = True

    def _run(self, statement: str, keys: Sequence[Key]) -> int:
        parameters = {"tenant": self._tenancy.tenant, **self._dialect.parameters(keys)}
        return int(self._connection.execute(text(statement), parameters).rowcount)

    def _let_go(self, each: Break, keys: Sequence[Key]) -> None:
        quoted = self._catalogue.quoted
        tables = quoted[each.child], quoted[each.key.parent]
        owner = self._tenancy.owner(each.child)
        statement = self._dialect.let_go(each, tables, self._tenancy.keys(each.key.parent), owner)
        self._planned[each.child] += self._run(statement, keys)

    def _refresh(self, place: str, keys: Sequence[Key]) -> int:
        table = self._catalogue.quoted[place]
        before = self._count(place, self._tenancy.owner(place))
        self._connection.execute(text(f"REFRESH MATERIALIZED VIEW {table}"))
        self._planned[place] += int(self._connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
        return min(before - self._count(place, self._tenancy.owner(place)), len(keys))

    def _count(self, place: str, where: str) -> int:
        query = f"SELECT count(*) FROM {self._catalogue.quoted[place]} t0 WHERE {where}"
        return int(self._connection.execute(text(query), {"tenant": self._tenancy.tenant}).scalar_one())

"""One deleting transaction on PostgreSQL, and what the engine itself says that it did.

1. One batch at a time per system and tenant: an advisory lock, so that a stale worker's transaction has ended before
   anybody counts what is left. 2. One REPEATABLE READ snapshot. 3. Effects are the difference of
   `pg_stat_xact_user_tables` since the start: cascades and triggers are in it, TRUNCATE and DROP are not (never used).
4. What the schema would put off to the commit (deferred constraints and triggers) happens before effects are counted.
"""

# ruff: noqa: S608 — identifiers come quoted from the live catalogue, values are always parameters

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from contracts.errors import Rejected
from shared.connectors.order import Break
from shared.connectors.protocol import Key
from shared.connectors.sql.catalogue import quote
from shared.connectors.sql.session import translated
from shared.connectors.sql.tenancy import Tenancy

LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:name AS text), 0))")
_EFFECTS = text(
    "SELECT relid, schemaname || '.' || relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables"
)


def arrays(keys: Sequence[Key]) -> dict[str, list[Any]]:
    """Give keys as the parameters `k0`, `k1`, … of `Tenancy.among`."""
    return {f"k{position}": list(column) for position, column in enumerate(zip(*keys, strict=True))}


class SqlBatch:
    """See `protocol.Batch`."""

    def __init__(self, connection: Connection, tenancy: Tenancy, tenant: str, breaks: Sequence[Break]) -> None:
        self._connection, self._tenancy, self._tenant, self._breaks = connection, tenancy, tenant, breaks
        self._planned: Counter[str] = Counter()
        self.committed = False
        connection.execute(LOCK, {"name": lock_name(tenancy, tenant)})
        if connection.execute(text("SHOW track_counts")).scalar() != "on":
            raise Rejected(
                "EFFECTS_NOT_COUNTED",
                f"{tenancy.system.name} does not count what transactions change",
                field=f"systems.{tenancy.system.name}.connection",
                remedy="set track_counts = on for the deleting role",
            )
        if any(each.ring for each in breaks):
            connection.execute(text("SET CONSTRAINTS ALL DEFERRED"))
        self._start = self._counted()

    def delete(self, place: str, keys: Sequence[Key]) -> int:
        """Let go of references to these rows, then delete them; only rows of the tenant can be hit."""
        if not keys:
            return 0
        with translated(self._tenancy.system.name, "delete", place):
            if self._tenancy.catalogue.inventory.place(place).kind == "matview":
                return self._refresh(place, keys)
            for each in self._breaks:
                if each.key.parent == place and each.nulls:
                    self._let_go(each, keys)
            table = self._tenancy.catalogue.quoted[place]
            rows = f"{self._tenancy.among(place)} AND {self._tenancy.owner(place)}"
            deleted = self._run(f"DELETE FROM {table} t0 WHERE {rows}", keys)
            self._planned[place] += deleted
            return deleted

    def planned(self) -> dict[str, int]:
        """Give what our own statements report to have changed."""
        return {place: count for place, count in self._planned.items() if count}

    def effects(self) -> dict[str, int]:
        """Give what the engine counted, per place; partitions count with their root."""
        with translated(self._tenancy.system.name, "delete"):
            self._connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            now = self._counted()
        return {place: now[place] - self._start[place] for place in now if now[place] != self._start[place]}

    def neighbours(self) -> dict[str, int]:
        """Count the other tenants' rows of every owned place, in this snapshot and with our own changes."""
        with translated(self._tenancy.system.name, "delete"):
            return {place: self._others(place) for place in self._tenancy.system.owned()}

    def commit(self) -> None:
        """Commit."""
        with translated(self._tenancy.system.name, "delete"):
            self._connection.commit()
        self.committed = True

    def _run(self, statement: str, keys: Sequence[Key]) -> int:
        return int(self._connection.execute(text(statement), {"tenant": self._tenant, **arrays(keys)}).rowcount)

    def _let_go(self, each: Break, keys: Sequence[Key]) -> None:
        quoted, tenancy = self._tenancy.catalogue.quoted, self._tenancy
        nulls = ", ".join(f"{quote(name)} = NULL" for name in each.nulls)
        ours = ", ".join(f"t0.{quote(name)}" for name in each.key.columns)
        theirs = ", ".join(f"p.{quote(name)}" for name in each.key.parent_columns)
        parents = f"SELECT {theirs} FROM {quoted[each.key.parent]} p WHERE {tenancy.among(each.key.parent, 'p')}"
        where = f"{tenancy.owner(each.child)} AND ({ours}) IN ({parents})"
        if each.child == each.key.parent:
            where += f" AND NOT ({tenancy.among(each.child)})"
        self._planned[each.child] += self._run(f"UPDATE {quoted[each.child]} t0 SET {nulls} WHERE {where}", keys)

    def _refresh(self, place: str, keys: Sequence[Key]) -> int:
        table = self._tenancy.catalogue.quoted[place]
        before = self._own(place)
        self._connection.execute(text(f"REFRESH MATERIALIZED VIEW {table}"))
        self._planned[place] += int(self._connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
        return min(before - self._own(place), len(keys))

    def _own(self, place: str) -> int:
        return self._count(place, self._tenancy.owner(place))

    def _others(self, place: str) -> int:
        return self._count(place, f"({self._tenancy.owner(place)}) IS NOT TRUE")

    def _count(self, place: str, where: str) -> int:
        query = f"SELECT count(*) FROM {self._tenancy.catalogue.quoted[place]} t0 WHERE {where}"
        return int(self._connection.execute(text(query), {"tenant": self._tenant}).scalar_one())

    def _counted(self) -> Counter[str]:
        names, found = self._tenancy.catalogue.names, Counter[str]()
        for oid, name, changes in self._connection.execute(_EFFECTS):
            found[names.get(oid) or str(name)] += int(changes)
        return found


def lock_name(tenancy: Tenancy, tenant: str) -> str:
    """Name the lock of one system's tenant."""
    return f"ophor:{tenancy.system.name}:{tenant}"

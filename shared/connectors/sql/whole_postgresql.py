"""How a PostgreSQL table, or one tenant's list partition of it, goes as a whole: DDL is part of the transaction.

READ COMMITTED, so that what is counted after the lock is what is committed then: an earlier snapshot would miss rows.
A partition is the tenant's where the table is partitioned BY LIST of the tenant key alone and its only value is the
tenant's; it is emptied, not dropped: dropping would lock the whole table and change everybody's schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from shared.connectors import failures
from shared.connectors.sql.dialect import quote
from shared.connectors.sql.tenancy import Tenancy
from shared.connectors.sql.whole import LOCK_WAIT_S, PROOF_S, SqlWhole

_VIEWS = text("""
SELECT DISTINCT n.nspname || '.' || c.relname FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE d.classid = CAST('pg_rewrite' AS regclass) AND d.refclassid = CAST('pg_class' AS regclass)
  AND d.refobjid = ANY(:oids) AND NOT c.oid = ANY(:oids) ORDER BY 1""")
_PART = text("""
SELECT n.nspname, c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_partitioned_table p ON p.partrelid = i.inhparent
JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
WHERE i.inhparent = ANY(:oids) AND p.partstrat = 'l' AND p.partnatts = 1 AND a.attname = CAST(:column AS text)
  AND pg_get_expr(c.relpartbound, c.oid) IN ('FOR VALUES IN (' || CAST(:tenant AS text) || ')',
      'FOR VALUES IN (' || quote_literal(CAST(:tenant AS text)) || ')')""")


class PostgresWhole(SqlWhole):
    """See `SqlWhole`; 2BP01 and 0A000 are the engine's refusals to drop or empty what something depends on."""

    held_by = ("2BP01", "0A000")

    def __init__(self, connection: Connection, tenancy: Tenancy, place: str) -> None:
        super().__init__(connection.execution_options(isolation_level="READ COMMITTED"), tenancy, place)
        self._oids = [oid for oid, name in tenancy.catalogue.ids.items() if name == place]
        if self.way == "part":
            self.table = self._partition()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take ACCESS EXCLUSIVE on what goes and SHARE on the places of its path, until the transaction's end."""
        try:
            for name, seconds in (("lock_timeout", LOCK_WAIT_S), ("statement_timeout", PROOF_S)):
                self.connection.execute(text(f"SET LOCAL {name} = '{seconds}s'"))
            with self.dialect.locked(self.connection, self.tenancy.lock):
                self._start = self._counted(since_start=False)
                self.connection.execute(text(f"LOCK TABLE {self.table} IN ACCESS EXCLUSIVE MODE"))
                for parent in self.tenancy.parents(self.place):
                    self.connection.execute(text(f"LOCK TABLE {self.tenancy.catalogue.quoted[parent]} IN SHARE MODE"))
                yield
        finally:
            if not (self.committed or self.connection.invalidated):
                self.connection.rollback()

    def dependents(self) -> list[str]:
        """List views; whatever else depends on it the engine itself says."""
        if self.way != "drop":
            return []
        return list(self.connection.execute(_VIEWS, {"oids": self._oids}).scalars())

    def take(self) -> None:
        """Drop or truncate in this transaction."""
        self.run(f"DROP TABLE {self.table} RESTRICT" if self.way == "drop" else f"TRUNCATE TABLE {self.table} RESTRICT")

    def effects(self) -> dict[str, int]:
        """Compare the transaction's statistics: triggers on TRUNCATE and event triggers are in them."""
        now = self._counted(since_start=True)
        return {name: now[name] - self._start.get(name, 0) for name in now if now[name] != self._start.get(name, 0)}

    def commit(self) -> None:
        """Commit."""
        self.connection.commit()
        self.committed = True

    def _counted(self, *, since_start: bool) -> dict[str, int]:
        return dict(self.dialect.counted(self.connection, self.tenancy.catalogue, since_start=since_start))

    def _code(self, error: DBAPIError) -> object:
        return getattr(error.orig, "sqlstate", None)

    def _partition(self) -> str:
        rule = self.tenancy.system.rules[self.place]
        values = {"oids": self._oids, "column": rule.tenant_key, "tenant": self.tenancy.tenant}
        found = self.connection.execute(_PART, values).all()
        if len(found) != 1:
            raise failures.not_whole(self.tenancy.system.name, self.place, "no list partition is of this tenant alone")
        return f"{quote(found[0][0])}.{quote(found[0][1])}"

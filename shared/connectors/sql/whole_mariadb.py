"""How a MariaDB table goes as a whole: DDL commits by itself, so nothing is taken before `commit`.

LOCK TABLES … WRITE keeps everybody else out from the proof to the DROP or TRUNCATE, which is one statement and, by the
engine's own log of DDL (10.6), happened or did not. Neither fires triggers or referential actions. The engine refuses
what a foreign key of any database refers to, but lets a view dangle; views that this user may not read are refused too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.connectors.sql.whole import LOCK_WAIT_S, PROOF_S, SqlWhole

_VIEWS = text("SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS")
_SCHEMA = text("SELECT DATABASE()")


class MariaWhole(SqlWhole):
    """See `SqlWhole`; 1451, 1217 and 1701 are the engine's refusals to drop or empty a parent."""

    held_by = (1217, 1451, 1701)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Lock the table for writing, and the places of its path for reading, by every name that the proof uses."""
        catalogue, place = self.tenancy.catalogue, self.place
        locks = [f"{self.table} WRITE", f"{self.table} AS t0 WRITE"]
        for number, parent in enumerate(self.tenancy.parents(place), 1):
            locks += [f"{catalogue.quoted[parent]} AS {alias}{number} READ" for alias in ("t0_", "g")]
        with self.dialect.locked(self.connection, self.tenancy.lock), self._hurried():
            self.connection.execute(text(f"LOCK TABLES {', '.join(locks)}"))
            try:
                yield
            finally:
                if not self.connection.invalidated:
                    self.connection.execute(text("UNLOCK TABLES"))

    def dependents(self) -> list[str]:
        """List views that name the table, or whose text this user may not see."""
        if self.way != "drop":
            return []
        own = str(self.connection.execute(_SCHEMA).scalar_one())
        named = re.compile(rf"`{re.escape(own)}`\.`{re.escape(self.place.replace('`', '``'))}`", re.IGNORECASE)
        views = self.connection.execute(_VIEWS).all()
        return [f"{base}.{name}" for base, name, said in views if base != "sys" and (not said or named.search(said))]

    def take(self) -> None:
        """Take nothing yet: it could not be undone."""

    def effects(self) -> dict[str, int]:
        """Give nothing: neither statement fires a trigger or follows a reference."""
        return {}

    def commit(self) -> None:
        """Drop or empty it while the lock is held; this is the commit."""
        self.run(f"DROP TABLE {self.table}" if self.way == "drop" else f"TRUNCATE TABLE {self.table}")
        self.committed = True

    @contextmanager
    def _hurried(self) -> Iterator[None]:
        """Wait for locks, and count, only so long; the session is the next one's too."""
        names = {"lock_wait_timeout": LOCK_WAIT_S, "max_statement_time": PROOF_S}
        before = {name: self.connection.execute(text(f"SELECT @@SESSION.{name}")).scalar_one() for name in names}
        try:
            for name, seconds in names.items():
                self.connection.execute(text(f"SET SESSION {name} = {seconds}"))
            yield
        finally:
            for name, value in before.items() if not self.connection.invalidated else ():
                self.connection.execute(text(f"SET SESSION {name} = {value}"))

    def _code(self, error: DBAPIError) -> object:
        given = getattr(error.orig, "args", ())
        return given[0] if given else None

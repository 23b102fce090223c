"""How a SQLite table goes as a whole: whoever has the right to write has it alone, and DDL is part of the transaction.

The engine lets a view or another table's trigger dangle, so their texts are searched for the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.connectors.sql.whole import SqlWhole

_USERS = text("""SELECT name FROM sqlite_schema WHERE type IN ('view', 'trigger')
AND (type = 'view' OR tbl_name <> :place COLLATE NOCASE) AND ophor_matches(:pattern, sql) ORDER BY name""")
_CHANGES = text("SELECT total_changes()")


class SqliteWhole(SqlWhole):
    """See `SqlWhole`; pages that a dropped table leaves are overwritten (`secure_delete`)."""

    held_by = ("SQLITE_CONSTRAINT_FOREIGNKEY",)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take the right to write: from then on nobody changes what is read."""
        try:
            self.connection.execute(text("BEGIN IMMEDIATE"))
            self._start = self._changes()
            yield
        finally:
            if not (self.committed or self.connection.invalidated):
                self.connection.rollback()

    def dependents(self) -> list[str]:
        """List views, and triggers of other tables, that name the table."""
        if self.way != "drop":
            return []
        pattern = rf"(?i)(?<!\w){re.escape(self.place)}(?!\w)"
        return list(self.connection.execute(_USERS, {"place": self.place, "pattern": pattern}).scalars())

    def take(self) -> None:
        """Drop it, or delete every row: the engine has no other way to empty a table."""
        self.run(f"DROP TABLE {self.table}" if self.way == "drop" else f"DELETE FROM {self.table}")  # noqa: S608

    def effects(self) -> dict[str, int]:
        """Give the connection's count without the rows themselves, which only DELETE counts."""
        beyond = self._changes() - self._start - (self.rows if self.way == "truncate" else 0)
        return {"(triggers)": abs(beyond)} if beyond else {}

    def commit(self) -> None:
        """Commit."""
        self.connection.commit()
        self.committed = True

    def _changes(self) -> int:
        return int(self.connection.execute(_CHANGES).scalar_one())

    def _code(self, error: DBAPIError) -> object:
        return getattr(error.orig, "sqlite_errorname", "")

"""SQLite below the rows: the write-ahead log and free pages (see `physical.Physical`, ADR 0011).

1. The deleter overwrites with zeros what it deletes (`secure_delete`), so the file itself holds nothing of it; the
   write-ahead log still does, until it is emptied: `clean` does that. 2. `rewrite` is VACUUM: the file is made anew
   without free pages, also those that others freed without overwriting. Both are the whole file's, done once for all
   its places. 3. Who still reads an older snapshot keeps the log; that is said. 4. A rollback journal is unlinked, not
   overwritten; full-text tables and the statistics of sqlite_stat4 keep words and values: named, never cleaned.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

from shared.connectors.physical import Stored
from shared.connectors.sql.connector import SqlConnector

_WORDS = "SELECT count(*) FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%USING fts%'"
_SAMPLES = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat4'"


class SqlitePhysical(SqlConnector):
    """The physical face of a SQLite file."""

    _done: str | None = None

    def stored(self, place: str, asked: str) -> Stored:
        """Give the bytes of free pages and of the write-ahead log."""
        with self._connected(place) as connection:
            free, page = (_number(connection, f"PRAGMA {name}") for name in ("freelist_count", "page_size"))
            words, samples = _number(connection, _WORDS), _number(connection, _SAMPLES)
        log = Path(f"{self._map.connection['file']}-wal")
        remains = ["DISK"] + ["INDEX_KEYS"] * bool(words) + ["STATISTICS"] * bool(samples)
        return Stored(free * page + (log.stat().st_size if log.exists() else 0), "bytes", "", tuple(remains))

    def clean(self, place: str, asked: str, *, patient: bool = True) -> str:
        """Empty the write-ahead log, after a VACUUM where that is asked for; once for the whole file."""
        self._need("clean")
        if self._done is None:
            with self._connected(place) as connection:
                if asked == "rewrite":
                    connection.execute(text("VACUUM"))
                busy = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]
            self._done = "OPEN_SNAPSHOT" if busy else ""
        return self._done


def _number(connection: Connection, query: str) -> int:
    return int(connection.execute(text(query)).scalar_one())

"""InnoDB below the rows: delete-marked rows, their undo, full-text indexes (see `physical.Physical`, ADR 0011).

1. A deleted row stays in its page, marked, until purge has passed the transaction; no statement hastens that: `clean`
   waits for it, as the engine's own status tells, and says who holds it up. 2. `rewrite` is OPTIMIZE TABLE, which makes
   table and indexes anew beside the old ones (short locks at its beginning and end). 3. Words of deleted rows stay in a
   full-text index until it is made anew, or until OPTIMIZE runs while the server's own switch
   `innodb_optimize_fulltext_only` is on. It is never switched here: it would change what others' OPTIMIZE does.
4. OPTIMIZE reports failure as a row of its answer; that row is read.
"""

from __future__ import annotations

import re
import time

from sqlalchemy import Connection, text

from shared.connectors import failures
from shared.connectors.physical import LONGEST_S, Stored
from shared.connectors.sql.connector import SqlConnector
from shared.connectors.sql.dialect import digest

PATIENCE_S = 15.0
_PAUSE_S = 0.2
_COUNTER, _PURGED, _LENGTH = (
    re.compile(rf"{words} (\d+)") for words in ("Trx id counter", r"Purge done for trx's n:o <", "History list length")
)
_TABLE = text(
    "SELECT CREATE_TIME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = :name"
)
_WORDS = text(
    "SELECT count(*) FROM information_schema.STATISTICS"
    " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = :name AND INDEX_TYPE = 'FULLTEXT'"
)
_OTHERS = text("SELECT count(*) FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id <> CONNECTION_ID()")


class MariaPhysical(SqlConnector):
    """The physical face of a MariaDB database."""

    def stored(self, place: str, asked: str) -> Stored:
        """Give the length of the history list: transactions of the whole server that purge has not passed."""
        with self._connected(place) as connection:
            query = text("SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'")
            length = int(connection.execute(query).one()[1])
            made = connection.execute(_TABLE, {"name": place}).scalar()
            words = bool(connection.execute(_WORDS, {"name": place}).scalar())
        mark = digest([str(made)]) if asked == "rewrite" else ""
        remains = ["LOG", "REPLICAS", "STATISTICS", "DISK" if asked == "rewrite" else "FREE_SPACE"]
        return Stored(length, "transactions", mark, tuple(remains + ["INDEX_KEYS"] * (asked == "clean" and words)))

    def clean(self, place: str, asked: str, *, patient: bool = True) -> str:
        """Wait for purge, then have the table made anew where that is asked for."""
        self._need("clean")
        with self._connected(place) as connection:
            held = _wait(connection, PATIENCE_S if patient else 0.0)
            only = bool(connection.execute(text("SELECT @@GLOBAL.innodb_optimize_fulltext_only")).scalar())
            words = bool(connection.execute(_WORDS, {"name": place}).scalar())
            if asked == "rewrite" or (only and words):
                connection.execute(text(f"SET SESSION max_statement_time = {LONGEST_S}"))
                answer = connection.execute(text(f"OPTIMIZE TABLE {self._table(place)}")).all()
                if any(str(row[2]).lower() == "error" for row in answer):
                    raise failures.target_error(self.system, place, "OPTIMIZE TABLE did not succeed")
            return "FULLTEXT_ONLY" if asked == "rewrite" and only and not held else held


def _wait(connection: Connection, patience: float) -> str:
    """Wait until purge has passed every transaction that is committed now; name what holds it up."""
    status = _status(connection)
    mark, until = int(_one(_COUNTER, status)), time.monotonic() + patience
    while int(_one(_PURGED, status)) < mark and int(_one(_LENGTH, status)):
        if time.monotonic() > until:
            return "OPEN_SNAPSHOT" if connection.execute(_OTHERS).scalar() else "PURGE_BEHIND"
        time.sleep(_PAUSE_S)
        status = _status(connection)
    return ""


def _status(connection: Connection) -> str:
    return str(connection.execute(text("SHOW ENGINE INNODB STATUS")).one()[2])


def _one(pattern: re.Pattern[str], status: str) -> str:
    found = pattern.search(status)
    return found[1] if found else "0"

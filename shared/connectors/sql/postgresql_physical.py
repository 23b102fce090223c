"""PostgreSQL below the rows: dead row versions, index entries and statistics (see `physical.Physical`, ADR 0011).

1. `clean` is VACUUM with every index cleaned (also GIN's pending list) and the statistics drawn anew, which hold values
   of rows; `rewrite` is VACUUM FULL, which takes the table from everybody while it works. 2. A VACUUM removes a version
   only when no snapshot may still see it: whoever cleans first waits until every snapshot, prepared transaction and
   replication slot older than this moment has gone, and says what it was that did not go. 3. VACUUM skips a table that
   is not the user's with a warning and success: the right is asked for first. 4. Space that VACUUM frees is not
   overwritten; the engine has no statement that does.
"""

from __future__ import annotations

import time

from sqlalchemy import Connection, text

from shared.connectors import failures
from shared.connectors.physical import LONGEST_S, Stored
from shared.connectors.sql.connector import SqlConnector
from shared.connectors.sql.dialect import digest

PATIENCE_S = 15.0
_PAUSE_S = 0.5
_METHODS = {"clean": "VACUUM (INDEX_CLEANUP ON, ANALYZE)", "rewrite": "VACUUM (FULL, ANALYZE)"}
_MAINTAIN = 170_000  # the version that has a right of its own for it
_OWNED = """SELECT bool_and(pg_has_role(c.relowner, 'USAGE') OR {more}) FROM pg_class c WHERE c.oid = ANY(:oids)"""
_DATABASE = "(SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database())"
_STORED = text("""
SELECT c.oid, pg_stat_get_dead_tuples(c.oid), pg_stat_get_vacuum_count(c.oid), c.relfilenode,
    EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid),
    c.reltuples = 0 AND EXISTS (SELECT 1 FROM pg_stats s JOIN pg_namespace n ON n.nspname = s.schemaname
        WHERE n.oid = c.relnamespace AND s.tablename = c.relname)
FROM pg_class c WHERE c.oid = ANY(:oids) AND c.relkind IN ('r', 'm') ORDER BY c.oid""")
_MARK = text("SELECT pg_snapshot_xmax(pg_current_snapshot())")
_HOLDERS = text("""
SELECT kind FROM (
    SELECT CASE WHEN backend_type = 'walsender' THEN 'REPLICA_HOLDS' ELSE 'OPEN_SNAPSHOT' END kind,
        backend_xmin held FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND (datname IS NULL OR datname = current_database())
    UNION ALL SELECT 'PREPARED_TRANSACTION', transaction FROM pg_prepared_xacts WHERE database = current_database()
    UNION ALL SELECT 'REPLICATION_SLOT', xmin FROM pg_replication_slots) x
WHERE held IS NOT NULL AND age(held) > age(CAST(CAST(:mark AS text) AS xid)) ORDER BY age(held) DESC LIMIT 1""")


class PostgresPhysical(SqlConnector):
    """The physical face of a PostgreSQL database."""

    def stored(self, place: str, asked: str) -> Stored:
        """Give dead row versions by the engine's statistics, all tenants' together."""
        with self._connected(place) as connection:
            rows = connection.execute(_STORED, {"oids": self._oids(place)}).all()
        remains = ["LOG", "REPLICAS", "DISK" if asked == "rewrite" else "FREE_SPACE"]
        remains += ["INDEX_KEYS"] if asked == "clean" and any(row[4] for row in rows) else []
        remains += ["STATISTICS"] if any(row[5] for row in rows) else []
        mark = digest(f"{oid} {vacuums} {file}" for oid, _, vacuums, file, *_ in rows)
        return Stored(sum(int(row[1]) for row in rows), "rows", mark, tuple(remains))

    def clean(self, place: str, asked: str, *, patient: bool = True) -> str:
        """Wait for older snapshots, then VACUUM; whatever is still held is left where it is."""
        self._need("clean")
        with self._connected(place) as plain:
            connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            if not self._may(connection, place):
                raise failures.refused(self.system, self._purpose)
            held = _wait(connection, PATIENCE_S if patient else 0.0)
            connection.execute(text(f"SET statement_timeout = '{LONGEST_S}s'"))
            connection.execute(text(f"{_METHODS[asked]} {self._table(place)}"))
        return held

    def _oids(self, place: str) -> list[int]:
        return [oid for oid, name in self._tenancy.catalogue.ids.items() if name == place]

    def _may(self, connection: Connection, place: str) -> bool:
        """Ask for ownership (of table or database), or the right MAINTAIN where the engine has it."""
        version = int(connection.execute(text("SHOW server_version_num")).scalar_one())
        more = _DATABASE + (" OR has_table_privilege(c.oid, 'MAINTAIN')" if version >= _MAINTAIN else "")
        return bool(connection.execute(text(_OWNED.format(more=more)), {"oids": self._oids(place)}).scalar())


def _wait(connection: Connection, patience: float) -> str:
    """Wait until nobody holds what was deleted before now; name the oldest who still does."""
    mark = str(int(connection.execute(_MARK).scalar_one()) % 2**32)
    until = time.monotonic() + patience
    while (kind := connection.execute(_HOLDERS, {"mark": mark}).scalar()) and time.monotonic() < until:
        time.sleep(_PAUSE_S)
    return str(kind or "")

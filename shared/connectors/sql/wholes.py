"""Which of a connector's places may go as a whole, and how (see `protocol.DropsWhole`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, text

from shared.connectors import failures
from shared.connectors.sql.reader import SqlReader
from shared.connectors.sql.whole import SqlWhole
from shared.connectors.sql.whole_mariadb import MariaWhole
from shared.connectors.sql.whole_postgresql import PostgresWhole
from shared.connectors.sql.whole_sqlite import SqliteWhole

_ENGINES: dict[str, type[SqlWhole]] = {"postgresql": PostgresWhole, "mariadb": MariaWhole, "sqlite": SqliteWhole}


class SqlWholes(SqlReader):
    """The half of an SQL connector that lets places go as a whole."""

    def look_whole(self, place: str, going: Sequence[str]) -> None:
        """Look without a lock."""
        with self._connected(place) as connection:
            self._of(connection, place).look(going)

    @contextmanager
    def whole(self, place: str) -> Iterator[SqlWhole]:
        """Lock, prove and take a place."""
        if self._purpose != "delete":
            raise failures.wrong_purpose(self.system, self._purpose, "delete")
        with self._connected(place) as connection:
            opened = self._of(connection, place)
            with opened.taken():
                yield opened

    def left_whole(self, place: str) -> int | None:
        """Wait until no transaction of this tenant's deleter is open, then read the schema afresh and count."""
        with self._connected(place) as connection, self.dialect.locked(connection, self._tenancy.lock):
            catalogue = self.dialect.read(connection, self.system)
            if place not in catalogue.quoted:
                return None
            where = self._tenancy.owner(place) if self._map.rules[place].whole == "part" else "true"
            query = f"SELECT count(*) FROM {catalogue.quoted[place]} t0 WHERE {where}"  # noqa: S608 — quoted, live
            return int(connection.execute(text(query), {"tenant": self._tenant}).scalar_one())

    def _of(self, connection: Connection, place: str) -> SqlWhole:
        self._live(place)
        return _ENGINES[self.kind](connection, self._tenancy, place)

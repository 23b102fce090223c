"""What whoever looks asks of one SQL database: how many rows, whose they are, the rows themselves, and probes.

Rules beside `protocol.Connector`'s: nothing here changes a row; a place that cannot be looked into raises.
"""

# ruff: noqa: S608 — identifiers come quoted from the live catalogue, values are always parameters

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, text

from contracts.errors import Rejected
from contracts.system_map import System
from shared.connectors import probe
from shared.connectors.protocol import Inventory, LivePlace, Rows
from shared.connectors.sql.dialect import Dialect
from shared.connectors.sql.session import translated
from shared.connectors.sql.tenancy import Tenancy

SPARE = 10


class SqlReader:
    """The looking half of `protocol.Connector`; a subclass names its dialect."""

    kind: str
    dialect: Dialect

    def __init__(self, system: System, purpose: str, tenant: str) -> None:
        self.system, self._map, self._purpose, self._tenant = system.name, system, purpose, tenant
        self._engine = self.dialect.engine(system, purpose)

    def discover(self) -> Inventory:
        """Read the live catalogue afresh."""
        self.__dict__.pop("_tenancy", None)
        return self._tenancy.catalogue.inventory

    def count(self, place: str) -> int:
        """Count the tenant's rows."""
        return self._number(place, self._tenancy.owner(place))

    def total(self, place: str) -> int:
        """Count all rows."""
        return self._number(place, "true")

    def unowned(self, place: str) -> int:
        """Count the rows that no tenant is found for."""
        return self._number(place, self._tenancy.unowned(place))

    def read(self, place: str, after: Any | None, limit: int) -> Rows:
        """Read the next rows in key order; the cursor is the last row's key."""
        names = tuple(column.name for column in self._live(place).columns)
        width = len(self._keys(place))
        columns = ", ".join(f"t0.{self.dialect.quote(name)}" for name in names)
        query = f"SELECT {columns}, {self._key_texts(place)} FROM {self._table(place)} t0"
        query += f" WHERE {self._tenancy.owner(place)}{self._later(place) if after else ''}{self._in_order(place)}"
        with self._connected(place) as connection:
            found = connection.execute(
                text(query), {"tenant": self._tenant, "limit": limit, **self._cursor(after)}
            ).all()
        rows = [tuple(row[:-width]) for row in found]
        return Rows(names, rows, list(found[-1][-width:]) if len(found) == limit else None)

    def probes(self, place: str, number: int, seed: bytes) -> list[str]:
        """Draw from UUID and text columns; the seed decides which."""
        found: set[str] = set()
        for pattern in (f"{probe.UUID}|{probe.CASE_NUMBER}", probe.CPR):
            for column in self._probe_columns(place):
                if len(found) < number:
                    found.update(self._draw(place, column, pattern, number - len(found), seed))
        return sorted(found)

    def find(self, place: str, probes: Sequence[str], seed: bytes) -> int:
        """Search every UUID and text column of every row of the place."""
        columns = self._probe_columns(place)
        if not columns or not probes:
            return 0
        hashes = " UNION ALL ".join(f"SELECT {self._hash(column)} h FROM {self._table(place)} t0" for column in columns)
        wanted = f"SELECT {self.dialect.plain('k.v0')} FROM {self.dialect.rows(1)}"
        query = f"SELECT count(DISTINCT h) FROM ({hashes}) x WHERE h IN ({wanted})"
        parameters = {"seed": seed, **self.dialect.parameters([(one,) for one in probes])}
        with self._connected(place) as connection:
            return int(connection.execute(text(query), parameters).scalar_one())

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @cached_property
    def _tenancy(self) -> Tenancy:
        with self._connected() as connection:
            catalogue = self.dialect.read(connection, self.system)
        return Tenancy(self._map, self.dialect, catalogue, self._tenant)

    def _live(self, place: str) -> LivePlace:
        try:
            return self._tenancy.catalogue.inventory.place(place)
        except KeyError:
            raise Rejected(
                "MAP_UNKNOWN_PLACE",
                f"{self.system} has no place {place}",
                field=f"systems.{self.system}.places.{place}",
                remedy="correct its name or take it out of the map",
            ) from None

    def _table(self, place: str) -> str:
        return self._tenancy.catalogue.quoted[self._live(place).name]

    def _number(self, place: str, where: str) -> int:
        query = f"SELECT count(*) FROM {self._table(place)} t0 WHERE {where}"
        with self._connected(place) as connection:
            return int(connection.execute(text(query), {"tenant": self._tenant}).scalar_one())

    def _keys(self, place: str) -> Sequence[tuple[str, Any]]:
        self._live(place)
        return self._tenancy.keys(place)

    def named_by(self, place: str) -> tuple[str, ...]:
        """Give the columns that name a row; none where it is named by its address (ctid, rowid)."""
        known = {self.dialect.quote(column.name): column.name for column in self._live(place).columns}
        names = [known.get(name, "") for name, _ in self._keys(place)]
        return tuple(names) if all(names) else ()

    def _key_texts(self, place: str) -> str:
        return ", ".join(cell.out.replace("{}", f"t0.{name}") for name, cell in self._keys(place))

    def _names(self, place: str, alias: str = "t0") -> str:
        return ", ".join(cell.mine.replace("{}", f"{alias}.{name}") for name, cell in self._keys(place))

    def _in_order(self, place: str) -> str:
        return f" ORDER BY {self._names(place)} LIMIT :limit"

    def _cursor(self, after: Sequence[Any] | None) -> dict[str, Any]:
        return {f"a{position}": value for position, value in enumerate(after or ())}

    def _later(self, place: str) -> str:
        """Give what comes after the cursor; the first column is compared alone too, for engines that need it so."""
        cast = [
            cell.back.replace("{}", self.dialect.parameter(f"a{at}")) for at, (_, cell) in enumerate(self._keys(place))
        ]
        name, cell = self._keys(place)[0]
        first = cell.mine.replace("{}", f"t0.{name}")
        return f" AND {first} >= {cast[0]} AND ({self._names(place)}) > ({', '.join(cast)})"

    def _probe_columns(self, place: str) -> list[str]:
        columns = [column for column in self._live(place).columns if column.type.lower().startswith(self.dialect.texts)]
        return [column.name for column in sorted(columns, key=lambda column: (column.type != "uuid", column.name))]

    def _draw(self, place: str, column: str, pattern: str, number: int, seed: bytes) -> list[str]:
        """Draw the values with the smallest hashes; more of them where some are other tenants' too."""
        drawn = number * SPARE
        while True:
            found, alone = self._drawn(place, column, {"pattern": pattern, "seed": seed, "limit": drawn})
            if len(alone) >= number or found < drawn:
                return alone[:number]
            drawn *= SPARE**2

    def _drawn(self, place: str, column: str, parameters: dict[str, Any]) -> tuple[int, list[str]]:
        """Count the values drawn, and give the hashes of those that only the tenant's rows have, in order."""
        name, table = self.dialect.quote(column), self._table(place)
        mine = f"""SELECT DISTINCT {self._hash(column)} h, t0.{name} v FROM {table} t0
            WHERE {self._tenancy.owner(place)} AND {self.dialect.matches(f"t0.{name}")} ORDER BY h LIMIT :limit"""
        others = f"""SELECT DISTINCT c.v FROM {table} n JOIN c ON n.{name} = c.v
            WHERE ({self._tenancy.owner(place, "n")}) IS NOT TRUE"""
        query = f"WITH c AS ({mine}) SELECT c.h, o.v IS NULL FROM c LEFT JOIN ({others}) o ON o.v = c.v ORDER BY c.h"
        with self._connected(place) as connection:
            rows = connection.execute(text(query), {"tenant": self._tenant, **parameters}).all()
        return len(rows), list(dict.fromkeys(str(row[0]) for row in rows if row[1]))

    def _hash(self, column: str) -> str:
        return self.dialect.hashed(f"t0.{self.dialect.quote(column)}")

    @contextmanager
    def _connected(self, place: str = "") -> Iterator[Connection]:
        with translated(self.dialect, self.system, self._purpose, place), self._engine.connect() as connection:
            yield connection

"""PostgreSQL as a target (see `protocol.Connector` for what every method promises)."""

# ruff: noqa: S608 — identifiers come quoted from the live catalogue, values are always parameters

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from sqlalchemy import text

from contracts.errors import Rejected
from contracts.system_map import MARKER_PLACE, System, check_live
from shared.connectors import failures, probe
from shared.connectors.order import Break, deletion_order
from shared.connectors.protocol import Access, ForeignKey, Inventory, Key, LivePlace, Marker, Rows
from shared.connectors.sql import catalogue, ways_in
from shared.connectors.sql.batch import LOCK, SqlBatch, arrays, lock_name
from shared.connectors.sql.session import engine, translated
from shared.connectors.sql.tenancy import Tenancy

_TEXTS = ("text", "character", "uuid", "bpchar", "name")
_MARKER = f'"public"."{MARKER_PLACE}"'


class PostgresConnector:
    """One tenant's rows in one PostgreSQL database, opened for one purpose."""

    kind = "postgresql"

    def __init__(self, system: System, purpose: str, tenant: str) -> None:
        self.system, self._map, self._purpose, self._tenant = system.name, system, purpose, tenant
        self._engine = engine(system, purpose)

    def discover(self) -> Inventory:
        """Read the live catalogue afresh."""
        self.__dict__.pop("_tenancy", None)
        return self._tenancy.catalogue.inventory

    def order(self, inventory: Inventory) -> list[str]:
        """Order the owned places children first."""
        return self._deletion(inventory)[0]

    def count(self, place: str) -> int:
        """Count the tenant's rows."""
        return self._number(place, f"SELECT count(*) FROM {self._table(place)} t0 WHERE {self._tenancy.owner(place)}")

    def total(self, place: str) -> int:
        """Count all rows."""
        return self._number(place, f"SELECT count(*) FROM {self._table(place)}")

    def read(self, place: str, after: Any | None, limit: int) -> Rows:
        """Read the next rows in key order; the cursor is the last row's key."""
        names = tuple(column.name for column in self._live(place).columns)
        keys = self._tenancy.key_columns(place)
        columns = ", ".join(f"t0.{catalogue.quote(name)}" for name in names)
        query = f"SELECT {columns}, {self._key_texts(place)} FROM {self._table(place)} t0"
        query += f" WHERE {self._tenancy.owner(place)}{self._later(place) if after else ''}{self._in_order(place)}"
        parameters = {f"a{position}": value for position, value in enumerate(after or ())}
        with translated(self.system, self._purpose, place), self._engine.connect() as connection:
            found = connection.execute(text(query), {"tenant": self._tenant, "limit": limit, **parameters}).all()
        rows = [tuple(row[: -len(keys)]) for row in found]
        return Rows(names, rows, list(found[-1][-len(keys) :]) if len(found) == limit else None)

    def keys(self, place: str, limit: int) -> list[Key]:
        """List the next keys; a self-reference that cannot be set NULL is listed from its leaves."""
        alone = [each for each in self._breaks if each.child == place and not (each.nulls or each.ring)]
        leaves = "".join(map(self._leaves, alone))
        query = f"SELECT {self._key_texts(place)} FROM {self._table(place)} t0"
        query += f" WHERE {self._tenancy.owner(place)}{leaves}{self._in_order(place)}"
        with translated(self.system, self._purpose, place), self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), {"tenant": self._tenant, "limit": limit})]

    def together(self, place: str, keys: Sequence[Key]) -> list[tuple[str, list[Key]]]:
        """Follow the references inside a ring of places until nothing new refers to what was found."""
        ring = frozenset[str]().union(*(each.ring for each in self._breaks if place in each.ring))
        found: dict[str, list[Key]] = {place: list(keys)}
        fresh = dict(found)
        while fresh:
            parents, fresh = fresh, {}
            for child, key in self._references(ring, parents):
                known = {*found.get(child, ()), *fresh.get(child, ())}
                if new := [row for row in self._referring(child, key, parents[key.parent]) if row not in known]:
                    fresh[child] = fresh.get(child, []) + new
            for child, new in fresh.items():
                found[child] = found.get(child, []) + new
        order = self._deletion(self._tenancy.catalogue.inventory)[0]
        return sorted(found.items(), key=lambda row: order.index(row[0]))

    def present(self, place: str, keys: Sequence[Key]) -> int:
        """Count the keys still there; the deleter first waits until no batch of this tenant is open."""
        if not keys:
            return 0
        where = self._tenancy.among(place)
        if not self._live(place).primary_key:
            where += f" AND {self._tenancy.owner(place)}"
        query = f"SELECT count(*) FROM {self._table(place)} t0 WHERE {where}"
        with translated(self.system, self._purpose, place), self._engine.connect() as connection:
            if self._purpose == "delete":
                connection.execute(LOCK, {"name": lock_name(self._tenancy, self._tenant)})
            parameters = {"tenant": self._tenant, **arrays(keys)}
            return int(connection.execute(text(query), parameters).scalar_one())

    @contextmanager
    def batch(self) -> Iterator[SqlBatch]:
        """Open a REPEATABLE READ transaction; only `commit` keeps it."""
        if self._purpose != "delete":
            raise failures.wrong_purpose(self.system, self._purpose, "delete")
        breaks = self._breaks
        with translated(self.system, self._purpose):
            plain = self._engine.connect()
        with plain, translated(self.system, self._purpose):
            connection = plain.execution_options(isolation_level="REPEATABLE READ")
            opened = SqlBatch(connection, self._tenancy, self._tenant, breaks)
            try:
                yield opened
            finally:
                if not opened.committed and not connection.invalidated:
                    connection.rollback()

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
        table = self._table(place)
        parts = " UNION ".join(f"SELECT {_hash(column)} h FROM {table} t0" for column in columns)
        query = f"SELECT count(DISTINCT h) FROM ({parts}) x WHERE h = ANY(:probes)"
        with translated(self.system, self._purpose, place), self._engine.connect() as connection:
            return int(connection.execute(text(query), {"seed": seed, "probes": list(probes)}).scalar_one())

    def can_write(self) -> bool:
        """Ask the engine for the rights of this role, whatever its session allows itself."""
        with translated(self.system, self._purpose), self._engine.connect() as connection:
            return ways_in.can_write(connection)

    def access(self) -> Access:
        """Look at the roles that the map names."""
        with translated(self.system, self._purpose), self._engine.connect() as connection:
            return ways_in.look(connection, self._map.roles)

    def freeze(self) -> None:
        """Take the rights that change data."""
        self._change_access(ways_in.freeze)

    def close_access(self) -> None:
        """Take every right and the login, end sessions."""
        self._change_access(ways_in.close)

    def marker(self) -> Marker | None:
        """Read the marker table's newest row."""
        with translated(self.system, self._purpose), self._engine.connect() as connection:
            if not connection.execute(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": _MARKER}).scalar():
                return None
            row = connection.execute(
                text(f"SELECT id, written_at FROM {_MARKER} ORDER BY written_at DESC LIMIT 1")
            ).one_or_none()
            return Marker(str(row[0]), float(row[1])) if row else None

    def write_marker(self, marker: Marker) -> None:
        """Write the marker table, readable by every role."""
        if self._purpose != "prepare":
            raise failures.wrong_purpose(self.system, self._purpose, "prepare")
        create = f"CREATE TABLE IF NOT EXISTS {_MARKER} (id text PRIMARY KEY, written_at double precision NOT NULL)"
        with translated(self.system, self._purpose), self._engine.begin() as connection:
            connection.execute(text(create))
            connection.execute(text(f"DELETE FROM {_MARKER}"))
            values = {"id": marker.id, "at": marker.written_at}
            connection.execute(text(f"INSERT INTO {_MARKER} (id, written_at) VALUES (:id, :at)"), values)
            connection.execute(text(f"GRANT SELECT ON {_MARKER} TO PUBLIC"))

    def documents(self, place: str) -> Iterator[tuple[str, str]]:
        """Give nothing: a table holds no files."""
        return iter(())

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @cached_property
    def _tenancy(self) -> Tenancy:
        with translated(self.system, self._purpose), self._engine.connect() as connection:
            return Tenancy(self._map, catalogue.read(connection, self.system))

    @property
    def _breaks(self) -> list[Break]:
        return self._deletion(self._tenancy.catalogue.inventory)[1]

    def _deletion(self, inventory: Inventory) -> tuple[list[str], list[Break]]:
        check_live(self._map, inventory.columns())
        owned = [place for place in inventory.places if place.name in self._map.owned()]
        return deletion_order(self.system, owned, self._tenancy.pinned())

    def _references(self, ring: Iterable[str], parents: Collection[str]) -> list[tuple[str, ForeignKey]]:
        """List the references between places of a ring to `parents` that are not let go of by setting NULL."""
        nulled = {(each.child, each.key) for each in self._breaks if each.nulls}
        keys = [(child, key) for child in sorted(ring) for key in self._live(child).foreign_keys]
        return [(child, key) for child, key in keys if key.parent in parents and (child, key) not in nulled]

    def _referring(self, child: str, key: ForeignKey, parents: Sequence[Key]) -> list[Key]:
        ours = ", ".join(f"t0.{catalogue.quote(name)}" for name in key.columns)
        theirs = ", ".join(f"p.{catalogue.quote(name)}" for name in key.parent_columns)
        held = f"SELECT {theirs} FROM {self._table(key.parent)} p WHERE {self._tenancy.among(key.parent, 'p')}"
        query = f"SELECT {self._key_texts(child)} FROM {self._table(child)} t0"
        query += f" WHERE {self._tenancy.owner(child)} AND ({ours}) IN ({held})"
        with translated(self.system, self._purpose, child), self._engine.connect() as connection:
            found = connection.execute(text(query), {"tenant": self._tenant, **arrays(parents)})
            return [tuple(row) for row in found]

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

    def _number(self, place: str, query: str) -> int:
        with translated(self.system, self._purpose, place), self._engine.connect() as connection:
            return int(connection.execute(text(query), {"tenant": self._tenant}).scalar_one())

    def _names(self, place: str) -> list[str]:
        return [f"t0.{catalogue.quote(name)}" for name, _ in self._tenancy.key_columns(place)]

    def _key_texts(self, place: str) -> str:
        return ", ".join(f"CAST({name} AS text)" for name in self._names(place))

    def _in_order(self, place: str) -> str:
        return f" ORDER BY {', '.join(self._names(place))} LIMIT :limit"

    def _later(self, place: str) -> str:
        cast = [
            f"CAST(CAST(:a{at} AS text) AS {kind})" for at, (_, kind) in enumerate(self._tenancy.key_columns(place))
        ]
        return f" AND ({', '.join(self._names(place))}) > ({', '.join(cast)})"

    def _leaves(self, each: Break) -> str:
        pairs = zip(each.key.columns, each.key.parent_columns, strict=True)
        same = " AND ".join(f"c.{catalogue.quote(ours)} = t0.{catalogue.quote(theirs)}" for ours, theirs in pairs)
        mine = ", ".join(self._names(each.child))
        theirs = mine.replace("t0.", "c.")
        return f" AND NOT EXISTS (SELECT 1 FROM {self._table(each.child)} c WHERE {same} AND ({theirs}) <> ({mine}))"

    def _probe_columns(self, place: str) -> list[str]:
        columns = [column for column in self._live(place).columns if column.type.startswith(_TEXTS)]
        return [column.name for column in sorted(columns, key=lambda column: (column.type != "uuid", column.name))]

    def _draw(self, place: str, column: str, pattern: str, number: int, seed: bytes) -> list[str]:
        name, table = catalogue.quote(column), self._table(place)
        others = (
            f"SELECT 1 FROM {table} n WHERE n.{name} = t0.{name} AND ({self._tenancy.owner(place, 'n')}) IS NOT TRUE"
        )
        query = f"""SELECT DISTINCT {_hash(column)} h FROM {table} t0 WHERE {self._tenancy.owner(place)}
            AND CAST(t0.{name} AS text) ~ CAST(:pattern AS text) AND NOT EXISTS ({others}) ORDER BY h LIMIT :limit"""
        parameters = {"tenant": self._tenant, "pattern": pattern, "seed": seed, "limit": number}
        with translated(self.system, self._purpose, place), self._engine.connect() as connection:
            return list(connection.execute(text(query), parameters).scalars())

    def _change_access(self, change: Any) -> None:
        if self._purpose != "access":
            raise failures.wrong_purpose(self.system, self._purpose, "access")
        with translated(self.system, self._purpose), self._engine.begin() as connection:
            change(connection, self._map.roles)


def _hash(column: str) -> str:
    value = f"convert_to(CAST(t0.{catalogue.quote(column)} AS text), 'UTF8')"
    return f"encode(sha256(CAST(:seed AS bytea) || {value}), 'hex')"

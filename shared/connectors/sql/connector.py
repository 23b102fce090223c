"""One tenant's rows in one SQL database, opened for one purpose: the same for every engine (see `Dialect`).

Rules beside `protocol.Connector`'s: a place whose rows cannot be deleted provably is refused by name before the first
row; whoever verifies also refuses rows that nobody is found for, unless the map says what they are, and rows whose
tenant the engine takes for this one though it is written otherwise.
"""

# ruff: noqa: S608 — identifiers come quoted from the live catalogue, values are always parameters

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, text

from contracts.errors import Rejected
from contracts.system_map import System, check_live
from shared.connectors import failures, probe
from shared.connectors.order import Break, deletion_order
from shared.connectors.protocol import Access, ForeignKey, Inventory, Key, LivePlace, Marker, Rows
from shared.connectors.sql.batch import SqlBatch
from shared.connectors.sql.dialect import Dialect
from shared.connectors.sql.session import translated
from shared.connectors.sql.tenancy import Tenancy


class SqlConnector:
    """See `protocol.Connector`; a subclass names its dialect."""

    kind: str
    dialect: Dialect

    def __init__(self, system: System, purpose: str, tenant: str) -> None:
        self.system, self._map, self._purpose, self._tenant = system.name, system, purpose, tenant
        self._engine = self.dialect.engine(system, purpose)

    def discover(self) -> Inventory:
        """Read the live catalogue afresh."""
        self.__dict__.pop("_tenancy", None)
        return self._tenancy.catalogue.inventory

    def order(self, inventory: Inventory) -> list[str]:
        """Order the owned places children first."""
        order, breaks = self._deletion(inventory)
        if self._purpose == "verify":
            self._check_rows(order, breaks)
        return order

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
        parameters = {f"a{position}": value for position, value in enumerate(after or ())}
        with self._connected(place) as connection:
            found = connection.execute(text(query), {"tenant": self._tenant, "limit": limit, **parameters}).all()
        rows = [tuple(row[:-width]) for row in found]
        return Rows(names, rows, list(found[-1][-width:]) if len(found) == limit else None)

    def keys(self, place: str, limit: int) -> list[Key]:
        """List the next keys; a self-reference that cannot be set NULL is listed from its leaves."""
        alone = [each for each in self._breaks if each.child == place and not (each.nulls or each.ring)]
        leaves = "".join(map(self._leaves, alone))
        query = f"SELECT {self._key_texts(place)} FROM {self._table(place)} t0"
        query += f" WHERE {self._tenancy.owner(place)}{leaves}{self._in_order(place)}"
        with self._connected(place) as connection:
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
        if [name for name, _ in self._keys(place)] != [*map(self.dialect.quote, self._live(place).primary_key)]:
            where += f" AND {self._tenancy.owner(place)}"
        query = text(f"SELECT count(*) FROM {self._table(place)} t0 WHERE {where}")
        parameters = {"tenant": self._tenant, **self.dialect.parameters(keys)}
        with self._connected(place) as connection:
            ours = self.dialect.locked(connection, self._tenancy.lock) if self._purpose == "delete" else nullcontext()
            with ours, self.dialect.key_by_key(connection):
                return int(connection.execute(query, parameters).scalar_one())

    @contextmanager
    def batch(self) -> Iterator[SqlBatch]:
        """Open a transaction in one snapshot; only `commit` keeps it."""
        self._need("delete")
        breaks, lock = self._breaks, self._tenancy.lock
        deferred = any(each.ring for each in breaks)
        with (
            self._connected() as plain,
            self.dialect.transaction(plain, self.system, lock, deferred=deferred) as connection,
        ):
            opened = SqlBatch(connection, self._tenancy, breaks)
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
        hashes = " UNION ".join(f"SELECT {self._hash(column)} h FROM {self._table(place)} t0" for column in columns)
        wanted = f"SELECT {self.dialect.plain('k.v0')} FROM {self.dialect.rows(1)}"
        query = f"SELECT count(DISTINCT h) FROM ({hashes}) x WHERE h IN ({wanted})"
        parameters = {"seed": seed, **self.dialect.parameters([(one,) for one in probes])}
        with self._connected(place) as connection:
            return int(connection.execute(text(query), parameters).scalar_one())

    def can_write(self) -> bool:
        """Ask the engine for the rights of this user, whatever its session allows itself."""
        with self._connected() as connection:
            return self.dialect.can_write(connection)

    def access(self) -> Access:
        """Look at the ways in that the map names."""
        with self._connected() as connection:
            return self.dialect.look(connection, self._map.roles)

    def freeze(self) -> None:
        """Take the rights that change data."""
        self._change_access(self.dialect.freeze)

    def close_access(self) -> None:
        """Take every right and the log-in, end sessions."""
        self._change_access(self.dialect.close)

    def marker(self) -> Marker | None:
        """Read the marker table's newest row."""
        query = f"SELECT id, written_at FROM {self.dialect.marker} ORDER BY written_at DESC LIMIT 1"
        with self._connected() as connection:
            row = connection.execute(text(query)).one_or_none() if self.dialect.marker_there(connection) else None
        return Marker(str(row[0]), float(row[1])) if row else None

    def write_marker(self, marker: Marker) -> None:
        """Write the marker table, readable by everybody who may see the database."""
        self._need("prepare")
        values = {"id": marker.id, "at": marker.written_at}
        table = self.dialect.marker
        with self._connected() as connection:
            for statement in self.dialect.create_marker:
                connection.execute(text(statement))
            connection.execute(text(f"DELETE FROM {table}"))
            connection.execute(text(f"INSERT INTO {table} (id, written_at) VALUES (:id, :at)"), values)
            connection.commit()

    def documents(self, place: str) -> Iterator[tuple[str, str]]:
        """Give nothing: a table holds no files."""
        return iter(())

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @cached_property
    def _tenancy(self) -> Tenancy:
        with self._connected() as connection:
            catalogue = self.dialect.read(connection, self.system)
        return Tenancy(self._map, self.dialect, catalogue, self._tenant)

    @property
    def _breaks(self) -> list[Break]:
        return self._deletion(self._tenancy.catalogue.inventory)[1]

    def _deletion(self, inventory: Inventory) -> tuple[list[str], list[Break]]:
        check_live(self._map, inventory.columns())
        for place in self._map.owned():
            if refusal := self._tenancy.catalogue.refusals.get(place):
                raise self._refused(place, refusal.code, refusal.text, refusal.remedy)
        owned = [place for place in inventory.places if place.name in self._map.owned()]
        return deletion_order(self.system, owned, self._tenancy.pinned())

    def _check_rows(self, order: Sequence[str], breaks: Sequence[Break]) -> None:
        """Refuse rows of which the schema alone does not say that they are there, and rows that are not shown to us."""
        with self._connected() as connection:
            hidden = self.dialect.hidden(connection, self._tenancy.catalogue)
        for place in hidden.intersection(order):
            remedy = "give that user a policy for SELECT that is USING (true)"
            raise self._refused(place, "ROWS_HIDDEN", "a policy may hide rows from whoever verifies", remedy)
        for place in order:
            if not self._map.rules[place].without_tenant and (count := self.unowned(place)):
                raise failures.without_tenant(self.system, place, count)
            if count := self._number(place, self._tenancy.alike(place)):
                what = f"{count} rows have a tenant key that the engine takes for this tenant's, written otherwise"
                raise self._refused(place, "TENANT_AMBIGUOUS", what, "write the key in one way in the system")
        for each in breaks:
            if self.dialect.row_by_row and each.child == each.key.parent and not each.nulls:
                self._check_loops(each)

    def _check_loops(self, each: Break) -> None:
        """Refuse rows that refer to themselves where the engine lets them neither go nor be let go of."""
        if count := self._number(each.child, f"{self._tenancy.owner(each.child)} AND {self._own_parent(each, 't0')}"):
            what, remedy = f"{count} rows refer to themselves", "make that reference nullable"
            raise self._refused(each.child, "CYCLE_NOT_BREAKABLE", what, remedy)

    def _refused(self, place: str, code: str, what: str, remedy: str) -> Rejected:
        where = f"systems.{self.system}.places.{place}"
        da = f"Rækkerne i {place} kan ikke slettes beviseligt ({code})."
        return Rejected(code, f"{self.system}: {place}: {what}", field=where, remedy=remedy, da=da)

    def _references(self, ring: Iterable[str], parents: Collection[str]) -> list[tuple[str, ForeignKey]]:
        """List the references between places of a ring to `parents` that are not let go of by setting NULL."""
        nulled = {(each.child, each.key) for each in self._breaks if each.nulls}
        keys = [(child, key) for child in sorted(ring) for key in self._live(child).foreign_keys]
        return [(child, key) for child, key in keys if key.parent in parents and (child, key) not in nulled]

    def _referring(self, child: str, key: ForeignKey, parents: Sequence[Key]) -> list[Key]:
        ours = ", ".join(f"t0.{self.dialect.quote(name)}" for name in key.columns)
        theirs = ", ".join(f"p.{self.dialect.quote(name)}" for name in key.parent_columns)
        held = f"SELECT {theirs} FROM {self._table(key.parent)} p WHERE {self._tenancy.among(key.parent, 'p')}"
        query = f"SELECT {self._key_texts(child)} FROM {self._table(child)} t0"
        query += f" WHERE {self._tenancy.owner(child)} AND ({ours}) IN ({held})"
        parameters = {"tenant": self._tenant, **self.dialect.parameters(parents)}
        with self._connected(child) as connection:
            return [tuple(row) for row in connection.execute(text(query), parameters)]

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

    def _key_texts(self, place: str) -> str:
        return ", ".join(cell.out.replace("{}", f"t0.{name}") for name, cell in self._keys(place))

    def _names(self, place: str, alias: str = "t0") -> str:
        return ", ".join(cell.mine.replace("{}", f"{alias}.{name}") for name, cell in self._keys(place))

    def _in_order(self, place: str) -> str:
        return f" ORDER BY {self._names(place)} LIMIT :limit"

    def _later(self, place: str) -> str:
        """Give what comes after the cursor; the first column is compared alone too, for engines that need it so."""
        cast = [
            cell.back.replace("{}", self.dialect.parameter(f"a{at}")) for at, (_, cell) in enumerate(self._keys(place))
        ]
        name, cell = self._keys(place)[0]
        first = cell.mine.replace("{}", f"t0.{name}")
        return f" AND {first} >= {cast[0]} AND ({self._names(place)}) > ({', '.join(cast)})"

    def _leaves(self, each: Break) -> str:
        loop = f"({self._names(each.child, 'c')}) <> ({self._names(each.child)})"
        table = self._table(each.child)
        return f" AND NOT EXISTS (SELECT 1 FROM {table} c WHERE {self._own_parent(each, 'c')} AND {loop})"

    def _own_parent(self, each: Break, child: str) -> str:
        quote, pairs = self.dialect.quote, zip(each.key.columns, each.key.parent_columns, strict=True)
        return " AND ".join(f"{child}.{quote(ours)} = t0.{quote(theirs)}" for ours, theirs in pairs)

    def _probe_columns(self, place: str) -> list[str]:
        columns = [column for column in self._live(place).columns if column.type.lower().startswith(self.dialect.texts)]
        return [column.name for column in sorted(columns, key=lambda column: (column.type != "uuid", column.name))]

    def _draw(self, place: str, column: str, pattern: str, number: int, seed: bytes) -> list[str]:
        name, table = self.dialect.quote(column), self._table(place)
        others = (
            f"SELECT 1 FROM {table} n WHERE n.{name} = t0.{name} AND ({self._tenancy.owner(place, 'n')}) IS NOT TRUE"
        )
        query = f"""SELECT DISTINCT {self._hash(column)} h FROM {table} t0 WHERE {self._tenancy.owner(place)}
            AND {self.dialect.matches(f"t0.{name}")} AND NOT EXISTS ({others}) ORDER BY h LIMIT :limit"""
        parameters = {"tenant": self._tenant, "pattern": pattern, "seed": seed, "limit": number}
        with self._connected(place) as connection:
            return list(connection.execute(text(query), parameters).scalars())

    def _hash(self, column: str) -> str:
        return self.dialect.hashed(f"t0.{self.dialect.quote(column)}")

    def _change_access(self, change: Callable[[Connection, Sequence[str]], None]) -> None:
        self._need("access")
        with self._connected() as connection:
            change(connection, self._map.roles)
            connection.commit()

    def _need(self, purpose: str) -> None:
        if self._purpose != purpose:
            raise failures.wrong_purpose(self.system, self._purpose, purpose)

    @contextmanager
    def _connected(self, place: str = "") -> Iterator[Connection]:
        with translated(self.dialect, self.system, self._purpose, place), self._engine.connect() as connection:
            yield connection

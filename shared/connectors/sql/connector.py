"""One tenant's rows in one SQL database, opened for one purpose: the same for every engine (see `Dialect`).

Rules beside `protocol.Connector`'s: a place whose rows cannot be deleted provably is refused by name before the first
row; whoever verifies also refuses rows that nobody is found for, unless the map says what they are, and rows whose
tenant the engine takes for this one though it is written otherwise.
"""

# ruff: noqa: S608 — identifiers come quoted from the live catalogue, values are always parameters

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

from sqlalchemy import Connection, text

from contracts.errors import Rejected
from contracts.system_map import check_live
from shared.connectors import failures
from shared.connectors.order import Break, deletion_order
from shared.connectors.protocol import Access, ForeignKey, Inventory, Key, Marker
from shared.connectors.sql.batch import SqlBatch
from shared.connectors.sql.dialect import UNSEEN
from shared.connectors.sql.wholes import SqlWholes


class SqlConnector(SqlWholes):
    """See `protocol.Connector`; a subclass names its dialect."""

    def order(self, inventory: Inventory) -> list[str]:
        """Order the owned places children first."""
        order, breaks = self._deletion(inventory)
        if self._purpose == "verify":
            self._check_rows(order, breaks)
        return order

    def keys(self, place: str, limit: int, after: Key | None = None) -> list[Key]:
        """List the next keys; a self-reference that cannot be set NULL is listed from its leaves."""
        alone = [each for each in self._breaks if each.child == place and not (each.nulls or each.ring)]
        leaves = "".join(map(self._leaves, alone))
        query = f"SELECT {self._key_texts(place)} FROM {self._table(place)} t0"
        query += f" WHERE {self._tenancy.owner(place)}{leaves}{self._later(place) if after else ''}"
        parameters = {"tenant": self._tenant, "limit": limit, **self._cursor(after)}
        with self._connected(place) as connection:
            found = connection.execute(text(query + self._in_order(place)), parameters)
            return [tuple(row) for row in found]

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

    def documents(self, place: str, after: str = "") -> Iterator[tuple[str, str]]:
        """Give nothing: a table holds no files."""
        return iter(())

    @property
    def _breaks(self) -> list[Break]:
        return self._deletion(self._tenancy.catalogue.inventory)[1]

    def _deletion(self, inventory: Inventory) -> tuple[list[str], list[Break]]:
        check_live(self._map, inventory.columns(), may_be_gone=True)
        for place in self._map.owned():
            if refusal := self._tenancy.catalogue.refusals.get(place):
                raise self._refused(place, refusal.code, refusal.text, refusal.remedy)
        owned = [self._tenancy.referring(place) for place in inventory.places if place.name in self._map.owned()]
        reads = self._tenancy.catalogue.reads
        for view in sorted(reads.keys() & self._map.rules.keys() - set(self._map.owned())):
            if found := sorted(reads[view] & {*self._map.owned(), UNSEEN}):
                what, remedy = f"it keeps what it read from {found[0]}", "give it a tenant key, so that it is refreshed"
                raise self._refused(view, "VIEW_KEEPS_ROWS", what, f"{remedy}, or drop it")
        return deletion_order(self.system, owned, self._tenancy.pinned(), reads)

    def _check_rows(self, order: Sequence[str], breaks: Sequence[Break]) -> None:
        """Refuse rows of which the schema alone does not say that they are there, and rows that are not shown to us."""
        with self._connected() as connection:
            hidden = self.dialect.hidden(connection, self._tenancy.catalogue)
        for place in hidden.intersection(order):
            remedy = "give that user a policy for SELECT that is USING (true)"
            raise self._refused(place, "ROWS_HIDDEN", "a policy may hide rows from whoever verifies", remedy)
        for place in order:
            failures.require_tenants(self._map, place, self.unowned)
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

    def _leaves(self, each: Break) -> str:
        loop = f"({self._names(each.child, 'c')}) <> ({self._names(each.child)})"
        table = self._table(each.child)
        return f" AND NOT EXISTS (SELECT 1 FROM {table} c WHERE {self._own_parent(each, 'c')} AND {loop})"

    def _own_parent(self, each: Break, child: str) -> str:
        quote, pairs = self.dialect.quote, zip(each.key.columns, each.key.parent_columns, strict=True)
        return " AND ".join(f"{child}.{quote(ours)} = t0.{quote(theirs)}" for ours, theirs in pairs)

    def _change_access(self, change: Callable[[Connection, Sequence[str]], None]) -> None:
        self._need("access")
        with self._connected() as connection:
            change(connection, self._map.roles)
            connection.commit()

    def _need(self, purpose: str) -> None:
        if self._purpose != purpose:
            raise failures.wrong_purpose(self.system, self._purpose, purpose)

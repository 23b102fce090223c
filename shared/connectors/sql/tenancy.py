"""Whose row is it: the SQL that finds one tenant's rows of a place, and one row again by its key.

A key is a tuple of texts, so that it travels and is stored the same for every column type. A row whose tenant key is
NULL, or whose path breaks off, is nobody's: it is counted, never taken for the tenant's or a neighbour's.
"""

# ruff: noqa: S608 — identifiers come quoted from the live catalogue, values are always parameters

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from contracts.errors import Rejected
from contracts.system_map import Refers, Rule, System
from shared.connectors.protocol import Column, ForeignKey, LivePlace
from shared.connectors.sql.dialect import Catalogue, Cell, Dialect


@dataclass(frozen=True, slots=True)
class Tenancy:
    """Predicates over one system's live catalogue; `:tenant` is the one parameter they need."""

    system: System
    dialect: Dialect
    catalogue: Catalogue
    tenant: str

    @property
    def lock(self) -> str:
        """Name the lock of this system's tenant."""
        return f"ophor:{self.system.name}:{self.tenant}"

    def owner(self, place: str, alias: str = "t0") -> str:
        """Give the predicate that holds exactly for the tenant's rows of `place` (`true` for a shared place)."""
        return self._where(place, alias, lambda cell, column: cell.owner(column))

    def guard(self, place: str, alias: str = "t0") -> str:
        """Give the tenant's rows once more, written apart from `owner`: what the one lists goes only by both."""
        rule = self.system.rules[place]
        return self._inside(rule, 0, place, alias) if rule.tenant_path else self._ours(rule, place, alias)

    def unowned(self, place: str, alias: str = "t0") -> str:
        """Give the predicate for the rows of `place` that no tenant at all is found for."""
        found = self._where(place, alias, lambda cell, column: f"{column} IS NOT NULL")
        if len(self.system.rules[place].tenant_path) > 1:  # an EXISTS is never unknown, and NOT EXISTS is one join
            return f"NOT {found}"
        return f"({found}) IS NOT TRUE"

    def alike(self, place: str, alias: str = "t0") -> str:
        """Give the predicate for rows whose tenant key is written otherwise, yet equal to this one for the engine."""
        return self._where(place, alias, lambda cell, column: cell.alike(column))

    def owned(self) -> list[str]:
        """List the mapped places of tenants that are there: one that went as a whole is not."""
        return [place for place in self.system.owned() if place in self.catalogue.quoted]

    def parents(self, place: str) -> list[str]:
        """List the places that the tenant path of `place` leads through, in its order."""
        found, here = [], place
        for position in range(len(self.system.rules[place].tenant_path) - 1):
            here = self._follow(self.system.rules[place], position, here).parent
            found.append(here)
        return found

    def pinned(self) -> dict[str, set[str]]:
        """List per place the columns that tenants are found by, also those that other places' paths pass through."""
        columns: dict[str, set[str]] = {name: set() for name in self.catalogue.quoted}
        for name in self.owned():
            rule, here = self.system.rules[name], name
            columns.setdefault(name, set()).update([rule.tenant_key] if rule.tenant_key else [])
            for position in range(len(rule.tenant_path) - 1):
                key = self._follow(rule, position, here)
                columns[here].update(key.columns)
                here = key.parent
            columns[here].update(rule.tenant_path[-1:], [rule.refers.type] if rule.refers else [])
        return columns

    def referring(self, place: LivePlace) -> LivePlace:
        """Give a place with what its tenant is found by through type and id as foreign keys, which no schema says."""
        refers = self.system.rules[place.name].refers
        if refers is None:
            return place
        more = (ForeignKey((), parent, ()) for parent in dict.fromkeys(refers.to.values()))
        return replace(place, foreign_keys=(*place.foreign_keys, *more))

    def keys(self, place: str) -> tuple[tuple[str, Cell], ...]:
        """Give the columns that one row is named by."""
        return self.catalogue.keys[place]

    def among(self, place: str, alias: str = "t0") -> str:
        """Give the predicate for the rows of the keys in `Dialect.parameters`."""
        return self.dialect.among(self.keys(place), alias)

    def _where(self, place: str, alias: str, test: _Test) -> str:
        rule = self.system.rule(place)
        if rule is None or not rule.owned:
            return "true"
        return self._path(rule, alias, test) if len(rule.tenant_path) > 1 else self._end(rule, place, alias, test)

    def _end(self, rule: Rule, here: str, alias: str, test: _Test) -> str:
        """Give the predicate where a path ends: a column, what lies inside its JSON, or a reference by type and id."""
        if rule.refers is not None:
            return self._by_type(
                rule.refers, (rule.place, here, alias),
                lambda parent, inner, on: f"EXISTS (SELECT 1 FROM {self.catalogue.quoted[parent]} {inner}"
                f" WHERE {on} AND {self._where(parent, inner, test)})",
            )  # fmt: skip
        column = rule.tenant_path[-1] if rule.tenant_path else rule.tenant_key
        last = f"tenant_path.{len(rule.tenant_path) - 1}" if rule.tenant_path else "tenant_key"
        cell, name = self._cell(here, column, f"{rule.place}.{last}"), f"{alias}.{self.dialect.quote(column)}"
        if not rule.json:
            self._check_form(cell)
            return test(cell, name)
        if not self._column(here, column).type.startswith(self.dialect.forms.json_types):
            raise self._broken(f"{rule.place}.{last}", f"{here}.{column} is of a type that holds no JSON")
        return test(*self.dialect.forms.json(name, rule.json))

    def _by_type(self, refers: Refers, at: tuple[str, str, str], inner: Callable[[str, str, str], str]) -> str:
        """Give the predicate over every type; `at`: the map's place, the place of the reference, its alias."""
        place, here, alias = at
        forms, quote, found = self.dialect.forms, self.dialect.quote, []
        cells = [self._cell(here, name, f"{place}.tenant_path.{part}")
                 for part, name in (("type", refers.type), ("id", refers.id))]  # fmt: skip
        for number, (kind, parent) in enumerate(refers.to.items()):
            key = self._only_key(place, parent)
            other = f"{alias}_t{number}"
            ours = f"{alias}.{quote(refers.id)}", self._column(here, refers.id).type
            theirs = f"{other}.{quote(key)}", self._column(parent, key).type
            on = forms.same(ours, theirs, (cells[1], self._cell(parent, key, f"{place}.tenant_path.to")))
            said = forms.is_type(cells[0], f"{alias}.{quote(refers.type)}", kind)
            found.append(f"{said} AND {inner(parent, other, on)}")
        return f"({' OR '.join(found)})"

    def _only_key(self, place: str, parent: str) -> str:
        known = parent in self.catalogue.quoted
        keys = self.catalogue.inventory.place(parent).primary_key if known else ()
        if len(keys) != 1:
            what = f"{parent} has no key of one column that an id could name"
            raise self._broken(f"{place}.tenant_path.to", what)
        return keys[0]

    def _column(self, place: str, name: str) -> Column:
        return next(column for column in self.catalogue.inventory.place(place).columns if column.name == name)

    def _cell(self, place: str, column: str, where: str) -> Cell:
        try:
            cell = self.catalogue.cells[place][column]
        except KeyError:
            what = f"{place} has no column {column} of a type that a tenant can be found by"
            raise self._broken(where, what) from None
        return cell

    def _check_form(self, cell: Cell) -> None:
        if cell.form and not re.fullmatch(cell.form, self.tenant, re.ASCII):
            raise tenant_invalid(self.system.name, "does not fit the type of its column")

    def _path(self, rule: Rule, alias: str, test: _Test) -> str:
        quote = self.dialect.quote
        here, joins, first = rule.place, [], ""
        for position in range(len(rule.tenant_path) - 1):
            key = self._follow(rule, position, here)
            mine, parent = (alias if position == 0 else f"{alias}_{position}"), f"{alias}_{position + 1}"
            on = " AND ".join(
                f"{parent}.{quote(theirs)} = {mine}.{quote(ours)}"
                for ours, theirs in zip(key.columns, key.parent_columns, strict=True)
            )
            table = f"{self.catalogue.quoted[key.parent]} {parent}"
            first = on if position == 0 else first
            joins.append(table if position == 0 else f"JOIN {table} ON {on}")
            here = key.parent
        found = self._end(rule, here, f"{alias}_{len(rule.tenant_path) - 1}", test)
        return f"EXISTS (SELECT 1 FROM {' '.join(joins)} WHERE {first} AND {found})"

    def _inside(self, rule: Rule, position: int, here: str, alias: str) -> str:
        """Follow the path from `position` on as nested lists of keys."""
        if position == len(rule.tenant_path) - 1:
            return self._ours(rule, here, alias)
        key, inner = self._follow(rule, position, here), f"g{position + 1}"
        ours = ", ".join(f"{alias}.{self.dialect.quote(name)}" for name in key.columns)
        theirs = ", ".join(f"{inner}.{self.dialect.quote(name)}" for name in key.parent_columns)
        held = self._inside(rule, position + 1, key.parent, inner)
        return f"({ours}) IN (SELECT {theirs} FROM {self.catalogue.quoted[key.parent]} {inner} WHERE {held})"

    def _ours(self, rule: Rule, here: str, alias: str) -> str:
        if rule.refers is None:
            return self._end(rule, here, alias, lambda cell, column: cell.owner(column))
        return self._by_type(
            rule.refers, (rule.place, here, alias),
            lambda parent, inner, on: f"(SELECT count(*) FROM {self.catalogue.quoted[parent]} {inner}"
            f" WHERE {on} AND {self.guard(parent, inner)}) = 1",
        )  # fmt: skip

    def _follow(self, rule: Rule, position: int, here: str) -> ForeignKey:
        column = rule.tenant_path[position]
        keys = [key for key in self.catalogue.inventory.place(here).foreign_keys if column in key.columns]
        alone = [key for key in keys if key.columns == (column,)] or keys
        if len(alone) != 1 or alone[0].parent not in self.catalogue.quoted:
            what = "no foreign key" if not alone else "several foreign keys"
            raise self._broken(f"{rule.place}.tenant_path.{position}", f"{here}.{column} has {what} to follow")
        return alone[0]

    def _broken(self, where: str, what: str) -> Rejected:
        return Rejected(
            "TENANT_PATH_BROKEN",
            f"{self.system.name}: {what}",
            field=f"systems.{self.system.name}.places.{where}",
            remedy="name foreign-key columns that lead to the tenant key, and the key itself last",
            da=f"{self.system.title}: vejen til lejerens nøgle er brudt.",
        )


_Test = Callable[[Cell, str], str]


def tenant_invalid(system: str, what: str) -> Rejected:
    """Make TENANT_INVALID: the tenant's value cannot be one of this system's."""
    return Rejected(
        "TENANT_INVALID",
        f"{system}: a value {what}",
        field=f"systems.{system}.tenant",
        remedy="give the tenant the value that the tenant key has in this system",
        da=f"Lejerens værdi passer ikke til nøglens type i {system}.",
    )

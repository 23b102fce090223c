"""Whose row is it: the SQL that finds one tenant's rows of a place, and one row again by its key.

A key is a tuple of texts, so that it travels and is stored the same for every column type; a place without a primary
key is keyed by the row's physical address, which holds only while nobody writes there.
"""

# ruff: noqa: S608 — identifiers come quoted from the live catalogue, values are always parameters

from __future__ import annotations

from dataclasses import dataclass

from contracts.errors import Rejected
from contracts.system_map import Rule, System
from shared.connectors.protocol import ForeignKey
from shared.connectors.sql.catalogue import Catalogue, quote

_ADDRESS = (("tableoid", "oid"), ("ctid", "tid"))


@dataclass(frozen=True, slots=True)
class Tenancy:
    """Predicates over one system's live catalogue; `:tenant` is the one parameter they need."""

    system: System
    catalogue: Catalogue

    def owner(self, place: str, alias: str = "t0") -> str:
        """Give the predicate that holds exactly for the tenant's rows of `place` (`true` for a shared place)."""
        rule = self.system.rule(place)
        if rule is None or not rule.owned:
            return "true"
        if rule.tenant_key:
            return self._equals(place, rule.tenant_key, alias, f"{place}.tenant_key")
        return self._path(rule, alias)

    def pinned(self) -> dict[str, set[str]]:
        """List per place the columns that tenants are found by, also those that other places' paths pass through."""
        columns: dict[str, set[str]] = {name: set() for name in self.catalogue.quoted}
        for name in self.system.owned():
            rule, here = self.system.rules[name], name
            columns.setdefault(name, set()).update([rule.tenant_key] if rule.tenant_key else [])
            for position in range(len(rule.tenant_path) - 1):
                key = self._follow(rule, position, here)
                columns[here].update(key.columns)
                here = key.parent
            columns[here].update(rule.tenant_path[-1:])
        return columns

    def key_columns(self, place: str) -> tuple[tuple[str, str], ...]:
        """Give (column, SQL type) of what one row is named by."""
        live = self.catalogue.inventory.place(place)
        if not live.primary_key:
            return _ADDRESS
        return tuple((name, self.catalogue.type_of(place, name)) for name in live.primary_key)

    def among(self, place: str, alias: str = "t0") -> str:
        """Give the predicate for the rows whose keys are in the text arrays `:k0`, `:k1`, …"""
        columns = self.key_columns(place)
        mine = ", ".join(f"{alias}.{quote(name)}" for name, _ in columns)
        arrays = ", ".join(f"CAST(:k{position} AS text[])" for position in range(len(columns)))
        names = ", ".join(f"v{position}" for position in range(len(columns)))
        cast = ", ".join(f"CAST(k.v{position} AS {kind})" for position, (_, kind) in enumerate(columns))
        return f"({mine}) IN (SELECT {cast} FROM unnest({arrays}) AS k({names}))"

    def _equals(self, place: str, column: str, alias: str, where: str) -> str:
        try:
            kind = self.catalogue.type_of(place, column)
        except KeyError:
            raise self._broken(where, f"{place} has no column {column}") from None
        return f"{alias}.{quote(column)} = CAST(CAST(:tenant AS text) AS {kind})"

    def _path(self, rule: Rule, alias: str) -> str:
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
        last = len(rule.tenant_path) - 1
        owner = self._equals(here, rule.tenant_path[-1], f"{alias}_{last}", f"{rule.place}.tenant_path.{last}")
        return f"EXISTS (SELECT 1 FROM {' '.join(joins)} WHERE {first} AND {owner})"

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

"""PostgreSQL's live catalogue as an inventory: every relation that holds rows, in every schema.

Partitions and inheriting tables belong to their root; a new one changes the root's fingerprint. Large objects are a
place of their own as soon as there is one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from shared.connectors.protocol import Column, ForeignKey, LivePlace
from shared.connectors.sql.dialect import UNSEEN, Catalogue, Cell, digest, inventory, quote

LARGE_OBJECTS = "pg_largeobject"
_KINDS = {"r": "table", "p": "table", "m": "matview", "f": "foreign"}
_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}

_RELATIONS = """
SELECT c.oid, n.nspname, c.relname, CAST(c.relkind AS text),
       (SELECT min(i.inhparent) FROM pg_inherits i WHERE i.inhrelid = c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname !~ '^pg_(toast|temp)' ORDER BY 2, 3"""
_COLUMNS = """
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, a.attgenerated <> '',
       coalesce(NOT l.collisdeterministic, false)
FROM pg_attribute a LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE a.attrelid = ANY(:oids) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, a.attnum"""
_CONSTRAINTS = """
SELECT c.conrelid, CAST(c.contype AS text), c.confrelid, CAST(c.confdeltype AS text), c.condeferrable,
       ARRAY(SELECT CAST(a.attname AS text) FROM unnest(c.conkey) WITH ORDINALITY k(n, i)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.i),
       ARRAY(SELECT CAST(a.attname AS text) FROM unnest(c.confkey) WITH ORDINALITY k(n, i)
             JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.i),
       pg_get_constraintdef(c.oid)
FROM pg_constraint c WHERE c.conrelid = ANY(:oids) AND c.conparentid = 0 ORDER BY c.conrelid, c.conname"""
_BEHAVIOUR = """
SELECT tgrelid, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = ANY(:oids) AND NOT tgisinternal
UNION ALL SELECT ev_class, pg_get_ruledef(oid) FROM pg_rewrite
  WHERE ev_class = ANY(:oids)
UNION ALL SELECT polrelid, CAST(polname AS text) || CAST(polcmd AS text) || coalesce(pg_get_expr(polqual, polrelid), '')
  FROM pg_policy WHERE polrelid = ANY(:oids)
ORDER BY 1, 2"""
_READS = """
WITH RECURSIVE reads AS (
  SELECT DISTINCT r.ev_class AS view,
    CASE WHEN d.refclassid = CAST('pg_class' AS regclass) THEN d.refobjid END AS relation
  FROM pg_rewrite r JOIN pg_depend d ON d.classid = CAST('pg_rewrite' AS regclass) AND d.objid = r.oid
  WHERE d.refclassid IN (CAST('pg_class' AS regclass), CAST('pg_proc' AS regclass)) AND d.refobjid <> r.ev_class),
found AS (
  SELECT reads.* FROM reads JOIN pg_class c ON c.oid = reads.view AND c.relkind = 'm'
  UNION SELECT found.view, reads.relation FROM found
  JOIN reads ON reads.view = found.relation JOIN pg_class c ON c.oid = found.relation AND c.relkind = 'v')
SELECT found.view, found.relation FROM found LEFT JOIN pg_class c ON c.oid = found.relation
WHERE c.relkind IS DISTINCT FROM 'v'"""


def read(connection: Connection, system: str) -> Catalogue:
    """Read the whole catalogue that this connection sees."""
    relations = list(connection.execute(text(_RELATIONS)))
    roots = _roots({oid: parent for oid, _, _, _, parent in relations})
    names = {oid: _name(schema, relation) for oid, schema, relation, _, _ in relations}
    details = _Details(connection, [row[0] for row in relations], roots, names)
    members = defaultdict(list)
    for oid in names:
        if roots[oid] != oid:
            members[roots[oid]].append(oid)
    places = [
        details.place(oid, kind, sorted(members[oid], key=lambda member: names[member]))
        for oid, _, _, kind, _ in relations
        if roots[oid] == oid
    ]
    quoted = {_name(schema, name): f"{quote(schema)}.{quote(name)}" for _, schema, name, _, _ in relations}
    if connection.execute(text("SELECT EXISTS (SELECT 1 FROM pg_largeobject_metadata)")).scalar():
        places.append(LivePlace(LARGE_OBJECTS, fingerprint=digest([LARGE_OBJECTS]), kind="foreign"))
        quoted[LARGE_OBJECTS] = '"pg_catalog"."pg_largeobject_metadata"'
    cells = {names[oid]: {row[0]: _cell(row[1], row[4]) for row in details.columns[oid]} for oid in names}
    keys = {
        place.name: tuple((quote(name), cells[place.name][name]) for name in place.primary_key) or _ADDRESS
        for place in places
    }
    ids = {oid: names[roots[oid]] for oid in names}
    reads = defaultdict(set)
    for view, relation in connection.execute(text(_READS)):
        reads[ids.get(view, "")].add(UNSEEN if relation is None else ids.get(relation, ""))
    derived = {view: frozenset(places) for view, places in reads.items()}
    return Catalogue(inventory(system, places), quoted, cells, keys, ids=ids, reads=derived)


def _cell(kind: str, loose: bool = False) -> Cell:
    """Let the engine cast; a type or collation that takes different texts for one is compared as bytes too."""
    back = f"CAST({{}} AS {kind})"
    exact = 'CAST({} AS text) COLLATE "C" = CAST(:tenant AS text)' if loose or kind.endswith("citext") else ""
    return Cell("CAST({} AS text)", back, f"{{}} = {back.replace('{}', 'CAST(:tenant AS text)')}", exact)


_ADDRESS = (("tableoid", _cell("oid")), ("ctid", _cell("tid")))


class _Details:
    """Columns, keys and behaviour of all relations, read with one query each."""

    def __init__(
        self, connection: Connection, oids: Sequence[int], roots: dict[int, int], names: dict[int, str]
    ) -> None:
        self.roots, self.names = roots, names
        self.columns = _grouped(connection, _COLUMNS, oids)
        self.constraints = _grouped(connection, _CONSTRAINTS, oids)
        self.behaviour = _grouped(connection, _BEHAVIOUR, oids)

    def place(self, oid: int, kind: str, members: Sequence[int]) -> LivePlace:
        keys = [row for row in self.constraints[oid] if row[0] == "p"]
        lines = [line for each in (oid, *members) for line in self._lines(each)]
        return LivePlace(
            name=self.names[oid],
            columns=tuple(Column(*row[:4]) for row in self.columns[oid]),
            primary_key=tuple(keys[0][4]) if keys else (),
            foreign_keys=tuple(self._foreign(row) for row in self.constraints[oid] if row[0] == "f"),
            fingerprint=digest([kind, *lines]),
            kind=_KINDS[kind],
        )

    def _foreign(self, row: Sequence[Any]) -> ForeignKey:
        _, parent, action, deferrable, columns, parent_columns, _ = row
        name = self.names.get(self.roots.get(parent, parent), "?")
        return ForeignKey(tuple(columns), name, tuple(parent_columns), _ACTIONS[action], deferrable)

    def _lines(self, oid: int) -> list[str]:
        columns = [f"{name} {kind} {nullable}" for name, kind, nullable, *_ in self.columns[oid]]
        constraints = [f"{row[0]} {row[6]}" for row in self.constraints[oid]]
        return [self.names[oid], *columns, *constraints, *(row[0] for row in self.behaviour[oid])]


def _grouped(connection: Connection, query: str, oids: Sequence[int]) -> defaultdict[int, list[tuple[Any, ...]]]:
    found = defaultdict(list)
    for oid, *rest in connection.execute(text(query), {"oids": list(oids)}):
        found[oid].append(tuple(rest))
    return found


def _roots(parents: dict[int, int | None]) -> dict[int, int]:
    def root(oid: int) -> int:
        parent = parents.get(oid)
        return oid if parent is None or parent not in parents else root(parent)

    return {oid: root(oid) for oid in parents}


def _name(schema: str, relation: str) -> str:
    return relation if schema == "public" and "." not in relation else f"{schema}.{relation}"

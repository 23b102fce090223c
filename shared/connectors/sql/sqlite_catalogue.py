"""SQLite's live schema as an inventory: every table of the file; names are compared as the engine does, without case.

A row is named by its rowid where the table has one: a declared key may hold NULL and values of any type. A table
WITHOUT ROWID is keyed by its columns as SQL literals. Tables that belong to a virtual table are not places.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, text

from shared.connectors.protocol import Column, ForeignKey, LivePlace
from shared.connectors.sql.dialect import NO_KEY, Catalogue, Cell, Refusal, digest, inventory, quote

Row = tuple[Any, ...]

_TABLES = "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')"
_COLUMNS = """SELECT name, type, "notnull" = 0 AND pk = 0, pk, hidden IN (2, 3) FROM pragma_table_xinfo(:name)
WHERE hidden <> 1 ORDER BY cid"""
_REFERENCES = """SELECT id, "table", "from", "to", on_delete FROM pragma_foreign_key_list(:name) ORDER BY id, seq"""
_BEHAVIOUR = """SELECT sql FROM sqlite_schema WHERE tbl_name = :name COLLATE NOCASE AND sql IS NOT NULL
ORDER BY type, name"""
VIRTUAL = Refusal(
    "PLACE_NOT_DELETABLE",
    "a virtual table keeps its rows in ways that the engine does not count",
    "exclude it, or build it anew without the customer",
)
_NUMBER = "iif(:tenant <> '' AND :tenant NOT GLOB '*[^0-9]*', CAST(:tenant AS INTEGER), NULL)"
TENANT = Cell(
    "CAST({} AS TEXT)",
    "{}",
    same=f"{{}} IN (:tenant, {_NUMBER})",
    exact="CAST({} AS TEXT) = :tenant COLLATE BINARY",
    also="typeof({}) IN ('blob', 'real') AND CAST({} AS TEXT) IN (:tenant, :tenant || '.0')",
)
ROW_NUMBER = Cell("CAST({} AS TEXT)", "CAST({} AS INTEGER)", "")
LITERAL = Cell("quote({})", "{}", "", mine="quote({})")


def read(connection: Connection, system: str) -> Catalogue:
    """Read the file's whole schema."""
    tables = sorted(tuple(row) for row in connection.execute(text(_TABLES)) if not row[0].startswith("sqlite_"))
    columns = {name: _rows(connection, _COLUMNS, name) for name, _, _ in tables}
    known = {name.lower(): name for name, _, _ in tables}
    places, cells, keys, refusals = [], {}, {}, {}
    for name, kind, without_rowid in tables:
        own = sorted((row for row in columns[name] if row[3]), key=lambda row: row[3])
        places.append(
            LivePlace(
                name=name,
                columns=tuple(Column(row[0], row[1].lower(), bool(row[2]), bool(row[4])) for row in columns[name]),
                primary_key=tuple(row[0] for row in own),
                foreign_keys=tuple(_references(connection, name, known, columns)),
                fingerprint=digest(row[0] for row in _rows(connection, _BEHAVIOUR, name)),
                kind=kind,
            )
        )
        cells[name] = {row[0]: TENANT for row in columns[name]}
        keys[name] = _keys(columns[name], own, bool(without_rowid))
        if not keys[name]:
            refusals[name] = NO_KEY
        if kind == "virtual":
            refusals[name] = VIRTUAL
    quoted = {name: f'"main".{quote(name)}' for name, _, _ in tables}
    return Catalogue(inventory(system, places), quoted, cells, keys, refusals)


def _keys(columns: list[Row], own: list[Row], without_rowid: bool) -> tuple[tuple[str, Cell], ...]:
    """Give what names a row: its rowid under a name that no column has taken; none where all are taken."""
    if without_rowid:
        return tuple((quote(row[0]), LITERAL) for row in own)
    if [row[1].upper() for row in own] == ["INTEGER"]:
        return ((quote(own[0][0]), ROW_NUMBER),)
    taken = {row[0].lower() for row in columns}
    return tuple((name, ROW_NUMBER) for name in ("rowid", "_rowid_", "oid") if name not in taken)[:1]


def _references(
    connection: Connection, name: str, known: dict[str, str], columns: dict[str, list[Row]]
) -> list[ForeignKey]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in _rows(connection, _REFERENCES, name):
        found[row[0]].append(row)
    references = []
    for rows in found.values():
        parent = known.get(rows[0][1].lower(), "?")
        own = sorted((row for row in columns.get(parent, ()) if row[3]), key=lambda row: row[3])
        theirs = tuple(row[0] for row in own)
        if rows[0][3]:  # else the parent's primary key is meant
            theirs = tuple(_spelled(row[3], columns.get(parent, [])) for row in rows)
        ours = tuple(_spelled(row[2], columns[name]) for row in rows)
        references.append(ForeignKey(ours, parent, theirs, rows[0][4], deferrable=True))
    return references


def _spelled(name: str, columns: list[Row]) -> str:
    return next((row[0] for row in columns if row[0].lower() == name.lower()), name)


def _rows(connection: Connection, query: str, name: str) -> list[Row]:
    return [tuple(row) for row in connection.execute(text(query), {"name": name})]

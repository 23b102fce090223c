"""MariaDB's live catalogue as an inventory: every table of the one database, partitions with their table.

The engine shows a table only to who has a right on it, so an inventory that may not be whole is refused. Triggers are
shown only to who may make them: they are not in the fingerprint, the counting of effects meets them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from contracts.errors import Rejected
from shared.connectors.protocol import Column, ForeignKey, LivePlace
from shared.connectors.sql import mariadb_access
from shared.connectors.sql.dialect import NO_KEY, Catalogue, Cell, Refusal, digest, inventory

Row = tuple[Any, ...]

_TABLES = """
SELECT TABLE_NAME, TABLE_TYPE, ENGINE, CREATE_OPTIONS LIKE '%partitioned%' FROM information_schema.TABLES
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')"""
_COLUMNS = """
SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE = 'YES', IS_GENERATED = 'ALWAYS', CHARACTER_SET_NAME,
       COLLATION_NAME
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION"""
_UNIQUE = """
SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, NULLABLE = 'YES' FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = DATABASE() AND NON_UNIQUE = 0
ORDER BY TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX"""
_NAME = r"`(?:[^`]|``)+`"
_FOREIGN = re.compile(
    rf"^  CONSTRAINT {_NAME} FOREIGN KEY \((?P<ours>(?:{_NAME}(?:, )?)+)\)"
    rf" REFERENCES (?P<base>{_NAME}\.)?(?P<parent>{_NAME}) \((?P<theirs>(?:{_NAME}(?:, )?)+)\)"
    r"(?: ON DELETE (?P<action>[A-Z ]+?))?(?: ON UPDATE [A-Z ]+?)?,?$",
    re.MULTILINE,
)

NOT_TRANSACTIONAL = Refusal(
    "NOT_TRANSACTIONAL",
    "its storage engine cannot take a change back",
    "turn it into InnoDB (ALTER TABLE … ENGINE = InnoDB)",
)
HISTORY_KEPT = Refusal(
    "HISTORY_KEPT",
    "a system-versioned table keeps the rows that are deleted",
    "drop its system versioning (ALTER TABLE … DROP SYSTEM VERSIONING), which drops the history too",
)
_WHOLE = {"int", "bigint", "smallint", "mediumint", "tinyint", "year"}
_TEXT = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"}
_BYTES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
_TIMES = {"date": "DATE", "datetime": "DATETIME(6)", "timestamp": "DATETIME(6)", "time": "TIME(6)"}


def quote(name: str) -> str:
    """Quote an identifier for `sqlalchemy.text`."""
    doubled = name.replace("`", "``").replace(":", "\\:")
    return f"`{doubled}`"


def read(connection: Connection, system: str) -> Catalogue:
    """Read the database's whole catalogue."""
    _need_whole(connection, system)
    found = [_grouped(connection, query) for query in (_COLUMNS, _UNIQUE)]
    places, quoted, cells, keys, refusals = [], {}, {}, {}, {}
    for name, kind, engine, partitioned in sorted(tuple(row) for row in connection.execute(text(_TABLES))):
        columns, unique = (each[name] for each in found)
        place = _place(name, "partitioned" if partitioned else "table", (columns, unique), _statement(connection, name))
        places.append(place)
        quoted[name] = quote(name)
        cells[name] = {row[0]: cell for row in columns if (cell := _cell(row[1], row[4], row[5]))}
        keys[name] = tuple((quote(key), cells[name][key]) for key in place.primary_key if key in cells[name])
        if refusal := _refusal(kind, engine, len(keys[name]), len(place.primary_key)):
            refusals[name] = refusal
    return Catalogue(inventory(system, places), quoted, cells, keys, refusals)


def _need_whole(connection: Connection, system: str) -> None:
    database = str(connection.execute(text("SELECT DATABASE()")).scalar_one())
    if not any(grant.whole and grant.has("SELECT") for grant in mariadb_access.own(connection, database)):
        raise Rejected(
            "INVENTORY_NOT_WHOLE",
            f"{system} shows these credentials only the tables that they have a right on",
            field=f"systems.{system}.credentials",
            remedy="grant SELECT on the whole database (GRANT SELECT ON `…`.* TO …)",
            da=f"{system}: brugeren kan ikke se alle tabeller.",
        )


def _statement(connection: Connection, name: str) -> str:
    """Give the statement that would make the table: the one place where a reader is shown its references."""
    made = connection.execute(text(f"SHOW CREATE TABLE {quote(name)}")).one()[1]
    return re.sub(r" AUTO_INCREMENT=\d+", "", str(made))


def _place(name: str, kind: str, found: Sequence[Sequence[Row]], statement: str) -> LivePlace:
    columns, unique = found
    return LivePlace(
        name=name,
        columns=tuple(Column(row[0], _type(row[1]), bool(row[2]), bool(row[3])) for row in columns),
        primary_key=_key(unique),
        foreign_keys=tuple(_reference(found) for found in _FOREIGN.finditer(statement)),
        fingerprint=digest([statement]),
        kind=kind,
    )


def _key(unique: Sequence[Row]) -> tuple[str, ...]:
    """Give the primary key, else the first unique key over columns that are never NULL."""
    indexes: dict[str, list[Row]] = defaultdict(list)
    for row in unique:
        indexes[row[0]].append(row)
    for rows in indexes.values():
        if not any(nullable for _, _, nullable in rows):
            return tuple(column for _, column, _ in rows)
    return ()


def _reference(found: re.Match[str]) -> ForeignKey:
    """Read one reference; a parent in another database is none of the places."""
    ours, theirs = (_names(found[part]) for part in ("ours", "theirs"))
    parent = "?" if found["base"] else _names(found["parent"])[0]
    return ForeignKey(ours, parent, theirs, found["action"] or "NO ACTION")


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name[1:-1].replace("``", "`") for name in re.findall(_NAME, listed))


def _refusal(kind: str, engine: str | None, usable: int, needed: int) -> Refusal | None:
    if engine != "InnoDB":
        return NOT_TRANSACTIONAL
    if kind == "SYSTEM VERSIONED":
        return HISTORY_KEPT
    return NO_KEY if not needed or usable < needed else None


def _type(native: str) -> str:
    """Drop what says nothing of an integer's values."""
    return re.sub(r"^(\w*int|year)(\(\d+\))?( unsigned)?( zerofill)?$", r"\1", native)


def _cell(native: str, charset: str | None, collation: str | None) -> Cell | None:
    """Say how values of a type travel; None where text is not exact (floating point, bit, geometry, …)."""
    kind = re.split(r"[ (]", native, maxsplit=1)[0]
    if kind in _WHOLE:
        sign = "UNSIGNED" if "unsigned" in native or kind == "year" else "SIGNED"
        return _cast(sign, r"-?[0-9]{1,18}" if sign == "SIGNED" else r"[0-9]{1,18}")
    if kind == "decimal":
        return _cast(native.split(")")[0].upper() + ")", r"-?[0-9]{1,38}(\.[0-9]+)?")
    if kind in _TEXT:
        return _text(charset, collation)
    if kind in _BYTES:
        return Cell("HEX({})", "UNHEX({})", "{} = UNHEX(REPLACE(:tenant, '-', ''))", form="[0-9A-Fa-f-]+")
    if kind == "uuid":
        return _cast("UUID", "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
    return _cast(_TIMES[kind], "[0-9][0-9 :.-]*") if kind in _TIMES else None


def _cast(kind: str, form: str) -> Cell:
    return Cell("CAST({} AS CHAR)", f"CAST({{}} AS {kind})", f"{{}} = CAST(:tenant AS {kind})", form=form)


def _text(charset: str | None, collation: str | None) -> Cell:
    """Compare under the column's collation, which an index serves, and as characters, blanks at the end included."""
    back = f"CONVERT({{}} USING {charset}) COLLATE {collation}"
    bytewise = "CONVERT({} USING utf8mb4) COLLATE utf8mb4_nopad_bin"
    exact = f"{bytewise} = {bytewise.replace('{}', ':tenant')}"
    return Cell("CONVERT({} USING utf8mb4)", back, f"{{}} = {back.replace('{}', ':tenant')}", exact)


def _grouped(connection: Connection, query: str) -> defaultdict[str, list[Row]]:
    found = defaultdict(list)
    for name, *rest in connection.execute(text(query)):
        found[name].append(tuple(rest))
    return found

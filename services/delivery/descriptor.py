"""What describes the data: specification, Data Package descriptor, counts and the Danish data dictionary.

Pure: values in, values out. A *place specification* is a plain dict, because it is stored, delivered and digested:
`{system, place, disposition, open, fields: [{name, type, format?, native, required, example}], primaryKey,
foreignKeys}`; `open` = the store has no fixed schema (documents), so more fields may come with the data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from contracts.errors import Rejected
from services.delivery.tables import field_type, file_name
from shared.connectors.protocol import Column, LivePlace

Specification = dict[str, Any]
_EXAMPLES = {
    "integer": "1",
    "number": "12.5",
    "boolean": "true",
    "date": "2026-01-31",
    "datetime": "2026-01-31T13:00:00Z",
    "time": "13:00:00",
    "string": "eksempel",
}
_FORMAT_EXAMPLES = {"uuid": "00000000-0000-4000-8000-000000000000", "binary": "b3Bow7hy"}
_LETTERS = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "ö": "oe", "ä": "ae", "ü": "u", "é": "e"})


@dataclass(frozen=True, slots=True)
class Table:
    """One delivered CSV file: its place's specification, actual columns, path in the payload, bytes, SHA-256, rows."""

    specification: Specification
    columns: tuple[str, ...]
    path: str
    size: int
    sha256: str
    rows: int

    @property
    def name(self) -> str:
        """Give the resource's name."""
        return resource_name(self.specification["system"], self.specification["place"])


def specify(system: str, disposition: str, live: LivePlace, *, open_schema: bool) -> Specification:
    """Describe one place of the live schema."""
    return {
        "system": system,
        "place": live.name,
        "disposition": disposition,
        "open": open_schema,
        "fields": [_field(column) for column in live.columns],
        "primaryKey": list(live.primary_key),
        "foreignKeys": [
            {"fields": list(key.columns), "place": key.parent, "reference": list(key.parent_columns)}
            for key in live.foreign_keys
        ],
    }


def _field(column: Column) -> dict[str, Any]:
    described = field_type(column.type)
    example = _FORMAT_EXAMPLES.get(described.get("format", ""), _EXAMPLES[described["type"]])
    return {
        "name": column.name,
        **described,
        "native": column.type,
        "required": not column.nullable,
        "example": '{"eksempel": 1}' if "ophor:content" in described else example,
    }


def write_specification(exit_id: str, titles: Mapping[str, str], places: Iterable[Specification]) -> str:
    """Write the data specification as JSON text; the same schema gives the same text, so its digest can be approved."""
    body = {
        "specification": "data",
        "version": 1,
        "exit_id": exit_id,
        "format": "CSV, UTF-8, RFC 4180; NULL: empty field without quotes; ISO 8601 dates; nested values: JSON text",
        "systems": [{"system": name, "title": titles[name]} for name in sorted(titles)],
        "places": sorted(places, key=lambda place: (place["system"], place["place"])),
    }
    return json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def check_against(approved: Sequence[Specification], live: Sequence[Specification]) -> None:
    """Raise Rejected SPECIFICATION_OUTDATED where the live schema is not the specified one any more.

    Fields of open places may come and go; everything else is what the customer approved (B12).
    """
    before = {(place["system"], place["place"]): place for place in approved}
    now = {(place["system"], place["place"]): place for place in live}
    for key in sorted(before.keys() | now.keys()):
        if key not in before or key not in now or not _same(before[key], now[key]):
            raise Rejected(
                "SPECIFICATION_OUTDATED",
                "the live schema of this place is not the specified one",
                field=".".join(key),
                remedy="let the customer submit the data needs again (a new specification), then replay the task",
                da="Systemets opbygning svarer ikke længere til den godkendte dataspecifikation.",
            )


def _same(before: Specification, now: Specification) -> bool:
    return (before["open"] and now["open"]) or before["fields"] == now["fields"]


def resource_name(system: str, place: str) -> str:
    """Give a Data Package resource name (lower case, `a-z0-9._-`)."""
    plain = f"{system}.{place}".lower().translate(_LETTERS)
    return re.sub(r"[^a-z0-9._-]+", "-", plain).strip("-")


def table_path(system: str, place: str) -> str:
    """Give a table's path in the payload."""
    return f"tables/{file_name(system)}/{file_name(place)}.csv"


def data_package(package_id: str, title: str, day: date, tables: Sequence[Table]) -> dict[str, Any]:
    """Describe the tables as a Data Package (version 2), keys and references included."""
    names = {(table.specification["system"], table.specification["place"]): table for table in tables}
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": re.sub(r"[^a-z0-9._-]+", "-", package_id.lower()),
        "id": package_id,
        "title": title,
        "created": f"{day.isoformat()}T00:00:00Z",
        "resources": [_resource(table, names) for table in tables],
    }


def _resource(table: Table, names: Mapping[tuple[str, str], Table]) -> dict[str, Any]:
    return {
        "name": table.name,
        "title": f"{table.specification['system']}: {table.specification['place']}",
        "type": "table",
        "path": table.path,
        "scheme": "file",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": table.size,
        "hash": f"sha256:{table.sha256}",
        "ophor:rows": table.rows,
        "ophor:disposition": table.specification["disposition"],
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True, "header": True},
        "schema": _schema(table, names),
    }


def _schema(table: Table, names: Mapping[tuple[str, str], Table]) -> dict[str, Any]:
    known = {field["name"]: field for field in table.specification["fields"]}
    schema: dict[str, Any] = {
        "fields": [_described(name, known.get(name)) for name in table.columns],
        "missingValues": [""],
    }
    key = table.specification["primaryKey"]
    if key and set(key) <= set(table.columns):
        schema["primaryKey"] = key
    if references := [found for one in table.specification["foreignKeys"] if (found := _reference(table, one, names))]:
        schema["foreignKeys"] = references
    return schema


def _described(name: str, field: Mapping[str, Any] | None) -> dict[str, Any]:
    if field is None:
        return {"name": name, "type": "string"}
    kept = ("name", "type", "format", "example", "ophor:content")
    described = {part: value for part, value in field.items() if part in kept} | {"ophor:native": field["native"]}
    return described | ({"constraints": {"required": True}} if field["required"] and field["type"] != "string" else {})


def _reference(table: Table, key: Mapping[str, Any], names: Mapping[tuple[str, str], Table]) -> dict[str, Any] | None:
    parent = names.get((table.specification["system"], key["place"]))
    if parent is None or not set(key["fields"]) <= set(table.columns):
        return None
    reference: dict[str, Any] = {"fields": key["reference"]}
    if parent is not table:
        reference["resource"] = parent.name
    return {"fields": key["fields"], "reference": reference}


def counts(exit_id: str, package_id: str, places: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Count what is in the package, place by place."""
    rows = [{name: place[name] for name in ("system", "place", "disposition", "rows")} for place in places]
    return {"exit_id": exit_id, "package_id": package_id, "places": rows, "rows": sum(row["rows"] for row in rows)}


def dictionary(title: str, titles: Mapping[str, str], tables: Sequence[Table]) -> str:
    """Write the data dictionary in Danish (Markdown), one section a table."""
    parts = [
        f"# Dataordbog: {title}\n",
        "Filerne er CSV i UTF-8 (RFC 4180): komma, linjeskift CRLF, datoer som ÅÅÅÅ-MM-DD, decimalpunktum. "
        'Et tomt felt uden anførselstegn er NULL; `""` er en tom tekst. Sammensatte værdier står som JSON-tekst, '
        "binære værdier som base64.\n",
    ]
    for system, name in sorted(titles.items()):
        parts.append(f"## {name}\n")
        parts.extend(_section(table) for table in tables if table.specification["system"] == system)
    return "\n".join(parts)


def _section(table: Table) -> str:
    known = {field["name"]: field for field in table.specification["fields"]}
    primary = table.specification["primaryKey"]
    keys = {column: key["place"] for key in table.specification["foreignKeys"] for column in key["fields"]}
    shared = " Fælles kodetabel, leveret i sin helhed." if table.specification["disposition"] == "shared" else ""
    lines = [
        f"### {table.specification['place']}\n",
        f"Fil: `{table.path}`. Rækker: {table.rows}.{shared}\n",
        "| Felt | Type | I kilden | Udfyldt altid | Nøgle | Henviser til |",
        "|---|---|---|---|---|---|",
        *(_row(name, known.get(name), name in primary, keys.get(name, "")) for name in table.columns),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, field: Mapping[str, Any] | None, key: bool, parent: str) -> str:
    kind, native = (field["type"], field["native"]) if field else ("string", "")
    always = "ja" if field and field["required"] else "nej"
    cells = (name, kind, native, always, "ja" if key else "", parent)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

"""Reading a backup tool's list of sets, JSON or CSV (docs/backups.md): every row checked before any is sent.

Errors name the line (CSV) or the number of the row (JSON) and the field. The same file again changes nothing.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from contracts.deletion_backups import RegisterBackup
from contracts.errors import Rejected
from contracts.registry import check

FIELDS = ("system", "set_id", "taken_on", "expires_on", "kind", "key_id", "made_at", "encrypted_at")
NEEDED = FIELDS[:4]
ROWS_AT_MOST = 100_000


def read(path: Path, exit_id: str) -> list[dict[str, Any]]:
    """Give the rows as `register_backup` takes them; raise Rejected IMPORT_UNREADABLE or IMPORT_INVALID."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, type(error).__name__) from None
    rows = list(_json(path, text) if text.lstrip()[:1] in ("{", "[") else _csv(path, text))
    if len(rows) > ROWS_AT_MOST:
        raise _unreadable(path, f"more than {ROWS_AT_MOST} rows")
    seen: dict[tuple[str, str], int] = {}
    return [_row(path, at, row, exit_id, seen) for at, row in rows]


def _json(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Read {"sets": […]}, a list, or a tool's catalogue (`system` beside `sets`); rows are counted from 1."""
    try:
        body = json.loads(text)
    except ValueError as error:
        raise _unreadable(path, f"not JSON: {error}"[:120]) from None
    system = {"system": body["system"]} if isinstance(body, dict) and "system" in body else {}
    rows = body.get("sets") if isinstance(body, dict) else body
    if not isinstance(rows, list):
        raise _unreadable(path, "there is no list of sets")
    yield from ((at, system | row if isinstance(row, dict) else row) for at, row in enumerate(rows, 1))


def _csv(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise _invalid(path, reader.line_num, "", "another number of columns than the first line")
            yield reader.line_num, {name: value.strip() for name, value in row.items() if value.strip()}
    except csv.Error as error:
        raise _unreadable(path, f"line {reader.line_num}: {error}") from None


def _row(path: Path, at: int, row: Any, exit_id: str, seen: dict[tuple[str, str], int]) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise _invalid(path, at, "", "not a set with fields")
    for name in sorted(row.keys() - set(FIELDS)):
        raise _invalid(path, at, name, "unknown field")
    try:
        loaded = check(RegisterBackup, {**row, "exit_id": exit_id}, "import")
    except Rejected as error:
        raise _invalid(path, at, error.field, "missing or not of its form") from None
    if loaded["expires_on"] < loaded["taken_on"]:
        raise _invalid(path, at, "expires_on", "it expires before it was taken")
    key = (loaded["system"], loaded["set_id"])
    if key in seen:
        raise _invalid(path, at, "set_id", f"the set stands in {seen[key]} already")
    seen[key] = at
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in loaded.items()}


def _invalid(path: Path, at: int, field: str, why: str) -> Rejected:
    return Rejected(
        "IMPORT_INVALID", f"{path.name}, line {at}: {field or 'the row'}: {why}", field=f"{at}.{field}".rstrip("."),
        remedy="correct the line and import the file again; nothing of it was taken in",
        da=f"{path.name}, linje {at}: {field or 'rækken'} er ikke gyldig. Intet er indlæst.",
    )  # fmt: skip


def _unreadable(path: Path, why: str) -> Rejected:
    return Rejected(
        "IMPORT_UNREADABLE", f"{path.name}: {why}", field="FILE", remedy="give a JSON or CSV file (docs/backups.md)",
        da=f"{path.name} kan ikke læses som JSON eller CSV.",
    )  # fmt: skip

"""Tables as text: how a value is written, the CSV file that grows slice by slice, and the types that describe it.

Rules kept here:
1. UTF-8, RFC 4180 (comma, CRLF, doubled quotes), ISO 8601 dates, decimal point, times with an offset in UTC (`Z`).
2. NULL is an empty field without quotes, an empty text is `""`: nothing that the source tells apart is lost.
3. A file is only what its checkpoint says: bytes after `offset` are cut off before more is written, and the bytes
   are on disk (fsync) before the checkpoint that counts them is committed.
4. Nested values (documents, lists) are JSON text; binary values are base64.
"""

from __future__ import annotations

import base64
import json
import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from contracts.errors import Unavailable
from shared.runtime.drops import sync_folder

_QUOTED = re.compile(r'[",\r\n]|^\s|\s$')
_INTEGER = re.compile(r"^(small|big|tiny|medium)?(int(eger)?\d*|serial)$")
_NUMBER = re.compile(r"^(numeric|decimal|real|float|double|number)")


@dataclass(frozen=True, slots=True)
class Written:
    """How far a table's file is trusted: its columns, bytes and rows."""

    columns: tuple[str, ...] = ()
    offset: int = 0
    rows: int = 0


def text(value: Any) -> str | None:
    """Write one value as text; None stays None (NULL)."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, dict | list | tuple | set | frozenset):
        return _nested(value)
    return str(value)


def _number(value: float | Decimal) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("INF" if value > 0 else "-INF")
    return format(value, "f") if isinstance(value, Decimal) else repr(value)


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _nested(value: Any) -> str:
    plain = sorted(value, key=str) if isinstance(value, set | frozenset) else value
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, default=text, separators=(",", ":"))


def line(values: Iterable[Any]) -> bytes:
    """Write one record (rule 1 and 2)."""
    fields = [_field(text(value)) for value in values]
    if fields == [""]:  # a lone NULL would be a blank line, which readers skip
        fields = ['""']
    return (",".join(fields) + "\r\n").encode("utf-8", "surrogateescape")


def _field(value: str | None) -> str:
    if value is None:
        return ""
    if value == "" or _QUOTED.search(value):
        return '"' + value.replace('"', '""') + '"'
    return value


class TableFile:
    """A CSV file that is written in slices and goes on from its last checkpoint."""

    def __init__(self, stem: Path, written: Written) -> None:
        """Open the table at `stem`; a file shorter than its checkpoint counts as lost and starts again."""
        self.stem, self.written = stem, written
        stem.parent.mkdir(parents=True, exist_ok=True)
        if written.columns and not self._whole():
            self.written = Written()

    def _whole(self) -> bool:
        path = self.path
        return path.exists() and path.stat().st_size >= self.written.offset

    @property
    def lost(self) -> bool:
        """Say whether the table has to be read from its first row."""
        return not self.written.columns

    @property
    def path(self) -> Path:
        """Give the file as of the checkpoint: wider rows go to a file of their own, so the narrower stays whole."""
        return self.stem.with_name(f"{self.stem.name}.{len(self.written.columns)}")

    def append(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Written:
        """Add rows whose values stand in the order of `columns`; return the new checkpoint, its bytes on disk."""
        self._widen(columns)
        order = [columns.index(name) if name in columns else None for name in self.written.columns]
        count = 0
        with self.path.open("r+b") as file:
            file.truncate(self.written.offset)
            file.seek(self.written.offset)
            for row in rows:
                file.write(line(None if at is None else row[at] for at in order))
                count += 1
            offset = _settle(file)
        self.written = Written(self.written.columns, offset, self.written.rows + count)
        return self.written

    def _widen(self, columns: Sequence[str]) -> None:
        new = [name for name in columns if name not in self.written.columns]
        if not new and self.written.columns:
            return
        old_path, old, wider = self.path, self.written, (*self.written.columns, *new)
        if not wider:
            raise Unavailable("PLACE_WITHOUT_COLUMNS", "the target gave rows without columns", field=self.stem.name)
        self.written = Written(wider, 0, old.rows)
        with self.path.open("wb") as file:
            file.write(line(wider))
            if old.columns:
                _copy_padded(old_path, old.offset, file, len(new))
            offset = _settle(file)
        sync_folder(self.path.parent)
        self.written = Written(wider, offset, old.rows)


def _settle(file: BinaryIO) -> int:
    file.flush()
    os.fsync(file.fileno())
    return file.tell()


def _copy_padded(source: Path, end: int, target: BinaryIO, width: int) -> None:
    """Copy the records (without the header) up to byte `end`, each with `width` more NULLs."""
    padding, inside, header, position = b"," * width, False, True, 0
    with source.open("rb") as file:
        for raw in file:
            position += len(raw)
            if position > end:
                return
            inside ^= raw.count(b'"') % 2 == 1
            whole = not inside and raw.endswith(b"\r\n")
            if not header:
                target.write(raw[:-2] + padding + b"\r\n" if whole else raw)
            header = header and not whole


def field_type(native: str) -> dict[str, str]:
    """Give the Data Package type (and format) of a source type by its own name."""
    name = native.lower().strip()
    if name.endswith("[]") or name.startswith(("json", "object", "array", "document", "mixed")):
        return {"type": "string", "ophor:content": "application/json"}
    head = (name.split("(")[0].split() or [""])[0]
    if _INTEGER.match(head):
        return {"type": "integer"}
    if _NUMBER.match(head):
        return {"type": "number"}
    return _SIMPLE.get(head, {"type": "string"})


_SIMPLE: dict[str, dict[str, str]] = {
    "bool": {"type": "boolean"},
    "boolean": {"type": "boolean"},
    "date": {"type": "date"},
    "timestamp": {"type": "datetime"},
    "timestamptz": {"type": "datetime"},
    "datetime": {"type": "datetime"},
    "time": {"type": "time"},
    "uuid": {"type": "string", "format": "uuid"},
    "bytea": {"type": "string", "format": "binary"},
    "blob": {"type": "string", "format": "binary"},
    "binary": {"type": "string", "format": "binary"},
}

_NAMED = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|%]|^\.+|[. ]$")


def file_name(name: str) -> str:
    """Give a name that every file system takes, `%XX` for what it would not; long names end in a digest of the rest."""
    safe = _NAMED.sub(lambda found: "".join(f"%{byte:02X}" for byte in found.group().encode()), name)
    raw = safe.encode("utf-8", "surrogateescape")
    if len(raw) <= 120:
        return safe
    return raw[:100].decode("utf-8", "ignore") + "~" + sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]

"""The successor of the demo: opens the package that lies in its drop, checks it, and gives the receipt's digest.

It shares no code with the supplier's side. In this order; the first that does not hold refuses the package:
1. SHA-256 over the encrypted package as it lies in the drop: the receipt.
2. Decryption with the successor's own key (age X25519).
3. Unpacking, into a folder of its own, of a tar that may not reach outside it.
4. The bag (RFC 8493): every payload file listed, every checksum right, nothing unlisted.
5. The Data Package: each resource's bytes, hash and row count, as many fields in every row as the schema names.
6. Keys: primary keys unique, and every foreign key between delivered tables leads to a row.
7. The counts file says the same as the tables.
What was unpacked is removed afterwards; no text names a value.
"""

from __future__ import annotations

import csv
import hashlib
import json
import logging
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bagit
import pyrage

from contracts.errors import Rejected, Unavailable

logging.getLogger("bagit").disabled = True

Line = dict[str, str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was received: the digest over the encrypted package, and what was found inside."""

    package_digest: str
    rows: int
    files: int
    tables: dict[str, int] = field(default_factory=dict)


def receive(package: Path, key_file: Path) -> Receipt:
    """Open and check a package; raise Rejected PACKAGE_REFUSED naming what fails, Unavailable PACKAGE_MISSING."""
    if not package.is_file():
        raise Unavailable("PACKAGE_MISSING", "the drop has no such package", field="package_name",
                          da="Pakken ligger ikke i afleveringsmappen.")  # fmt: skip
    digest = _digest(package)
    with tempfile.TemporaryDirectory(prefix="successor-") as work:
        bag = _unpack(_decrypt(package, key_file, Path(work) / "bag.tar"), Path(work) / "bag")
        files = _check_bag(bag)
        tables = _check_tables(bag / "data")
    return Receipt(digest, sum(tables.values()), files, tables)


def _digest(path: Path) -> str:
    """1. Digest the encrypted package."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _decrypt(package: Path, key_file: Path, plain: Path) -> Path:
    """2. Decrypt with the successor's key."""
    identity = pyrage.x25519.Identity.from_str(key_file.read_text().strip())
    try:
        with package.open("rb") as encrypted, plain.open("wb") as opened:
            pyrage.decrypt_io(encrypted, opened, [identity])
    except (pyrage.DecryptError, OSError):
        raise _refused("decryption", "it is not encrypted to our key, or was changed on its way") from None
    return plain


def _unpack(plain: Path, folder: Path) -> Path:
    """3. Unpack; give the one folder that is in it."""
    try:
        with tarfile.open(plain) as tar:
            for member in tar:
                _take_out(tar, member, folder)
    except (tarfile.TarError, OSError) as error:
        raise _refused("tar", type(error).__name__) from None
    found = [entry for entry in folder.iterdir() if entry.is_dir()]
    if len(found) != 1:
        raise _refused("tar", f"it holds {len(found)} folders instead of one bag")
    return found[0]


def _take_out(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write one entry: a plain file or a folder with a name inside (Debian 12's Python has no extraction filters)."""
    target = (folder / member.name).resolve()
    if not (member.isfile() or member.isdir()) or not target.is_relative_to(folder.resolve()):
        raise _refused("tar", "an entry is no plain file or folder inside it")
    (target if member.isdir() else target.parent).mkdir(parents=True, exist_ok=True)
    if content := tar.extractfile(member):
        with content, target.open("xb") as file:
            shutil.copyfileobj(content, file)


def _check_bag(folder: Path) -> int:
    """4. Validate the bag; give the number of its payload files."""
    try:
        bag = bagit.Bag(str(folder))
        bag.validate(processes=1)
    except bagit.BagError as error:
        raise _refused("bag", type(error).__name__) from None
    return len(bag.payload_entries())


def _check_tables(data: Path) -> dict[str, int]:
    """5.–7. Check the Data Package and the counts; give the rows of each table by resource name."""
    package = json.loads((data / "datapackage.json").read_text())
    resources = {resource["name"]: resource for resource in package["resources"]}
    for name, resource in resources.items():
        _check_file(data / resource["path"], name, resource)
    rows = {name: sum(1 for _ in _lines(data, name, resource)) for name, resource in resources.items()}
    for name, resource in resources.items():
        if rows[name] != resource["ophor:rows"]:
            raise _refused(name, f"{rows[name]} rows instead of {resource['ophor:rows']}")
        _check_primary_key(data, name, resource)
    for name, resource in resources.items():
        for key in resource["schema"].get("foreignKeys", ()):
            _check_foreign_key(data, name, key, resources)
    counted = json.loads((data / "counts.json").read_text())
    if counted["rows"] != sum(rows.values()):
        raise _refused("counts.json", f"{counted['rows']} rows instead of {sum(rows.values())}")
    return rows


def _check_file(path: Path, name: str, resource: dict[str, Any]) -> None:
    if not path.is_file() or path.stat().st_size != resource["bytes"]:
        raise _refused(name, "the file is missing or has another size than the descriptor says")
    if f"sha256:{_digest(path)}" != resource["hash"]:
        raise _refused(name, "the file's hash is not the descriptor's")


def _lines(data: Path, name: str, resource: dict[str, Any]) -> Iterator[Line]:
    names = [each["name"] for each in resource["schema"]["fields"]]
    with (data / resource["path"]).open(encoding="utf-8", newline="") as file, _wide_fields():
        reader = csv.reader(file, strict=True)
        if next(reader, None) != names:
            raise _refused(name, "the header is not the schema's")
        for values in reader:
            if len(values) != len(names):
                raise _refused(name, f"line {reader.line_num} has {len(values)} fields instead of {len(names)}")
            yield dict(zip(names, values, strict=True))


@contextmanager
def _wide_fields() -> Iterator[None]:
    before = csv.field_size_limit(1 << 24)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _values(line: Line, fields: str | list[str]) -> tuple[str, ...]:
    return tuple(line[name] for name in ([fields] if isinstance(fields, str) else fields))


def _check_primary_key(data: Path, name: str, resource: dict[str, Any]) -> None:
    """6a. Refuse a key that stands twice."""
    if key := resource["schema"].get("primaryKey"):
        seen: set[tuple[str, ...]] = set()
        for line in _lines(data, name, resource):
            seen.add(_values(line, key))
        if len(seen) != resource["ophor:rows"]:
            raise _refused(name, "its primary key is not unique")


def _check_foreign_key(data: Path, name: str, key: dict[str, Any], resources: dict[str, Any]) -> None:
    """6b. Refuse a reference that leads nowhere; one with an empty field refers to nothing."""
    parent = key["reference"].get("resource") or name
    there = {_values(line, key["reference"]["fields"]) for line in _lines(data, parent, resources[parent])}
    lost = 0
    for line in _lines(data, name, resources[name]):
        values = _values(line, key["fields"])
        lost += all(values) and values not in there
    if lost:
        raise _refused(name, f"{lost} references to {parent} lead nowhere")


def _refused(field: str, why: str) -> Rejected:
    return Rejected(
        "PACKAGE_REFUSED", f"{field}: {why}", field=field, remedy="deliver the package again",
        da=f"Pakken kan ikke modtages ({field}).",
    )  # fmt: skip

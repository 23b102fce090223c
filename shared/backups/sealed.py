"""Whether a backup set lies open: what anybody can read without a key is not ended by destroying one.

Ciphertext has no known beginning, is no text and does not get smaller when it is compressed. That a file passes does
not prove that it is encrypted; that it fails proves that it is not. A set that cannot be looked into is not taken on
trust: None. Of a set in a bucket every version counts, as the store hands it out: what the store itself encrypts and
decrypts lies open.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from contracts.errors import OphorError
from contracts.system_map import System
from shared.backups.disk import Folder, files

_HEAD = 65_536
_TOO_SHORT = 28  # a nonce of 12 and a tag of 16 bytes: less is no sealed content
_SHRINKS = 0.97
_LARGE = 1_024
_BEGINNINGS = (
    b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00", b"BZh", b"\x04\x22\x4d\x18", b"PK\x03\x04", b"PGDMP",
    b"\x6d\xe2\x99\x81", b"7z\xbc\xaf",
)  # fmt: skip


def lies_open(system: System, set_id: str, purpose: str = "verify") -> bool | None:
    """Tell whether a file of the set can be read without a key; None where the set cannot be looked into."""
    found = None
    try:
        for head in chain(_on_disk(system, set_id), _in_buckets(system, set_id, purpose)):
            if _readable(head):
                return True
            found = False
    except (OphorError, OSError):
        return None
    return found


def _on_disk(system: System, set_id: str) -> Iterator[bytes]:
    for folder in _folders(system):
        for at in (path for path in _top(folder) if folder.id_of(path) == set_id):
            yield from map(_head, files(at))


def _in_buckets(system: System, set_id: str, purpose: str) -> Iterator[bytes]:
    for source in (each for each in system.sources if each.kind == "s3"):
        from shared.backups import objects  # its driver is loaded where a map names a bucket

        yield from objects.opened(system, source, purpose).heads(set_id, _HEAD)


def _folders(system: System) -> list[Folder]:
    told = [Folder(Path(each.folder), each.anchor) for each in system.sources if each.folder and not each.stream]
    return told + ([Folder(Path(system.backups))] if system.backups else [])


def _top(folder: Folder) -> list[Path]:
    try:
        return folder.top()
    except OphorError:
        return []


def _head(path: Path) -> bytes:
    """Give a file's beginning; a link, which anybody can read, has none that could be sealed."""
    if path.is_symlink():
        return b"->"
    with path.open("rb") as body:
        return body.read(_HEAD)


def _readable(head: bytes) -> bool:
    """Tell whether a file's beginning is anything else than noise."""
    if not head:
        return False
    if len(head) < _TOO_SHORT or head.startswith(_BEGINNINGS):
        return True
    try:
        head.decode("utf-8")
        return True
    except UnicodeDecodeError:
        return len(head) >= _LARGE and len(zlib.compress(head, 1)) < len(head) * _SHRINKS

"""Whether a backup set lies open: what anybody can read without a key is not ended by destroying one.

Ciphertext has no known beginning, is no text and does not get smaller when it is compressed. That a file passes does
not prove that it is encrypted; that it fails proves that it is not. A set that cannot be looked into is not taken on
trust: None.
"""

from __future__ import annotations

import zlib
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


def lies_open(system: System, set_id: str) -> bool | None:
    """Tell whether a file of the set can be read without a key; None where the set cannot be looked into."""
    found = [path for folder in _folders(system) for path in _top(folder) if folder.id_of(path) == set_id]
    try:
        inside = [path for at in found for path in files(at)]
        return any(map(_open, inside)) if inside else None
    except (OphorError, OSError):
        return None


def _folders(system: System) -> list[Folder]:
    told = [Folder(Path(each.folder), each.anchor) for each in system.sources if each.folder and not each.stream]
    return told + ([Folder(Path(system.backups))] if system.backups else [])


def _top(folder: Folder) -> list[Path]:
    try:
        return folder.top()
    except OphorError:
        return []


def _open(path: Path) -> bool:
    """Tell whether a file's beginning is anything else than noise."""
    if path.is_symlink():
        return True
    with path.open("rb") as body:
        head = body.read(_HEAD)
    if not head:
        return False
    if len(head) < _TOO_SHORT or head.startswith(_BEGINNINGS):
        return True
    try:
        head.decode("utf-8")
        return True
    except UnicodeDecodeError:
        return len(head) >= _LARGE and len(zlib.compress(head, 1)) < len(head) * _SHRINKS

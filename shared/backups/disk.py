"""Looking into a backup folder: everything below it, hidden or moved aside, or an error.

An empty mount point looks like a folder from which everything is gone. So a file lies in it that says that it is the
folder (`anchor`): without it nothing is said at all.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from shared.backups.model import Set, digest, not_listed, set_id_of
from shared.runtime.clock import legal_date

ANCHOR = "catalogue.json"
_SAMPLE = 65_536


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of sets; `anchor` is the file that tells it from an empty mount point."""

    path: Path
    anchor: str = ANCHOR

    def top(self) -> list[Path]:
        """List what lies in it, without the anchor; raise BACKUPS_NOT_LISTED where it cannot be read or has none."""
        try:
            names = sorted(os.listdir(self.path))
        except OSError as error:
            raise not_listed(self.path.name, type(error).__name__) from None
        if self.anchor not in names:
            raise not_listed(self.path.name, f"{self.anchor} is not in it: it may not be mounted")
        return [self.path / name for name in names if name != self.anchor]

    def id_of(self, path: Path) -> str:
        """Give the id of the set that lies at `path`."""
        return set_id_of(*path.relative_to(self.path).parts)


def folders(top: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Give every folder from `top` down with its files (a link is a file); what cannot be read is an error."""

    def fail(error: OSError) -> None:
        raise not_listed(top.name, type(error).__name__)

    for at, inner, names in os.walk(top, onerror=fail, followlinks=False):
        inner.sort()
        links = [name for name in inner if os.path.islink(os.path.join(at, name))]
        yield Path(at), [Path(at) / name for name in sorted([*names, *links])]


def files(top: Path) -> list[Path]:
    """List every file at or below `top`."""
    if not top.is_dir() or top.is_symlink():
        return [top]
    return [path for _, mine in folders(top) for path in mine]


def mark(path: Path) -> str:
    """Give a digest of a file's size, beginning and end, whatever it is called."""
    try:
        if path.is_symlink():
            return digest(["link", os.readlink(path)])
        size = path.stat().st_size
        with path.open("rb") as body:
            head = body.read(_SAMPLE)
            body.seek(max(size - _SAMPLE, 0))
            told = hashlib.sha256(head + body.read(_SAMPLE)).hexdigest()
    except OSError as error:
        raise not_listed(path.name, type(error).__name__) from None
    return digest([str(size), told])


def content(paths: list[Path]) -> tuple[str, ...]:
    """Give the one digest of all these files, whatever they are called; none where there is no file."""
    return (digest(sorted(map(mark, paths))),) if paths else ()


def below(top: Path) -> Iterator[tuple[str, ...]]:
    """Give the content of every folder and every file below `top`, each on its own; every file is read once."""
    if not top.is_dir() or top.is_symlink():
        return
    marks = {path: mark(path) for path in files(top)}
    inside: dict[Path, list[str]] = {}
    for path, one in marks.items():
        yield (digest([one]),)
        for at in path.parents:
            if at == top:
                break
            inside.setdefault(at, []).append(one)
    for each in inside.values():
        yield (digest(sorted(each)),)


def newest(paths: list[Path]) -> date | None:
    """Give the newest day on which one of the files was written."""
    try:
        times = [path.lstat().st_mtime for path in paths]
    except OSError as error:
        raise not_listed(paths[0].name, type(error).__name__) from None
    return legal_date(datetime.fromtimestamp(max(times), UTC)) if times else None


def unknown(folder: Folder, path: Path) -> Set:
    """Make a set of unknown kind and date of what nobody understood."""
    return Set(folder.id_of(path), "unknown", None, content(files(path)))


def opened(path: Path) -> bytes:
    """Give the first bytes of a file, unpacked where it is packed with gzip."""
    return _packed(path, first=True)


def ended(path: Path) -> bytes:
    """Give the last bytes of a file, unpacked where it is packed with gzip."""
    return _packed(path, first=False)


def _packed(path: Path, *, first: bool) -> bytes:
    try:
        with path.open("rb") as plain:
            zipped = plain.read(2) == b"\x1f\x8b"
            if not zipped:
                plain.seek(0 if first else max(path.stat().st_size - _SAMPLE, 0))
                return plain.read(_SAMPLE)
        with gzip.open(path) as body:
            part = body.read(_SAMPLE)
            while not first and (more := body.read(1 << 20)):
                part = (part + more)[-_SAMPLE:]
            return part
    except (OSError, EOFError) as error:
        raise not_listed(path.name, type(error).__name__) from None

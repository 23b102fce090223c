"""Snapshots of a file system, listed as the folders they appear as: `.zfs/snapshot`, `.snapshots`, rsnapshot's, …

A `pattern` such as `daily-{date}` says the day in a name; what does not fit it is a set of unknown date. A snapshot
that was renamed is known by its folder's place on the disk and by what lies at its top.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from shared.backups.disk import Folder
from shared.backups.model import Listing, Set, digest, not_listed

HOLE = "{date}"
_DAY = r"(?P<year>\d{4})-?(?P<month>\d{2})-?(?P<day>\d{2})"
_SHOWN = 200
_DEEP = 3  # a trash folder has its files at the second level


class Snapshots(Listing):
    """The snapshots in a folder."""

    def __init__(self, folder: Folder, pattern: str) -> None:
        self.folder = folder
        before, _, after = pattern.partition(HOLE)
        self.form = re.compile(_free(before) + _DAY + _free(after))

    def sets(self) -> list[Set]:
        """List every snapshot; one that is named otherwise has no day."""
        return [
            Set(self.folder.id_of(path), "snapshots", self._day(path.name), _same(path)) for path in self.folder.top()
        ]

    def everything(self) -> list[Set]:
        """List the snapshots, and the folders a few levels below what is named otherwise: one may be moved aside."""
        odd = [path for path in self.folder.top() if self._day(path.name) is None]
        return self.sets() + [Set("", "snapshots", None, _same(at)) for path in odd for at in _inside(path, _DEEP)]

    def _day(self, name: str) -> date | None:
        found = self.form.fullmatch(name)
        try:
            return date(*(int(found[part]) for part in ("year", "month", "day"))) if found else None
        except ValueError:
            return None


def _inside(path: Path, levels: int) -> Iterator[Path]:
    if not levels or not path.is_dir() or path.is_symlink():
        return
    try:
        found = sorted(path.iterdir())
    except OSError as error:
        raise not_listed(path.name, type(error).__name__) from None
    for each in found:
        yield each
        yield from _inside(each, levels - 1)


def _free(text: str) -> str:
    return re.escape(text).replace(r"\*", "[^/]*")


def _same(path: Path) -> tuple[str, ...]:
    try:
        at = path.lstat()
        if not path.is_dir():
            return (digest(["file", str(at.st_dev), str(at.st_ino), str(at.st_size)]),)
        inside = [(each.name, each.lstat()) for each in (path / name for name in sorted(os.listdir(path))[:_SHOWN])]
    except OSError as error:
        raise not_listed(path.name, type(error).__name__) from None
    shown = [f"{name} {seen.st_size} {seen.st_mtime_ns}" for name, seen in inside]
    place = digest(["inode", str(at.st_dev), str(at.st_ino), *shown])
    return (place, digest(["shown", str(at.st_mtime_ns), *shown])) if shown else (place,)

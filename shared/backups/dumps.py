"""Logical dumps: mongodump's folders and archives, and MariaDB's and MySQL's dumps and mariabackup folders.

A MariaDB dump says at its end when it was completed, a mariabackup when it ended, a MongoDB dump with its oplog what
its last operation was; else a file's time counts, which a copy moves: an exact copy is known by its content.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from shared.backups.disk import Folder, content, ended, files, folders, newest, opened, unknown
from shared.backups.model import Listing, Set, digest, not_listed
from shared.runtime.clock import legal_date

_ARCHIVE = b"\x6d\xe2\x99\x81"  # mongodump --archive begins so
_BSON = (".bson", ".bson.gz")
_COMPLETED = re.compile(rb"-- Dump completed on (\d{4}-\d{2}-\d{2})")
_DUMP = re.compile(rb"^(?:/\*M?!.*\n)?-- (?:MariaDB|MySQL) dump ")
_INFO = ("mariadb_backup_info", "xtrabackup_info")
_ENDED = re.compile(r"^end_time = (\d{4}-\d{2}-\d{2})", re.MULTILINE)
_UUID = re.compile(r"^uuid = (\S+)$", re.MULTILINE)
_TAIL = 1 << 20


class MongoDumps(Listing):
    """The dumps that mongodump left in a folder: a folder of BSON each, or an archive file."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def sets(self) -> list[Set]:
        """List every dump; what is none is listed as unknown."""
        found: list[Set] = []
        for path in self.folder.top():
            found += list(self._below(path)) or [unknown(self.folder, path)]
        return found

    def everything(self) -> list[Set]:
        """List the dumps, and those that lie inside another one: a dump that was moved aside is no part of it."""
        inside = (_dumps(path) for path in self.folder.top() if path.is_dir())
        inner = (at for dumps in inside for at in sorted(dumps - _roots(dumps)))
        return self.sets() + [Set("", "mongodump", None, content(files(at))) for at in inner]

    def _below(self, top: Path) -> Iterator[Set]:
        if not top.is_dir():
            if opened(top).startswith(_ARCHIVE):
                yield self._set(top, [top])
            return
        roots = _roots(_dumps(top))
        for at in sorted(roots):
            yield self._set(at, files(at))
        for path in files(top):
            outside = not any(at in path.parents for at in roots)
            if outside and not _is_bson(path) and opened(path).startswith(_ARCHIVE):
                yield self._set(path, [path])

    def _set(self, at: Path, paths: list[Path]) -> Set:
        told = next((day for path in paths if path.name == "oplog.bson" and (day := _last(path))), None)
        return Set(self.folder.id_of(at), "mongodump", told or newest(paths), content(paths), certain=told is not None)


class MariaDumps(Listing):
    """The dumps (`mariadb-dump`, `mysqldump`, plain or gzip) and mariabackup folders of a folder."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def sets(self) -> list[Set]:
        """List every dump; what is none is listed as unknown."""
        found: list[Set] = []
        for path in self.folder.top():
            found += list(self._below(path)) or [unknown(self.folder, path)]
        return found

    def _below(self, top: Path) -> Iterator[Set]:
        physical = (
            [at for at, mine in folders(top) if {path.name for path in mine} & set(_INFO)] if top.is_dir() else []
        )
        for at in physical:
            yield self._physical(at)
        for path in files(top):
            if not any(at in path.parents for at in physical) and _DUMP.match(opened(path)):
                done = _COMPLETED.search(ended(path))
                day = date.fromisoformat(done[1].decode()) if done else newest([path])
                yield Set(self.folder.id_of(path), "mariadb", day, content([path]), certain=done is not None)

    def _physical(self, at: Path) -> Set:
        path = next(at / name for name in _INFO if (at / name).exists())
        text = opened(path).decode("utf-8", "replace")
        done, made = _ENDED.search(text), _UUID.search(text)
        day = date.fromisoformat(done[1]) if done else newest([path])
        same = (digest(["mariabackup", made[1]]),) if made else content([path])
        return Set(self.folder.id_of(at), "mariadb", day, same, certain=done is not None)


def _dumps(top: Path) -> set[Path]:
    """Give the folders at or below `top` that hold a dump: each is what lies above a database's folder."""
    return {at.parent if at != top else at for at, mine in folders(top) if any(map(_is_bson, mine))}


def _roots(dumps: set[Path]) -> set[Path]:
    """Give those that lie in no other."""
    return {each for each in dumps if dumps.isdisjoint(each.parents)}


def _is_bson(path: Path) -> bool:
    return path.name.endswith(_BSON)


def _last(path: Path) -> date | None:
    """Give the day of the last operation of a dumped oplog: the timestamps in it, read without understanding it."""
    try:
        with path.open("rb") as body:
            body.seek(max(path.stat().st_size - _TAIL, 0))
            tail = body.read(_TAIL)
    except OSError as error:
        raise not_listed(path.name, type(error).__name__) from None
    times = [struct.unpack_from("<I", tail, found.end() + 4)[0] for found in re.finditer(rb"\x11ts\x00", tail[:-8])]
    return legal_date(datetime.fromtimestamp(times[-1], UTC)) if times else None

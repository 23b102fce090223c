"""Copies that go on: PostgreSQL's archived WAL, MariaDB's binlog, MongoDB's oplog. Deletion itself writes into them.

Such a copy has no day: it is noted where it stood when the deletion was verified (`now`), and it is GONE when nothing
older than that is left. A WAL segment's place in the stream stands in its first page, a binlog's beginning in its first
event: neither a name nor a file's time counts. A file that cannot be read so is an error.
"""

from __future__ import annotations

import re
import struct
import time
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path

from contracts.errors import OphorError
from shared.backups.disk import Folder, files, opened
from shared.backups.model import Answer, Listing, Set, not_listed
from shared.backups.pgbackrest import stanza_of

_SEGMENT = re.compile(r"^([0-9A-F]{24})(?:\.partial)?(?:[-.].*)?$")
_BESIDE = re.compile(r"^[0-9A-F]{8}\.history|^[0-9A-F]{24}\.[0-9A-F]{8}\.backup")
_PAGE = struct.Struct("<HHIQ")  # XLogPageHeaderData: magic, info, timeline, address
_BINLOG = (b"\xfebin", b"\xfdbin")
_CLOCKS_APART_S = 3_600
_PACKED = (".zst", ".lz4", ".xz", ".bz2", ".age", ".gpg")
Now = Callable[[], int]


class Stream(Listing):
    """One stream; positions are numbers that only grow."""

    kind: str
    name: str

    @abstractmethod
    def oldest(self) -> int | None:
        """Give the oldest position that is still there; None where nothing is left."""

    @abstractmethod
    def now(self) -> int:
        """Give the position that holds whatever has been written until now."""

    def sets(self) -> list[Set]:
        """List the stream as one set that stands where it is now, nothing where nothing is left."""
        if self.oldest() is None:
            return []
        return [Set(self.name, self.kind, None, (str(self.now()),), stream=True, certain=True)]

    def look(self, wanted: Set) -> Answer:
        """Tell whether anything is left from before the noted position."""
        try:
            left = self.oldest()
            return Answer.GONE if left is None or left > int(wanted.identity[0]) else Answer.PRESENT
        except (OphorError, IndexError, ValueError):
            return Answer.ERROR


class WalArchive(Stream):
    """A folder of archived WAL segments; `server` tells where the server writes, as its verifier sees it."""

    kind = name = "wal"

    def __init__(self, folder: Folder, server: Now) -> None:
        self.folder, self.server = folder, server

    def oldest(self) -> int | None:
        """Give the oldest segment's address."""
        found = [_address(path) for top in self.folder.top() for path in files(top) if not _BESIDE.match(path.name)]
        return min(found, default=None)

    def now(self) -> int:
        """Ask the server where it writes."""
        return self.server()


class InfoWal(Stream):
    """The WAL archive of a pgBackRest stanza, as its info file tells it."""

    kind = name = "wal"

    def __init__(self, info: Path, stanza: str, server: Now, segment: int = 16 << 20) -> None:
        self.info, self.stanza, self.segment, self.server = info, stanza, segment, server

    def oldest(self) -> int | None:
        """Give the oldest archived segment's address."""
        archives = stanza_of(self.info, self.stanza).get("archive", ())
        return min((_named(str(each["min"]), self.segment) for each in archives if each.get("min")), default=None)

    def now(self) -> int:
        """Ask the server where it writes."""
        return self.server()


class Binlogs(Stream):
    """A folder of binlogs, the server's own or copied away; positions are seconds since 1970."""

    kind = name = "binlog"

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def oldest(self) -> int | None:
        """Give when the oldest binlog begins."""
        found = [_began(path) for top in self.folder.top() for path in files(top) if not _is_index(path)]
        return min(found, default=None)

    def now(self) -> int:
        """Give the present time, with room for clocks that go apart."""
        return int(time.time()) + _CLOCKS_APART_S


class Oplog(Stream):
    """A replica set's oplog; `first` gives when its oldest entry was made."""

    kind = name = "oplog"

    def __init__(self, first: Now) -> None:
        self.first = first

    def oldest(self) -> int | None:
        """Give when the oldest entry was made."""
        return self.first()

    def now(self) -> int:
        """Give the present time, with room for clocks that go apart."""
        return int(time.time()) + _CLOCKS_APART_S


def _address(path: Path) -> int:
    """Give a segment's place by its first page; by its name only where the archive packs or encrypts it."""
    head = opened(path)[: _PAGE.size]
    magic, _, timeline, address = _PAGE.unpack(head) if len(head) == _PAGE.size else (0, 0, 0, 0)
    if magic & 0xFF00 == 0xD100 and timeline and not address % 8192:
        return int(address)
    named = _SEGMENT.match(path.name)
    if named and path.suffix in _PACKED:
        return _named(named[1], 16 << 20)
    raise not_listed(path.name, "this is no WAL segment")


def _named(name: str, segment: int) -> int:
    log, number = int(name[8:16], 16), int(name[16:24], 16)
    return (log << 32) + number * segment


def _is_index(path: Path) -> bool:
    return path.suffix in (".index", ".idx", ".state")


def _began(path: Path) -> int:
    head = opened(path)[:8]
    if len(head) < 8 or head[:4] not in _BINLOG or head[:4] == _BINLOG[1]:
        raise not_listed(path.name, "this is no readable binlog")
    return int(struct.unpack_from("<I", head, 4)[0])

"""What a backup set is, and what a reader of sets can be asked.

Rules every reader keeps (evidence.md §5): GONE is said only after everything was looked into and neither the set's name
nor its content was met; whatever could not be looked into is ERROR. A copy that was renamed, moved aside, soft-deleted
or kept as an older version is the set: its content says so, not its name. A thing that is not understood is listed as
a set of unknown date, never passed over.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from contracts.errors import Unavailable

_UNFIT = re.compile(r"[^\w.:\-]", re.ASCII)
ID_AT_MOST = 80


class Answer(StrEnum):
    """What a look for one set gave."""

    PRESENT = "PRESENT"
    GONE = "GONE"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Set:
    """One set: the last day whose data it may hold (None: it cannot be told), and digests that its content has.

    `stream`: it is no copy of one day, but goes on (WAL, binlog, oplog); `identity` is then its newest position.
    `certain`: the day stands in its content, not only in a file's times or its name.
    """

    set_id: str
    kind: str
    taken_on: date | None
    identity: tuple[str, ...] = ()
    expires_on: date | None = None
    stream: bool = False
    certain: bool = False

    def same_content(self, other: Set) -> bool:
        """Tell whether both have a digest in common."""
        return bool(set(self.identity) & set(other.identity))


class Reader(Protocol):
    """Lists the sets of one source; it changes nothing."""

    def sets(self) -> list[Set]:
        """List every set, whatever its name; raise where anything could not be looked into."""

    def everything(self) -> list[Set]:
        """List the sets and whatever else there is that may be one of them."""


class Listing:
    """A source in which everything that may be a set is one."""

    def sets(self) -> list[Set]:
        raise NotImplementedError

    def everything(self) -> list[Set]:
        """List the sets and whatever else there is that may be one of them."""
        return self.sets()


def set_id_of(*parts: str) -> str:
    """Make a set's id of its path: what an id cannot hold becomes `_`, told apart by a digest."""
    plain = ":".join(parts)
    made = _UNFIT.sub("_", plain)
    if made == plain and len(plain) <= ID_AT_MOST and set(plain) != {"."}:
        return plain
    return f"{made[: ID_AT_MOST - 13]}-{hashlib.sha256(plain.encode('utf-8', 'surrogateescape')).hexdigest()[:12]}"


def digest(parts: Iterable[str]) -> str:
    """Give a digest of some words."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def not_listed(source: str, why: str) -> Unavailable:
    """Make BACKUPS_NOT_LISTED: what cannot be looked into is an error, not an absence."""
    return Unavailable(
        "BACKUPS_NOT_LISTED", f"the backup sets cannot be listed: {why}", field=source,
        remedy="see that the source is there, mounted, and readable by this user",
        da="Backupsættene kan ikke ses efter. Det er en fejl, ikke et fravær.",
    )  # fmt: skip

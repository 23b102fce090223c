"""How a tenant's folder goes as a whole, or the place with it (see `protocol.DropsWhole`): one rename, then removed.

`part` takes `<place>/<tenant>`; `drop` also `<place>`, where nothing else lies in it. What is taken is moved aside in
the place, under a name of this tenant's, and counted there, so that what arrives at the old name is left alone and is
found. A place is removed as an empty directory only: a neighbour's folder that came meanwhile keeps it there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.connectors import failures
from shared.connectors.files import disk
from shared.connectors.files.disk import DONE, OPEN, translated


class FilesWhole:
    """See `protocol.Whole`; `mine` is the tenant's folder in the place."""

    def __init__(self, system: str, mine: Path, *, goes: bool) -> None:
        self._system, self._mine, self._place, self._goes = system, mine, mine.parent, goes
        name = hashlib.sha256(mine.name.encode()).hexdigest()[:24]
        self._aside, self._done = self._place / f"{OPEN}{name}", self._place / f"{DONE}{name}"
        self.rows = 0

    def look(self) -> None:
        """Raise PLACE_NOT_WHOLE where something beside the tenant's folder lies in a place that goes with it."""
        own = {path.name for path in (self._mine, self._aside, self._done)}
        beside = [entry for entry in os.scandir(self._place) if entry.name not in own]
        if self._goes and beside:
            what = f"{len(beside)} things lie beside the customer's folder"
            raise failures.not_whole(self._system, self._place.name, what)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Move the tenant's folder aside and count it; without `commit` it comes back."""
        with translated(self._system, "delete", self._place.name):
            self.look()
            try:
                if self._mine.is_dir():
                    self._mine.rename(self._aside)
                    self.rows = sum(1 for _ in disk.entries(self._aside))
                yield
            finally:
                self.recover()

    def effects(self) -> dict[str, int]:
        """Give nothing: a rename changes nothing else."""
        return {}

    def commit(self) -> None:
        """Rename to done, the point from which it counts; then remove it, and the place where it goes too."""
        if self._aside.is_dir():
            self._aside.rename(self._done)
            disk.sync(self._place)
        self._finish()

    def recover(self) -> None:
        """Finish what was committed, put back what was not."""
        if self._done.is_dir():
            self._finish()
        if self._aside.is_dir():
            disk.put_back(self._aside, self._mine)

    def _finish(self) -> None:
        if self._done.is_dir():
            shutil.rmtree(self._done)
        if self._goes:
            with suppress(OSError):  # not empty: somebody's folder came meanwhile, and the place is still there
                self._place.rmdir()

"""A batch of files: moved aside, and from one rename on removed (see `protocol.Batch`)."""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.connectors.files import disk
from shared.connectors.files.disk import DONE, OPEN, translated
from shared.connectors.protocol import Key

if TYPE_CHECKING:
    from shared.connectors.files.connector import FilesConnector


class FilesBatch:
    """Files moved aside, to be removed or put back (see `protocol.Batch`)."""

    def __init__(self, target: FilesConnector) -> None:
        self._target, self._id = target, uuid.uuid4().hex
        self._moved: Counter[str] = Counter()

    def delete(self, place: str, keys: Sequence[Key]) -> int:
        """Move the tenant's files of these names aside."""
        with translated(self._target.system, "delete", place):
            aside, before = self._target.tenant_folder(place) / f"{OPEN}{self._id}", self._moved[place]
            for key in keys:
                path = self._target.within(place, str(key[0]))
                if not os.path.lexists(path):
                    continue
                goal = aside / str(key[0])
                goal.parent.mkdir(parents=True, exist_ok=True)
                path.rename(goal)
                self._moved[place] += 1
        return self._moved[place] - before

    def planned(self) -> dict[str, int]:
        """Give how many were moved."""
        return {place: count for place, count in self._moved.items() if count}

    def effects(self) -> dict[str, int]:
        """Count what lies aside: that, and nothing else, is removed."""
        found = {}
        for place in self._moved:
            aside = self._target.tenant_folder(place) / f"{OPEN}{self._id}"
            found[place] = sum(1 for _ in disk.entries(aside)) if aside.is_dir() else 0
        return {place: count for place, count in found.items() if count}

    def neighbours(self) -> dict[str, int]:
        """Give nothing: a folder has no snapshot in which the neighbours stand still."""
        return {}

    def commit(self) -> None:
        """Rename what lies aside to done, the point from which it counts; then remove it and emptied directories."""
        with translated(self._target.system, "delete"):
            for place in self._moved:
                mine = self._target.tenant_folder(place)
                aside, done = mine / f"{OPEN}{self._id}", mine / f"{DONE}{self._id}"
                if aside.is_dir():
                    aside.rename(done)
                    disk.sync(mine)
                    disk.finish(done, mine)

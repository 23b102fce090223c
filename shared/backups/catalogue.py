"""A folder with the backup tool's own `catalogue.json`, and a folder for each set that is still there.

The catalogue promises days; whether a set is there is seen in the folder. A folder that the catalogue does not name is
a set of unknown date.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from shared.backups.disk import Folder, below, content, files
from shared.backups.model import Listing, Set, not_listed


class Catalogue(Listing):
    """The sets of one folder with a catalogue."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def sets(self) -> list[Set]:
        """List every folder, with the days that the catalogue gives it."""
        told = self._told()
        return [self._set(path, told) for path in self.folder.top()]

    def everything(self) -> list[Set]:
        """List the sets, and whatever lies inside one of them: a set that was moved aside lies below another name.

        What has all the content of a set is the set itself: the one file or folder that it consists of.
        """
        told, found = self._told(), []
        for path in self.folder.top():
            own = self._set(path, told)
            found += [own, *(Set("", "catalogue", None, same) for same in below(path) if same != own.identity)]
        return found

    def _set(self, path: Path, told: dict[str, dict[str, Any]]) -> Set:
        return _dated(self.folder.id_of(path), content(files(path)), told.get(path.name))

    def _told(self) -> dict[str, dict[str, Any]]:
        try:
            body = json.loads((self.folder.path / self.folder.anchor).read_text(encoding="utf-8"))
            return {str(row["set_id"]): row for row in body.get("sets", ())}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise not_listed(self.folder.anchor, type(error).__name__) from None


def _dated(set_id: str, same: tuple[str, ...], row: dict[str, Any] | None) -> Set:
    try:
        days = [date.fromisoformat(row[name]) for name in ("taken_on", "expires_on")] if row else [None, None]
    except (KeyError, TypeError, ValueError):
        days = [None, None]
    return Set(set_id, "catalogue", days[0], same, days[1])

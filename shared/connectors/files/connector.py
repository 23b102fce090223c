"""A folder as a target, opened for one purpose; see the package and `protocol.Connector` for the rules."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contracts.system_map import MARKER_PLACE, System, check_live
from shared.connectors import failures, probe
from shared.connectors.files import disk
from shared.connectors.files.batch import FilesBatch
from shared.connectors.files.disk import COLUMNS, DONE, OPEN, translated
from shared.connectors.files.whole import FilesWhole
from shared.connectors.protocol import Access, Column, Inventory, Key, LivePlace, Marker, Rows

LOOSE = "."
_OTHERS_WRITE, _OTHERS_IN = stat.S_IWGRP | stat.S_IWOTH, stat.S_IRWXG | stat.S_IRWXO


class FilesConnector:
    """One tenant's files below one folder, opened for one purpose."""

    kind = "files"

    def __init__(self, system: System, purpose: str, tenant: str) -> None:
        self.system, self._map, self._purpose, self._tenant = system.name, system, purpose, tenant
        self._root = Path(str(system.connection["folder"]))
        if purpose == "delete":
            self._recover()

    def discover(self) -> Inventory:
        """List the top-level folders; loose files beside them are a place of their own, called `.`"""
        with translated(self.system, self._purpose):
            entries = sorted(os.scandir(self._root), key=lambda entry: entry.name)
        names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        if any(not entry.is_dir(follow_symlinks=False) and entry.name != MARKER_PLACE for entry in entries):
            names.append(LOOSE)
        columns = tuple(Column(name, "text") for name in COLUMNS)
        places = tuple(
            LivePlace(name, columns, ("path",), fingerprint=disk.digest(name), kind="folder") for name in names
        )
        return Inventory(self.system, places, disk.digest("\n".join(names)))

    def order(self, inventory: Inventory) -> list[str]:
        """Give the owned folders by name."""
        check_live(self._map, {name: () for name in inventory.columns()}, may_be_gone=True)
        there = [place for place in self._map.owned() if place in inventory.columns()]
        for place in there if self._purpose == "verify" else ():
            failures.require_tenants(self._map, place, self.unowned)
        return there

    def count(self, place: str) -> int:
        """Count the tenant's files, links and empty directories."""
        return sum(1 for _ in self._walk(self._mine(place), place))

    def total(self, place: str) -> int:
        """Count everybody's."""
        with translated(self.system, self._purpose, place):
            if place == LOOSE:
                return sum(1 for entry in os.scandir(self._root) if not entry.is_dir(follow_symlinks=False))
        return sum(1 for _ in self._walk(self._root / place, place))

    def unowned(self, place: str) -> int:
        """Count what lies beside the tenants' folders: nothing says whose it is."""
        if place not in self._map.owned():
            return 0
        with translated(self.system, self._purpose, place), os.scandir(self._root / place) as found:
            return sum(1 for entry in found if not entry.is_dir())

    def read(self, place: str, after: Any | None, limit: int) -> Rows:
        """List the next files with size and SHA-256; the cursor is the last path."""
        paths = [path for path in self._paths(place) if after is None or path > after][:limit]
        with translated(self.system, self._purpose, place):
            rows = [disk.row(self._folder(place), path) for path in paths]
        return Rows(COLUMNS, rows, paths[-1] if len(paths) == limit else None)

    def keys(self, place: str, limit: int, after: Key | None = None) -> list[Key]:
        """List the next paths below the tenant's folder; what is deleted is not walked again."""
        mine = self._mine(place)
        return [(path.relative_to(mine).as_posix(),) for path in sorted(self._walk(mine, place))[:limit]]

    def together(self, place: str, keys: Sequence[Key]) -> list[tuple[str, list[Key]]]:
        """Give the keys alone: nothing refers to them."""
        return [(place, list(keys))]

    def present(self, place: str, keys: Sequence[Key]) -> int:
        """Count the paths that are still there."""
        self._reachable(place)
        return sum(1 for key in keys if os.path.lexists(self.within(place, str(key[0]))))

    @contextmanager
    def batch(self) -> Iterator[FilesBatch]:
        """Move files aside; `commit` removes them, leaving without it moves them back."""
        self._need("delete")
        opened = FilesBatch(self)
        with translated(self.system, self._purpose):
            try:
                yield opened
            finally:
                self._recover()

    def look_whole(self, place: str, going: Sequence[str]) -> None:
        """Look whether a folder may go with its tenant."""
        with translated(self.system, self._purpose, place):
            self._whole(place).look()

    @contextmanager
    def whole(self, place: str) -> Iterator[FilesWhole]:
        """Move the tenant's folder aside and count it."""
        self._need("delete")
        opened = self._whole(place)
        with opened.taken():
            yield opened

    def left_whole(self, place: str) -> int | None:
        """Count what is left once nothing lies aside; None where the folder of places has no such place."""
        self._recover()
        if place not in self.discover().columns():
            return None
        return self.total(place) if self._map.rules[place].goes else self.count(place)

    def probes(self, place: str, number: int, seed: bytes) -> list[str]:
        """Draw from the files' names."""
        return probe.draw(seed, self._names(self._mine(place), place), self._others(place), number)

    def find(self, place: str, probes: Sequence[str], seed: bytes) -> int:
        """Search every file name of the place."""
        found = {probe.hashed(seed, name) for name in self._names(self._root / place, place)}
        return len(found & set(probes))

    def can_write(self) -> bool:
        """Tell nothing: a folder has no user for each purpose."""
        return False

    def access(self) -> Access:
        """Look at what group and others may do in the tenant's folders."""
        with translated(self.system, self._purpose):
            folders = [self._mine(place) for place in self._map.owned() if self._mine(place).is_dir()]
            tops = [stat.S_IMODE(folder.stat().st_mode) for folder in folders]
            modes = [stat.S_IMODE(path.lstat().st_mode) for folder in folders for path in disk.tree(folder)]
        ways = sum(1 for mode in tops if mode & _OTHERS_IN)
        return Access(ways, ways > 0 and any(mode & _OTHERS_WRITE for mode in modes), ways > 0, {"folders": ways})

    def freeze(self) -> None:
        """Take writing from group and others in the tenant's folders."""
        self._need("access")
        with translated(self.system, self._purpose):
            for place in self._map.owned():
                for path in disk.tree(self._mine(place)) if self._mine(place).is_dir() else ():
                    path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OTHERS_WRITE)

    def close_access(self) -> None:
        """Take everything from group and others at the top of the tenant's folders."""
        self.freeze()
        with translated(self.system, self._purpose):
            for place in self._map.owned():
                if self._mine(place).is_dir():
                    self._mine(place).chmod(0o700)

    def marker(self) -> Marker | None:
        """Read the object of the marker's name in the folder."""
        with translated(self.system, self._purpose):
            try:
                body = json.loads((self._root / MARKER_PLACE).read_text())
                return Marker(str(body["id"]), float(body["written_at"]))
            except FileNotFoundError:
                self._reachable()
                return None
            except (ValueError, KeyError, TypeError):
                return None

    def write_marker(self, marker: Marker) -> None:
        """Write the object of the marker's name."""
        self._need("prepare")
        with translated(self.system, self._purpose):
            body = json.dumps({"id": marker.id, "written_at": marker.written_at})
            (self._root / MARKER_PLACE).write_text(body)

    def documents(self, place: str, after: str = "") -> Iterator[tuple[str, str]]:
        """Give (name below the tenant's folder, path) of every file to deliver behind `after`, by name."""
        folder = self._folder(place)
        return ((path, str(folder / path)) for path in self._paths(place) if path > after)

    def close(self) -> None:
        """Nothing is held open."""

    def within(self, place: str, name: str) -> Path:
        """Give the path of `name` in the tenant's folder; refuse one that leads out of it, also over a link."""
        mine = self._mine(place)
        path = mine / name
        if os.path.isabs(name) or ".." in Path(name).parts or not path.parent.resolve().is_relative_to(mine.resolve()):
            raise failures.outside(self.system, place, "a path leads out of the tenant's folder")
        return path

    def tenant_folder(self, place: str) -> Path:
        """Give the tenant's folder of a place (for the batch)."""
        return self._mine(place)

    def _whole(self, place: str) -> FilesWhole:
        return FilesWhole(self.system, self._mine(place), goes=self._map.rules[place].goes)

    def _mine(self, place: str) -> Path:
        """Give the tenant's folder; refuse a link in its place, which leads to somebody else's files."""
        mine = self._root / place / self._tenant
        if mine.is_symlink():
            raise failures.outside(self.system, place, "the tenant's folder is a link")
        return mine

    def _folder(self, place: str) -> Path:
        rule = self._map.rule(place)
        return self._mine(place) if rule is not None and rule.owned else self._root / place

    def _reachable(self, place: str = "") -> None:
        with translated(self.system, self._purpose, place):
            os.scandir(self._root / place).close()

    def _walk(self, folder: Path, place: str) -> Iterator[Path]:
        self._reachable(place)
        with translated(self.system, self._purpose, place):
            if folder.is_dir():
                yield from disk.entries(folder)

    def _paths(self, place: str) -> list[str]:
        folder = self._folder(place)
        files = [path for path in self._walk(folder, place) if path.is_file() and not path.is_symlink()]
        return sorted(path.relative_to(folder).as_posix() for path in files)

    def _names(self, folder: Path, place: str) -> Iterator[str]:
        return (path.name for path in self._walk(folder, place) if len(path.name) >= 12)

    def _others(self, place: str) -> Iterator[str]:
        mine = self._mine(place)
        return (path.name for path in self._walk(self._root / place, place) if not path.is_relative_to(mine))

    def _recover(self) -> None:
        """Finish what was committed and put back what was not, of this tenant."""
        with translated(self.system, self._purpose):
            for place in self._map.owned():
                mine = self._mine(place)
                for aside in sorted(mine.glob(f"{DONE}*")):
                    disk.finish(aside, mine)
                for aside in sorted(mine.glob(f"{OPEN}*")):
                    disk.put_back(aside, mine)
                if self._map.rules[place].whole:
                    self._whole(place).recover()

    def _need(self, purpose: str) -> None:
        if self._purpose != purpose:
            raise failures.wrong_purpose(self.system, self._purpose, purpose)

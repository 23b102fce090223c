"""PostgreSQL's base backups: folders (or tar files) with `backup_label` and `backup_manifest`, as pg_basebackup makes.

The day is the start in `backup_label`, which the server wrote; else the newest day in the manifest. The label's start
position, checkpoint and time, and the manifest's own checksum, are the set's identity.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from shared.backups.disk import Folder, content, folders, newest, unknown
from shared.backups.model import Listing, Set, digest, not_listed

_LABEL, _MANIFEST = "backup_label", "backup_manifest"
_START = re.compile(r"^START TIME: (\d{4}-\d{2}-\d{2})", re.MULTILINE)
_POINT = re.compile(r"^(?:START WAL LOCATION|CHECKPOINT LOCATION|START TIME|LABEL): .*$", re.MULTILINE)
_TARS = (".tar", ".tar.gz", ".tgz")


class BaseBackups(Listing):
    """The base backups in a folder, at whatever depth and under whatever name."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def sets(self) -> list[Set]:
        """List every base backup; what holds none is listed as unknown."""
        found: list[Set] = []
        for path in self.folder.top():
            mine = list(self._below(path)) if path.is_dir() and not path.is_symlink() else []
            found += mine or [unknown(self.folder, path)]
        return found

    def _below(self, top: Path) -> Iterator[Set]:
        for at, inside in folders(top):
            names = {path.name for path in inside}
            if names & {_LABEL, _MANIFEST}:
                yield self._set(at, inside)
            elif "PG_VERSION" in names and "base" in {path.name for path in at.iterdir()}:
                yield Set(self.folder.id_of(at), "postgresql", None, content(inside))

    def _set(self, at: Path, inside: list[Path]) -> Set:
        label, (checksum, latest) = _label(at, inside), _manifest(at / _MANIFEST)
        points = _POINT.findall(label)
        identity = (*((digest(points),) if points else ()), *((checksum,) if checksum else ()))
        started = _START.search(label)
        taken = date.fromisoformat(started[1]) if started else latest
        return Set(
            self.folder.id_of(at), "postgresql", taken or newest(inside), identity or content(inside),
            certain=taken is not None,
        )  # fmt: skip


def _label(at: Path, inside: list[Path]) -> str:
    try:
        if (at / _LABEL).is_file():
            return (at / _LABEL).read_text(encoding="utf-8", errors="replace")
        for path in (each for each in inside if each.name.startswith("base.") and each.name.endswith(_TARS)):
            with tarfile.open(path) as tar:
                for member in tar:
                    body = tar.extractfile(member) if member.name.lstrip("./") == _LABEL else None
                    if body is not None:
                        return body.read().decode("utf-8", "replace")
    except (OSError, EOFError, tarfile.TarError) as error:
        raise not_listed(at.name, type(error).__name__) from None
    return ""


def _manifest(path: Path) -> tuple[str, date | None]:
    """Give the manifest's own checksum and the newest day in it; nothing where there is no whole manifest."""
    if not path.exists():
        return "", None
    try:
        body = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
        days = [datetime.strptime(each["Last-Modified"], "%Y-%m-%d %H:%M:%S GMT").date() for each in body["Files"]]
        return digest(["manifest", body["Manifest-Checksum"]]), max(days, default=None)
    except OSError as error:
        raise not_listed(path.name, type(error).__name__) from None
    except (ValueError, KeyError, TypeError):
        return "", None

"""What is done with the disk itself: walking without following links, putting back, removing what became empty."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contracts.errors import Rejected
from shared.connectors import failures

COLUMNS = ("path", "bytes", "sha256")
OPEN, DONE = ".ophor-batch-", ".ophor-done-"


@contextmanager
def translated(system: str, purpose: str, place: str = "") -> Iterator[None]:
    """Turn the operating system's errors into the two families."""
    try:
        yield
    except PermissionError:
        raise failures.refused(system, purpose) from None
    except FileNotFoundError:
        if not place:
            raise failures.unreachable(system, "has no folder there") from None
        raise Rejected(
            "MAP_UNKNOWN_PLACE",
            f"{system}: the folder is not there",
            field=f"systems.{system}.places.{place}",
            remedy="correct the path in the map",
            da=f"{system}: mappen findes ikke.",
        ) from None
    except OSError as error:
        raise failures.unreachable(system, f"cannot be read (errno {error.errno})") from None


def entries(folder: Path) -> Iterator[Path]:
    """Give files and links below `folder`, and directories in which there is nothing; the folder itself never."""
    for top, directories, files in os.walk(folder, followlinks=False, onerror=_raise):
        here = Path(top)
        for name in (*files, *(name for name in directories if (here / name).is_symlink())):
            yield here / name
        if not directories and not files and here != folder:
            yield here


def tree(folder: Path) -> Iterator[Path]:
    """Give the folder and everything below it but links."""
    yield folder
    for top, directories, files in os.walk(folder, followlinks=False, onerror=_raise):
        for name in (*directories, *files):
            path = Path(top) / name
            if not path.is_symlink():
                yield path


def put_back(aside: Path, mine: Path) -> None:
    """Move what lies aside back to where it was."""
    for path in sorted(entries(aside)):
        goal = mine / path.relative_to(aside)
        goal.parent.mkdir(parents=True, exist_ok=True)
        path.rename(goal)
    shutil.rmtree(aside)


def finish(done: Path, mine: Path) -> None:
    """Remove what was committed, after the directories that it left empty, and at last `mine` if nothing is in it.

    The directories go first: as long as they can be left behind by a kill, `done` still tells which they are.
    """
    for relative in {path.parent.relative_to(done) for path in entries(done)}:
        folder = mine / relative
        while folder != mine and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent
    shutil.rmtree(done)
    if not any(mine.iterdir()):
        mine.rmdir()


def sync(folder: Path) -> None:
    """Put a folder's entries on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def row(folder: Path, name: str) -> tuple[str, int, str]:
    """Give a file's row for delivery: path, bytes, SHA-256."""
    digest = hashlib.sha256()
    with (folder / name).open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return name, (folder / name).stat().st_size, digest.hexdigest()


def digest(text: str) -> str:
    """Give the SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _raise(error: OSError) -> None:
    raise error

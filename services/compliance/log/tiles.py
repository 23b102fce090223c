"""The log as static files for anybody to mirror, cache and check (c2sp.org/tlog-tiles): `ophor evidence tiles FOLDER`.

Rules kept here:
1. `tile/<L>/<N>` has the 256 hashes of level 8·L from number 256·N on; the last tile of a level is partial (`.p/<W>`).
   A tile never changes; a partial one goes when the full one is there.
2. `checkpoint` is written last: a reader who has it finds every tile that it speaks of. Each file is put in place whole
   (written beside, synced, renamed), so the export may be cut off and repeated anywhere.
3. It carries on only where the folder's own checkpoint is an earlier state of this log; anything else is refused
   (`TILES_OTHER_LOG`): a rollback, a fork, another log.
4. Every tile is hashed up and compared with the level above, and the root with the signed head, before the checkpoint
   is written (`TILES_DIFFER`).
5. Entry bundles (`tile/entries/<N>`) hold events with their salts, those of every customer. A salt that has left cannot
   be forgotten any more (evidence that is public cannot be redacted), so they are written only when asked for
   (`--entries`), for a copy in the supplier's own hands. A bundle that has a forgotten leaf, or one of over 65,535
   bytes (the layout's limit), is left out, and removed where it was written before.
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from contracts.errors import Rejected
from services.compliance.log import checkpoint, tree

WIDTH, HEIGHT = 256, 8
AT_ONCE, HASH = 64, 32
LONGEST_ENTRY = 0xFFFF
CHECKPOINT = "checkpoint"


class Log(Protocol):
    """The log as it is exported, at one moment."""

    head: dict[str, Any]

    def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        """Read stored nodes of one level."""

    def leaves(self, first: int, size: int) -> Iterator[tuple[int, bytes]]:
        """Read the leaves from `first` on, below `size`, in their order, each with its index."""

    def forgotten(self, size: int) -> Iterable[int]:
        """List the places below `size` whose leaf was forgotten."""

    def root(self, size: int) -> bytes:
        """Give the root over the first `size` leaves."""


@dataclass(slots=True)
class Exported:
    """What an export did: tiles and entry bundles written, bundles left out (rule 5), and the size that it is of."""

    size: int
    tiles: int = 0
    bundles: int = 0
    left_out: int = 0


def path(level: int | str, number: int, width: int = WIDTH) -> str:
    """Name a tile: groups of three digits, all but the last with an x; a partial one with its width."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    return f"tile/{level}/" + "/".join(groups) + (f".p/{width}" if width < WIDTH else "")


def shapes(size: int) -> Iterator[tuple[int, int, int]]:
    """Give level, number and width of every tile of a tree of `size` leaves."""
    level = 0
    while count := size >> (HEIGHT * level):
        for number in range(-(-count // WIDTH)):
            yield level, number, min(WIDTH, count - number * WIDTH)
        level += 1


def export(log: Log, folder: Path, *, entries: bool = False) -> Exported:
    """Bring `folder` up to the log's head, tiles and then the checkpoint; raise Rejected (rules 3 and 4)."""
    size = int(log.head["size"])
    before = _before(log, folder)
    done = Exported(size)
    missing = [one for one in shapes(size) if not _there(folder, path(*one), one[2] * HASH)]
    for some in _runs(missing):
        done.tiles += _write_tiles(log, folder, some)
    if entries:
        _write_entries(log, folder, done)
    if base64.b64encode(log.root(size)).decode() != log.head["root"]:
        raise _differs("the head")
    if before != log.head["checkpoint"]:
        _put(folder / CHECKPOINT, log.head["checkpoint"].encode())
    _tidy(folder, size)
    return done


def _before(log: Log, folder: Path) -> str:
    """Read the folder's checkpoint and see that it is an earlier state of this log (rule 3)."""
    try:
        text = (folder / CHECKPOINT).read_text("utf-8")
    except FileNotFoundError:
        return ""
    with suppress(ValueError):
        known = checkpoint.parse(text)
        if known.origin == log.head["origin"] and known.size <= log.head["size"] and log.root(known.size) == known.root:
            return text
    raise Rejected(
        "TILES_OTHER_LOG", "the folder's checkpoint is no earlier state of this log", field="folder",
        remedy="choose another folder; if it was this log's, look for a fork: `ophor evidence fsck --head`",
        da="Mappen indeholder en anden log, eller loggen er rullet tilbage.",
    )  # fmt: skip


def _there(folder: Path, name: str, length: int) -> bool:
    """Tell whether a file is there whole: files appear whole or not at all, so its length says it."""
    with suppress(OSError):
        return (folder / name).stat().st_size == length
    return False


def _runs(missing: list[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    """Group tiles that lie side by side, so that many are read with one question."""
    run: list[tuple[int, int, int]] = []
    for one in missing:
        if run and (one[0] != run[-1][0] or one[1] != run[-1][1] + 1 or len(run) == AT_ONCE):
            yield run
            run = []
        run.append(one)
    if run:
        yield run


def _write_tiles(log: Log, folder: Path, run: list[tuple[int, int, int]]) -> int:
    level, first = run[0][0], run[0][1]
    hashes = log.hashes(HEIGHT * level, first * WIDTH, sum(width for _, _, width in run))
    full = [number for _, number, width in run if width == WIDTH]
    above = log.hashes(HEIGHT * (level + 1), first, len(full)) if full else []
    for at, (_, number, width) in enumerate(run):
        mine = hashes[at * WIDTH : at * WIDTH + width]
        if width == WIDTH and _whole(mine) != above[at]:
            raise _differs(path(level, number))
        _put(folder / path(level, number, width), b"".join(mine))
    return len(run)


def _whole(hashes: list[bytes]) -> bytes:
    """Hash a full tile up to the node that it stands for."""
    while len(hashes) > 1:
        hashes = [tree.node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def _write_entries(log: Log, folder: Path, done: Exported) -> None:
    """Write the entry bundles that are missing, and remove those that may not be there any more (rule 5)."""
    forgotten = {index // WIDTH for index in log.forgotten(done.size)}
    level_0 = [(number, width) for level, number, width in shapes(done.size) if level == 0]
    for number, width in level_0:
        if number in forgotten:
            (folder / path("entries", number, width)).unlink(missing_ok=True)
    done.left_out = len(forgotten)
    missing = {number: width for number, width in level_0
               if number not in forgotten and not (folder / path("entries", number, width)).exists()}  # fmt: skip
    if not missing:
        return
    for number, leaves in groupby(log.leaves(min(missing) * WIDTH, done.size), lambda one: one[0] // WIDTH):
        if number in missing:
            _write_bundle(log, folder, (number, missing[number]), [leaf for _, leaf in leaves], done)


def _write_bundle(log: Log, folder: Path, place: tuple[int, int], leaves: list[bytes], done: Exported) -> None:
    """Write one entry bundle, compared with the hashes of its level-0 tile (rule 4)."""
    number, width = place
    if [tree.leaf_hash(one) for one in leaves] != log.hashes(0, number * WIDTH, width):
        raise _differs(path("entries", number, width))
    if max(map(len, leaves)) > LONGEST_ENTRY:
        done.left_out += 1
        return
    _put(folder / path("entries", number, width), b"".join(len(one).to_bytes(2, "big") + one for one in leaves))
    done.bundles += 1


def _tidy(folder: Path, size: int) -> None:
    """Remove the partial tiles that a full one, or a wider one, has taken the place of (rule 1)."""
    kept = {path(level, number, width) for level, number, width in shapes(size)}
    kept |= {path("entries", number, width) for level, number, width in shapes(size) if level == 0}
    for file in [one for one in (folder / "tile").rglob("*.p/*") if one.is_file()]:
        if file.relative_to(folder).as_posix() not in kept:
            file.unlink()
            with suppress(OSError):
                file.parent.rmdir()


def _put(file: Path, data: bytes) -> None:
    """Put a file in place whole (rule 2)."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with beside.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _differs(what: str) -> Rejected:
    return Rejected(
        "TILES_DIFFER", f"{what}: the stored hashes do not agree", field="log",
        remedy="nothing was published; look at the log: `ophor evidence fsck`", da="Loggens knuder stemmer ikke.",
    )  # fmt: skip


def main(argv: list[str] | None = None, say: Callable[[str], Any] = print) -> int:
    """Export the log that the environment names: 0 done, 1 the world is wrong, 2 refused."""
    from services.compliance.log import program

    parser = argparse.ArgumentParser(prog="ophor evidence tiles")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--entries", action="store_true")
    asked = parser.parse_args(argv)
    return program.run(lambda store: say(_exported(store, asked.folder, entries=asked.entries)))


def _exported(store: Any, folder: Path, *, entries: bool) -> str:
    from services.compliance import store as evidence
    from shared.store.unit import Unit

    head = store.read(evidence.head)
    if head is None:
        return "0"
    with store.client.start_session() as session:
        log = evidence.Exporting(Unit(store, session, store.clock.fresh()), head)
        done = export(log, folder, entries=entries)
    return f"{done.size} · {done.tiles} tiles · {done.bundles} entry bundles · {done.left_out} left out"


if __name__ == "__main__":
    sys.exit(main())

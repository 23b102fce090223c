"""The log as static files: a stranger's reader finds every leaf, every level and the root, at every size."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.errors import Rejected
from services.compliance.documents.bundle import tile_path
from services.compliance.log import tiles, tree
from tests.unit import tile_reader as reader


class Log:
    """A log of so many leaves in memory, as the export reads it."""

    grown: dict[tuple[int, int], bytes] = {}

    def __init__(self, size: int, name: str = "a") -> None:
        self.size, self.name, self.gone, self.longer = size, name, [], {}
        self.nodes = self.grown if name == "a" else {}
        for index in range(len([1 for level, _ in self.nodes if level == 0]), size):
            self.nodes |= tree.appended(self.nodes, index, tree.leaf_hash(self.leaf(index)))
        text = base64.b64encode(self.root(size)).decode()
        self.head = {"size": size, "root": text, "origin": "o", "checkpoint": f"o\n{size}\n{text}\n\n— o AAAA\n"}

    def leaf(self, index: int) -> bytes:
        return self.longer.get(index, f"{self.name}{index}".encode())

    def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        return [self.nodes[level, at] for at in range(first, first + count)]

    def leaves(self, first: int, size: int) -> Iterator[tuple[int, bytes]]:
        return ((index, self.leaf(index)) for index in range(first, size) if index not in self.gone)

    def forgotten(self, size: int) -> list[int]:
        return [index for index in self.gone if index < size]

    def root(self, size: int) -> bytes:
        return tree.root(self.nodes, size)


def proves(folder: Path, log: Log) -> None:
    size, root = reader.head(folder)
    leaves = reader.level(folder, 0, size)
    assert size == log.size and leaves == [tree.leaf_hash(log.leaf(index)) for index in range(size)]
    assert reader.mth(leaves) == root
    below, number = leaves, 1
    while size >> (8 * number):
        here = reader.level(folder, number, size)
        assert here == [reader.mth(below[at : at + 256]) for at in range(0, len(below) // 256 * 256, 256)]
        below, number = here, number + 1


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 300, 511, 512, 513, 4_000, 65_537])
def test_a_reader_of_its_own_finds_every_leaf_and_level_and_the_root(size: int, tmp_path: Path) -> None:
    log = Log(size)
    done = tiles.export(log, tmp_path)
    assert done.tiles == len(list(tiles.shapes(size))) == len([one for one in tmp_path.rglob("*") if one.is_file()]) - 1
    proves(tmp_path, log)


def test_a_growing_log_is_exported_again_and_again_and_nothing_twice(tmp_path: Path) -> None:
    for size in (1, 100, 256, 256, 300, 700, 1_030):
        log = Log(size)
        full = [one for one in tmp_path.rglob("[0-9][0-9][0-9]") if one.is_file() and ".p" not in one.parent.name]
        written = {one: one.stat().st_mtime_ns for one in full}
        tiles.export(log, tmp_path)
        proves(tmp_path, log)
        assert {one: one.stat().st_mtime_ns for one in written} == written, "a full tile was written again"
        assert tiles.export(log, tmp_path).tiles == 0
    partial = [one.relative_to(tmp_path).as_posix() for one in tmp_path.rglob("*.p/*")]
    assert sorted(partial) == ["tile/0/004.p/6", "tile/1/000.p/4"]


def test_an_export_that_was_cut_off_is_finished_by_the_next(tmp_path: Path) -> None:
    tiles.export(Log(300), tmp_path)
    before = (tmp_path / "checkpoint").read_bytes()
    tiles.export(Log(600), tmp_path)
    (tmp_path / "checkpoint").write_bytes(before)
    (tmp_path / "tile/0/001").unlink()
    (tmp_path / "tile/0/002.p/88").write_bytes(b"half")
    tiles.export(Log(600), tmp_path)
    proves(tmp_path, Log(600))


def test_a_folder_of_another_log_or_of_a_later_state_is_left_alone(tmp_path: Path) -> None:
    tiles.export(Log(300), tmp_path)
    before = {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()}
    for other in (Log(400, "b"), Log(299), Log(300, "c")):
        with pytest.raises(Rejected) as refused:
            tiles.export(other, tmp_path)
        assert refused.value.code == "TILES_OTHER_LOG"
    assert {one: one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()} == before


@pytest.mark.parametrize("place", [(0, 17), (8, 0), (3, 9)])
def test_nodes_that_do_not_agree_are_not_published(place: tuple[int, int], tmp_path: Path) -> None:
    log = Log(600, "bent")
    log.nodes[place] = bytes(32)
    log.nodes[9, 0] = tree.root(Log(512).nodes, 512)
    with pytest.raises(Rejected) as refused:
        tiles.export(log, tmp_path)
    assert refused.value.code == "TILES_DIFFER" and not (tmp_path / "checkpoint").exists()


def test_entries_leave_only_when_asked_for_and_their_hashes_are_the_tiles(tmp_path: Path) -> None:
    log = Log(600)
    tiles.export(log, tmp_path)
    assert not (tmp_path / "tile/entries").exists()
    assert tiles.export(log, tmp_path, entries=True).bundles == 3
    found = [*reader.entries(tmp_path, 0, 256), *reader.entries(tmp_path, 1, 256), *reader.entries(tmp_path, 2, 88)]
    assert [tree.leaf_hash(one) for one in found] == reader.level(tmp_path, 0, 600)


def test_a_bundle_with_a_forgotten_entry_is_removed_and_stays_away(tmp_path: Path) -> None:
    log = Log(600)
    tiles.export(log, tmp_path, entries=True)
    log.gone.append(300)
    for _ in range(2):
        done = tiles.export(log, tmp_path, entries=True)
        assert (done.left_out, (tmp_path / "tile/entries/001").exists()) == (1, False)
    assert len(reader.entries(tmp_path, 0, 256)) == 256
    proves(tmp_path, log)


def test_an_entry_longer_than_the_layout_takes_is_left_out(tmp_path: Path) -> None:
    log = Log(3, "long")
    log.longer[1] = bytes(65_536)
    log.nodes = {}
    for index in range(3):
        log.nodes |= tree.appended(log.nodes, index, tree.leaf_hash(log.leaf(index)))
    log.head["root"] = base64.b64encode(log.root(3)).decode()
    done = tiles.export(log, tmp_path, entries=True)
    assert (done.bundles, done.left_out) == (0, 1)


@pytest.mark.parametrize("number", [0, 999, 1_000, 1_234_067])
def test_a_level_0_tile_has_the_name_that_bundles_give_it(number: int) -> None:
    assert tiles.path(0, number) == tile_path(number, 256)
    assert tiles.path(0, number, 7) == tile_path(number, 7)

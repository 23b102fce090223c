"""The tree's stored nodes: `log_tiles`, in the layout of c2sp.org/tlog-tiles.

A tile `L/N` has the 256 hashes of level 8·L from number 256·N on, the last one of a level as many as there are; the
seven levels above it are hashed from it when they are asked for. So an append writes a few tiles however many leaves it
has, and a proof reads one tile for each 256-fold of the log. A stored hash never changes; a tile is only added to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TypeVar

from pymongo import ReplaceOne

from services.compliance.log import tree
from shared.store.unit import Unit

Result = TypeVar("Result")
Place = tuple[int, int]
HEIGHT, WIDTH, HASH = 8, 256, 32


class Nodes(dict[Place, bytes]):
    """The log's nodes, from the stored tiles as they are asked for."""

    def __init__(self, unit: Unit) -> None:
        super().__init__()
        self._unit = unit
        self._tiles: dict[Place, bytes] = {}

    def __missing__(self, key: Place) -> bytes:
        level, at = key
        number, start, count = _under(level, at)
        tile = self.tile((level // HEIGHT, number))
        hashes = tile[start * HASH : (start + count) * HASH]
        if len(hashes) < count * HASH:
            raise KeyError(key)
        if count == 1:
            return hashes
        self[key] = _hashed(hashes)
        return self[key]

    def tile(self, place: Place) -> bytes:
        """Give a tile's hashes; nothing where it is not stored."""
        if place not in self._tiles:
            self._load([place])
        return self._tiles[place]

    def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        """Give nodes that lie side by side on a level that is stored; KeyError where one is missing."""
        numbers = range(first // WIDTH, (first + count + WIDTH - 1) // WIDTH)
        self._load([(level // HEIGHT, number) for number in numbers])
        return [self[level, at] for at in range(first, first + count)]

    def answer(self, ask: Callable[[tree.Nodes], Result]) -> Result:
        """Answer a question to the tree with one read for all the tiles that it needs."""
        wanted = _Wanted()
        ask(wanted)
        self._load({(level // HEIGHT, _under(level, at)[0]) for level, at in wanted.keys() - self.keys()})
        return ask(self)

    def whole(self) -> Nodes:
        """Read all tiles at once."""
        for row in self._unit.db.log_tiles.find({}, session=self._unit.session):
            level, _, number = row["_id"].partition("/")
            self._tiles[int(level), int(number)] = row["hashes"]
        return self

    def _load(self, places: Iterable[Place]) -> None:
        names = {f"{level}/{number}": (level, number) for level, number in places if (level, number) not in self._tiles}
        if names:
            self._tiles |= dict.fromkeys(names.values(), b"")
            rows = self._unit.db.log_tiles.find({"_id": {"$in": list(names)}}, session=self._unit.session)
            for row in rows.batch_size(len(names) + 1):  # one more, or the end would be asked for
                self._tiles[names[row["_id"]]] = row["hashes"]


class Growing:
    """The tree as one transaction lets it grow from `size` leaves; `write` stores the tiles that it touched."""

    def __init__(self, unit: Unit, size: int) -> None:
        self.size, self._unit, self._nodes = size, unit, Nodes(unit)
        self._touched: dict[Place, bytearray] = {}
        if size:
            self.root()  # whatever an append needs is part of this root

    def append(self, leaf: bytes) -> None:
        """Take a leaf hash in as the next; RuntimeError where the stored tile is not as long as the log."""
        for (level, at), node in tree.appended(self._nodes, self.size, leaf).items():
            self._nodes[level, at] = node
            if level % HEIGHT == 0:
                self._put((level // HEIGHT, at // WIDTH), at % WIDTH, node)
        self.size += 1

    def root(self) -> bytes:
        """Give the root over all leaves."""
        return self._nodes.answer(lambda nodes: tree.root(nodes, self.size))

    def write(self) -> None:
        """Write the tiles that have grown."""
        tiles = [ReplaceOne({"_id": f"{level}/{number}"}, {"hashes": bytes(tile)}, upsert=True)
                 for (level, number), tile in self._touched.items()]  # fmt: skip
        if tiles:
            self._unit.db.log_tiles.bulk_write(tiles, session=self._unit.session, ordered=False)

    def _put(self, place: Place, at: int, node: bytes) -> None:
        tile = self._touched.get(place)
        if tile is None:
            tile = self._touched[place] = bytearray(self._nodes.tile(place) if at else b"")
        if len(tile) != at * HASH:
            raise RuntimeError(f"tile {place} has {len(tile) // HASH} hashes instead of {at}")
        tile += node


class _Wanted(dict[Place, bytes]):
    """Stands in for the nodes, and so learns which of them a question needs: that depends on places, not on hashes."""

    def __missing__(self, key: Place) -> bytes:
        self[key] = b""
        return b""


def inclusion(unit: Unit, index: int, size: int) -> list[bytes]:
    """Prove from the stored nodes that leaf `index` is in the tree of `size` leaves; ValueError outside of it."""
    return Nodes(unit).answer(lambda nodes: tree.inclusion(nodes, index, size))


def _under(level: int, at: int) -> tuple[int, int, int]:
    """Give where a node's hashes lie: the tile's number, the first of them in it, and how many."""
    count = 1 << level % HEIGHT
    number, start = divmod(at * count, WIDTH)
    return number, start, count


def _hashed(hashes: bytes) -> bytes:
    """Hash nodes that lie side by side up to the one over all of them (as many as a power of two)."""
    sha256 = hashlib.sha256
    while len(hashes) > HASH:
        hashes = b"".join([sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 64)])
    return hashes

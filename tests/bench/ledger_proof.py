"""`ledger-proof`: the p99 of an inclusion proof read from the store, against the p99 of reading one stored tile.

Every proof is verified afterwards with the stranger's code, so that none of the times is that of a wrong answer.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from services.compliance import store as evidence
from services.compliance.log import tree
from services.compliance.store.nodes import HASH, HEIGHT, WIDTH
from services.compliance.verifier import ophor_verify
from shared.runtime.clock import clock_for
from shared.store.unit import Store
from tests.bench.figures import Figure, timed
from tests.integration.bus_store_parts import mongo

LEAVES = int(os.environ.get("BENCH_LEAVES", "1000000"))
PROOFS = 2_000
WARM = 100
AT_ONCE = 256 * 64


def measure() -> Figure:
    """Store a whole tree's nodes, and prove leaves at random."""
    with mongo() as database:
        store = Store(database.uri, "compliance", clock_for("production"))
        root = _fill(store)
        places = random.Random(6962).choices(range(LEAVES), k=PROOFS)
        proofs, p99 = _timed(lambda index: store.read(lambda unit: evidence.inclusion(unit, index, LEAVES)), places)
        for index, proof in zip(places, proofs, strict=True):
            if not ophor_verify.included(leaf(index), index, LEAVES, proof, root):
                raise AssertionError(f"the proof of leaf {index} is wrong")
        _, one = _timed(lambda index: store.db.log_tiles.find_one({"_id": f"0/{index // WIDTH}"}), places)
        store.close()
    what = f"inclusion proof at {LEAVES:,} leaves, p99"
    return replace(timed("ledger-proof", what, p99, "ms", "reading one stored tile, p99", one), p99_ms=round(p99, 3))


def leaf(index: int) -> bytes:
    """Give leaf number `index`'s hash."""
    return tree.leaf_hash(index.to_bytes(8, "big"))


class Tiles:
    """A tree that grows leaf by leaf, and its stored tiles as rows."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: dict[tuple[int, int], bytes] = {}
        self._open: dict[tuple[int, int], bytearray] = {}

    def append(self, leaf: bytes) -> None:
        """Take the next leaf hash in."""
        made = tree.appended(self._edge, self.size, leaf)
        self._edge |= made
        self.size += 1
        for (level, at), digest in made.items():
            if level % HEIGHT == 0:
                self._open.setdefault((level // HEIGHT, at // WIDTH), bytearray()).extend(digest)

    def taken(self) -> list[dict[str, Any]]:
        """Give the tiles that are full; the open ones too when nothing was full, for the end."""
        full = [place for place, tile in self._open.items() if len(tile) == WIDTH * HASH] or list(self._open)
        self._forget()
        return [{"_id": f"{place[0]}/{place[1]}", "hashes": bytes(self._open.pop(place))} for place in full]

    def root(self) -> bytes:
        """Give the root over all leaves."""
        return tree.root(self._edge, self.size)

    def _forget(self) -> None:
        """Keep the roots of the complete subtrees alone: one for each bit of the size."""
        needed = {
            (level, (self.size >> level) - 1) for level in range(self.size.bit_length()) if self.size >> level & 1
        }
        self._edge = {key: self._edge[key] for key in needed}


def _fill(store: Store) -> bytes:
    """Store the tiles of a whole tree, and give its root."""
    tiles = Tiles()
    for index in range(LEAVES):
        tiles.append(leaf(index))
        if tiles.size % AT_ONCE == 0:
            store.db.log_tiles.insert_many(tiles.taken(), ordered=False)
    while rest := tiles.taken():
        store.db.log_tiles.insert_many(rest, ordered=False)
    return tiles.root()


def _timed(work: Callable[[int], Any], places: list[int]) -> tuple[list[Any], float]:
    """Give the answers and the 99th percentile in milliseconds."""
    for index in places[:WARM]:
        work(index)
    answers, times = [], []
    for index in places:
        began = time.perf_counter()
        answers.append(work(index))
        times.append(time.perf_counter() - began)
    return answers, sorted(times)[int(len(times) * 0.99)] * 1000

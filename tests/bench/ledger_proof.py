"""`ledger-proof`: the p99 of an inclusion proof read from the store, against the p99 of reading one stored node.

Every proof is verified afterwards with the stranger's code, so that none of the times is that of a wrong answer.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from services.compliance import store as evidence
from services.compliance import tree
from services.compliance.verifier import ophor_verify
from shared.runtime.clock import clock_for
from shared.store.unit import Store
from tests.bench.figures import Figure, timed
from tests.integration.bus_store_parts import mongo

LEAVES = int(os.environ.get("BENCH_LEAVES", "1000000"))
PROOFS = 2_000
WARM = 100
KEPT_EVERY = 4_096
AT_ONCE = 10_000


def measure() -> Figure:
    """Store a whole tree's nodes, and prove leaves at random."""
    with mongo() as database:
        store = Store(database.uri, "compliance", clock_for("production"))
        edge = _fill(store)
        root = tree.root(edge, LEAVES)
        places = random.Random(6962).choices(range(LEAVES), k=PROOFS)
        proofs, p99 = _timed(lambda index: store.read(lambda unit: evidence.inclusion(unit, index, LEAVES)), places)
        for index, proof in zip(places, proofs, strict=True):
            if not ophor_verify.included(leaf(index), index, LEAVES, proof, root):
                raise AssertionError(f"the proof of leaf {index} is wrong")
        _, one = _timed(lambda index: store.db.log_nodes.find_one({"_id": f"0/{index}"}), places)
        store.close()
    return timed(
        "ledger-proof", f"inclusion proof at {LEAVES:,} leaves, p99", p99, "ms", "reading one stored node, p99", one
    )


def leaf(index: int) -> bytes:
    """Give leaf number `index`'s hash."""
    return tree.leaf_hash(index.to_bytes(8, "big"))


def rows(edge: dict[tuple[int, int], bytes]) -> Iterator[dict[str, Any]]:
    """Grow the tree and give each node as the store has it; `edge` ends as what the root is made of."""
    for index in range(LEAVES):
        made = tree.appended(edge, index, leaf(index))
        edge |= made
        if (index + 1) % KEPT_EVERY == 0 or index + 1 == LEAVES:
            forget(edge, index + 1)
        for (level, at), digest in made.items():
            yield {"_id": f"{level}/{at}", "level": level, "at": at, "hash": digest}


def forget(edge: dict[tuple[int, int], bytes], size: int) -> None:
    """Keep the roots of the complete subtrees alone: one for each bit of the size."""
    needed = {(level, (size >> level) - 1) for level in range(size.bit_length()) if size >> level & 1}
    for key in edge.keys() - needed:
        del edge[key]


def _fill(store: Store) -> dict[tuple[int, int], bytes]:
    edge: dict[tuple[int, int], bytes] = {}
    left = rows(edge)
    while batch := list(islice(left, AT_ONCE)):
        store.db.log_nodes.insert_many(batch, ordered=False)
    return edge


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

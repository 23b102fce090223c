"""The evidence log's Merkle tree (RFC 6962 §2.1) over stored nodes.

A node (level, index) is the hash of the complete subtree of 2**level leaves that starts at leaf index * 2**level; only
complete subtrees are stored, so a stored node never changes. Everything else is computed from at most 2 log2(size)
of them. `Nodes` is any mapping from (level, index) to 32 bytes: a dict, or the store's collection.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.rules.merkle import EMPTY_ROOT, leaf_hash, node_hash

__all__ = ["EMPTY_ROOT", "Nodes", "appended", "consistency", "inclusion", "leaf_hash", "node_hash", "root"]

Nodes = Mapping[tuple[int, int], bytes]


def appended(nodes: Nodes, size: int, leaf: bytes) -> dict[tuple[int, int], bytes]:
    """Give the nodes that leaf hash `leaf` completes when it becomes leaf number `size`, its own first."""
    made = {(0, size): leaf}
    level, index, digest = 0, size, leaf
    while index % 2:
        digest = node_hash(nodes[level, index - 1], digest)
        level, index = level + 1, index // 2
        made[level, index] = digest
    return made


def root(nodes: Nodes, size: int) -> bytes:
    """Give the root over the first `size` leaves."""
    return _range(nodes, 0, size) if size else EMPTY_ROOT


def inclusion(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """Prove that leaf `index` is in the tree of `size` leaves (RFC 6962 §2.1.1), lowest sibling first."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range(nodes, middle, end))
            end = middle
        else:
            path.append(_range(nodes, start, middle))
            start = middle
    return path[::-1]


def consistency(nodes: Nodes, first: int, second: int) -> list[bytes]:
    """Prove that the tree of `second` leaves begins with the tree of `first` (RFC 6962 §2.1.2)."""
    if not 0 < first <= second:
        raise ValueError(f"no consistency proof from {first} to {second}")
    path: list[bytes] = []
    start, end, whole = 0, second, True
    while end != first:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_range(nodes, middle, end))
            end = middle
        else:
            path.append(_range(nodes, start, middle))
            start, whole = middle, False
    return ([] if whole else [_range(nodes, start, end)]) + path[::-1]


def _range(nodes: Nodes, start: int, end: int) -> bytes:
    """Hash the leaves start..end-1, where `start` is a multiple of the range's size rounded up to a power of two."""
    count = end - start
    if count & (count - 1) == 0:
        return nodes[count.bit_length() - 1, start // count]
    middle = start + _split(count)
    return node_hash(_range(nodes, start, middle), _range(nodes, middle, end))


def _split(count: int) -> int:
    """Give the largest power of two below `count` (count > 1)."""
    return 1 << ((count - 1).bit_length() - 1)

"""Merkle hashing of RFC 6962 (§2.1): what the evidence log's tree and the roots over deleted records share.

A tree over a list that is at hand is hashed level by level: an odd last node is carried up as it is, which is the same
tree as the RFC's, whose left half is the largest power of two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash a leaf's bytes (RFC 6962 §2.1: prefix 0x00)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbours into their parent (RFC 6962 §2.1: prefix 0x01)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Give the root over leaves (their bytes, not their hashes); both hashes written out, for it is a hot loop."""
    digest = hashlib.sha256
    level = [digest(b"\x00" + one).digest() for one in leaves]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [digest(b"\x01" + left + right).digest() for left, right in pairs]
        level = [*above, level[-1]] if len(level) % 2 else above
    return level[0] if level else EMPTY_ROOT

"""The proof for single records, written a second time for the tests: nothing of the product's code is used.

Commitments with the standard library's `hmac`, the tree as RFC 6962 §2.1 defines it (by recursion), its proof as
§2.1.1 verifies it, and the opened sealed file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


def commitment(key: bytes, system: str, place: str, columns: Sequence[str]) -> bytes:
    message = len(columns).to_bytes(4, "big")
    for column in columns:
        message += len(column.encode()).to_bytes(4, "big") + column.encode()
    return _keyed(key, system, place, message)


def _keyed(key: bytes, system: str, place: str, message: bytes) -> bytes:
    parts = [part.encode() for part in ("ophor-record/v1", system, place)]
    shared = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(key, shared + message, "sha256").digest()


def batch_root(key: bytes, system: str, place: str, leaves: Sequence[bytes]) -> str:
    return root([_keyed(key, system, place, bytes([255] * 4)), *leaves]).hex()


def root(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) < 2:
        return hashlib.sha256(b"\0" + leaves[0] if leaves else b"").digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\1" + root(leaves[:half]) + root(leaves[half:])).digest()


def verifies(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """RFC 9162 §2.1.3.2, step by step."""
    at, last, digest = index, size - 1, hashlib.sha256(b"\0" + leaf).digest()
    if index >= size:
        return False
    for sibling in path:
        if last == 0:
            return False
        if at % 2 or at == last:
            digest = hashlib.sha256(b"\1" + sibling + digest).digest()
            while at % 2 == 0 and at:
                at, last = at // 2, last // 2
        else:
            digest = hashlib.sha256(b"\1" + digest + sibling).digest()
        at, last = at // 2, last // 2
    return last == 0 and digest == expected


@dataclass
class Opened:
    head: dict[str, Any]
    batches: list[tuple[dict[str, Any], list[bytes]]]

    def key(self, job_id: str, system: str) -> bytes:
        mine = {"job_id": job_id, "system": system}
        return next(base64.b64decode(row["key"]) for row in self.head["keys"] if row | mine == row)


def opened(plain: bytes) -> Opened:
    form, head, rest = plain.split(b"\n", 2)
    assert form == b"ophor-record-proof/v1"
    told, batches = json.loads(head), []
    for batch in told["batches"]:
        size = batch["records"] * 32
        mine, rest = rest[:size], rest[size:]
        batches.append((batch, [mine[at : at + 32] for at in range(0, size, 32)]))
    assert not rest
    return Opened(told, batches)

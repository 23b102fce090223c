"""Commitments to the keys of deleted records (evidence.md §1.6): HMAC-SHA-256 (RFC 2104), a Merkle root over a batch.

Rules kept here:
1. A commitment is HMAC(key, `ophor-record/v1` ‖ system ‖ place ‖ number of columns ‖ columns); each text is UTF-8 with
   its length before it (4 bytes, big-endian), so that no two records, places or systems have one message.
2. The key is random, of one job and system alone. Without it a commitment says nothing, with it the whole CPR space
   falls in minutes: so both go to the customer, and none stays here.
3. A key's columns are the texts by which the deletion named the row (`Connector.keys`), in their order.
4. A batch's root (RFC 6962, `shared.rules.merkle`) is over a check of the key and, behind it, the commitments in the
   order of its keys. So the log binds the key too: who is given another one sees that, and is not told "not among".
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence

from shared.rules import merkle

DOMAIN = "ophor-record/v1"
SIZE = 32
_BLOCK = 64
_CHECK = b"\xff\xff\xff\xff"  # as no number of columns
_NUMBER, _ONE = struct.Struct(">I").pack, struct.Struct(">II").pack


class Committer:
    """Commits to the records of one place under one key; the hashing of what they share is done once."""

    def __init__(self, key: bytes, system: str, place: str) -> None:
        if len(key) != SIZE:
            raise ValueError(f"a key has {SIZE} bytes")
        padded = key.ljust(_BLOCK, b"\0")
        shared = b"".join(_text(one) for one in (DOMAIN, system, place))
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + shared)
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def commit(self, keys: Iterable[Sequence[str]]) -> list[bytes]:
        """Commit to records, in their order."""
        return self._made(map(encoded, keys))

    def root(self, leaves: Iterable[bytes]) -> bytes:
        """Give the root over the key's check and these commitments."""
        return merkle.root_of([*self._made([_CHECK]), *leaves])

    def _made(self, messages: Iterable[bytes]) -> list[bytes]:
        begin, end, found = self._inner.copy, self._outer.copy, list[bytes]()
        for message in messages:
            (inner := begin()).update(message)
            (outer := end()).update(inner.digest())
            found.append(outer.digest())
        return found


def encoded(key: Sequence[str]) -> bytes:
    """Write a record's key: how many columns it has, and each column (rule 1)."""
    if len(key) == 1:
        text = key[0].encode("utf-8", "surrogatepass")
        return _ONE(1, len(text)) + text
    return _NUMBER(len(key)) + b"".join(map(_text, key))


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return _NUMBER(len(data)) + data

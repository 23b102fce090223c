"""`record-proof`: commitments to a million deleted records with their roots, batch by batch, as beside the delete.

The reference is the standard library's one-shot HMAC over the same records, without any tree.
"""

from __future__ import annotations

import hmac
import uuid

from shared.rules.commitments import Committer, encoded
from tests.bench.figures import Figure, rated, seconds

RECORDS, BATCH = 1_000_000, 10_000
KEY = bytes(range(32))


def measure() -> Figure:
    """Commit to a million UUIDs, batch after batch, the reference beside it; give the rate."""
    took, plain, roots = 0.0, 0.0, set[bytes]()
    for at in range(0, RECORDS, BATCH):
        batch = [(str(uuid.UUID(int=at + number)),) for number in range(BATCH)]
        took += seconds(lambda batch=batch: roots.add(_root(batch)))
        plain += seconds(lambda batch=batch: _plain(batch))
    if len(roots) * BATCH != RECORDS:
        raise AssertionError("two batches have one root")
    what = f"{RECORDS:,} records committed to, {BATCH:,} a batch, each with its root"
    against = "hmac.digest of the same, no tree"
    return rated("record-proof", what, RECORDS / took, "commitments/s", against, RECORDS / plain)


def _root(batch: list[tuple[str]]) -> bytes:
    committer = Committer(KEY, "pladsanvisning", "sager")
    return committer.root(committer.commit(batch))


def _plain(batch: list[tuple[str]]) -> list[bytes]:
    return [hmac.digest(KEY, encoded(record), "sha256") for record in batch]

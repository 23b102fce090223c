"""Commitments to what a batch deletes (evidence.md §1.6, ADR 0016), beside the target's own work.

1. They are hashed in a thread of their own while the target deletes, from the intent's keys: after a crash the same
   keys, read back from the open intent, give the same commitments.
2. They are kept, and their root told, in the transaction that closes the batch, of those records alone that are gone:
   as many as the batch counts as deleted. Where a part is still there, it is found out which.
3. A job that began with keys and does not find them any more stops: it could not prove what it promised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from contracts.errors import Rejected
from services.deletion import store_records
from services.deletion.domain import Job
from shared.connectors.protocol import Connector, Key, NamesRows
from shared.rules.commitments import Committer

_Made = tuple[list[bytes], str]
_BESIDE = ThreadPoolExecutor(1, "commitments")
_COLUMNS = {"mongodb": ("_id",), "files": ("path",), "s3": ("key", "version"), "queues": ("id",),
            "case_index": ("uuid",)}  # fmt: skip


class Unasked:
    """No proof: nothing is committed to, and nothing told."""

    def present(self, connector: Connector, intent: Any) -> int:
        """Count how many of an intent's keys are still there."""
        return connector.present(intent.place, intent.keys)

    def kept(self, unit: Any, job: Job, intent: Any, deleted: int) -> dict[str, Any]:
        """Keep the commitments of what an intent deleted; give what is told of them."""
        return {}


class Proof(Unasked):
    """The commitments of one transaction's intents."""

    def __init__(self, key: bytes, kind: str, connector: Connector, intents: Sequence[Any]) -> None:
        self._kind = kind
        self._columns = {each.place: _columns(connector, kind, each.place) for each in intents}
        self._still: dict[int, Sequence[Key]] = {}
        self._committers = {each.number: Committer(key, each.system, each.place) for each in intents}
        self._made: Mapping[int, Future[_Made]] = {
            each.number: _BESIDE.submit(_hashed, self._committers[each.number], each.keys) for each in intents
        }

    def present(self, connector: Connector, intent: Any) -> int:
        """Find out which of an intent's keys are still there."""
        self._still[intent.number] = _still_there(connector, intent.place, intent.keys)
        return len(self._still[intent.number])

    def kept(self, unit: Any, job: Job, intent: Any, deleted: int) -> dict[str, Any]:
        """Keep the commitments of the deleted records with their root, and tell the root."""
        if not deleted:
            return {}
        leaves, root = self._made[intent.number].result()
        if still := set(self._still[intent.number]):
            leaves = [leaf for key, leaf in zip(intent.keys, leaves, strict=True) if key not in still]
            root = self._committers[intent.number].root(leaves).hex()
        if len(leaves) != deleted:
            raise RuntimeError(f"{len(leaves)} commitments to {deleted} deleted records")
        batch = {"number": intent.number, "system": intent.system, "place": intent.place, "root": root}
        batch |= {"kind": self._kind, "columns": list(self._columns[intent.place])}
        store_records.keep_leaves(unit, job, batch, leaves)
        return {"records_root": root}


UNASKED = Unasked()


def begun(work: Any, job: Job, connector: Connector, kind: str, intents: Sequence[Any]) -> Unasked:
    """Begin to commit to what these intents of one system mean, where the customer asked for it."""
    if not job.records:
        return UNASKED
    system = intents[0].system
    key = work.read(lambda unit: store_records.key_of(unit, job, system))
    if key is None:
        raise Rejected(
            "RECORD_KEY_LOST", "the key of the proof for single records is not there any more",
            field=f"systems.{system}", remedy="find out who took it away, then preview and approve anew",
            da="Nøglen til bevis for den enkelte post er væk.",
        )  # fmt: skip
    return Proof(key, kind, connector, intents)


def _hashed(committer: Committer, keys: Sequence[Key]) -> _Made:
    leaves = committer.commit(keys)
    return leaves, committer.root(leaves).hex()


def _columns(connector: Connector, kind: str, place: str) -> tuple[str, ...]:
    return connector.named_by(place) if isinstance(connector, NamesRows) else _COLUMNS.get(kind, ())


def _still_there(connector: Connector, place: str, keys: Sequence[Key]) -> Sequence[Key]:
    """Find out by halving which keys are still there: one question where all or none of them are."""
    count = connector.present(place, keys)
    if count in (0, len(keys)):
        return keys if count else []
    middle = len(keys) // 2
    return [*_still_there(connector, place, keys[:middle]), *_still_there(connector, place, keys[middle:])]

"""Handing the proof for single records to the customer, and destroying ours (evidence.md §1.6, ADR 0016).

Sealing, step by step:
1. one file holds the keys and commitments of all the activity's batches that have any, sealed to the customer's key;
2. it is put into the customer's drop whole or not at all, and read back; only then is it told, and the next step sent.
Destroying:
3. commitments go, then keys; afterwards it is looked, in committed state, whether any is left; only then is it told.
A step that was done is not done again. Each try at sealing has a file of its own; once one of them was told, the next
step takes the others away.

The file: a line with its form, a line of JSON (batches in order, keys), then 32 bytes a commitment in the same order.
"""

from __future__ import annotations

import base64
import glob
import json
import secrets
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyrage

from contracts.errors import Unavailable
from services.deletion import store_records
from services.deletion.domain import Job
from services.deletion.store_records import Row
from services.deletion.worker import ground
from shared.rules.commitments import SIZE
from shared.runtime import drops

FORM = "ophor-record-proof/v1"
REMAINS = ("LOG", "REPLICAS", "DISK")
_AT_ONCE = 200
_HEAD = ("job_id", "number", "system", "place", "kind", "columns", "records", "root")


def send(unit: Any, job: Job, task: str) -> None:
    """Ask for a step."""
    unit.send(f"deletion.delete.{task}", {"exit_id": job.exit_id, "job_id": job.job_id})


def seal(work: Any, job: Job) -> None:
    """Seal keys and commitments into the drop, read the file back, and tell it."""
    asked, file = work.read(lambda unit: (store_records.asked(unit, job.exit_id), store_records.load_file(unit, job)))
    batches = work.read(lambda unit: store_records.batches_of(unit, job.exit_id, job.activity))
    if file is None and not batches:  # nothing was deleted row by row
        work.commit(lambda unit: store_records.drop_keys(unit, job.exit_id, job.activity))
    elif file is None and asked is not None:
        sealed = _sealed(work, job, asked, batches)
        if not work.commit(lambda unit: _tell_sealed(unit, job, sealed)):  # another worker's file was told
            with drops.drop_errors():
                (_drop(work, asked["drop"]) / sealed["name"]).unlink(missing_ok=True)


def _sealed(work: Any, job: Job, asked: Row, batches: list[Row]) -> Row:
    keys = work.read(lambda unit: store_records.keys_of(unit, job.exit_id, job.activity))
    head = {
        "exit_id": job.exit_id, "activity": job.activity,
        "keys": [_key(each) for each in keys], "batches": [{name: each[name] for name in _HEAD} for each in batches],
    }  # fmt: skip
    target = _drop(work, asked["drop"]) / f"record-proof-{job.job_id}-{secrets.token_hex(4)}.age"
    with drops.drop_errors():
        digest, size = _write(target, asked["recipient"], _plain(work, head, batches))
    return {
        "activity": job.activity, "job_id": job.job_id, "drop": asked["drop"], "name": target.name,
        "file_digest": digest, "file_bytes": size,
        "batches": len(batches), "records": sum(each["records"] for each in batches), "keys": len(keys),
        "recipient_digest": sha256(asked["recipient"].encode()).hexdigest(), "state": "sealed",
    }  # fmt: skip


def _key(row: Row) -> Row:
    return {"job_id": row["job_id"], "system": row["system"], "key": base64.b64encode(row["key"]).decode()}


def _drop(work: Any, name: str) -> Path:
    folders = drops.drop_folders(work.settings.drops) if work.settings.drops else {}
    if name not in folders:
        raise Unavailable("DROP_UNKNOWN", "the drop is not configured any more", field="OPHOR_DROPS", remedy="add it")
    return folders[name]


def _plain(work: Any, head: Row, batches: list[Row]) -> Iterator[bytes]:
    yield f"{FORM}\n{json.dumps(head, ensure_ascii=False, sort_keys=True, separators=(',', ':'))}\n".encode()
    for batch in batches:
        leaves = work.read(lambda unit, batch=batch: store_records.leaves_of(unit, batch))
        if len(leaves) != batch["records"] * SIZE:
            raise Unavailable("RECORDS_LOST", "commitments of a batch are not there any more", field="job_id")
        yield leaves


def _write(target: Path, recipient: str, plain: Iterator[bytes]) -> tuple[str, int]:
    """Seal into the drop and read back; give digest and size of the sealed bytes."""
    written: list[drops.Digesting] = []

    def fill(file: Any) -> None:
        written.append(drops.Digesting(file))
        pyrage.encrypt_io(_Stream(plain), written[0], [drops.recipient_key(recipient)])

    drops.write_atomically(target, fill)
    digest = written[0].sha.hexdigest()
    if drops.digest_of(target) != digest:
        raise Unavailable(
            "PACKAGE_READBACK_MISMATCH", "what lies in the drop is not what was written there", field="drop",
            remedy="look at the drop's storage and try again",
        )  # fmt: skip
    return digest, written[0].size


class _Stream:
    """Pieces as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def read(self, size: int = -1) -> bytes:
        """Give at most `size` bytes; nothing at the end."""
        while not self._rest and (piece := next(self._pieces, None)) is not None:
            self._rest = piece
        size = len(self._rest) if size < 0 else size
        given, self._rest = self._rest[:size], self._rest[size:]
        return given


def _tell_sealed(unit: Any, job: Job, sealed: Row) -> bool:
    if store_records.load_file(unit, job) is not None:
        return False
    store_records.save_file(unit, job, sealed)
    names = ("file_digest", "file_bytes", "batches", "records", "recipient_digest")
    told = ground.named(job) | {name: sealed[name] for name in names} | {"on": unit.today}
    unit.emit("deletion.records_sealed", job.exit_id, told)
    send(unit, job, "destroy_records")
    return True


def destroy(work: Any, job: Job) -> None:
    """Destroy our keys and commitments, look whether any is left, and tell it (3.)."""
    file = work.read(lambda unit: store_records.load_file(unit, job))
    if file is None or file["state"] != "sealed":
        return
    _take_away_others(work, job, file)
    while batches := work.read(lambda unit: store_records.batches_of(unit, job.exit_id, job.activity)):
        some = batches[:_AT_ONCE]
        work.transaction(lambda unit, some=some: store_records.drop_leaves(unit, some))
    work.transaction(lambda unit: store_records.drop_keys(unit, job.exit_id, job.activity))
    if work.read(lambda unit: store_records.left(unit, job.exit_id, job.activity)):
        raise Unavailable("RECORDS_LEFT", "keys or commitments are still there", field="job_id", remedy="try again")
    work.commit(lambda unit: _tell_destroyed(unit, job))


def _take_away_others(work: Any, job: Job, file: Row) -> None:
    folder = _drop(work, file["drop"])
    with drops.drop_errors():
        for path in folder.glob(f"*record-proof-{glob.escape(job.job_id)}-*"):
            if path.name != file["name"]:
                path.unlink(missing_ok=True)


def _tell_destroyed(unit: Any, job: Job) -> None:
    file = store_records.load_file(unit, job)
    if file is None or file["state"] != "sealed":
        return
    store_records.save_file(unit, job, {"state": "destroyed"})
    told = ground.named(job) | {name: file[name] for name in ("file_digest", "keys", "batches", "records")}
    unit.emit("deletion.records_destroyed", job.exit_id, told | {"remains": list(REMAINS), "on": unit.today})

"""What proof for single records needs here, for as long as it is needed: `record_proofs` (who asked, and to which key),
`record_keys` (one a job and system), `record_leaves` (one document a batch), `record_files` (what was sealed).

Keys and leaves lie here from a job's beginning until they were sealed for the customer; then they are destroyed.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from services.deletion.domain import Job
from shared.rules.commitments import SIZE
from shared.store.unit import Unit

Row = dict[str, Any]
_WITHOUT_LEAVES = {"leaves": 0}


def asked(unit: Unit, exit_id: str) -> Row | None:
    """Read to which key an exit's proof is sealed and into which drop; None where nobody asked for it."""
    return unit.db.record_proofs.find_one({"_id": exit_id}, session=unit.session)


def save_asked(unit: Unit, exit_id: str, recipient: str, drop: str) -> None:
    """Write to which key an exit's proof is sealed."""
    row = {"_id": exit_id, "recipient": recipient, "drop": drop}
    unit.db.record_proofs.replace_one({"_id": exit_id}, row, upsert=True, session=unit.session)


def make_keys(unit: Unit, job: Job) -> None:
    """Make a key for each system in which the job deletes."""
    for system in dict.fromkeys(system for system, _ in job.queue):
        row: Row = {"_id": f"{job.job_id}/{system}", "exit_id": job.exit_id, "activity": job.activity}
        row |= {"job_id": job.job_id, "system": system, "key": secrets.token_bytes(SIZE)}
        unit.db.record_keys.insert_one(row, session=unit.session)


def key_of(unit: Unit, job: Job, system: str) -> bytes | None:
    """Read the key of a job's system."""
    row = unit.db.record_keys.find_one({"_id": f"{job.job_id}/{system}"}, session=unit.session)
    return bytes(row["key"]) if row else None


def keep_leaves(unit: Unit, job: Job, batch: Row, leaves: Sequence[bytes]) -> None:
    """Keep a batch's commitments (number, system, place, kind, columns, root)."""
    key = f"{job.job_id}/{batch['number']}"
    row = {"_id": key, "exit_id": job.exit_id, "activity": job.activity, "job_id": job.job_id, **batch}
    row |= {"records": len(leaves), "leaves": b"".join(leaves)}
    unit.db.record_leaves.replace_one({"_id": key}, row, upsert=True, session=unit.session)


def keys_of(unit: Unit, exit_id: str, activity: str) -> list[Row]:
    """List the keys of an activity's jobs."""
    query = {"exit_id": exit_id, "activity": activity}
    return list(unit.db.record_keys.find(query, session=unit.session).sort("_id", 1))


def batches_of(unit: Unit, exit_id: str, activity: str) -> list[Row]:
    """List the batches of an activity's jobs that have commitments, without these."""
    query = {"exit_id": exit_id, "activity": activity}
    order = [("job_id", 1), ("number", 1)]
    return list(unit.db.record_leaves.find(query, _WITHOUT_LEAVES, session=unit.session).sort(order))


def leaves_of(unit: Unit, batch: Row) -> bytes:
    """Read a batch's commitments, one after another."""
    row = unit.db.record_leaves.find_one({"_id": batch["_id"]}, {"leaves": 1}, session=unit.session)
    return bytes(row["leaves"]) if row else b""


def files_of(unit: Unit, exit_id: str) -> list[Row]:
    """List what was sealed of an exit."""
    return list(unit.db.record_files.find({"exit_id": exit_id}, session=unit.session).sort("made", 1))


def load_file(unit: Unit, job: Job) -> Row | None:
    """Read what was sealed after a job."""
    return unit.db.record_files.find_one({"_id": job.job_id}, session=unit.session)


def save_file(unit: Unit, job: Job, file: Row) -> None:
    """Write what was sealed after a job."""
    change = {"$set": {"exit_id": job.exit_id, **file}, "$setOnInsert": {"made": unit.now}}
    unit.db.record_files.update_one({"_id": job.job_id}, change, upsert=True, session=unit.session)


def drop_leaves(unit: Unit, batches: Iterable[Row]) -> None:
    """Delete the commitments of these batches."""
    wanted = {"_id": {"$in": [each["_id"] for each in batches]}}
    unit.db.record_leaves.delete_many(wanted, session=unit.session)


def drop_keys(unit: Unit, exit_id: str, activity: str) -> None:
    """Delete the keys of an activity's jobs."""
    unit.db.record_keys.delete_many({"exit_id": exit_id, "activity": activity}, session=unit.session)


def left(unit: Unit, exit_id: str, activity: str) -> int:
    """Count the keys and commitments of an activity that are still here."""
    query = {"exit_id": exit_id, "activity": activity}
    found = [unit.db[name].count_documents(query, session=unit.session) for name in ("record_keys", "record_leaves")]
    return sum(found)

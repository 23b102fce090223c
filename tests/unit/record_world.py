"""An exit whose last deletion has commitments to its records, and the opened file of them: the tests' own code."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from tests.unit import evidence_world as given
from tests.unit import record_reader as reader
from tests.unit.evidence_world import EXIT, Event, sha

SYSTEM, PLACE, JOB = "pladsanvisning", "barn", "job-D7a"
KEY = bytes(range(32))
HALVES = ([f"{number:04}" for number in range(20)], [f"{number:04}" for number in range(20, 40)])


@dataclass
class File:
    """An opened file of records; tests forge what they like."""

    exit_id: str = EXIT
    key: bytes = KEY
    columns: list[str] = field(default_factory=lambda: ["id"])
    batches: list[tuple[int, list[bytes]]] = field(default_factory=list)
    said: int = 0
    kind: str = "postgresql"

    def __bytes__(self) -> bytes:
        rows = [
            {"job_id": JOB, "number": number, "system": SYSTEM, "place": PLACE, "kind": self.kind,
             "columns": self.columns, "records": len(leaves) + self.said,
             "root": reader.batch_root(self.key, SYSTEM, PLACE, leaves)}
            for number, leaves in self.batches
        ]  # fmt: skip
        key = {"job_id": JOB, "system": SYSTEM, "key": base64.b64encode(self.key).decode()}
        head: dict[str, Any] = {"exit_id": self.exit_id, "activity": "D7a", "keys": [key], "batches": rows}
        body = json.dumps(head, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        leaves = b"".join(leaf for _, mine in self.batches for leaf in mine)
        return b"ophor-record-proof/v1\n" + body + b"\n" + leaves


def leaves_of(half: int) -> list[bytes]:
    return [reader.commitment(KEY, SYSTEM, PLACE, [one]) for one in HALVES[half]]


def true_file() -> File:
    return File(batches=[(number, leaves_of(number)) for number in (0, 1)])


def sealed(records: int = 40, batches: int = 2) -> Event:
    return "deletion.records_sealed", {
        "exit_id": EXIT, "activity": "D7a", "job_id": JOB, "file_digest": sha("file"), "file_bytes": 2000,
        "batches": batches, "records": records, "recipient_digest": sha("age1"), "on": "2026-10-05",
    }  # fmt: skip


def destroyed(records: int = 40, batches: int = 2) -> Event:
    return "deletion.records_destroyed", {
        "exit_id": EXIT, "activity": "D7a", "job_id": JOB, "file_digest": sha("file"), "keys": 1, "batches": batches,
        "records": records, "remains": ["LOG", "REPLICAS", "DISK"], "on": "2026-10-05",
    }  # fmt: skip


def deletion(*after: Event) -> list[Event]:
    """The whole exit; its last deletion in two batches with roots, and `after` it what became of the commitments."""
    events: list[Event] = []
    for wire, data in given.deleted_exit():
        mine = data.get("job_id") == JOB
        if mine and wire == "deletion.deletion_batch_closed":
            for number in (0, 1):
                root = reader.batch_root(KEY, SYSTEM, PLACE, leaves_of(number))
                events.append((wire, data | {"batch": number, "planned": 20, "deleted": 20, "records_root": root}))
        else:
            events.append((wire, data | ({"batches": 2} if mine and wire.endswith("executed") else {})))
    return [*events, *after]

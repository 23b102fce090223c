"""The part of deletion's face about proof for single records (evidence.md §1.6): asked for by the customer, and read.

Who asked for it has every job that begins from then on commit to its records; of one that had begun before nothing can
be proved afterwards, and the answer says so.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

from contracts.errors import Rejected
from services.deletion import store, store_records
from services.deletion.calling import owned
from shared.bus.faces import command, query
from shared.runtime.drops import drop_folders, recipient_key

_FILE = ("activity", "job_id", "name", "file_digest", "file_bytes", "batches", "records", "state")


class Recording:
    """Proof for single records."""

    @command
    def ask_record_proof(self, unit: Any, call: Any) -> dict[str, Any]:
        """Have deletions commit to their records, sealed to the customer's own key."""
        exit_, data, role = owned(unit, call), call.data, call.actor.role_for("deletion.ask_record_proof")
        recipient = str(recipient_key(data["recipient"]))
        _require_drop(data["drop"])
        store.claim_exit(unit, exit_.exit_id)
        known = store_records.asked(unit, exit_.exit_id)
        if known is None or (known["recipient"], known["drop"]) != (recipient, data["drop"]):
            store_records.save_asked(unit, exit_.exit_id, recipient, data["drop"])
            told = {"exit_id": exit_.exit_id, "recipient_digest": sha256(recipient.encode()).hexdigest()}
            told |= {"drop": data["drop"], "actor": call.actor.id, "role": role, "on": unit.today}
            unit.emit("deletion.record_proof_asked", exit_.exit_id, told)
        return {"exit_id": exit_.exit_id, "state": "asked", "without": _without(unit, exit_.exit_id)}

    @query
    def read_record_proof(self, unit: Any, call: Any) -> dict[str, Any]:
        """Tell whether proof for single records was asked for, what was sealed, and which deletions have none."""
        exit_id = owned(unit, call).exit_id
        known = store_records.asked(unit, exit_id)
        files = [{name: each[name] for name in _FILE} for each in store_records.files_of(unit, exit_id)]
        answer = {"exit_id": exit_id, "state": "asked" if known else "not_asked", "files": files}
        return answer | {"drop": known["drop"] if known else None, "without": _without(unit, exit_id)}


def _without(unit: Any, exit_id: str) -> list[str]:
    return [job.job_id for job in store.jobs_of(unit, exit_id) if job.begun and not job.records]


def _require_drop(name: str) -> None:
    file = os.environ.get("OPHOR_DROPS", "")
    known = drop_folders(Path(file)) if file else {}
    if name not in known:
        raise Rejected(
            "DROP_UNKNOWN", "there is no such drop", field="drop",
            remedy=f"use one of: {', '.join(sorted(known)) or '(none is configured)'}",
            da="Afleveringsstedet er ikke kendt.",
        )  # fmt: skip

"""Redaction by salt: one entry of the log is forgotten, and the log says so (evidence.md §1.7).

Rules kept here:
1. It takes two people of the two parties: one proposes a place and a reason of a closed list, the other confirms
   exactly that. Neither says what the entry is: its kind, number and leaf hash are read from the log.
2. REDACTED is appended, and the event and salt go, in one transaction of the ledger's (`ledger.py`). The leaf's hash
   stays, so that every other proof is as valid as before.
3. What says that something was forgotten is never forgotten by itself (`KEPT`); it goes with the whole exit's evidence.
4. A certificate needs most kinds of entries (`domain/forgetting.py`): where one of those was forgotten, it is refused
   (`EVIDENCE_REDACTED`).
"""

from __future__ import annotations

import hashlib
from typing import Any

from contracts.errors import Rejected
from contracts.roles import PARTY
from services.compliance import store
from services.compliance.domain.forgetting import KEPT, REDACTED
from services.compliance.log import tree
from services.compliance.store import forgetting as kept


def propose(unit: Any, call: Any) -> dict[str, Any]:
    """Keep a proposal; raise Rejected ENTRY_UNKNOWN, ENTRY_FORGOTTEN, ENTRY_KEPT."""
    asked = {name: call.data[name] for name in ("exit_id", "index", "reason")}
    found = _entry(unit, asked["exit_id"], asked["index"])
    made = "red-" + hashlib.sha256(call.id.encode()).hexdigest()[:24]
    by = _signature(call, "compliance.propose_redaction")
    row = {"_id": made, **asked, "kind": found["kind"], "state": "proposed", "approvals": [by]}
    kept.save_redaction(unit, row)
    return shown(unit, row)


def confirm(unit: Any, call: Any) -> dict[str, Any]:
    """Take the other party's word, and have the ledger forget the entry; raise Rejected, as rule 1 asks for it."""
    row = kept.redaction(unit, call.data["redaction_id"])
    if row is None or any(row[name] != call.data[name] for name in ("exit_id", "index", "reason")):
        raise _rejected("REDACTION_DIFFERS", "redaction_id", "nothing like that was proposed", "list the redactions")
    if row["state"] != "proposed":
        return shown(unit, row)
    first, by = row["approvals"][0], _signature(call, "compliance.confirm_redaction")
    if first["actor"] == by["actor"] or PARTY[first["role"]] == PARTY[by["role"]]:
        raise _rejected("TWO_PARTIES", "actor", "the one who proposed it cannot confirm it", "the other party confirms")
    found = _entry(unit, row["exit_id"], row["index"])
    row |= {"state": "confirmed", "approvals": [first, by]}
    kept.save_redaction(unit, row)
    entry = {"index": row["index"], "n": found["n"], "was": found["kind"], "reason": row["reason"]}
    entry |= {"leaf": tree.leaf_hash(bytes(found["leaf"])).hex(), "approvals": row["approvals"]}
    store.offer(unit, {"ref": row["_id"], "exit_id": row["exit_id"], "kind": REDACTED, "entry": entry})
    return shown(unit, row)


def shown(unit: Any, row: dict[str, Any]) -> dict[str, Any]:
    """Give a redaction as the contract has it; it is done when the entry is forgotten."""
    found = kept.entry(unit, row["exit_id"], row["index"])
    done = row["state"] == "confirmed" and (found is None or "leaf" not in found)
    names = ("exit_id", "index", "kind", "reason")
    return {"redaction_id": row["_id"], "state": "done" if done else row["state"], **{one: row[one] for one in names}}


def _entry(unit: Any, exit_id: str, index: int) -> dict[str, Any]:
    found = kept.entry(unit, exit_id, index)
    if found is None:
        raise _rejected("ENTRY_UNKNOWN", "index", "the exit has no entry there", "`ophor evidence fsck` knows places")
    if "leaf" not in found:
        raise _rejected("ENTRY_FORGOTTEN", "index", "this entry was forgotten before", "nothing is left to be done")
    if found["kind"] in KEPT:
        raise _rejected("ENTRY_KEPT", "index", "what says that something was forgotten is kept", "see the retention")
    return found


def _signature(call: Any, wire: str) -> dict[str, str]:
    return {"actor": call.actor.id, "role": call.actor.role_for(wire)}


def _rejected(code: str, field: str, message: str, remedy: str) -> Rejected:
    return Rejected(code, message, field=field, remedy=remedy, da=f"Posten kan ikke slettes fra loggen ({code}).")

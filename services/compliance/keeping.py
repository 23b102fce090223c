"""The part of compliance's face that forgets: redactions, and the end of an exit's evidence."""

from __future__ import annotations

from typing import Any

from contracts.errors import Rejected
from services.compliance.asking import allow
from services.compliance.evidence import entry_of
from services.compliance.log import redaction, retention
from services.compliance.store import forgetting as kept
from services.compliance.store import offer
from shared.bus.faces import command, on, query


class Keeping:
    """What is forgotten, by whose word, and when."""

    @command
    def propose_redaction(self, unit: Any, call: Any) -> dict[str, Any]:
        """Propose that one entry be forgotten."""
        allow(unit, call, call.data["exit_id"])
        return redaction.propose(unit, call)

    @command
    def confirm_redaction(self, unit: Any, call: Any) -> dict[str, Any]:
        """Confirm, as the other party, exactly what was proposed."""
        allow(unit, call, call.data["exit_id"])
        return redaction.confirm(unit, call)

    @query
    def list_redactions(self, unit: Any, call: Any) -> dict[str, Any]:
        """List an exit's redactions."""
        exit_id = call.data["exit_id"]
        allow(unit, call, exit_id)
        return {
            "exit_id": exit_id,
            "redactions": [redaction.shown(unit, row) for row in kept.redactions(unit, exit_id)],
        }

    @command
    def keep_evidence(self, unit: Any, call: Any) -> dict[str, Any]:
        """Keep an exit's evidence longer, on the controller's instruction."""
        allow(unit, call, call.data["exit_id"])
        return retention.extend(unit, call)

    @command
    def release_evidence(self, unit: Any, call: Any) -> dict[str, Any]:
        """End an offered exit's retention now: the controller has the bundle."""
        allow(unit, call, call.data["exit_id"])
        return retention.release(unit, call.data["exit_id"])

    @query
    def list_retention(self, unit: Any, call: Any) -> dict[str, Any]:
        """List the exits of the caller's customers whose evidence is in a state."""
        rows = [row for row in kept.retentions(unit, call.data["state"]) if _mine(unit, call, row["_id"])]
        return {"exits": [retention.shown(unit, row) for row in rows]}

    @on("compliance.retention_due")
    def on_compliance_retention_due(self, unit: Any, told: Any) -> None:
        """Offer the bundle to the customer, and log that the day came."""
        _log(unit, told)
        retention.offer(unit, told.data["exit_id"], told.data["on"])

    @on("compliance.retention_over")
    def on_compliance_retention_over(self, unit: Any, told: Any) -> None:
        """End the retention where nobody has answered the offer; RETENTION_ENDED says so."""
        retention.over(unit, told.data["exit_id"], told.data["on"])


def _log(unit: Any, told: Any) -> None:
    kind, entry = entry_of(told.wire, told.data)
    offer(unit, {"ref": told.id, "exit_id": told.data["exit_id"], "kind": kind, "entry": entry})


def _mine(unit: Any, call: Any, exit_id: str) -> bool:
    try:
        allow(unit, call, exit_id)
    except Rejected:
        return False
    return True

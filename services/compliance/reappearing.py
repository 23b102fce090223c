"""What follows by itself when deleted rows are there again, and when they are deleted again (T16).

Rules kept here:
1. Rows that returned disprove every certificate of their deletion: what is issued is withdrawn in the transaction that
   hears of them, and what is on its way fails.
2. Once the log says that they are deleted again, their RE-DELETION is drawn up by the same rules as if it had been
   asked for; where it is refused, every reason is kept, and anybody who may ask can ask again. While more of the same
   deletion is there again it is not drawn up yet: the last replay has it drawn up.
"""

from __future__ import annotations

from typing import Any

from contracts.errors import Unavailable
from services.compliance import domain, issuing, store
from services.compliance.facts.restores import WITHDRAWN_STAGES

REASON = "DATA_FOUND"


def heard(unit: Any, told: Any, kind: str) -> None:
    """Withdraw what the returned rows disprove (rule 1)."""
    if told.wire != "deletion.reappearance_found":
        return
    for row in store.certificates(unit, told.data["exit_id"]):
        if issuing.rules_stage(row) not in WITHDRAWN_STAGES or told.data["activity"] not in row["activities"]:
            continue
        if row["state"] in issuing.ON_ITS_WAY:
            why = f"{told.data['activity']}: {told.data['rows']} rows have returned"
            issuing.fail(unit, row, [domain.Refusal("REAPPEARED", why)])
        else:
            issuing.revoke_by_itself(unit, row, REASON, kind)


def certify(unit: Any, told: Any, kind: str) -> None:
    """Have the RE-DELETION of a replayed deletion drawn up, or keep why it cannot be (rule 2)."""
    exit_id = told.data["exit_id"]
    asked = domain.Asked(domain.REDELETION, unit.today, (told.data["activity"],))
    before = issuing.standing_request(unit, exit_id, asked, None)
    if before and before["state"] != "failed":
        return
    reasons = domain.refusals(store.facts(unit, exit_id), asked, store.known(unit, exit_id, kind, log_checks=True))
    if any(one.code == "EVIDENCE_HELD" for one in reasons):
        raise Unavailable("EVIDENCE_HELD", "entries wait for what must be in the log before them")
    if any(one.code == "REAPPEARED" for one in reasons):
        return
    fresh = store.new_certificate(exit_id, asked, kind, told.id)
    if reasons:
        store.save_certificate(unit, issuing.refused_row(unit, fresh, reasons))
    else:
        issuing.begin(unit, before or fresh)

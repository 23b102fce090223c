"""How long an exit's evidence is kept, and how it ends (evidence.md §3).

Rules kept here:
1. It is kept until five years after the exit's last stage: each certificate that is issued moves the day. The
   controller may instruct a later day, never an earlier one.
2. The day after, by the rules' clock, the bundle is offered to the customer for `OFFER_DAYS`; nothing goes meanwhile.
   The controller may take it and release the rest at once, or instruct a later day.
3. Then salts, events, documents, statements and names go, and the log says so (RETENTION_ENDED), in one transaction of
   the ledger's. What stays: leaf hashes, certificates' numbers and digests, and the customer's CVR number.
4. A timer that comes late (the day was moved meanwhile) does nothing.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from contracts.errors import Rejected
from services.compliance import store
from services.compliance.domain.forgetting import ENDED
from services.compliance.store import forgetting as kept

YEARS, OFFER_DAYS = 5, 90
DAY = timedelta(days=1)
EXTENDED = "RETENTION_EXTENDED"


def follow(unit: Any, exit_id: str, issued_on: date) -> None:
    """Count again from a certificate issued on this day (rule 1)."""
    row = kept.retention(unit, exit_id)
    until = issued_on + relativedelta(years=YEARS)
    if row is not None and date.fromisoformat(row["until"]) >= until:
        return
    _run_until(unit, exit_id, until)


def offer(unit: Any, exit_id: str, on: date) -> None:
    """Offer the bundle to the customer: the day `on` was the last (rules 2 and 4)."""
    row = kept.retention(unit, exit_id)
    if row is None or row["state"] != "running" or row["until"] != on.isoformat():
        return
    ends = unit.today + timedelta(days=OFFER_DAYS)
    kept.save_retention(unit, row | {"state": "offered", "offered_on": unit.today.isoformat(),
                                     "ends_on": ends.isoformat()})  # fmt: skip
    unit.at(
        ends + DAY, "compliance.retention_over", exit_id, {"exit_id": exit_id, "on": ends}, f"records-end/{exit_id}"
    )


def over(unit: Any, exit_id: str, on: date) -> None:
    """End the retention: nobody has answered the offer until `on` (rules 3 and 4)."""
    row = kept.retention(unit, exit_id)
    if row is not None and row["state"] == "offered" and row["ends_on"] == on.isoformat():
        _end(unit, row, "OFFER_EXPIRED")


def release(unit: Any, exit_id: str) -> dict[str, Any]:
    """End the retention now, as the controller who has the bundle; raise Rejected while it is not offered."""
    row = _known(unit, exit_id)
    if row["state"] == "offered":
        row = _end(unit, row, "RELEASED")
    elif row["state"] == "running":
        raise Rejected(
            "RETENTION_RUNS", f"the evidence is kept until {row['until']}", field="exit_id",
            remedy="wait until it is offered", da=f"Beviserne opbevares til {row['until']}.",
        )  # fmt: skip
    return shown(unit, row)


def extend(unit: Any, call: Any) -> dict[str, Any]:
    """Keep it longer on the controller's instruction; raise Rejected RETENTION_SHORTER, RETENTION_ENDED."""
    exit_id, until = call.data["exit_id"], call.data["until"]
    row = _known(unit, exit_id)
    if row["state"] in ("released", "ended"):
        raise Rejected(ENDED, "the retention has ended", field="exit_id", remedy="nothing is left to be kept",
                       da="Opbevaringen er ophørt.")  # fmt: skip
    if until <= max(date.fromisoformat(row["until"]), unit.today):
        raise Rejected(
            "RETENTION_SHORTER", f"it is kept until {row['until']} as it is", field="until", remedy="a later day",
            da="En instruks kan kun forlænge opbevaringen.",
        )  # fmt: skip
    role = call.actor.role_for("compliance.keep_evidence")
    entry = {"until": until.isoformat(), "digest": call.data["digest"], "actor": call.actor.id, "role": role}
    store.offer(unit, {"ref": f"keep-{call.id}"[:80], "exit_id": exit_id, "kind": EXTENDED, "entry": entry})
    return shown(unit, _run_until(unit, exit_id, until))


def shown(unit: Any, row: dict[str, Any]) -> dict[str, Any]:
    """Give a retention as the contract has it."""
    days = {name: date.fromisoformat(row[name]) if row.get(name) else None for name in ("offered_on", "ends_on")}
    issued = [one["_id"] for one in store.certificates(unit, row["_id"]) if one["state"] == "issued"]
    head = {"exit_id": row["_id"], "state": row["state"], "until": date.fromisoformat(row["until"])}
    return {**head, **days, "certificates": issued}


def _run_until(unit: Any, exit_id: str, until: date) -> dict[str, Any]:
    row = {"_id": exit_id, "state": "running", "until": until.isoformat(), "offered_on": None, "ends_on": None}
    kept.save_retention(unit, row)
    unit.cancel(f"records-end/{exit_id}")
    unit.at(until + DAY, "compliance.retention_due", exit_id, {"exit_id": exit_id, "on": until}, f"records/{exit_id}")
    return row


def _end(unit: Any, row: dict[str, Any], how: str) -> dict[str, Any]:
    unit.cancel(f"records-end/{row['_id']}")
    row = row | {"state": "released"}
    kept.save_retention(unit, row)
    entry = {"how": how, "kept_until": row["until"], "offered_on": row["offered_on"], "on": unit.today.isoformat()}
    ref = f"end-{row['_id']}"[:80]
    store.offer(unit, {"ref": ref, "exit_id": row["_id"], "kind": ENDED, "entry": entry})
    return row


def _known(unit: Any, exit_id: str) -> dict[str, Any]:
    row = kept.retention(unit, exit_id)
    if row is None:
        raise Rejected(
            "RETENTION_UNKNOWN", "no certificate of this exit was issued yet", field="exit_id",
            remedy="the retention begins with the first certificate", da="Der er endnu ikke udstedt et bevis.",
        )  # fmt: skip
    return row

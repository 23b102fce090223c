"""What is told of a plan of keys, by face and hands alike: that it was drawn up, refused or stopped."""

from __future__ import annotations

from typing import Any

from contracts.deletion_keys import ACTIVITY
from services.deletion import store_shreddings as kept
from services.deletion.domain import shredding
from services.deletion.domain.shredding import Shredding

WIRE = (*shredding.FIXED, "ask_on", "ends_on", "in_time")


def stop(unit: Any, exit_id: str, job_id: str, code: str) -> None:
    """Stop a plan that has not ended."""
    before = kept.load(unit, exit_id, job_id)
    if before is None or (before.state, "stop") not in shredding.TRANSITIONS:
        return
    kept.save(unit, before.after("stop", stopped_code=code))
    told = {"exit_id": exit_id, "activity": ACTIVITY, "job_id": job_id, "code": code, "on": unit.today}
    unit.emit("deletion.shredding_stopped", exit_id, told)


def tell_planned(unit: Any, planned: Shredding) -> None:
    """Tell a plan to those who approve it, and the sets that are refused to the log."""
    if planned.refused:
        told = {"exit_id": planned.exit_id, "sets": list(planned.refused), "on": unit.today}
        unit.emit("deletion.shredding_refused", planned.exit_id, told)
    if planned.state == "planned":
        rows = [{name: row[name] for name in WIRE} for row in planned.sets]
        told = {"activity": ACTIVITY, "job_id": planned.job_id, "plan_digest": planned.plan_digest, "sets": rows}
        unit.emit("deletion.shredding_planned", planned.exit_id, {"exit_id": planned.exit_id, **told, "on": unit.today})

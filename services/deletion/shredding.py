"""The part of deletion's face that ends encrypted backup sets with their keys: planned when D9 is due, and on demand.

A plan is approved like every deletion's (activity D9, two people in two roles, its digest); the permit that follows has
the hand `delete` ask every holder of a key, and the hand `verify` look for every copy until it is destroyed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from contracts.deletion_keys import ACTIVITY
from contracts.errors import Rejected
from services.deletion import domain, store
from services.deletion import store_shreddings as kept
from services.deletion.calling import owned
from services.deletion.domain import Exit, shredding
from services.deletion.domain.shredding import OPEN, Shredding
from shared.bus.faces import command, query


class Shredder:
    """Keys of backup sets on the bus."""

    @command
    def plan_shredding(self, unit: Any, call: Any) -> dict[str, Any]:
        """Have the destruction of the exit's keys planned anew; what was approved of the plan before is void."""
        exit_ = owned(unit, call)
        if not _deleted(unit, exit_):
            raise Rejected(
                "SHREDDING_NOT_DUE", "backups are deleted after the live systems (S1 §7, D9), and these are not yet",
                field="exit_id", remedy="wait until every deletion of the plan is verified",
                da="Backup slettes efter de aktive systemer, og de er ikke slettet endnu.",
            )  # fmt: skip
        if not kept.keyed(unit, exit_.exit_id):
            raise Rejected(
                "NO_KEYS", "no backup set that is left has a key of its own", field="exit_id",
                remedy="register the sets with their keys (docs/backups.md)", da="Ingen backupsæt har en egen nøgle.",
            )  # fmt: skip
        new = _request(unit, exit_, call.data["by"])
        return {"exit_id": exit_.exit_id, "job_id": new.job_id, "state": new.state}

    @query
    def read_shredding(self, unit: Any, call: Any) -> dict[str, Any]:
        """Tell of the latest plan."""
        exit_id = owned(unit, call).exit_id
        plans = kept.shreddings_of(unit, exit_id)
        last = plans[-1] if plans else None
        if last is None:
            empty: dict[str, Any] = {
                "job_id": None,
                "plan_digest": None,
                "stopped_code": None,
                "sets": [],
                "refused": [],
            }
            return {"exit_id": exit_id, "state": "none", **empty}
        return {
            "exit_id": exit_id, "job_id": last.job_id, "state": last.state, "plan_digest": last.plan_digest or None,
            "stopped_code": last.stopped_code, "sets": list(last.sets), "refused": list(last.refused),
        }  # fmt: skip


def due(unit: Any, exit_: Exit) -> None:
    """Plan what is due (D9): the keys of the sets that have one; nothing where none has, or where it is under way."""
    plans = kept.shreddings_of(unit, exit_.exit_id)
    under_way = bool(plans) and plans[-1].begun
    if kept.keyed(unit, exit_.exit_id) and not under_way:
        _request(unit, exit_, None)


def permitted(unit: Any, data: Mapping[str, Any]) -> None:
    """Keep the permit of a plan and have it begin; for any other a permit is without effect."""
    before = kept.load(unit, data["exit_id"], data["job_id"])
    if before is None or before.state != "planned":
        return
    permit = {name: data[name] for name in ("plan_digest", "approvals", "intent_index", "valid_until")}
    kept.save(unit, before.after("permit", permit=permit))
    unit.send("deletion.delete.destroy_keys", {"exit_id": before.exit_id, "job_id": before.job_id})


def cancelled(unit: Any, data: Mapping[str, Any]) -> bool:
    """Answer a request to cancel a plan truly; tell whether there is such a plan."""
    before = kept.load(unit, data["exit_id"], data["job_id"])
    if before is None:
        return False
    told = {"exit_id": before.exit_id, "activity": ACTIVITY, "job_id": before.job_id, "on": unit.today}
    if before.begun:
        unit.emit(domain.ALREADY_BEGUN, before.exit_id, told | {"batches": 0})
    elif before.state in OPEN:
        kept.save(unit, before.after("cancel"))
        unit.emit(domain.CANCELLED, before.exit_id, told)
    return True


def _deleted(unit: Any, exit_: Exit) -> bool:
    """Tell whether every live system of the exit was verified as deleted."""
    live = {name for name, deletion in exit_.systems.items() if deletion != "index"}
    return live <= {
        name for job in store.jobs_of(unit, exit_.exit_id) if job.state == "verified" for name in job.systems
    }


def _request(unit: Any, exit_: Exit, by: date | None) -> Shredding:
    store.claim_exit(unit, exit_.exit_id)
    new, replaced = shredding.requested(exit_, kept.shreddings_of(unit, exit_.exit_id), by)
    if replaced is not None:
        cancelled(unit, {"exit_id": exit_.exit_id, "job_id": replaced.job_id})
    kept.save(unit, new)
    unit.send("deletion.verify.plan_shredding", {"exit_id": exit_.exit_id, "job_id": new.job_id})
    return new

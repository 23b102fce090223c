"""The part of deletion's face that keeps data where it is: holds placed, lifted, or set aside by two (evidence §5)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from contracts.roles import PARTY
from services.deletion import domain, store
from services.deletion.calling import owned
from services.deletion.domain import Hold, Override
from shared.bus.faces import command, query


class Holding:
    """Holds."""

    @command
    def place_hold(self, unit: Any, call: Any) -> dict[str, Any]:
        """Place a hold on one system or on all: until it is lifted no job that has it begins or goes on."""
        exit_, data, role = owned(unit, call), call.data, call.actor.role_for("deletion.place_hold")
        new = Hold("", exit_.exit_id, data["system"], data["basis"], data["digest"], PARTY[role])
        store.claim_exit(unit, exit_.exit_id)
        known = store.holds_of(unit, exit_.exit_id)
        hold = domain.place(exit_, new, known)
        if hold not in known:
            store.save_hold(unit, hold)
            told = {name: data[name] for name in ("exit_id", "system", "basis", "digest")}
            told |= {"hold_id": hold.hold_id, "actor": call.actor.id, "role": role, "on": unit.today}
            unit.emit("deletion.hold_placed", exit_.exit_id, told)
        in_hand = store.rows_in_hand(unit, hold)
        return {"exit_id": exit_.exit_id, "hold_id": hold.hold_id, "state": hold.state, "in_hand": in_hand}

    @command
    def lift_hold(self, unit: Any, call: Any) -> dict[str, Any]:
        """Lift a hold."""
        exit_, data, role = owned(unit, call), call.data, call.actor.role_for("deletion.lift_hold")
        store.claim_exit(unit, exit_.exit_id)
        before = store.load_hold(unit, exit_.exit_id, data["hold_id"])
        hold = domain.lift(before, data["digest"], PARTY[role])
        if hold != before:
            store.save_hold(unit, hold)
            told = {name: data[name] for name in ("exit_id", "hold_id", "digest")}
            told |= {"actor": call.actor.id, "role": role, "on": unit.today}
            unit.emit("deletion.hold_lifted", exit_.exit_id, told)
        return {"exit_id": exit_.exit_id, "hold_id": hold.hold_id, "state": hold.state}

    @command
    def override_hold(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take one person's word that a hold shall be set aside; two of two parties do it. Refusals are recorded."""
        exit_, data, role = owned(unit, call), call.data, call.actor.role_for("deletion.override_hold")
        store.claim_exit(unit, exit_.exit_id)
        before = store.load_hold(unit, exit_.exit_id, data["hold_id"])
        asked = Override(call.actor.id, PARTY[role], data["reason"], data["digest"])
        hold, state, code = domain.override(before, asked)
        if hold is not None and hold != before:
            store.save_hold(unit, hold)
        if state == "refused" or hold != before:
            _tell_override(unit, call, role, before, (state, code))
        return {"exit_id": exit_.exit_id, "hold_id": data["hold_id"], "state": state, "code": code or None}

    @query
    def list_holds(self, unit: Any, call: Any) -> dict[str, Any]:
        """Tell of all holds of an exit, the lifted ones too."""
        exit_ = owned(unit, call)
        return {"exit_id": exit_.exit_id, "holds": [asdict(each) for each in store.holds_of(unit, exit_.exit_id)]}


def _tell_override(unit: Any, call: Any, role: str, before: Hold | None, answer: tuple[str, str]) -> None:
    """Tell an attempt to set a hold aside; what two people agreed on lifts it, for plan and certificates too."""
    told = {name: call.data[name] for name in ("exit_id", "hold_id", "reason", "digest")}
    told |= {"actor": call.actor.id, "role": role, "on": unit.today}
    state, code = answer
    if state == "refused":
        unit.emit("deletion.hold_override_refused", told["exit_id"], told | {"code": code})
    elif state == "requested":
        unit.emit("deletion.hold_override_requested", told["exit_id"], told)
    elif before is not None and before.override is not None:
        unit.emit("deletion.hold_overridden", told["exit_id"], told | {"requested_by": before.override.actor})
        lifted = {name: each for name, each in told.items() if name != "reason"}
        unit.emit("deletion.hold_lifted", told["exit_id"], lifted)

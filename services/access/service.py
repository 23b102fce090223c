"""The face of access: what the plan asks to freeze or close, attestations, and what was last seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from contracts.roles import PARTY
from services.access import domain, store
from shared.bus.faces import Face, command, on, query


class Access(Face):
    """Access on the bus."""

    name = "access"

    @command
    def attest(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take an attestation by the responsible party (C5, C6, D7b, D8)."""
        data, role = call.data, call.actor.role_for("access.attest")
        before = _owned(unit, call)
        changed = domain.attest(before, data["activity"], data["kind"], PARTY[role], data["digest"])
        if changed != before:
            store.save(unit, changed)
            told = {name: data[name] for name in ("exit_id", "activity", "kind", "digest")}
            told |= {"actor": call.actor.id, "role": role, "on": unit.today}
            unit.emit("access.access_attested", changed.exit_id, told)
        return {"exit_id": changed.exit_id, "state": "attested"}

    @query
    def read_access(self, unit: Any, call: Any) -> dict[str, Any]:
        """Tell what was last seen of every system's ways in."""
        exit_ = _owned(unit, call)
        return {"exit_id": exit_.exit_id, "systems": store.seen(unit, exit_.exit_id)}

    @on("orders.order_placed")
    def order_placed(self, unit: Any, told: Any) -> None:
        """Learn which systems there are; until looked at, each counts as open."""
        data, before = told.data, store.load(unit, told.data["exit_id"])
        if before.order is not None:
            return
        systems = tuple(system["system"] for system in data["systems"])
        order = domain.Order(data["customer_cvr"], data["tenant"], data["map_digest"], systems)
        for name in systems:
            row = {"system": name, "state": "open", "grants": 0, "verified": False, "on": None}
            store.see(unit, data["exit_id"], row)
        _advance(unit, replace(before, order=order))

    @on("orders.exit_cancelled")
    def exit_cancelled(self, unit: Any, told: Any) -> None:
        """Freeze and close nothing any more; what is frozen or closed stays so until people open it."""
        store.save(unit, replace(store.load(unit, told.data["exit_id"]), cancelled=True))

    @on("scheduling.activity_due")
    def activity_due(self, unit: Any, told: Any) -> None:
        """Note what is due; C2, D2, D3b and D7a are carried out by the hand."""
        before = store.load(unit, told.data["exit_id"])
        if domain.begins_anew(before, told.data["activity"]):
            store.forget_closed(unit, before.exit_id)
        changed = domain.with_due(before, told.data["activity"], told.data["systems"])
        if changed != before:
            _advance(unit, changed)

    @on("deletion.deletion_verified")
    def deletion_verified(self, unit: Any, told: Any) -> None:
        """Have the case index closed once its cleaning was verified."""
        before = store.load(unit, told.data["exit_id"])
        systems = [row["system"] for row in told.data["places"]]
        changed = domain.with_cleaned(before, told.data["activity"], told.data["result"], systems)
        if changed != before:
            _advance(unit, changed)


def _owned(unit: Any, call: Any) -> domain.Exit:
    exit_ = store.load(unit, call.data["exit_id"])
    call.actor.require_customer(exit_.require_order().customer_cvr)
    return exit_


def _advance(unit: Any, exit_: domain.Exit) -> None:
    """Send the control tasks that can be sent now, and save the exit with them."""
    for control in domain.ready(exit_):
        body = {"exit_id": exit_.exit_id, "activity": control.activity, "action": control.action}
        unit.send("access.control.control", body | {"systems": list(control.systems)})
    store.save(unit, domain.sent(exit_))

"""The face of delivery: needs, dispatch, the receipt, and the tasks that the plan's due dates set going."""

from __future__ import annotations

import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from services.delivery import domain, store
from shared.bus.faces import Face, command, on, query
from shared.runtime.drops import drop_folders, recipient_key


class Delivery(Face):
    """Delivery on the bus."""

    name = "delivery"

    @command
    def submit_needs(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the customer's data needs (B4)."""
        delivery = _owned(unit, call)
        changed = domain.with_needs(delivery, tuple(call.data["systems"]))
        store.advance(unit, changed)
        unit.emit("delivery.needs_submitted", changed.exit_id, _only(call.data, "exit_id", "digest"))
        return {"exit_id": changed.exit_id, "state": domain.state_of(changed, None)}

    @command
    def set_dispatch(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take how data go (B5)."""
        delivery = _owned(unit, call)
        recipient = str(recipient_key(call.data["recipient"]))
        drops = frozenset(drop_folders(Path(os.environ.get("OPHOR_DROPS", ""))))
        to, instruction = call.data["to"], call.data["transfer_instruction_digest"]
        changed = domain.with_dispatch(delivery, domain.Dispatch(call.data["drop"], recipient, to, instruction), drops)
        store.advance(unit, changed)
        told = _only(call.data, "exit_id", "to", "drop", "transfer_instruction_digest")
        told["recipient_digest"] = sha256(recipient.encode()).hexdigest()
        unit.emit("delivery.dispatch_set", changed.exit_id, told)
        return {"exit_id": changed.exit_id, "state": domain.state_of(changed, None)}

    @command
    def accept_delivery(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the receipt (C4) with the receiver's own digest."""
        delivery = _owned(unit, call)
        package = _newest(unit, delivery, call.data["package_id"])
        digest = package["sealed"]["digest"] if package["sealed"] else None
        domain.check_receipt(package["state"], digest, call.data["package_digest"])
        if package["state"] != "accepted":
            _accept(unit, call, delivery, package)
        return {"exit_id": delivery.exit_id, "state": "accepted"}

    @command
    def reject_delivery(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the customer's no (C4): C3 is done again, with another package."""
        delivery = _owned(unit, call)
        package = _newest(unit, delivery, call.data["package_id"])
        domain.refuse_cancelled(delivery)
        if domain.check_rejection(package, call.data["reason"], call.data["digest"]):
            _reject(unit, call, delivery, package)
        return {"exit_id": delivery.exit_id, "state": "rejected"}

    @query
    def read_delivery(self, unit: Any, call: Any) -> dict[str, Any]:
        """Tell how far the delivery is, place by place."""
        delivery = _owned(unit, call)
        return domain.account(delivery, store.load_package(unit, delivery.package_id))

    @on("orders.order_placed")
    def order_placed(self, unit: Any, told: Any) -> None:
        """Learn whose data lie where."""
        order = domain.Order(
            told.data["customer_cvr"],
            told.data["tenant"],
            told.data["map_digest"],
            tuple(system["system"] for system in told.data["systems"]),
        )
        store.advance(unit, replace(store.load(unit, told.data["exit_id"]), order=order))

    @on("orders.transfer_instructed")
    def transfer_instructed(self, unit: Any, told: Any) -> None:
        """Learn that data may go to the successor (S1 §9)."""
        delivery = store.load(unit, told.data["exit_id"])
        store.save(unit, replace(delivery, instructions=delivery.instructions | {told.data["digest"]}))

    @on("orders.exit_cancelled")
    def exit_cancelled(self, unit: Any, told: Any) -> None:
        """Set nothing going any more, and have the hand stop what is under way."""
        delivery = replace(store.load(unit, told.data["exit_id"]), cancelled=True)
        store.save(unit, delivery)
        package = store.load_package(unit, delivery.package_id)
        if package and (package["state"], "stop") in domain.PACKAGE_STATES:
            body = {"exit_id": delivery.exit_id, "package_id": package["_id"]}
            unit.send("delivery.extract.build_package", body)

    @on("scheduling.activity_due")
    def activity_due(self, unit: Any, told: Any) -> None:
        """Note what is due; B9, B10 and C3 are carried out by the hand."""
        delivery = store.load(unit, told.data["exit_id"])
        package = store.load_package(unit, delivery.package_id)
        changed = domain.with_due(delivery, told.data["activity"], package["state"] if package else None)
        if changed != delivery:
            store.advance(unit, changed)

    @on("deletion.deletion_verified")
    def deletion_verified(self, unit: Any, told: Any) -> None:
        """Have our own copies disposed of once a live system is deleted: what was delivered is the customer's alone."""
        if told.data["result"] != "ERROR" and told.data["activity"] in domain.LIVE_DELETIONS:
            unit.send("delivery.extract.dispose_copies", {"exit_id": told.data["exit_id"], "on": unit.today})

    @on("delivery.copies_look_due")
    def copies_look_due(self, unit: Any, told: Any) -> None:
        """Have our own copies looked for again: one was left."""
        unit.send("delivery.extract.dispose_copies", {"exit_id": told.data["exit_id"], "on": told.data["on"]})


def _owned(unit: Any, call: Any) -> domain.Delivery:
    delivery = store.load(unit, call.data["exit_id"])
    call.actor.require_customer(delivery.require_order().customer_cvr)
    return delivery


def _newest(unit: Any, delivery: domain.Delivery, package_id: str) -> store.Row:
    package = store.load_package(unit, package_id)
    if package is None or package["exit_id"] != delivery.exit_id:
        raise domain.unknown_package()
    domain.check_newest(delivery, package_id)
    return package


def _accept(unit: Any, call: Any, delivery: domain.Delivery, package: store.Row) -> None:
    store.save_package(unit, package | {"state": domain.next_package_state(package["state"], "accept")})
    store.save(unit, replace(delivery, accepted_on=unit.today))
    told = _only(call.data, "exit_id", "package_id", "package_digest")
    unit.emit("delivery.delivery_accepted", delivery.exit_id, told | _by(unit, call, "delivery.accept_delivery"))


def _reject(unit: Any, call: Any, delivery: domain.Delivery, package: store.Row) -> None:
    said = _only(call.data, "reason", "digest")
    state = domain.next_package_state(package["state"], "reject")
    store.save_package(unit, package | {"state": state, "rejected": said})
    store.save(unit, domain.reopened(delivery))
    told = _only(call.data, "exit_id", "package_id") | said
    unit.emit("delivery.delivery_rejected", delivery.exit_id, told | _by(unit, call, "delivery.reject_delivery"))


def _by(unit: Any, call: Any, command_wire: str) -> dict[str, Any]:
    return {"actor": call.actor.id, "role": call.actor.role_for(command_wire), "on": unit.today}


def _only(data: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: data[name] for name in names}

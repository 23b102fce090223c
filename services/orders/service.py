"""The face of orders: agreements, the exit window, options, instruction and archive decisions."""

from __future__ import annotations

import os
from typing import Any

from services.orders import domain, store
from shared.bus.faces import Face, command, query
from shared.rules.profiles import Profile, load_profiles


class Orders(Face):
    """Orders on the bus."""

    name = "orders"

    @command
    def register_agreement(self, unit: Any, call: Any) -> dict[str, Any]:
        """Register an agreement with the profiles that bind it."""
        call.actor.require_customer(call.data["customer"]["cvr"])
        profiles = load_profiles(tuple(call.data["profiles"]))
        agreement = domain.register(call.data, profiles, unit.today, allow_test=_rehearsal())
        store.add_agreement(unit, agreement)
        return {"agreement_id": agreement.agreement_id}

    @command
    def order_window(self, unit: Any, call: Any) -> dict[str, Any]:
        """Order an exit window (A1)."""
        agreement = store.load_agreement(unit, call.data["agreement_id"])
        call.actor.require_customer(agreement.customer_cvr)
        exit_ = domain.order_window(agreement, call.data, call.id, _profiles(agreement), unit.today)
        domain.check_answers(exit_.places, rehearsal=_rehearsal())
        store.save_exit(unit, exit_)
        unit.emit("orders.window_ordered", exit_.exit_id, domain.window_fact(agreement, exit_))
        return {"exit_id": exit_.exit_id}

    @command
    def confirm_window(self, unit: Any, call: Any) -> dict[str, Any]:
        """Confirm the window as the supplier (A3)."""
        exit_ = domain.confirm(_owned(unit, call))
        store.save_exit(unit, exit_)
        unit.emit("orders.window_confirmed", exit_.exit_id, {"exit_id": exit_.exit_id})
        return _done(exit_)

    @command
    def place_final_order(self, unit: Any, call: Any) -> dict[str, Any]:
        """Place the final order, which reserves the window (A4)."""
        exit_ = _owned(unit, call)
        agreement = store.load_agreement(unit, exit_.agreement_id)
        exit_ = domain.place_final_order(exit_, _profiles(agreement))
        store.reserve(unit, exit_)
        store.save_exit(unit, exit_)
        unit.emit("orders.order_placed", exit_.exit_id, domain.order_fact(agreement, exit_))
        return _done(exit_)

    @command
    def choose_options(self, unit: Any, call: Any) -> dict[str, Any]:
        """Confirm the options and what silence means (B3)."""
        exit_ = _owned(unit, call)
        agreement = store.load_agreement(unit, exit_.agreement_id)
        exit_ = domain.choose_options(exit_, call.data, _profiles(agreement))
        store.save_exit(unit, exit_)
        told = {"exit_id": exit_.exit_id, "options": list(exit_.options), "silence": exit_.silence}
        unit.emit("orders.options_confirmed", exit_.exit_id, told)
        return _done(exit_)

    @command
    def instruct(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the controller's instruction to delete or return."""
        exit_ = domain.instruct(_owned(unit, call), call.data, unit.today)
        store.save_exit(unit, exit_)
        unit.emit("orders.instruction_given", exit_.exit_id, {"exit_id": exit_.exit_id, **exit_.instruction})
        return _done(exit_)

    @command
    def decide_archive(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the archive decision of one system."""
        exit_ = domain.decide_archive(_owned(unit, call), call.data, unit.today)
        store.save_exit(unit, exit_)
        system = call.data["system"]
        told = {"exit_id": exit_.exit_id, "system": system, **exit_.archive[system]}
        unit.emit("orders.archive_decided", exit_.exit_id, told)
        return _done(exit_)

    @query
    def read_exit(self, unit: Any, call: Any) -> dict[str, Any]:
        """Read one exit."""
        exit_ = _owned(unit, call)
        return domain.exit_row(store.load_agreement(unit, exit_.agreement_id), exit_)

    @query
    def list_exits(self, unit: Any, call: Any) -> dict[str, Any]:
        """List the exits that the caller may see."""
        exits = store.list_exits(unit, call.actor.customers, call.data["limit"])
        rows = [domain.exit_row(store.load_agreement(unit, exit_.agreement_id), exit_) for exit_ in exits]
        return {"exits": rows}


def _owned(unit: Any, call: Any) -> domain.Exit:
    exit_ = store.load_exit(unit, call.data["exit_id"])
    call.actor.require_customer(exit_.customer_cvr)
    return exit_


def _profiles(agreement: domain.Agreement) -> tuple[Profile, ...]:
    return load_profiles(agreement.profiles)


def _rehearsal() -> bool:
    return os.environ.get("OPHOR_MODE") in ("demo", "test")


def _done(exit_: domain.Exit) -> dict[str, Any]:
    return {"exit_id": exit_.exit_id, "state": exit_.state}

"""The face of orders: agreements, the exit window, decisions, accords and notices.

Every command about an exit is one step: read the case, let the domain decide, write what changed and tell its facts.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from contracts.roles import PARTY, SUPPLIER
from services.orders import domain, store
from services.orders.domain import Caller, Case
from shared.bus.faces import Face, command, on, query
from shared.rules.profiles import load_profiles

Decide = Callable[[Case, dict[str, Any]], Case]


class Orders(Face):
    """Orders on the bus."""

    name = "orders"

    # ---- Agreements and capacity

    @command
    def register_agreement(self, unit: Any, call: Any) -> dict[str, Any]:
        """Register an agreement with the profiles that bind it."""
        call.actor.require_customer(call.data["customer"]["cvr"])
        profiles = load_profiles(tuple(call.data["profiles"]))
        agreement = domain.register(call.data, profiles, unit.today, allow_test=_rehearsal())
        store.add_agreement(unit, agreement)
        return {"agreement_id": agreement.agreement_id}

    @command
    def approve_takeover(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the customer's written approval of the takeover, from which K is reckoned."""
        agreement = store.load_agreement(unit, call.data["agreement_id"])
        call.actor.require_customer(agreement.customer_cvr)
        agreement = domain.approve_takeover(agreement, call.data, load_profiles(agreement.profiles), unit.today)
        store.save_agreement(unit, agreement)
        return {"agreement_id": agreement.agreement_id}

    @command
    def set_capacity(self, unit: Any, call: Any) -> dict[str, Any]:
        """Set how many exit windows the supplier takes at once, from a day on."""
        capacity = store.load_capacity(unit, call.data["supplier_cvr"])
        capacity = domain.set_capacity(capacity, call.data, unit.today, allow_test=_rehearsal())
        store.save_capacity(unit, capacity)
        return {name: call.data[name] for name in ("supplier_cvr", "starts_on", "windows")}

    # ---- Ordering (A1-A4)

    @command
    def order_window(self, unit: Any, call: Any) -> dict[str, Any]:
        """Order an exit window (A1)."""
        agreement = store.load_agreement(unit, call.data["agreement_id"])
        call.actor.require_customer(agreement.customer_cvr)
        profiles = load_profiles(agreement.profiles)
        case = domain.order_window(agreement, call.data, profiles, _caller(call), unit.today, rehearsal=_rehearsal())
        store.save_case(unit, None, case)
        return {"exit_id": case.exit.exit_id, "warnings": domain.cautions(case)}

    @command
    def answer_places(self, unit: Any, call: Any) -> dict[str, Any]:
        """Answer lines of the reconciled list."""
        return _done(unit, call, lambda case, data: domain.answer_places(case, data, rehearsal=_rehearsal()))

    @command
    def hold_meeting(self, unit: Any, call: Any) -> dict[str, Any]:
        """Record the clarification meeting (A2)."""
        return _done(unit, call, domain.hold_meeting)

    @command
    def confirm_window(self, unit: Any, call: Any) -> dict[str, Any]:
        """Confirm the window, or propose other dates, as the supplier (A3)."""
        return _done(unit, call, domain.confirm_window)

    @command
    def answer_counter(self, unit: Any, call: Any) -> dict[str, Any]:
        """Accept or decline the supplier's dates."""
        return _done(unit, call, domain.answer_counter)

    @command
    def list_equipment(self, unit: Any, call: Any) -> dict[str, Any]:
        """Give the equipment register."""
        return _done(unit, call, domain.list_equipment)

    @command
    def list_sub_suppliers(self, unit: Any, call: Any) -> dict[str, Any]:
        """Give the whole chain of sub-suppliers."""
        return _done(unit, call, domain.list_sub_suppliers)

    @command
    def place_final_order(self, unit: Any, call: Any) -> dict[str, Any]:
        """Place the final order, which reserves the window (A4)."""
        return _done(unit, call, lambda case, data: domain.place_final_order(case))

    @command
    def cancel_exit(self, unit: Any, call: Any) -> dict[str, Any]:
        """Cancel the exit and free its window."""
        return _done(unit, call, domain.cancel)

    # ---- Preparation and window

    @command
    def name_contact(self, unit: Any, call: Any) -> dict[str, Any]:
        """Name a party's contact person (B1)."""
        return _done(unit, call, domain.name_contact)

    @command
    def confirm_dates(self, unit: Any, call: Any) -> dict[str, Any]:
        """Confirm or move the dates (B2)."""
        return _done(unit, call, domain.confirm_dates)

    @command
    def choose_options(self, unit: Any, call: Any) -> dict[str, Any]:
        """Confirm the options, what they cover and what silence means (B3)."""
        return _done(unit, call, domain.choose_options)

    @command
    def decide_pairs(self, unit: Any, call: Any) -> dict[str, Any]:
        """Decide what becomes of the Børn/Admin pairs (B6)."""
        return _done(unit, call, domain.decide_pairs)

    @command
    def instruct_transfer(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the transfer instruction (S1 §9)."""
        return _done(unit, call, lambda case, data: domain.instruct_transfer(case, data, allow_test=_rehearsal()))

    @command
    def record_billing_run(self, unit: Any, call: Any) -> dict[str, Any]:
        """Record the last billing run (C1)."""
        return _done(unit, call, domain.record_billing_run)

    @command
    def instruct(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the controller's instruction to delete or return."""
        return _done(unit, call, domain.instruct)

    @command
    def decide_archive(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the archive decision of one system."""
        return _done(unit, call, domain.decide_archive)

    # ---- Accords, notices, periods

    @command
    def propose_accord(self, unit: Any, call: Any) -> dict[str, Any]:
        """Propose, and sign as one party, what binds only when both have signed."""
        before = _case(unit, call)
        after, accord_id = domain.propose(before, call.data)
        store.save_case(unit, before, after)
        return {"exit_id": after.exit.exit_id, "accord_id": accord_id, "state": "proposed"}

    @command
    def sign_accord(self, unit: Any, call: Any) -> dict[str, Any]:
        """Sign, as the other party, exactly what was proposed."""
        done = _done(unit, call, domain.sign)
        return {"exit_id": done["exit_id"], "accord_id": call.data["accord_id"], "state": "signed"}

    @command
    def give_notice(self, unit: Any, call: Any) -> dict[str, Any]:
        """Weigh and keep a notice, and apply it where it is accepted."""
        before = _case(unit, call)
        after, verdict = domain.give_notice(before, call.data)
        store.save_case(unit, before, after)
        return verdict

    @query
    def check_notice(self, unit: Any, call: Any) -> dict[str, Any]:
        """Weigh a notice without keeping it."""
        return domain.check_notice(_case(unit, call), call.data)

    @query
    def read_calendar(self, unit: Any, call: Any) -> dict[str, Any]:
        """Give the last day of every notice."""
        return domain.read_calendar(_case(unit, call, _reader(call)))

    @command
    def record_trigger(self, unit: Any, call: Any) -> dict[str, Any]:
        """Record what starts a period of the agreement."""
        return _done(unit, call, domain.record_trigger)

    @command
    def answer_obligation(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take an answer to an obligation."""
        return _done(unit, call, domain.answer_obligation)

    @on("scheduling.silence_applied")
    def silence_applied(self, unit: Any, told: Any) -> None:
        """Learn what the customer's silence about the delivery chose (T10)."""
        exit_ = store.load_exit(unit, told.data["exit_id"])
        before = store.load_case(unit, exit_, Caller("customer", "", told.id))
        store.save_case(unit, before, domain.keep_silence(before, told.data["silence"]))

    # ---- Reading

    @query
    def read_exit(self, unit: Any, call: Any) -> dict[str, Any]:
        """Read one exit."""
        return domain.exit_row(_case(unit, call, _reader(call)))

    @query
    def list_exits(self, unit: Any, call: Any) -> dict[str, Any]:
        """List the exits that the caller may see."""
        exits = store.list_exits(unit, call.actor.customers, call.data["limit"])
        return {"exits": [domain.exit_row(store.load_case(unit, exit_, _reader(call))) for exit_ in exits]}


def _done(unit: Any, call: Any, decide: Decide) -> dict[str, Any]:
    before = _case(unit, call)
    after = decide(before, call.data)
    store.save_case(unit, before, after)
    return {"exit_id": after.exit.exit_id, "state": after.exit.state, "warnings": domain.cautions(after)}


def _case(unit: Any, call: Any, caller: Caller | None = None) -> Case:
    exit_ = store.load_exit(unit, call.data["exit_id"])
    call.actor.require_customer(exit_.customer_cvr)
    return store.load_case(unit, exit_, caller or _caller(call))


def _caller(call: Any) -> Caller:
    return Caller(PARTY[call.actor.role_for(call.wire)], call.actor.id, call.id)


def _reader(call: Any) -> Caller:
    """Give who reads: the supplier's people see the supplier's side, everybody else the customer's."""
    return Caller("supplier" if call.actor.roles & SUPPLIER else "customer", call.actor.id, call.id)


def _rehearsal() -> bool:
    return os.environ.get("OPHOR_MODE") in ("demo", "test")

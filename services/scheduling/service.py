"""The face of scheduling: the process manager. Facts come in, and what they make due, complete or late goes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.roles import PARTY
from services.scheduling import domain, store
from shared.bus.faces import Face, command, on, query
from shared.rules.profiles import Profile, load_profiles

PERMIT_LASTS = timedelta(hours=24)


class Scheduling(Face):
    """Scheduling on the bus."""

    name = "scheduling"

    # ---- Commands and queries

    @command
    def complete_activity(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the responsible party's answer to a manual activity."""
        exit_, role = _owned(unit, call), call.actor.role_for("scheduling.complete_activity")
        done = domain.Done(unit.today, call.data["outcome"], call.data["evidence_digest"], role)
        plan = domain.plan_of(exit_, _profiles(exit_))
        exit_ = domain.complete(exit_, plan, call.data, PARTY[role], done)
        _advance(unit, exit_)
        state = {"done": "completed"}.get(done.outcome, done.outcome)
        return {"exit_id": exit_.exit_id, "activity": call.data["activity"], "state": state}

    @command
    def approve(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take one of the two approvals of a previewed deletion."""
        exit_, role = _owned(unit, call), call.actor.role_for("scheduling.approve")
        approval = {"actor": call.actor.id, "role": role, "at": unit.now.strftime("%Y-%m-%dT%H:%M:%SZ")}
        exit_, job, events = domain.approve(exit_, call.data, approval)
        store.apply(unit, domain.Advance(exit_, tuple(events)))
        counts = {"given": len(job.approvals), "needed": domain.NEEDED}
        return {"exit_id": exit_.exit_id, "activity": job.activity, **counts}

    @query
    def read_plan(self, unit: Any, call: Any) -> dict[str, Any]:
        """Read the plan with every activity's state and what it waits for."""
        exit_ = _owned(unit, call)
        return domain.read_plan(exit_, domain.plan_of(exit_, _profiles(exit_)), unit.today)

    @query
    def list_waiting(self, unit: Any, call: Any) -> dict[str, Any]:
        """List what waits for somebody."""
        exit_ = _owned(unit, call)
        return domain.waiting(exit_, domain.plan_of(exit_, _profiles(exit_)), unit.today)

    # ---- The order

    @on("orders.window_ordered")
    def window_ordered(self, unit: Any, told: Any) -> None:
        """Draft the plan (A1)."""
        _learn(unit, told, lambda exit_: _done_by(domain.with_order(exit_, told.data, placed=False), unit, told))

    @on("orders.window_confirmed")
    def window_confirmed(self, unit: Any, told: Any) -> None:
        """Complete A3."""
        _complete(unit, told)

    @on("orders.order_placed")
    def order_placed(self, unit: Any, told: Any) -> None:
        """Make the plan (A4)."""
        _learn(unit, told, lambda exit_: _done_by(domain.with_order(exit_, told.data, placed=True), unit, told))

    @on("orders.options_confirmed")
    def options_confirmed(self, unit: Any, told: Any) -> None:
        """Take the options into the plan (B3)."""
        options = tuple(told.data["options"])
        _learn(unit, told, lambda exit_: _done_by(replace(exit_, options=options), unit, told))

    @on("orders.instruction_given")
    def instruction_given(self, unit: Any, told: Any) -> None:
        """Open the gate of the instruction."""
        _learn(unit, told, lambda exit_: replace(exit_, instructed=True))

    @on("orders.archive_decided")
    def archive_decided(self, unit: Any, told: Any) -> None:
        """Open the archive gate of one system."""
        _learn(unit, told, lambda exit_: domain.with_archive(exit_, told.data["system"]))

    # ---- Delivery and access

    @on("delivery.needs_submitted")
    def needs_submitted(self, unit: Any, told: Any) -> None:
        """Complete B4."""
        _complete(unit, told)

    @on("delivery.dispatch_set")
    def dispatch_set(self, unit: Any, told: Any) -> None:
        """Complete B5."""
        _complete(unit, told)

    @on("delivery.connection_tested")
    def connection_tested(self, unit: Any, told: Any) -> None:
        """Complete B9, or show why it could not be."""
        _complete(unit, told, "" if told.data["ok"] else told.data["code"])

    @on("delivery.specification_made")
    def specification_made(self, unit: Any, told: Any) -> None:
        """Complete B10."""
        _complete(unit, told)

    @on("delivery.package_delivered")
    def package_delivered(self, unit: Any, told: Any) -> None:
        """Complete C3."""
        _complete(unit, told)

    @on("delivery.delivery_accepted")
    def delivery_accepted(self, unit: Any, told: Any) -> None:
        """Complete C4."""
        _complete(unit, told)

    @on("access.access_frozen")
    def access_frozen(self, unit: Any, told: Any) -> None:
        """Complete C2 where every system is frozen."""
        frozen = all(system["state"] == "frozen" for system in told.data["systems"])
        _complete(unit, told, "" if frozen else "ACCESS_NOT_FROZEN")

    @on("access.access_closed")
    def access_closed(self, unit: Any, told: Any) -> None:
        """Do nothing: deletion waits for this fact, the plan does not."""

    @on("access.access_attested")
    def access_attested(self, unit: Any, told: Any) -> None:
        """Complete C5, C6, D7b or D8."""
        _complete(unit, told)

    # ---- Deletion and evidence

    @on("deletion.deletion_previewed")
    def deletion_previewed(self, unit: Any, told: Any) -> None:
        """Ask for approval of the previewed plan."""
        _learn(unit, told, lambda exit_: domain.preview(exit_, told.data))

    @on("compliance.evidence_recorded")
    def evidence_recorded(self, unit: Any, told: Any) -> None:
        """Issue the permit when the intent is in the log (24 h of real time)."""
        if told.data["kind"] == "DELETION_INTENT":
            valid_until = (datetime.now(UTC) + PERMIT_LASTS).isoformat(timespec="seconds")
            exit_, events = domain.intent_recorded(store.load(unit, told.data["exit_id"]), told.data, valid_until)
            store.apply(unit, domain.Advance(exit_, tuple(events)))

    @on("deletion.deletion_begun")
    def deletion_begun(self, unit: Any, told: Any) -> None:
        """Do nothing: the plan changes when the deletion is verified or stops."""

    @on("deletion.deletion_verified")
    def deletion_verified(self, unit: Any, told: Any) -> None:
        """Complete C7, D2, D3b or D7a where the verifier found nothing left."""
        if told.data["result"] == "ERROR":
            _complete(unit, told, "VERIFICATION_ERROR")
            return
        activity, day = told.data["activity"], told.data["on"]
        _learn(unit, told, lambda exit_: _done_by(domain.with_deletion(exit_, activity, day), unit, told))

    @on("deletion.deletion_stopped")
    def deletion_stopped(self, unit: Any, told: Any) -> None:
        """Put the activity back to waiting with the code of what stopped it."""
        data = told.data
        _learn(unit, told, lambda exit_: domain.with_trouble(exit_, data["activity"], data["code"], unit.today))

    @on("deletion.backups_expired")
    def backups_expired(self, unit: Any, told: Any) -> None:
        """Complete D9."""
        _complete(unit, told)

    @on("compliance.certificate_issued")
    def certificate_issued(self, unit: Any, told: Any) -> None:
        """Do nothing: no activity waits for a certificate."""

    @on("scheduling.timer_due")
    def timer_due(self, unit: Any, told: Any) -> None:
        """Look at the plan anew."""
        _learn(unit, told, lambda exit_: exit_)


def _owned(unit: Any, call: Any) -> domain.Exit:
    exit_ = store.load_ordered(unit, call.data["exit_id"])
    call.actor.require_customer(exit_.order["customer_cvr"])
    return exit_


def _profiles(exit_: domain.Exit) -> tuple[Profile, ...]:
    return load_profiles(tuple(exit_.order["profiles"])) if exit_.order else ()


def _learn(unit: Any, told: Any, learn: Callable[[domain.Exit], domain.Exit]) -> None:
    _advance(unit, learn(store.load(unit, told.data["exit_id"])))


def _advance(unit: Any, exit_: domain.Exit) -> None:
    store.apply(unit, domain.advance(exit_, _profiles(exit_), unit.today))


def _done_by(exit_: domain.Exit, unit: Any, told: Any) -> domain.Exit:
    return domain.with_fact(exit_, told.wire, told.data, unit.today)


def _complete(unit: Any, told: Any, trouble: str = "") -> None:
    """Complete what this fact completes, or put it back to waiting with a code."""
    exit_ = store.load(unit, told.data["exit_id"])
    if not trouble:
        _advance(unit, _done_by(exit_, unit, told))
        return
    named = [told.data["activity"]] if "activity" in told.data else domain.completed_by(_profiles(exit_), told.wire)
    for activity in named:
        exit_ = domain.with_trouble(exit_, activity, trouble, unit.today)
    _advance(unit, exit_)

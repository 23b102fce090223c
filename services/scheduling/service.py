"""The face of scheduling: the process manager. Facts come in, and what they make due, complete or late goes out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.roles import PARTY
from services.scheduling import domain, store
from services.scheduling.domain import Exit
from shared.bus.faces import Face, command, on, query

PERMIT_LASTS = timedelta(hours=24)


class Scheduling(Face):
    """Scheduling on the bus."""

    name = "scheduling"

    # ---- Commands and queries

    @command
    def complete_activity(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the responsible party's answer to a manual activity."""
        exit_, role = _owned(unit, call), _role(call)
        done = domain.Done(unit.today, call.data["outcome"], call.data["evidence_digest"], role)
        exit_ = domain.complete(exit_, _look(unit, exit_), call.data, PARTY[role], done)
        _advance(unit, exit_)
        state = {"done": "completed"}.get(done.outcome, done.outcome)
        return _answer(exit_, activity=call.data["activity"], state=state)

    @command
    def approve(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take one of the two approvals of a previewed deletion."""
        exit_ = _owned(unit, call)
        at = unit.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        exit_, job = domain.approve(exit_, call.data, {"actor": call.actor.id, "role": _role(call), "at": at})
        _advance(unit, exit_)
        return _answer(exit_, activity=job.activity, given=len(job.approvals), needed=domain.NEEDED)

    @command
    def submit_timetable(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the supplier's timetable of the window (B8)."""
        exit_ = _owned(unit, call)
        exit_ = domain.submit_timetable(exit_, _look(unit, exit_), call.data, _role(call))
        return _timetable(unit, exit_)

    @command
    def answer_timetable(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the customer's answer to the timetable (B11)."""
        exit_ = _owned(unit, call)
        outlook, by = _look(unit, exit_), (call.actor.id, _role(call))
        return _timetable(unit, domain.answer_timetable(exit_, outlook, store.shelf(unit), call.data, *by))

    @command
    def answer_proposal(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take one party's answer to a proposed change."""
        exit_ = _owned(unit, call)
        exit_, state = domain.answer_proposal(exit_, _look(unit, exit_), call.data, PARTY[_role(call)])
        _advance(unit, exit_)
        return _answer(exit_, proposal_id=call.data["proposal_id"], state=state)

    @command
    def propose_profile(self, unit: Any, call: Any) -> dict[str, Any]:
        """Propose the newest text of a profile to the exits that have pinned an older one."""
        profile = store.newest(call.data["profile"])
        store.keep(unit, profile)
        exits = store.pinned_otherwise(unit, profile, call.actor.customers, call.data["limit"])
        changed = [after for exit_ in exits if (after := domain.propose_profile(exit_, profile)) != exit_]
        for exit_ in changed:
            _advance(unit, exit_)
        counts = {"proposed": [exit_.exit_id for exit_ in changed], "unchanged": len(exits) - len(changed)}
        return {"profile": profile.name, "digest": profile.digest, **counts}

    @command
    def request_heavy_job(self, unit: Any, call: Any) -> dict[str, Any]:
        """Answer whether a heavy job may run on a day (R1)."""
        exit_ = _owned(unit, call)
        clause = domain.check_heavy_job(exit_, _look(unit, exit_), call.data)
        return _answer(exit_, activity=call.data["activity"], allowed=True, clause=clause)

    @command
    def request_bypass(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the customer's request for a change inside the frozen zone (T11)."""
        return _bypass(unit, *domain.request_bypass(_owned(unit, call), call.data, call.id))

    @command
    def answer_bypass(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take the supplier's answer to such a request."""
        return _bypass(unit, *domain.answer_bypass(_owned(unit, call), call.data))

    @command
    def close_bypass(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take that the change was made and its delta delivered."""
        return _bypass(unit, *domain.close_bypass(_owned(unit, call), call.data))

    @query
    def preview_plan(self, unit: Any, call: Any) -> dict[str, Any]:
        """Show what would differ, without saving anything."""
        exit_ = _owned(unit, call)
        return domain.preview_plan(exit_, _look(unit, exit_), store.shelf(unit), call.data)

    @query
    def read_plan(self, unit: Any, call: Any) -> dict[str, Any]:
        """Read the plan with every activity's state and what it waits for."""
        exit_ = _owned(unit, call)
        return domain.read_plan(exit_, _look(unit, exit_))

    @query
    def list_waiting(self, unit: Any, call: Any) -> dict[str, Any]:
        """List what waits for somebody."""
        exit_ = _owned(unit, call)
        return domain.waiting(exit_, _look(unit, exit_))

    # ---- Facts

    @on(*sorted(domain.HEARD.keys() - {"orders.order_placed"}))
    def fact_told(self, unit: Any, told: Any) -> None:
        """Take a fact, and draw every conclusion that it allows; what each means is `domain.HEARD`."""
        _hear(unit, told)

    @on("orders.order_placed")
    def order_placed(self, unit: Any, told: Any) -> None:
        """Make the plan (A4), from the profiles as they are pinned."""
        store.pin(unit, {each["name"]: each["digest"] for each in told.data["pinned"]})
        _hear(unit, told)

    @on("compliance.evidence_recorded")
    def evidence_recorded(self, unit: Any, told: Any) -> None:
        """Issue the permit when the intent is in the log (24 h of real time)."""
        if told.data["kind"] == "DELETION_INTENT":
            valid_until = (datetime.now(UTC) + PERMIT_LASTS).isoformat(timespec="seconds")
            exit_ = store.load(unit, told.data["exit_id"])
            _advance(unit, domain.intent_recorded(exit_, told.data, valid_until))


def _owned(unit: Any, call: Any) -> Exit:
    exit_ = store.load_ordered(unit, call.data["exit_id"])
    call.actor.require_customer(exit_.customer_cvr)
    return exit_


def _role(call: Any) -> str:
    return str(call.actor.role_for(call.wire))


def _look(unit: Any, exit_: Exit) -> domain.Outlook:
    return domain.look(exit_, store.shelf(unit), unit.today)


def _advance(unit: Any, exit_: Exit) -> None:
    store.apply(unit, domain.advance(exit_, store.shelf(unit), unit.today))


def _hear(unit: Any, told: Any) -> None:
    exit_ = store.load(unit, told.data["exit_id"])
    profiles = store.shelf(unit)(exit_.inputs)
    _advance(unit, domain.heard(exit_, domain.Told(told.wire, told.data, profiles, unit.today, told.seq)))


def _answer(exit_: Exit, **more: Any) -> dict[str, Any]:
    return {"exit_id": exit_.exit_id, **more}


def _timetable(unit: Any, exit_: Exit) -> dict[str, Any]:
    """Save an exit whose timetable has just been submitted or answered."""
    _advance(unit, exit_)
    table = exit_.timetable
    return _answer(exit_, state=table.state, timetable_digest=table.digest) if table else {}


def _bypass(unit: Any, exit_: Exit, bypass: domain.Bypass) -> dict[str, Any]:
    """Save an exit with its changed bypass."""
    _advance(unit, exit_)
    return _answer(exit_, bypass_id=bypass.bypass_id, state=bypass.state)

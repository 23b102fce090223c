"""Changes of a plan's inputs: applied at once before the plan is approved (B11), a proposal after it.

Rules kept: a newer proposal replaces the older and carries its changes on; what brings the inputs back to the applied
ones leaves no proposal; approving needs the customer, or both parties where both agreed or a profile changes; a
conflict that binds blocks it; what the customer instructed beforehand for its own silence is applied at once (T10).
An extension cannot be rejected in the plan: it was given, and only another notice ends it.
An extension that comes after operations ended or the index was cleaned restarts the plan from the timetable on (T17).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, replace
from datetime import date

from services.scheduling.domain.exits import (
    BOTH,
    DAY,
    OPERATIONS_END,
    PROPOSAL_STATES,
    Body,
    Exit,
    Inputs,
    Proposal,
    refuse,
    telling,
)
from services.scheduling.domain.outlook import Outlook
from shared.rules.plan import Plan
from shared.rules.profiles import Activity, Profile, digest_of

Alter = Callable[[Inputs], Inputs]


def change(
    exit_: Exit, cause: str, alter: Alter, *, both: bool = False, stops_all: bool = False, proposed: bool = False
) -> Exit:
    """Take a change of the inputs; `proposed`: as a proposal even before the plan is approved."""
    if not (exit_.approved or proposed):
        return apply_at_once(exit_, alter)
    pending = exit_.proposal
    before = pending.inputs if pending else exit_.inputs
    wanted = alter(before)
    if wanted.same_as(before):
        return exit_
    needs = BOTH if both or (pending and "supplier" in pending.needs) else BOTH[:1]
    exit_ = _closed(exit_, "newer")
    if wanted.same_as(exit_.inputs):
        return exit_
    name = f"P{exit_.proposals + 1}"
    stops_all = stops_all or (pending is not None and pending.stops_all)
    proposal = Proposal(name, cause, wanted, _digest(exit_, name, wanted), needs, (), stops_all)
    return replace(exit_, proposal=proposal, proposals=exit_.proposals + 1)


def apply_at_once(exit_: Exit, alter: Alter) -> Exit:
    """Change the applied inputs without asking; a proposal beside them takes the change too, and is asked for anew."""
    proposal = exit_.proposal
    if proposal and not (inputs := alter(proposal.inputs)).same_as(proposal.inputs):
        digest = _digest(exit_, proposal.proposal_id, inputs)
        proposal = replace(proposal, inputs=inputs, digest=digest, approved_by=(), changes=-1)
    return replace(exit_, inputs=alter(exit_.inputs), proposal=proposal)


def _digest(exit_: Exit, proposal_id: str, inputs: Inputs) -> str:
    return digest_of([exit_.exit_id, proposal_id, as_json(inputs)])


def propose_profile(exit_: Exit, profile: Profile) -> Exit:
    """Propose another text of a profile, which only both parties can let in."""

    def newer(inputs: Inputs) -> Inputs:
        return replace(inputs, pins={**inputs.pins, profile.name: profile.digest})

    return change(exit_, "profile", newer, both=True, proposed=True)


def answer_proposal(exit_: Exit, outlook: Outlook, data: Body, party: str) -> tuple[Exit, str]:
    """Take one party's answer to exactly this proposal; give the exit and the proposal's state."""
    proposal = _proposal_asked(exit_, data, party)
    if data["answer"] == "rejected":
        _check_rejectable(proposal)
        return _closed(exit_, "rejected"), PROPOSAL_STATES["proposed", "rejected"]
    check_conflicts(outlook.proposed.plan if outlook.proposed else outlook.plan, "proposal_id")
    proposal = replace(proposal, approved_by=(*proposal.approved_by, party))
    exit_ = replace(exit_, proposal=proposal)
    if not set(proposal.needs) <= set(proposal.approved_by):
        return exit_, "proposed"
    exit_ = replace(_closed(exit_, "approved_by_all"), inputs=proposal.inputs)
    return _restarted(exit_, outlook, proposal), PROPOSAL_STATES["proposed", "approved_by_all"]


def check_conflicts(plan: Plan, field: str) -> None:
    """Refuse PLAN_IN_CONFLICT while a binding interval is empty, naming both clauses."""
    for conflict in plan.blocking:
        what, clauses = ", ".join(conflict.ids), " / ".join(conflict.clauses)
        raise refuse(
            "PLAN_IN_CONFLICT",
            f"{what}: not before {conflict.not_before}, not after {conflict.not_after} ({clauses})",
            "give the instruction erase_early, or agree on another date",
            f"{what}: tidligst {conflict.not_before}, senest {conflict.not_after} ({clauses}).",
            field,
        )


def reopened(exit_: Exit, activities: Collection[Activity]) -> Exit:
    """Open activities again: what completed them is forgotten, so that they are told as due anew."""
    names = {each.id for each in activities}
    wires = {key for each in activities for key in (each.completed_by, f"{each.completed_by}#{each.id}")}
    return replace(
        exit_,
        facts={key: done for key, done in exit_.facts.items() if key not in wires},
        done={name: done for name, done in exit_.done.items() if name not in names},
        troubles={name: trouble for name, trouble in exit_.troubles.items() if name not in names},
        told_due=exit_.told_due - names,
    )


def with_go_live(inputs: Inputs, go_live: date, operations_end: date | None = None) -> Inputs:
    """Move T, and D with it where it hung on it; the timetable's days keep their distance to T.

    D hangs on T as orders has it: where it is the day before T, at the latest K, or would not lie before the new T."""
    before, end, last = inputs.dates.get("T"), inputs.dates.get("D"), inputs.dates.get("K", date.max)
    if operations_end is None and before and (end is None or end == min(before - DAY, last) or end >= go_live):
        operations_end = min(go_live - DAY, last)
    moved = {**inputs.moved, "T": go_live} | ({"D": operations_end} if operations_end else {})
    by = go_live - before if before else go_live - go_live
    return replace(inputs, moved=moved, days={name: day + by for name, day in inputs.days.items()})


def as_json(inputs: Inputs) -> Body:
    """Give the inputs as JSON primitives."""

    def plain(value: object) -> object:
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        if isinstance(value, tuple):
            return [plain(each) for each in value]
        return value.isoformat() if isinstance(value, date) else value

    return {name: plain(value) for name, value in asdict(inputs).items()}


def _proposal_asked(exit_: Exit, data: Body, party: str) -> Proposal:
    proposal = exit_.proposal
    if proposal is None or proposal.proposal_id != data["proposal_id"]:
        message, da = "this proposal does not wait for an answer", "Forslaget venter ikke på svar."
        raise refuse("PROPOSAL_UNKNOWN", message, "read the plan for the newest one", da, "proposal_id")
    if proposal.digest != data["proposal_digest"]:
        message, da = "the proposal is not the one that was shown", "Forslaget er ikke det, der blev vist."
        raise refuse("PROPOSAL_DIGEST_DIFFERS", message, "read the plan and answer that", da, "proposal_digest")
    if party not in proposal.needs:
        message, da = f"the {party} is not asked", "Det er den anden part, der skal svare."
        raise refuse("WRONG_PARTY", message, "let the other party answer", da, "proposal_id")
    if party in proposal.approved_by:
        message, da = f"the {party} has approved already", "Parten har allerede godkendt."
        raise refuse("PROPOSAL_ANSWERED", message, "wait for the other party", da, "proposal_id")
    return proposal


def _check_rejectable(proposal: Proposal) -> None:
    """Refuse PROPOSAL_BINDS: an extension that was given stands, so that nothing is deleted at the old end (T17)."""
    if proposal.stops_all:
        raise refuse(
            "PROPOSAL_BINDS", "the extension was given and stands (S2 27.1)",
            "approve it; to end the agreement earlier, give notice (S2 27.1.1, 27.2)",
            "Forlængelsen er meddelt og står ved magt (S2 27.1). Godkend den, eller opsig (S2 27.1.1, 27.2).", "answer",
        )  # fmt: skip


def _closed(exit_: Exit, what: str) -> Exit:
    """End the proposal that waits, if there is one, and tell it where it was told."""
    proposal = exit_.proposal
    if proposal is None:
        return exit_
    exit_ = replace(exit_, proposal=None)
    if proposal.changes < 0:
        return exit_
    return telling(exit_, "plan_proposed", **proposal_body(proposal, PROPOSAL_STATES["proposed", what]))


def proposal_body(proposal: Proposal, state: str) -> Body:
    """Give the body of `plan_proposed`."""
    return {
        "proposal_id": proposal.proposal_id,
        "proposal_digest": proposal.digest,
        "cause": proposal.cause,
        "changes": proposal.changes,
        "conflicts": proposal.conflicts,
        "state": state,
    }


def _restarted(exit_: Exit, outlook: Outlook, proposal: Proposal) -> Exit:
    """Open the plan again from the timetable on, where an extension came after operations had ended (T17)."""
    index = {each.id for each in outlook.plan.activities if each.activity.deletion == "index"}
    if not proposal.stops_all or exit_.done.keys().isdisjoint(index | {OPERATIONS_END}):
        return exit_
    again = [
        each.activity
        for each in outlook.plan.activities
        if each.activity.phase in ("window", "after") or each.activity.completed_by.startswith("scheduling.")
    ]
    inputs = replace(exit_.inputs, days={})
    jobs = tuple(job.after("cancelled") if job.state != "cancelling" else job for job in exit_.jobs)
    exit_ = replace(exit_, inputs=inputs, timetable=None, restarted=True, jobs=jobs)
    return reopened(exit_, again)

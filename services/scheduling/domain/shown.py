"""How an exit's plan is shown: every activity with its state, what it waits for and who acts next; what-if."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.scheduling.domain.changes import with_go_live
from services.scheduling.domain.exits import Body, Exit, Inputs, Job
from services.scheduling.domain.gates import is_due, is_late, waits_for
from services.scheduling.domain.outlook import Outlook, Shelf, planned_from
from shared.rules.difference import Change, difference
from shared.rules.path import Paths, paths
from shared.rules.plan import Conflict, Plan, Planned

_SHOWN_AS = {"begun": "permitted", "cancelling": "void"}


def read_plan(exit_: Exit, outlook: Outlook) -> Body:
    """Give the whole plan as `read_plan` answers it."""
    ways = paths(outlook.plan, exit_.done.keys(), outlook.today)
    return {
        "exit_id": exit_.exit_id,
        "state": exit_.state,
        "version": exit_.version,
        "plan_digest": outlook.plan.digest,
        "activities": [activity_row(exit_, outlook, planned, ways) for planned in outlook.plan.activities],
        "approvals": [request_row(job) for job in exit_.jobs],
        "conflicts": list(map(_conflict_row, outlook.plan.conflicts)),
        "critical_path": list(ways.critical),
        "timetable": _timetable_row(exit_),
        "proposal": _proposal_row(exit_, outlook),
        "bypasses": [{name: getattr(each, name) for name in _BYPASS} for each in exit_.bypasses],
        "holds": sorted(exit_.standing_holds),
    }


_BYPASS = ("bypass_id", "system", "kind", "state")


def waiting(exit_: Exit, outlook: Outlook) -> Body:
    """Give what waits for somebody: manual activities that are due, and approvals not yet given."""
    ways = paths(outlook.plan, exit_.done.keys(), outlook.today)
    due = [each for each in outlook.plan.activities if each.activity.manual and each.id in exit_.told_due]
    rows = [activity_row(exit_, outlook, each, ways) for each in due if is_due(exit_, outlook, each)]
    asked = [request_row(job) for job in exit_.jobs if job.state == "waiting" and job.activity not in exit_.troubles]
    return {"exit_id": exit_.exit_id, "activities": rows, "approvals": asked}


def preview_plan(exit_: Exit, outlook: Outlook, shelf: Shelf, data: Body) -> Body:
    """Give what would differ, without changing anything; raise Rejected OPTION_*."""
    after = planned_from(exit_, _what_if(exit_.inputs, data), shelf)[2]
    return _difference_row(after, difference(outlook.plan, after))


def _what_if(inputs: Inputs, data: Body) -> Inputs:
    go_live = data["go_live"] or inputs.dates.get("T")
    if go_live and (data["go_live"] or data["operations_end"]):
        inputs = with_go_live(inputs, go_live, data["operations_end"])
    given = {"K": data["agreement_end"], "O": data["option_end"]}
    inputs = replace(inputs, moved={**inputs.moved, **{name: day for name, day in given.items() if day}})
    if data["options"] is not None:
        inputs = replace(inputs, options=tuple(sorted(set(data["options"]))))
    return replace(inputs, days={**inputs.days, **{each["activity"]: each["on"] for each in data["days"]}})


def state_of(exit_: Exit, outlook: Outlook, planned: Planned) -> str:
    """Name the activity's state by what holds."""
    if planned.id in exit_.done:
        return "waived" if exit_.done[planned.id].outcome == "waived" else "completed"
    if any(job.activity == planned.id and job.state == "cancelling" for job in exit_.jobs):
        return "cancellation_requested"
    if exit_.cancelled:
        return "cancelled"
    if not planned.chosen:
        return "not_chosen"
    if is_late(exit_, outlook, planned):
        return "overdue"
    if planned.id in exit_.told_due and planned.id not in exit_.troubles:
        return "due"
    waits = list(waits_for(exit_, outlook, planned))
    return "planned" if all(each.startswith("DATE(") for each in waits) else "waiting"


def activity_row(exit_: Exit, outlook: Outlook, planned: Planned, ways: Paths) -> Body:
    """Give an activity as `read_plan` answers it."""
    activity, done = planned.activity, exit_.done.get(planned.id)
    names = ("id", "phase", "title_da", "title_en", "owner", "obligatory", "destructive", "manual")
    return {
        **{name: getattr(activity, name) for name in names},
        "responsible": list(activity.responsible),
        "chosen": planned.chosen,
        "earliest": planned.earliest,
        "due": planned.due,
        "provisional": planned.dates.provisional,
        "rule": planned.rule[:200],
        "clause": planned.clause,
        "after": list(activity.after),
        "state": state_of(exit_, outlook, planned),
        "waits_for": list(waits_for(exit_, outlook, planned)) if planned.chosen and not done else [],
        "completed_on": done.on if done else None,
        "systems": list(planned.systems),
        "blocks": list(ways.blocks.get(planned.id, ())),
        "slack_days": ways.slack.get(planned.id),
        "critical": planned.id in ways.critical,
        "next_actors": list(ways.actors(planned.id)),
    }


def request_row(job: Job) -> Body:
    """Give a job's request for approval."""
    same = {name: getattr(job, name) for name in ("activity", "job_id", "plan_digest")}
    return same | {"state": _SHOWN_AS.get(job.state, job.state), "approvals": list(job.approvals)}


def _timetable_row(exit_: Exit) -> Body | None:
    table = exit_.timetable
    if table is None:
        return None
    days = [{"activity": name, "on": day} for name, day in table.days.items()]
    return {"state": table.state, "timetable_digest": table.digest, "days": days}


def _proposal_row(exit_: Exit, outlook: Outlook) -> Body | None:
    proposal = exit_.proposal
    if proposal is None or outlook.proposed is None:
        return None
    return {
        "proposal_id": proposal.proposal_id,
        "cause": proposal.cause,
        "proposal_digest": proposal.digest,
        "difference": _difference_row(outlook.proposed.plan, outlook.proposed.changes),
        "needs": list(proposal.needs),
        "approved_by": list(proposal.approved_by),
    }


def _difference_row(after: Plan, changes: Sequence[Change]) -> Body:
    names = ("id", "what", "before", "after", "why_da", "why_en")
    return {
        "changes": [{name: getattr(change, name) for name in names} for change in changes],
        "conflicts": list(map(_conflict_row, after.conflicts)),
        "plan_digest": after.digest,
    }


def _conflict_row(conflict: Conflict) -> Body:
    same = {name: getattr(conflict, name) for name in ("not_before", "not_after")}
    return same | {"ids": list(conflict.ids), "clauses": list(conflict.clauses)}

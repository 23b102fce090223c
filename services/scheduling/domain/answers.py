"""What people answer: manual activities and approvals; and the permit that follows approvals and recorded intent."""

from __future__ import annotations

from dataclasses import replace

from services.scheduling.domain.exits import JOB_STATES, Body, Done, Event, Exit, Job, refuse, void_jobs
from services.scheduling.domain.plans import is_due, waits_for
from shared.rules.plan import Plan, Planned

NEEDED = 2
_OF_JOB = ("activity", "job_id", "plan_digest")


def complete(exit_: Exit, plan: Plan, data: Body, party: str, done: Done) -> Exit:
    """Take the answer of the responsible party to a manual activity; raise Rejected ACTIVITY_* or WRONG_PARTY."""
    planned = plan.activity(data["activity"])
    _check_manual(exit_, planned)
    if party not in planned.activity.responsible:
        who = ", ".join(planned.activity.responsible)
        raise refuse("WRONG_PARTY", f"{planned.id} is answered by {who}", f"let {who} answer", "Den anden part svarer.")
    if not is_due(exit_, plan, planned, done.on):
        waits = ", ".join(waits_for(exit_, plan, planned, done.on)) or "A4"
        message, da = f"{planned.id} waits for {waits}", f"{planned.id} venter på {waits}."
        raise refuse("ACTIVITY_NOT_READY", message, "answer it when that is done", da)
    if done.outcome == "waived" and planned.activity.obligatory:
        raise refuse("ACTIVITY_OBLIGATORY", f"{planned.id} cannot be waived", "do it", f"{planned.id} er obligatorisk.")
    return replace(exit_, facts={**exit_.facts, f"manual#{planned.id}": done})


def _check_manual(exit_: Exit, planned: Planned) -> None:
    by = planned.activity.completed_by
    if by != "manual":
        message, da = f"{planned.id} is completed by {by}", f"{planned.id} afsluttes af {by}."
        raise refuse("ACTIVITY_ANSWERED_ELSEWHERE", message, f"bring about {by}", da)
    if planned.id in exit_.done:
        raise refuse("ACTIVITY_COMPLETED", f"{planned.id} is completed", "nothing is left to do", "Allerede afsluttet.")
    if not planned.chosen:
        raise refuse("ACTIVITY_NOT_CHOSEN", f"{planned.id} was not chosen", "choose its option first", "Ikke tilvalgt.")


def preview(exit_: Exit, data: Body) -> Exit:
    """Ask for approval of a previewed plan; another job or digest voids the approvals of the one before (rule 4)."""
    asked = Job(data["job_id"], data["activity"], data["plan_digest"])
    live = [job for job in exit_.jobs if job.state != "void"]
    if any((job.job_id, job.plan_digest) == (asked.job_id, asked.plan_digest) for job in live):
        return exit_
    exit_ = void_jobs(exit_, asked.activity, "new_preview")
    return replace(exit_, jobs=(*exit_.jobs, asked))


def approve(exit_: Exit, data: Body, approval: Body) -> tuple[Exit, Job, list[Event]]:
    """Take one approval; raise Rejected APPROVAL_*, PLAN_DIGEST_DIFFERS or APPROVER_*. Give the job as it is then."""
    job = _job_to_approve(exit_, data)
    _check_approver(job, approval)
    given = replace(job, approvals=(*job.approvals, approval))
    told = {name: data[name] for name in ("exit_id", *_OF_JOB)}
    events: list[Event] = [("scheduling.approval_given", told | {"approval": approval})]
    if len(given.approvals) >= NEEDED:
        given = replace(given, state=JOB_STATES[job.state, "approved_by_all"])
        events.append(("scheduling.approval_completed", told | {"approvals": list(given.approvals)}))
    return _with_job(exit_, job, given), given, events


def intent_recorded(exit_: Exit, data: Body, valid_until: str) -> tuple[Exit, list[Event]]:
    """Issue the permit for the approved digest whose intent is in the evidence log; else change nothing (rule 5)."""
    for job in exit_.jobs:
        if (job.job_id, job.plan_digest) != (data["job_id"], data["plan_digest"]) or not _may_begin(exit_, job):
            continue
        body: Body = {"exit_id": exit_.exit_id, **{name: getattr(job, name) for name in _OF_JOB}}
        body |= {"approvals": list(job.approvals), "intent_index": data["index"], "valid_until": valid_until}
        permitted = replace(job, state=JOB_STATES[job.state, "intent_recorded"])
        return _with_job(exit_, job, permitted), [("scheduling.permit_issued", body)]
    return exit_, []


def _job_to_approve(exit_: Exit, data: Body) -> Job:
    same = [job for job in exit_.jobs if (job.job_id, job.activity) == (data["job_id"], data["activity"])]
    if not same:
        raise refuse("APPROVAL_UNKNOWN", "there is no such request", "read the plan", "Ukendt anmodning.", "job_id")
    job = same[-1]
    if job.plan_digest != data["plan_digest"]:
        message, da = "the plan has changed since it was shown", "Planen er ændret, siden den blev vist."
        raise refuse("PLAN_DIGEST_DIFFERS", message, "look at the new preview", da, "plan_digest")
    if (job.state, "approved_by_all") not in JOB_STATES or not _is_told(exit_, job):
        message, da = f"the request ({job.state}) takes no approval", "Anmodningen venter ikke på godkendelse."
        raise refuse("APPROVAL_NOT_WAITING", message, "read the plan", da, "job_id")
    return job


def _check_approver(job: Job, approval: Body) -> None:
    if any(given["actor"] == approval["actor"] for given in job.approvals):
        message, da = "this person has approved already, in whatever role", "To forskellige personer skal godkende."
        raise refuse("APPROVER_SAME_PERSON", message, "let another person approve", da, "job_id")
    if any(given["role"] == approval["role"] for given in job.approvals):
        message, da = "somebody in this role has approved already", "To forskellige roller skal godkende."
        raise refuse("APPROVER_SAME_ROLE", message, "let a person in another role approve", da, "job_id")


def _is_told(exit_: Exit, job: Job) -> bool:
    return job.activity in exit_.told_due and job.activity not in exit_.done and job.activity not in exit_.troubles


def _may_begin(exit_: Exit, job: Job) -> bool:
    return (job.state, "intent_recorded") in JOB_STATES and _is_told(exit_, job)


def _with_job(exit_: Exit, before: Job, after: Job) -> Exit:
    return replace(exit_, jobs=tuple(after if job == before else job for job in exit_.jobs))

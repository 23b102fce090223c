"""What people answer: manual activities and approvals; and the permit that follows approvals and recorded intent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from contracts.deletion import APPROVAL_DAYS
from services.scheduling.domain.exits import Body, Done, Exit, Job, refuse, telling, with_jobs
from services.scheduling.domain.gates import is_due, waits_for
from services.scheduling.domain.outlook import Outlook
from services.scheduling.domain.timetable import not_ready
from shared.rules.plan import Planned

NEEDED = 2
_OF_JOB = ("activity", "job_id", "plan_digest")


def complete(exit_: Exit, outlook: Outlook, data: Body, party: str, done: Done) -> Exit:
    """Take the answer of the responsible party to a manual activity; raise Rejected ACTIVITY_* or WRONG_PARTY."""
    planned = outlook.plan.activity(data["activity"])
    _check_manual(exit_, planned)
    if party not in planned.activity.responsible:
        who = ", ".join(planned.activity.responsible)
        raise refuse("WRONG_PARTY", f"{planned.id} is answered by {who}", f"let {who} answer", "Den anden part svarer.")
    if not is_due(exit_, outlook, planned):
        raise not_ready(exit_, outlook.plan, planned.id, list(waits_for(exit_, outlook, planned)))
    if done.outcome == "waived" and planned.activity.obligatory:
        message, da = f"{planned.id} cannot be waived ({planned.clause})", f"{planned.id} er obligatorisk."
        raise refuse("ACTIVITY_OBLIGATORY", message, "do it", da, "outcome")
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
    """Ask for approval of a previewed plan; another job or digest voids the approvals of the one before (rule 4).

    A preview of what is no longer due asks for the job's cancellation instead."""
    asked = Job(data["job_id"], data["activity"], data["plan_digest"])
    live = [job for job in exit_.jobs if job.state != "void"]
    if any((job.job_id, job.plan_digest) == (asked.job_id, asked.plan_digest) for job in live):
        return exit_
    exit_ = with_jobs(exit_, asked.activity, "new_preview")
    exit_ = replace(exit_, jobs=(*exit_.jobs, asked))
    if asked.activity in exit_.told_due:
        return exit_
    return cancelling(exit_, asked.activity, exit_.revoked.get(asked.activity, "NOT_DUE"))


def cancelling(exit_: Exit, activity: str, cause: str) -> Exit:
    """Ask deletion not to begin the jobs of an activity; their approvals are void, what has begun goes on (T17)."""
    jobs = []
    for job in exit_.jobs:
        after = job.after("cancel", cause=cause) if job.activity == activity else job
        if after != job:
            exit_ = telling(exit_, "cancellation_requested", activity=activity, job_id=job.job_id, cause=cause)
        jobs.append(after)
    return replace(exit_, jobs=tuple(jobs))


def expire(exit_: Exit, today: date) -> Exit:
    """Void what people approved too long ago without a permit following: told, and the deletion is asked for anew.

    Its job is cancelled and its activity due again once deletion has answered, so that plan, counts and schema are
    drawn up afresh (`contracts.deletion.APPROVAL_DAYS`).
    """
    for job in exit_.jobs:
        last = approvals_end(job)
        if last is not None and today >= last:
            told = {name: getattr(job, name) for name in _OF_JOB}
            exit_ = telling(exit_, "approval_expired", **told, approvals=list(job.approvals), on=today)
            revoked = {**exit_.revoked, job.activity: "APPROVAL_EXPIRED"}
            exit_ = replace(exit_, revoked=revoked, told_due=exit_.told_due - {job.activity})
            exit_ = cancelling(exit_, job.activity, "APPROVAL_EXPIRED")
    return exit_


def approvals_end(job: Job) -> date | None:
    """Give the day on which a job's approvals are void if no permit has followed, None where nothing can expire."""
    if job.state not in ("waiting", "approved") or not job.approvals:
        return None
    return min(_given_on(each) for each in job.approvals) + timedelta(days=APPROVAL_DAYS)


def _given_on(approval: Body) -> date:
    return datetime.fromisoformat(approval["at"]).date()


def begun(exit_: Exit, job_id: str) -> Exit:
    """Take that a permitted job has begun."""
    return _with(exit_, job_id, "begun")


def cancelled(exit_: Exit, job_id: str) -> Exit:
    """Take deletion's answer that nothing of the job had begun, and nothing will."""
    return _with(exit_, job_id, "cancelled")


def already_begun(exit_: Exit, activity: str, job_id: str) -> Exit:
    """Take deletion's answer that the job had begun: it goes on, and its activity is due as before."""
    revoked = {name: cause for name, cause in exit_.revoked.items() if name != activity}
    exit_ = _with(exit_, job_id, "already_begun")
    return replace(exit_, revoked=revoked, told_due=exit_.told_due | {activity})


def approve(exit_: Exit, data: Body, approval: Body) -> tuple[Exit, Job]:
    """Take one approval; raise Rejected APPROVAL_*, PLAN_DIGEST_DIFFERS or APPROVER_*. Give the job as it is then."""
    job = _job_to_approve(exit_, data)
    _check_approver(job, approval)
    given = replace(job, approvals=(*job.approvals, approval))
    told = {name: data[name] for name in _OF_JOB}
    exit_ = telling(exit_, "approval_given", **told, approval=approval)
    if len(given.approvals) >= NEEDED:
        given = given.after("approved_by_all")
        exit_ = telling(exit_, "approval_completed", **told, approvals=list(given.approvals))
    return _with_job(exit_, job, given), given


def intent_recorded(exit_: Exit, data: Body, valid_until: str) -> Exit:
    """Issue the permit for the approved digest whose intent is in the evidence log; else change nothing (rule 5)."""
    for job in exit_.jobs:
        same = (job.job_id, job.plan_digest) == (data["job_id"], data["plan_digest"])
        permitted = job.after("intent_recorded")
        if not same or permitted == job or not _is_told(exit_, job):
            continue
        body: Body = {name: getattr(job, name) for name in _OF_JOB}
        body |= {"approvals": list(job.approvals), "intent_index": data["index"], "valid_until": valid_until}
        return telling(_with_job(exit_, job, permitted), "permit_issued", **body)
    return exit_


def _job_to_approve(exit_: Exit, data: Body) -> Job:
    same = [job for job in exit_.jobs if (job.job_id, job.activity) == (data["job_id"], data["activity"])]
    if not same:
        raise refuse("APPROVAL_UNKNOWN", "there is no such request", "read the plan", "Ukendt anmodning.", "job_id")
    job = same[-1]
    if job.plan_digest != data["plan_digest"]:
        message, da = "the plan has changed since it was shown", "Planen er ændret, siden den blev vist."
        raise refuse("PLAN_DIGEST_DIFFERS", message, "look at the new preview", da, "plan_digest")
    if job.after("approved_by_all") == job or not _is_told(exit_, job):
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


def _with(exit_: Exit, job_id: str, what: str) -> Exit:
    return replace(exit_, jobs=tuple(job.after(what) if job.job_id == job_id else job for job in exit_.jobs))


def _with_job(exit_: Exit, before: Job, after: Job) -> Exit:
    return replace(exit_, jobs=tuple(after if job == before else job for job in exit_.jobs))

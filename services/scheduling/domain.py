"""What is due, what waits for what, who approves: pure rules of one exit's plan.

An exit is a set of facts; plan, states and what must be told follow from the facts and the date, so that facts may
come in any order and twice. Rules kept:
1. An activity is told as due once: chosen, its earliest day reached, every precondition completed or not chosen, its
   gates open. Before the final order only the phase of ordering goes on.
2. Gates of what destroys (T3, T10): the customer's instruction, and an archive decision for each system concerned.
3. Facts complete activities as the profile says; people complete only what the profile leaves to them, and only the
   party that is responsible. What is obligatory is never waived.
4. Two approvals by two people in two roles for one plan digest; a preview with another digest voids them.
5. A permit follows the recorded intent of exactly the approved digest, once, while the activity is due.
6. What stopped goes back to waiting with its code, and is told as due again from the next day on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from contracts.errors import Rejected, Unavailable
from shared.rules.plan import Plan, PlanFacts, Planned, make_plan
from shared.rules.profiles import Profile

Body = dict[str, Any]
Event = tuple[str, Body]

NEEDED = 2
JOB_STATES = {
    ("waiting", "approved_by_all"): "approved",
    ("approved", "intent_recorded"): "permitted",
    ("waiting", "new_preview"): "void",
    ("approved", "new_preview"): "void",
    ("permitted", "new_preview"): "void",
}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Done:
    """How an activity was completed: the day, `done` or `waived`, the digest of what shows it, the role."""

    on: date
    outcome: str
    digest: str | None
    role: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an activity stopped, and the day from which it is tried again."""

    code: str
    retry_on: date


@dataclass(frozen=True, slots=True)
class Job:
    """A previewed deletion that asks for approval; `approvals` hold actor, role and time."""

    job_id: str
    activity: str
    plan_digest: str
    state: str = "waiting"
    approvals: tuple[Body, ...] = ()


@dataclass(frozen=True, slots=True)
class Exit:
    """Everything known of one exit. `facts` is event wire (`#activity` where it names one) → how it completes."""

    exit_id: str
    order: Body = field(default_factory=dict)
    placed: bool = False
    options: tuple[str, ...] | None = None
    instructed: bool = False
    archive: frozenset[str] = frozenset()
    facts: dict[str, Done] = field(default_factory=dict)
    done: dict[str, Done] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    first_deleted: dict[str, date] = field(default_factory=dict)
    jobs: tuple[Job, ...] = ()
    told_due: frozenset[str] = frozenset()
    told_late: frozenset[str] = frozenset()
    told_left_out: frozenset[str] = frozenset()
    timers: frozenset[date] = frozenset()
    version: int = 0
    plan_digest: str = ""


@dataclass(frozen=True, slots=True)
class Advance:
    """What follows from an exit's facts on a day: the exit, events to tell, timers to set and to cancel."""

    exit: Exit
    events: tuple[Event, ...] = ()
    set_timers: frozenset[date] = frozenset()
    cancel_timers: frozenset[date] = frozenset()


# ---- Facts


def with_order(exit_: Exit, order: Body, *, placed: bool) -> Exit:
    """Take the window as ordered, or as finally ordered, which wins whichever comes first."""
    return exit_ if exit_.placed and not placed else replace(exit_, order=order, placed=placed)


def with_fact(exit_: Exit, wire: str, data: Body, today: date) -> Exit:
    """Take a fact that completes an activity; the first one counts."""
    key = f"{wire}#{data['activity']}" if "activity" in data else wire
    if key in exit_.facts:
        return exit_
    on = data.get("on") or today
    digest = data.get("digest") or data.get("package_digest")
    return replace(exit_, facts={**exit_.facts, key: Done(on, "done", digest, data.get("role") or wire.split(".")[0])})


def with_archive(exit_: Exit, system: str) -> Exit:
    """Take the archive decision of one system."""
    return replace(exit_, archive=exit_.archive | {system})


def with_trouble(exit_: Exit, activity: str, code: str, today: date) -> Exit:
    """Put an activity back to waiting; it is told as due again from the next day on."""
    return replace(exit_, troubles={**exit_.troubles, activity: Trouble(code, today + _DAY)})


def with_deletion(exit_: Exit, activity: str, on: date) -> Exit:
    """Take the first actual deletion of an activity's scope; a later one never moves it (T16)."""
    first = min(on, exit_.first_deleted.get(activity, on))
    return replace(exit_, first_deleted={**exit_.first_deleted, activity: first})


def completed_by(profiles: Sequence[Profile], wire: str) -> list[str]:
    """List the activities that the event `wire` completes."""
    return [each.id for profile in profiles for each in profile.activities if each.completed_by == wire]


# ---- The plan


def plan_of(exit_: Exit, profiles: Sequence[Profile]) -> Plan:
    """Compute the exit's plan from its facts; raise Unavailable PROFILE_PIN_DIFFERS."""
    order = exit_.order
    _check_pins(order, profiles)
    anchors = {
        "T": order["go_live"], "D": order["operations_end"], "K": order["agreement_end"],
        "takeover": order["takeover_day"], "in_force": order["in_force_on"],
    }  # fmt: skip
    planned_by = {
        reference.activity: anchor.name
        for profile in profiles for anchor in profile.anchors for reference in anchor.first_of if reference.activity
    }  # fmt: skip
    actual = {planned_by[name]: on for name, on in exit_.first_deleted.items() if name in planned_by}
    facts = PlanFacts(
        anchors | actual,
        options=frozenset(exit_.options or ()),
        amendments=frozenset(each["kind"] for each in order["amendments"]),
        customer_type=order["customer_type"],
        deletions=frozenset(system["deletion"] for system in order["systems"]),
    )
    return make_plan(profiles, facts)


def _check_pins(order: Body, profiles: Sequence[Profile]) -> None:
    pinned = {pin["name"]: pin["digest"] for pin in order.get("pinned", ())}
    for profile in profiles:
        if pinned.get(profile.name, profile.digest) != profile.digest:
            raise Unavailable(
                "PROFILE_PIN_DIFFERS", f"{profile.name} is not the text that the final order pinned",
                field="profiles", remedy="install the pinned version of the profile",
            )  # fmt: skip


def advance(exit_: Exit, profiles: Sequence[Profile], today: date) -> Advance:
    """Draw every conclusion that the facts allow on `today`; the same facts on the same day conclude nothing twice."""
    if not exit_.order:
        return Advance(exit_)
    plan = plan_of(exit_, profiles)
    events: list[Event] = []
    if exit_.placed and plan.digest != exit_.plan_digest:
        exit_ = replace(exit_, version=exit_.version + 1, plan_digest=plan.digest)
        events.append(("scheduling.plan_made", _plan_made(exit_, plan)))
    exit_, concluded = _conclude(exit_, plan, today)
    events += concluded
    wanted = _turning_points(exit_, plan, today)
    return Advance(
        replace(exit_, timers=wanted),
        tuple(events),
        wanted - exit_.timers,
        frozenset(day for day in exit_.timers - wanted if day > today),
    )


def _conclude(exit_: Exit, plan: Plan, today: date) -> tuple[Exit, list[Event]]:
    """Complete, tell what is due, tell what is late, until nothing more follows."""
    events: list[Event] = []
    exit_ = _retry(exit_, today)
    while True:
        before = exit_
        for step in (_completions, _dues, _lates, _left_out):
            for exit_, event in step(exit_, plan, today):
                events.append(event)
        if exit_ == before:
            return exit_, events


def _retry(exit_: Exit, today: date) -> Exit:
    again = {name for name, trouble in exit_.troubles.items() if trouble.retry_on <= today}
    left = {name: trouble for name, trouble in exit_.troubles.items() if name not in again}
    return replace(exit_, troubles=left, told_due=exit_.told_due - again) if again else exit_


Steps = Iterator[tuple[Exit, Event]]


def _completions(exit_: Exit, plan: Plan, today: date) -> Steps:
    for planned in plan.activities:
        done = _completion(exit_, planned, plan, today)
        if done and planned.id not in exit_.done:
            troubles = {name: trouble for name, trouble in exit_.troubles.items() if name != planned.id}
            exit_ = replace(exit_, done={**exit_.done, planned.id: done}, troubles=troubles)
            yield exit_, ("scheduling.activity_completed", _completed(exit_, planned.id, done))


def _completion(exit_: Exit, planned: Planned, plan: Plan, today: date) -> Done | None:
    by = planned.activity.completed_by
    if by == "date":
        over = planned.due and today > planned.due and not plan.unmet(planned, exit_.done)
        return Done(planned.due, "done", None, "scheduling") if over and planned.due else None
    if by == "parts":
        parts = [exit_.done.get(name) for name in planned.activity.parts if plan.activity(name).chosen]
        on = max((part.on for part in parts if part), default=today)
        return Done(on, "done", None, "scheduling") if all(parts) else None
    return exit_.facts.get(f"{by}#{planned.id}") or exit_.facts.get(by)


def _dues(exit_: Exit, plan: Plan, today: date) -> Steps:
    for planned in plan.activities:
        if planned.id not in exit_.told_due and is_due(exit_, plan, planned, today):
            exit_ = replace(exit_, told_due=exit_.told_due | {planned.id})
            yield exit_, ("scheduling.activity_due", _due(exit_, planned, today))


def _lates(exit_: Exit, plan: Plan, today: date) -> Steps:
    for planned in plan.activities:
        key = f"{planned.id}@{planned.due}"
        if planned.due and is_late(exit_, planned, today) and key not in exit_.told_late:
            exit_ = replace(exit_, told_late=exit_.told_late | {key})
            body = {"exit_id": exit_.exit_id, "activity": planned.id, "due": planned.due}
            waits = list(waits_for(exit_, plan, planned, today))
            yield exit_, ("scheduling.activity_overdue", body | {"waits_for": waits})


def _left_out(exit_: Exit, plan: Plan, today: date) -> Steps:
    """Tell, once the options are confirmed (B3), which activities were not chosen."""
    for planned in plan.activities if exit_.options is not None and exit_.placed else ():
        if not planned.chosen and planned.id not in exit_.told_left_out:
            exit_ = replace(exit_, told_left_out=exit_.told_left_out | {planned.id})
            done = Done(today, "not_chosen", None, "scheduling")
            yield exit_, ("scheduling.activity_completed", _completed(exit_, planned.id, done))


def _turning_points(exit_: Exit, plan: Plan, today: date) -> frozenset[date]:
    """Give the days on which something may change by itself: earliest days, days after due dates, retries."""
    if not exit_.placed:
        return frozenset()
    open_ = [planned for planned in plan.activities if planned.chosen and planned.id not in exit_.done]
    days = {planned.earliest for planned in open_ if planned.earliest}
    days |= {planned.due + _DAY for planned in open_ if planned.due}
    days |= {trouble.retry_on for trouble in exit_.troubles.values()}
    return frozenset(day for day in days if day > today)


# ---- Reading the plan


def is_due(exit_: Exit, plan: Plan, planned: Planned, today: date) -> bool:
    """Tell whether the activity can be done on `today`: rules 1 and 2."""
    here = exit_.placed or planned.activity.phase == "order"
    return here and planned.chosen and planned.id not in exit_.done and not any(waits_for(exit_, plan, planned, today))


def is_late(exit_: Exit, planned: Planned, today: date) -> bool:
    """Tell whether the activity's due date has passed without it."""
    late = planned.due is not None and today > planned.due
    return late and exit_.placed and planned.chosen and planned.id not in exit_.done


def waits_for(exit_: Exit, plan: Plan, planned: Planned, today: date) -> Iterator[str]:
    """Give what an activity waits for: ids of activities, `DATE(…)`, gates, and the code of what stopped it."""
    yield from plan.unmet(planned, exit_.done)
    if planned.earliest and planned.earliest > today:
        yield f"DATE({planned.earliest.isoformat()})"
    if "instruction" in planned.activity.gates and not exit_.instructed:
        yield "INSTRUCTION"
    if "archive" in planned.activity.gates:
        yield from _undecided(exit_, planned.activity.deletion)
    if planned.id in exit_.troubles:
        yield exit_.troubles[planned.id].code


def _undecided(exit_: Exit, deletion: str) -> Iterator[str]:
    for system in exit_.order["systems"]:
        if system["deletion"] == deletion and system["system"] not in exit_.archive:
            yield f"ARCHIVE({re.sub(r'[^A-Za-z0-9_.-]', '-', system['system'])[:60]})"


def state_of(exit_: Exit, plan: Plan, planned: Planned, today: date) -> str:
    """Name the activity's state by what holds."""
    if planned.id in exit_.done:
        return "waived" if exit_.done[planned.id].outcome == "waived" else "completed"
    if not planned.chosen:
        return "not_chosen"
    if is_late(exit_, planned, today):
        return "overdue"
    if planned.id in exit_.told_due and planned.id not in exit_.troubles:
        return "due"
    waits = list(waits_for(exit_, plan, planned, today))
    return "planned" if all(each.startswith("DATE(") for each in waits) else "waiting"


def row(exit_: Exit, plan: Plan, planned: Planned, today: date) -> Body:
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
        "state": state_of(exit_, plan, planned, today),
        "waits_for": list(waits_for(exit_, plan, planned, today)) if planned.chosen and not done else [],
        "completed_on": done.on if done else None,
    }


def read_plan(exit_: Exit, plan: Plan, today: date) -> Body:
    """Give the whole plan as `read_plan` answers it."""
    return {
        "exit_id": exit_.exit_id,
        "state": "placed" if exit_.placed else "draft",
        "version": exit_.version,
        "plan_digest": plan.digest,
        "activities": [row(exit_, plan, planned, today) for planned in plan.activities],
        "approvals": [request(job) for job in exit_.jobs],
        "conflicts": [
            {"ids": list(each.ids), "not_before": each.not_before, "not_after": each.not_after, "clauses": list(each.clauses)}
            for each in plan.conflicts
        ],
    }  # fmt: skip


def waiting(exit_: Exit, plan: Plan, today: date) -> Body:
    """Give what waits for somebody: manual activities that are due, and approvals not yet given."""
    due = [each for each in plan.activities if each.activity.manual and each.id in exit_.told_due]
    rows = [row(exit_, plan, each, today) for each in due if is_due(exit_, plan, each, today)]
    asked = [request(job) for job in exit_.jobs if job.state == "waiting"]
    return {"exit_id": exit_.exit_id, "activities": rows, "approvals": asked}


def request(job: Job) -> Body:
    """Give a job's request for approval."""
    same = {name: getattr(job, name) for name in ("activity", "job_id", "plan_digest", "state")}
    return same | {"approvals": list(job.approvals)}


# ---- Commands


def complete(exit_: Exit, plan: Plan, data: Body, party: str, done: Done) -> Exit:
    """Take the answer of the responsible party to a manual activity; raise Rejected ACTIVITY_* or WRONG_PARTY."""
    planned = plan.activity(data["activity"])
    _check_manual(exit_, planned)
    if party not in planned.activity.responsible:
        who = ", ".join(planned.activity.responsible)
        raise _refuse(
            "WRONG_PARTY", f"{planned.id} is answered by: {who}", f"let {who} answer", "Den anden part skal svare."
        )
    if not is_due(exit_, plan, planned, done.on):
        waits = ", ".join(waits_for(exit_, plan, planned, done.on)) or "A4"
        raise _refuse(
            "ACTIVITY_NOT_READY", f"{planned.id} waits for {waits}", "answer it when that is done",
            f"{planned.id} venter på {waits}.",
        )  # fmt: skip
    if data["outcome"] == "waived" and planned.activity.obligatory:
        raise _refuse(
            "ACTIVITY_OBLIGATORY", f"{planned.id} cannot be waived", "do it", f"{planned.id} er obligatorisk."
        )
    return replace(exit_, facts={**exit_.facts, f"manual#{planned.id}": done})


def _check_manual(exit_: Exit, planned: Planned) -> None:
    by = planned.activity.completed_by
    if by != "manual":
        raise _refuse(
            "ACTIVITY_ANSWERED_ELSEWHERE", f"{planned.id} is completed by {by}", f"bring about {by}",
            f"{planned.id} afsluttes af {by}.",
        )  # fmt: skip
    if planned.id in exit_.done:
        raise _refuse(
            "ACTIVITY_COMPLETED", f"{planned.id} is completed", "nothing is left to do", "Allerede afsluttet."
        )
    if not planned.chosen:
        raise _refuse(
            "ACTIVITY_NOT_CHOSEN", f"{planned.id} was not chosen", "choose its option first", "Ikke tilvalgt."
        )


def preview(exit_: Exit, data: Body) -> Exit:
    """Ask for approval of a previewed plan; another digest voids the approvals of the one before (rule 4)."""
    if any(job.job_id == data["job_id"] and job.plan_digest == data["plan_digest"] for job in exit_.jobs):
        return exit_
    before = [
        replace(job, state=JOB_STATES.get((job.state, "new_preview"), job.state))
        if job.activity == data["activity"] else job
        for job in exit_.jobs
    ]  # fmt: skip
    job = Job(data["job_id"], data["activity"], data["plan_digest"])
    return replace(exit_, jobs=(*before, job))


def approve(exit_: Exit, data: Body, approval: Body) -> tuple[Exit, Job, list[Event]]:
    """Take one approval; raise Rejected APPROVAL_*, PLAN_DIGEST_DIFFERS or APPROVER_*. Give the job as it is then."""
    job = _job_to_approve(exit_, data)
    if any(given["actor"] == approval["actor"] for given in job.approvals):
        raise _refuse(
            "APPROVER_SAME_PERSON", "the same person has approved already, in whatever role", "let another person approve",
            "To forskellige personer skal godkende.", "job_id",
        )  # fmt: skip
    if any(given["role"] == approval["role"] for given in job.approvals):
        raise _refuse(
            "APPROVER_SAME_ROLE", "somebody in this role has approved already", "let a person in another role approve",
            "To forskellige roller skal godkende.", "job_id",
        )  # fmt: skip
    given = replace(job, approvals=(*job.approvals, approval))
    told = {name: data[name] for name in ("exit_id", "activity", "job_id", "plan_digest")}
    events: list[Event] = [("scheduling.approval_given", told | {"approval": approval})]
    if len(given.approvals) >= NEEDED:
        given = replace(given, state=JOB_STATES[job.state, "approved_by_all"])
        events.append(("scheduling.approval_completed", told | {"approvals": list(given.approvals)}))
    return _with_job(exit_, job, given), given, events


def _job_to_approve(exit_: Exit, data: Body) -> Job:
    same = [job for job in exit_.jobs if job.job_id == data["job_id"] and job.activity == data["activity"]]
    if not same:
        raise _refuse(
            "APPROVAL_UNKNOWN", "there is no such request", "read the plan", "Anmodningen findes ikke.", "job_id"
        )
    job = same[-1]
    if job.plan_digest != data["plan_digest"]:
        raise _refuse(
            "PLAN_DIGEST_DIFFERS", "the plan has changed since it was shown", "look at the new preview",
            "Planen er ændret, siden den blev vist.", "plan_digest",
        )  # fmt: skip
    if job.state != "waiting" or job.activity in exit_.done or job.activity in exit_.troubles:
        raise _refuse(
            "APPROVAL_NOT_WAITING", f"the request is {job.state} and takes no approval", "read the plan",
            "Anmodningen venter ikke på godkendelse.", "job_id",
        )  # fmt: skip
    return job


def intent_recorded(exit_: Exit, data: Body, valid_until: str) -> tuple[Exit, list[Event]]:
    """Issue the permit for the approved digest whose intent is in the evidence log; anything else changes nothing."""
    for job in exit_.jobs:
        if (job.job_id, job.plan_digest) != (data["job_id"], data["plan_digest"]) or not _may_begin(exit_, job):
            continue
        permitted = replace(job, state=JOB_STATES[job.state, "intent_recorded"])
        body = {name: getattr(job, name) for name in ("activity", "job_id", "plan_digest")}
        body |= {"exit_id": exit_.exit_id, "approvals": list(job.approvals)}
        body |= {"intent_index": data["index"], "valid_until": valid_until}
        return _with_job(exit_, job, permitted), [("scheduling.permit_issued", body)]
    return exit_, []


def _may_begin(exit_: Exit, job: Job) -> bool:
    due = job.activity in exit_.told_due and job.activity not in exit_.done and job.activity not in exit_.troubles
    return due and job.state == "approved"


def _with_job(exit_: Exit, before: Job, after: Job) -> Exit:
    return replace(exit_, jobs=tuple(after if job == before else job for job in exit_.jobs))


# ---- Bodies


def _plan_made(exit_: Exit, plan: Plan) -> Body:
    return {
        "exit_id": exit_.exit_id,
        "version": exit_.version,
        "plan_digest": plan.digest,
        "activities": [
            {"id": each.id, "earliest": each.earliest, "due": each.due, "chosen": each.chosen} for each in plan.activities
        ],
        "obligations": [
            {"id": each.obligation.id, "clause": each.obligation.clause, "earliest": each.earliest, "due": each.due, "rule": each.rule[:200]}
            for each in plan.obligations
        ],
        "conflicts": len(plan.conflicts),
    }  # fmt: skip


def _due(exit_: Exit, planned: Planned, today: date) -> Body:
    body = {"exit_id": exit_.exit_id, "activity": planned.id, "owner": planned.activity.owner}
    return body | {"earliest": planned.earliest, "due": planned.due, "on": today}


def _completed(exit_: Exit, activity: str, done: Done) -> Body:
    body = {"exit_id": exit_.exit_id, "activity": activity, "outcome": done.outcome, "on": done.on}
    return body | {"evidence_digest": done.digest, "role": done.role}


def unknown_exit() -> Rejected:
    """Make the refusal of an exit that is not there."""
    return _refuse("EXIT_UNKNOWN", "there is no such exit", "check the id", "Exittet findes ikke.", "exit_id")


def _refuse(code: str, message: str, remedy: str, da: str, field: str = "activity") -> Rejected:
    return Rejected(code, message, field=field, remedy=remedy, da=da)

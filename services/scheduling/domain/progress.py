"""What follows from an exit's facts on a day: what is completed, due, late, revoked or left out; when to look again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from services.scheduling.domain.answers import approvals_end, cancelling, expire
from services.scheduling.domain.changes import proposal_body
from services.scheduling.domain.exits import DAY, Body, Done, Event, Exit, telling
from services.scheduling.domain.gates import is_due, is_late, last_day, waits_for
from services.scheduling.domain.outlook import Outlook, Shelf, look
from services.scheduling.domain.owing import (
    keep_silence,
    next_flip,
    remind,
    reminder_days,
    silence_days,
    tell_standings,
)
from shared.rules.plan import Plan, Planned


@dataclass(frozen=True, slots=True)
class Advance:
    """What follows: the exit with what was concluded, events to tell, timers to set and to cancel."""

    exit: Exit
    events: tuple[Event, ...] = ()
    set_timers: frozenset[date] = frozenset()
    cancel_timers: frozenset[date] = frozenset()


def advance(exit_: Exit, shelf: Shelf, today: date) -> Advance:
    """Draw every conclusion that the facts allow on `today`; the same facts on the same day conclude nothing twice."""
    before = exit_.timers
    if exit_.ordered:
        exit_ = _advanced(exit_, shelf, today)
    over = frozenset(day for day in before - exit_.timers if day > today)
    events = tuple((wire, {"on": today} | body if wire in _DATED else body) for wire, body in exit_.news)
    return Advance(replace(exit_, news=()), events, exit_.timers - before, over)


_DATED = frozenset(
    f"scheduling.{name}"
    for name in (
        "activity_due", "timetable_submitted", "timetable_answered", "plan_proposed", "reminder_due",
        "status_letter_due", "obligation_changed", "silence_applied", "cancellation_requested", "bypass_changed",
    )
)  # fmt: skip


def _advanced(exit_: Exit, shelf: Shelf, today: date) -> Exit:
    outlook = look(exit_, shelf, today)
    silent = keep_silence(exit_, outlook)
    if silent != exit_:
        exit_, outlook = silent, look(silent, shelf, today)
    if exit_.placed and outlook.plan.digest != exit_.plan_digest:
        exit_ = replace(exit_, version=exit_.version + 1, plan_digest=outlook.plan.digest)
        exit_ = telling(exit_, "plan_made", **_plan_made(exit_, outlook.plan))
    exit_ = _propose(exit_, outlook)
    exit_ = _conclude(expire(_retry(exit_, today), today), outlook)
    if exit_.placed and not exit_.cancelled:
        exit_ = remind(tell_standings(exit_, outlook), outlook)
    return replace(exit_, timers=_turning_points(exit_, outlook))


def _propose(exit_: Exit, outlook: Outlook) -> Exit:
    """Tell a proposal with the size of its difference, once."""
    if exit_.proposal is None or outlook.proposed is None or exit_.proposal.changes >= 0:
        return exit_
    conflicts = len(outlook.proposed.plan.blocking)
    proposal = replace(exit_.proposal, changes=len(outlook.proposed.changes), conflicts=conflicts)
    exit_ = replace(exit_, proposal=proposal)
    return telling(exit_, "plan_proposed", **proposal_body(proposal, "proposed"))


Step = Callable[[Exit, Outlook, Planned], Exit]


def _conclude(exit_: Exit, outlook: Outlook) -> Exit:
    """Repeat the steps until nothing more follows."""
    while True:
        before = exit_
        for step in _STEPS:
            for planned in outlook.plan.activities:
                exit_ = step(exit_, outlook, planned)
        if exit_ == before:
            return exit_


def _retry(exit_: Exit, today: date) -> Exit:
    """Forget the troubles whose day has come, so that their activities are told as due again."""
    again = {name for name, trouble in exit_.troubles.items() if trouble.retry_on <= today}
    left = {name: trouble for name, trouble in exit_.troubles.items() if name not in again}
    return replace(exit_, troubles=left, told_due=exit_.told_due - again) if again else exit_


def _undo(exit_: Exit, outlook: Outlook, planned: Planned) -> Exit:
    """Open again what a date completed that has been moved since."""
    moved = planned.id in exit_.done and planned.activity.completed_by == "date" and _to_come(planned, outlook)
    if not moved:
        return exit_
    done = {name: each for name, each in exit_.done.items() if name != planned.id}
    return replace(exit_, done=done, told_due=exit_.told_due - {planned.id})


def _to_come(planned: Planned, outlook: Outlook) -> bool:
    return planned.due is None or planned.due >= outlook.today


def _complete(exit_: Exit, outlook: Outlook, planned: Planned) -> Exit:
    done = None if planned.id in exit_.done else _completion(exit_, outlook, planned)
    if done is None:
        return exit_
    troubles = {name: trouble for name, trouble in exit_.troubles.items() if name != planned.id}
    exit_ = replace(exit_, done={**exit_.done, planned.id: done}, troubles=troubles)
    return telling(exit_, "activity_completed", **_completed(planned.id, done))


def _completion(exit_: Exit, outlook: Outlook, planned: Planned) -> Done | None:
    by = planned.activity.completed_by
    if by == "date":
        waits = exit_.cancelled or _to_come(planned, outlook) or outlook.plan.unmet(planned, exit_.done)
        moving = outlook.proposed and any(change.id == planned.id for change in outlook.proposed.changes)
        return None if waits or moving or planned.due is None else Done(planned.due, "done", None, "scheduling")
    if by == "parts":
        return _of_parts(exit_, outlook.plan, planned)
    return exit_.facts.get(f"{by}#{planned.id}") or exit_.facts.get(by)


def _of_parts(exit_: Exit, plan: Plan, planned: Planned) -> Done | None:
    chosen = [name for name in planned.activity.parts if plan.activity(name).chosen]
    if not chosen or not exit_.done.keys() >= set(chosen):
        return None
    return Done(max(exit_.done[name].on for name in chosen), "done", None, "scheduling")


def _revoke(exit_: Exit, outlook: Outlook, planned: Planned) -> Exit:
    """Take back what is due no longer; of a deletion, ask for the cancellation of its job if that has not begun."""
    told = planned.id in exit_.told_due and planned.id not in exit_.done and planned.id not in exit_.troubles
    goes_on = any(job.activity == planned.id and job.state == "begun" for job in exit_.jobs)
    if not told or goes_on or is_due(exit_, outlook, planned):
        return exit_
    exit_ = replace(exit_, told_due=exit_.told_due - {planned.id})
    if not planned.activity.destructive:
        return exit_
    cause = next(waits_for(exit_, outlook, planned), "NOT_CHOSEN").partition("(")[0]
    return cancelling(replace(exit_, revoked={**exit_.revoked, planned.id: cause}), planned.id, cause)


def _tell_due(exit_: Exit, outlook: Outlook, planned: Planned) -> Exit:
    if planned.id in exit_.told_due or not is_due(exit_, outlook, planned):
        return exit_
    revoked = {name: cause for name, cause in exit_.revoked.items() if name != planned.id}
    exit_ = replace(exit_, told_due=exit_.told_due | {planned.id}, revoked=revoked)
    return telling(
        exit_, "activity_due", activity=planned.id, owner=planned.activity.owner, earliest=planned.earliest,
        due=planned.due, systems=list(planned.systems),
    )  # fmt: skip


def _tell_late(exit_: Exit, outlook: Outlook, planned: Planned) -> Exit:
    key = f"{planned.id}@{planned.due}"
    if key in exit_.told_late or not is_late(exit_, outlook, planned):
        return exit_
    exit_ = replace(exit_, told_late=exit_.told_late | {key})
    waits = list(waits_for(exit_, outlook, planned))
    return telling(exit_, "activity_overdue", activity=planned.id, due=planned.due, waits_for=waits)


def _tell_left_out(exit_: Exit, outlook: Outlook, planned: Planned) -> Exit:
    """Tell, once the options are confirmed (B3), that an activity was not chosen; forget it where it is later."""
    if planned.chosen:
        return replace(exit_, told_left_out=exit_.told_left_out - {planned.id})
    if planned.id in exit_.told_left_out or exit_.inputs.options is None or not exit_.placed:
        return exit_
    exit_ = replace(exit_, told_left_out=exit_.told_left_out | {planned.id})
    done = Done(outlook.today, "not_chosen", None, "scheduling")
    return telling(exit_, "activity_completed", **_completed(planned.id, done))


_STEPS: tuple[Step, ...] = (_undo, _complete, _revoke, _tell_due, _tell_late, _tell_left_out)


def _turning_points(exit_: Exit, outlook: Outlook) -> frozenset[date]:
    """Give the days on which something changes by itself: dates, retries, obligations, reminders, silence."""
    if not exit_.placed or exit_.cancelled:
        return frozenset()
    open_ = [planned for planned in outlook.plan.activities if planned.chosen and planned.id not in exit_.done]
    days = {planned.earliest for planned in open_ if planned.earliest}
    days |= {last + DAY for planned in open_ if (last := last_day(exit_, planned))}
    days |= {trouble.retry_on for trouble in exit_.troubles.values()}
    days |= {last for job in exit_.jobs if (last := approvals_end(job))}
    days |= {*reminder_days(exit_, outlook), *silence_days(exit_, outlook), *_after_heavy(open_, outlook)}
    flip = next_flip(exit_, outlook)
    return frozenset(day for day in days | ({flip} if flip else set()) if day > outlook.today)


def _after_heavy(open_: list[Planned], outlook: Outlook) -> set[date]:
    """Give the day after each rule (R1) that keeps an open heavy job from running."""
    if not any(planned.activity.heavy for planned in open_):
        return set()
    ends = [outlook.anchor(rule["end"]) for profile in outlook.profiles for rule in profile.rules]
    return {end + DAY for end in ends if end}


def _plan_made(exit_: Exit, plan: Plan) -> Body:
    activities = [
        {
            "id": each.id,
            "earliest": each.earliest,
            "due": each.due,
            "chosen": each.chosen,
            "systems": list(each.systems),
        }
        for each in plan.activities
    ]
    obligations = [
        {
            "id": each.id,
            "clause": each.clause,
            "earliest": each.earliest,
            "due": each.due,
            "rule": each.rule[:200],
        }
        for each in plan.obligations
    ]
    body: Body = {"version": exit_.version, "plan_digest": plan.digest}
    return body | {"activities": activities, "obligations": obligations, "conflicts": len(plan.blocking)}


def _completed(activity: str, done: Done) -> Body:
    body = {"activity": activity, "outcome": done.outcome, "on": done.on}
    return body | {"evidence_digest": done.digest, "role": done.role}

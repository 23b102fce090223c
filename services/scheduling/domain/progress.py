"""What follows from an exit's facts on a day: what is completed, due, late or left out, and when to look again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.scheduling.domain.exits import DAY, Body, Done, Event, Exit
from services.scheduling.domain.plans import is_due, is_late, plan_of, waits_for
from shared.rules.plan import Plan, Planned
from shared.rules.profiles import Profile


@dataclass(frozen=True, slots=True)
class Advance:
    """What follows: the exit with what was concluded, events to tell, timers to set and to cancel."""

    exit: Exit
    events: tuple[Event, ...] = ()
    set_timers: frozenset[date] = frozenset()
    cancel_timers: frozenset[date] = frozenset()


def advance(exit_: Exit, profiles: Sequence[Profile], today: date) -> Advance:
    """Draw every conclusion that the facts allow on `today`; the same facts on the same day conclude nothing twice."""
    if not exit_.order:
        return Advance(exit_)
    plan = plan_of(exit_, profiles)
    events: list[Event] = []
    if exit_.placed and plan.digest != exit_.plan_digest:
        exit_ = replace(exit_, version=exit_.version + 1, plan_digest=plan.digest)
        events.append(("scheduling.plan_made", _plan_made(exit_, plan)))
    exit_ = _conclude(_retry(exit_, today), plan, today, events)
    wanted = _turning_points(exit_, plan, today)
    over = frozenset(day for day in exit_.timers - wanted if day > today)
    return Advance(replace(exit_, timers=wanted), tuple(events), wanted - exit_.timers, over)


def _conclude(exit_: Exit, plan: Plan, today: date, events: list[Event]) -> Exit:
    """Repeat the four steps until nothing more follows."""
    steps: tuple[Step, ...] = (_complete, _tell_due, _tell_late, _tell_left_out)
    while True:
        before = exit_
        for step in steps:
            for planned in plan.activities:
                exit_ = step(exit_, plan, planned, today, events)
        if exit_ == before:
            return exit_


Step = Callable[[Exit, Plan, Planned, date, list[Event]], Exit]


def _retry(exit_: Exit, today: date) -> Exit:
    """Forget the troubles whose day has come, so that their activities are told as due again."""
    again = {name for name, trouble in exit_.troubles.items() if trouble.retry_on <= today}
    left = {name: trouble for name, trouble in exit_.troubles.items() if name not in again}
    return replace(exit_, troubles=left, told_due=exit_.told_due - again) if again else exit_


def _complete(exit_: Exit, plan: Plan, planned: Planned, today: date, events: list[Event]) -> Exit:
    done = None if planned.id in exit_.done else _completion(exit_, plan, planned, today)
    if done is None:
        return exit_
    events.append(("scheduling.activity_completed", _completed(exit_, planned.id, done)))
    troubles = {name: trouble for name, trouble in exit_.troubles.items() if name != planned.id}
    return replace(exit_, done={**exit_.done, planned.id: done}, troubles=troubles)


def _completion(exit_: Exit, plan: Plan, planned: Planned, today: date) -> Done | None:
    by = planned.activity.completed_by
    if by == "date":
        over = planned.due is not None and today > planned.due and not plan.unmet(planned, exit_.done)
        return Done(planned.due, "done", None, "scheduling") if over and planned.due else None
    if by == "parts":
        return _of_parts(exit_, plan, planned)
    return exit_.facts.get(f"{by}#{planned.id}") or exit_.facts.get(by)


def _of_parts(exit_: Exit, plan: Plan, planned: Planned) -> Done | None:
    chosen = [name for name in planned.activity.parts if plan.activity(name).chosen]
    if not chosen or not exit_.done.keys() >= set(chosen):
        return None
    return Done(max(exit_.done[name].on for name in chosen), "done", None, "scheduling")


def _tell_due(exit_: Exit, plan: Plan, planned: Planned, today: date, events: list[Event]) -> Exit:
    if planned.id in exit_.told_due or not is_due(exit_, plan, planned, today):
        return exit_
    body: Body = {"exit_id": exit_.exit_id, "activity": planned.id, "owner": planned.activity.owner}
    body |= {"earliest": planned.earliest, "due": planned.due, "on": today}
    events.append(("scheduling.activity_due", body))
    return replace(exit_, told_due=exit_.told_due | {planned.id})


def _tell_late(exit_: Exit, plan: Plan, planned: Planned, today: date, events: list[Event]) -> Exit:
    key = f"{planned.id}@{planned.due}"
    if key in exit_.told_late or not is_late(exit_, planned, today):
        return exit_
    body = {"exit_id": exit_.exit_id, "activity": planned.id, "due": planned.due}
    events.append(("scheduling.activity_overdue", body | {"waits_for": list(waits_for(exit_, plan, planned, today))}))
    return replace(exit_, told_late=exit_.told_late | {key})


def _tell_left_out(exit_: Exit, plan: Plan, planned: Planned, today: date, events: list[Event]) -> Exit:
    """Tell, once the options are confirmed (B3), that an activity was not chosen."""
    if planned.chosen or planned.id in exit_.told_left_out or exit_.options is None or not exit_.placed:
        return exit_
    done = Done(today, "not_chosen", None, "scheduling")
    events.append(("scheduling.activity_completed", _completed(exit_, planned.id, done)))
    return replace(exit_, told_left_out=exit_.told_left_out | {planned.id})


def _turning_points(exit_: Exit, plan: Plan, today: date) -> frozenset[date]:
    """Give the days on which something changes by itself: earliest days, days after due dates, retries."""
    if not exit_.placed:
        return frozenset()
    open_ = [planned for planned in plan.activities if planned.chosen and planned.id not in exit_.done]
    days = {planned.earliest for planned in open_ if planned.earliest}
    days |= {planned.due + DAY for planned in open_ if planned.due}
    days |= {trouble.retry_on for trouble in exit_.troubles.values()}
    return frozenset(day for day in days if day > today)


def _plan_made(exit_: Exit, plan: Plan) -> Body:
    activities = [
        {"id": each.id, "earliest": each.earliest, "due": each.due, "chosen": each.chosen} for each in plan.activities
    ]
    obligations = [
        {
            "id": each.obligation.id,
            "clause": each.obligation.clause,
            "earliest": each.earliest,
            "due": each.due,
            "rule": each.rule[:200],
        }
        for each in plan.obligations
    ]
    body: Body = {"exit_id": exit_.exit_id, "version": exit_.version, "plan_digest": plan.digest}
    return body | {"activities": activities, "obligations": obligations, "conflicts": len(plan.conflicts)}


def _completed(exit_: Exit, activity: str, done: Done) -> Body:
    body = {"exit_id": exit_.exit_id, "activity": activity, "outcome": done.outcome, "on": done.on}
    return body | {"evidence_digest": done.digest, "role": done.role}

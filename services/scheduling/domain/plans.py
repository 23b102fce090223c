"""The plan that follows from an exit's facts, what each activity waits for, and how it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from contracts.errors import Unavailable
from services.scheduling.domain.exits import Body, Exit, Job
from shared.rules.plan import Conflict, Plan, PlanFacts, Planned, make_plan
from shared.rules.profiles import Profile


def plan_of(exit_: Exit, profiles: Sequence[Profile]) -> Plan:
    """Compute the exit's plan from its facts; raise Unavailable PROFILE_PIN_DIFFERS."""
    order = exit_.order
    _check_pins(order, profiles)
    anchors: dict[str, date] = {
        "T": order["go_live"],
        "D": order["operations_end"],
        "K": order["agreement_end"],
        "takeover": order["takeover_day"],
        "in_force": order["in_force_on"],
    }
    facts = PlanFacts(
        anchors | _actual_deletions(exit_, profiles),
        options=frozenset(exit_.options or ()),
        amendments=frozenset(each["kind"] for each in order["amendments"]),
        customer_type=order["customer_type"],
        deletions=frozenset(system["deletion"] for system in order["systems"]),
    )
    return make_plan(profiles, facts)


def _actual_deletions(exit_: Exit, profiles: Sequence[Profile]) -> dict[str, date]:
    """Give the first actual deletions by the anchor that stands for each (`S1d` for D2 and so on)."""
    anchors = [anchor for profile in profiles for anchor in profile.anchors]
    planned_by = {reference.activity: anchor.name for anchor in anchors for reference in anchor.first_of}
    return {planned_by[name]: on for name, on in exit_.first_deleted.items() if name in planned_by}


def _check_pins(order: Body, profiles: Sequence[Profile]) -> None:
    pinned = {pin["name"]: pin["digest"] for pin in order.get("pinned", ())}
    for profile in profiles:
        if pinned.get(profile.name, profile.digest) != profile.digest:
            raise Unavailable(
                "PROFILE_PIN_DIFFERS",
                f"{profile.name} is not the text that the final order pinned",
                field="profiles",
                remedy="install the pinned version of the profile",
            )


def is_due(exit_: Exit, plan: Plan, planned: Planned, today: date) -> bool:
    """Tell whether the activity can be done on `today` (rules 1 and 2)."""
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


def activity_row(exit_: Exit, plan: Plan, planned: Planned, today: date) -> Body:
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
        "activities": [activity_row(exit_, plan, planned, today) for planned in plan.activities],
        "approvals": [request_row(job) for job in exit_.jobs],
        "conflicts": [_conflict_row(conflict) for conflict in plan.conflicts],
    }


def waiting(exit_: Exit, plan: Plan, today: date) -> Body:
    """Give what waits for somebody: manual activities that are due, and approvals not yet given."""
    due = [each for each in plan.activities if each.activity.manual and each.id in exit_.told_due]
    rows = [activity_row(exit_, plan, each, today) for each in due if is_due(exit_, plan, each, today)]
    asked = [request_row(job) for job in exit_.jobs if job.state == "waiting" and job.activity not in exit_.troubles]
    return {"exit_id": exit_.exit_id, "activities": rows, "approvals": asked}


def request_row(job: Job) -> Body:
    """Give a job's request for approval."""
    same = {name: getattr(job, name) for name in ("activity", "job_id", "plan_digest", "state")}
    return same | {"approvals": list(job.approvals)}


def _conflict_row(conflict: Conflict) -> Body:
    same = {name: getattr(conflict, name) for name in ("not_before", "not_after")}
    return same | {"ids": list(conflict.ids), "clauses": list(conflict.clauses)}

"""The window's timetable: submitted by the supplier (B8), answered by the customer (B11) as exactly what lies there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from services.scheduling.domain.changes import check_conflicts, reopened
from services.scheduling.domain.exits import TIMETABLE_STATES, Body, Exit, Timetable, refuse, telling
from services.scheduling.domain.facts import with_fact
from services.scheduling.domain.gates import is_due, waits_for
from services.scheduling.domain.outlook import Outlook, Shelf, planned_from
from shared.rules.plan import Plan, check_timetable
from shared.rules.profiles import digest_of

SUBMITTED, ANSWERED = "scheduling.timetable_submitted", "scheduling.timetable_answered"


def submit_timetable(exit_: Exit, outlook: Outlook, data: Body, role: str) -> Exit:
    """Take the supplier's timetable; raise Rejected TIMETABLE_* or ACTIVITY_NOT_READY."""
    before = exit_.timetable.state if exit_.timetable else ""
    state = TIMETABLE_STATES.get((before, "submit"))
    if state is None:
        raise refuse(
            "TIMETABLE_APPROVED", "the timetable is approved (S1 §5, B11)",
            "agree on another day with an accord on the milestone",
            "Tidsplanen er godkendt (S1 §5, B11). Aftal en anden dag.", "days",
        )  # fmt: skip
    if not before:
        _check_ready(exit_, outlook, SUBMITTED)
    days = {each["activity"]: each["on"] for each in data["days"]}
    if len(days) < len(data["days"]):
        message, da = "an activity is there twice", "En aktivitet står der to gange."
        raise refuse("ACTIVITY_TWICE", message, "give each activity one day", da, "days")
    check_timetable(outlook.profiles, outlook.plan, days)
    digest = _digest(exit_, days)
    exit_ = reopened(
        exit_, [each.activity for each in outlook.plan.activities if each.activity.completed_by == SUBMITTED]
    )
    exit_ = replace(exit_, timetable=Timetable(days, digest, state))
    told = {"timetable_digest": digest, "on": outlook.today}
    exit_ = with_fact(exit_, SUBMITTED, told | {"role": role}, outlook.today)
    return telling(exit_, "timetable_submitted", **told)


def answer_timetable(exit_: Exit, outlook: Outlook, shelf: Shelf, data: Body, actor: str, role: str) -> Exit:
    """Take the customer's answer; approval needs a plan without conflict; raise Rejected TIMETABLE_* or PLAN_*."""
    timetable, answer = _asked(exit_, data), data["answer"]
    state = TIMETABLE_STATES[timetable.state, answer]
    answered = {"timetable_digest": timetable.digest, "answer": answer, "actor": actor, "role": role}
    exit_ = telling(exit_, "timetable_answered", **answered)
    exit_ = replace(exit_, timetable=replace(timetable, state=state))
    if answer == "rejected":
        again = [each.activity for each in outlook.plan.activities if each.activity.completed_by == SUBMITTED]
        return reopened(exit_, again)
    _check_ready(exit_, outlook, ANSWERED)
    check_timetable(outlook.profiles, outlook.plan, timetable.days)
    inputs = replace(exit_.inputs, days={**exit_.inputs.days, **timetable.days})
    check_conflicts(planned_from(exit_, inputs, shelf)[2], "timetable_digest")
    told = {"timetable_digest": timetable.digest, "role": role}
    return with_fact(replace(exit_, inputs=inputs), ANSWERED, told, outlook.today)


def _asked(exit_: Exit, data: Body) -> Timetable:
    timetable = exit_.timetable
    if timetable is None or (timetable.state, data["answer"]) not in TIMETABLE_STATES:
        message, da = "no timetable waits for an answer", "Ingen tidsplan venter på svar."
        raise refuse("TIMETABLE_NOT_WAITING", message, "read the plan", da, "timetable_digest")
    if timetable.digest != data["timetable_digest"]:
        message, da = "the timetable is not the one that was shown", "Tidsplanen er ikke den, der blev vist."
        raise refuse("TIMETABLE_DIGEST_DIFFERS", message, "read the plan and answer that", da, "timetable_digest")
    return timetable


def _check_ready(exit_: Exit, outlook: Outlook, wire: str) -> None:
    for planned in outlook.plan.activities:
        if planned.activity.completed_by == wire and not is_due(exit_, outlook, planned):
            raise not_ready(exit_, outlook.plan, planned.id, list(waits_for(exit_, outlook, planned)))


def not_ready(exit_: Exit, plan: Plan, activity: str, waits: list[str]) -> Exception:
    """Make the refusal of an activity that waits for something."""
    what = ", ".join(waits) or ("A4" if not exit_.placed else "nothing: it is completed")
    clause = plan.activity(activity).clause
    return refuse(
        "ACTIVITY_NOT_READY", f"{activity} waits for {what} ({clause})", "answer it when that is done",
        f"{activity} venter på {what} ({clause}).",
    )  # fmt: skip


def _digest(exit_: Exit, days: Mapping[str, date]) -> str:
    return digest_of([exit_.exit_id, {name: day.isoformat() for name, day in days.items()}])

"""What an activity waits for: preconditions, dates, and gates. There is no gate of payment (S2 20, 28.1; T20).

Codes: an activity's id, `DATE(…)`, `INSTRUCTION`, `ARCHIVE(system)`, `ACCEPTED`, `TRANSFER`, `ADDENDUM`, `R1`,
`HOLD(system)`, `BYPASS(id)`, `PROPOSAL(id)`, `CONFLICT`, `CANCELLATION`, `EXIT_CANCELLED`, or what stopped it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from services.scheduling.domain.exits import ACCEPTED, ADDENDUM, DAY, DELIVERED, Exit
from services.scheduling.domain.outlook import Outlook
from shared.rules.plan import Planned

SILENCE_DAYS = timedelta(days=15)
Gate = Callable[[Exit, Outlook, Planned], Iterator[str]]


def waits_for(exit_: Exit, outlook: Outlook, planned: Planned) -> Iterator[str]:
    """Give what an activity waits for on this day; nothing where it can be done."""
    if exit_.cancelled:
        yield "EXIT_CANCELLED"
        return
    yield from outlook.plan.unmet(planned, exit_.done)
    if planned.earliest and planned.earliest > outlook.today:
        yield f"DATE({planned.earliest.isoformat()})"
    for gate in planned.activity.gates:
        yield from _GATES[gate](exit_, outlook, planned)
    if planned.activity.destructive:
        yield from _safety(exit_, outlook, planned)
    if planned.activity.heavy and heavy_rule(exit_, outlook, planned.id, outlook.today):
        yield "R1"
    if planned.id in exit_.troubles:
        yield exit_.troubles[planned.id].code


def is_due(exit_: Exit, outlook: Outlook, planned: Planned) -> bool:
    """Tell whether the activity can be done on this day; before the final order only the phase of ordering goes on."""
    here = exit_.placed or planned.activity.phase == "order"
    return here and planned.chosen and planned.id not in exit_.done and not any(waits_for(exit_, outlook, planned))


def is_late(exit_: Exit, outlook: Outlook, planned: Planned) -> bool:
    """Tell whether the activity's last day has passed without it; a force majeure moves that day (S2 23)."""
    last = last_day(exit_, planned)
    late = last is not None and outlook.today > last
    return late and exit_.placed and not exit_.cancelled and planned.chosen and planned.id not in exit_.done


def last_day(exit_: Exit, planned: Planned) -> date | None:
    """Give the last day in time, moved by the days on which a force majeure stopped the clock; None while it lasts.

    What is counted backwards from a later day is not moved (rules/obligations.py, rule 5)."""
    due = planned.dates.due
    if due is None or due.start > due.on:
        return planned.due
    day = due.on
    for stop in sorted(exit_.stops, key=lambda each: each.since):
        if stop.since > day:
            break
        if stop.until is None:
            return None
        day += max(timedelta(), stop.until - max(stop.since, due.start) + DAY)
    return day


def silence_opens(exit_: Exit, outlook: Outlook) -> bool:
    """Tell whether the customer's silence means acceptance by now: instructed so at B3, delivered, and K+15 has come
    (T10)."""
    end = outlook.anchor("K")
    return (
        exit_.silence == "delete_at_k15"
        and DELIVERED in exit_.done
        and end is not None
        and outlook.today >= end + SILENCE_DAYS
    )


def heavy_rule(exit_: Exit, outlook: Outlook, activity: str, on: date) -> str:
    """Give the clause of the rule (R1) that keeps a heavy job from running on a day, or an empty text."""
    for rule in (rule for profile in outlook.profiles for rule in profile.rules):
        first, last = outlook.anchor(rule["start"]), outlook.anchor(rule["end"])
        if first and last and first <= on <= last and not _agreed(exit_, activity, on):
            return str(rule["clause"])
    return ""


def open_gates(exit_: Exit, outlook: Outlook) -> list[str]:
    """List every unmet gate and condition of the deletions that are left, each once, for the status letter."""
    deletions = [each for each in outlook.plan.activities if each.activity.destructive and each.chosen]
    left = [each for each in deletions if each.id not in exit_.done]
    found = dict.fromkeys(code for each in left for code in waits_for(exit_, outlook, each))
    return [code for code in found if not code.startswith("DATE(")]


def _agreed(exit_: Exit, activity: str, on: date) -> bool:
    return any(each.activity == activity and each.on in (None, on) for each in exit_.heavy)


def _instruction(exit_: Exit, outlook: Outlook, planned: Planned) -> Iterator[str]:
    if exit_.instructed_on is None:
        yield "INSTRUCTION"


def _archive(exit_: Exit, outlook: Outlook, planned: Planned) -> Iterator[str]:
    for system in planned.systems:
        if system not in exit_.archive:
            yield f"ARCHIVE({code_of(system)})"


def _accepted(exit_: Exit, outlook: Outlook, planned: Planned) -> Iterator[str]:
    """Wait until what was delivered is accepted, or silence means so, or an instruction to delete came afterwards."""
    delivered = exit_.done.get(DELIVERED)
    instructed = delivered and exit_.instructed_on and exit_.instructed_on > delivered.on
    if not (delivered and (ACCEPTED in exit_.done or instructed or silence_opens(exit_, outlook))):
        yield "ACCEPTED"


def _transfer(exit_: Exit, outlook: Outlook, planned: Planned) -> Iterator[str]:
    if exit_.dispatch_to != "customer" and not exit_.transfer:
        yield "TRANSFER"


def _addendum(exit_: Exit, outlook: Outlook, planned: Planned) -> Iterator[str]:
    if ADDENDUM not in exit_.done:
        yield "ADDENDUM"


def _holds(exit_: Exit, outlook: Outlook, planned: Planned) -> Iterator[str]:
    held = set(exit_.standing_holds.values())
    if "" in held:
        yield "HOLD(ALL)"
    for system in sorted(held & set(planned.systems)):
        yield f"HOLD({code_of(system)})"


def _safety(exit_: Exit, outlook: Outlook, planned: Planned) -> Iterator[str]:
    """Give what holds back every deletion, whatever its profile says."""
    if "holds" not in planned.activity.gates:
        yield from _holds(exit_, outlook, planned)
    for bypass in exit_.bypasses:
        if bypass.state in ("requested", "agreed") and bypass.system in planned.systems:
            yield f"BYPASS({bypass.bypass_id})"
    if exit_.proposal and outlook.proposed and (exit_.proposal.stops_all or planned.id in outlook.proposed.held):
        yield f"PROPOSAL({exit_.proposal.proposal_id})"
    if any(planned.id in conflict.ids for conflict in outlook.plan.blocking):
        yield "CONFLICT"
    if any(job.activity == planned.id and job.state == "cancelling" for job in exit_.jobs):
        yield "CANCELLATION"


def code_of(system: str) -> str:
    """Write a system's name as part of a code."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", system)[:60]


_GATES: dict[str, Gate] = {
    "instruction": _instruction,
    "archive": _archive,
    "accepted": _accepted,
    "transfer": _transfer,
    "addendum": _addendum,
    "holds": _holds,
}

"""The plan as JSON primitives, as `ophor plan --format json` prints it."""

from __future__ import annotations

from datetime import date
from typing import Any

from shared.rules.plan.model import Conflict, Owed, Plan, Planned


def as_json(plan: Plan) -> dict[str, Any]:
    """Give the plan as JSON primitives: dates as ISO texts, null where nothing determines one."""
    return {
        "activities": [_activity(planned) for planned in plan.activities],
        "obligations": [_obligation(owed) for owed in plan.obligations],
        "conflicts": [_conflict(conflict) for conflict in plan.conflicts],
    }


def _activity(planned: Planned) -> dict[str, Any]:
    activity = planned.activity
    same = ("id", "phase", "title_da", "title_en", "owner", "obligatory", "destructive", "heavy", "timetable")
    lists = ("responsible", "after", "options", "evidence", "gates")
    return {
        **{name: getattr(activity, name) for name in same},
        **{name: list(getattr(activity, name)) for name in lists},
        "earliest": _iso(planned.earliest),
        "due": _iso(planned.due),
        "rule": planned.rule,
        "clause": planned.clause,
        "chosen": planned.chosen,
        "provisional": planned.dates.provisional,
        "systems": list(planned.systems),
    }


def _obligation(owed: Owed) -> dict[str, Any]:
    return {
        "id": owed.id,
        "clause": owed.clause,
        "who": list(owed.obligation.who),
        "title_da": owed.obligation.title_da,
        "title_en": owed.obligation.title_en,
        "earliest": _iso(owed.earliest),
        "due": _iso(owed.due),
        "rule": owed.rule,
        "provisional": owed.dates.provisional,
    }


def _conflict(conflict: Conflict) -> dict[str, Any]:
    return {
        "ids": list(conflict.ids),
        "not_before": conflict.not_before.isoformat(),
        "not_after": conflict.not_after.isoformat(),
        "clauses": list(conflict.clauses),
        "warns": conflict.warns,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None

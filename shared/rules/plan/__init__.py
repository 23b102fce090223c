"""The plan of an exit, computed: what is due when, after what, under which rule and clause.

Rules kept: every bound is `not_before` or `not_after`; an item's bounds from all profiles are
intersected, and an empty interval is a conflict that names both clauses; bounds of a profile that only warns never
move a date, but show their conflict; a date that nothing determines is None; a date that rests on a planned day
instead of an actual one is provisional; activities of options not chosen stay in the plan with `chosen` False and
count as met. The digest is the SHA-256 of what the plan says: the same facts give the same digest.
"""

from shared.rules.plan.making import anchor_date, check_options, make_plan, ready, reference_date
from shared.rules.plan.model import Bound, Conflict, Dates, Owed, Plan, PlanFacts, Planned
from shared.rules.plan.shown import as_json
from shared.rules.plan.timetable import check_timetable

__all__ = [
    "Bound",
    "Conflict",
    "Dates",
    "Owed",
    "Plan",
    "PlanFacts",
    "Planned",
    "anchor_date",
    "as_json",
    "check_options",
    "check_timetable",
    "make_plan",
    "ready",
    "reference_date",
]

"""What an exit looks like on a day: the applied plan, and where a change is proposed, the plan that it would give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from services.scheduling.domain.exits import Exit, Inputs
from shared.rules.difference import Change, difference
from shared.rules.plan import Plan, PlanFacts, anchor_date, make_plan
from shared.rules.profiles import Profile, option_ids
from shared.rules.scopes import route

Shelf = Callable[[Inputs], Sequence[Profile]]


@dataclass(frozen=True, slots=True)
class Proposed:
    """The plan that the proposed inputs would give, how it differs, and the deletions that it holds back."""

    plan: Plan
    changes: tuple[Change, ...]
    held: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outlook:
    """The plan with what it was computed from, on `today`."""

    profiles: tuple[Profile, ...]
    facts: PlanFacts
    plan: Plan
    proposed: Proposed | None
    today: date

    def anchor(self, name: str) -> date | None:
        """Give an anchor's date as the plan reckons with it."""
        return anchor_date(self.profiles, self.facts, name)


def look(exit_: Exit, shelf: Shelf, today: date) -> Outlook:
    """Compute the applied plan, and the proposed one beside it; raise what `make_plan` and the shelf raise."""
    profiles, facts, plan = planned_from(exit_, exit_.inputs, shelf)
    proposed = None
    if exit_.proposal:
        after = planned_from(exit_, exit_.proposal.inputs, shelf)[2]
        changes = tuple(difference(plan, after))
        proposed = Proposed(after, changes, _held(plan, after, changes))
    return Outlook(profiles, facts, plan, proposed, today)


def planned_from(exit_: Exit, inputs: Inputs, shelf: Shelf) -> tuple[tuple[Profile, ...], PlanFacts, Plan]:
    """Compute the plan that these inputs give with the exit's facts."""
    profiles = tuple(shelf(inputs))
    facts = facts_of(exit_, inputs, profiles)
    return profiles, facts, make_plan(profiles, facts)


def facts_of(exit_: Exit, inputs: Inputs, profiles: Sequence[Profile]) -> PlanFacts:
    """Give the facts of a plan: the inputs, what was triggered, and the first actual deletions (T16)."""
    options = _options(exit_, inputs, profiles)
    return PlanFacts(
        {**inputs.dates, **exit_.triggers, **_actual_deletions(exit_, profiles)},
        options=options,
        covers=inputs.covers,
        amendments=frozenset(inputs.amendments),
        numbers=inputs.numbers,
        customer_type=inputs.customer_type,
        scopes=route(profiles, inputs.systems, options, inputs.covers),
        days=inputs.days,
        instructions=frozenset(inputs.instructions),
        lawyer_confirmed=frozenset(inputs.lawyer_confirmed),
    )


def _options(exit_: Exit, inputs: Inputs, profiles: Sequence[Profile]) -> frozenset[str]:
    """Give the chosen options; a termination that was given (A5) counts as chosen."""
    given = {
        option
        for profile in profiles
        for each in profile.activities
        if each.completed_by == "orders.notice_given" and each.completed_by in exit_.facts
        for option in each.options
    }
    return frozenset(inputs.options or ()) | (given & option_ids(profiles))


def _actual_deletions(exit_: Exit, profiles: Sequence[Profile]) -> dict[str, date]:
    """Give the first actual deletions by the anchor that stands for each (`S1d` for D2 and so on)."""
    anchors = [anchor for profile in profiles for anchor in profile.anchors]
    planned_by = {reference.activity: anchor.name for anchor in anchors for reference in anchor.first_of}
    return {planned_by[name]: on for name, on in exit_.first_deleted.items() if name in planned_by}


def _held(before: Plan, after: Plan, changes: Sequence[Change]) -> frozenset[str]:
    """Name the deletions that a change would move, remove or put in conflict."""
    deletions = {each.id for plan in (before, after) for each in plan.activities if each.activity.destructive}
    in_conflict = {name for conflict in after.blocking for name in conflict.ids}
    return frozenset(deletions & ({change.id for change in changes} | in_conflict))

"""How a plan is made: every activity and obligation with its dates, and what contradicts what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date

from contracts.errors import Rejected
from shared.rules.plan.model import Bound, Conflict, Dates, Owed, Plan, PlanFacts, Planned
from shared.rules.plan.reckoner import Reckoner, laid
from shared.rules.profiles import Profile, option_ids
from shared.rules.references import Reference


def make_plan(profiles: Sequence[Profile], facts: PlanFacts) -> Plan:
    """Compute the plan of one exit under these profiles; raise Rejected OPTION_UNKNOWN or PROFILE_CIRCULAR."""
    check_options(profiles, facts.options)
    layout = laid(tuple(profiles))
    reckoner = Reckoner(layout, facts)
    activities = tuple(map(reckoner.planned, layout.activities.values()))
    owed = tuple(Owed(each, reckoner.dates(each.id)) for profile in profiles for each in profile.obligations)
    chosen = [each for each in activities if each.chosen]
    conflicts = _conflicts(chosen, owed)
    shown = {name for each in conflicts for name in each.ids}
    return Plan(activities, owed, (*conflicts, *_out_of_order(chosen, shown)))


def anchor_date(profiles: Sequence[Profile], facts: PlanFacts, name: str) -> date | None:
    """Give an anchor's date as the plan would reckon with it, or None."""
    known = Reckoner(laid(tuple(profiles)), facts).anchor(name)
    return known.on if known else None


def reference_date(profiles: Sequence[Profile], facts: PlanFacts, reference: Reference) -> date | None:
    """Give the date of a reference (`K -1d`) as the plan would reckon it, or None."""
    known = Reckoner(laid(tuple(profiles)), facts).resolve(reference)
    return known.on if known else None


def ready(plan: Plan, completed: Collection[str], today: date) -> tuple[Planned, ...]:
    """List what can be done on `today`: chosen, not completed, its earliest day reached, its preconditions met."""
    return tuple(
        planned
        for planned in plan.activities
        if planned.chosen
        and planned.id not in completed
        and (planned.earliest is None or planned.earliest <= today)
        and not plan.unmet(planned, completed)
    )


def check_options(profiles: Sequence[Profile], options: Collection[str]) -> None:
    """Refuse an option that no profile has (OPTION_UNKNOWN), naming those meant where only the prefix is missing."""
    known = option_ids(profiles)
    for option in sorted(options):
        if option not in known:
            raise _unknown(option, sorted(known))


def _unknown(option: str, known: list[str]) -> Rejected:
    meant = [f"{source}-{option}" for source in ("S1", "S2")] if option[:1].isdigit() else known
    en = "does not say of which source it is" if meant is not known else "is in no profile of this agreement"
    da = "siger ikke, hvilken kilde den er fra" if meant is not known else "findes ikke i aftalens profiler"
    return Rejected(
        "OPTION_UNKNOWN",
        f"the option '{option}' {en}",
        field="options",
        remedy=f"use one of: {', '.join(meant)}",
        da=f"Optionen '{option}' {da}. Brug en af: {', '.join(meant)}.",
    )


def _conflicts(chosen: Iterable[Planned], owed: Iterable[Owed]) -> tuple[Conflict, ...]:
    """Find the empty intervals, the same pair of dates and clauses once for all items that it hits."""
    found: dict[tuple[date, date, str, str, bool], list[str]] = {}
    for name, dates in (*((each.id, each.dates) for each in chosen), *((each.id, each.dates) for each in owed)):
        pair = _empty(dates) if dates.bounds else None
        if pair:
            first, last = pair
            key = (first.on, last.on, last.clause, first.clause, first.warns or last.warns)
            found.setdefault(key, []).append(name)
    return tuple(
        Conflict(tuple(ids), before, after, (clause_after, clause_before), warns)
        for (before, after, clause_after, clause_before, warns), ids in found.items()
    )


def _out_of_order(chosen: Sequence[Planned], shown: Collection[str]) -> Iterator[Conflict]:
    """Warn of what may be done later than what comes after it must be, where no conflict of the latter shows it."""
    by_id = {each.id: each for each in chosen}
    for each in chosen:
        for before in map(by_id.get, each.activity.after if each.due and each.id not in shown else ()):
            if before and before.due and each.due and before.due > each.due:
                yield Conflict((before.id, each.id), before.due, each.due, (each.clause, before.clause), warns=True)


def _empty(dates: Dates) -> tuple[Bound, Bound] | None:
    """Give the two bounds between which no day is left: those that bind, else those of which one only warns."""
    if dates.earliest and dates.due and dates.due.on < dates.earliest.on:
        return dates.earliest, dates.due
    if not any(bound.warns for bound in dates.bounds):
        return None
    early = [bound for bound in dates.bounds if bound.direction == "not_before"]
    late = [bound for bound in dates.bounds if bound.direction == "not_after"]
    if not early or not late:
        return None
    first = max(early, key=lambda bound: bound.on)
    last = min(late, key=lambda bound: (bound.on, bound.target))
    return (first, last) if last.on < first.on and (first.warns or last.warns) else None

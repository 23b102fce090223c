"""`ophor plan --explain ID`: every bound of one activity or obligation, with rule, clause, inputs and effect."""

from __future__ import annotations

from typing import Any

from contracts.errors import Rejected
from shared.rules.plan import Bound, Conflict, Owed, Plan, Planned
from shared.rules.time import reckon


def explained(plan: Plan, name: str, *, in_english: bool) -> str:
    """Give the lines for people; raise Rejected ID_UNKNOWN."""
    item, words = _find(plan, name), _ENGLISH if in_english else _DANISH
    what = item.activity if isinstance(item, Planned) else item.obligation
    lines = [f"{item.id} {what.title_en if in_english else what.title_da} ({what.clause})"]
    if isinstance(item, Planned):
        lines += [words["not_chosen"]] * (not item.chosen)
        lines += [f"{words['after']}: {', '.join(item.activity.after)}"] * bool(item.activity.after)
    lines += [f"{words['earliest']}: {item.earliest or '–'}   {words['due']}: {item.due or '–'}"]
    lines += [_line(bound, item, words, in_english=in_english) for bound in item.dates.bounds] or [words["none"]]
    lines += [words["provisional"]] * item.dates.provisional
    lines += [_contradiction(conflict, words) for conflict in plan.conflicts if name in conflict.ids]
    return "\n".join(lines)


def body_of(plan: Plan, name: str) -> dict[str, Any]:
    """Give the same as JSON primitives; raise Rejected ID_UNKNOWN."""
    item = _find(plan, name)
    return {
        "id": item.id,
        "clause": item.clause,
        "earliest": item.earliest.isoformat() if item.earliest else None,
        "due": item.due.isoformat() if item.due else None,
        "bounds": [_bound(bound) for bound in item.dates.bounds],
    }


def _find(plan: Plan, name: str) -> Planned | Owed:
    found: dict[str, Planned | Owed] = {**plan.by_id, **{each.id: each for each in plan.obligations}}
    if name not in found:
        raise Rejected(
            "ID_UNKNOWN",
            f"the plan has neither an activity nor an obligation '{name}'",
            field="explain",
            remedy="use an id such as D2 or S2-28.1-d",
            da=f"Planen har hverken en aktivitet eller en forpligtelse '{name}'. Brug f.eks. D2 eller S2-28.1-d.",
        )
    return found[name]


def _line(bound: Bound, item: Planned | Owed, words: dict[str, str], *, in_english: bool) -> str:
    counts = words["counts"] if bound in (item.dates.earliest, item.dates.due) else words["yields"]
    effect = words["warns"] if bound.warns else counts
    line = f"  {bound.on}  {bound.rule_en if in_english else bound.rule} ({bound.clause}) – {effect}"
    reckoned = reckon(bound.start, bound.period) if bound.period else None
    if reckoned and reckoned.internal_target != bound.on and bound.direction == "not_after":
        line += f"; {words['target']} {reckoned.internal_target}"
    return line


def _bound(bound: Bound) -> dict[str, Any]:
    return {
        "on": bound.on.isoformat(),
        "direction": bound.direction,
        "rule": bound.rule,
        "clause": bound.clause,
        "inputs": {name: day.isoformat() for name, day in bound.inputs},
        "basis": reckon(bound.start, bound.period).basis if bound.period else None,
        "provisional": bound.provisional,
        "target": bound.target,
        "warns": bound.warns,
    }


def _contradiction(conflict: Conflict, words: dict[str, str]) -> str:
    word = words["warning"] if conflict.warns else words["conflict"]
    return f"{word}: {' / '.join(conflict.clauses)}"


_DANISH = {
    "not_chosen": "Ikke valgt.",
    "after": "Efter",
    "earliest": "Tidligst",
    "due": "Senest",
    "none": "  Intet fastsætter en dato.",
    "counts": "gælder",
    "yields": "viger for en strengere",
    "warns": "advarer kun",
    "target": "intern måldato (Arbejdsdag)",
    "provisional": "Foreløbig: hviler på en planlagt dag.",
    "conflict": "KONFLIKT",
    "warning": "ADVARSEL",
}
_ENGLISH = {
    "not_chosen": "Not chosen.",
    "after": "After",
    "earliest": "Earliest",
    "due": "Due",
    "none": "  Nothing determines a date.",
    "counts": "counts",
    "yields": "gives way to a stricter one",
    "warns": "only warns",
    "target": "internal target (working day)",
    "provisional": "Provisional: rests on a planned day.",
    "conflict": "CONFLICT",
    "warning": "WARNING",
}

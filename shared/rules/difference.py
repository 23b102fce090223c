"""What differs between two plans, readably: one line a change, with rule and clause behind it, in two languages.

Rules kept: a plan differs from itself in nothing; a date that is null on one side is shown as none; an activity that is
in one plan only is one line; of an activity that is chosen in neither, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from shared.rules.plan import Bound, Owed, Plan, Planned

_LONGEST, _LONGEST_WHY = 120, 300


@dataclass(frozen=True, slots=True)
class Change:
    """One line: of activity or obligation `id`, `what` was `before` and is `after` (texts; None: there is none)."""

    id: str
    what: str
    before: str | None
    after: str | None
    why_da: str
    why_en: str


def difference(before: Plan, after: Plan) -> tuple[Change, ...]:
    """List what changes from one plan to another: activities first, then obligations."""
    if before is after:
        return ()
    was = {each.id: each for each in before.obligations}
    now = {each.id: each for each in after.obligations}
    return (
        *_compared([(before.by_id.get(name), after.by_id.get(name)) for name in {**before.by_id, **after.by_id}]),
        *_compared([(was.get(name), now.get(name)) for name in {**was, **now}]),
    )


def _compared(pairs: Sequence[tuple[Planned | Owed | None, Planned | Owed | None]]) -> Iterator[Change]:
    for old, new in pairs:
        if old is None or new is None:
            yield from _one_sided(old, new)
        elif isinstance(old, Planned) and isinstance(new, Planned):
            yield from _activity(old, new)
        else:
            yield from _dates(old, new)


def _one_sided(old: Planned | Owed | None, new: Planned | Owed | None) -> Iterator[Change]:
    if new is not None:
        clause = f" ({new.clause})"
        yield Change(new.id, "added", None, _span(new), f"Nyt i profilen{clause}", f"New in the profile{clause}")
    elif old is not None:
        clause = f" ({old.clause})"
        da, en = f"Ikke længere i profilen{clause}", f"No longer in the profile{clause}"
        yield Change(old.id, "removed", _span(old), None, da, en)


def _activity(old: Planned, new: Planned) -> Iterator[Change]:
    if old.chosen != new.chosen:
        da, en = ("Nu med i planen", "Now in the plan") if new.chosen else ("Ikke længere valgt", "No longer chosen")
        clause = f" ({new.activity.clause})"
        yield Change(new.id, "chosen", _said(old.chosen), _said(new.chosen), da + clause, en + clause)
    if not (old.chosen or new.chosen):
        return
    yield from _dates(old, new)
    if old.systems != new.systems:
        da, en = "Andre systemer er omfattet", "Other systems are in its scope"
        yield Change(new.id, "systems", _names(old.systems), _names(new.systems), da, en)


def _dates(old: Planned | Owed, new: Planned | Owed) -> Iterator[Change]:
    if old.earliest != new.earliest:
        yield _moved(new.id, "earliest", old.earliest, new.earliest, new.dates.earliest or old.dates.earliest)
    if old.due != new.due:
        yield _moved(new.id, "due", old.due, new.due, new.dates.due or old.dates.due)


def _moved(name: str, what: str, was: date | None, now: date | None, bound: Bound | None) -> Change:
    if now is None or bound is None:
        da, en = "Intet fastsætter datoen længere", "Nothing determines the date any longer"
        clause = f" ({bound.clause})" if bound else ""
        return Change(name, what, _iso(was), _iso(now), da + clause, en + clause)
    clause = f" ({bound.clause})"
    room = _LONGEST_WHY - len(clause)
    return Change(name, what, _iso(was), _iso(now), bound.rule[:room] + clause, bound.rule_en[:room] + clause)


def _span(item: Planned | Owed) -> str:
    return f"{_iso(item.earliest) or ''} … {_iso(item.due) or ''}".strip() if item.earliest or item.due else "…"


def _names(systems: Sequence[str]) -> str | None:
    """Give the names, as many as there is room for."""
    text = ", ".join(systems)
    return (text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]} …") or None


def _said(chosen: bool) -> str:
    return "chosen" if chosen else "not_chosen"


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None

"""How each obligation of a plan stands on a day, and why.

What shows that an obligation was met (`all_of`, `any_of`): an activity's id, `option.ID` (taken), a fact of orders
(`orders.instruction_given`), `notice.KIND` (an accepted notice) or `day:ANCHOR` (a given date); an answer to the
obligation itself always does. Rules kept, the first that applies:
1. What does not concern this customer, or an option not taken, is not triggered.
2. A failure reported after what met it is a breach (FAILED).
3. What was met is met; where any part came after its last day, it was met late (MET_LATE).
4. While an option holds that suspends it, it is suspended; so is the rest of it, where everything else is done (T2).
   What an option holds back is what the plan does not allow before the obligation's own last day.
5. While force majeure lasts, a clock that runs stands still, and its last day moves by the days it stood (S2 23). It
   moves no last day that is counted backwards, and nothing that was breached already.
6. Past its last day it is breached from 00:00 of the next; a right is not owed, and lapses.
7. Near its last day it is at risk; else it waits, or nothing has triggered it yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from shared.rules.clocks import DAY, Stop, run
from shared.rules.plan import Bound, Owed, Plan, PlanFacts, Planned
from shared.rules.profiles import Profile
from shared.rules.scopes import conditions_of
from shared.rules.time import shift

_WHOLE = "whole:"

Stopped = tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What happened: `done` and `failed` by the names above; `stopped`: force majeure, first and last day each."""

    done: Mapping[str, date] = field(default_factory=dict)
    failed: Mapping[str, date] = field(default_factory=dict)
    stopped: Stopped = ()


class Standing(NamedTuple):
    """How one obligation stands (contracts.scheduling.ObligationChanged names states and reasons)."""

    id: str
    clause: str
    state: str
    reason: str
    due: date | None = None
    met_on: date | None = None


def standings(
    profiles: Sequence[Profile], plan: Plan, facts: PlanFacts, record: Record, today: date
) -> tuple[Standing, ...]:
    """Give how every obligation stands on `today`, in the plan's order."""
    view = _View(tuple(profiles), plan, facts, record)
    return tuple(view.standing(owed, today) for owed in plan.obligations)


def flips(profiles: Sequence[Profile], plan: Plan, facts: PlanFacts, record: Record, today: date) -> date | None:
    """Give the next day on which a standing changes though nothing happens, or None."""
    view = _View(tuple(profiles), plan, facts, record)
    days = (view.flip(owed, today) for owed in plan.obligations)
    return min((day for day in days if day), default=None)


class _View:
    """One exit's facts as its obligations see them."""

    def __init__(self, profiles: tuple[Profile, ...], plan: Plan, facts: PlanFacts, record: Record) -> None:
        self._plan, self._facts, self._record = plan, facts, record
        self._conditions = conditions_of(profiles, facts)
        taken = {f"option.{name}": None for name in facts.options}
        given = {f"day:{name}": day for name, day in facts.anchors.items()}
        self._met: dict[str, date | None] = {**taken, **given, **record.done}

    def standing(self, owed: Owed, today: date) -> Standing:
        """Apply the rules in their order."""
        if not self._concerns(owed):
            return _of(owed, "pending", "NOT_TRIGGERED")
        parts = self._parts(owed)
        left = tuple(name for name in parts if name not in self._met)
        held = self._held(owed, parts)
        due = self._due(owed, left, held)
        settled = self._settled(owed, due, parts, held)
        return settled or self._suspended(owed, due, left, held, today) or _by_date(owed, due, today)

    def flip(self, owed: Owed, today: date) -> date | None:
        """Give the next day on which this one changes by itself."""
        now = self.standing(owed, today)
        days = sorted({day for day in self._turning(owed, now.due) if day > today})
        return next((day for day in days if self.standing(owed, day)[2:4] != now[2:4]), None)

    def _concerns(self, owed: Owed) -> bool:  # rule 1
        rule = owed.obligation
        taken = not rule.options or not self._facts.options.isdisjoint(rule.options)
        return taken and (not rule.applies_to or self._facts.customer_type in rule.applies_to)

    def _parts(self, owed: Owed) -> tuple[str, ...]:
        """List what `all_of` asks for here: an activity only where the plan has chosen it."""
        planned = self._plan.by_id
        return tuple(name for name in owed.obligation.all_of if name not in planned or planned[name].chosen)

    def _held(self, owed: Owed, parts: tuple[str, ...]) -> dict[str, Planned]:
        """Give the parts that an option holds back, so that they have last days of their own (rule 4)."""
        if owed.due is None or not self._cause(owed, in_part=True):
            return {}
        planned = {name: self._plan.by_id[name] for name in parts if name in self._plan.by_id}
        return {name: part for name, part in planned.items() if part.earliest and part.earliest > owed.due}

    def _cause(self, owed: Owed, *, in_part: bool) -> str:
        """Name what suspends some of it, or the whole of it: what its own dates hang on."""
        rule = owed.obligation
        own = {name for bound in rule.dates for name in (*bound.when, *bound.unless)}
        for condition in rule.suspended_by:
            option = condition.removeprefix(_WHOLE)
            if condition in self._conditions and (in_part or condition in own):
                return option
            if in_part and option in self._facts.options:
                return option
        return ""

    def _due(self, owed: Owed, left: tuple[str, ...], held: Mapping[str, Planned]) -> date | None:
        """Give the last day, after force majeure; where only what is held back is left, that of the plan for it."""
        days = [_moved(bound, self._record.stopped) for bound in _bounds(owed, left, held)]
        return max(days, default=None)

    def _settled(
        self, owed: Owed, due: date | None, parts: tuple[str, ...], held: Mapping[str, Planned]
    ) -> Standing | None:  # rules 2 and 3
        met, met_on = self._evidence(owed, parts)
        failed = self._record.failed.get(owed.id)
        if failed and (not met or met_on is None or failed > met_on):
            return _of(owed, "breached", "FAILED", due, met_on)
        if not met:
            return None
        stopped = self._record.stopped
        bounds = [(self._met.get(name), (held.get(name) or owed).dates.due) for name in parts if held]
        dues = [(day, _moved(bound, stopped)) for day, bound in bounds if bound]
        late = any(day and last and day > last for day, last in [*dues, (met_on, due)])
        return _of(owed, "met", "MET_LATE" if late else "EVIDENCE", due, met_on)

    def _evidence(self, owed: Owed, parts: tuple[str, ...]) -> tuple[bool, date | None]:
        """Tell whether it was met, and on which day as far as that is known."""
        rule, met = owed.obligation, self._met
        if owed.id in self._record.done:
            return True, self._record.done[owed.id]
        either = [name for name in rule.any_of if name in met]
        if (rule.any_of and not either) or not (parts or either) or any(name not in met for name in parts):
            return False, None
        first = _known(min, (met[name] for name in either))
        return True, _known(max, (first, *(met[name] for name in parts)))

    def _suspended(
        self, owed: Owed, due: date | None, left: tuple[str, ...], held: Mapping[str, Planned], today: date
    ) -> Standing | None:
        if left and set(left) <= held.keys():  # rule 4, for the rest
            first = min(part.earliest for part in held.values() if part.earliest)
            if today < first:
                return _of(owed, "suspended", _option(self._cause(owed, in_part=True)), due)
        cause = "" if held else self._cause(owed, in_part=False)
        if cause and (today < owed.earliest if owed.earliest else due is None):  # rule 4
            return _of(owed, "suspended", _option(cause), due)
        still = any(self._stands_still(bound, due, today) for bound in _bounds(owed, left, held))
        return _of(owed, "suspended", "FORCE_MAJEURE", due) if still else None

    def _stands_still(self, bound: Bound, due: date | None, today: date) -> bool:  # rule 5
        if due is None or bound.start > bound.on or not bound.start <= today:
            return False
        return any(start <= today and (end is None or today <= end) and start <= due
                   for start, end in self._record.stopped)  # fmt: skip

    def _turning(self, owed: Owed, due: date | None) -> Iterator[date]:
        if due:
            yield from (due + DAY, shift(due, owed.obligation.at_risk))
        yield from (day for bound in owed.dates.bounds for day in (bound.on, bound.on + DAY, bound.start))
        yield from (part.earliest for part in self._held(owed, self._parts(owed)).values() if part.earliest)
        for start, end in self._record.stopped:
            yield from (start, end + DAY) if end else (start,)


def _by_date(owed: Owed, due: date | None, today: date) -> Standing:  # rules 6 and 7
    rule = owed.obligation
    if due is None:
        began = rule.continuous or (owed.earliest is not None and owed.earliest <= today)
        return _of(owed, "pending", "WAITING" if began else "NOT_TRIGGERED")
    if today > due:
        return _of(owed, "pending", "LAPSED", due) if rule.right else _of(owed, "breached", "OVERDUE", due)
    if today >= shift(due, rule.at_risk):
        return _of(owed, "at_risk", "DUE_SOON", due)
    return _of(owed, "pending", "WAITING", due)


def _bounds(owed: Owed, left: tuple[str, ...], held: Mapping[str, Planned]) -> list[Bound]:
    """Give what sets the last day: where only what an option holds back is left, the plan's days for that."""
    if held and set(left) <= held.keys():
        return [part.dates.due for part in held.values() if part.dates.due]
    return [owed.dates.due] if owed.dates.due else []


def _moved(bound: Bound, stopped: Stopped) -> date:
    """Give the last day of a clock, moved by the days on which it stood still; of one that still does, as planned."""
    if bound.start > bound.on:
        return bound.on
    over = [(first, last) for first, last in stopped if last]
    if not over:
        return bound.on
    if bound.period and bound.period.unit == "wd":
        return run(bound.start, bound.period.count, "wd", over, bound.on).due
    start = bound.start if bound.start < bound.on else bound.start - DAY  # a day that was given is a clock of that day
    return run(start, (bound.on - start).days, "d", over, bound.on).due


def _of(owed: Owed, state: str, reason: str, due: date | None = None, met_on: date | None = None) -> Standing:
    return Standing(owed.id, owed.clause, state, reason, due, met_on)


def _option(name: str) -> str:
    return f"OPTION({name})"


def _known(pick: Callable[[Iterable[date]], date], days: Iterable[date | None]) -> date | None:
    known = [day for day in days if day]
    return pick(known) if known else None

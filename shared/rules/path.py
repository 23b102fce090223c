"""Slack, critical path, what blocks what, and who must act next, for the open activities of a plan.

Rules kept:
1. Open is what is chosen and not completed. Work counts no days of its own; only dates and order do.
2. An activity can be done at the earliest today, on its first day, and when what it comes after can be done.
3. It must be done at the latest on its last day, and when what comes after it must be done; slack is the difference
   (negative: something will be late), None where nothing after it has a last day.
4. The critical path leads to the last day of the plan through what has least slack; of the same slack through what must
   be done last. A date that comes by itself (`completed_by: date`) is no step of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from shared.rules.plan import Plan, Planned

BY_ITSELF = "date"


class Paths:
    """`slack` in days, `critical` path from first to last, and `blocks`: activity → the open ones that wait for it."""

    def __init__(self, plan: Plan, completed: Collection[str], today: date) -> None:
        self._open = {each.id: each for each in plan.activities if each.chosen and each.id not in completed}
        self._today = today
        self._before = {name: _before(each, self._open) for name, each in self._open.items()}
        self._order = _sorted(self._before)
        self._first = self._forward()
        self._last = self._backward()
        self.slack: Mapping[str, int | None] = {each.id: self._slack(each.id) for each in plan.activities}
        self.blocks: Mapping[str, tuple[str, ...]] = {each.id: () for each in plan.activities} | self._blocked()
        self.critical = self._critical()

    def actors(self, activity_id: str) -> tuple[str, ...]:
        """Name who must act next for it to go on: those responsible for what it waits for first, else its own."""
        if activity_id not in self._open:
            return ()
        starts = [name for name in self._upstream(activity_id) if not self._before[name]]
        people = [party for name in starts for party in self._open[name].activity.responsible]
        return tuple(dict.fromkeys(people))

    def _upstream(self, activity_id: str) -> list[str]:
        """List the activity and every open one that it waits for, in the plan's order."""
        wanted, todo = {activity_id}, [activity_id]
        while todo:
            new = [name for name in self._before[todo.pop()] if name not in wanted]
            wanted.update(new)
            todo += new
        return [name for name in self._order if name in wanted]

    def _forward(self) -> dict[str, date]:
        first: dict[str, date] = {}
        for name in self._order:
            own = self._open[name].earliest or self._today
            first[name] = max(self._today, own, *(first[each] for each in self._before[name]))
        return first

    def _backward(self) -> dict[str, date | None]:
        last: dict[str, date | None] = {name: self._open[name].due for name in self._order}
        for name in reversed(self._order):
            mine = last[name]
            for each in self._before[name] if mine else ():
                theirs = last[each]
                last[each] = min(theirs, mine) if theirs and mine else mine
        return last

    def _slack(self, name: str) -> int | None:
        last = self._last.get(name)
        return (last - self._first[name]).days if last else None

    def _blocked(self) -> dict[str, tuple[str, ...]]:
        """Give for each open activity those that wait for it, directly or through others."""
        blocks: dict[str, set[str]] = {name: set() for name in self._order}
        for name in reversed(self._order):
            for each in self._before[name]:
                blocks[each] |= {name} | blocks[name]
        return {name: tuple(each for each in self._order if each in blocks[name]) for name in self._open}

    def _critical(self) -> tuple[str, ...]:
        ends = [name for name in self._order if self._last[name] and not self._by_itself(name)]
        if not ends:
            return ()
        path = [max(ends, key=lambda name: (self._open[name].due or date.min, -self._order.index(name)))]
        while step := [name for name in self._before[path[-1]] if not self._by_itself(name)]:
            path.append(min(step, key=self._tightness))
        return tuple(reversed(path))

    def _tightness(self, name: str) -> tuple[int, int]:
        """Sort what has least slack first (upstream of a last day there always is one), then what is last."""
        last = self._last[name] or date.max
        return (last - self._first[name]).days, -last.toordinal()

    def _by_itself(self, name: str) -> bool:
        return self._open[name].activity.completed_by == BY_ITSELF


def paths(plan: Plan, completed: Collection[str], today: date) -> Paths:
    """Compute slack, critical path and what blocks what."""
    return Paths(plan, completed, today)


def _before(planned: Planned, open_: Mapping[str, Planned]) -> tuple[str, ...]:
    return tuple(name for name in planned.activity.after if name in open_)


def _sorted(before: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Order the activities so that each comes after what it waits for, else as the plan has them."""
    order: dict[str, None] = {}
    while len(order) < len(before):
        order |= {name: None for name in before if name not in order and all(each in order for each in before[name])}
    return tuple(order)

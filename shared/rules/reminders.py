"""Reminders (T3, T10): what the profiles want said on which day, each with the notice that is ready to be given.

Whether one goes out is for the caller to see: only while anything that it names as `unmet` is open, and once for its
day. A notice whose last day has passed is not offered any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shared.rules import profiles as data
from shared.rules.notices import Situation, calendar
from shared.rules.plan import PlanFacts, make_plan, reference_date
from shared.rules.profiles import Profile


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder whose day has come; `notice` can be given until `latest_on`."""

    id: str
    on: date
    clause: str
    title_da: str
    title_en: str
    to: tuple[str, ...]
    unmet: tuple[str, ...]
    notice: str | None
    latest_on: date | None
    letter: bool


def due_reminders(profiles: Sequence[Profile], facts: PlanFacts, since: date, today: date) -> tuple[Reminder, ...]:
    """List the reminders of the days after `since` until `today`, in the order of their days."""
    latest = _latest(profiles, facts)
    dated = ((reference_date(profiles, facts, each.at), each) for profile in profiles for each in profile.reminders)
    due = [_due(each, on, latest.get(each.notice), today) for on, each in dated if on and since < on <= today]
    return tuple(sorted(due, key=lambda each: each.on))


def _due(reminder: data.Reminder, on: date, latest: date | None, today: date) -> Reminder:
    ready = reminder.notice if latest and today <= latest else None
    same = (reminder.clause, reminder.title_da, reminder.title_en, reminder.to, reminder.unmet)
    return Reminder(reminder.id, on, *same, ready, latest if ready else None, reminder.letter)


def _latest(profiles: Sequence[Profile], facts: PlanFacts) -> dict[str, date]:
    """Give the last day of each kind of notice that the customer can give, by its first variant that has one."""
    days = calendar(profiles, Situation(facts, make_plan(profiles, facts)))
    return {day.kind: day.latest_on for day in reversed(days) if day.latest_on}

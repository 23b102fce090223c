"""Obligations and last notice days as the pages show them: pure, from the services' answers and the profiles' titles.

The worst comes first: what is breached, then what is at risk. What nothing has started is kept apart from what runs.
Only changes are told of an obligation; of one that nothing was told of, the profile says whether it runs by itself,
waits for something to start it, or is a right that was not used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from contracts.errors import Rejected
from shared.rules.profiles import Obligation, load_profile

ORDER = ("breached", "at_risk", "pending", "suspended", "met", "lapsed", "not_started")
SOON_DAYS = 14
LAW = "gdpr"
"""Binds every exit, whatever its agreement names."""


@dataclass(frozen=True, slots=True)
class Duty:
    """One obligation: what compliance says of it, what the profile calls it, how it stands and why."""

    row: Mapping[str, Any]
    known: Obligation | None
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Group:
    """The obligations that stand alike."""

    state: str
    duties: tuple[Duty, ...]


@dataclass(frozen=True, slots=True)
class NoticeDay:
    """A last notice day and how far off it is: `over`, `today`, `soon` or `ahead`; `open` where it has no date."""

    row: Mapping[str, Any]
    state: str
    days_left: int | None


def groups(rows: Iterable[Mapping[str, Any]], profiles: Iterable[str], options: Collection[str]) -> tuple[Group, ...]:
    """Group obligations by how they stand, the worst first and in each the earliest date first."""
    known = _known(profiles)
    found: dict[str, list[Duty]] = {group: [] for group in ORDER}
    for row in rows:
        duty = _duty(row, known.get(row["id"]), frozenset(options))
        found[_group(duty)].append(duty)
    for duties in found.values():
        duties.sort(key=lambda duty: (str(duty.row["due"] or "9999"), duty.row["id"]))
    return tuple(Group(name, tuple(duties)) for name, duties in found.items() if duties)


def _duty(row: Mapping[str, Any], known: Obligation | None, options: frozenset[str]) -> Duty:
    state, reason = str(row["state"]), str(row.get("reason") or "")
    told = row.get("since") or row["evidence"]
    if known and not told and known.right and reason == "OVERDUE":
        return Duty(row, known, "pending", "LAPSED")
    if known and not told and state == "pending" and not _runs(row, known, options):
        return Duty(row, known, state, "NOT_TRIGGERED")
    return Duty(row, known, state, reason)


def _runs(row: Mapping[str, Any], known: Obligation, options: frozenset[str]) -> bool:
    """Tell whether an obligation concerns this exit and has a date, or holds all the time."""
    taken = not known.options or not options.isdisjoint(known.options)
    return taken and bool(row["due"] or known.continuous)


def _group(duty: Duty) -> str:
    apart = {"NOT_TRIGGERED": "not_started", "LAPSED": "lapsed"}
    return apart.get(duty.reason, duty.state) if duty.state == "pending" else duty.state


def _known(profiles: Iterable[str]) -> dict[str, Obligation]:
    """Give the profiles' obligations by id; a profile that is not here gives none, and ids stand without titles."""
    known: dict[str, Obligation] = {}
    for name in (*profiles, LAW):
        try:
            known |= {each.id: each for each in load_profile(name).obligations}
        except Rejected:
            continue
    return known


def notice_days(rows: Sequence[Mapping[str, Any]], today: date | None) -> tuple[NoticeDay, ...]:
    """Give the last notice days, the next one first, those that are over and those without a date last."""
    days = [_notice_day(row, today) for row in rows]
    rank = {"over": 1, "open": 2}
    return tuple(sorted(days, key=lambda each: (rank.get(each.state, 0), str(each.row["latest_on"]))))


def _notice_day(row: Mapping[str, Any], today: date | None) -> NoticeDay:
    if row["latest_on"] is None:
        return NoticeDay(row, "open", None)
    if today is None:
        return NoticeDay(row, "ahead", None)
    latest = row["latest_on"] if isinstance(row["latest_on"], date) else date.fromisoformat(row["latest_on"])
    left = (latest - today).days
    state = "over" if left < 0 else "today" if left == 0 else "soon" if left <= SOON_DAYS else "ahead"
    return NoticeDay(row, state, left)

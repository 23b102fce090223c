"""How the backup sets of an exit stand: planned, observed, overdue, found without being catalogued. Pure.

Rules kept here (S1 D9, evidence.md §5, T16):
1. A set's last day is what was planned for it, and never later than six months after the first actual deletion of its
   system; nothing that happens afterwards moves that day.
2. A set is gone when it was looked for and not there; an error is none, and the calendar is none.
3. From the day after its last day a set that is not seen to be gone is overdue, and escalated that day and each week.
4. What is found beside the catalogue and may hold data of the day of the deletion or before stops the last certificate
   until it is catalogued; so does a set whose content says another day than its registration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.deletion.domain.backup import Backup
from shared.drawing.expiry import Point, points
from shared.rules.time import add_months

MONTHS = 6
ESCALATED_EVERY_DAYS = 7
DAYS_APART = 1  # a tool may write its day in another time zone
UNCATALOGUED, MISDATED = "UNCATALOGUED", "DATED_OTHERWISE"


@dataclass(frozen=True, slots=True)
class Found:
    """A set as its source shows it: the last day whose data it may hold, and whether its content says that day."""

    system: str
    set_id: str
    kind: str
    taken_on: date | None
    certain: bool = False
    identity: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What stops the last certificate: a set beside the catalogue, or one that is dated otherwise."""

    system: str
    set_id: str
    finding: str
    kind: str
    taken_on: date | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One set on one day: `state` is WAITING, GONE, KEY_DESTROYED, OVERDUE or UNSEEN; `too_late`: planned beyond six
    months."""

    system: str
    set_id: str
    state: str
    last_on: date
    days_over: int
    too_late: bool


def limits(begun: Mapping[str, date]) -> dict[str, date]:
    """Give the last day of each system's backups from its first actual deletion (rule 1)."""
    months = {on: add_months(on, MONTHS) for on in set(begun.values())}
    return {system: months[on] for system, on in begun.items()}


def last_day(backup: Backup, limit: date | None) -> date:
    """Give the last day on which the set may be there (rule 1)."""
    return min(backup.expires_on, limit) if limit else backup.expires_on


def stand(backup: Backup, limit: date | None, today: date) -> Standing:
    """Tell how a set stands (rules 2 and 3)."""
    last, answer = last_day(backup, limit), backup.answer
    over = max((today - last).days, 0)
    late = limit is not None and backup.expires_on > limit
    if backup.ended:
        return Standing(backup.system, backup.set_id, answer, last, 0, late)
    state = ("UNSEEN" if answer == "ERROR" else "OVERDUE") if over else "WAITING"
    return Standing(backup.system, backup.set_id, state, last, over, late)


def evaluate(backups: Iterable[Backup], begun: Mapping[str, date], today: date) -> list[Standing]:
    """Tell how every set stands."""
    last = limits(begun)
    return [stand(each, last.get(each.system), today) for each in backups]


def escalates(standing: Standing, before: date | None) -> bool:
    """Tell whether a set is escalated now: at the first look past its day, then once a week (rule 3).

    `before`: the day of the look before; what was due on a day without a look is told at the next one."""
    told = max((before - standing.last_on).days, 0) if before else 0
    return _weeks(standing.days_over) > _weeks(told)


def _weeks(days_over: int) -> int:
    return -(-days_over // ESCALATED_EVERY_DAYS)


def findings(found: Iterable[Found], backups: Sequence[Backup], ended: Mapping[str, date]) -> list[Finding]:
    """List what is there and not as the catalogue has it (rule 4); `ended`: when each system was verified."""
    by_name = {(each.system, each.set_id): each for each in backups}
    by_content = {(each.system, one): each for each in backups for one in each.identity}
    told = []
    for each in found:
        same = (by_content.get((each.system, one)) for one in each.identity)
        known = by_name.get((each.system, each.set_id)) or next((one for one in same if one), None)
        if finding := _finding(each, known, ended.get(each.system)):
            told.append(Finding(each.system, each.set_id, finding, each.kind, each.taken_on))
    return told


def _finding(each: Found, known: Backup | None, ended: date | None) -> str:
    if known is None:
        clean = ended is not None and each.taken_on is not None and each.taken_on > ended
        return "" if clean or not each.set_id else UNCATALOGUED
    apart = abs((each.taken_on - known.taken_on).days) if each.certain and each.taken_on else 0
    return MISDATED if apart > DAYS_APART else ""


def curve(backups: Sequence[Backup], begun: Mapping[str, date], today: date) -> list[Point]:
    """Give the expiry curve: a point for each day on which a number changes, and today."""
    last = limits(begun)
    planned = [last_day(each, last.get(each.system)) for each in backups]
    gone = [each.observed_on for each in backups if each.ended and each.observed_on]
    return points(planned, gone, min((each.taken_on for each in backups), default=today), today)

"""Crypto-shredding: when destroying a key is the end of a backup set, and when to begin. Pure.

Rules kept here (evidence.md §3.3, §5):
1. Only a set that was encrypted from its creation, under one key used for this customer and this set alone, can end so.
2. Every copy of the key is accounted for (store, replica, escrow, token, the store's own backup); a kind of copy about
   which nobody said anything counts as a copy.
3. A key service waits before it destroys (7–30 days). Destruction is asked for so early that the wait ends by the last
   day, the earliest wait that still can be is not shortened, and a last day that cannot be met is said at once.
4. The set is shredded only when every copy was seen to be destroyed: a key that is waiting to be destroyed can still be
   taken back, and one that cannot be asked about is not destroyed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contracts.deletion_keys import STATES
from contracts.system_map.keys import COPIES

__all__ = ["COPIES", "STATES", "Copy", "Destruction", "Key", "Sealed", "plan", "refusals", "shredded", "unaccounted"]
SAFETY_DAYS = 1  # between the end of the wait and the last day, to look whether it is really destroyed


@dataclass(frozen=True, slots=True)
class Key:
    """One key: made when, for which customers and sets it was ever used, and how long its service waits."""

    key_id: str
    made_at: datetime
    customers: frozenset[str]
    sets: frozenset[tuple[str, str]]
    waits_days: int = 0


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a key as it was last seen; `none`: somebody answers for it that there is no copy of this kind."""

    kind: str
    name: str = ""
    state: str = "ACTIVE"
    none: bool = False


@dataclass(frozen=True, slots=True)
class Sealed:
    """A set and how it was encrypted: when it was made, and since when it lies encrypted under which key."""

    system: str
    set_id: str
    made_at: datetime
    encrypted_at: datetime | None
    key_id: str = ""


@dataclass(frozen=True, slots=True)
class Destruction:
    """When to ask for the destruction, when the wait ends, and whether that is in time."""

    ask_on: date
    ends_on: date
    in_time: bool


def refusals(sealed: Sealed, key: Key | None, customer: str, copies: Collection[Copy]) -> list[str]:
    """List every reason why destroying the key would not end this set for this customer (rules 1 and 2)."""
    if sealed.encrypted_at is None or key is None or sealed.key_id != key.key_id:
        return ["SET_NOT_ENCRYPTED"]
    found = []
    if sealed.encrypted_at > sealed.made_at:
        found.append("ENCRYPTED_LATER")
    if key.made_at > sealed.made_at:
        found.append("KEY_YOUNGER_THAN_SET")
    if key.customers != {customer}:
        found.append("KEY_SHARED")
    if key.sets != {(sealed.system, sealed.set_id)}:
        found.append("KEY_OF_SEVERAL_SETS")
    return found + [f"COPY_UNACCOUNTED({kind})" for kind in unaccounted(copies)]


def unaccounted(copies: Iterable[Copy]) -> list[str]:
    """List the kinds of copies about which nothing was said, or both that there is one and that there is none."""
    said: dict[str, set[bool]] = {}
    for each in copies:
        said.setdefault(each.kind, set()).add(each.none)
    return [kind for kind in COPIES if len(said.get(kind, ())) != 1] + sorted(said.keys() - set(COPIES))


def plan(last_on: date, waits_days: int, today: date) -> Destruction:
    """Plan backwards from the last day (rule 3); what cannot be in time is asked for today, and said to be late."""
    latest = last_on - timedelta(days=waits_days + SAFETY_DAYS)
    ask_on = max(latest, today)
    ends_on = ask_on + timedelta(days=waits_days)
    return Destruction(ask_on, ends_on, ends_on <= last_on)


def shredded(copies: Collection[Copy]) -> bool:
    """Tell whether every copy is destroyed (rules 2 and 4); no copy at all proves nothing."""
    real = [each for each in copies if not each.none]
    return bool(real) and not unaccounted(copies) and all(each.state == "DESTROYED" for each in real)

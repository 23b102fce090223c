"""Capacity: how many exit windows a supplier takes at once, and which are reserved.

Rules kept: a window is reserved by the final order alone (S1 §4) and overlaps another where they share a day of
T −30 … T −1; on no day may more windows be reserved than the capacity in force on it, unless the agreement owes the
assistance of S2 28.1, which capacity never refuses (T8). A lower capacity leaves reserved windows alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.orders.domain.records import Body, Record
from services.orders.domain.refusals import in_order, refuse
from shared.rules.cvr import is_cvr
from shared.rules.plan import PlanFacts, anchor_date
from shared.rules.profiles import Profile

ASSISTANCE = "S2-28.1-a"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step(Record):
    """The number of windows that are taken at once from a day on."""

    starts_on: date
    windows: int


@dataclass(frozen=True, slots=True)
class Reserved(Record):
    """The window of one finally ordered exit, both days included."""

    exit_id: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Capacity(Record):
    """A supplier's capacity by day, and its reserved windows that are not over."""

    supplier_cvr: str
    steps: tuple[Step, ...] = ()
    reserved: tuple[Reserved, ...] = ()


def set_capacity(capacity: Capacity, data: Body, today: date, *, allow_test: bool) -> Capacity:
    """Take the number of windows from a day on; raise Rejected CVR_INVALID or DATES_OUT_OF_ORDER."""
    if not is_cvr(data["supplier_cvr"], allow_test=allow_test):
        raise refuse(
            "CVR_INVALID", "supplier_cvr", "the CVR number is not valid", "check the eight digits",
            "CVR-nummeret er ikke gyldigt.",
        )  # fmt: skip
    in_order("today", today, "starts_on", data["starts_on"])
    others = [step for step in capacity.steps if step.starts_on != data["starts_on"]]
    steps = sorted([*others, Step.of(data)], key=lambda step: step.starts_on)
    return replace(capacity, steps=tuple(steps))


def window_of(profiles: Sequence[Profile], exit_id: str, go_live: date) -> Reserved:
    """Give the exit window of a go-live day: the profiles' W … We, else the 30 Dage before it (S1 §4)."""
    facts = PlanFacts({"T": go_live})
    first, last = (anchor_date(profiles, facts, name) for name in ("W", "We"))
    return Reserved(exit_id, first or go_live - 30 * _DAY, last or go_live - _DAY)


def full_day(capacity: Capacity, wanted: Reserved, today: date) -> date | None:
    """Give the first day of a window on which every window of the capacity is reserved by others, or None."""
    others = _others(capacity, wanted.exit_id, today)
    days = (wanted.first + n * _DAY for n in range((wanted.last - wanted.first).days + 1))
    return next((day for day in days if _is_full(capacity.steps, others, day)), None)


def no_window(day: date) -> Exception:
    """Make the refusal CAPACITY_FULL, naming the first full day."""
    return refuse(
        "CAPACITY_FULL", "go_live", f"every exit window on {day} is reserved (S1 §4)",
        "agree on another go-live day; let the supplier counter-propose or raise its capacity",
        f"Alle exit-vinduer den {day} er reserveret (S1 §4). Aftal en anden dato.",
    )  # fmt: skip


def reserve(capacity: Capacity, wanted: Reserved, today: date) -> Capacity:
    """Reserve a window in the place of what the exit had; windows that are over are dropped."""
    return replace(capacity, reserved=(*_others(capacity, wanted.exit_id, today), wanted))


def release(capacity: Capacity, exit_id: str) -> Capacity:
    """Free the window of an exit, if it has one."""
    return replace(capacity, reserved=tuple(each for each in capacity.reserved if each.exit_id != exit_id))


def owes_assistance(profiles: Sequence[Profile]) -> bool:
    """Tell whether a profile owes the assistance of S2 28.1 (T8)."""
    return any(each.id == ASSISTANCE for profile in profiles for each in profile.obligations)


def _others(capacity: Capacity, exit_id: str, today: date) -> tuple[Reserved, ...]:
    return tuple(each for each in capacity.reserved if each.exit_id != exit_id and each.last >= today)


def _is_full(steps: Sequence[Step], others: Sequence[Reserved], day: date) -> bool:
    in_force = [step.windows for step in steps if step.starts_on <= day]
    taken = sum(each.first <= day <= each.last for each in others)
    return bool(in_force) and taken >= in_force[-1]

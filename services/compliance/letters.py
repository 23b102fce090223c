"""When the status letter goes out by itself: 15 days after the agreement's end, by the plan in force (evidence.md §3).

One timer an exit on the rules' clock: a plan that moves the end moves it, a cancelled exit stops it, and a day on which
a letter went out gets no second one. Which day it waits for stands in the exit's record, written with the timer: the
log may not have the plan yet that set it. The letter needs no one's word; it states every unmet gate of that day.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from services.compliance import domain, issuing, store
from services.compliance.facts import date_of

AFTER = timedelta(days=15)


def heard(unit: Any, told: Any) -> None:
    """Set, move or stop the exit's timer by what was told."""
    exit_id = told.data["exit_id"]
    if told.wire == "orders.exit_cancelled":
        unit.cancel(_key(exit_id))
        store.remember(unit, exit_id, {"status_letter_due": None})
    if told.wire not in ("orders.order_placed", "scheduling.plan_made"):
        return
    known = store.exit_row(unit, exit_id)
    end = _end(told.wire, told.data, known)
    if end is None or known.get("status_letter_on") == (end + AFTER).isoformat():
        return
    store.remember(unit, exit_id, {"status_letter_due": (end + AFTER).isoformat()})
    unit.at(end + AFTER, "compliance.status_due", exit_id, {"exit_id": exit_id, "on": end + AFTER}, _key(exit_id))


def send(unit: Any, told: Any, kind: str) -> None:
    """Have the letter drawn up, signed and sealed, unless the exit was cancelled or its end has moved since."""
    exit_id, on = told.data["exit_id"], told.data["on"]
    if store.exit_row(unit, exit_id).get("status_letter_due") != on.isoformat():
        return
    store.remember(unit, exit_id, {"status_letter_on": on.isoformat()})
    issuing.begin(unit, store.new_certificate(exit_id, domain.Asked(domain.STATUS, unit.today), kind, told.id))


def _end(wire: str, data: dict[str, Any], known: store.Row) -> date | None:
    """Give the agreement's end that the fact speaks of; a plan's counts over the order's, the newest one's first."""
    if wire == "orders.order_placed" and not known.get("plan_version"):
        return _day(data["agreement_end"])
    if wire == "scheduling.plan_made" and data["version"] >= known.get("plan_version", 0):
        return next((_day(one["due"]) for one in data["activities"] if one["id"] == "D1"), None)
    return None


def _day(value: date | str | None) -> date | None:
    return date_of(value) if isinstance(value, str) else value


def _key(exit_id: str) -> str:
    return f"status-{exit_id}"

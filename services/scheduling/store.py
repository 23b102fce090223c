"""Scheduling's own collection `exits`, one document an exit; dates are ISO strings there, mappings lists of pairs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from services.scheduling import domain
from services.scheduling.domain import Advance, Done, Exit, Job, Trouble
from shared.store.unit import Unit

Row = dict[str, Any]

_ORDER_DAYS = ("in_force_on", "takeover_day", "go_live", "operations_end", "agreement_end")
_SETS = ("archive", "told_due", "told_late", "told_left_out", "timers")
_MAPPINGS = ("facts", "done", "troubles", "first_deleted")


def load(unit: Unit, exit_id: str) -> Exit:
    """Read an exit; one without any fact where nothing is stored yet."""
    row = unit.db.exits.find_one({"_id": exit_id}, {"_id": 0}, session=unit.session)
    return _exit(row) if row else Exit(exit_id)


def load_ordered(unit: Unit, exit_id: str) -> Exit:
    """Read an exit that was ordered; raise Unavailable EXIT_NOT_KNOWN."""
    exit_ = load(unit, exit_id)
    if not exit_.order:
        raise domain.exit_not_known()
    return exit_


def save(unit: Unit, exit_: Exit) -> None:
    """Write an exit."""
    row = asdict(exit_) | {"_id": exit_.exit_id}
    row |= {name: sorted(row[name]) for name in _SETS}
    row |= {name: [list(pair) for pair in row[name].items()] for name in _MAPPINGS}
    unit.db.exits.replace_one({"_id": exit_.exit_id}, row, upsert=True, session=unit.session)


def apply(unit: Unit, advanced: Advance) -> None:
    """Save what follows from the facts: the exit, its events, its timers."""
    exit_id = advanced.exit.exit_id
    save(unit, advanced.exit)
    for wire, body in advanced.events:
        unit.emit(wire, exit_id, body)
    for day in sorted(advanced.cancel_timers):
        unit.cancel(f"{exit_id}:{day}")
    for day in sorted(advanced.set_timers):
        unit.at(day, "scheduling.timer_due", exit_id, {"exit_id": exit_id, "on": day}, f"{exit_id}:{day}")


def _exit(row: Row) -> Exit:
    order = row["order"] and row["order"] | {name: date.fromisoformat(row["order"][name]) for name in _ORDER_DAYS}
    return Exit(
        **row
        | {name: frozenset(row[name]) for name in _SETS}
        | {
            "order": order,
            "options": None if row["options"] is None else tuple(row["options"]),
            "facts": {key: _done(each) for key, each in row["facts"]},
            "done": {key: _done(each) for key, each in row["done"]},
            "troubles": {
                key: Trouble(each["code"], date.fromisoformat(each["retry_on"])) for key, each in row["troubles"]
            },
            "first_deleted": {key: date.fromisoformat(each) for key, each in row["first_deleted"]},
            "jobs": tuple(Job(**each | {"approvals": tuple(each["approvals"])}) for each in row["jobs"]),
            "timers": frozenset(map(date.fromisoformat, row["timers"])),
        }
    )


def _done(row: Row) -> Done:
    return Done(**row | {"on": date.fromisoformat(row["on"])})

"""The days of a report's timeline: what was to be, and what the log shows."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.compliance.facts import Facts, handing

Row = dict[str, Any]


def milestones(facts: Facts, today: date) -> list[Row]:
    """List the days of the timeline: what was to be (`planned`) and what the log shows (`done`)."""
    receipt = handing.receipt(facts)
    found: list[tuple[str, str | None, str]] = [
        ("operations_end", _iso(facts.operations_end()), "planned"),
        ("agreement_end", _iso(facts.agreement_end()), "planned"),
        ("deletion_due", _iso(facts.due("S2-28.1-d")), "planned"),
        ("backups_due", _iso(_backups_due(facts)), "planned"),
        ("instruction", facts.instruction.entry["given_on"] if facts.instruction else None, "done"),
        ("delivered", facts.delivered.entry["on"] if facts.delivered else None, "done"),
        ("accepted", receipt.entry["on"] if receipt else None, "done"),
        ("suspended_until", _iso(facts.suspended_until()), "planned"),
        ("first_deleted", _iso(facts.first_deleted_on(facts.scopes())), "done"),
        ("deleted", _iso(facts.deleted_on(facts.scopes())) if facts.scopes() else None, "done"),
        ("backups_gone", _iso(facts.backups_gone_on(facts.scopes())), "done"),
        ("today", today.isoformat(), "today"),
    ]
    return sorted(({"name": name, "on": on, "kind": kind} for name, on, kind in found if on), key=lambda one: one["on"])


def _backups_due(facts: Facts) -> date | None:
    """Give the last day for the backups: the plan's own, S2 28.1's unless amended, else six months (S1 D9)."""
    bound = None if facts.amendment else facts.due("S2-28.1-d")
    return facts.due("S2-28.1-d-backups") or bound or facts.backups_due(facts.scopes())


def _iso(on: date | None) -> str | None:
    return on.isoformat() if on else None

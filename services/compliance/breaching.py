"""The part of compliance's face that takes the supplier's word on personal data breaches (GDPR Art. 33(2)).

What is declared is told as an event, and becomes evidence; nothing of it is kept beside the log.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from services.compliance import store
from services.compliance.asking import allow
from services.compliance.domain import breaches
from services.compliance.evidence import Logged
from shared.bus.faces import command, query


class Breaching:
    """What the processor declares of breaches."""

    @command
    def declare_breach(self, unit: Any, call: Any) -> dict[str, Any]:
        """Take a declaration: none known, a breach and its notice, or that what the log shows is none."""
        data, exit_id = call.data, call.data["exit_id"]
        allow(unit, call, exit_id)
        breaches.check(data, store.facts(unit, exit_id), unit.now)
        breach_id = data["breach_id"] or "brc-" + hashlib.sha256(call.id.encode()).hexdigest()[:24]
        by = {"actor": call.actor.id, "role": call.actor.role_for("compliance.declare_breach")}
        unit.emit("compliance.breach_declared", exit_id, data | by | {"breach_id": breach_id, "on": unit.today})
        return {"exit_id": exit_id, "breach_id": breach_id}

    @query
    def list_breaches(self, unit: Any, call: Any) -> dict[str, Any]:
        """List what was declared of an exit, as it stands, and the entries that nobody has answered."""
        exit_id = call.data["exit_id"]
        allow(unit, call, exit_id)
        facts = store.facts(unit, exit_id)
        left = [one.index for one in breaches.outside(facts) if not breaches.answers_to(facts, one.index)]
        rows = [_row(told) for told in breaches.declared(facts).values()]
        return {"exit_id": exit_id, "breaches": rows, "unanswered": left}


def _row(told: list[Logged]) -> dict[str, Any]:
    entry = told[-1].entry
    names = ("breach_id", "answer", "aware_at", "notified_at", "natures", "subjects", "records")
    about = sorted({index for one in told for index in one.entry["about"]})
    row = {name: entry[name] for name in names} | {"hours": breaches.hours(entry), "about": about}
    return row | {"on": date.fromisoformat(entry["on"]), "evidence": [one.index for one in told]}

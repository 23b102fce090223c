"""The obligations of an exit as rows: how each stands, by which clause and rule, whose it is, what it serves."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from services.compliance import domain, store
from services.compliance.domain import Standing, duties
from services.compliance.facts import Facts

Row = dict[str, Any]


def obligation_rows(unit: Any, exit_id: str, facts: Facts) -> list[Row]:
    """Give every obligation of an exit today, as the contract's ObligationRow."""
    planned = {one["id"]: one for one in store.exit_row(unit, exit_id).get("rules", [])}
    return [obligation_row(one, planned.get(one.id)) for one in domain.standings(facts, unit.today)]


def obligation_row(stands: Standing, planned: Row | None) -> Row:
    """Give one of them; `planned`: its clause and rule by the plan in force."""
    law = duties.law().get(stands.id)
    said = {"clause": law.clause if law else stands.id, "rule": None} | (planned or {})
    row = asdict(stands) | {"clause": said["clause"], "rule": said["rule"] or None, "evidence": list(stands.evidence)}
    return row | {"who": list(law.who) if law else [], "controls": list(duties.controls(stands.id))}

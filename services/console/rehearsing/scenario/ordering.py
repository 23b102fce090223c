"""Ordering (A1–A4): agreement, capacity, the wished window, the meeting, what must be answered, the final order.

Rules kept: every line of the profiles is answered before the final order, the named systems with the order itself and
the rest at the meeting; the equipment register is given, empty, since a rehearsal has none, and the list of
sub-suppliers as the map has it; the window is reserved by the final order and by nothing before it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from services.console.rehearsing import people
from services.console.rehearsing.scenario.stage import PROFILES, BackupSet, Rehearsal, Stage
from shared.rules.profiles import load_profiles, required_lines

SUPPLIER = {"cvr": "99999999", "name": "Demoleverandøren A/S"}
WINDOWS = 2
NUMBERS = {"takeover_days": 30, "exit_process_days": 20}


def order(mine: Rehearsal, stage: Stage) -> str:
    """Play A1–A4 and register what the later certificates rest on; give the exit's id."""
    exit_id = _window(mine, stage)
    stage.walk.quiet()
    _meet(mine, stage, exit_id)
    _answer_lines(mine, stage, exit_id)
    do = stage.desk.do
    do(people.SUPPLIER_LEAD, "orders.confirm_window", "confirm", {"exit_id": exit_id, "answer": "confirmed"})
    stage.progress.say("Endelig bestilling: vinduet er reserveret")
    do(people.CUSTOMER_LEAD, "orders.place_final_order", "final-order", {"exit_id": exit_id})
    stage.walk.quiet()
    do(people.SUPPLIER_LEAD, "compliance.name_parties", "parties", _parties(mine, exit_id))
    for backup in mine.backups:
        _register(stage, exit_id, backup)
    return exit_id


def _window(mine: Rehearsal, stage: Stage) -> str:
    """Register the agreement and order the window (A1), with an answer to each of the named systems."""
    stage.progress.say("Aftale registreres (ist-standard, ski-02-19, ændringstillæg om backup)")
    agreement = stage.desk.do(people.SUPPLIER_LEAD, "orders.register_agreement", "agreement", _agreement(mine))
    started = {"supplier_cvr": SUPPLIER["cvr"], "starts_on": mine.began_on.isoformat(), "windows": WINDOWS}
    stage.desk.do(people.SUPPLIER_LEAD, "orders.set_capacity", "capacity", started)
    stage.progress.say("Exit-vindue bestilles")
    ordered = stage.desk.do(people.CUSTOMER_LEAD, "orders.order_window", "order", {
        "agreement_id": agreement["agreement_id"], "go_live": mine.go_live.isoformat(), "operations_end": None,
        "fixed_dates": [], "scope": "whole", "tenant": mine.tenant, "map_digest": mine.map_digest,
        "systems": list(mine.systems), "places": [row for row in mine.places if row["line"] in _named()],
    })  # fmt: skip
    return str(ordered["exit_id"])


def _meet(mine: Rehearsal, stage: Stage, exit_id: str) -> None:
    """Hold the clarification meeting (A2); archiving is raised there (T3)."""
    stage.progress.say("Afklaringsmøde holdes")
    stage.desk.do(people.SUPPLIER_LEAD, "orders.hold_meeting", "meeting", {
        "exit_id": exit_id, "held_on": mine.began_on.isoformat(), "expected_options": [], "archive_asked": True,
        "digest": mine.shown("meeting"),
    })  # fmt: skip


def _answer_lines(mine: Rehearsal, stage: Stage, exit_id: str) -> None:
    """Answer what the order left open: forgotten places, kinds of data, and both registers."""
    stage.progress.say("Opgørelsen af systemer, steder og slags data besvares")
    rest = [row for row in mine.places if row["line"] not in _named()]
    stage.desk.do(people.CUSTOMER_LEAD, "orders.answer_places", "places", {"exit_id": exit_id, "places": rest})
    stage.desk.do(people.SUPPLIER_LEAD, "orders.list_equipment", "equipment", {"exit_id": exit_id, "items": []})
    chain = {"exit_id": exit_id, "sub_suppliers": [_sub_supplier(mine, name) for name in mine.subprocessors]}
    stage.desk.do(people.SUPPLIER_LEAD, "orders.list_sub_suppliers", "sub-suppliers", chain)


def _sub_supplier(mine: Rehearsal, name: str) -> dict[str, Any]:
    return {"sub_supplier": name, "name": name, "holds_data": True, "dpa_digest": mine.shown(f"dba:{name}")}


def _named() -> frozenset[str]:
    """Give the lines that name a system of the standard."""
    return frozenset(line.line for line in required_lines(load_profiles(PROFILES)) if line.kind == "system")


def _agreement(mine: Rehearsal) -> dict[str, Any]:
    takeover = mine.agreement_end - relativedelta(months=72)
    return {
        "reference": f"aftale-{mine.id}", "dpa_reference": f"dba-{mine.id}",
        "customer": {"cvr": mine.cvr, "name": mine.customer}, "customer_type": "municipality",
        "supplier": SUPPLIER, "profiles": list(PROFILES),
        "in_force_on": (takeover - timedelta(days=30)).isoformat(), "takeover_day": takeover.isoformat(),
        "agreement_end": mine.agreement_end.isoformat(), "numbers": NUMBERS,
        "amendments": [{
            "kind": "backups_six_months", "signed_by": ["customer", "supplier"],
            "digest": mine.shown("tillæg"), "signed_on": (mine.began_on - timedelta(days=30)).isoformat(),
        }],
    }  # fmt: skip


def _parties(mine: Rehearsal, exit_id: str) -> dict[str, Any]:
    return {
        "exit_id": exit_id, "agreement_reference": f"aftale-{mine.id}", "dpa_reference": f"dba-{mine.id}",
        "controller": {
            "cvr": mine.cvr, "name": mine.customer, "address": "Rådhuspladsen 1, 9999 Øvelsesby",
            "dpo_name": people.DPO.name, "dpo_email": people.DPO.email,
        },
        "processor": {
            **SUPPLIER, "address": "Leverandørvej 2, 9999 Øvelsesby",
            "dpo_name": "Misse Møhge", "dpo_email": "dpo@leverandoer.invalid",
        },
        "officials": [
            {"actor": person.actor, "name": person.name, "function": person.role} for person in people.PEOPLE.values()
        ],
    }  # fmt: skip


def _register(stage: Stage, exit_id: str, backup: BackupSet) -> None:
    stage.desk.do(people.OPERATOR, "deletion.register_backup", f"backup:{backup.system}:{backup.set_id}", {
        "exit_id": exit_id, "system": backup.system, "set_id": backup.set_id,
        "taken_on": backup.taken_on.isoformat(), "expires_on": backup.expires_on.isoformat(),
    })  # fmt: skip

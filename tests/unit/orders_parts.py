"""An agreement and its exit for the unit tests of orders: valid bodies of every command, and what carries them out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from contracts.catalogue import COMMANDS, EVENTS
from contracts.registry import check, primitives
from services.orders import domain
from services.orders.domain import Caller, Case
from services.orders.domain.ordering import open_lines
from shared.rules.profiles import load_profiles

TODAY = date(2026, 1, 15)
BOTH, STANDARD = ("ist-standard", "ski-02-19"), ("ist-standard",)
DIGEST, OTHER = "a" * 64, "b" * 64
SECRETS = ("Korsbæk", "Demoleverandøren", "Ingeborg", "ingeborg", "Underleverandøren")
SYSTEMS = [
    {"system": "pladsanvisning", "title": "IST Pladsanvisning", "kind": "postgresql", "deletion": "2"},
    {"system": "booking", "title": "Booking", "kind": "files", "deletion": "1"},
]
SERVICES = [
    {"service": "pladser", "kind": "core", "systems": ["pladsanvisning"]},
    {"service": "foresatte", "kind": "core", "systems": ["portal", "faelles"]},
    {"service": "lokaler", "kind": "additional", "systems": ["booking", "faelles"]},
]
PAIRS = [
    {"line": line, "continues": False, "agreement_digest": None, "ends_on": None, "delete_on": None, "feed": "none"}
    for line in ("DAGTILBUD-ADMIN", "KLUB-ADMIN", "SFO-ADMIN", "DAGPLEJE-ADMIN")
]
AMENDMENT = {
    "kind": "backups_six_months", "digest": DIGEST, "signed_on": "2025-12-01", "signed_by": ["customer", "supplier"],
}  # fmt: skip
CUSTOMER, SUPPLIER = "customer", "supplier"

Body = dict[str, Any]

VALID: Mapping[str, tuple[str, Body]] = {
    "answer_places": (CUSTOMER, {"places": [{"line": "CACHES", "answer": "mapped"}]}),
    "hold_meeting": (SUPPLIER, {
        "held_on": "2026-01-10", "expected_options": ["S1-8.2"], "archive_asked": True, "digest": DIGEST,
    }),
    "confirm_window": (SUPPLIER, {}),
    "confirm_window(countered)": (SUPPLIER, {"answer": "countered", "go_live": "2026-08-01"}),
    "answer_counter(accepted)": (CUSTOMER, {"answer": "accepted"}),
    "answer_counter(declined)": (CUSTOMER, {"answer": "declined"}),
    "list_equipment": (SUPPLIER, {"items": [
        {"item": "m-1", "owner": "supplier", "kind": "decentral_machine", "insured": True, "system": "booking"},
    ]}),
    "list_sub_suppliers": (SUPPLIER, {"sub_suppliers": [
        {"sub_supplier": "s-1", "name": "Underleverandøren ApS", "holds_data": True, "dpa_digest": None},
    ]}),
    "place_final_order": (CUSTOMER, {}),
    "name_contact": (CUSTOMER, {
        "party": "customer", "name": "Ingeborg Skjern", "email": "ingeborg@korsbaek.invalid", "knows_solution": True,
    }),
    "confirm_dates": (CUSTOMER, {"go_live": "2026-07-01"}),
    "choose_options": (CUSTOMER, {"options": ["S1-8.2"], "silence": "delete_at_k15"}),
    "decide_pairs": (CUSTOMER, {"pairs": PAIRS}),
    "instruct_transfer": (CUSTOMER, {"recipient_cvr": "13748136", "approved_on": "2026-01-15", "digest": DIGEST}),
    "record_billing_run": (SUPPLIER, {
        "run_on": "2026-06-02", "errors": 3, "corrected": 3, "accepted": 0, "digest": DIGEST,
    }),
    "instruct": (CUSTOMER, {"kind": "delete", "basis": "INSTRUCTION", "digest": DIGEST, "given_on": "2026-01-15"}),
    "decide_archive": (CUSTOMER, {
        "system": "booking", "decision": "not_worth_keeping", "digest": DIGEST, "decided_on": "2026-01-15",
    }),
    "propose_accord": (SUPPLIER, {"kind": "cooperation", "digest": DIGEST}),
    "sign_accord": (CUSTOMER, {"accord_id": "accord-1", "digest": DIGEST}),
    "give_notice": (CUSTOMER, {"kind": "termination", "given_on": "2026-01-15", "digest": DIGEST}),
    "record_trigger": (CUSTOMER, {"anchor": "demand", "on": "2026-01-15", "digest": DIGEST}),
    "answer_obligation": (SUPPLIER, {
        "obligation": "S2-3.2-d", "answer": "met", "on": "2026-01-15", "digest": DIGEST,
    }),
    "cancel_exit": (CUSTOMER, {"reason": "withdrawn", "digest": DIGEST}),
}  # fmt: skip

_DECIDE: Mapping[str, Callable[[Case, Body], Case]] = {
    "answer_places": lambda case, data: domain.answer_places(case, data, rehearsal=True),
    "place_final_order": lambda case, data: domain.place_final_order(case),
    "instruct_transfer": lambda case, data: domain.instruct_transfer(case, data, allow_test=True),
    "propose_accord": lambda case, data: domain.propose(case, data)[0],
    "sign_accord": domain.sign,
    "give_notice": lambda case, data: domain.give_notice(case, data)[0],
    "cancel_exit": domain.cancel,
}


def loaded(command: str, body: Body) -> Body:
    """Load a body as the face would hand it over."""
    wire = f"orders.{command.partition('(')[0]}"
    return check(COMMANDS[wire].request, body, wire)


def registered(**changes: Any) -> domain.Agreement:
    """Register the agreement, with changes."""
    body = {
        "reference": "aftale-1", "dpa_reference": "dba-1", "customer_type": "municipality",
        "customer": {"cvr": "11111111", "name": "Korsbæk Kommune"},
        "supplier": {"cvr": "99999999", "name": "Demoleverandøren A/S"}, "profiles": list(BOTH),
        "in_force_on": "2020-09-01", "takeover_day": "2020-09-30", "amendments": [AMENDMENT], "services": SERVICES,
    } | changes  # fmt: skip
    data = loaded("register_agreement", body)
    return domain.register(data, load_profiles(tuple(data["profiles"])), TODAY, allow_test=True)


def ordered(agreement: domain.Agreement | None = None, *, bare: bool = False, **changes: Any) -> Case:
    """Order the window with all that the final order needs but the confirmation (`bare`: nothing of it)."""
    agreement = agreement or registered()
    profiles = load_profiles(agreement.profiles)
    body = {
        "agreement_id": agreement.agreement_id, "go_live": "2026-07-01", "tenant": "korsbaek", "map_digest": DIGEST,
        "systems": SYSTEMS, "places": [],
    }  # fmt: skip
    data = loaded("order_window", body | changes)
    case = domain.order_window(agreement, data, profiles, Caller(CUSTOMER, "p-1", "order-1"), TODAY, rehearsal=True)
    if bare:
        return case
    lines = [{"line": line, "answer": "not_used"} for line in open_lines(agreement, case.exit, profiles)]
    case = do(case, "answer_places", places=lines)
    return do(do(do(case, "hold_meeting"), "list_equipment", items=[]), "list_sub_suppliers", sub_suppliers=[])


def confirmed(**changes: Any) -> Case:
    """Order and confirm the window."""
    return do(ordered(**changes), "confirm_window")


def placed(**changes: Any) -> Case:
    """Order the window finally."""
    return do(confirmed(**changes), "place_final_order")


def in_state(state: str) -> Case:
    """Give an exit in a state, with an accord that the supplier proposed."""
    case = ordered()
    way = {
        "ordered": (), "countered": ("confirm_window(countered)",), "confirmed": ("confirm_window",),
        "placed": ("confirm_window", "place_final_order"), "cancelled": ("cancel_exit",),
    }  # fmt: skip
    case = do(case, "propose_accord")
    (known,) = case.exit.accords
    case = case.put(accords={"accord-1": case.exit.accords[known]})
    for command in way[state]:
        case = do(case, command)
    return case


def do(case: Case, command: str, *, by: str = "", day: date | None = None, **changes: Any) -> Case:
    """Give a command (its valid body, with changes) and check that what it tells is as the contract says."""
    usual, body = VALID[command]
    name, party = command.partition("(")[0], by or usual
    data = loaded(command, {"exit_id": case.exit.exit_id, **body, **changes})
    decide = _DECIDE.get(name) or getattr(domain, name)
    number = sum(map(len, (case.exit.accords, case.exit.notices, case.exit.contacts)))
    caller = Caller(party, f"p-{party}", f"{case.exit.exit_id}-{name}-{number}")
    after: Case = decide(replace(case, caller=caller, today=day or case.today, told=()), data)
    for wire, told in after.told:
        tells_no_name(primitives(EVENTS[wire].schema, told, wire))
    return after


def tells_no_name(body: Body) -> None:
    """Check that an event carries no name and no address."""
    text = json.dumps(body, ensure_ascii=False)
    assert not [secret for secret in SECRETS if secret in text]


def told(case: Case, event: str) -> Body:
    """Give the body of a fact that the last command told."""
    (body,) = [body for wire, body in case.told if wire == f"orders.{event}"]
    return body

"""Recorded answers for page tests: every one is checked against its contract before a page sees it."""

from __future__ import annotations

import base64
from typing import Any

from contracts.catalogue import COMMANDS
from contracts.errors import OphorError, Rejected, Unavailable
from contracts.registry import check
from shared.runtime.logins import User, hash_password

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
PASSWORD = hash_password("korsbaek")
DPO = User("dpo", "Mads Skjern", "p-20b9", ("kommune_dpo",), ("11111111",), PASSWORD)
OPERATOR = User("operatoer", "Vicki Hald", "p-b816", ("ist_operatør",), ("*",), PASSWORD)
EXIT = {
    "exit_id": "x-korsbaek",
    "agreement_id": "a-1",
    "state": "placed",
    "scope": "whole",
    "customer_name": "Korsbæk Kommune",
    "customer_cvr": "11111111",
    "supplier_name": "IST ApS",
    "supplier_cvr": "19435075",
    "reference": "SKI-02.19-4711",
    "dpa_reference": "DBA-4711",
    "profiles": ["ist-standard", "ski-02-19"],
    "go_live": "2026-07-01",
    "operations_end": "2026-06-30",
    "agreement_end": "2026-06-30",
    "takeover_day": "2020-08-31",
    "tenant": "991",
    "map_digest": DIGEST,
    "systems": [{"system": "booking", "title": "Booking", "kind": "files", "deletion": "1"}],
    "options": [],
    "unanswered": [],
    "contacts": [],
}


def _activity(number: str, phase: str, title: str, state: str, **more: Any) -> dict[str, Any]:
    row = {
        "id": number,
        "phase": phase,
        "title_da": title,
        "title_en": f"{title} (en)",
        "owner": "customer",
        "responsible": ["customer"],
        "obligatory": True,
        "chosen": True,
        "destructive": False,
        "manual": True,
        "earliest": None,
        "due": "2026-04-01",
        "provisional": False,
        "rule": "T -3m",
        "clause": "S1 §5",
        "after": [],
        "state": state,
        "waits_for": [],
        "completed_on": "2026-03-30" if state == "completed" else None,
        "systems": [],
        "blocks": [],
        "slack_days": None,
        "critical": False,
        "next_actors": [],
    }
    return {**row, **more}


PLAN = {
    "exit_id": "x-korsbaek",
    "state": "approved",
    "version": 2,
    "plan_digest": DIGEST,
    "activities": [
        _activity("A1", "order", "Bestilling af exit-vindue", "completed"),
        _activity("A4", "order", "Kundens endelige bestilling", "completed"),
        _activity("A5", "order", "Opsigelse af kontrakt", "not_chosen", obligatory=False, chosen=False),
        _activity("B1", "preparation", "Kundens kontaktperson udpeges", "completed"),
        _activity("B4", "preparation", "Databehov opgjort med ny leverandør", "due"),
        _activity(
            "B9", "preparation", "Forbindelsestest", "planned", manual=False, waits_for=["B5"], responsible=["supplier"]
        ),
        _activity(
            "B14", "preparation", "Allonge om ydelser efter hovedaftalens udløb", "overdue", blocks=list("CDEFGHI")
        ),
        _activity(
            "C3",
            "window",
            "Leverance af data",
            "planned",
            manual=False,
            earliest="2026-06-01",
            due="2026-06-30",
            waits_for=["C2", "B9", "DATE(2026-06-01)", "ARCHIVE(booking)", "INSTRUCTION"],
            provisional=True,
            critical=True,
            slack_days=0,
            next_actors=["customer"],
        ),
        _activity(
            "D2",
            "after",
            "Sletning af data i løsningen #1",
            "planned",
            manual=False,
            destructive=True,
            earliest="2026-07-01",
            due="2026-07-15",
            clause="S1 §7; S2 28.1",
            rule="K +1d … K +15d",
            waits_for=["B4", "HOLD(ALL)", "PROPOSAL(P2)", "OUTSIDE_SCOPE"],
            systems=["booking", "morgenvagt"],
            slack_days=12,
        ),
    ],
    "approvals": [
        {
            "activity": "D2",
            "job_id": "j-1",
            "plan_digest": DIGEST,
            "state": "waiting",
            "approvals": [{"actor": "p-93fa", "role": "kommune_godkender", "at": "2026-07-01T08:00:00"}],
        }
    ],
    "conflicts": [
        {"ids": ["D2"], "not_before": "2026-10-30", "not_after": "2026-10-15", "clauses": ["S1 §7", "S2 28.1"]}
    ],
    "critical_path": ["B4", "C3", "D2"],
    "timetable": {
        "state": "approved",
        "timetable_digest": DIGEST,
        "days": [{"activity": "C3", "on": "2026-06-12"}],
    },
    "proposal": {
        "proposal_id": "P2",
        "cause": "orders.notice_given",
        "proposal_digest": DIGEST,
        "needs": ["customer", "supplier"],
        "approved_by": ["customer"],
        "difference": {
            "plan_digest": DIGEST,
            "conflicts": [],
            "changes": [
                {
                    "id": "D2",
                    "what": "due",
                    "before": "2026-07-15",
                    "after": "2027-07-15",
                    "why_da": "K er flyttet (S2 27.1.1)",
                    "why_en": "K has moved (S2 27.1.1)",
                }
            ],
        },
    },
    "bypasses": [{"bypass_id": "b-1", "system": "booking", "kind": "rectification", "state": "requested"}],
    "holds": ["h-1"],
}
CALENDAR = {
    "exit_id": "x-korsbaek",
    "days": [
        {
            "kind": "termination",
            "variant": None,
            "title_da": "Opsigelse af aftalen",
            "title_en": "Termination of the agreement",
            "clause": "S2 27.2",
            "latest_on": "2026-04-01",
            "clear_on": "2026-03-31",
        },
        {
            "kind": "retention",
            "variant": None,
            "title_da": "Opbevaring efter ophør",
            "title_en": "Storage after the end",
            "clause": "S2 28.2",
            "latest_on": "2026-06-29",
            "clear_on": "2026-06-28",
        },
        {
            "kind": "emergency_extension",
            "variant": None,
            "title_da": "Nødforlængelse",
            "title_en": "Emergency extension",
            "clause": "S2 27.1.1",
            "latest_on": "2026-06-16",
            "clear_on": "2026-06-15",
        },
    ],
}
OBLIGATIONS = {
    "exit_id": "x-korsbaek",
    "obligations": [
        {
            "id": "S2-28.1-d",
            "clause": "S2 28.1",
            "due": "2026-07-15",
            "state": "pending",
            "reason": "WAITING",
            "met_on": None,
            "evidence": [],
        },
        {
            "id": "S2-13-a",
            "clause": "S2 13",
            "due": None,
            "state": "pending",
            "reason": "NOT_TRIGGERED",
            "met_on": None,
            "evidence": [],
        },
        {
            "id": "S2-DPA-a",
            "clause": "DPA",
            "due": "2026-05-31",
            "state": "breached",
            "reason": "OVERDUE",
            "met_on": None,
            "since": "2026-06-01",
            "evidence": [4],
        },
    ],
}
DELIVERY = {
    "exit_id": "x-korsbaek",
    "state": "extracting",
    "drop": "successor",
    "recipient": "age1q" + "q" * 57,
    "package_id": "pk-1",
    "package_name": "11111111-x-1.bag.tar.age",
    "package_digest": None,
    "package_bytes": 0,
    "rows": 23456,
    "places_done": 3,
    "places_total": 17,
    "accepted_on": None,
    "places": [
        {"system": "pladsanvisning", "place": "barn", "rows": 2000, "disposition": "tenant"},
        {"system": "pladsanvisning", "place": "kode_pasningstype", "rows": 5, "disposition": "shared"},
    ],
}
ACCESS = {
    "exit_id": "x-korsbaek",
    "systems": [
        {"system": "booking", "state": "closed", "grants": 0, "verified": True, "on": "2026-07-01"},
        {"system": "morgenvagt", "state": "error", "grants": 2, "verified": False, "on": "2026-07-01"},
    ],
}
PLACE = {
    "system": "pladsanvisning",
    "place": "barn",
    "disposition": "deleted",
    "reason": None,
    "before": 2000,
    "deleted": 2000,
    "arrived": 0,
    "retained": 0,
    "residual": 0,
    "delivered": 2000,
    "row_class": "both",
}
JOBS = {
    "exit_id": "x-korsbaek",
    "jobs": [
        {
            "exit_id": "x-korsbaek",
            "activity": "D7a",
            "job_id": "j-2",
            "state": "verified",
            "plan_digest": DIGEST,
            "places": [
                PLACE,
                {
                    **PLACE,
                    "place": "kode_pasningstype",
                    "disposition": "excluded",
                    "reason": "SHARED_CODE",
                    "before": 5,
                    "deleted": 0,
                    "delivered": 5,
                },
            ],
            "batches": 12,
            "outside": 0,
            "stopped_code": None,
            "stopped_field": None,
        }
    ],
}
BACKUPS = {
    "exit_id": "x-korsbaek",
    "backups": [
        {
            "system": "pladsanvisning",
            "set_id": "2026-06-28-full",
            "taken_on": "2026-06-28",
            "expires_on": "2026-12-28",
            "answer": "PRESENT",
            "observed_on": "2026-07-01",
        }
    ],
}
HOLDS: dict[str, Any] = {"exit_id": "x-korsbaek", "holds": []}
ATTESTATIONS: dict[str, Any] = {"exit_id": "x-korsbaek", "due_on": None, "lines": []}
CERTIFICATES = {
    "exit_id": "x-korsbaek",
    "certificates": [
        {
            "certificate_id": "c-1",
            "exit_id": "x-korsbaek",
            "stage": "ACTIVE-DELETED",
            "number": "OPH-2026-0001",
            "version": 1,
            "state": "issued",
            "kind": "rehearsal",
            "statement_digest": DIGEST,
            "pdf_bytes": 284000,
            "bundle_bytes": 91000,
            "issued_on": "2026-07-03",
            "refusals": [],
            "seal": "B-LTA",
            "seal_holds": {"until": "2031-07-03", "stamped_by": "CN=Korsbæk TSA", "stamped_on": "2026-07-04"},
        },
        {
            "certificate_id": "c-2",
            "exit_id": "x-korsbaek",
            "stage": "BACKUP-EXPIRED",
            "number": None,
            "version": 1,
            "state": "refused",
            "kind": "rehearsal",
            "statement_digest": None,
            "pdf_bytes": 0,
            "bundle_bytes": 0,
            "issued_on": None,
            "refusals": [{"code": "BACKUPS_PRESENT", "detail": "1 backup set is still there"}],
        },
    ],
}
LOG = {
    "origin": "ophor.example/evidence",
    "size": 412,
    "root": "q" * 44,
    "checkpoint": "ophor.example/evidence\n412\nqqq=\n",
    "keys": ["ophor.example/evidence+1a2b3c4d+AQID", "x509-sha256:9f86d081"],
}
PDF = b"%PDF-1.7 " + bytes(range(256)) * 10


class Recorded:
    """Answers from the records above; `silent` services are Unavailable; keeps what was asked."""

    def __init__(self, *silent: str, roles_seeing: str = "") -> None:
        self.silent, self.asked = silent, []
        self.answers = {
            "orders.list_exits": {"exits": [EXIT]},
            "orders.read_exit": EXIT,
            "orders.read_calendar": CALENDAR,
            "scheduling.read_plan": PLAN,
            "compliance.read_obligations": OBLIGATIONS,
            "delivery.read_delivery": DELIVERY,
            "access.read_access": ACCESS,
            "deletion.list_jobs": JOBS,
            "deletion.list_holds": HOLDS,
            "deletion.read_attestations": ATTESTATIONS,
            "deletion.read_backups": BACKUPS,
            "compliance.list_certificates": CERTIFICATES,
            "compliance.read_log": LOG,
            "compliance.request_certificate": CERTIFICATES["certificates"][1],
        }

    def ask(self, user: User, wire: str, data: dict[str, Any], command_id: str = "") -> dict[str, Any]:
        """Answer as the service would, or raise as it would."""
        self.asked.append((user.actor, wire, data, command_id))
        check(COMMANDS[wire].request, data, wire)
        if error := self._refusal(user, wire, data):
            raise error
        answer = _document(data) if wire == "compliance.read_document" else self.answers[wire]
        check(COMMANDS[wire].answer, answer, wire)
        return answer

    def ready(self) -> bool:
        """Say whether orders answers."""
        return "orders" not in self.silent

    def _refusal(self, user: User, wire: str, data: dict[str, Any]) -> OphorError | None:
        if wire.split(".")[0] in self.silent:
            return Unavailable("NO_ANSWER", "no answer", remedy="repeat", da="Intet svar inden fristen.")
        if not set(user.roles) & COMMANDS[wire].roles:
            return Rejected("ROLE_MISSING", "the role is missing", da="Rollen giver ikke adgang til handlingen.")
        if data.get("exit_id", "x-korsbaek") != "x-korsbaek":
            return Rejected("EXIT_UNKNOWN", "no such exit", field="exit_id", da="Forløbet findes ikke.")
        return None


def _document(data: dict[str, Any]) -> dict[str, Any]:
    part = PDF[data["offset"] : data["offset"] + 1000]
    following = data["offset"] + len(part)
    return {
        "certificate_id": data["certificate_id"],
        "name": "slettebevis-øvelse.pdf",
        "size": len(PDF),
        "part": base64.b64encode(part).decode(),
        "next_offset": following if following < len(PDF) else None,
    }

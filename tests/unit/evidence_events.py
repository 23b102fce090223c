"""A small exit as the events that compliance is told: ordered, handed over, deleted, its backups gone.

Everything goes through the contracts' own schemas (`evidence_world.World.told`): an event here is one that could
travel.
"""

from __future__ import annotations

import copy
import hashlib
from datetime import date, timedelta
from typing import Any

EXIT = "exit-1"
Event = tuple[str, dict[str, Any]]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def order(*, amended: bool = True, systems: tuple[tuple[str, str, str], ...] = ()) -> Event:
    lines = systems or (
        ("pladsanvisning", "postgresql", "2"),
        ("morgenvagt", "mongodb", "1"),
        ("sagsindeks", "case_index", "index"),
    )
    amendment = {
        "kind": "backups_six_months", "digest": sha("addendum"), "signed_on": "2026-05-01",
        "signed_by": ["customer", "supplier"],
    }  # fmt: skip
    return "orders.order_placed", {
        "exit_id": EXIT, "agreement_id": "agr-1", "customer_cvr": "11111111", "customer_type": "municipality",
        "profiles": ["ist-standard", "ski-02-19"], "scope": "whole", "numbers": {"exit_process_days": 30},
        "lawyer_confirmed": [], "in_force_on": "2020-10-01", "takeover_day": "2020-11-05",
        "go_live": "2026-10-01", "operations_end": "2026-09-30", "agreement_end": "2026-09-30", "tenant": "0851",
        "map_digest": sha("map"),
        "systems": [{"system": s, "title": f"IST {s.title()}", "kind": k, "deletion": d} for s, k, d in lines],
        "amendments": [amendment] if amended else [],
        "pinned": [{"name": "ski-02-19", "version": "1", "digest": sha("profile"), "source_digest": None}],
        "places": [
            {"line": "test_copies", "answer": "not_used"},
            {"line": "extens", "answer": "CUSTOMER_POSSESSION"},
            {"line": "pladsanvisning", "answer": "mapped"},
        ],
    }  # fmt: skip


SCOPES = {"C7": ("sagsindeks",), "D2": ("morgenvagt",), "D7a": ("pladsanvisning",)}


def plan(
    version: int = 1,
    *,
    end: str = "2026-09-30",
    scopes: dict[str, tuple[str, ...]] | None = None,
    last: tuple[str, str] | None = None,
    conflicts: int = 0,
) -> Event:
    """A plan with the agreement's end `end`; `last`: earliest and due day of the last deletion."""
    day = date.fromisoformat(end)
    first, due = (day + timedelta(days=1)).isoformat(), (day + timedelta(days=15)).isoformat()
    days = {"C7": (end, end), "D7a": last or (first, due)}
    lines = [
        {
            "id": name,
            "earliest": days.get(name, (first, due))[0],
            "due": days.get(name, (first, due))[1],
            "chosen": True,
            "systems": list(systems),
        }
        for name, systems in (SCOPES if scopes is None else scopes).items()
    ]
    lines.append({"id": "D1", "earliest": end, "due": end, "chosen": True, "systems": []})
    return "scheduling.plan_made", {
        "exit_id": EXIT, "version": version, "plan_digest": sha(f"plan-{version}"), "activities": lines,
        "conflicts": conflicts,
        "obligations": [
            {"id": "S2-28.1-b", "clause": "S2 28.1", "earliest": None, "due": end, "rule": "senest K"},
            {"id": "S2-28.1-d", "clause": "S2 28.1", "earliest": first, "due": due, "rule": "K + 15 Dage"},
            {"id": "S2-13-a", "clause": "S2 13", "earliest": None, "due": None, "rule": "10 Arbejdsdage"},
        ],
    }  # fmt: skip


def preparation() -> list[Event]:
    return [
        plan(),
        ("orders.options_confirmed", {"exit_id": EXIT, "options": [], "silence": "storage_option"}),
        ("orders.instruction_given", {
            "exit_id": EXIT, "kind": "delete", "basis": "INSTRUCTION", "digest": sha("instruction"),
            "given_on": "2026-08-01",
        }),
        *(("orders.archive_decided", {
            "exit_id": EXIT, "system": system, "decision": "not_worth_keeping", "digest": sha("archive"),
            "decided_on": "2026-08-02",
        }) for system in ("pladsanvisning", "morgenvagt")),
        ("deletion.backup_registered", {
            "exit_id": EXIT, "system": "pladsanvisning", "set_id": "pg-1", "taken_on": "2026-09-01",
            "expires_on": "2027-03-01",
        }),
    ]  # fmt: skip


def hand_over() -> list[Event]:
    package = {"package_id": "pkg-1", "package_digest": sha("package")}
    rows = [("pladsanvisning", "barn", 40, "tenant"), ("pladsanvisning", "kode", 3, "shared"),
            ("morgenvagt", "vagt", 10, "tenant")]  # fmt: skip
    return [
        ("delivery.dispatch_set", {
            "exit_id": EXIT, "to": "successor", "drop": "drop", "recipient_digest": sha("age"),
            "transfer_instruction_digest": sha("transfer"),
        }),
        ("delivery.package_delivered", {
            "exit_id": EXIT, **package, "package_bytes": 4096, "files": 4, "rows": 53, "on": "2026-09-20",
            "places": [{"system": s, "place": p, "rows": n, "disposition": d} for s, p, n, d in rows],
        }),
        ("delivery.delivery_accepted", {
            "exit_id": EXIT, **package, "actor": "usr-lead", "role": "kommune_projektleder", "on": "2026-09-24",
        }),
    ]  # fmt: skip


def place(system: str, name: str, before: int, **more: Any) -> dict[str, Any]:
    row = {
        "system": system, "place": name, "disposition": "deleted", "reason": None, "before": before, "deleted": before,
        "arrived": 0, "retained": 0, "residual": 0, "delivered": before, "row_class": "both" if before else None,
    }  # fmt: skip
    return row | more


def below(line: dict[str, Any]) -> dict[str, Any]:
    """What was done below the rows of a place: MongoDB holds versions, an index offers nothing (ADR 0011)."""
    seen = {"unit": "rows", "before": line["deleted"], "after": 0, "remains": ["LOG", "REPLICAS", "FREE_SPACE"]}
    row = {"system": line["system"], "place": line["place"], "asked": "clean", "reason": None}
    if line["system"] == "morgenvagt":
        return row | seen | {"answer": "HELD", "reason": "HISTORY_WINDOW", "unit": "bytes"}
    if line["system"] in ("sagsindeks", "booking"):
        return row | {"answer": "NOT_OFFERED", "unit": None, "before": None, "after": None, "remains": []}
    return row | seen | {"answer": "CLEANED"}


PLACES = {
    "C7": [place("sagsindeks", "sager", 5, delivered=0, row_class="deleted_not_delivered")],
    "D2": [place("morgenvagt", "vagt", 10, deleted=11, arrived=1, row_class="changed_after_extract")],
    "D3b": [place("booking", "bilag", 7, delivered=0, row_class="deleted_not_delivered")],
    "D7a": [
        place("pladsanvisning", "barn", 40),
        place("pladsanvisning", "kode", 3, disposition="excluded", reason="SHARED_CODE", deleted=0, retained=3,
              row_class="delivered_not_deleted"),
        place("pladsanvisning", "kladde", 0, disposition="absent_verified"),
    ],
}  # fmt: skip
DAYS = {"C7": "2026-09-30", "D2": "2026-10-02", "D3b": "2026-10-03", "D7a": "2026-10-05"}


def closing(system: str, activity: str) -> Event:
    line = {"system": system, "state": "closed", "grants": 0, "verified": True, "on": DAYS[activity]}
    return "access.access_closed", {"exit_id": EXIT, "activity": activity, "systems": [line], "on": DAYS[activity]}


def destruction(activity: str, places: list[dict[str, Any]] | None = None) -> list[Event]:
    """One whole deletion: inventory, approvals, permit, batches, end, verification."""
    lines = copy.deepcopy(PLACES[activity] if places is None else places)
    job, plan, on = f"job-{activity}", sha(f"plan-{activity}"), DAYS[activity]
    head = {"exit_id": EXIT, "activity": activity, "job_id": job}
    people = [("usr-a", "kommune_godkender", "10"), ("usr-b", "ist_sletteansvarlig", "11")]
    approvals = [{"actor": actor, "role": role, "at": f"{on}T{hour}:00:00Z"} for actor, role, hour in people]
    inventory = [
        {name: line[name] for name in ("system", "place", "disposition", "reason")} | {"count": line["before"]}
        for line in lines
    ]
    doomed = [line for line in lines if line["deleted"]]
    stopped = {"kind": "operations_stopped", "digest": sha("c6"), "actor": "usr-op", "role": "ist_operatør", "on": on}
    return [
        *([("access.access_attested", {"exit_id": EXIT, "activity": "C6", **stopped})] if activity == "C7" else []),
        ("deletion.deletion_previewed", {
            **head, "plan_digest": plan, "inventory_digest": sha(f"inv-{activity}"), "places": inventory,
            "total": sum(line["before"] for line in lines), "on": on,
        }),
        ("scheduling.approval_completed", {**head, "plan_digest": plan, "approvals": approvals}),
        ("scheduling.permit_issued", {
            **head, "plan_digest": plan, "approvals": approvals, "intent_index": 1, "valid_until": f"{on}T12:00:00Z",
        }),
        ("deletion.deletion_begun", {**head, "plan_digest": plan, "on": on}),
        *(("deletion.deletion_batch_closed", {
            **head, "system": line["system"], "place": line["place"], "batch": number, "planned": line["deleted"],
            "deleted": line["deleted"], "outside": 0,
        }) for number, line in enumerate(doomed)),
        ("deletion.deletion_executed", {
            **head, "deleted": sum(line["deleted"] for line in doomed), "batches": len(doomed), "outside": 0, "on": on,
        }),
        ("deletion.deletion_verified", {
            **head, "plan_digest": plan, "places": lines, "probes_drawn": 2, "probes_found_before": 2,
            "probes_found_after": 0, "outside": 0, "result": "DELETED", "on": on,
            "physical": [below(line) for line in doomed],
        }),
        *([own_copies(on)] if activity != "C7" else []),
    ]  # fmt: skip


def own_copies(on: str, answer: str = "DELETED") -> Event:
    """Our own copies of what was handed over, as they were looked for after a deletion of live systems."""
    rows = [{"kind": kind, "name": "pkg-1", "answer": answer} for kind in ("PACKAGE", "WORK_FILES", "POSITIONS")]
    left = len(rows) if answer in ("PRESENT", "ERROR") else 0
    return "delivery.own_copies_looked", {"exit_id": EXIT, "rows": rows, "left": left, "on": on}


def deleted_exit(*, amended: bool = True) -> list[Event]:
    """Everything up to and with the verified deletions."""
    return [
        order(amended=amended),
        *preparation(),
        *hand_over(),
        *destruction("C7"),
        closing("morgenvagt", "D2"),
        *destruction("D2"),
        closing("pladsanvisning", "D7a"),
        *destruction("D7a"),
    ]


KEPT_UNTIL = "2027-09-30"


def kept_exit(*, amended: bool = True) -> list[Event]:
    """The other systems deleted; one kept by look-up access and storage, as its cover says, until KEPT_UNTIL."""
    systems = (("pladsanvisning", "postgresql", "2"), ("booking", "files", "2"), ("morgenvagt", "mongodb", "1"),
               ("sagsindeks", "case_index", "index"))  # fmt: skip
    options = ["S1-8.3", "S2-28.2-retention"]
    covers = [{"option": option, "systems": ["pladsanvisning"]} for option in options]
    decided = {"system": "booking", "decision": "not_worth_keeping", "digest": sha("archive")}
    return [
        order(amended=amended, systems=systems),
        plan(scopes=SCOPES | {"D3b": ("booking",)}, last=("2027-10-01", "2027-10-15")),
        *preparation()[2:],
        ("orders.options_confirmed", {
            "exit_id": EXIT, "options": options, "covers": covers, "silence": "storage_option",
        }),
        ("orders.archive_decided", {"exit_id": EXIT, **decided, "decided_on": "2026-08-02"}),
        *hand_over(),
        *destruction("C7"),
        closing("morgenvagt", "D2"), *destruction("D2"),
        closing("booking", "D3b"), *destruction("D3b"),
    ]  # fmt: skip


def stored_exit() -> list[Event]:
    """Delivered, never answered; the customer's silence took the storage of everything, so only the index is gone."""
    scopes = {"C7": ("sagsindeks",), "D7a": ("morgenvagt", "pladsanvisning")}
    kept = ("scheduling.silence_applied", {"exit_id": EXIT, "silence": "storage_option", "on": "2026-09-29"})
    return [
        order(), plan(scopes=scopes, last=("2031-10-01", "2031-10-15")), *preparation()[1:], *hand_over()[:-1],
        *destruction("C7"), kept,
    ]  # fmt: skip


def backups_gone(on: str = "2027-03-02") -> list[Event]:
    seen = {"system": "pladsanvisning", "set_id": "pg-1", "answer": "GONE", "expires_on": "2027-03-01", "on": on}
    return [
        ("deletion.backup_observed", {"exit_id": EXIT, **seen}),
        ("deletion.backups_expired", {"exit_id": EXIT, "sets": 1, "last_expiry_on": "2027-03-01", "on": on}),
    ]

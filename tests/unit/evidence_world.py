"""A small exit as the events that compliance is told, logged in memory, and the certificates drawn from it.

Everything goes through the contracts' own schemas, so that an event here is one that could travel. No bus, no store.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from contracts.catalogue import EVENTS
from contracts.registry import check
from services.compliance import domain
from services.compliance.documents import bundle, document
from services.compliance.documents.statement import Draft, Head, Record, statement
from services.compliance.evidence import GENESIS, entry_of, leaf, read_leaf
from services.compliance.facts import Facts
from services.compliance.facts.gathering import collect
from services.compliance.log import checkpoint, tree
from services.compliance.signing.envelope import STATEMENT_TYPE, canonical, envelope, pae
from services.compliance.signing.keys import (
    LOG,
    SEAL,
    SIGN,
    PublicKeys,
    load_note,
    load_public,
    load_seal,
    make_demo_keys,
)

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
    return [
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
    attested = {"kind": "operations_stopped", "digest": sha("c6"), "actor": "usr-op", "role": "ist_operatør"}
    return [
        order(amended=amended),
        *preparation(),
        *hand_over(),
        ("access.access_attested", {"exit_id": EXIT, "activity": "C6", **attested, "on": "2026-09-30"}),
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


def hold(system: str | None = None, *, lifted: bool = False) -> list[Event]:
    by = {"hold_id": "hold-1", "digest": sha("hold"), "actor": "usr-dpo", "role": "kommune_dpo", "on": "2026-10-01"}
    placed = {"exit_id": EXIT, **by, "system": system, "basis": "DATA_SUBJECT_REQUEST"}
    end = [("deletion.hold_lifted", {"exit_id": EXIT, **by, "on": "2026-10-02"})] if lifted else []
    return [("deletion.hold_placed", placed), *end]


def proposal(state: str = "proposed") -> Event:
    told = {"proposal_id": "prp-1", "proposal_digest": sha("proposal"), "cause": "notice_given", "changes": 2}
    return "scheduling.plan_proposed", {"exit_id": EXIT, **told, "conflicts": 0, "state": state, "on": "2026-09-01"}


def notice(end: str, *, outcome: str = "accepted", notice_id: str = "ntc-1") -> Event:
    """An emergency extension that moves the agreement's end."""
    return "orders.notice_given", {
        "exit_id": EXIT, "notice_id": notice_id, "kind": "emergency_extension", "variant": None, "by": "customer",
        "outcome": outcome, "code": None, "given_on": "2026-09-10", "effect_on": "2026-09-30",
        "latest_on": "2026-09-16", "clause": "S2 27.1.1", "milestone": None, "services": [],
        "moved": [{"anchor": "K", "on": end}], "options": [], "digest": sha("notice"),
    }  # fmt: skip


def silence(on: str = "2026-10-15") -> Event:
    return "scheduling.silence_applied", {"exit_id": EXIT, "silence": "delete_at_k15", "on": on}


def obligation(name: str, state: str, reason: str, on: str, **more: Any) -> Event:
    told = {"obligation": name, "clause": "S2 13", "state": state, "reason": reason, "due": None, "met_on": None}
    return "scheduling.obligation_changed", {"exit_id": EXIT, **told, "on": on} | more


def cancelled(activity: str) -> Event:
    job = {"activity": activity, "job_id": f"job-{activity}"}
    return "deletion.deletion_cancelled", {"exit_id": EXIT, **job, "on": DAYS[activity]}


def silent_exit(*, applied: bool = True) -> list[Event]:
    """Delivered, never answered; the customer's instruction is to delete then, applied or not."""
    events = [one for one in deleted_exit() if one[0] != "delivery.delivery_accepted"]
    events = [
        (wire, data | {"silence": "delete_at_k15"} if wire == "orders.options_confirmed" else data)
        for wire, data in events
    ]
    at = next(n for n, (wire, _) in enumerate(events) if wire == "access.access_attested")
    return [*events[:at], *([silence()] if applied else []), *events[at:]]


def rejection() -> Event:
    told = {"package_id": "pkg-1", "reason": "incomplete", "digest": sha("rejected"), "actor": "usr-lead"}
    return "delivery.delivery_rejected", {"exit_id": EXIT, **told, "role": "kommune_projektleder", "on": "2026-09-25"}


def late_silence() -> list[Event]:
    """The instruction for silence was applied after the first intent."""
    events = silent_exit(applied=False)
    at = next(n for n, (wire, data) in enumerate(events) if wire.endswith("begun") and data["activity"] == "D2")
    return [*events[:at], silence(), *events[at:]]


def beyond_scope() -> list[Event]:
    """The first deletion also deleted in a system that is the last deletion's."""
    events = deleted_exit()
    mine = [n for n, (_, data) in enumerate(events) if data.get("job_id") == "job-D2"]
    more = destruction("D2", [*PLACES["D2"], place("pladsanvisning", "ekstra", 2)])
    return [*events[: mine[0]], *more, *events[mine[-1] + 1 :]]


def plan_again(**changes: Any) -> Callable[[], list[Event]]:
    return lambda: [*deleted_exit(), plan(2, **changes)]


FORBIDDEN: list[tuple[str, Callable[[], list[Event]], set[str], int, str]] = [
    ("every system held", lambda: [*deleted_exit(), *hold()], {"HELD"}, 15, "held"),
    ("one system held", lambda: [*deleted_exit(), *hold("morgenvagt")], {"HELD"}, 15, "held"),
    ("a proposal open", lambda: [*deleted_exit(), proposal()], {"PROPOSAL_OPEN"}, 15, "waits for its answer"),
    ("a conflict open", plan_again(conflicts=1), {"CONFLICT_OPEN"}, 15, "conflicts"),
    ("the exit cancelled", lambda: [*deleted_exit(), ("orders.exit_cancelled", {
        "exit_id": EXIT, "reason": "withdrawn", "digest": sha("cancel"), "on": "2026-10-06",
    })], {"EXIT_CANCELLED"}, 15, "was cancelled"),
    ("a notice not followed", lambda: [*deleted_exit(), notice("2027-03-31")], {"PLAN_BEHIND"}, 15, "not followed"),
    ("the delivery rejected", lambda: [*deleted_exit(), rejection()], {"DELIVERY_REJECTED"}, 15, "rejected"),
    ("silence never applied", lambda: silent_exit(applied=False), {"SILENCE_NOT_APPLIED"}, 14, "silence"),
    ("silence applied late", late_silence, {"SILENCE_NOT_APPLIED"}, 14, "silence"),
    ("a cancelled job destroyed", lambda: [*deleted_exit(), cancelled("D2")], {"DESTROYED_AFTER_CANCELLATION"}, 14,
     "after its cancellation"),
    ("a system in no scope", plan_again(scopes=SCOPES | {"D2": ()}), {"SYSTEM_NOT_IN_PLAN"}, 12, "no deletion of the"),
    ("a system of another scope", plan_again(scopes={"C7": ("sagsindeks",), "D2": ("morgenvagt", "pladsanvisning")}),
     {"SYSTEM_NOT_INVENTORIED"}, 12, "no place"),
    ("more than the scope", beyond_scope, {"SYSTEM_OUT_OF_SCOPE"}, 12, "not in scope"),
]  # fmt: skip
"""Histories that may not be certified: name, events, the service's reasons, the verifier's check and its words."""


def backups_gone(on: str = "2027-03-02") -> list[Event]:
    seen = {"system": "pladsanvisning", "set_id": "pg-1", "answer": "GONE", "expires_on": "2027-03-01", "on": on}
    return [
        ("deletion.backup_observed", {"exit_id": EXIT, **seen}),
        ("deletion.backups_expired", {"exit_id": EXIT, "sets": 1, "last_expiry_on": "2027-03-01", "on": on}),
    ]


def party(name: str, cvr: str) -> dict[str, str]:
    return {"cvr": cvr, "name": name, "address": "Torvet 1, 9999 Korsbæk", "dpo_name": "Databeskyttelsesrådgiveren",
            "dpo_email": "dpo@example.org"}  # fmt: skip


RECORD = Record(
    controller=party("Korsbæk Kommune", "11111111"),
    processor=party("Leverandøren A/S", "22222222"),
    agreement_reference="02.19-4711",
    dpa_reference="dba-4711",
    officials={"usr-a": {"name": "Godkender Et", "function": "IT-chef"}},
    titles={"pladsanvisning": "IST Pladsanvisning", "morgenvagt": "Morgenvagt", "sagsindeks": "Sagsindekset"},
    rules={"S2-28.1-d": {"clause": "S2 28.1", "rule": "K + 15 Dage"}},
)


@dataclass
class Log:
    """An evidence log in memory, written as the store writes it."""

    origin: str
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    leaves: list[bytes] = field(default_factory=list)
    heads: dict[int, str] = field(default_factory=dict)
    mine: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.leaves)

    def add(self, kind: str, entry: dict[str, Any], exit_id: str = EXIT) -> int:
        """Append an entry; one of another exit does not count among ours."""
        before = [index for index in self.mine] if exit_id == EXIT else []
        event = {
            "version": 1, "origin": self.origin, "exit": exit_id, "n": len(before),
            "prev": tree.leaf_hash(self.leaves[before[-1]]).hex() if before else GENESIS,
            "kind": kind, "ref": f"ref-{self.size}", "at": "2026-10-01T00:00:00Z", "entry": entry,
        }  # fmt: skip
        data = leaf(event, sha(f"salt-{self.size}"))
        self.nodes |= tree.appended(self.nodes, self.size, tree.leaf_hash(data))
        if exit_id == EXIT:
            self.mine.append(self.size)
        self.leaves.append(data)
        return self.size - 1

    def facts(self) -> Facts:
        return collect(EXIT, [read_leaf(index, self.leaves[index]) for index in self.mine])

    def head(self) -> Head:
        last = tree.leaf_hash(self.leaves[self.mine[-1]]).hex()
        return Head(self.size, tree.root(self.nodes, self.size), (len(self.mine), last))


@dataclass
class World:
    """Keys in a folder, a log, and what is drawn from it."""

    folder: Path
    log: Log = field(init=False)
    public: PublicKeys = field(init=False)

    def __post_init__(self) -> None:
        self.public = make_demo_keys(self.folder)
        self.log = Log(self.public.origin)

    def told(self, events: list[Event]) -> World:
        """Log what compliance is told, each after the contract has loaded it."""
        for wire, data in events:
            loaded = check(EVENTS[wire].schema, data, wire)
            self.log.add(*entry_of(wire, loaded))
            self.log.add("NEEDS_SUBMITTED", {"digest": sha(str(self.log.size))}, "exit-other")
            if wire == "scheduling.approval_completed":
                self.mark()
        return self

    def mark(self) -> str:
        key = load_note(self.folder / "ledger", LOG)
        note = checkpoint.sign(self.public.origin, self.log.size, tree.root(self.log.nodes, self.log.size), key)
        self.log.heads[self.log.size] = note
        return note

    def refusals(
        self, stage: str = domain.ACTIVE, on: str = "2026-10-06", activities: tuple[str, ...] = (), **more: Any
    ) -> list[str]:
        known = domain.Known("rehearsal", named=True, log_checks=True, held=0)
        asked = domain.Asked(stage, date.fromisoformat(on), activities)
        return [one.code for one in domain.refusals(self.log.facts(), asked, replace(known, **more))]

    def issued(self, activities: tuple[str, ...] = ("C7", "D2", "D7a")) -> World:
        """Log that an ACTIVE-DELETED certificate of these scopes was issued."""
        entry = {"certificate_id": "crt-0", "stage": domain.ACTIVE, "number": "ØV-000001"}
        self.log.add("CERTIFICATE_ISSUED", entry | {"activities": list(activities), "statement_digest": sha("first")})
        return self

    def draft(
        self, stage: str = domain.ACTIVE, issued_on: str = "2026-10-06", activities: tuple[str, ...] = ()
    ) -> Draft:
        follows = {"number": "ØV-000001", "statement_digest": sha("first")} if stage == domain.EXPIRED else None
        serial = 2 if follows else 1
        return Draft(
            "crt-1", stage, domain.number("rehearsal", serial), 1, date.fromisoformat(issued_on), self.log.facts(),
            RECORD, self.log.head(), self.public, follows, activities,
        )  # fmt: skip

    def certify(
        self, stage: str = domain.ACTIVE, issued_on: str = "2026-10-06", activities: tuple[str, ...] = ()
    ) -> Certificate:
        """Draw up, sign, render and bundle."""
        self.mark()
        made = statement(self.draft(stage, issued_on, activities))
        dsse = sign(self, canonical(made))
        plain = document.render(made["predicate"], dsse, document.digest_of(canonical(made)))
        return issue(self, made, plain=plain)


@dataclass
class Certificate:
    world: World
    statement: dict[str, Any]
    payload: bytes
    dsse: bytes
    pdf: bytes
    members: dict[str, bytes]
    bundle: bytes


def sign(
    world: World, payload: bytes, holders: tuple[tuple[str, str], ...] = (("seal", SEAL), ("sign", SIGN))
) -> bytes:
    signatures = []
    for holder, name in holders:
        key = load_note(world.folder / holder, name)
        signatures.append((key.short, key.sign(pae(STATEMENT_TYPE, payload))))
    return envelope(STATEMENT_TYPE, payload, signatures)


def issue(world: World, made: dict[str, Any], **changes: Any) -> Certificate:
    """Make the documents of a statement, true or forged, on a blank page unless `plain` is given.

    `members` and `without` in `changes` replace and remove members of the bundle, before its manifest is signed.
    """
    payload = canonical(made)
    dsse = changes.get("dsse") or sign(world, payload)
    seal_key = load_seal(world.folder / "render")
    blank = "<html lang='da'><title>Slettebevis</title>"
    plain = changes.get("plain") or document.print_page(blank, dsse, document.digest_of(payload), "2026-10-06")
    pdf = document.seal(plain, seal_key, made["predicate"]["number"])
    log = world.log
    proven = bundle.Proven(log.size, log.nodes, {index: log.leaves[index] for index in log.mine}, log.heads)
    members = bundle.members({"certificate.pdf": pdf, "certificate.dsse.json": dsse}, proven, world.public)
    members |= changes.get("members", {})
    for name in changes.get("without", ()):
        del members[name]
    return Certificate(
        world, made, payload, dsse, pdf, members, bundle.build(members, made["predicate"]["number"], seal_key)
    )


def keys(world: World) -> list[str]:
    return load_public(world.folder / "face").lines()


__all__ = [name for name in dir() if not name.startswith("_")]

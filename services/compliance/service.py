"""The face of compliance: takes in what becomes evidence, answers about log, obligations and certificates.

Every event that the contracts tell compliance is turned into a closed evidence entry at once and sent to the ledger;
what is no evidence (titles, wording of rules) goes into the exit's record. Hashing, signing and rendering are hands'.
"""

from __future__ import annotations

import base64
from dataclasses import asdict
from datetime import date
from typing import Any

from contracts.catalogue import subscribed
from contracts.errors import Rejected
from services.compliance import domain, store, tree
from services.compliance.evidence import KIND_OF_EVENT, entry_of
from services.compliance.facts import Facts
from shared.bus.faces import Face, command, on, query

_NAMES = {"pdf": "{number}-{stage}.pdf", "bundle": "{number}-{stage}.zip", "dsse": "{number}-{stage}.dsse.json"}


class Compliance(Face):
    """Compliance on the bus."""

    name = "compliance"

    @command
    def name_parties(self, unit: Any, call: Any) -> dict[str, Any]:
        """Name the parties and officials of an exit; they stand in documents only, never in the log."""
        data, exit_id = call.data, call.data["exit_id"]
        known = store.exit_row(unit, exit_id).get("customer_cvr")
        call.actor.require_customer(known or data["controller"]["cvr"])
        domain.check_controller(data["controller"]["cvr"], known)
        store.remember(unit, exit_id, {"parties": {name: data[name] for name in data if name != "exit_id"}})
        return {"exit_id": exit_id, "state": "named"}

    @command
    def request_certificate(self, unit: Any, call: Any) -> dict[str, Any]:
        """Refuse with every reason at once, or take a number and have the certificate drawn up, signed and rendered."""
        exit_id, kind = call.data["exit_id"], self.kind
        _allow(unit, call, exit_id)
        known = store.facts(unit, exit_id)
        asked = _asked(call, known, unit.today)
        row = _standing_request(unit, exit_id, asked)
        if row and row["state"] != "failed":
            return store.certificate_row(row)
        reasons = domain.refusals(known, asked, store.known(unit, exit_id, kind, log_checks=True))
        fresh = store.new_certificate(exit_id, asked, kind, call.id)
        if reasons:
            _refuse(unit, fresh, reasons)
        row = row or fresh | {"number": domain.number(kind, store.next_number(unit, domain.SERIES[kind]))}
        row |= {"state": "requested", "refusals": [], "statement": None, "signatures": []}
        row |= {"issued_on": unit.today.isoformat(), "follows": _follows(unit, row)}
        row["order"] = len(store.certificates(unit, exit_id))
        store.save_certificate(unit, row)
        unit.send("compliance.ledger.draw_up", {"certificate_id": row["_id"], "exit_id": exit_id})
        return store.certificate_row(row)

    @query
    def read_certificate(self, unit: Any, call: Any) -> dict[str, Any]:
        """Read one certificate's state."""
        return store.certificate_row(_certificate(unit, call))

    @query
    def list_certificates(self, unit: Any, call: Any) -> dict[str, Any]:
        """List an exit's certificates and refused requests."""
        exit_id = call.data["exit_id"]
        _allow(unit, call, exit_id)
        rows = [store.certificate_row(row) for row in store.certificates(unit, exit_id)]
        return {"exit_id": exit_id, "certificates": rows}

    @query
    def read_document(self, unit: Any, call: Any) -> dict[str, Any]:
        """Read a part of a document, base64, at most 128 KiB."""
        row, document, offset = _certificate(unit, call), call.data["document"], call.data["offset"]
        found = store.document_part(unit, row["_id"], document, offset)
        if found is None:
            raise Rejected(
                "DOCUMENT_PART_UNKNOWN",
                "there is no such part of this document",
                field="offset",
                remedy="wait for state issued, begin at 0 and follow next_offset",
                da="Dokumentet findes ikke endnu, eller delen begynder ikke her.",
            )
        part, size = found
        following = offset + len(part)
        return {
            "certificate_id": row["_id"],
            "name": _NAMES[document].format(number=row["number"], stage=row["stage"]),
            "size": size,
            "part": base64.b64encode(part).decode(),
            "next_offset": following if following < size else None,
        }

    @query
    def read_log(self, unit: Any, call: Any) -> dict[str, Any]:
        """Give the evidence log's head and the keys to verify with."""
        row = store.head(unit)
        if row is None:
            root = base64.b64encode(tree.EMPTY_ROOT).decode()
            return {"origin": "-", "size": 0, "root": root, "checkpoint": "", "keys": []}
        return {name: row[name] for name in ("origin", "size", "root", "checkpoint", "keys")}

    @query
    def read_obligations(self, unit: Any, call: Any) -> dict[str, Any]:
        """Tell how every obligation of the plan in force stands today."""
        exit_id = call.data["exit_id"]
        _allow(unit, call, exit_id)
        rules = store.exit_row(unit, exit_id).get("rules", [])
        clauses = {one["id"]: one["clause"] for one in rules}
        rows = [
            {**asdict(one), "clause": clauses.get(one.id, one.id), "evidence": list(one.evidence)}
            for one in domain.standings(store.facts(unit, exit_id), unit.today)
        ]
        return {"exit_id": exit_id, "obligations": rows}

    @property
    def kind(self) -> str:
        """Give the kind of certificates that this process may ask for: what is not production is a rehearsal."""
        return "production" if self.house.config.mode == "production" else "rehearsal"


def told_evidence(face: Compliance, unit: Any, told: Any) -> None:
    """Take in a fact: its evidence to the ledger, what is no evidence into the exit's record."""
    exit_id = told.data["exit_id"]
    if told.wire in ("orders.order_placed", "scheduling.plan_made"):
        newer = domain.record_of(told.wire, told.data, store.exit_row(unit, exit_id))
        store.remember(unit, exit_id, newer)
    if told.wire in KIND_OF_EVENT:
        kind, entry = entry_of(told.wire, told.data)
        store.offer(unit, {"ref": told.id, "exit_id": exit_id, "kind": kind, "entry": entry})


for _event in subscribed("compliance"):
    setattr(Compliance, f"on_{_event.wire.replace('.', '_')}", on(_event.wire)(told_evidence))


def _allow(unit: Any, call: Any, exit_id: str) -> None:
    """Raise Rejected unless the caller may act for the exit's customer, as far as it is known."""
    row = store.exit_row(unit, exit_id)
    cvr = row.get("customer_cvr") or row.get("parties", {}).get("controller", {}).get("cvr")
    if cvr:
        call.actor.require_customer(cvr)


def _certificate(unit: Any, call: Any) -> store.Row:
    row = store.certificate(unit, call.data["certificate_id"])
    if row is None:
        raise Rejected(
            "CERTIFICATE_UNKNOWN",
            "there is no such certificate",
            field="certificate_id",
            remedy="list the exit's certificates",
            da="Beviset findes ikke.",
        )
    _allow(unit, call, row["exit_id"])
    return row


def _asked(call: Any, known: Facts, today: date) -> domain.Asked:
    """Name the scopes of a request: those asked for, or all that no option suspends today."""
    named = tuple(sorted(set(call.data["activities"]) or known.open_scopes(today)))
    return domain.Asked(call.data["stage"], today, named)


def _standing_request(unit: Any, exit_id: str, asked: domain.Asked) -> store.Row | None:
    """Give the certificate of this stage and these scopes that is on its way, issued or failed."""
    wanted = (asked.stage, list(asked.activities))
    rows = [row for row in store.certificates(unit, exit_id) if (row["stage"], row["activities"]) == wanted]
    return next((row for row in reversed(rows) if row["state"] != "refused"), None)


def _follows(unit: Any, row: store.Row) -> dict[str, str] | None:
    if row["stage"] != domain.EXPIRED:
        return None
    before = store.issued(unit, row["exit_id"], domain.ACTIVE, row["activities"])
    return {name: before[name] for name in ("number", "statement_digest")} if before else None


def _refuse(unit: Any, row: store.Row, reasons: list[domain.Refusal]) -> None:
    listed = [{"code": one.code, "detail": one.detail[:300]} for one in reasons]
    order = len(store.certificates(unit, row["exit_id"]))
    store.save_refusal(unit, row | {"state": "refused", "refusals": listed, "order": order})
    raise domain.refused(row["stage"], reasons)

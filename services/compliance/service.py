"""The face of compliance: takes in what becomes evidence, answers about log, obligations and certificates.

Every event that the contracts tell compliance is turned into a closed evidence entry at once and sent to the ledger;
what is no evidence (titles, wording of rules) goes into the exit's record. Hashing, signing and rendering are hands'.
"""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

from contracts.catalogue import subscribed
from contracts.errors import Rejected
from services.compliance import domain, issuing, letters, reappearing, store
from services.compliance.asking import Asking
from services.compliance.asking import allow as _allow
from services.compliance.breaching import Breaching
from services.compliance.evidence import KIND_OF_EVENT, entry_of
from services.compliance.facts import Facts
from services.compliance.keeping import Keeping
from services.compliance.log import tree
from services.compliance.reissuing import Reissuing, certificate_of
from services.compliance.standings import obligation_rows
from shared.bus.faces import Face, command, on, query

_NAMES = {"pdf": "{number}-{stage}.pdf", "bundle": "{number}-{stage}.zip", "dsse": "{number}-{stage}.dsse.json"}


class Compliance(Asking, Breaching, Keeping, Reissuing, Face):
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
        asked, about = _asked(call, known, unit.today), _about(call.data["stage"], known)
        row = issuing.standing_request(unit, exit_id, asked, about)
        if row and row["state"] != "failed":
            return store.certificate_row(row)
        reasons = domain.refusals(known, asked, store.known(unit, exit_id, kind, log_checks=True))
        fresh = store.new_certificate(exit_id, asked, kind, call.id) | {"about": about}
        if reasons:
            issuing.refuse(unit, fresh, reasons)
        row = row or fresh
        return store.certificate_row(issuing.begin(unit, row, _follows(unit, row)))

    @query
    def read_certificate(self, unit: Any, call: Any) -> dict[str, Any]:
        """Read one certificate's state."""
        return store.certificate_row(certificate_of(unit, call))

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
        row, document, offset = certificate_of(unit, call), call.data["document"], call.data["offset"]
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
        rows = obligation_rows(unit, exit_id, store.facts(unit, exit_id))
        return {"exit_id": exit_id, "obligations": rows}


def told_evidence(face: Compliance, unit: Any, told: Any) -> None:
    """Take in a fact: its evidence to the ledger, what is no evidence into the exit's record."""
    exit_id = told.data["exit_id"]
    letters.heard(unit, told)
    reappearing.heard(unit, told, face.kind)
    if told.wire in ("orders.order_placed", "scheduling.plan_made"):
        newer = domain.record_of(told.wire, told.data, store.exit_row(unit, exit_id))
        store.remember(unit, exit_id, newer)
    if told.wire in KIND_OF_EVENT:
        kind, entry = entry_of(told.wire, told.data)
        store.offer(unit, {"ref": told.id, "exit_id": exit_id, "kind": kind, "entry": entry})


for _event in subscribed("compliance"):
    if not hasattr(Compliance, _name := f"on_{_event.wire.replace('.', '_')}"):
        setattr(Compliance, _name, on(_event.wire)(told_evidence))


def _asked(call: Any, known: Facts, today: date) -> domain.Asked:
    """Name the scopes of a request: those asked for, or all that no option suspends today."""
    unscoped = call.data["stage"] in (domain.DELIVERY, domain.STATUS)
    meant = {one.entry["activity"] for one in known.found} if call.data["stage"] == domain.REDELETION else set()
    named = () if unscoped else tuple(sorted(set(call.data["activities"]) or meant or known.open_scopes(today)))
    return domain.Asked(call.data["stage"], today, named)


def _about(stage: str, known: Facts) -> str | None:
    """Name the package that a DELIVERY certificate is about: a later one has a certificate of its own."""
    package = known.delivered if stage == domain.DELIVERY else None
    return str(package.entry["package_digest"]) if package else None


def _follows(unit: Any, row: store.Row) -> dict[str, str] | None:
    if row["stage"] != domain.EXPIRED:
        return None
    before = store.issued(unit, row["exit_id"], (domain.ACTIVE, domain.REDELETION), row["activities"])
    return {name: before[name] for name in ("number", "statement_digest")} if before else None

"""The part of compliance's face that withdraws, corrects and writes letters."""

from __future__ import annotations

from typing import Any

from contracts.errors import Rejected
from services.compliance import issuing, letters, reappearing, store
from services.compliance.asking import allow
from services.compliance.store import revocations as kept
from shared.bus.faces import command, on, query


class Reissuing:
    """Certificates that do not count any more, those that replace them, and the status letter of K + 15."""

    kind: Any

    @command
    def revoke_certificate(self, unit: Any, call: Any) -> dict[str, Any]:
        """Withdraw a certificate on one person's word: what is wrong must be withdrawn fast."""
        row = certificate_of(unit, call)
        return store.certificate_row(issuing.revoke(unit, call, row, self.kind))

    @command
    def correct_certificate(self, unit: Any, call: Any) -> dict[str, Any]:
        """Issue the next version of a certificate; the former counts until the new one is issued."""
        row = certificate_of(unit, call)
        return store.certificate_row(issuing.correct(unit, call, row, self.kind))

    @query
    def read_revocations(self, unit: Any, _call: Any) -> dict[str, Any]:
        """Give the published revocation list, the same for everybody."""
        row = kept.published(unit) or {"origin": "-", "count": 0, "note": ""}
        return {name: row[name] for name in ("origin", "count", "note")}

    @on("compliance.status_due")
    def on_compliance_status_due(self, unit: Any, told: Any) -> None:
        """Send the status letter that goes out by itself."""
        letters.send(unit, told, self.kind)

    @on("compliance.redeletion_due")
    def on_compliance_redeletion_due(self, unit: Any, told: Any) -> None:
        """Certify what was deleted again."""
        reappearing.certify(unit, told, self.kind)


def certificate_of(unit: Any, call: Any) -> store.Row:
    """Read the certificate that a call names; Rejected CERTIFICATE_UNKNOWN, and for another customer's."""
    row = store.certificate(unit, call.data["certificate_id"])
    if row is None:
        raise Rejected(
            "CERTIFICATE_UNKNOWN",
            "there is no such certificate",
            field="certificate_id",
            remedy="list the exit's certificates",
            da="Beviset findes ikke.",
        )
    allow(unit, call, row["exit_id"])
    return row

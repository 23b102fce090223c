"""The documents of a signed statement: sealed PDF and bundle, made, looked at by the verifier, and issued.

A certificate is issued after the verifier has accepted all three forms of it, and while no rule refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from cryptography import x509

from services.compliance import domain, issuing, requests, store
from services.compliance.documents import bundle, document
from services.compliance.log import retention
from services.compliance.signing import keys
from services.compliance.signing.envelope import STATEMENT_TYPE, envelope
from services.compliance.store import stamps
from services.compliance.verifier import ophor_verify
from services.compliance.worker import signing


@dataclass(frozen=True, slots=True)
class Made:
    """The three forms of one certificate."""

    dsse: bytes
    pdf: bytes
    bundle: bytes
    seal: str
    """The PDF's level (PAdES), as the log will say it."""

    def each(self) -> list[tuple[str, bytes]]:
        """Give each form under its name."""
        return [("dsse", self.dsse), ("pdf", self.pdf), ("bundle", self.bundle)]


def documents(unit: Any, row: store.Row, public: keys.PublicKeys, key: keys.SealKey) -> Made:
    """Make PDF, DSSE file and bundle of a signed row."""
    payload = bytes(row["statement"])
    dsse = envelope(STATEMENT_TYPE, payload, [(one["keyid"], bytes(one["sig"])) for one in row["signatures"]])
    predicate = ophor_verify.parse(payload, "statement")["predicate"]
    plain = document.render(predicate, dsse, row["statement_digest"])
    pdf, level = document.best_seal(plain, key, row["number"])
    members = bundle.members({"certificate.pdf": pdf, "certificate.dsse.json": dsse}, _proven(unit, row), public)
    return Made(dsse, pdf, bundle.build(members, row["number"], key), level)


def _proven(unit: Any, row: store.Row) -> bundle.Proven:
    """Collect leaves, nodes and the checkpoints that were told: after each intent and certificate, and the last."""
    mine = store.leaves(unit, row["exit_id"], row["size"])
    known = store.facts(unit, row["exit_id"], row["size"])
    told = {one.index + 1 for one in known.entries if one.kind in ("DELETION_INTENT", "CERTIFICATE_ISSUED")}
    heads = store.notes(unit, told | {row["size"]})
    return bundle.Proven(row["size"], store.nodes(unit), mine, heads, stamps.all_of(unit, heads))


def verified(made: Made, public: keys.PublicKeys) -> list[domain.Refusal]:
    """Have the verifier look at every form as a stranger would; give what it found wrong."""
    options = ophor_verify.Options(public.lines(), rehearsal=public.kind == "rehearsal")
    found = []
    for name, data in made.each():
        report = ophor_verify.verify(data, options)
        wrong = [f"{one.n} {one.detail}" for one in report.checks if one.result in ("FAILED", "POLICY")]
        if report.code or wrong:
            found.append(domain.Refusal("VERIFIER_REJECTS", f"{name}: {'; '.join(wrong)}"))
    return found


def seal_holds(pdf: bytes) -> dict[str, str | None]:
    """Tell until when a PDF's seal can be judged by the file alone, and who stamped the time on it, if anybody did."""
    found = ophor_verify.read_pdf(pdf)
    certificate, by, on = x509.load_der_x509_certificate(ophor_verify.check_seal(found)), None, None
    if found.behind:  # the document time stamp proves that the seal stood while its own certificate held
        stamp = ophor_verify.read_token(found.behind[-1].token)
        certificate, by, on = stamp.signer, stamp.signer.subject.rfc4514_string()[:300], stamp.at.date().isoformat()
    return {"until": certificate.not_valid_after_utc.date().isoformat(), "stamped_by": by, "stamped_on": on}


def issue(unit: Any, certificate_id: str, made: Made, holds: dict[str, str | None]) -> None:
    """Keep the documents and issue the certificate, once; `holds` is what `seal_holds` says of the PDF.

    Every refusal rule is checked once more: the log may have learnt something since the last signature.
    """
    row = signing.found(unit, certificate_id)
    if row["state"] != "signed":
        return
    if reasons := signing.reasons_now(unit, row):
        signing.fail(unit, certificate_id, reasons)
        return
    for name, data in made.each():
        store.save_document(unit, certificate_id, name, data)
    row |= {"state": "issued", "pdf_bytes": len(made.pdf), "bundle_bytes": len(made.bundle), "seal": made.seal}
    row["seal_holds"] = holds
    store.save_certificate(unit, row)
    issuing.issued(unit, row)
    requests.certificate_issued(unit, row, row["kind"])
    if row["stage"] != domain.STATUS:
        retention.follow(unit, row["exit_id"], date.fromisoformat(row["issued_on"]))

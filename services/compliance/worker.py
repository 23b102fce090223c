"""The hands of compliance: the ledger (the log's single writer), the two signers, and the renderer.

Rules kept here:
1. An append is durable when committed; the same ref is appended once. One task takes along what else waits, in one
   transaction (`ledger.py`). An intent is told (`evidence_recorded`) in the transaction that appends it.
2. A statement is drawn up from the log at one size. Each signer draws it up again from the store, compares the bytes
   and checks every refusal rule itself against the log as it is now; nothing is signed on another's word.
3. Each hand has its own key file only. Keys of the rehearsal kind sign in demo and test mode only, others in
   production only.
4. A certificate is issued after the verifier has accepted all three forms of it, never before.
5. The log's head is one document: a process that is killed inside its transaction blocks the next writer until the
   database server ends that transaction (60 s unless set lower). That is waited for here, not carried up the ladder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from contracts.errors import Rejected, Unavailable
from services.compliance import (
    bundle,
    document,
    domain,
    drawing,
    issuing,
    keys,
    ledger,
    papers,
    requests,
    retention,
    separation,
    stamp,
    store,
)
from services.compliance.envelope import STATEMENT_TYPE, envelope, pae
from services.compliance.evidence import checked
from services.compliance.store import stamps
from services.compliance.store.revocations import published as revocation_list
from services.compliance.verifier import ophor_verify
from shared.bus.hands import Hand, HandProcess, task

PATIENCE_S = 45.0
DRAIN_S = 20.0


class Ledger(Hand):
    """The log's single writer, and the only consumer of its queue at a time."""

    service, name, prefetch = "compliance", "ledger", 500

    @task
    def append(self, work: Any) -> None:
        """Append this entry and what else waits; tell of intents."""
        public, key = _public(work), keys.load_note(work.settings.keys, keys.LOG)
        try:
            checked(work.data["kind"], work.data["entry"])
        except Rejected:
            work.transaction(lambda unit: store.refuse(unit, work.id))
            raise
        desk, ends = ledger.Desk(public, key), time.monotonic() + DRAIN_S
        while time.monotonic() < ends and work.read(lambda unit: store.many_wait(unit, ledger.LIMIT)):
            if not _patiently(lambda: work.transaction(lambda unit: ledger.drain(unit, desk))):
                break
        _commit(work, lambda unit: ledger.append(unit, work.id, work.data, desk))

    @task
    def draw_up(self, work: Any) -> None:
        """Draw up a certificate's statement from the log as it is now, or fail it with every reason."""
        public, key = _public(work), keys.load_note(work.settings.keys, keys.LOG)

        stamp.before_certificate(work)

        def draw(unit: Any) -> None:
            _draw_up(unit, work.data["certificate_id"], public)
            if not revocation_list(unit):
                issuing.publish(unit, public, key)

        _commit(work, draw)

    @task
    def list_revocations(self, work: Any) -> None:
        """Sign the list of what was withdrawn, as far as the log has the evidence."""
        public, key = _public(work), keys.load_note(work.settings.keys, keys.LOG)
        _commit(work, lambda unit: issuing.publish(unit, public, key))


class Signer(Hand):
    """One of the two that sign; it looks at its start whether the machine keeps it apart from the other."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> HandProcess:
        """Make the process, and keep what it found of itself (`separation.py`)."""
        process = super().from_environment(environ)
        separation.tell(cls.service, environ, cls.name)
        return process


class Seal(Signer):
    """The supplier's seal on a statement."""

    service, name = "compliance", "seal"

    @task
    def seal_statement(self, work: Any) -> None:
        """Check everything again and put the first signature on the statement."""
        _sign(work, keys.SEAL, "requested", "sealed", "compliance.sign.sign_statement")


class Sign(Signer):
    """The compliance role's signature on a statement."""

    service, name = "compliance", "sign"

    @task
    def sign_statement(self, work: Any) -> None:
        """Check everything again and put the second signature on the statement."""
        _sign(work, keys.SIGN, "sealed", "signed", "compliance.render.render_certificate")


class Render(Hand):
    """The documents: sealed PDF and bundle."""

    service, name = "compliance", "render"

    @task
    def render_certificate(self, work: Any) -> None:
        """Make the documents, have the verifier look at them, and issue the certificate."""
        public, key = _public(work), keys.load_seal(work.settings.keys)
        row = work.read(lambda unit: _row(unit, work.data["certificate_id"]))
        if row["state"] != "signed":
            return
        made = work.read(lambda unit: _documents(unit, row, public, key))
        reasons = _verified(made, public)
        _commit(work, lambda unit: _fail(unit, row["_id"], reasons) if reasons else _issue(unit, row["_id"], made))

    @task
    def draw_paper(self, work: Any) -> None:
        """Draw a report or an audit export (`papers.py`)."""
        public, key, paper_id = _public(work), keys.load_seal(work.settings.keys), work.data["paper_id"]
        data, reasons = work.read(lambda unit: papers.gather(unit, paper_id, public))(key)
        _commit(work, lambda unit: papers.keep(unit, paper_id, data, reasons))


def _commit(work: Any, handle: Callable[[Any], None]) -> None:
    """End the slice; wait out a dead process's transaction (rule 5)."""
    _patiently(lambda: work.commit(handle))


def _patiently(act: Callable[[], Any]) -> Any:
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            return act()
        except Unavailable as error:
            if error.code != "STORE_BUSY" or time.monotonic() > ends:
                raise


# ------------------------------------------------------------------------------------------------ statement, signatures


def _public(work: Any) -> keys.PublicKeys:
    public = keys.load_public(work.settings.keys)
    kind = "production" if work.settings.mode == "production" else "rehearsal"
    if public.kind != kind:
        raise Rejected(
            "EVIDENCE_KEYS_KIND",
            f"keys of the kind {public.kind} cannot sign in mode {work.settings.mode}",
            field="kind",
            remedy="production needs keys of its own; demo and test need rehearsal keys",
            da="Nøglerne er af en anden art end processens tilstand tillader.",
        )
    return public


def _row(unit: Any, certificate_id: str) -> store.Row:
    row = store.certificate(unit, certificate_id)
    if row is None:
        raise Unavailable("CERTIFICATE_UNKNOWN", "the certificate is not there yet")
    return row


def _reasons(unit: Any, row: store.Row) -> list[domain.Refusal]:
    """Check every refusal rule against the log as it is now, the log itself included."""
    known = store.facts(unit, row["exit_id"])
    sound = store.checks(unit, row["exit_id"])
    beside = store.known(unit, row["exit_id"], row["kind"], log_checks=sound)
    return domain.refusals(known, store.asked(row), beside)


def _draw_up(unit: Any, certificate_id: str, public: keys.PublicKeys) -> None:
    row = _row(unit, certificate_id)
    if row["state"] != "requested" or row["statement"] is not None:
        return
    reasons = _reasons(unit, row)
    if any(one.code == "REVOCATION_NOT_LOGGED" for one in reasons):
        raise Unavailable("REVOCATION_NOT_LOGGED", "the withdrawal is not in the log yet")
    if reasons:
        _fail(unit, certificate_id, reasons)
        return
    head = store.head(unit)
    assert head is not None
    row |= {"size": head["size"], "stamped_at": stamp.time_of(unit, head["size"])}
    payload = drawing.statement_of(unit, row, public)
    predicate = ophor_verify.parse(payload, "statement")["predicate"]
    if row["stage"] == domain.CORRECTION and not predicate["supersedes"]["changed"]:
        _fail(unit, certificate_id, [domain.Refusal("NOTHING_CHANGED", "drawn up again, every section is the same")])
        return
    row |= {"gates": len(predicate.get("gates", ()))}
    row |= {"statement": payload, "statement_digest": document.digest_of(payload)}
    store.save_certificate(unit, row)
    _send(unit, "compliance.seal.seal_statement", row)


def _sign(work: Any, name: str, before: str, after: str, following: str) -> None:
    public, key = _public(work), keys.load_note(work.settings.keys, name)

    def sign(unit: Any) -> None:
        row = _row(unit, work.data["certificate_id"])
        if row["state"] != before:
            return
        reasons = _reasons(unit, row)
        if not reasons and drawing.statement_of(unit, row, public) != bytes(row["statement"]):
            reasons = [domain.Refusal("STATEMENT_DIFFERS", f"{name}: drawn up again, the statement is another")]
        if not reasons and not separation.still(work.settings.keys, name, _predicate(row)):
            reasons = [domain.Refusal("SIGNERS_NOT_SEPARATE", f"{name}: not kept apart as the statement says")]
        if reasons:
            _fail(unit, row["_id"], reasons)
            return
        signature = key.sign(pae(STATEMENT_TYPE, bytes(row["statement"])))
        row["signatures"].append({"keyid": key.short, "sig": signature})
        store.save_certificate(unit, row | {"state": after})
        _send(unit, following, row)

    _commit(work, sign)


def _predicate(row: store.Row) -> dict[str, Any]:
    found: dict[str, Any] = ophor_verify.parse(bytes(row["statement"]), "statement")["predicate"]
    return found


def _send(unit: Any, wire: str, row: store.Row) -> None:
    unit.send(wire, {"certificate_id": row["_id"], "exit_id": row["exit_id"]})


def _fail(unit: Any, certificate_id: str, reasons: list[domain.Refusal]) -> None:
    row = _row(unit, certificate_id)
    listed = [{"code": one.code, "detail": one.detail[:300]} for one in reasons]
    store.save_certificate(unit, row | {"state": "failed", "refusals": listed})


# ------------------------------------------------------------------------------------------------ documents


@dataclass(frozen=True, slots=True)
class _Made:
    dsse: bytes
    pdf: bytes
    bundle: bytes

    def each(self) -> list[tuple[str, bytes]]:
        return [("dsse", self.dsse), ("pdf", self.pdf), ("bundle", self.bundle)]


def _documents(unit: Any, row: store.Row, public: keys.PublicKeys, key: keys.SealKey) -> _Made:
    payload = bytes(row["statement"])
    dsse = envelope(STATEMENT_TYPE, payload, [(one["keyid"], bytes(one["sig"])) for one in row["signatures"]])
    predicate = ophor_verify.parse(payload, "statement")["predicate"]
    plain = document.render(predicate, dsse, row["statement_digest"])
    pdf = document.seal(plain, key, row["number"])
    members = bundle.members({"certificate.pdf": pdf, "certificate.dsse.json": dsse}, _proven(unit, row), public)
    return _Made(dsse, pdf, bundle.build(members, row["number"], key))


def _proven(unit: Any, row: store.Row) -> bundle.Proven:
    """Collect leaves, nodes and the checkpoints that were told: after each intent and certificate, and the last."""
    mine = store.leaves(unit, row["exit_id"], row["size"])
    known = store.facts(unit, row["exit_id"], row["size"])
    told = {one.index + 1 for one in known.entries if one.kind in ("DELETION_INTENT", "CERTIFICATE_ISSUED")}
    heads = store.notes(unit, told | {row["size"]})
    return bundle.Proven(row["size"], store.nodes(unit), mine, heads, stamps.all_of(unit, heads))


def _verified(made: _Made, public: keys.PublicKeys) -> list[domain.Refusal]:
    """Have the verifier look at every form as a stranger would; give what it found wrong."""
    options = ophor_verify.Options(public.lines(), rehearsal=public.kind == "rehearsal")
    found = []
    for name, data in made.each():
        report = ophor_verify.verify(data, options)
        wrong = [f"{one.n} {one.detail}" for one in report.checks if one.result in ("FAILED", "POLICY")]
        if report.code or wrong:
            found.append(domain.Refusal("VERIFIER_REJECTS", f"{name}: {'; '.join(wrong)}"))
    return found


def _issue(unit: Any, certificate_id: str, made: _Made) -> None:
    row = _row(unit, certificate_id)
    if row["state"] != "signed":
        return
    for name, data in made.each():
        store.save_document(unit, certificate_id, name, data)
    row |= {"state": "issued", "pdf_bytes": len(made.pdf), "bundle_bytes": len(made.bundle)}
    store.save_certificate(unit, row)
    issuing.issued(unit, row)
    requests.certificate_issued(unit, row, row["kind"])
    if row["stage"] != domain.STATUS:
        retention.follow(unit, row["exit_id"], date.fromisoformat(row["issued_on"]))


HANDS = {"ledger": Ledger, "seal": Seal, "sign": Sign, "render": Render}

"""The hands of compliance: the ledger (the log's single writer), the two signers, and the renderer.

Rules kept here:
1. An append is durable when committed; the same ref is appended once. One task takes along what else waits, in one
   transaction (`ledger.py`). An intent is told (`evidence_recorded`) in the transaction that appends it.
2. What a statement says, who signs it and when it is issued is settled in `signing.py` and `rendering.py`.
3. Each hand has its own key file only. Keys of the rehearsal kind sign in demo and test mode only, others in
   production only.
4. The log's head is one document: a process that is killed inside its transaction blocks the next writer until the
   database server ends that transaction (60 s unless set lower). That is waited for here, not carried up the ladder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from contracts.errors import Rejected, Unavailable
from services.compliance import issuing, papers, store
from services.compliance.log import ledger, stamp
from services.compliance.signing import keys, separation
from services.compliance.store.revocations import published as revocation_list
from services.compliance.worker import rendering, renewing, signing
from shared.bus.hands import Hand, HandProcess, task

PATIENCE_S = 45.0
DRAIN_S = 20.0


class Ledger(Hand):
    """The log's single writer, and the only consumer of its queue at a time."""

    service, name, prefetch = "compliance", "ledger", 500

    @task
    def append(self, work: Any) -> None:
        """Append what this task is about and what else waits; tell of intents."""
        public, key = _public(work), keys.load_note(work.settings.keys, keys.LOG)
        desk, ends = ledger.Desk(public, key), time.monotonic() + DRAIN_S
        while time.monotonic() < ends and work.read(lambda unit: store.many_wait(unit, ledger.LIMIT)):
            if not _patiently(lambda: work.transaction(lambda unit: ledger.drain(unit, desk))):
                break
        try:
            _commit(work, lambda unit: ledger.append(unit, work.id, desk))
        except Rejected:
            _patiently(lambda: work.transaction(lambda unit: ledger.append_valid(unit, work.id, desk)))
            raise

    @task
    def draw_up(self, work: Any) -> None:
        """Draw up a certificate's statement from the log as it is now, or fail it with every reason."""
        public, key = _public(work), keys.load_note(work.settings.keys, keys.LOG)

        stamp.before_certificate(work)

        def draw(unit: Any) -> None:
            signing.draw_up(unit, work.data["certificate_id"], public)
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
        row = work.read(lambda unit: signing.found(unit, work.data["certificate_id"]))
        if row["state"] != "signed":
            return
        made = work.read(lambda unit: rendering.documents(unit, row, public, key))
        reasons = rendering.verified(made, public)
        if reasons:
            _commit(work, lambda unit: signing.fail(unit, row["_id"], reasons))
        else:
            holds = rendering.seal_holds(made.pdf)
            _commit(work, lambda unit: rendering.issue(unit, row["_id"], made, holds))

    @task
    def renew_seal(self, work: Any) -> None:
        """Renew the time stamp on a certificate's seal, or leave its documents as they are (`renewing.py`)."""
        public, key = _public(work), keys.load_seal(work.settings.keys)
        row = work.read(lambda unit: signing.found(unit, work.data["certificate_id"]))
        old = {
            name: work.read(lambda unit, name=name: store.whole_document(unit, row["_id"], name))
            for name in ("pdf", "bundle")
        }
        made = renewing.renewed(old, row, public, key) if all(old.values()) else None
        if made is not None:
            _commit(work, lambda unit: renewing.keep(unit, row["_id"], old, *made))

    @task
    def draw_paper(self, work: Any) -> None:
        """Draw a report or an audit export (`papers.py`)."""
        public, key, paper_id = _public(work), keys.load_seal(work.settings.keys), work.data["paper_id"]
        data, reasons = work.read(lambda unit: papers.gather(unit, paper_id, public))(key)
        _commit(work, lambda unit: papers.keep(unit, paper_id, data, reasons))


def _sign(work: Any, name: str, before: str, after: str, following: str) -> None:
    public, key = _public(work), keys.load_note(work.settings.keys, name)
    turn = signing.Turn(name, public, key, work.settings.keys, before, after, following)
    _commit(work, lambda unit: signing.sign(unit, work.data["certificate_id"], turn))


def _commit(work: Any, handle: Callable[[Any], None]) -> None:
    """End the slice; wait out a dead process's transaction (rule 4)."""
    _patiently(lambda: work.commit(handle))


def _patiently(act: Callable[[], Any]) -> Any:
    ends = time.monotonic() + PATIENCE_S
    while True:
        try:
            return act()
        except Unavailable as error:
            if error.code != "STORE_BUSY" or time.monotonic() > ends:
                raise


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


HANDS = {"ledger": Ledger, "seal": Seal, "sign": Sign, "render": Render}

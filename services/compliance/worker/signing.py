"""A statement drawn up from the log, and signed twice, each signer judging for itself.

Rules kept here:
1. A statement is drawn up from the log at one size. Each signer draws it up again from the store, compares the bytes
   and checks every refusal rule itself against the log as it is now; nothing is signed on another's word.
2. What is refused fails with every reason at once, and keeps its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.errors import Unavailable
from services.compliance import domain, issuing, store
from services.compliance.documents import document, drawing
from services.compliance.log import stamp
from services.compliance.signing import keys, separation
from services.compliance.signing.envelope import STATEMENT_TYPE, pae
from services.compliance.verifier import ophor_verify


def found(unit: Any, certificate_id: str) -> store.Row:
    """Read a document's row; Unavailable where it is not there yet."""
    row = store.certificate(unit, certificate_id)
    if row is None:
        raise Unavailable("CERTIFICATE_UNKNOWN", "the certificate is not there yet")
    return row


def draw_up(unit: Any, certificate_id: str, public: keys.PublicKeys) -> None:
    """Draw up a certificate's statement from the log as it is now, or fail it with every reason."""
    row = found(unit, certificate_id)
    if row["state"] != "requested" or row["statement"] is not None:
        return
    reasons = reasons_now(unit, row)
    if any(one.code == "REVOCATION_NOT_LOGGED" for one in reasons):
        raise Unavailable("REVOCATION_NOT_LOGGED", "the withdrawal is not in the log yet")
    if reasons:
        fail(unit, certificate_id, reasons)
        return
    head = store.head(unit)
    assert head is not None
    row |= {"size": head["size"], "stamped_at": stamp.time_of(unit, head["size"])}
    payload = drawing.statement_of(unit, row, public)
    predicate = ophor_verify.parse(payload, "statement")["predicate"]
    if row["stage"] == domain.CORRECTION and not predicate["supersedes"]["changed"]:
        fail(unit, certificate_id, [domain.Refusal("NOTHING_CHANGED", "drawn up again, every section is the same")])
        return
    row |= {"gates": len(predicate.get("gates", ()))}
    row |= {"statement": payload, "statement_digest": document.digest_of(payload)}
    store.save_certificate(unit, row)
    _send(unit, "compliance.seal.seal_statement", row)


@dataclass(frozen=True, slots=True)
class Turn:
    """A signer's turn: its key (from `folder`), the state before and after it, and the task that follows."""

    name: str
    public: keys.PublicKeys
    key: keys.NoteKey
    folder: Path
    before: str
    after: str
    following: str


def sign(unit: Any, certificate_id: str, turn: Turn) -> None:
    """Check everything again and put this signer's signature on the statement, or fail it with every reason."""
    row = found(unit, certificate_id)
    if row["state"] != turn.before:
        return
    reasons = reasons_now(unit, row)
    if not reasons and drawing.statement_of(unit, row, turn.public) != bytes(row["statement"]):
        reasons = [domain.Refusal("STATEMENT_DIFFERS", f"{turn.name}: drawn up again, the statement is another")]
    if not reasons and not separation.still(turn.folder, turn.name, _predicate(row)):
        reasons = [domain.Refusal("SIGNERS_NOT_SEPARATE", f"{turn.name}: not kept apart as the statement says")]
    if reasons:
        fail(unit, row["_id"], reasons)
        return
    signature = turn.key.sign(pae(STATEMENT_TYPE, bytes(row["statement"])))
    row["signatures"].append({"keyid": turn.key.short, "sig": signature})
    store.save_certificate(unit, row | {"state": turn.after})
    _send(unit, turn.following, row)


def reasons_now(unit: Any, row: store.Row) -> list[domain.Refusal]:
    """Check every refusal rule against the log as it is now, the log itself included."""
    known = store.facts(unit, row["exit_id"])
    sound = store.checks(unit, row["exit_id"])
    beside = store.known(unit, row["exit_id"], row["kind"], log_checks=sound)
    return domain.refusals(known, store.asked(row), beside)


def fail(unit: Any, certificate_id: str, reasons: list[domain.Refusal]) -> None:
    """Keep why a document was refused."""
    issuing.fail(unit, found(unit, certificate_id), reasons)


def _predicate(row: store.Row) -> dict[str, Any]:
    found: dict[str, Any] = ophor_verify.parse(bytes(row["statement"]), "statement")["predicate"]
    return found


def _send(unit: Any, wire: str, row: store.Row) -> None:
    unit.send(wire, {"certificate_id": row["_id"], "exit_id": row["exit_id"]})

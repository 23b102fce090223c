"""How a document begins and ends: its row, number and tasks; what is withdrawn, listed and told when it is issued.

Rules kept here:
1. A number is taken in the transaction that keeps its row, and a failed row keeps its number: asking again takes it up.
   So no series has a gap, and none has a number twice. A correction has the number of what it replaces, and the next
   version.
2. A withdrawal and its evidence are one transaction; the list is signed when the log has the evidence, never before.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from contracts.catalogue import COMMANDS
from contracts.errors import Rejected, Unavailable
from contracts.requests import AUTOMATIC
from services.compliance import domain, revocations, store
from services.compliance.revocations import Revoked
from services.compliance.signing import separation
from services.compliance.signing.keys import NoteKey, PublicKeys
from services.compliance.store import revocations as kept

SUPERSEDED, ITSELF = "SUPERSEDED", "ophor"
ON_ITS_WAY = ("requested", "sealed", "signed")


def rules_stage(row: store.Row) -> str:
    """Give the stage whose rules a row is under: a correction's is the one that it corrects."""
    return str(row.get("of_stage") or row["stage"])


def begin(unit: Any, row: store.Row, follows: dict[str, str] | None = None) -> store.Row:
    """Number a row (once), and have it drawn up, signed and rendered."""
    if row["number"] is None:
        series = domain.series(row["kind"], row["stage"])
        row |= {"number": domain.number(row["kind"], store.next_number(unit, series), row["stage"])}
    row |= {"state": "requested", "refusals": [], "statement": None, "signatures": []}
    row |= {"issued_on": unit.today.isoformat(), "follows": follows}
    row["order"] = len(store.certificates(unit, row["exit_id"]))
    store.save_certificate(unit, row)
    separation.offer(unit, row["exit_id"])
    unit.send("compliance.ledger.draw_up", {"certificate_id": row["_id"], "exit_id": row["exit_id"]})
    return row


def standing_request(unit: Any, exit_id: str, asked: domain.Asked, about: str | None) -> store.Row | None:
    """Give what is on its way, issued or failed for the same stage, scopes and package, and still counts.

    A status letter that is issued is past: the next one is another.
    """
    wanted = (asked.stage, list(asked.activities), about)
    rows = [
        row
        for row in store.certificates(unit, exit_id)
        if (rules_stage(row), row["activities"], row.get("about")) == wanted and not row.get("revoked")
    ]
    found = next((row for row in reversed(rows) if row["state"] != "refused"), None)
    past = found is not None and asked.stage == domain.STATUS and found["state"] == "issued"
    return None if past else found


def former_of(row: store.Row, reason: str) -> domain.Former:
    """Name a certificate as what a correction replaces, or a revocation withdraws."""
    return domain.Former(row["number"], row["version"], rules_stage(row), row["statement_digest"], reason)


def revoke(unit: Any, call: Any, row: store.Row, kind: str) -> store.Row:
    """Withdraw a certificate at once: mark it, log it, tell of it, and have its REVOCATION drawn up and listed."""
    reason = call.data["reason"]
    before = _reissued(unit, row, domain.REVOCATION)
    if before and before["state"] != "failed":
        return before
    if before is None:
        _check_issued(row)
        _withdraw(unit, row, reason, {"actor": call.actor.id, "role": role_of(call)})
    former = former_of(row, reason) if before is None else store.asked(before).former
    fresh = store.new_certificate(row["exit_id"], domain.Asked(domain.REVOCATION, unit.today), kind, call.id)
    return begin(unit, before or fresh | {"former": _plain(former), "replaces": row["_id"]})


def revoke_by_itself(unit: Any, row: store.Row, reason: str, kind: str) -> None:
    """Withdraw a certificate that a fact disproves, without anybody's word; one that does not count stays as it is."""
    letter = row["stage"] in (domain.STATUS, domain.REVOCATION)
    if row["state"] != "issued" or letter or row.get("revoked"):
        return
    _withdraw(unit, row, reason, {"actor": ITSELF, "role": AUTOMATIC})
    fresh = store.new_certificate(row["exit_id"], domain.Asked(domain.REVOCATION, unit.today), kind, f"{row['_id']}/by")
    begin(unit, fresh | {"former": _plain(former_of(row, reason)), "replaces": row["_id"]})


def correct(unit: Any, call: Any, row: store.Row, kind: str) -> store.Row:
    """Issue the next version of a certificate's number, by the rules of its stage; Rejected with every reason, else."""
    before = _reissued(unit, row, domain.CORRECTION)
    if before and before["state"] != "failed":
        return before
    _check_issued(row)
    former = former_of(row, call.data["reason"])
    asked = domain.Asked(former.stage, unit.today, tuple(row["activities"]), former)
    facts, exit_id = store.facts(unit, row["exit_id"]), row["exit_id"]
    reasons = domain.refusals(facts, asked, store.known(unit, exit_id, kind, log_checks=True))
    fresh = store.new_certificate(exit_id, asked, kind, call.id) | {"stage": domain.CORRECTION}
    fresh |= {"of_stage": former.stage, "former": _plain(former), "replaces": row["_id"], "about": row.get("about")}
    if reasons:
        refuse(unit, fresh, reasons)
    fresh |= {"number": row["number"], "version": row["version"] + 1}
    return begin(unit, before or fresh, row["follows"])


def refuse(unit: Any, row: store.Row, reasons: list[domain.Refusal]) -> None:
    """Keep the refused request, and raise it with every reason."""
    store.save_refusal(unit, refused_row(unit, row, reasons))
    raise domain.refused(row["stage"], reasons)


def refused_row(unit: Any, row: store.Row, reasons: list[domain.Refusal]) -> store.Row:
    """Give a request as refused, with every reason."""
    order = len(store.certificates(unit, row["exit_id"]))
    return row | {"state": "refused", "refusals": _listed(reasons), "order": order}


def fail(unit: Any, row: store.Row, reasons: list[domain.Refusal]) -> None:
    """Keep why a document that was on its way is not issued."""
    store.save_certificate(unit, row | {"state": "failed", "refusals": _listed(reasons)})


def _listed(reasons: list[domain.Refusal]) -> list[dict[str, str]]:
    return [{"code": one.code, "detail": one.detail[:300]} for one in reasons]


def issued_ref(certificate_id: str) -> str:
    """Name the evidence of an issue, so that it is logged once."""
    return "issued-" + hashlib.sha256(certificate_id.encode()).hexdigest()[:24]


def issued(unit: Any, row: store.Row) -> None:
    """Log and tell that a document was issued; a correction withdraws the version before."""
    ref, exit_id, on = issued_ref(row["_id"]), row["exit_id"], date.fromisoformat(row["issued_on"])
    names = ("stage", "number", "version", "activities", "statement_digest")
    entry = {"certificate_id": row["_id"], **{name: row[name] for name in names}}
    sealed = {"seal": row["seal"]} if "seal" in row else {}
    store.offer(unit, {"ref": ref, "exit_id": exit_id, "kind": "CERTIFICATE_ISSUED", "entry": entry | sealed})
    told = {name: entry[name] for name in ("certificate_id", "number", "statement_digest")}
    told |= {"exit_id": exit_id, "on": on}
    if row["stage"] == domain.STATUS:
        unit.emit("compliance.status_letter_sent", exit_id, told | {"gates": row.get("gates", 0)})
        return
    unit.emit("compliance.certificate_issued", exit_id, told | {"stage": row["stage"]})
    former = store.certificate(unit, row["replaces"]) if row["stage"] == domain.CORRECTION else None
    if former:
        kept.withdraw(unit, former, SUPERSEDED, row["issued_on"], ref)
        unit.send("compliance.ledger.list_revocations", {"certificate_id": former["_id"], "exit_id": exit_id})


def publish(unit: Any, public: PublicKeys, key: NoteKey) -> None:
    """Sign the list of what the log knows as withdrawn; Unavailable where nothing is new and evidence is awaited."""
    rows = kept.withdrawn(unit)
    listed = [Revoked(row["number"], row["digest"], row["on"], row["code"]) for row in rows if row["logged"]]
    note = revocations.sign(public.origin, listed, key)
    before = kept.published(unit)
    if before is None or before["note"] != note:
        kept.publish(unit, {"origin": f"{public.origin}/revocations", "count": len(listed), "note": note})
    elif len(listed) < len(rows):
        raise Unavailable("REVOCATION_NOT_LOGGED", "a withdrawal is not in the log yet")


def _withdraw(unit: Any, row: store.Row, reason: str, by: dict[str, str]) -> None:
    """Mark and log that a certificate does not count any more; a correction of it that is on its way falls with it."""
    corrected = _reissued(unit, row, domain.CORRECTION)
    if corrected and corrected["state"] in ON_ITS_WAY:
        fail(
            unit, corrected, [domain.Refusal("FORMER_REVOKED", f"{row['number']} version {row['version']} is revoked")]
        )
    ref = "revoked-" + hashlib.sha256(row["_id"].encode()).hexdigest()[:24]
    names = ("number", "version", "statement_digest")
    told = {"certificate_id": row["_id"], "stage": rules_stage(row), **{name: row[name] for name in names}}
    told |= {"reason": reason, "role": by["role"]}
    entry = told | {"actor": by["actor"], "on": unit.today.isoformat()}
    store.offer(unit, {"ref": ref, "exit_id": row["exit_id"], "kind": "CERTIFICATE_REVOKED", "entry": entry})
    kept.withdraw(unit, row, reason, unit.today.isoformat(), ref)
    unit.send("compliance.ledger.list_revocations", {"certificate_id": row["_id"], "exit_id": row["exit_id"]})
    unit.emit("compliance.certificate_revoked", row["exit_id"], told | {"exit_id": row["exit_id"], "on": unit.today})


def role_of(call: Any) -> str:
    """Name the role in which the caller may do it."""
    allowed = COMMANDS[call.wire].roles
    return str(min(role for role in call.actor.roles if role in allowed))


def _check_issued(row: store.Row) -> None:
    """Refuse what is no certificate that counts: not issued, withdrawn already, or a letter or revocation itself."""
    letter = row["stage"] in (domain.STATUS, domain.REVOCATION)
    if row["state"] == "issued" and not letter and not row.get("revoked"):
        return
    why = "is no certificate" if letter else f"is {row.get('revoked') or row['state']}"
    raise Rejected(
        "CERTIFICATE_NOT_IN_FORCE",
        f"{row['number'] or row['_id']} {why}: only a certificate that is issued and counts is corrected or revoked",
        field="certificate_id",
        remedy="name the last version of an issued certificate",
        da="Kun et udstedt, gældende bevis kan rettes eller tilbagekaldes.",
    )


def _reissued(unit: Any, row: store.Row, stage: str) -> store.Row | None:
    """Give the correction or revocation of a certificate that is on its way, issued or failed."""
    rows = [one for one in store.certificates(unit, row["exit_id"]) if one.get("replaces") == row["_id"]]
    return next((one for one in rows if one["stage"] == stage and one["state"] != "refused"), None)


def _plain(former: domain.Former | None) -> dict[str, Any] | None:
    return {name: getattr(former, name) for name in former.__slots__} if former else None

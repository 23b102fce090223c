"""The sections that every document has: heading, parties, dates, obligations, log, signers, keeping."""

from __future__ import annotations

import base64
from dataclasses import asdict
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta

from services.compliance.documents import texts
from services.compliance.documents.draft import Draft
from services.compliance.documents.sections import software
from services.compliance.domain import ACCESS, CORRECTION, DELIVERY, EXPIRED, REVOCATION, STATUS, standing
from services.compliance.domain.parts import last_day
from services.compliance.facts import Facts, day, handing
from services.compliance.signing.keys import PublicKeys

THRESHOLD = 2
OBLIGATIONS = ("S2-28.1-b", "S2-28.1-c", "S2-28.1-d", "S2-28.1-d-backups")


CLAUSES = {
    DELIVERY: ["S1 B5, C4, §9", "S2 28.1", "GDPR art. 28(3)(g)"],
    ACCESS: ["S1 C5, D7b", "S2 28.1", "GDPR art. 32"],
    REVOCATION: ["GDPR art. 5(2)"],
}


def heading(draft: Draft) -> dict[str, Any]:
    """Write what the document is: number, stage, version, and what it follows, supersedes or revokes."""
    corrects = draft.former is not None and draft.stage != REVOCATION
    return {
        "kind": draft.keys.kind,
        "certificate_id": draft.certificate_id,
        "number": draft.number,
        "stage": CORRECTION if corrects else draft.stage,
        "version": draft.version,
        "status": "not final" if draft.stage == STATUS else "issued",
        "follows": draft.follows,
        "supersedes": {**_former(draft), "changed": list(draft.changed)} if corrects else None,
        "revokes": _revokes(draft) if draft.stage == REVOCATION else None,
        "issued_on": draft.issued_on.isoformat(),
        "simulated_dates": draft.keys.kind == "rehearsal",
        "software": software(),
        "exit": draft.facts.exit_id,
    }


def _former(draft: Draft) -> dict[str, Any]:
    assert draft.former
    return asdict(draft.former)


def _revokes(draft: Draft) -> dict[str, Any]:
    """Tell which certificate was withdrawn, when, why and by whom; its own evidence and that of the withdrawal."""
    former = _former(draft)
    told = next(one for one in draft.facts.revoked if one.entry["statement_digest"] == former["statement_digest"])
    issued = [one for one in draft.facts.certificates if one.entry["statement_digest"] == former["statement_digest"]]
    return {
        **former,
        "on": told.entry["on"],
        "by": person(draft, told.entry),
        "evidence": [*(one.index for one in issued), told.index],
    }


def parties(draft: Draft) -> dict[str, Any]:
    """Name controller, processor and agreement."""
    order = draft.facts.order
    assert order
    return {
        "controller": draft.record.controller,
        "processor": draft.record.processor,
        "agreement": {
            "agreement_id": order.entry["agreement_id"],
            "reference": draft.record.agreement_reference,
            "dpa_reference": draft.record.dpa_reference,
            "profiles": order.entry["pinned"],
            "clauses": CLAUSES.get(draft.stage, ["S2 28.1", "S2 3.2", "S1 D2, D7, D9", "GDPR art. 28(3)(g)"]),
            "amendment": draft.facts.amendment,
            "evidence": order.index,
        },
    }


def instruction(facts: Facts) -> dict[str, Any]:
    """Give the controller's instruction."""
    assert facts.instruction
    return {**facts.instruction.entry, "evidence": facts.instruction.index}


def dates(draft: Draft) -> list[dict[str, Any]]:
    """List the dates that the stage speaks of, each with its rule."""
    facts = draft.facts
    assert facts.order
    accepted = handing.receipt(facts)
    found: list[tuple[str, date | None, texts.Both]] = [
        ("operations_end", facts.operations_end(), texts.RULES["order"]),
        ("agreement_end", facts.agreement_end(), texts.RULES["in_force"]),
        ("delivery_accepted", day(accepted, "on") if accepted else None, texts.RULES["accepted"]),
        ("deletion_due", facts.due("S2-28.1-d"), _rule(draft, "S2-28.1-d")),
        ("deletion_done", facts.deleted_on(draft.scopes), texts.RULES["verified"]),
        ("backups_due", facts.backups_due(draft.scopes), texts.RULES["six_months"]),
        ("backups_gone", _gone_on(draft), texts.RULES["observed"]),
    ]
    if draft.stage in (DELIVERY, ACCESS, REVOCATION):
        found = found[:3]
    return [{"name": name, "date": on.isoformat(), "rule": rule} for name, on, rule in found if on]


def _gone_on(draft: Draft) -> date | None:
    return draft.facts.backups_gone_on(draft.scopes) if draft.stage == EXPIRED else None


def _rule(draft: Draft, obligation: str) -> texts.Both:
    told = draft.record.rules.get(obligation, {})
    text = " · ".join(part for part in (told.get("clause", ""), told.get("rule", "")) if part) or obligation
    return {"da": text, "en": text}


def person(draft: Draft, entry: dict[str, Any]) -> dict[str, Any]:
    """Name an official in their function; the log itself knows the opaque actor and the role only."""
    official = draft.record.officials.get(entry["actor"], {})
    return {
        "actor": entry["actor"],
        "role": entry["role"],
        "name": official.get("name"),
        "function": official.get("function"),
    }


def obligations(draft: Draft) -> list[dict[str, Any]]:
    """Tell how the obligations of S2 28.1 stand on the day of issue."""
    rows: list[dict[str, Any]] = []
    for name in OBLIGATIONS:
        stands = standing(name, draft.facts, draft.issued_on)
        due = draft.facts.due(name) or stands.due
        rows.append(
            {
                "id": name,
                "clause": "S2 28.1",
                "due": due.isoformat() if due else None,
                "state": stands.state,
                "reason": stands.reason,
                "evidence": list(stands.evidence),
            }
        )
        if name == "S2-28.1-d" and due and (stood := last_day(draft.facts, due, draft.issued_on).stood):
            rows[-1]["stood"] = stood
    return rows


def log(draft: Draft) -> dict[str, Any]:
    """Say which log, at what size, with which of its entries."""
    count, head = draft.head.chain
    return {
        "origin": draft.keys.origin,
        "size": draft.head.size,
        "root": base64.b64encode(draft.head.root).decode(),
        "key": draft.keys.log,
        "entries": [one.index for one in draft.facts.entries],
        "chain": {"count": count, "head": head},
        **({"stamped_at": draft.head.stamped_at} if draft.head.stamped_at else {}),
    }


def signers(keys: PublicKeys) -> dict[str, Any]:
    """Name the keys that sign, and how many must."""
    return {
        "threshold": THRESHOLD,
        "statement": [{"role": "supplier-seal", "key": keys.seal}, {"role": "compliance", "key": keys.sign}],
        "pdf": keys.pdf,
        "verify_url": keys.verify_url,
    }


def keeping(draft: Draft) -> dict[str, str]:
    """Say how long the document is kept."""
    until = draft.issued_on + relativedelta(years=5)
    return {"until_at_least": until.isoformat(), **texts.KEEPING}

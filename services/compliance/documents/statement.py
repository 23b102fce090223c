"""The signed statement of a certificate: an in-toto Statement v1, derived from the log and from nothing else it claims.

Counts, dates, digests and dispositions come from the exit's entries in the log up to a fixed size; names of parties and
officials, titles of systems and the wording of rules come from the exit's record and never enter the log. The same
input gives the same bytes, so that each signer can draw it up again and compare. Whatever is not done is printed as
NOT DONE, whatever is not covered as not covered; "permanent" stands in a BACKUP-EXPIRED statement only, and not where a
rehearsal has no backups. Each stage has its own sections (`sections_*.py`) between the ones that all have.
"""

from __future__ import annotations

from typing import Any

from services.compliance.documents import texts
from services.compliance.documents.covering import not_covered, not_done
from services.compliance.documents.draft import Draft, Head, Record, unnamed
from services.compliance.documents.sections import access, archive_line, backups, holds, retained, subjects, unowned
from services.compliance.documents.sections_common import (
    dates,
    heading,
    instruction,
    keeping,
    log,
    obligations,
    parties,
    signers,
)
from services.compliance.documents.sections_deletion import approvals, attested_rows, delivery, outside, scope, system
from services.compliance.documents.sections_stages import closed, handed_over, restored, state
from services.compliance.documents.wording import wording
from services.compliance.domain import ACCESS, DELIVERY, REVOCATION, STATUS
from services.compliance.facts import copies
from services.compliance.signing import os_users

__all__ = ["Draft", "Head", "Record", "changed_sections", "statement", "unnamed"]

TYPE = "https://in-toto.io/Statement/v1"
PREDICATES = {
    "production": "urn:ophor:deletion-certificate:v1",
    "rehearsal": "urn:ophor:rehearsal-certificate:v1",
}
OWN = frozenset(
    {
        "certificate_id",
        "stage",
        "version",
        "supersedes",
        "issued_on",
        "log",
        "wording",
        "keeping",
        "software",
        "signers",
    }
)
"""Sections that differ between versions because they are other versions; a correction does not name them."""


def statement(draft: Draft) -> dict[str, Any]:
    """Write the statement; the facts must have passed `domain.refusals`."""
    return {
        "_type": TYPE,
        "subject": _subjects(draft),
        "predicateType": PREDICATES[draft.keys.kind],
        "predicate": {
            **heading(draft),
            **parties(draft),
            "dates": dates(draft),
            **_body(draft),
            "not_covered": not_covered(draft),
            "not_done": not_done(draft),
            "limits": texts.LIMITS,
            "log": log(draft),
            "signers": signers(draft.keys) | os_users.stated(draft.facts, draft.keys),
            "keeping": keeping(draft),
            "wording": wording(draft),
        },
    }


def changed_sections(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    """Name the sections in which two versions' predicates differ, beyond what every version has of its own."""
    names = (before.keys() | after.keys()) - OWN
    return tuple(sorted(name for name in names if before.get(name) != after.get(name)))


def _subjects(draft: Draft) -> list[dict[str, Any]]:
    """Name what it is about: approved inventories, the package, the certificate withdrawn, or the system map."""
    facts = draft.facts
    assert facts.order
    if draft.stage == REVOCATION and draft.former:
        return [{"name": draft.former.number, "digest": {"sha256": draft.former.statement_digest}}]
    if draft.stage == DELIVERY and facts.delivered:
        package = facts.delivered.entry
        return [{"name": package["package_id"], "digest": {"sha256": package["package_digest"]}}]
    if draft.stage in (ACCESS, STATUS):
        return [{"name": facts.exit_id, "digest": {"sha256": facts.order.entry["map_digest"]}}]
    return subjects(facts, draft.scopes)


def _body(draft: Draft) -> dict[str, Any]:
    if draft.stage == DELIVERY:
        return handed_over(draft)
    if draft.stage == ACCESS:
        return closed(draft)
    if draft.stage == REVOCATION:
        return {}
    return _standing(draft) | (state(draft) if draft.stage == STATUS else _deletion(draft))


def _standing(draft: Draft) -> dict[str, Any]:
    """Write what status letters and certificates of deletion both have."""
    return {
        "backups": backups(draft.facts),
        "holds": holds(draft.facts),
        "access": access(draft.facts),
        "obligations": obligations(draft),
        "archive": [archive_line(one.index, one.entry) for one in draft.facts.archive.values()],
    }


def _deletion(draft: Draft) -> dict[str, Any]:
    return restored(draft) | {
        "instruction": instruction(draft.facts),
        "scope": scope(draft),
        "systems": [system(draft, line) for line in draft.covered],
        "retained": retained(draft.facts, draft.scopes),
        "unowned": unowned(draft.facts, draft.scopes),
        "attestations": attested_rows(draft),
        "delivery": delivery(draft),
        "own_copies": copies.section(draft.facts),
        "approvals": approvals(draft),
        "outside": outside(draft),
    }

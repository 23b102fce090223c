"""From a certificate's row to its statement: the same row gives the same bytes, whoever draws it up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.compliance import domain, store
from services.compliance.documents.statement import Draft, changed_sections, statement, unnamed
from services.compliance.log import stamp
from services.compliance.signing import keys
from services.compliance.signing.envelope import canonical
from services.compliance.verifier import ophor_verify


def statement_of(unit: Any, row: store.Row, public: keys.PublicKeys) -> bytes:
    """Draw up the statement of a certificate from the log at its size."""
    return canonical(statement(draft_of(unit, row, public)))


def draft_of(unit: Any, row: store.Row, public: keys.PublicKeys) -> Draft:
    """Gather what a document's statement is made from, as its row asks and the log was at its size."""
    facts = store.facts(unit, row["exit_id"], row["size"])
    record = store.record(unit, row["exit_id"])
    if record is None:  # a status letter goes out all the same
        assert facts.order
        record = unnamed(facts.order.entry["customer_cvr"])
    asked = store.asked(row)
    draft = Draft(
        certificate_id=row["_id"],
        stage=asked.stage,
        number=row["number"],
        version=row["version"],
        issued_on=asked.on,
        facts=facts,
        record=record,
        head=stamp.stated(unit, store.head_at(unit, row["exit_id"], row["size"]), row),
        keys=public,
        follows=row["follows"],
        activities=asked.activities,
        former=asked.former,
    )
    return replace(draft, changed=_changed(unit, row, draft)) if row["stage"] == domain.CORRECTION else draft


def _changed(unit: Any, row: store.Row, draft: Draft) -> tuple[str, ...]:
    """Name the sections in which a correction differs from the version that it replaces."""
    former = store.certificate(unit, row["replaces"])
    assert former is not None
    before = ophor_verify.parse(bytes(former["statement"]), "statement")["predicate"]
    return changed_sections(before, ophor_verify.parse(canonical(statement(draft)), "statement")["predicate"])

"""Documents of the stages beside the deletion, drawn from the small exit of `evidence_world`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from services.compliance import domain
from services.compliance.documents import document
from services.compliance.documents.statement import Draft, changed_sections, statement, unnamed
from services.compliance.signing.envelope import canonical
from services.compliance.verifier import ophor_verify
from tests.unit import evidence_world as given
from tests.unit.evidence_world import Certificate, World, issue, sign

HANDED, CLOSED, LETTER = domain.DELIVERY, domain.ACCESS, domain.STATUS


def draft(world: World, stage: str, on: str = "2026-10-06", **changes: Any) -> Draft:
    """Draft a document of `stage`, from the log as it is, with its head as the log signed it."""
    note = world.mark()
    plain = world.draft(domain.ACTIVE, on, changes.pop("activities", ()))
    number = domain.number("rehearsal", changes.pop("serial", 2), stage)
    head = replace(plain.head, note=note)
    return replace(plain, stage=stage, number=number, head=head, **changes)


def drawn(made: Draft, world: World, *, page: bool = False) -> Certificate:
    """Sign, render (where `page`) and bundle a draft."""
    body = statement(made)
    dsse = sign(world, canonical(body))
    digest = document.digest_of(canonical(body))
    return issue(world, body, plain=document.render(body["predicate"], dsse, digest) if page else None)


def issued(world: World, certificate: Certificate) -> None:
    """Log that a document was issued."""
    said = certificate.statement["predicate"]
    scopes = [one["activity"] for one in (said.get("scope") or {}).get("scopes", [])]
    entry = {name: said[name] for name in ("certificate_id", "stage", "number", "version")}
    digest = document.digest_of(certificate.payload)
    world.log.add("CERTIFICATE_ISSUED", entry | {"activities": scopes, "statement_digest": digest})


def former(certificate: Certificate, reason: str) -> domain.Former:
    said = certificate.statement["predicate"]
    stage = (said.get("supersedes") or said)["stage"]
    digest = document.digest_of(certificate.payload)
    return domain.Former(said["number"], said["version"], stage, digest, reason)


def revoked(world: World, certificate: Certificate, reason: str = "DATA_FOUND") -> domain.Former:
    """Log that a certificate was withdrawn."""
    one = former(certificate, reason)
    entry = {"certificate_id": "crt-1", "stage": one.stage, "number": one.number, "version": one.version}
    entry |= {"statement_digest": one.statement_digest, "reason": reason}
    by = {"actor": "usr-lead", "role": "ist_projektleder", "on": "2026-10-08"}
    world.log.add("CERTIFICATE_REVOKED", entry | by)
    return one


def corrected(world: World, first: Certificate, **changes: Any) -> Draft:
    """Draft the next version of an ACTIVE-DELETED certificate, under another address of the controller."""
    moved = given.RECORD.controller | {"address": "Rådhuspladsen 2, 9999 Korsbæk"}
    record = replace(given.RECORD, controller=moved)
    one = former(first, "PARTY_DETAILS")
    made = draft(world, domain.ACTIVE, record=record, former=one, version=one.version + 1, serial=1, **changes)
    return replace(made, changed=changed_sections(first.statement["predicate"], statement(made)["predicate"]))


def letter_without_names(world: World, on: str = "2026-10-15") -> Draft:
    return draft(world, LETTER, on, record=unnamed("11111111"), serial=1)


def items(world: World) -> list[ophor_verify.Item]:
    """Give the exit's entries as the verifier reads them from a bundle."""
    events = [(index, json.loads(world.log.leaves[index])["event"]) for index in world.log.mine]
    return [ophor_verify.Item(index, b"", event) for index, event in events]

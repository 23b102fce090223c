"""Reasons of CORRECTION, REVOCATION and RE-DELETION: what they speak of must be in the log, and count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from services.compliance.domain.refusals.base import ACTIVE, REDELETION, REVOCATION, STATUS, Asked, Former, Refusal
from services.compliance.facts import Facts, reissues, restores


def of_correction(facts: Facts, former: Former) -> Iterator[Refusal]:
    """Tell why a certificate cannot be issued anew: it is not in the log, revoked, or no longer the last version."""
    yield from _of_former(facts, former)
    if any(one.entry["statement_digest"] == former.statement_digest for one in facts.revoked):
        yield Refusal("FORMER_REVOKED", f"{former.number} version {former.version} is revoked")
    versions = reissues.by_number(facts.certificates).get(former.number, [])
    if versions and reissues.version_of(versions[-1]) != former.version:
        yield Refusal("FORMER_SUPERSEDED", f"{former.number} version {former.version} is not the last")


def of_revocation(facts: Facts, former: Former) -> Iterator[Refusal]:
    """Tell why a revocation cannot be certified: the certificate or its withdrawal is not in the log."""
    yield from _of_former(facts, former)
    told = [one for one in facts.revoked if one.entry["statement_digest"] == former.statement_digest]
    if not told:
        yield Refusal("REVOCATION_NOT_LOGGED", f"{former.number}: its withdrawal is not in the log")
    elif told[0].entry["reason"] != former.reason:
        yield Refusal("REASON_DIFFERS", f"{former.number}: was withdrawn for {told[0].entry['reason']}")


def of_redeletion(facts: Facts, scopes: Iterable[str]) -> Iterator[Refusal]:
    """Tell why a re-deletion cannot be certified: nothing returned, or a certificate of before still counts (T16)."""
    for activity in scopes:
        if not restores.found_in(facts, [activity]):
            yield Refusal("RESTORE_NOT_EVIDENCED", f"{activity}: the log does not say that any of its rows returned")
        for one in restores.still_counting(facts, activity):
            yield Refusal("FORMER_NOT_REVOKED", f"{one.entry['number']} was issued before its rows returned")


def of_returned(facts: Facts, activity: str, stage: str) -> Iterator[Refusal]:
    """Tell what returned of a deletion and is not deleted again, or is told by another stage than it must (T16)."""
    for one in facts.returned(activity):
        told = f"{activity}: {one.entry['rows']} rows are in {one.entry['system']} again, by {one.entry['restore_id']}"
        yield Refusal("REAPPEARED", told[:300])
    if stage == ACTIVE and restores.found_in(facts, [activity]):
        yield Refusal("REDELETION_OWED", f"{activity}: its rows returned once; that is certified as {REDELETION}")


def _of_former(facts: Facts, former: Former) -> Iterator[Refusal]:
    if former.stage in (REVOCATION, STATUS):
        yield Refusal("NOT_A_CERTIFICATE", f"{former.number}: a {former.stage} is neither corrected nor revoked")
    issued = {one.entry["statement_digest"] for one in facts.certificates}
    if former.statement_digest not in issued:
        yield Refusal("FORMER_NOT_ISSUED", f"{former.number} version {former.version} is not in the log as issued")


def of_former(facts: Facts, asked: Asked) -> Iterator[Refusal]:
    """Tell what is wrong with what a correction replaces, or a revocation withdraws."""
    assert asked.former
    yield from (of_revocation if asked.stage == REVOCATION else of_correction)(facts, asked.former)

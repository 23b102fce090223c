"""Why a certificate is refused: one file a subject, one function a rule, every reason at once.

A certificate covers scopes: deletions of the plan in force, each with its systems. What an option suspends on the day
is no scope then; it is listed and not certified. A scope is judged by its own job, holds and backup sets. A correction
is judged by the rules of the stage that it corrects; a status letter is refused only where it could not be true.
"""

from __future__ import annotations

from services.compliance.domain.refusals.backups import of_backups, of_found
from services.compliance.domain.refusals.base import (
    ACCESS,
    ACTIVE,
    CORRECTION,
    DELIVERY,
    EXPIRED,
    REDELETION,
    REVOCATION,
    STATUS,
    Asked,
    Former,
    Known,
    Refusal,
    refused,
    silence_deleted,
)
from services.compliance.domain.refusals.closing import of_access
from services.compliance.domain.refusals.deletion import of_activity
from services.compliance.domain.refusals.handing_over import of_delivery
from services.compliance.domain.refusals.reissue import of_former, of_redeletion, of_returned
from services.compliance.domain.refusals.whole import of_exit, of_plan, of_record, of_scopes, of_system
from services.compliance.facts import Facts, copies

__all__ = [
    "ACCESS", "ACTIVE", "CORRECTION", "DELIVERY", "EXPIRED", "REDELETION", "REVOCATION", "STATUS", "Asked", "Former",
    "Known", "Refusal", "gates", "refusals", "refused", "silence_deleted",
]  # fmt: skip


def refusals(facts: Facts, asked: Asked, known: Known) -> list[Refusal]:
    """List every reason not to issue; an empty list means that it may be issued."""
    found = list(of_record(facts, known))
    if asked.stage == STATUS:
        return [one for one in found if one.code in ("ORDER_MISSING", "LOG_INCONSISTENT")]
    if asked.former:
        found += of_former(facts, asked)
    if asked.stage == REVOCATION:
        return [one for one in found if one.code != "EVIDENCE_HELD"]  # a wrong certificate is withdrawn at once
    return found + _of_stage(facts, asked, known)


def _of_stage(facts: Facts, asked: Asked, known: Known) -> list[Refusal]:
    scopes = asked.scopes(facts)
    again = list(of_redeletion(facts, scopes)) if asked.stage == REDELETION else []
    if any(one.code == "RESTORE_NOT_EVIDENCED" for one in again):
        return again
    if asked.stage == DELIVERY:
        return list(of_delivery(facts))
    if asked.stage == ACCESS:
        return [*of_scopes(facts, asked, scopes), *of_access(facts, scopes)]
    found = [*again, *of_plan(facts, asked, scopes), *of_exit(facts, scopes)]
    for activity, systems in scopes.items():
        found += [one for system in systems for one in of_system(facts, system, activity)]
        found += of_activity(facts, activity, systems, known.kind)
        found += of_returned(facts, activity, asked.stage)
    found += of_found(facts, scopes)
    found += [Refusal("OWN_COPY_LEFT", why) for why in copies.wrong(facts, scopes)]
    return found + (list(of_backups(facts, scopes, known)) if asked.stage == EXPIRED else [])


def gates(facts: Facts, asked: Asked, known: Known) -> list[Refusal]:
    """List what still keeps the exit's last certificate (BACKUP-EXPIRED, of everything) away; each reason once."""
    whole = Asked(EXPIRED, asked.on)
    found = [one for one in refusals(facts, whole, known) if one.code != "EVIDENCE_HELD"]
    kept = facts.suspensions(asked.on).values()
    found += [Refusal("SCOPE_SUSPENDED", f"{one.system}: until {one.until.isoformat()}") for one in kept]
    return [one for number, one in enumerate(found) if one not in found[:number]]

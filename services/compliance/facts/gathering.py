"""From an exit's entries to its facts: which entry says what, and which of several stands.

Later entries of the same thing win (a plan's higher version, a set's later observation, an activity's later job);
counts of batches add up and are never overwritten (evidence.md §1.1). What opens and closes (holds, proposals) is read
whatever its order, for the bus keeps none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from services.compliance.evidence import Logged
from services.compliance.facts import Facts
from services.compliance.facts.parts import Backup, Job


def collect(exit_id: str, entries: Iterable[Logged]) -> Facts:
    """Gather the facts from an exit's entries in the log's order."""
    facts = Facts(exit_id, sorted(entries, key=lambda one: one.index))
    for logged in facts.entries:
        taker = _TAKERS.get(logged.kind)
        if taker:
            taker(facts, logged)
    return facts


def _set(name: str) -> Callable[[Facts, Logged], None]:
    return lambda facts, logged: setattr(facts, name, logged)


def _list(name: str) -> Callable[[Facts, Logged], None]:
    return lambda facts, logged: getattr(facts, name).append(logged)


def _of_job(name: str) -> Callable[[Facts, Logged], None]:
    def take(facts: Facts, logged: Logged) -> None:
        job_id = logged.entry["job_id"]
        job = facts.jobs.setdefault(job_id, Job(job_id, logged.entry["activity"]))
        job.batches.append(logged) if name == "batches" else setattr(job, name, logged)

    return take


def _plan(facts: Facts, logged: Logged) -> None:
    if facts.plan is None or logged.entry["version"] >= facts.plan.entry["version"]:
        facts.plan = logged


def _by(name: str, key: str) -> Callable[[Facts, Logged], None]:
    return lambda facts, logged: getattr(facts, name).__setitem__(logged.entry[key], logged)


def _proposal(facts: Facts, logged: Logged) -> None:
    facts.proposals.setdefault(logged.entry["proposal_id"], []).append(logged)


def _obligation(facts: Facts, logged: Logged) -> None:
    known = facts.obligations.get(logged.entry["obligation"])
    if known is None or logged.entry["on"] >= known.entry["on"]:
        facts.obligations[logged.entry["obligation"]] = logged


def _access(facts: Facts, logged: Logged) -> None:
    for line in logged.entry["systems"]:
        facts.access[line["system"]] = (logged, line)


def _registered(facts: Facts, logged: Logged) -> None:
    key = (logged.entry["system"], logged.entry["set_id"])
    known = facts.backups.get(key)
    facts.backups[key] = Backup(logged, known.observations if known else [])


def _observed(facts: Facts, logged: Logged) -> None:
    known = facts.backups.get((logged.entry["system"], logged.entry["set_id"]))
    if known:
        known.observations.append(logged)


_TAKERS: dict[str, Callable[[Facts, Logged], None]] = {
    "ORDER_PLACED": _set("order"),
    "OPTIONS_CONFIRMED": _set("options"),
    "INSTRUCTION_GIVEN": _set("instruction"),
    "ARCHIVE_DECIDED": _by("archive", "system"),
    "DATES_CONFIRMED": _set("dates"),
    "ACCORD_SIGNED": _list("accords"),
    "NOTICE_GIVEN": _list("notices"),
    "EXIT_CANCELLED": _set("cancelled"),
    "SILENCE_APPLIED": _set("silence"),
    "PLAN_MADE": _plan,
    "PLAN_PROPOSED": _proposal,
    "OBLIGATION_CHANGED": _obligation,
    "ACTIVITY_OVERDUE": _list("overdue"),
    "NEEDS_SUBMITTED": _set("needs"),
    "DISPATCH_SET": _set("dispatch"),
    "PACKAGE_DELIVERED": _set("delivered"),
    "DELIVERY_ACCEPTED": _set("accepted"),
    "DELIVERY_REJECTED": _set("rejected"),
    "ACCESS_FROZEN": _access,
    "ACCESS_CLOSED": _access,
    "ACCESS_ATTESTED": _list("attested"),
    "DELETION_PREVIEWED": _of_job("previewed"),
    "DELETION_INTENT": _of_job("intent"),
    "PERMIT_ISSUED": _of_job("permit"),
    "DELETION_BEGUN": _of_job("begun"),
    "DELETION_BATCH_CLOSED": _of_job("batches"),
    "DELETION_EXECUTED": _of_job("executed"),
    "DELETION_VERIFIED": _of_job("verified"),
    "DELETION_STOPPED": _of_job("stopped"),
    "DELETION_CANCELLED": _of_job("cancelled"),
    "HOLD_PLACED": _by("holds", "hold_id"),
    "HOLD_LIFTED": _by("lifted", "hold_id"),
    "ATTESTATIONS_ASKED": _list("asked"),
    "ATTESTATION_GIVEN": _list("given"),
    "BACKUP_REGISTERED": _registered,
    "BACKUP_OBSERVED": _observed,
    "BACKUP_FOUND": _list("found_backups"),
    "RECORDS_SEALED": _list("records_sealed"),
    "RECORDS_DESTROYED": _list("records_destroyed"),
    "RESTORE_ANNOUNCED": _list("announced"),
    "REAPPEARANCE_FOUND": _list("found"),
    "REAPPEARANCE_LOOKED": _list("looked"),
    "RESTORE_REPLAYED": _list("replayed"),
    "BACKUPS_EXPIRED": _set("backups_expired"),
    "CERTIFICATE_ISSUED": _list("certificates"),
    "SIGNERS_CHECKED": _set("signers"),
    "REDACTED": _list("forgotten"),
    "RETENTION_ENDED": _list("forgotten"),
    "CERTIFICATE_REVOKED": _list("revoked"),
}

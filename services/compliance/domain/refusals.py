"""Why a certificate is refused: one function a subject, every reason at once.

A certificate covers scopes: deletions of the plan in force, each with its systems. What an option suspends on the day
is no scope then; it is listed and not certified. A scope is judged by its own job, holds and backup sets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from contracts.errors import Rejected
from services.compliance import attestations
from services.compliance.facts import INDEX, Facts, Job

ACTIVE, EXPIRED = "ACTIVE-DELETED", "BACKUP-EXPIRED"
DELETE = "delete_at_k15"
TERMINAL = ("deleted", "absent_verified", "excluded", attestations.ATTESTED)
_EXCLUSION = re.compile(
    r"(NOT_CUSTOMER_DATA|SHARED_CODE|CUSTOMER_POSSESSION|CONTINUING_AGREEMENT"
    r"|OPTION\([^()]+\)|INSTRUCTION\([^()]+\)|LAW\([^(),]+,[^(),]+\))\Z"
)
_SUSPENSION = re.compile(r"OPTION\([^()]+\)\Z")


@dataclass(frozen=True, slots=True)
class Refusal:
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be certified on which day: `activities` name the scopes, none means all that are not suspended."""

    stage: str
    on: date
    activities: tuple[str, ...] = ()

    def scopes(self, facts: Facts) -> dict[str, list[str]]:
        """Give the systems of each scope that the certificate covers."""
        there = facts.open_scopes(self.on)
        return {name: there[name] for name in there if name in self.activities or not self.activities}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the log."""

    kind: str
    named: bool
    log_checks: bool
    held: int


def refusals(facts: Facts, asked: Asked, known: Known) -> list[Refusal]:
    """List every reason not to certify; an empty list means that it may be certified."""
    scopes = asked.scopes(facts)
    found = [*_of_record(facts, known), *_of_plan(facts, asked, scopes), *_of_exit(facts, scopes)]
    for activity, systems in scopes.items():
        found += [one for system in systems for one in _of_system(facts, system, activity)]
        found += _of_activity(facts, activity, systems, known.kind)
    if asked.stage == EXPIRED:
        found += _of_backups(facts, scopes, known)
    return found


def _of_record(facts: Facts, known: Known) -> Iterator[Refusal]:
    if facts.order is None:
        yield Refusal("ORDER_MISSING", "the log has no final order of this exit")
    if not known.named:
        yield Refusal("PARTIES_MISSING", "name the parties and officials first (name_parties)")
    if not known.log_checks:
        yield Refusal("LOG_INCONSISTENT", "the evidence log does not check against its head")
    if known.held:
        yield Refusal("EVIDENCE_HELD", f"{known.held} entries wait for an entry that must come before them")


def _of_plan(facts: Facts, asked: Asked, scopes: Mapping[str, list[str]]) -> Iterator[Refusal]:
    if facts.plan is None:
        yield Refusal("PLAN_MISSING", "the log has no plan of this exit")
        return
    suspended = facts.suspensions(asked.on).values()
    for activity in asked.activities:
        until = {one.until.isoformat() for one in suspended if one.activity == activity}
        if activity not in scopes:
            why = f"is suspended until {min(until)}" if until else "deletes nothing in the plan in force"
            yield Refusal("SCOPE_SUSPENDED" if until else "SCOPE_UNKNOWN", f"{activity}: {why}")
    if not scopes and not asked.activities:
        yield Refusal("SCOPE_EMPTY", "the plan in force deletes nothing that is not suspended")
    for line in facts.systems:
        if facts.scope_of(line["system"]) is None:
            yield Refusal("SYSTEM_NOT_IN_PLAN", f"{line['system']}: no deletion of the plan in force covers it")
    yield from _of_open(facts, scopes)


def _of_open(facts: Facts, scopes: Mapping[str, list[str]]) -> Iterator[Refusal]:
    """Tell what has not been settled: cancellation, conflicts, proposals, notices, holds."""
    assert facts.plan
    if facts.cancelled:
        yield Refusal("EXIT_CANCELLED", "the exit was cancelled")
    if facts.plan.entry["conflicts"]:
        yield Refusal("CONFLICT_OPEN", f"{facts.plan.entry['conflicts']} conflicts in the plan in force")
    for name in facts.open_proposals():
        yield Refusal("PROPOSAL_OPEN", f"{name}: a change of the plan waits for its answer")
    behind = facts.behind()
    if behind:
        yield Refusal(
            "PLAN_BEHIND", f"{behind.entry['notice_id']} moved the agreement's end; the plan has not followed"
        )
    covered = {system for systems in scopes.values() for system in systems}
    for hold in facts.open_holds():
        system = hold.entry["system"]
        if system is None or system in covered:
            yield Refusal("HELD", f"{system or 'every system'}: hold {hold.entry['hold_id']} is not lifted"[:300])


def _of_exit(facts: Facts, scopes: Mapping[str, list[str]]) -> Iterator[Refusal]:
    if facts.instruction is None or facts.instruction.entry["kind"] != "delete":
        yield Refusal("INSTRUCTION_MISSING", "the controller's instruction to delete is not in the log")
    if facts.delivered is None:
        yield Refusal("DELIVERY_MISSING", "no package was delivered")
    elif facts.rejected and facts.rejected.entry["package_id"] == facts.delivered.entry["package_id"]:
        yield Refusal("DELIVERY_REJECTED", "the customer rejected the last package")
    elif facts.accepted is None and not _silence_deletes(facts) and set(scopes) != {INDEX}:
        yield Refusal("DELIVERY_NOT_ACCEPTED", "neither accepted nor instructed to delete at silence")


def _of_system(facts: Facts, system: str, activity: str) -> Iterator[Refusal]:
    if activity == INDEX:
        return
    if system not in facts.archive:
        yield Refusal("ARCHIVE_UNDECIDED", f"{system}: the archive has not decided")
    _, access = facts.access.get(system, (None, None))
    if access is None or access["state"] != "closed" or not access["verified"]:
        yield Refusal("ACCESS_NOT_CLOSED", f"{system}: access is not shown to be closed")


def _of_activity(facts: Facts, activity: str, systems: list[str], kind: str) -> Iterator[Refusal]:
    job = facts.job(activity)
    if job is None or job.previewed is None:
        yield Refusal("JOB_MISSING", f"{activity}: no deletion was previewed")
        return
    seen = {line["system"] for line in job.previewed.entry["places"]}
    for system in systems:
        if system not in seen:
            yield Refusal("SYSTEM_NOT_INVENTORIED", f"{activity}: {system} has no place in the inventory")
    for system in sorted(seen - set(systems)):
        yield Refusal("SYSTEM_OUT_OF_SCOPE", f"{activity}: {system} is not in its scope by the plan in force")
    for one in (*facts.earlier(activity), job):
        yield from _of_approval(activity, one)
        yield from _of_begin(facts, activity, one)
    yield from _of_attested(facts, systems, job)
    yield from _of_outside(activity, [*facts.earlier(activity), job])
    yield from _of_result(activity, job)
    yield from _of_end(activity, job)
    if job.verified:
        yield from _of_places(activity, job, kind)


def _of_approval(activity: str, job: Job) -> Iterator[Refusal]:
    if job.intent is None:
        yield Refusal("APPROVALS_MISSING", f"{activity}: the intent with two approvals is not in the log")
        return
    lines = job.intent.entry["approvals"]
    if len({one["actor"] for one in lines}) < 2 or len({one["role"] for one in lines}) < 2:
        yield Refusal("APPROVALS_MISSING", f"{activity}: two different people in two roles must approve")
    digests = {one.entry["plan_digest"] for one in job.entries() if "plan_digest" in one.entry}
    if len(digests) != 1:
        yield Refusal("PLAN_DIGEST_DIFFERS", f"{activity}: what was done is not the plan that was approved")


def _of_attested(facts: Facts, systems: list[str], job: Job) -> Iterator[Refusal]:
    """Tell what people have not attested: places of manual systems, and sub-processors in their chains (S2 7.3)."""
    lines = [*(job.previewed.entry["places"] if job.previewed else ())]
    lines += job.verified.entry["places"] if job.verified else []
    places = {(one["system"], one["place"]) for one in lines if one["disposition"] == attestations.ATTESTED}
    for code, detail in attestations.faults(facts, systems, places):
        yield Refusal(code, detail[:300])


def _of_outside(activity: str, jobs: list[Job]) -> Iterator[Refusal]:
    """Tell of changes outside the scope that stayed, in any job of the deletion; what was rolled back is none."""
    ends = [one.entry for job in jobs for one in (*job.batches, job.executed, job.verified) if one]
    outside = sum(one["outside"] for one in ends)
    if outside:
        yield Refusal("OUTSIDE_CHANGED", f"{activity}: {outside} changes outside the scope")
    if any(one.entry.get("undone", 0) for one in jobs[-1].batches):
        yield Refusal("OUTSIDE_ATTEMPTED", f"{activity}: this job tried to change more, which was rolled back")


def _of_result(activity: str, job: Job) -> Iterator[Refusal]:
    if job.verified is None:
        yield Refusal("NOT_VERIFIED", f"{activity}: the deletion is not verified")
        return
    answer = job.verified.entry
    if answer["result"] == "ERROR":
        yield Refusal("VERIFICATION_ERROR", f"{activity}: the verifier could not look everywhere")
    if answer["probes_found_after"]:
        yield Refusal("PROBES_FOUND", f"{activity}: {answer['probes_found_after']} probes were found afterwards")
    if answer["probes_found_before"] != answer["probes_drawn"]:
        yield Refusal("PROBES_BLIND", f"{activity}: the search did not find every probe before the deletion")
    if job.batches and job.executed is None:
        yield Refusal("NOT_EXECUTED", f"{activity}: the deletion has not ended")


def _of_begin(facts: Facts, activity: str, job: Job) -> Iterator[Refusal]:
    first = job.destroyed_from()
    if first is None:
        return
    if job.intent is None or job.intent.index > first:
        yield Refusal("INTENT_AFTER_DESTRUCTION", f"{activity}: destruction began before its intent was in the log")
    if job.cancelled:
        yield Refusal("DESTROYED_AFTER_CANCELLATION", f"{activity}: {job.job_id} was cancelled and yet destroyed")
    if activity != INDEX and not (facts.accepted and facts.accepted.index < first):
        yield from _of_silence(facts, activity, job.intent.index if job.intent else first)


def _of_silence(facts: Facts, activity: str, intent: int) -> Iterator[Refusal]:
    """Without an acceptance, the instruction for silence must have been applied before the intent (T10)."""
    if not _silence_deletes(facts):
        yield Refusal("DELETED_BEFORE_DELIVERY", f"{activity}: destruction began before the delivery's acceptance")
    elif facts.silence is None or not silence_deleted(facts) or facts.silence.index > intent:
        yield Refusal("SILENCE_NOT_APPLIED", f"{activity}: the silence instruction was not applied before the intent")


def _of_end(activity: str, job: Job) -> Iterator[Refusal]:
    last = max((one.index for one in [*job.batches, job.begun] if one), default=-1)
    if job.verified and job.verified.index < last:
        yield Refusal("VERIFIED_TOO_EARLY", f"{activity}: rows were deleted after the verification")


def _of_places(activity: str, job: Job, kind: str) -> Iterator[Refusal]:
    assert job.previewed and job.verified
    inventory = [(one["system"], one["place"]) for one in job.previewed.entry["places"]]
    answers = {(one["system"], one["place"]): one for one in job.verified.entry["places"]}
    for key in inventory:
        if key not in answers:
            yield Refusal("PLACE_UNANSWERED", f"{activity}: {_name(key)} is in the inventory without an answer")
    for key, line in answers.items():
        if key not in set(inventory):
            yield Refusal("PLACE_UNKNOWN", f"{activity}: {_name(key)} is not in the inventory")
        yield from _of_place(job, line, kind)


def _of_place(job: Job, line: Mapping[str, Any], kind: str) -> Iterator[Refusal]:
    where = _name((line["system"], line["place"]))
    if line["residual"]:
        yield Refusal("RESIDUAL", f"{where}: {line['residual']} rows are left")
    if line["disposition"] not in (*TERMINAL, "suspended"):
        yield Refusal("PLACE_OPEN", f"{where}: has no terminal disposition")
    if not _reason_allowed(line, kind):
        yield Refusal("REASON_NOT_ALLOWED", f"{where}: {line['reason'] or 'no reason'} is not on the closed list")
    if line["before"] + line["arrived"] != line["deleted"] + line["retained"] + line["residual"]:
        yield Refusal("SUM_WRONG", f"{where}: before + arrived differs from deleted + retained + residual")
    if line["retained"] and line["disposition"] in ("deleted", "absent_verified"):
        yield Refusal("RETAINED_WITHOUT_REASON", f"{where}: rows are retained without an exclusion")
    if line["disposition"] == attestations.ATTESTED and (line["before"] or line["deleted"] or line["retained"]):
        yield Refusal("ATTESTED_COUNTED", f"{where}: is attested by people, so no count of it is ours")
    if line.get("unowned", 0) and not _EXCLUSION.match(line["unowned_reason"] or ""):
        yield Refusal("UNOWNED_UNEXPLAINED", f"{where}: {line['unowned']} rows have no tenant, and no reason to stay")
    if line["row_class"] is None and (line["deleted"] or line["delivered"]):
        yield Refusal("PLACE_UNCLASSIFIED", f"{where}: delivered and deleted rows are not reconciled")
    if job.batch_sum(line["system"], line["place"]) != line["deleted"]:
        yield Refusal("BATCHES_DIFFER", f"{where}: the batches do not add up to the rows deleted")


def _reason_allowed(line: Mapping[str, Any], kind: str) -> bool:
    reason = line["reason"] or ""
    if line["disposition"] == "suspended":
        return bool(_SUSPENSION.match(reason))
    if line["disposition"] != "excluded":
        return True
    return bool(_EXCLUSION.match(reason)) or (kind == "rehearsal" and reason == "NOT_IN_REHEARSAL")


def _of_backups(facts: Facts, scopes: Mapping[str, list[str]], known: Known) -> Iterator[Refusal]:
    certified = facts.certified(ACTIVE)
    for activity in scopes:
        if activity not in certified:
            yield Refusal("STAGE_BEFORE", f"{activity}: {ACTIVE} is not issued")
    if facts.backups_left_out and known.kind == "rehearsal":
        return  # the statement says so, and does not call the deletion permanent
    sets = facts.sets_of(scopes)
    for (system, set_id), backup in sets.items():
        seen = backup.latest
        answer = seen.entry["answer"] if seen else "NOT_LOOKED"
        if answer != "GONE":
            yield Refusal("BACKUP_NOT_GONE", f"{system}: set {set_id} is {answer}"[:300])
    yield from _of_catalogue(facts, scopes)


def _of_catalogue(facts: Facts, scopes: Mapping[str, list[str]]) -> Iterator[Refusal]:
    """Tell whether every set is known: by deletion's word for the whole exit, by a set of each system for a part."""
    with_sets = {system for system, _ in facts.sets_of(scopes)}
    if scopes.keys() == facts.scopes().keys():
        if not with_sets:
            yield Refusal("BACKUPS_UNKNOWN", "no backup set is registered, and none cannot be assumed")
        last = max((backup.registered.index for backup in facts.backups.values()), default=-1)
        if facts.backups_expired is None or facts.backups_expired.index < last:
            told = "deletion has not told that every system with backups is catalogued and gone"
            yield Refusal("BACKUPS_NOT_EXPIRED", told)
        return
    for activity, systems in scopes.items():
        for system in systems:
            if activity != INDEX and system not in with_sets:
                yield Refusal("BACKUPS_UNKNOWN", f"{system}: no backup set is registered, and none cannot be assumed")


def silence_deleted(facts: Facts) -> bool:
    """Tell whether the instruction to delete at silence was applied."""
    return facts.silence is not None and facts.silence.entry["silence"] == DELETE


def _silence_deletes(facts: Facts) -> bool:
    return facts.options is not None and facts.options.entry["silence"] == DELETE


def _name(key: tuple[str, str]) -> str:
    return f"{key[0]}/{key[1]}"[:200]


def refused(stage: str, reasons: list[Refusal]) -> Rejected:
    """Make CERTIFICATE_REFUSED with every reason in its text."""
    listed = "; ".join(f"{one.code}: {one.detail}" for one in reasons)
    return Rejected(
        "CERTIFICATE_REFUSED",
        f"{stage}: {listed}",
        field="stage",
        remedy="remove every reason and ask again",
        da=f"Beviset {stage} kan ikke udstedes: {listed}",
    )

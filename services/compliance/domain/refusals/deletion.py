"""Reasons of one deletion: approvals, order of events, result, and every place of its inventory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from services.compliance.documents import attestations
from services.compliance.domain.refusals.base import (
    EXCLUSION,
    SUSPENSION,
    TERMINAL,
    Refusal,
    place_named,
    silence_deleted,
    silence_deletes,
)
from services.compliance.domain.refusals.below import of_below
from services.compliance.domain.refusals.records import of_records
from services.compliance.facts import INDEX, Facts, Job, day, handing


def of_activity(facts: Facts, activity: str, systems: list[str], kind: str) -> Iterator[Refusal]:
    """Tell every reason not to certify one deletion of the plan."""
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
    yield from of_below(facts, activity, job)
    yield from of_records(facts, activity)


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
    if job.begun:
        yield from _of_settled(facts, activity, job, day(job.begun, "on"))
    if job.begun and not handing.instructed_by(facts, day(job.begun, "on")):
        yield Refusal("DELETED_BEFORE_INSTRUCTION", f"{activity}: destruction began before deleting was instructed")
    if activity != INDEX and not (handing.receipt(facts, first) or handing.instructed(facts, first)):
        yield from _of_silence(facts, activity, job.intent.index if job.intent else first)


def _of_settled(facts: Facts, activity: str, job: Job, began: date) -> Iterator[Refusal]:
    """Tell what was not settled by the day of the destruction: the end of operations (C7), the archive's decisions."""
    if activity == INDEX:
        if not any(one.entry["activity"] == "C6" and day(one, "on") <= began for one in facts.attested):
            yield Refusal("OPERATIONS_NOT_ENDED", f"{activity}: destruction began before operations had ended")
        return
    told = [one for one in facts.entries if one.kind == "ARCHIVE_DECIDED" and day(one, "decided_on") <= began]
    for system in sorted(job.systems() - {one.entry["system"] for one in told}):
        if system in facts.archive:
            yield Refusal("ARCHIVE_UNDECIDED", f"{system}: destruction began before the archive had decided")


def _of_silence(facts: Facts, activity: str, intent: int) -> Iterator[Refusal]:
    """Without an acceptance, the instruction for silence must have been applied before the intent (T10)."""
    if not silence_deletes(facts) or handing.package_before(facts, intent) is None:
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
            yield Refusal("PLACE_UNANSWERED", f"{activity}: {place_named(key)} is in the inventory without an answer")
    for key, line in answers.items():
        if key not in set(inventory):
            yield Refusal("PLACE_UNKNOWN", f"{activity}: {place_named(key)} is not in the inventory")
        yield from _of_place(job, line, kind)


def _of_place(job: Job, line: Mapping[str, Any], kind: str) -> Iterator[Refusal]:
    where = place_named((line["system"], line["place"]))
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
    if line.get("unowned", 0) and not EXCLUSION.match(line["unowned_reason"] or ""):
        yield Refusal("UNOWNED_UNEXPLAINED", f"{where}: {line['unowned']} rows have no tenant, and no reason to stay")
    if line["row_class"] is None and (line["deleted"] or line["delivered"]):
        yield Refusal("PLACE_UNCLASSIFIED", f"{where}: delivered and deleted rows are not reconciled")
    if job.batch_sum(line["system"], line["place"]) != line["deleted"]:
        yield Refusal("BATCHES_DIFFER", f"{where}: the batches do not add up to the rows deleted")


def _reason_allowed(line: Mapping[str, Any], kind: str) -> bool:
    reason = line["reason"] or ""
    if line["disposition"] == "suspended":
        return bool(SUSPENSION.match(reason))
    if line["disposition"] != "excluded":
        return True
    return bool(EXCLUSION.match(reason)) or (kind == "rehearsal" and reason == "NOT_IN_REHEARSAL")

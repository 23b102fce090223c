"""When a certificate is refused, and how the obligations stand: pure rules over the facts in the log.

It keeps (evidence.md §1): every reason at once; nothing is certified while a place is unclassified, a residual is above
zero, something outside the scope changed, an approval is missing or an order of events is wrong; "permanent" only when
every backup set was seen to be gone; without an amendment signed by both, S2 28.1 covers backups too and is shown as
breached from day 16, never hidden. Exclusions are a closed list; "needed by the supplier" does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from dateutil.relativedelta import relativedelta

from contracts.errors import Rejected
from services.compliance.facts import Facts, Job, day

ACTIVE, EXPIRED = "ACTIVE-DELETED", "BACKUP-EXPIRED"
SERIES = {"rehearsal": "ØV", "production": "SB"}
TERMINAL = ("deleted", "absent_verified", "excluded")
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
class Standing:
    """What is known beside the log: `issued` are the stages already certified for this exit."""

    kind: str
    named: bool
    log_checks: bool
    held: int
    issued: frozenset[str] = frozenset()


def number(kind: str, serial: int) -> str:
    """Write a certificate's number; rehearsals have a series of their own (evidence.md §1.10)."""
    return f"{SERIES[kind]}-{serial:06d}"


def refusals(facts: Facts, stage: str, standing: Standing) -> list[Refusal]:
    """List every reason not to certify `stage`; an empty list means that it may be certified."""
    found = [*_of_record(facts, standing), *_of_exit(facts)]
    for activity, systems in facts.activities().items():
        found += _of_activity(facts, activity, systems, standing.kind)
    if stage == EXPIRED:
        found += _of_backups(facts, standing)
    return found


def _of_record(facts: Facts, standing: Standing) -> Iterator[Refusal]:
    if facts.order is None:
        yield Refusal("ORDER_MISSING", "the log has no final order of this exit")
    elif not facts.systems:
        yield Refusal("SCOPE_EMPTY", "the order names no system")
    if not standing.named:
        yield Refusal("PARTIES_MISSING", "name the parties and officials first (name_parties)")
    if not standing.log_checks:
        yield Refusal("LOG_INCONSISTENT", "the evidence log does not check against its head")
    if standing.held:
        yield Refusal("EVIDENCE_HELD", f"{standing.held} entries wait for an entry that must come before them")


def _of_exit(facts: Facts) -> Iterator[Refusal]:
    if facts.instruction is None or facts.instruction.entry["kind"] != "delete":
        yield Refusal("INSTRUCTION_MISSING", "the controller's instruction to delete is not in the log")
    if facts.delivered is None:
        yield Refusal("DELIVERY_MISSING", "no package was delivered")
    elif facts.accepted is None and not _silence_deletes(facts):
        yield Refusal("DELIVERY_NOT_ACCEPTED", "neither accepted nor instructed to delete at silence")
    for line in facts.systems:
        if line["deletion"] != "index":
            yield from _of_system(facts, line["system"])


def _of_system(facts: Facts, system: str) -> Iterator[Refusal]:
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
    yield from _of_approval(activity, job)
    yield from _of_result(activity, job)
    yield from _of_order(facts, activity, job)
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


def _of_result(activity: str, job: Job) -> Iterator[Refusal]:
    if job.verified is None:
        yield Refusal("NOT_VERIFIED", f"{activity}: the deletion is not verified")
        return
    answer = job.verified.entry
    if answer["result"] == "ERROR":
        yield Refusal("VERIFICATION_ERROR", f"{activity}: the verifier could not look everywhere")
    outside = answer["outside"] + sum(one.entry["outside"] for one in job.batches)
    outside += job.executed.entry["outside"] if job.executed else 0
    if outside:
        yield Refusal("OUTSIDE_CHANGED", f"{activity}: {outside} changes outside the scope")
    if answer["probes_found_after"]:
        yield Refusal("PROBES_FOUND", f"{activity}: {answer['probes_found_after']} probes were found afterwards")
    if answer["probes_found_before"] != answer["probes_drawn"]:
        yield Refusal("PROBES_BLIND", f"{activity}: the search did not find every probe before the deletion")
    if job.batches and job.executed is None:
        yield Refusal("NOT_EXECUTED", f"{activity}: the deletion has not ended")


def _of_order(facts: Facts, activity: str, job: Job) -> Iterator[Refusal]:
    first = job.destroyed_from()
    if first is None:
        return
    if job.intent is None or job.intent.index > first:
        yield Refusal("INTENT_AFTER_DESTRUCTION", f"{activity}: destruction began before its intent was in the log")
    if activity != "C7":
        given = facts.accepted or (facts.options if _silence_deletes(facts) else None)
        if given is None or given.index > first:
            yield Refusal("DELETED_BEFORE_DELIVERY", f"{activity}: destruction began before the delivery's acceptance")
    if job.verified and job.verified.index < max(one.index for one in [*job.batches, job.begun] if one):
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


def _of_backups(facts: Facts, standing: Standing) -> Iterator[Refusal]:
    if ACTIVE not in standing.issued:
        yield Refusal("STAGE_BEFORE", f"{ACTIVE} is not issued")
    if not facts.backups:
        yield Refusal("BACKUPS_UNKNOWN", "no backup set is registered, and none cannot be assumed")
    for (system, set_id), backup in facts.backups.items():
        seen = backup.latest
        answer = seen.entry["answer"] if seen else "NOT_LOOKED"
        if answer != "GONE":
            yield Refusal("BACKUP_NOT_GONE", f"{system}: set {set_id} is {answer}"[:300])


def _silence_deletes(facts: Facts) -> bool:
    return facts.options is not None and facts.options.entry["silence"] == "delete_at_k15"


def _name(key: tuple[str, str]) -> str:
    return f"{key[0]}/{key[1]}"[:200]


def before(kind: str) -> tuple[str, str] | None:
    """Give (kind, field): the kind of entry with the same value in `field` that must be in the log before this one."""
    return _BEFORE.get(kind)


def waits_for(kind: str, entry: Mapping[str, Any], seen: Mapping[str, int]) -> str | None:
    """Name the kind of entry that must be in the log first, or None. The bus keeps no order; the log has to.

    `seen` counts the kinds already logged with the same value in the field that `before` names.
    """
    rule = _BEFORE.get(kind)
    if rule is None or (kind == "DELETION_VERIFIED" and entry["result"] != "DELETED"):
        return None
    if not seen.get(rule[0]):
        return rule[0]
    batches = "DELETION_BATCH_CLOSED"
    return batches if kind == "DELETION_EXECUTED" and seen.get(batches, 0) < entry["batches"] else None


_BEFORE: dict[str, tuple[str, str]] = {
    "DELETION_INTENT": ("DELETION_PREVIEWED", "job_id"),
    "PERMIT_ISSUED": ("DELETION_INTENT", "job_id"),
    "DELETION_BEGUN": ("PERMIT_ISSUED", "job_id"),
    "DELETION_BATCH_CLOSED": ("DELETION_BEGUN", "job_id"),
    "DELETION_EXECUTED": ("DELETION_BEGUN", "job_id"),
    "DELETION_VERIFIED": ("DELETION_EXECUTED", "job_id"),
    "DELIVERY_ACCEPTED": ("PACKAGE_DELIVERED", "package_id"),
    "BACKUP_OBSERVED": ("BACKUP_REGISTERED", "set_id"),
}


def check_controller(cvr: str, known: str | None) -> None:
    """Refuse a controller that is not the order's customer (Rejected PARTY_DIFFERS)."""
    if known is not None and cvr != known:
        raise Rejected(
            "PARTY_DIFFERS",
            "the controller is not the customer of the order",
            field="controller.cvr",
            remedy="name the order's customer",
            da="Den dataansvarlige er ikke ordrens Kunde.",
        )


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


def record_of(wire: str, data: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Pick what a certificate may name and the log may not: titles of systems, wording of the newest plan's rules."""
    if wire == "orders.order_placed":
        titles = [{"system": one["system"], "title": one["title"]} for one in data["systems"]]
        return {"customer_cvr": data["customer_cvr"], "titles": titles}
    if data["version"] < known.get("plan_version", 0):
        return {"plan_version": known["plan_version"]}
    rules = [{name: one[name] for name in ("id", "clause", "rule")} for one in data["obligations"]]
    return {"rules": rules, "plan_version": data["version"]}


def backups_due(facts: Facts) -> date | None:
    """Give the last day for backups to be gone: six months after the first actual deletion (S1 D9, T16)."""
    first = facts.first_deleted_on()
    return first + relativedelta(months=6) if first else None


def obligation_state(obligation: str, due: date | None, facts: Facts, today: date) -> tuple[str, list[int]]:
    """Give (state, indexes of evidence) of one obligation of the plan.

    What Ophør cannot see is `pending` until its date and `at_risk` after it; it is never called met without evidence.
    """
    rule = _OBLIGATIONS.get(obligation)
    if rule is None:
        return ("at_risk" if due and today > due else "pending"), []
    met_on, evidence = rule(facts)
    if met_on is None:
        return ("breached" if due and today > due else "pending"), evidence
    return ("breached" if due and met_on > due else "met"), evidence


def permanent_deletion(facts: Facts) -> tuple[date | None, list[int]]:
    """Tell when S2 28.1's deletion was done: live systems, and backups too unless an amendment accepts six months."""
    deleted = facts.deleted_on()
    evidence = [one.verified.index for one in facts.jobs.values() if one.verified]
    if facts.amendment:
        return deleted, evidence
    gone = facts.backups_gone_on()
    evidence += [one.latest.index for one in facts.backups.values() if one.latest]
    return (max(deleted, gone) if deleted and gone else None), sorted(evidence)


def _backups_gone(facts: Facts) -> tuple[date | None, list[int]]:
    return facts.backups_gone_on(), [one.latest.index for one in facts.backups.values() if one.latest]


def _handed_over(facts: Facts) -> tuple[date | None, list[int]]:
    return (day(facts.delivered, "on"), [facts.delivered.index]) if facts.delivered else (None, [])


def _instructed(facts: Facts) -> tuple[date | None, list[int]]:
    given = facts.instruction
    return (day(given, "given_on"), [given.index]) if given else (None, [])


_OBLIGATIONS: dict[str, Callable[[Facts], tuple[date | None, list[int]]]] = {
    "S2-28.1-b": _handed_over,
    "S2-28.1-c": _handed_over,
    "S2-28.1-d": permanent_deletion,
    "S2-DPA-a": _instructed,
    "S1-D9": _backups_gone,
    "D9": _backups_gone,
}

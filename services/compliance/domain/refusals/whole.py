"""Reasons of the exit as a whole: record, plan, what is open, instruction and delivery."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from services.compliance.domain.forgetting import of_forgotten
from services.compliance.domain.refusals.base import Asked, Known, Refusal, silence_deletes
from services.compliance.facts import INDEX, Facts, handing


def of_record(facts: Facts, known: Known) -> Iterator[Refusal]:
    """Tell what every stage needs: an order, named parties, a log that checks and holds nothing back."""
    if facts.order is None:
        yield Refusal("ORDER_MISSING", "the log has no final order of this exit")
    if not known.named:
        yield Refusal("PARTIES_MISSING", "name the parties and officials first (name_parties)")
    if not known.log_checks:
        yield Refusal("LOG_INCONSISTENT", "the evidence log does not check against its head")
    if known.held:
        yield Refusal("EVIDENCE_HELD", f"{known.held} entries wait for an entry that must come before them")
    yield from of_forgotten(facts)


def of_plan(facts: Facts, asked: Asked, scopes: Mapping[str, list[str]]) -> Iterator[Refusal]:
    """Tell what is wrong with the scopes asked for, and what is not settled."""
    yield from of_scopes(facts, asked, scopes)
    if facts.plan is not None:
        yield from of_open(facts, scopes)


def of_scopes(facts: Facts, asked: Asked, scopes: Mapping[str, list[str]]) -> Iterator[Refusal]:
    """Tell which scope asked for the plan in force does not have, and which system of the order is in none."""
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


def of_open(facts: Facts, scopes: Mapping[str, list[str]]) -> Iterator[Refusal]:
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


def of_exit(facts: Facts, scopes: Mapping[str, list[str]]) -> Iterator[Refusal]:
    """Tell what is missing of instruction and delivery."""
    if facts.instruction is None or facts.instruction.entry["kind"] != "delete":
        yield Refusal("INSTRUCTION_MISSING", "the controller's instruction to delete is not in the log")
    if facts.delivered is None:
        yield Refusal("DELIVERY_MISSING", "no package was delivered")
    elif facts.rejected and facts.rejected.entry["package_id"] == facts.delivered.entry["package_id"]:
        yield Refusal("DELIVERY_REJECTED", "the customer rejected the last package")
    elif not (handing.receipt(facts) or handing.instructed(facts) or silence_deletes(facts) or set(scopes) == {INDEX}):
        yield Refusal("DELIVERY_NOT_ACCEPTED", "the last package is neither accepted nor instructed to be deleted")


def of_system(facts: Facts, system: str, activity: str) -> Iterator[Refusal]:
    """Tell what the archive and access have not settled of a system."""
    if activity == INDEX:
        return
    if system not in facts.archive:
        yield Refusal("ARCHIVE_UNDECIDED", f"{system}: the archive has not decided")
    _, access = facts.access.get(system, (None, None))
    if access is None or access["state"] != "closed" or not access["verified"]:
        yield Refusal("ACCESS_NOT_CLOSED", f"{system}: access is not shown to be closed")

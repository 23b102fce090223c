"""What may come at any time: instruction, archive decision, triggers of a period, answers to obligations, cancelling.

Rules kept: nothing that has happened is dated ahead; a day that a notice has to precede may be; only anchors that the
profiles leave to the parties are recorded, and only obligations of the profiles are answered; a cancelled exit frees
its window; the storage that silence took stays taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.orders.domain import capacity as windows
from services.orders.domain.case import Case
from services.orders.domain.records import Answer, ArchiveDecision, Body, Instruction, Trigger
from services.orders.domain.refusals import among, not_ahead
from shared.rules.profiles import Profile

STORAGE_OPTION = "storage_option"
OWN_ANCHORS = frozenset({"T", "D", "K", "O", "in_force", "takeover"})


def instruct(case: Case, data: Body) -> Case:
    """Take the controller's instruction (GDPR Art. 28(3)(g)); raise Rejected DATES_OUT_OF_ORDER."""
    case = case.step("instruct")
    not_ahead("given_on", data["given_on"], case.today)
    instruction = Instruction.of(data)
    return case.put(instruction=instruction).tell("instruction_given", instruction.body())


def decide_archive(case: Case, data: Body) -> Case:
    """Take the archive decision of one system (T3); raise Rejected SYSTEM_UNKNOWN or DATES_OUT_OF_ORDER."""
    case = case.step("decide_archive")
    case.check_system("system", data["system"])
    not_ahead("decided_on", data["decided_on"], case.today)
    decision = ArchiveDecision.of(data)
    decided = {**case.exit.archive, data["system"]: decision}
    return case.put(archive=decided).tell("archive_decided", {"system": data["system"], **decision.body()})


def record_trigger(case: Case, data: Body) -> Case:
    """Record what starts a period (S2 13, 20, 21, 23 …); raise Rejected ANCHOR_UNKNOWN or DATES_OUT_OF_ORDER."""
    case, anchor = case.step("record_trigger"), data["anchor"]
    anchors = [each for profile in case.profiles for each in profile.anchors]
    derived = {each.name for each in anchors if each.first_of or each.latest_of}
    among("ANCHOR_UNKNOWN", "anchor", anchor, {each.name for each in anchors} - derived - OWN_ANCHORS)
    rules = [rule.of for profile in case.profiles for each in profile.obligations for rule in each.dates]
    if not any(of.anchor == anchor and of.period.startswith("-") for of in rules):
        not_ahead("on", data["on"], case.today)
    trigger = Trigger.of(data)
    return case.put(triggers={**case.exit.triggers, anchor: trigger}).tell(
        "trigger_recorded", {"anchor": anchor, **trigger.body()}
    )


def answer_obligation(case: Case, data: Body) -> Case:
    """Take an answer to an obligation; raise Rejected OBLIGATION_UNKNOWN or DATES_OUT_OF_ORDER."""
    case, name = case.step("answer_obligation"), data["obligation"]
    among(
        "OBLIGATION_UNKNOWN", "obligation", name, {each.id for profile in case.profiles for each in profile.obligations}
    )
    not_ahead("on", data["on"], case.today)
    answer = Answer.of(data, by=case.caller.party)
    answers = {**case.exit.obligations, name: answer}
    return case.put(obligations=answers).tell("obligation_answered", {"obligation": name, **answer.body()})


def keep_silence(case: Case, silence: str) -> Case:
    """Take that silence meant the storage option (T10): it is chosen by now, so that notices can end it (S2 28.2)."""
    if not case.exit.live or silence != STORAGE_OPTION:
        return case
    taken = tuple(sorted(storage(case.profiles)))
    return case.put(options=tuple(sorted({*case.exit.options, *taken})), by_silence=taken)


def storage(profiles: Sequence[Profile]) -> frozenset[str]:
    """Give the options that a notice of storage chooses (S2 28.2)."""
    kinds = (kind for profile in profiles for kind in profile.notices if kind.kind == "retention")
    return frozenset(option for kind in kinds for option in kind.chooses)


def cancel(case: Case, data: Body) -> Case:
    """Cancel the exit and free its window; the agreement stays as it is."""
    case = case.step("cancel_exit")
    case = replace(case, capacity=windows.release(case.capacity, case.exit.exit_id))
    case = case.agree(placed=tuple(each for each in case.agreement.placed if each.exit_id != case.exit.exit_id))
    told = {"reason": data["reason"], "digest": data["digest"], "on": case.today}
    return case.put(counter=None).tell("exit_cancelled", told)

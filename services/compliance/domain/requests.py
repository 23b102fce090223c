"""Requests of a DPO: their clock, their owner, what may happen to them, and when the log itself answers them.

Rules kept:
1. A written demand for documentation is answered within 10 Arbejdsdage (S2 13); documentation "på anmodning" of the
   deletion (S2 28.1) and of compliance (GDPR Art. 28(3)(h)) has no period of its own, so the same one is used.
2. The state machine is a table (`_NEXT`); what is not in it is refused. A clock that ran out never becomes unheard-of:
   a later answer is marked late. A force majeure stops it (S2 23, `clocks.py`): what was called overdue before that was
   told, within its 5 Arbejdsdage, is open again, and the reminder that said so stays in the log.
3. The log answers where it holds the whole of what was asked for, never a part of it: a certificate only when one of
   the stage was issued; documentation only when every open scope has it. What is not there waits for its owner.
4. A certificate or status under S2 28.1 or 13 that is not there yet is answered with the stage reached and the words
   "ikke permanent"; that answer does not end a request for a certificate, and never meets S2 28.1 itself.
5. A refusal needs a reason of a closed list. "Not yet", a dispute or a payment is none (S2 20, 28.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from contracts.errors import Rejected
from contracts.requests import REASONS
from contracts.roles import CUSTOMER_DPO, DELETION_OFFICER, SUPPLIER_LEAD
from services.compliance.documents import attestations
from services.compliance.domain.clocks import ANSWER_WITHIN
from services.compliance.domain.obligations import standing
from services.compliance.domain.refusals import ACTIVE, EXPIRED, REDELETION
from services.compliance.evidence import Logged
from services.compliance.facts import INDEX, Facts
from shared.rules.time import parse_period, reckon, shift

REMIND = (parse_period("-5wd"), parse_period("-1wd"))
BINDING = {"S2-13-a": "ski-02-19", "S2-28.1-d": "ski-02-19", "GDPR-28.3.h": ""}
CLAUSES = {
    "S2-13-a": "S2 13",
    "S2-28.1-d": "S2 28.1",
    "GDPR-28.3.h": "GDPR art. 28(3)(h)",
}
_ANALOGY = ("S2-28.1-d", "GDPR-28.3.h")
_NEXT = {
    ("open", "remind"): "open",
    ("open", "pass_due"): "overdue",
    ("open", "status"): "status_given",
    ("open", "answer"): "answered",
    ("open", "refuse"): "refused",
    ("open", "withdraw"): "withdrawn",
    ("overdue", "suspend"): "open",
    ("overdue", "status"): "status_given",
    ("overdue", "answer"): "answered",
    ("overdue", "refuse"): "refused",
    ("overdue", "withdraw"): "withdrawn",
    ("status_given", "answer"): "answered",
    ("status_given", "withdraw"): "withdrawn",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What the log answers with: the indexes that show it; empty where it cannot answer."""

    form: str
    evidence: tuple[int, ...]
    stage: str | None = None
    permanent: bool = False
    certificates: tuple[str, ...] = ()


def following(state: str, act: str) -> str:
    """Give the state after `act`; Rejected REQUEST_STATE where the table has none."""
    following = _NEXT.get((state, act))
    if following is None:
        raise Rejected(
            "REQUEST_STATE",
            f"a request that is {state} takes no '{act}'",
            field="request_id",
            remedy="read the request; an answered, refused or withdrawn one is closed",
            da="Anmodningen er afsluttet eller kan ikke ændres sådan.",
        )
    return following


def rule_of(made_on: date, basis: str, stood: int) -> tuple[str, str]:
    """Write the rule of a request's last day, Danish and English; `stood`: Arbejdsdage that did not count (S2 23)."""
    reckoning = reckon(made_on, ANSWER_WITHIN)
    analogy = basis in _ANALOGY
    da = f"{reckoning.rule_da} (S2 13{' analogt: ingen egen frist' if analogy else ''})"
    en = f"{reckoning.rule_en} (S2 13{' by analogy: no period of its own' if analogy else ''})"
    if stood:
        da += f"; uret stod stille i {stood} Arbejdsdage: force majeure (S2 23)"
        en += f"; the clock stood still for {stood} Arbejdsdage: force majeure (S2 23)"
    return da, en


def owner_of(what: str) -> str:
    """Name the role that answers: the deletion officer for certificates, the supplier's lead for the rest."""
    return DELETION_OFFICER if what == "CERTIFICATE" else SUPPLIER_LEAD


def told_to(owner: str, step: str) -> list[str]:
    """Name who hears: the owner while it is due soon; once overdue the lead and the DPO as well (S2 21 e)."""
    return [owner] if step == "due_soon" else sorted({owner, SUPPLIER_LEAD, CUSTOMER_DPO})


def look_days(due: date) -> list[date]:
    """List the days on which an open request is brought up: 5 and 1 Arbejdsdage before its last day, and the day after.

    The day after is counted in Dage: overdue is overdue from 00:00 on.
    """
    return [*(shift(due, period) for period in REMIND), shift(due, parse_period("+1d"))]


def brought_up(due: date, looked_on: date, today: date) -> str | None:
    """Name the step of the last such day after `looked_on`, until `today` (days may be missed), or None."""
    came = [day for day in look_days(due) if looked_on < day <= today]
    if not came:
        return None
    return "overdue" if today > due else "due_soon"


def next_look(due: date, today: date) -> date:
    """Give the next day on which it is looked whether the log can answer: the next Arbejdsdag, or the day it lapses."""
    following = shift(today, parse_period("+1wd"))
    overdue = shift(due, parse_period("+1d"))
    return min(following, overdue) if overdue > today else following


def check_asked(asked: Mapping[str, Any], facts: Facts, today: date) -> None:
    """Refuse a request that says nothing or too much, or leans on an agreement that does not bind this exit."""
    needs = {"CERTIFICATE": "stage", "DOCUMENTATION": "subject", "STATUS": None}[asked["what"]]
    for name in ("stage", "subject"):
        if (asked[name] is not None) != (name == needs):
            raise _invalid(name, f"{asked['what']} takes {needs or 'neither stage nor subject'}")
    received = asked["received_on"]
    if received and received > today:
        raise _invalid("received_on", "the demand cannot have come after today")
    profile = BINDING[asked["basis"]]
    if facts.order is None:
        raise Rejected("EXIT_UNKNOWN", "the log has no order of this exit", field="exit_id", remedy="order it first")
    if profile and profile not in facts.order.entry["profiles"]:
        raise _invalid("basis", f"{asked['basis']} does not bind: the agreement has no {profile}")


def check_answer(asked: Mapping[str, Any], known: Iterable[Logged]) -> None:
    """Refuse an answer without anything that shows it, and a refusal without a listed reason (rule 5)."""
    if asked["outcome"] == "refused":
        if asked["reason"] not in REASONS:
            raise _invalid("reason", "a refusal names its reason")
        return
    if asked["reason"] is not None:
        raise _invalid("reason", "an answer has no reason to refuse")
    evidence = asked["evidence"]
    if asked["document_digest"] is None and not evidence:
        raise _invalid("document_digest", "name the document's digest, or the evidence that answers")
    strange = set(evidence) - {one.index for one in known}
    if strange:
        raise _invalid("evidence", f"{sorted(strange)[0]} is not an entry of this exit")


# ------------------------------------------------------------------------------------------------ what the log answers


def answer(row: Mapping[str, Any], facts: Facts, issued: Iterable[Mapping[str, Any]]) -> Found | None:
    """Give what the log answers a request with, or None where a person has to (rules 3 and 4)."""
    if row["what"] == "CERTIFICATE":
        return certificate(row["stage"], facts, issued) or status(facts)
    if row["what"] == "STATUS":
        return status(facts)
    shown = _SHOWN.get(row["subject"])
    evidence = shown(facts) if shown else ()
    return Found("EVIDENCE", tuple(sorted(set(evidence)))) if evidence else None


def certificate(stage: str, facts: Facts, issued: Iterable[Mapping[str, Any]]) -> Found | None:
    """Give the newest certificates of the stage, where they cover every deletion of the plan in force; else None.

    After a restore a RE-DELETION says what an ACTIVE-DELETED had said (ADR 0015)."""
    stages = (ACTIVE, REDELETION) if stage == ACTIVE else (stage,)
    mine = [
        row
        for row in issued
        if (row.get("of_stage") or row["stage"]) in stages and row["state"] == "issued" and not row.get("revoked")
    ]
    covered = {name for row in mine for name in row["activities"]}
    if not mine or not facts.scopes() or facts.scopes().keys() - covered:
        return None
    shown = [one.index for one in facts.certificates if one.entry["stage"] in stages]
    evidence = tuple(sorted({*shown, *_deletion(facts), *(_backups(facts) if stage == EXPIRED else ())}))
    permanent = stage == EXPIRED and not facts.backups_left_out
    return Found("CERTIFICATE", evidence, stage, permanent, tuple(row["_id"] for row in mine))


def stage_reached(facts: Facts) -> str | None:
    """Name the last stage that certificates show for every deletion of the plan in force, None for none."""
    scopes = facts.scopes().keys()
    return next((stage for stage in (EXPIRED, ACTIVE) if scopes and scopes <= facts.certified(stage)), None)


def status(facts: Facts) -> Found:
    """Give the state the log shows: the stage reached, and what shows it; never permanent before the last stage."""
    stage = stage_reached(facts)
    shown = [one.index for one in facts.certificates if one.entry["stage"] == stage]
    ends = [one for one in (facts.order, facts.plan, facts.delivered, facts.accepted, facts.instruction) if one]
    ends += [job.verified for job in facts.jobs.values() if job.verified]
    evidence = tuple(sorted({*shown, *(one.index for one in ends)}))
    return Found("STATUS", evidence, stage, stage == EXPIRED and not facts.backups_left_out)


def owed(facts: Facts, today: date) -> str:
    """Tell how S2 28.1 stands, for the answer's own words: what is not met is never called so (rule 4)."""
    if facts.order is None or BINDING["S2-28.1-d"] not in facts.order.entry["profiles"]:
        return "NOT_BOUND"
    stands = standing("S2-28.1-d", facts, today).state
    if stands == "breached":
        return "BREACHED"
    if stands != "met":
        return "OPEN"
    return "MET" if standing("S2-28.1-d-backups", facts, today).state == "met" else "BACKUPS_OPEN"


def _deletion(facts: Facts) -> tuple[int, ...]:
    jobs = [facts.job(activity) for activity in facts.scopes()]
    if facts.deleted_on(facts.scopes()) is None:
        return ()
    return tuple(job.verified.index for job in jobs if job and job.verified)


def _approvals(facts: Facts) -> tuple[int, ...]:
    jobs = [facts.job(activity) for activity in facts.scopes()]
    if not jobs or not all(job and job.intent for job in jobs):
        return ()
    return tuple(job.intent.index for job in jobs if job and job.intent)


def _backups(facts: Facts) -> tuple[int, ...]:
    told, found = facts.backups_told(), facts.uncatalogued([line["system"] for line in facts.systems])
    if told is None or found or not all(backup.gone for backup in facts.backups.values()):
        return ()
    seen = (backup.latest.index for backup in facts.backups.values() if backup.latest)
    return (*seen, told.index)


def _access(facts: Facts) -> tuple[int, ...]:
    wanted = [line["system"] for line in facts.systems if facts.scope_of(line["system"]) != INDEX]
    closed = [facts.access.get(system) for system in wanted]
    if not closed or not all(one and one[1]["state"] == "closed" and one[1]["verified"] for one in closed):
        return ()
    return tuple(one[0].index for one in closed if one)


def _delivery(facts: Facts) -> tuple[int, ...]:
    told, accepted = facts.delivered, facts.accepted
    if told is None or (facts.rejected and facts.rejected.entry["package_id"] == told.entry["package_id"]):
        return ()
    mine = accepted if accepted and accepted.entry["package_id"] == told.entry["package_id"] else None
    return (told.index, *([mine.index] if mine else []))


def _instruction(facts: Facts) -> tuple[int, ...]:
    return (facts.instruction.index,) if facts.instruction else ()


def _periods(facts: Facts) -> tuple[int, ...]:
    """Show the periods and who set them: the plan in force, the options confirmed, the instruction (S2 3.2)."""
    if facts.plan is None or facts.instruction is None:
        return ()
    return tuple(one.index for one in (facts.plan, facts.options, facts.instruction) if one)


def _sub_processors(facts: Facts) -> tuple[int, ...]:
    """Show the sub-processors' confirmations, where any was asked for and all have come (S2 7.3)."""
    systems = [line["system"] for line in facts.systems]
    if attestations.settled_on(facts, systems) is None:
        return ()
    return tuple(one.index for one in attestations.answers_of(facts, systems).values() if one.entry.get("subprocessor"))


_SHOWN: dict[str, Callable[[Facts], tuple[int, ...]]] = {
    "DELETION": _deletion,
    "APPROVALS": _approvals,
    "BACKUPS": _backups,
    "ACCESS": _access,
    "DELIVERY": _delivery,
    "INSTRUCTION": _instruction,
    "DELETION_PERIODS": _periods,
    "SUB_PROCESSORS": _sub_processors,
}


def _invalid(field: str, why: str) -> Rejected:
    return Rejected(
        "REQUEST_INVALID",
        f"{field}: {why}",
        field=field,
        remedy="correct the field and ask again",
        da=f"Feltet {field} passer ikke til det, der anmodes om.",
    )

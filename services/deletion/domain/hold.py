"""Holds: who may say that nothing is deleted for now, on which basis, and what a hold keeps from happening.

Rules kept here:
1. The basis is from the contract's closed list (the controller's instruction, a law or court order, a data subject's
   request); a dispute (S2 30) or the supplier's own interest is none, and cannot put off S2 28.1.
2. A hold is placed once and lifted once: the same again changes nothing, another document does not replace the first.
3. What the customer placed only the customer lifts: the controller's word stands until the controller takes it back.
4. A hold on all systems, or on one of a job's, holds the whole job.
5. Whoever did not place it sets a hold aside only by an override: for a reason that its basis allows, asked for by one
   person and agreed word for word (reason, document) by another one of the other party. Every attempt is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from contracts.errors import Rejected
from services.deletion.domain.job import Exit, Job

HOLD_STATES = {("placed", "lift"): "lifted", ("placed", "override"): "overridden"}
OVERRIDES = {
    "INSTRUCTION": ("INSTRUCTION_WITHDRAWN", "PLACED_IN_ERROR"),
    "LAW": ("LAW_LAPSED", "COURT_DECISION", "PLACED_IN_ERROR"),
    "DATA_SUBJECT_REQUEST": ("REQUEST_WITHDRAWN", "REQUEST_DECIDED", "PLACED_IN_ERROR"),
}
CLAUSES = {"INSTRUCTION": "GDPR 28(3)(a)", "LAW": "GDPR 17(3)(b)", "DATA_SUBJECT_REQUEST": "GDPR 18"}


@dataclass(frozen=True, slots=True)
class Override:
    """What one person asked for: to set a hold aside for a reason, by a document."""

    actor: str
    party: str
    reason: str
    digest: str


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold by a `party`; `system` None holds all; `digest` of its document, `lifted_by` of the one lifting it."""

    hold_id: str
    exit_id: str
    system: str | None
    basis: str
    digest: str
    party: str
    state: str = "placed"
    lifted_by: str | None = None
    override: Override | None = None


def place(exit_: Exit, new: Hold, known: Sequence[Hold]) -> Hold:
    """Give the hold that stands for this already, else the new one with its number; raise SYSTEM_UNKNOWN."""
    if new.system is not None and new.system not in exit_.systems:
        raise Rejected(
            "SYSTEM_UNKNOWN", "the order names no such system", field="system",
            remedy=f"use null for all, or one of: {', '.join(exit_.systems)}",
            da="Systemet er ikke med i bestillingen.",
        )  # fmt: skip
    standing = (each for each in known if replace(each, hold_id=new.hold_id, party=new.party, override=None) == new)
    return next(standing, replace(new, hold_id=f"{exit_.exit_id}.H{len(known) + 1}"))


def lift(hold: Hold | None, digest: str, party: str) -> Hold:
    """Give the hold as lifted; raise HOLD_UNKNOWN, WRONG_PARTY (rule 3) or HOLD_ALREADY_LIFTED (rule 2)."""
    if hold is None:
        raise Rejected(
            "HOLD_UNKNOWN", "the exit has no such hold", field="hold_id", remedy="read the plan: it lists the holds",
            da="Udtrædelsen har ikke en sådan tilbageholdelse.",
        )  # fmt: skip
    if hold.party == "customer" != party:
        raise Rejected(
            "WRONG_PARTY", f"the customer placed the hold ({CLAUSES[hold.basis]}): only the customer lifts it",
            field="hold_id", remedy="let the customer's project lead or DPO lift it",
            da="Kunden har sat sletningen i bero og skal selv ophæve det.",
        )  # fmt: skip
    if (hold.state, hold.lifted_by) == ("lifted", digest):
        return hold
    if (hold.state, "lift") not in HOLD_STATES:
        raise Rejected(
            "HOLD_ALREADY_LIFTED", "the hold was lifted by another document", field="digest",
            remedy="nothing: it is lifted", da="Tilbageholdelsen er allerede ophævet.",
        )  # fmt: skip
    return replace(hold, state=HOLD_STATES[hold.state, "lift"], lifted_by=digest)


def override(hold: Hold | None, asked: Override) -> tuple[Hold | None, str, str]:
    """Take one person's word for an override (rule 5): the hold as it is then, the answer, and why it was refused."""
    if code := _override_forbidden(hold, asked):
        return hold, "refused", code
    assert hold is not None
    if hold.override is None or hold.override.actor == asked.actor:
        return replace(hold, override=asked), "requested", ""
    state = HOLD_STATES[hold.state, "override"]
    return replace(hold, state=state, lifted_by=asked.digest), "overridden", ""


def _override_forbidden(hold: Hold | None, asked: Override) -> str:
    if hold is None:
        return "HOLD_UNKNOWN"
    if (hold.state, "override") not in HOLD_STATES:
        return "HOLD_ALREADY_LIFTED"
    if asked.reason not in OVERRIDES[hold.basis]:
        return "REASON_NOT_FOR_BASIS"
    return "" if hold.override is None else _not_another(hold.override, asked)


def _not_another(first: Override, second: Override) -> str:
    """Tell why a second word is no agreement to the first; one's own may be put in other words."""
    same = (first.reason, first.digest) == (second.reason, second.digest)
    if first.actor == second.actor:
        return "SAME_PERSON" if same or first.party != second.party else ""
    if first.party == second.party:
        return "SAME_PARTY"
    return "" if same else "OVERRIDE_DIFFERS"


def covers(hold: Hold, job: Job) -> bool:
    """Tell whether a hold is on one of a job's systems, or on all."""
    return hold.system is None or hold.system in job.systems


def require_free(job: Job, holds: Iterable[Hold]) -> None:
    """Raise Rejected HOLD_PLACED while a hold stands on the job (rule 4)."""
    for hold in holds:
        if hold.state == "placed" and covers(hold, job):
            raise Rejected(
                "HOLD_PLACED", f"hold {hold.hold_id} stands ({CLAUSES[hold.basis]}): nothing is deleted",
                field=f"systems.{hold.system}" if hold.system else "systems",
                remedy="have the hold lifted; the activity is due again then",
                da=f"Sletning er sat i bero ({CLAUSES[hold.basis]}).",
            )  # fmt: skip

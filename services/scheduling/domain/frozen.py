"""The frozen zone's bypass (T11) and the heavy jobs of R1.

Rules kept: a bypass is asked for by the customer while its data are frozen and in operation, for a system of the exit;
the supplier may refuse an agreed change, but never what a data subject may claim (S2 3.2; GDPR Art. 16–18); it is
closed by the delta that went to the receiver. A heavy job is refused from P to T without an accord of both parties;
what S2 3.2 and 28.1 owe is no heavy job and never refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from services.scheduling.domain.exits import (
    BYPASS_STATES,
    FROZEN,
    OPERATIONS_END,
    Body,
    Bypass,
    Exit,
    refuse,
    telling,
)
from services.scheduling.domain.gates import heavy_rule
from services.scheduling.domain.outlook import Outlook

NEVER_REFUSED = "S2 3.2, 28.1"


def request_bypass(exit_: Exit, data: Body, command_id: str) -> tuple[Exit, Bypass]:
    """Take a request; raise Rejected SYSTEM_UNKNOWN or ZONE_NOT_FROZEN."""
    if data["system"] not in exit_.inputs.systems:
        listed = ", ".join(sorted(exit_.inputs.systems))
        message, da = "the exit has no such system", f"Systemet er ikke med i exittet. Brug et af: {listed}."
        raise refuse("SYSTEM_UNKNOWN", message, f"use one of: {listed}", da, "system")
    if FROZEN not in exit_.done or OPERATIONS_END in exit_.done:
        raise refuse(
            "ZONE_NOT_FROZEN", f"the data are not frozen: {FROZEN} is not done, or {OPERATIONS_END} is (S1 §6)",
            "before the freeze, change the data in the system; after the end of operations, instruct the supplier",
            "Data er ikke frosset (S1 §6). Ret dem i systemet, eller instruér leverandøren.", "system",
        )  # fmt: skip
    name = "bypass-" + hashlib.sha256(command_id.encode()).hexdigest()[:16]
    bypass = Bypass(name, data["system"], data["kind"], "requested", data["digest"])
    return _told(replace(exit_, bypasses=(*exit_.bypasses, bypass)), bypass), bypass


def answer_bypass(exit_: Exit, data: Body) -> tuple[Exit, Bypass]:
    """Take the supplier's answer; raise Rejected BYPASS_*."""
    bypass = _found(exit_, data["bypass_id"])
    if data["answer"] == "refused" and bypass.kind != "agreed_change":
        raise refuse(
            "BYPASS_OWED", f"a data subject's {bypass.kind} is owed (S2 3.2; GDPR Art. 16–18)",
            "agree, and close it with the delta",
            "En registrerets krav skal efterkommes (S2 3.2; GDPR art. 16–18).", "answer",
        )  # fmt: skip
    return _after(exit_, bypass, data["answer"])


def close_bypass(exit_: Exit, data: Body) -> tuple[Exit, Bypass]:
    """Take the digest of the delta that was delivered; raise Rejected BYPASS_*."""
    bypass = _found(exit_, data["bypass_id"])
    return _after(exit_, replace(bypass, digest=data["delta_digest"]), "closed")


def check_heavy_job(exit_: Exit, outlook: Outlook, data: Body) -> str:
    """Give the clause under which a job may run on a day; raise Rejected HEAVY_JOB_REFUSED (R1)."""
    activity = outlook.plan.activity(data["activity"]).activity
    if not activity.heavy:
        return NEVER_REFUSED
    clause = heavy_rule(exit_, outlook, activity.id, data["on"])
    if clause:
        raise refuse(
            "HEAVY_JOB_REFUSED", f"{activity.id} runs no heavy job from P to T ({clause}, R1)",
            "choose a day outside, or sign an accord of both parties (heavy_job) with its reason",
            f"{activity.id}: ingen tunge opgaver fra forberedelsens start til skiftet ({clause}, R1).", "on",
        )  # fmt: skip
    return activity.clause


def _found(exit_: Exit, bypass_id: str) -> Bypass:
    for bypass in exit_.bypasses:
        if bypass.bypass_id == bypass_id:
            return bypass
    raise refuse("BYPASS_UNKNOWN", "there is no such request", "read the plan", "Ukendt anmodning.", "bypass_id")


def _after(exit_: Exit, bypass: Bypass, what: str) -> tuple[Exit, Bypass]:
    state = BYPASS_STATES.get((bypass.state, what))
    if state is None:
        message, da = f"a request that is {bypass.state} cannot be {what}", "Anmodningen er i en anden tilstand."
        raise refuse("BYPASS_STATE", message, "read the plan", da, "bypass_id")
    bypass = replace(bypass, state=state)
    others = tuple(bypass if each.bypass_id == bypass.bypass_id else each for each in exit_.bypasses)
    return _told(replace(exit_, bypasses=others), bypass), bypass


def _told(exit_: Exit, bypass: Bypass) -> Exit:
    body = {name: getattr(bypass, name) for name in ("bypass_id", "system", "kind", "state", "digest")}
    return telling(exit_, "bypass_changed", **body)

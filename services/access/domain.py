"""What access decides: which systems are frozen or closed when, and whose attestation counts.

Rules kept here:
1. C2 freezes every system of the order; D2, D3b and D7a close exactly the systems that the plan names, and what an
   option covers stays as it is. The case index is closed when its cleaning (C7) was verified, not before: the service
   agreement there must outlive the verification.
2. Facts come in any order; a control task is sent each time its activity is told as due, once the order is known. After
   the exit was cancelled none is sent or begun; nothing that is frozen or closed is opened by that.
   C2 told once more: the window begins anew (T17), so what was closed counts as open until it is looked at.
3. `access_frozen` and `access_closed` are told only when every system was looked at afterwards and holds.
4. C5 and D8 are attested by the customer, C6 and D7b by the supplier; one attestation each time the activity is due,
   never before (it would complete the activity, and open what comes after it), never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from contracts.errors import Rejected, Unavailable

FREEZE, CLOSE = "freeze", "close"
HOLDS = {FREEZE: "frozen", CLOSE: "closed"}
CLOSING = ("D2", "D3b", "D7a")
ATTESTATIONS = {
    "C5": ("customer", "access_withdrawn"),
    "C6": ("supplier", "operations_stopped"),
    "D7b": ("supplier", "software_removed"),
    "D8": ("customer", "access_closed"),
}


@dataclass(frozen=True, slots=True)
class Order:
    """What `order_placed` says that access needs: whose ways in, in which registered map, which systems."""

    customer_cvr: str
    tenant: str
    map_digest: str
    systems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exit:
    """One exit's ways in: the facts known so far.

    `due`: what waits to be sent, activity → systems as told (C2: none); `attested`: activity → digest of the document;
    `awaited`: the activities to be attested that were due.
    """

    exit_id: str
    order: Order | None = None
    due: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attested: Mapping[str, str] = field(default_factory=dict)
    window_begun: bool = False
    cancelled: bool = False
    awaited: tuple[str, ...] = ()

    def require_order(self) -> Order:
        """Give the order, or raise Unavailable EXIT_NOT_KNOWN while its event has not come."""
        if self.order is None:
            raise Unavailable(
                "EXIT_NOT_KNOWN",
                "access has not been told of a final order with this exit id",
                field="exit_id",
                remedy="check the exit id; right after the final order, try again shortly",
                da="Udtrædelsen er ikke kendt her (endnu). Kontrollér id'et, eller prøv igen om lidt.",
            )
        return self.order


@dataclass(frozen=True, slots=True)
class Control:
    """One control task: freeze or close these systems' access because of `activity`."""

    activity: str
    action: str
    systems: tuple[str, ...]


def with_due(exit_: Exit, activity: str, systems: Iterable[str]) -> Exit:
    """Note that `activity` is due for these systems; one that is not access's own changes nothing."""
    if activity in ATTESTATIONS:
        others = {name: digest for name, digest in exit_.attested.items() if name != activity}
        return replace(exit_, attested=others, awaited=tuple(sorted({*exit_.awaited, activity})))
    if activity not in ("C2", *CLOSING):
        return exit_
    due = {**exit_.due, activity: tuple(sorted(set(systems)))}
    return replace(exit_, due=due, window_begun=exit_.window_begun or activity == "C2")


def begins_anew(exit_: Exit, activity: str) -> bool:
    """Tell whether the window begins anew with this activity (rule 2)."""
    return activity == "C2" and exit_.window_begun


def with_cleaned(exit_: Exit, activity: str, result: str, systems: Iterable[str]) -> Exit:
    """Note that the case index was verified to be clean (C7); other verifications change nothing."""
    if activity != "C7" or result not in ("DELETED", "ABSENT_VERIFIED"):
        return exit_
    return replace(exit_, due={**exit_.due, "C7": tuple(sorted(set(systems)))})


def ready(exit_: Exit) -> tuple[Control, ...]:
    """List the control tasks that can be sent now (rules 1, 2)."""
    if exit_.order is None or exit_.cancelled:
        return ()
    every = tuple(sorted(exit_.order.systems))
    return tuple(
        Control(activity, FREEZE, every) if activity == "C2" else Control(activity, CLOSE, systems)
        for activity, systems in exit_.due.items()
    )


def sent(exit_: Exit) -> Exit:
    """Give the exit once what is ready has been sent."""
    return exit_ if exit_.order is None else replace(exit_, due={})


def state_after(action: str, *, grants: int, writable: bool, is_open: bool) -> str:
    """Name what was seen after `action`: frozen = nobody can write, closed = nobody can come in; else error."""
    holds = not writable if action == FREEZE else not is_open and not writable and grants == 0
    return HOLDS[action] if holds else "error"


def step(action: str, before: str) -> str:
    """Give what to do to a system that is `before`: what is closed stays closed, whatever is asked."""
    return CLOSE if before == HOLDS[CLOSE] else action


def attest(exit_: Exit, activity: str, kind: str, party: str, digest: str) -> Exit:
    """Take an attestation by `party` (rule 4); raise ACTIVITY_NOT_…, WRONG_PARTY, KIND_WRONG, ALREADY_ATTESTED."""
    exit_.require_order()
    if activity not in ATTESTATIONS:
        raise _refused(
            "ACTIVITY_NOT_ATTESTED_HERE", "activity", "this activity is not attested to access",
            f"attest one of: {', '.join(ATTESTATIONS)}", "Aktiviteten erklæres ikke her.",
        )  # fmt: skip
    expected_party, expected_kind = ATTESTATIONS[activity]
    if party != expected_party:
        raise _refused(
            "WRONG_PARTY", "activity", f"{activity} is attested by the {expected_party}",
            f"let somebody of the {expected_party} attest it", "Aktiviteten skal erklæres af den ansvarlige part.",
        )  # fmt: skip
    if kind != expected_kind:
        raise _refused(
            "KIND_WRONG", "kind", f"{activity} is attested as {expected_kind}",
            f"send kind {expected_kind}", "Erklæringens art passer ikke til aktiviteten.",
        )  # fmt: skip
    if activity not in exit_.awaited:
        raise Unavailable(
            "ACTIVITY_NOT_DUE", f"access has not been told that {activity} is due", field="activity",
            remedy="attest it when the plan shows it as due; right after it became so, try again shortly",
            da="Aktiviteten er ikke forfalden her (endnu). Se planen, eller prøv igen om lidt.",
        )  # fmt: skip
    if exit_.attested.get(activity, digest) != digest:
        raise _refused(
            "ALREADY_ATTESTED", "digest", f"{activity} was attested with another document",
            "keep the first attestation; correct it in a document of its own", "Aktiviteten er allerede erklæret.",
        )  # fmt: skip
    return replace(exit_, attested={**exit_.attested, activity: digest})


def _refused(code: str, where: str, message: str, remedy: str, da: str) -> Rejected:
    return Rejected(code, message, field=where, remedy=remedy, da=da)

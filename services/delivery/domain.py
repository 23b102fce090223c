"""What delivery decides: facts in any order, the tasks that follow from them, and the receipt.

Rules kept here:
1. Facts come in any order; a task is sent once, when its activity is due and everything it needs is known.
2. Needs name systems of the order only; nothing is chosen any more once the extract (C3) has been sent.
3. A new dispatch asks for a new connection test, new needs for a new specification.
4. A package is sealed (its digest durable) before it can be seen in the drop, and delivered once.
5. The receipt counts only with the receiver's own digest equal to ours (evidence: delivery accepted).
6. Data go to the successor only under a transfer instruction that orders has told of (S1 §9).
7. Only the newest package is accepted or rejected. After a rejection needs and dispatch may be changed. C3 due anew,
   after a rejection or because the plan was opened again (T17), makes another package; the one before is superseded.
8. After the exit was cancelled nothing is set going any more, and what is not handed over yet is not handed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from contracts.errors import Rejected, Unavailable

TASKS = {"B9": "test_connection", "B10": "specify", "C3": "extract_place"}
LIVE_DELETIONS = ("D2", "D3b", "D7a")
NEEDED = {
    "B9": ("order", "dispatch"),
    "B10": ("order", "needs"),
    "C3": ("order", "needs", "dispatch", "specification"),
}

PACKAGE_STATES: dict[tuple[str, str], str] = {
    ("ordered", "plan"): "extracting",
    ("extracting", "seal"): "sealed",
    ("sealed", "lose"): "extracting",  # the sealed file was lost with the work folder: read and sealed again
    ("sealed", "deliver"): "delivered",
    ("delivered", "accept"): "accepted",
    ("delivered", "reject"): "rejected",
    **{(state, "supersede"): "superseded" for state in ("delivered", "accepted", "rejected")},
    **{(state, "stop"): "stopped" for state in ("ordered", "extracting", "sealed")},
}


@dataclass(frozen=True, slots=True)
class Order:
    """What `order_placed` says that delivery needs: whose data, in which registered map, which systems."""

    customer_cvr: str
    tenant: str
    map_digest: str
    systems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dispatch:
    """How data go: whose they are then, the drop, the receiver's key, and the instruction that allows it."""

    drop: str
    recipient: str
    to: str = "successor"
    instruction: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One exit's delivery: the facts known so far.

    `sent` = activities whose task has been sent, `instructions` = digests of the transfer instructions,
    `packages` = how many were begun; `package_id` is the newest; `cleared_on` = when we cleared what we held of them.
    """

    exit_id: str
    order: Order | None = None
    needs: tuple[str, ...] | None = None
    dispatch: Dispatch | None = None
    specification: str | None = None
    connection: str | None = None
    due: frozenset[str] = field(default_factory=frozenset)
    sent: frozenset[str] = field(default_factory=frozenset)
    instructions: frozenset[str] = field(default_factory=frozenset)
    packages: int = 0
    package_id: str | None = None
    accepted_on: date | None = None
    cancelled: bool = False
    cleared_on: date | None = None

    def require_order(self) -> Order:
        """Give the order, or raise Unavailable EXIT_NOT_KNOWN while its event has not come."""
        if self.order is None:
            raise Unavailable(
                "EXIT_NOT_KNOWN",
                "delivery has not been told of a final order with this exit id",
                field="exit_id",
                remedy="check the exit id; right after the final order, try again shortly",
                da="Udtrædelsen er ikke kendt her (endnu). Kontrollér id'et, eller prøv igen om lidt.",
            )
        return self.order


def ready(delivery: Delivery) -> tuple[str, ...]:
    """List the activities whose task can be sent now, in the order of the plan (rules 1, 8)."""
    if delivery.cancelled:
        return ()
    return tuple(
        activity
        for activity, needed in NEEDED.items()
        if activity in delivery.due
        and activity not in delivery.sent
        and all(getattr(delivery, name) is not None for name in needed)
    )


def with_due(delivery: Delivery, activity: str, package_state: str | None = None) -> Delivery:
    """Note that `activity` is due (rule 7: anew); one that is not delivery's own changes nothing."""
    if activity == "C3" and (package_state, "supersede") in PACKAGE_STATES:
        delivery = reopened(delivery)
    return replace(delivery, due=delivery.due | {activity}) if activity in TASKS else delivery


def with_needs(delivery: Delivery, systems: tuple[str, ...]) -> Delivery:
    """Take the customer's data needs (B4); raise SYSTEM_UNKNOWN, NEEDS_EMPTY, EXTRACT_BEGUN or EXIT_CANCELLED."""
    order = delivery.require_order()
    _refuse_when_fixed(delivery, "systems")
    if not systems:
        raise Rejected(
            "NEEDS_EMPTY",
            "no system is named",
            field="systems",
            remedy="name at least one system of the order",
            da="Angiv mindst ét system fra bestillingen.",
        )
    for position, system in enumerate(systems):
        if system not in order.systems:
            raise Rejected(
                "SYSTEM_UNKNOWN",
                "the order does not hold this system",
                field=f"systems.{position}",
                remedy=f"name one of: {', '.join(order.systems)}",
                da="Systemet findes ikke i bestillingen.",
            )
    kept = tuple(name for name in order.systems if name in systems)
    return replace(delivery, needs=kept, specification=None, sent=delivery.sent - {"B10"})


def with_dispatch(delivery: Delivery, dispatch: Dispatch, drops: frozenset[str]) -> Delivery:
    """Take how data go (B5); `drops` are the configured names.

    Raise DROP_UNKNOWN, TRANSFER_INSTRUCTION_MISSING, EXTRACT_BEGUN or EXIT_CANCELLED, and Unavailable
    TRANSFER_INSTRUCTION_NOT_KNOWN while orders has not told of the instruction (rule 6).
    """
    delivery.require_order()
    _refuse_when_fixed(delivery, "drop")
    if dispatch.drop not in drops:
        raise Rejected(
            "DROP_UNKNOWN",
            "no drop of this name is configured",
            field="drop",
            remedy=f"use one of: {', '.join(sorted(drops)) or '(none is configured)'}",
            da="Der er ikke opsat et afleveringssted med det navn.",
        )
    require_instruction(delivery, dispatch)
    return replace(delivery, dispatch=dispatch, connection=None, sent=delivery.sent - {"B9"})


def require_instruction(delivery: Delivery, dispatch: Dispatch) -> None:
    """Let data go to the successor only under a known transfer instruction (rule 6)."""
    if dispatch.to != "successor" or dispatch.instruction in delivery.instructions:
        return
    field_ = "transfer_instruction_digest"
    if dispatch.instruction is None:
        raise Rejected(
            "TRANSFER_INSTRUCTION_MISSING",
            "S1 §9: data go to the successor only under the customer's transfer instruction",
            field=field_,
            remedy="instruct the transfer and name the instruction's digest, or have the data sent to the customer",
            da="S1 §9: Data sendes kun til ny leverandør efter kundens overførelsesinstruks.",
        )
    raise Unavailable(
        "TRANSFER_INSTRUCTION_NOT_KNOWN",
        "S1 §9: delivery has not been told of a transfer instruction with this digest",
        field=field_,
        remedy="check the digest; right after the instruction, try again shortly",
        da="S1 §9: Overførelsesinstruksen er ikke kendt her (endnu). Kontrollér den, eller prøv igen om lidt.",
    )


def reopened(delivery: Delivery) -> Delivery:
    """Open the delivery again after its package was rejected or the plan opened anew (rule 7): C3 waits to be due."""
    return replace(delivery, due=delivery.due - {"C3"}, sent=delivery.sent - {"C3"}, accepted_on=None)


def refuse_cancelled(delivery: Delivery) -> None:
    """Raise Rejected EXIT_CANCELLED after the exit was cancelled (rule 8)."""
    if delivery.cancelled:
        raise Rejected(
            "EXIT_CANCELLED",
            "the exit was cancelled: nothing is delivered any more",
            field="exit_id",
            remedy="order a new exit; what belongs to the customer is handed over on demand (S2 28.1)",
            da="Udtrædelsen er annulleret; der leveres ikke mere.",
        )


def _refuse_when_fixed(delivery: Delivery, name: str) -> None:
    refuse_cancelled(delivery)
    if "C3" in delivery.sent:
        raise Rejected(
            "EXTRACT_BEGUN",
            "the production extract has begun; needs and dispatch are fixed (S1 §6, C2)",
            field=name,
            remedy="agree on a new delivery with the supplier; after a rejection they may be changed",
            da="Produktionsudtrækket er begyndt; databehov og forsendelse kan ikke længere ændres.",
        )


def next_package_state(state: str, step: str) -> str:
    """Give the package's next state; a step that the table does not hold raises PACKAGE_STATE."""
    try:
        return PACKAGE_STATES[state, step]
    except KeyError:
        raise Rejected(
            "PACKAGE_STATE",
            f"a package that is {state} cannot take the step {step}",
            field="package_id",
            remedy="read the delivery and see which step it is at",
            da="Pakken er ikke nået til dette trin.",
        ) from None


def check_newest(delivery: Delivery, package_id: str) -> None:
    """Refuse an answer about another package than the newest (rule 7); `package_id` is of this delivery."""
    if package_id != delivery.package_id:
        raise Rejected(
            "PACKAGE_SUPERSEDED",
            "another package took this one's place (S1 §6, C4)",
            field="package_id",
            remedy="answer for the newest package: read the delivery",
            da="Pakken er erstattet af en ny.",
        )


def check_rejection(package: dict[str, Any], reason: str, digest: str) -> bool:
    """Tell whether a rejection is new (False: the same again); raise PACKAGE_STATE."""
    if package.get("rejected") == {"reason": reason, "digest": digest}:
        return False
    next_package_state(package["state"], "reject")
    return True


def check_receipt(package_state: str, ours: str | None, theirs: str) -> None:
    """Compare the receiver's digest with ours (rule 5); raise PACKAGE_STATE or RECEIPT_DIGEST_MISMATCH."""
    if package_state != "accepted":  # the same receipt again gets the same answer
        next_package_state(package_state, "accept")
    if ours != theirs:
        raise Rejected(
            "RECEIPT_DIGEST_MISMATCH",
            "the receipt's digest is not that of the package we delivered",
            field="package_digest",
            remedy="compute SHA-256 over the encrypted package in the drop again; if it differs, tell the supplier",
            da="Kvitteringens kontrolsum svarer ikke til den leverede pakke.",
        )


def state_of(delivery: Delivery, package_state: str | None) -> str:
    """Name the delivery's state by what it guarantees so far."""
    if package_state:
        return package_state
    steps = (
        ("C3" in delivery.sent, "extract_sent"),
        (delivery.cancelled, "cancelled"),
        (delivery.specification is not None and delivery.connection == "OK", "ready"),
        (delivery.specification is not None, "specified"),
        (delivery.needs is not None and delivery.dispatch is not None, "prepared"),
        (delivery.dispatch is not None, "dispatch_set"),
        (delivery.needs is not None, "needs_submitted"),
    )
    return next((name for reached, name in steps if reached), "ordered")


def unknown_package() -> Rejected:
    """Make the error for a receipt that names a package which is not the delivery's."""
    return Rejected(
        "PACKAGE_UNKNOWN",
        "no package of this id belongs to the delivery",
        field="package_id",
        remedy="read the delivery and give the package's id from there",
        da="Der er ingen pakke med det id i leverancen.",
    )


def account(delivery: Delivery, package: dict[str, Any] | None) -> dict[str, Any]:
    """Give the wire's account of the delivery, live progress included (contracts.delivery.Delivery)."""
    places = package["places"] if package else []
    sealed = (package or {}).get("sealed") or {}
    return {
        "exit_id": delivery.exit_id,
        "state": state_of(delivery, package["state"] if package else None),
        "drop": delivery.dispatch.drop if delivery.dispatch else None,
        "recipient": delivery.dispatch.recipient if delivery.dispatch else None,
        "package_id": delivery.package_id,
        "package_name": package["name"] if package else None,
        "package_digest": sealed.get("digest"),
        "package_bytes": sealed.get("size", 0),
        "rows": sum(place["rows"] for place in places),
        "places_done": sum(place["done"] for place in places),
        "places_total": len(places),
        "places": [{name: place[name] for name in ("system", "place", "rows", "disposition")} for place in places],
        "accepted_on": delivery.accepted_on,
    }

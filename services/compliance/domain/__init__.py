"""When a certificate is refused, and how the obligations stand: pure rules over the facts in the log.

It keeps (evidence.md §1): every reason at once; nothing is certified while a place is unclassified, a residual is above
zero, something outside the scope changed, an approval is missing, a hold, proposal or conflict is open, or an order of
events is wrong; "permanent" only when every backup set was seen to be gone; without an amendment signed by both, S2
28.1 covers backups too and is shown as breached from day 16, never hidden. Exclusions are a closed list; "needed by the
supplier" does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.errors import Rejected
from services.compliance.domain.obligations import Standing, standing, standings
from services.compliance.domain.order import before, named, waits_for
from services.compliance.domain.refusals import (
    ACCESS,
    ACTIVE,
    CORRECTION,
    DELIVERY,
    EXPIRED,
    REDELETION,
    REVOCATION,
    STATUS,
    Asked,
    Former,
    Known,
    Refusal,
    gates,
    refusals,
    refused,
    silence_deleted,
)

__all__ = [
    "ACCESS", "ACTIVE", "CORRECTION", "DELIVERY", "EXPIRED", "REDELETION", "REVOCATION", "SERIES", "STATUS",
    "Asked", "Former", "Known", "Refusal", "Standing", "before", "check_controller", "gates", "named", "number",
    "record_of", "refusals", "refused", "series", "silence_deleted", "standing", "standings", "waits_for",
]  # fmt: skip
SERIES = {"rehearsal": "ØV", "production": "SB"}


def series(kind: str, stage: str) -> str:
    """Name the series of numbers: rehearsals have their own (evidence.md §1.10), and so have status letters."""
    return f"{SERIES[kind]}-ST" if stage == STATUS else SERIES[kind]


def number(kind: str, serial: int, stage: str = ACTIVE) -> str:
    """Write a document's number in its series."""
    return f"{series(kind, stage)}-{serial:06d}"


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


def record_of(wire: str, data: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Pick what a certificate may name and the log may not: titles of systems, wording of the newest plan's rules."""
    if wire == "orders.order_placed":
        titles = [{"system": one["system"], "title": one["title"]} for one in data["systems"]]
        return {"customer_cvr": data["customer_cvr"], "titles": titles}
    if data["version"] < known.get("plan_version", 0):
        return {"plan_version": known["plan_version"]}
    rules = [{name: one[name] for name in ("id", "clause", "rule")} for one in data["obligations"]]
    return {"rules": rules, "plan_version": data["version"]}

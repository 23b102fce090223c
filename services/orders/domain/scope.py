"""What an exit ends: the whole agreement, or services of it (S2 15.6.1, 27.2).

Rules kept: a system is named once; the case index is for municipalities (T19); a partial exit names services of the
agreement and their last day, every system that only they need and no other, and leaves a Kerneydelse (15.6.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from services.orders.domain.agreements import Agreement
from services.orders.domain.records import Body
from services.orders.domain.refusals import all_among, each_once, in_order, refuse

MUNICIPAL = ("DAGTILBUDSREGISTRET", "SAGSINDEKSET")
INDEX = "index"


def check_scope(agreement: Agreement, data: Body) -> None:
    """Refuse an order whose systems, services or last day do not fit together."""
    _check_systems(agreement, data["systems"])
    if data["scope"] == "partial":
        _check_partial(agreement, data)
        return
    for field in ("services", "ends_on"):
        if data[field]:
            raise refuse(
                "SCOPE_WHOLE", field, f"an exit from the whole agreement has no {field} (S2 27.2)",
                "leave it out, or order with scope partial",
                f"Et exit fra hele aftalen har ikke {field} (S2 27.2). Udelad det, eller bestil delvist.",
            )  # fmt: skip


def check_one_left(agreement: Agreement, services: Sequence[str]) -> None:
    """Refuse LAST_CORE_SERVICE where no Kerneydelse is left (S2 15.6.1), partial exits finally ordered included."""
    gone = {*services, *(each for placed in agreement.placed for each in placed.services)}
    if not any(each.kind == "core" and each.service not in gone for each in agreement.services):
        raise refuse(
            "LAST_CORE_SERVICE", "services", "no core service would be left (S2 15.6.1)",
            "leave one out, or order the exit from the whole agreement",
            "Der skal være mindst én Kerneydelse tilbage (S2 15.6.1). Bestil ellers exit fra hele aftalen.",
        )  # fmt: skip


def _check_partial(agreement: Agreement, data: Body) -> None:
    services, ends_on = data["services"], data["ends_on"]
    if not services or ends_on is None:
        field = "ends_on" if services else "services"
        raise refuse(
            "PARTIAL_INCOMPLETE", field, f"a partial exit names its services and their last day: {field} is missing "
            "(S2 15.6.1, 27.2)", f"give {field}", f"Et delvist exit skal angive {field} (S2 15.6.1, 27.2).",
        )  # fmt: skip
    all_among("SERVICE_UNKNOWN", "services", services, [each.service for each in agreement.services])
    each_once("SERVICE_TWICE", "services", "", services)
    check_one_left(agreement, services)
    _check_last_day(agreement, ends_on)
    _check_their_systems(agreement, services, [each["system"] for each in data["systems"]])


def _check_last_day(agreement: Agreement, ends_on: date) -> None:
    if agreement.takeover_day and agreement.agreement_end:
        in_order("takeover_day", agreement.takeover_day, "ends_on", ends_on, strict=True)
        in_order("ends_on", ends_on, "agreement_end", agreement.agreement_end, field="ends_on")


def _check_their_systems(agreement: Agreement, services: Sequence[str], systems: Sequence[str]) -> None:
    """Refuse systems of the services that stay (SYSTEM_STILL_USED), unknown ones and missing ones (S2 28.1)."""
    theirs = agreement.systems_of(services)
    kept = agreement.systems_of([each.service for each in agreement.services if each.service not in services])
    all_among("SYSTEM_UNKNOWN", "systems", systems, theirs)
    for number, system in enumerate(systems):
        if system in kept:
            raise refuse(
                "SYSTEM_STILL_USED", f"systems.{number}.system", f"{system} also gives a service that stays "
                "(S2 15.6.1)", "leave the system out", f"{system} bruges af en ydelse, som fortsætter (S2 15.6.1).",
            )  # fmt: skip
    missing = ", ".join(sorted(theirs - kept - set(systems)))
    if missing:
        raise refuse(
            "SYSTEMS_MISSING", "systems", f"the services end with these systems too: {missing} (S2 28.1)",
            "name them in the order", f"Ydelserne omfatter også: {missing} (S2 28.1).",
        )  # fmt: skip


def _check_systems(agreement: Agreement, systems: Sequence[Body]) -> None:
    if not systems:
        raise refuse(
            "SYSTEMS_MISSING", "systems", "the order names no system (S2 28.1)", "name the systems of the map",
            "Bestillingen nævner ingen systemer (S2 28.1).",
        )  # fmt: skip
    each_once("SYSTEM_TWICE", "systems", "system", [each["system"] for each in systems])
    for number, each in enumerate(systems):
        if each["deletion"] == INDEX and agreement.customer_type != "municipality":
            raise refuse(
                "SYSTEM_NOT_APPLICABLE", f"systems.{number}.system", "only municipalities have the case index (S1 §6)",
                "leave the system out", "Kun kommuner har sagsindekset (S1 §6).",
            )  # fmt: skip

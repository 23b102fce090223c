"""Agreements: what may be registered, and when the takeover is approved.

Rules kept:
1. Both parties have a valid CVR, each its own; KOMBIT's test authorities only in demo and test mode.
2. in_force ≤ takeover ≤ today, takeover < agreement_end; the takeover day is the day of the customer's written approval
   (S2 1) and never computed. The agreement's end may be left to the profiles (S2 27.1: 72 months after it).
3. An amendment counts only when both parties signed it (S2 15.1), and not in the future.
4. Numbers are those that the profiles take from the annexes; only an overlay of the agreement needs a lawyer.
5. A service is named once, with its systems (S2 15.6.1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from services.orders.domain.records import Amendment, Body, Placed, Record, Service
from services.orders.domain.refusals import all_among, among, each_once, in_order, not_ahead, refuse
from shared.rules.cvr import is_cvr
from shared.rules.plan import PlanFacts, anchor_date
from shared.rules.profiles import Profile

BOTH = ("customer", "supplier")


@dataclass(frozen=True, slots=True)
class Agreement(Record):
    """An agreement as it stands; `extensions` counts those accepted (S2 27.1); `placed`: exits finally ordered."""

    agreement_id: str
    reference: str
    customer_cvr: str
    customer_name: str
    customer_type: str
    supplier_cvr: str
    supplier_name: str
    profiles: tuple[str, ...]
    dpa_reference: str
    in_force_on: date
    takeover_day: date | None
    agreement_end: date | None
    framework_end: date | None = None
    amendments: tuple[Amendment, ...] = ()
    numbers: dict[str, int] = field(default_factory=dict)
    lawyer_confirmed: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    extensions: int = 0
    placed: tuple[Placed, ...] = ()

    @property
    def amended(self) -> frozenset[str]:
        """Give the kinds of amendment that both parties signed."""
        return frozenset(amendment.kind for amendment in self.amendments)

    @property
    def anchors(self) -> dict[str, date]:
        """Give the dates that the agreement fixes, by anchor."""
        given = {
            "in_force": self.in_force_on,
            "takeover": self.takeover_day,
            "K": self.agreement_end,
            "framework_end": self.framework_end,
        }
        return {name: day for name, day in given.items() if day}

    def systems_of(self, services: Sequence[str]) -> frozenset[str]:
        """Give the systems that these services are given by."""
        return frozenset(system for each in self.services if each.service in services for system in each.systems)


def agreement_id(supplier_cvr: str, reference: str) -> str:
    """Give an agreement's opaque id: one agreement for one supplier's reference."""
    return "agreement-" + hashlib.sha256(f"{supplier_cvr}/{reference}".encode()).hexdigest()[:24]


def register(data: Body, profiles: Sequence[Profile], today: date, *, allow_test: bool) -> Agreement:
    """Make an agreement of its command; raise Rejected naming the field."""
    _check_parties(data, allow_test=allow_test)
    _check_profiles(data, profiles)
    for number, amendment in enumerate(data["amendments"]):
        _check_amendment(f"amendments.{number}", amendment, today)
    _check_services(data["services"])
    customer, supplier = data["customer"], data["supplier"]
    agreement = Agreement.of(
        data,
        agreement_id=agreement_id(supplier["cvr"], data["reference"]),
        customer_cvr=customer["cvr"],
        customer_name=customer["name"],
        supplier_cvr=supplier["cvr"],
        supplier_name=supplier["name"],
        amendments=tuple(map(Amendment.of, data["amendments"])),
        services=tuple(map(Service.of, data["services"])),
    )
    _check_end(agreement, profiles)
    return _taken_over(agreement, profiles, today) if agreement.takeover_day else agreement


def approve_takeover(agreement: Agreement, data: Body, profiles: Sequence[Profile], today: date) -> Agreement:
    """Take the customer's written approval of the takeover (S2 1), once."""
    if agreement.takeover_day:
        raise refuse(
            "TAKEOVER_KNOWN", "takeover_day", f"the takeover was approved on {agreement.takeover_day} (S2 1)",
            "use the day that was approved", f"Overtagelsen er godkendt den {agreement.takeover_day} (S2 1).",
        )  # fmt: skip
    return _taken_over(replace(agreement, takeover_day=data["takeover_day"]), profiles, today)


def _taken_over(agreement: Agreement, profiles: Sequence[Profile], today: date) -> Agreement:
    """Check the takeover day, and let the profiles give the end that the agreement leaves to them (S2 27.1)."""
    takeover = agreement.takeover_day or today
    not_ahead("takeover_day", takeover, today)
    in_order("in_force_on", agreement.in_force_on, "takeover_day", takeover)
    end = agreement.agreement_end or _derived_end(agreement, profiles)
    if end:
        in_order("takeover_day", takeover, "agreement_end", end, strict=True)
    return replace(agreement, agreement_end=end)


def _derived_end(agreement: Agreement, profiles: Sequence[Profile]) -> date | None:
    return anchor_date(profiles, PlanFacts(agreement.anchors, numbers=agreement.numbers), "K")


def _check_end(agreement: Agreement, profiles: Sequence[Profile]) -> None:
    """Refuse an agreement whose end neither it nor a profile can ever give."""
    if agreement.agreement_end:
        in_order("in_force_on", agreement.in_force_on, "agreement_end", agreement.agreement_end, strict=True)
    elif not _derived_end(replace(agreement, takeover_day=agreement.in_force_on), profiles):
        raise refuse(
            "AGREEMENT_END_MISSING", "agreement_end", "no profile of the agreement gives its last day (S2 27.1 does)",
            "give agreement_end", "Ingen af aftalens profiler giver kontraktophør (det gør S2 27.1). Angiv datoen.",
        )  # fmt: skip


def _check_parties(data: Body, *, allow_test: bool) -> None:
    for party in BOTH:
        if not is_cvr(data[party]["cvr"], allow_test=allow_test):
            raise refuse("CVR_INVALID", f"{party}.cvr", "the CVR number is not valid", "check the eight digits", CVR_DA)
    if data["customer"]["cvr"] == data["supplier"]["cvr"]:
        raise refuse(
            "PARTY_TWICE", "supplier.cvr", "customer and supplier are the same", "give each party its own CVR number",
            "Kunde og leverandør har samme CVR-nummer.",
        )  # fmt: skip


def _check_profiles(data: Body, profiles: Sequence[Profile]) -> None:
    if not any(profile.activities for profile in profiles):
        raise refuse(
            "PROFILE_WITHOUT_ACTIVITIES", "profiles", "no profile of the agreement gives activities",
            "add the profile of the standard exit model", "Ingen af aftalens profiler har aktiviteter.",
        )  # fmt: skip
    parameters = {name for profile in profiles for name in profile.parameters}
    for name in data["numbers"]:
        among("NUMBER_UNKNOWN", f"numbers.{name}", name, parameters)
    overlays = {profile.name for profile in profiles if profile.warns}
    all_among("OVERLAY_UNKNOWN", "lawyer_confirmed", data["lawyer_confirmed"], overlays)


def _check_amendment(where: str, amendment: Body, today: date) -> None:
    if set(amendment["signed_by"]) != set(BOTH):
        raise refuse(
            "AMENDMENT_NOT_SIGNED", f"{where}.signed_by", "an amendment counts when both parties signed it (S2 15.1)",
            "let both sign it", "Et ændringstillæg skal være underskrevet af begge parter (S2 15.1).",
        )  # fmt: skip
    not_ahead(f"{where}.signed_on", amendment["signed_on"], today)


def _check_services(services: Sequence[Body]) -> None:
    each_once("SERVICE_TWICE", "services", "service", [each["service"] for each in services])
    for number, each in enumerate(services):
        if not each["systems"]:
            raise refuse(
                "SYSTEMS_MISSING", f"services.{number}.systems", "the service names no system (S2 15.6.1)",
                "name the systems that give the service", "Ydelsen nævner intet system (S2 15.6.1).",
            )  # fmt: skip
        each_once("SYSTEM_TWICE", f"services.{number}.systems", "", each["systems"])


CVR_DA = "CVR-nummeret er ikke gyldigt."

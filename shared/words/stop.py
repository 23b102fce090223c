"""What is said of a stop: what happened, what to do about it, and who has to act first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stop:
    """What happened and what to do, in Danish and in English; `who` has to act first (an area of duty)."""

    who: str
    what: tuple[str, str]
    todo: tuple[str, str]


WHO = {
    "operator": ("Leverandørens operatør", "The supplier's operator"),
    "officer": ("Leverandørens sletteansvarlige", "The supplier's deletion officer"),
    "approvers": ("De to godkendere", "The two approvers"),
    "map": ("Den, der har systemkortet", "Whoever keeps the system map"),
    "holder": ("Den, der satte slettestoppet", "Whoever placed the hold"),
    "attester": ("Den, der skal bevidne", "Whoever has to attest"),
}
AGAIN = ("Godkend den nye forhåndsvisning.", "Approve the new preview.")

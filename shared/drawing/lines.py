"""A line of a coverage report and its words: what becomes of one place, with how many rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DISPOSITIONS = {
    "deleted": ("slettes", "deleted"),
    "shared": ("fælles, slettes ikke", "shared, not deleted"),
    "excluded": ("undtaget", "excluded"),
    "attested": ("erklæres af mennesker", "attested by people"),
    "suspended": ("udsat", "suspended"),
    "undecided": ("MANGLER", "UNDECIDED"),
    "unreachable": ("IKKE NÅET", "UNREACHABLE"),
}


@dataclass(frozen=True, slots=True)
class Coverage:
    """One line of the report: what becomes of a place with how many rows of the tenant and of all, or what is wrong.

    `unowned`: rows that no tenant is found for, and `without_tenant` what the map says that they are; `references`: the
    places that its foreign keys refer to. A line without a place is about the whole system.
    """

    system: str
    place: str
    disposition: str
    reason: str = ""
    delivered: bool = False
    rows: int = 0
    unowned: int = 0
    without_tenant: str = ""
    total: int = 0
    references: tuple[str, ...] = ()
    code: str = ""
    field: str = ""
    remedy: str = ""


def told(line: Coverage, language: str = "da") -> str:
    """Say what becomes of a place, and why or what is wrong."""
    why = line.code or line.reason
    return word(line.disposition, language).split(",")[0] + (f": {why}" if why else "")


def verdict(lines: Sequence[Coverage], language: str = "da") -> str:
    """Say in one sentence whether the map covers everything."""
    findings = sum(bool(line.code) for line in lines)
    if findings:
        return f"{findings} findings" if language == "en" else f"{findings} mangler"
    whole = ("Kortet dækker alt, hvad systemerne indeholder.", "The map covers everything that the systems hold.")
    return whole[language == "en"]


def word(disposition: str, language: str = "da") -> str:
    """Give a disposition's word."""
    return DISPOSITIONS[disposition][language == "en"]


def number(count: int, language: str = "da") -> str:
    """Write a number as it is read in Danish, or in English."""
    return f"{count:,}" if language == "en" else f"{count:,}".replace(",", ".")

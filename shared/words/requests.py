"""Requests for people: what was asked for, by which clause, and how it stands. Danish first. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.words.certificates import STAGES
from shared.words.stops import LANGUAGES

Row = Mapping[str, Any]
WHAT = {
    "CERTIFICATE": ("Slettebevis", "Certificate"),
    "STATUS": ("Statusbrev", "Status letter"),
    "DOCUMENTATION": ("Dokumentation", "Documentation"),
}
SUBJECTS = {
    "DELETION": ("sletningen i alle systemer", "the deletion in every system"),
    "BACKUPS": ("sletning af backups", "the deletion of backups"),
    "ACCESS": ("lukning af adgange", "the closing of access"),
    "DELIVERY": ("udleveringen", "the delivery"),
    "INSTRUCTION": ("instruksen", "the instruction"),
    "DELETION_PERIODS": ("slettefrister, og hvem der satte dem", "deletion periods and who set them"),
    "APPROVALS": ("godkendelser", "approvals"),
    "SUB_PROCESSORS": ("underdatabehandlere", "sub-processors"),
    "SECURITY": ("informationssikkerhed", "information security"),
    "PROCESSING": ("behandlingen i øvrigt", "the processing as such"),
    "OTHER": ("andet forhold", "another matter"),
}
BASES = {
    "S2-13-a": ("S2 13 (10 Arbejdsdage)", "S2 13 (10 working days)"),
    "S2-28.1-d": ("S2 28.1 (på anmodning)", "S2 28.1 (on request)"),
    "GDPR-28.3.h": ("GDPR art. 28, stk. 3, litra h", "GDPR Art. 28(3)(h)"),
}
STATES = {
    "open": ("Åben", "Open"),
    "overdue": ("Fristen er overskredet", "Overdue"),
    "status_given": ("Status givet, bevis følger", "Status given, certificate follows"),
    "answered": ("Besvaret", "Answered"),
    "refused": ("Afvist", "Refused"),
    "withdrawn": ("Trukket tilbage", "Withdrawn"),
}
REASONS = {
    "DUPLICATE": ("samme anmodning er stillet før", "the same was asked before"),
    "NOT_OF_THIS_EXIT": ("vedrører ikke dette exit", "it does not concern this exit"),
    "NOT_HELD": ("Leverandøren har ingen sådan dokumentation", "the supplier holds no such documentation"),
}
WAITING = ("open", "overdue")


def word(table: Mapping[str, tuple[str, str]], key: str, language: str) -> str:
    """Give a word of one of these tables."""
    return table[key][LANGUAGES.index(language)]


def asked(row: Row, language: str) -> str:
    """Write what a request asks for."""
    what = word(WHAT, row["what"], language)
    if row["stage"]:
        named = STAGES.get(row["stage"])
        return f"{named[LANGUAGES.index(language)]} ({row['stage']})" if named else f"{what}, {row['stage']}"
    return f"{what}: {word(SUBJECTS, row['subject'], language)}" if row["subject"] else what


def state(row: Row, language: str) -> str:
    """Write how a request stands; what came late says so, and what waits for the end of a force majeure."""
    late, still = (("for sent", "uret står stille"), ("late", "the clock stands still"))[LANGUAGES.index(language)]
    name = word(STATES, row["state"], language)
    if row.get("suspended"):
        return f"{name} ({still})"
    return f"{name} ({late})" if row["late"] and row["state"] not in ("overdue", "withdrawn") else name

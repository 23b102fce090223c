"""The words of an answer to a request, Danish and English; nothing but what the answer's closed fields say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.words.requests import REASONS, word

Both = dict[str, str]
NOT_PERMANENT: Both = {
    "da": "Data er ikke permanent slettet: {why}.",
    "en": "Data are not permanently deleted: {why}.",
}
OWED: dict[str, Both] = {
    "OPEN": {"da": " S2 28.1 står fortsat åben.", "en": " S2 28.1 stays open."},
    "BREACHED": {"da": " S2 28.1 er OVERTRÅDT og står fortsat åben.", "en": " S2 28.1 is BREACHED and stays open."},
    "BACKUPS_OPEN": {
        "da": " S2 28.1 står fortsat åben for backups, som et ændringstillæg giver en frist for sig.",
        "en": " S2 28.1 stays open for the backups, to which an amendment gives a day of their own.",
    },
}
_WHY: dict[str | None, Both] = {
    None: {
        "da": "intet slettebevis dækker endnu alle systemer",
        "en": "no deletion certificate covers every system yet",
    },
    "ACTIVE-DELETED": {
        "da": "de aktive systemer er slettet, men backups er ikke konstateret fjernet",
        "en": "the live systems are deleted, but the backups have not been seen to be gone",
    },
    "BACKUP-EXPIRED": {
        "da": "backups indgik ikke i øvelsen",
        "en": "no backups were in the rehearsal",
    },
}
_THIS_STAGE: Both = {
    "da": "Dette trin er ikke bevis for permanent sletning.",
    "en": "This stage is no proof of permanent deletion.",
}
_FORMS: dict[str, Both] = {
    "CERTIFICATE": {
        "da": "Besvaret med slettebevis, trin {stage}.",
        "en": "Answered by certificate, stage {stage}.",
    },
    "STATUS": {
        "da": "Status: nået trin {stage}. Dette er ikke et slettebevis.",
        "en": "Status: stage reached {stage}. This is no deletion certificate.",
    },
    "EVIDENCE": {
        "da": "Besvaret med {count} poster i bevisloggen.",
        "en": "Answered by {count} entries of the evidence log.",
    },
    "DOCUMENT": {
        "da": "Besvaret med dokument, SHA-256 {digest}.",
        "en": "Answered by a document, SHA-256 {digest}.",
    },
    "REFUSAL": {"da": "Afvist: {reason}.", "en": "Refused: {reason}."},
    "WITHDRAWAL": {"da": "Trukket tilbage af Kunden.", "en": "Withdrawn by the customer."},
}
_UNMET: Both = {"da": " Mangler: {codes}.", "en": " Missing: {codes}."}


def said(answer: Mapping[str, Any]) -> Both:
    """Write an answer in both languages."""
    return {language: _said(answer, language) for language in ("da", "en")}


def _said(answer: Mapping[str, Any], language: str) -> str:
    none = {"da": "ingen", "en": "none"}[language]
    reason = word(REASONS, answer["reason"], language) if answer["reason"] else ""
    text = _FORMS[answer["form"]][language].format(
        stage=answer["stage"] or none, count=len(answer["evidence"]), digest=answer["document_digest"], reason=reason
    )
    if answer["form"] in ("CERTIFICATE", "STATUS") and not answer["permanent"]:
        why = _WHY.get(answer["stage"])
        text += " " + (NOT_PERMANENT[language].format(why=why[language]) if why else _THIS_STAGE[language])
        text += OWED.get(answer["owed"], {}).get(language, "")
    return text + (_UNMET[language].format(codes=", ".join(answer["unmet"])) if answer["unmet"] else "")

"""The words that the pages of certificates and letters have for codes: Danish first, English beside it.

Rules kept: a code without words stands as it is; a reason from the closed list keeps its code beside its words, so that
the page can be held against the machine form; what was done below the rows is told in the product's one set of words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contracts.roles import TITLES_DA, TITLES_EN
from services.compliance.documents.texts_stages import REASONS
from shared.words import below

LANGUAGES = ("da", "en")
Row = Mapping[str, Any]
LABELS: dict[str, tuple[str, str]] = {
    "deleted": ("slettet", "deleted"),
    "absent_verified": ("konstateret tomt", "verified absent"),
    "excluded": ("undtaget", "excluded"),
    "suspended": ("udskudt", "suspended"),
    "open": ("åben", "open"),
    "attested": ("erklæret", "attested"),
    "both": ("leveret og slettet", "delivered and deleted"),
    "deleted_not_delivered": ("slettet, ikke leveret", "deleted, not delivered"),
    "delivered_not_deleted": ("leveret, ikke slettet", "delivered, not deleted"),
    "changed_after_extract": ("ændret efter udtræk", "changed after extract"),
    "GONE": ("væk", "gone"),
    "KEY_DESTROYED": ("nøglen destrueret", "key destroyed"),
    "PACKAGE": ("pakke", "package"),
    "WORK_FILES": ("arbejdsfiler", "work files"),
    "POSITIONS": ("udtrækkets stader", "positions of the extract"),
    "OWN_BACKUP": ("backup af Ophør", "backup of Ophør"),
    "PRESENT": ("findes endnu", "still there"),
    "ERROR": ("kunne ikke ses", "could not be seen"),
    "NOT_LOOKED": ("ikke set efter endnu", "not looked for yet"),
    "met": ("opfyldt", "met"),
    "breached": ("OVERTRÅDT", "BREACHED"),
    "pending": ("åben", "open"),
    "at_risk": ("i fare", "at risk"),
    "INSTRUCTION": ("den dataansvarliges instruks", "the controller's instruction"),
    "LAW": ("lov eller kendelse", "law or court order"),
    "DATA_SUBJECT_REQUEST": ("den registreredes anmodning", "a data subject's request"),
    "closed": ("lukket", "closed"),
    "frozen": ("frosset", "frozen"),
    "operations_end": ("Driftsophør", "End of operations"),
    "agreement_end": ("Kontraktophør", "End of agreement"),
    "delivery_accepted": ("Leverance godkendt", "Delivery accepted"),
    "deletion_due": ("Sletning senest", "Deletion due"),
    "deletion_done": ("Sletning efterprøvet", "Deletion verified"),
    "backups_due": ("Backup senest væk", "Backups due"),
    "backups_gone": ("Backup konstateret fjernet", "Backups seen to be gone"),
    "ANNOUNCED": ("anmeldt", "announced"),
    "SCHEDULED": ("fundet ved eftersyn", "found on schedule"),
    "supplier-seal": ("Leverandørens segl", "Supplier's seal"),
    "compliance": ("Compliance", "Compliance"),
    "delete": ("slettede rækker", "rows deleted"),
    "manual (attested), not verified by us": (
        "manuelt (erklæret), ikke efterprøvet af os",
        "manual (attested), not verified by us",
    ),
    "SOFTWARE_REMOVED": ("software fjernet", "software removed"),
    "LICENCE_WITHDRAWN": ("licens trukket tilbage", "licence withdrawn"),
    "MEDIA_SANITISED": ("medier saneret", "media sanitised"),
    "SUBPROCESSOR_CONFIRMED": ("bekræftet slettet af underdatabehandler", "deletion confirmed by sub-processor"),
    "DATA_LEFT_WITH_CUSTOMER": ("data bliver hos Kunden", "data left with the customer"),
    "NOT_USED": ("ikke anvendt", "not used"),
    "supplier": ("Leverandøren", "the supplier"),
    "customer": ("Kunden", "the customer"),
    "subprocessor": ("underdatabehandleren", "the sub-processor"),
    "not_worth_keeping": ("ikke bevaringsværdigt", "not worth keeping"),
    "delivered_and_approved": ("afleveret og godkendt", "delivered and approved"),
    "handed_to_customer": ("udleveret til Kunden", "handed to the customer"),
    "option_after_end": ("option efter ophør", "option after the end"),
    "access_withdrawn": ("adgang trukket tilbage", "access withdrawn"),
    "operations_stopped": ("drift stoppet", "operations stopped"),
    "software_removed": ("software fjernet", "software removed"),
    "access_closed": ("adgang lukket", "access closed"),
    "error": ("kunne ikke ses", "could not be seen"),
    "drop": ("hele stedet fjernet", "whole place dropped"),
    "truncate": ("hele stedet tømt", "whole place emptied"),
    "part": ("lejerens del af stedet fjernet", "tenant's part of the place removed"),
    "successor": ("ny leverandør", "the successor"),
    "tenant": ("Kundens", "the customer's"),
    "shared": ("fælles koder (kopi)", "shared codes (copy)"),
    "controller": ("dataansvarlig", "controller"),
    "processor": ("databehandler", "processor"),
    "agreement": ("aftale", "agreement"),
    "approvals": ("godkendelser", "approvals"),
    "dates": ("datoer", "dates"),
    "systems": ("systemer", "systems"),
    "backups": ("backup", "backups"),
    "access": ("adgang", "access"),
    "delivery": ("leverance", "delivery"),
    "scope": ("omfang", "scope"),
    "obligations": ("forpligtelser", "obligations"),
    "holds": ("tilbageholdelser", "holds"),
    "attestations": ("erklæringer", "attestations"),
    "not_covered": ("ikke dækket", "not covered"),
    "not_done": ("ikke udført", "not done"),
    "C7": ("sagsindekset", "the case index"),
    "D2": ("løsningen #1", "solution #1"),
    "D3b": ("dele uden opslagsadgang", "parts without look-up access"),
    "D7a": ("den centrale sletning", "the central deletion"),
    "S2-28.1-b": ("Udlevering af alt, der tilhører Kunden", "Handing over everything that is the customer's"),
    "S2-28.1-c": ("Udlevering af Kundens data i standardformat", "Handing over the data in the standard format"),
    "S2-28.1-d": ("Permanent sletning af enhver kopi", "Permanent deletion of every copy"),
    "S2-28.1-d-backups": ("Sletning i backup", "Deletion in backups"),
    "postgresql": ("PostgreSQL", "PostgreSQL"),
    "mariadb": ("MariaDB", "MariaDB"),
    "sqlite": ("SQLite", "SQLite"),
    "mongodb": ("MongoDB", "MongoDB"),
    "files": ("filer", "files"),
    "s3": ("S3", "S3"),
    "queues": ("køer", "queues"),
    "manual": ("manuelt", "manual"),
    "case_index": ("sagsindeks", "case index"),
    "DELETED": ("slettet", "deleted"),
    "ABSENT_VERIFIED": ("konstateret tomt", "verified absent"),
    "none (logical deletion)": ("ingen (logisk sletning)", "none (logical deletion)"),
    "none (attested)": ("ingen (erklæret)", "none (attested)"),
    "SHARED_CODE": ("fælles koder", "shared codes"),
    "NOT_CUSTOMER_DATA": ("ikke Kundens data", "not the customer's data"),
    "CUSTOMER_POSSESSION": ("i Kundens besiddelse", "in the customer's possession"),
    "CONTINUING_AGREEMENT": ("fortsættende aftale", "a continuing agreement"),
    "OPTION": ("option", "option"),
    "NOT_IN_REHEARSAL": ("ikke i øvelsen", "not in the rehearsal"),
    **{code: (both["da"], both["en"]) for code, both in REASONS.items()},
}
_REMAINS = ("Bytes kan stadig ligge i", "Bytes may still lie in")


def label(value: Any, language: str) -> str:
    """Give the words of a code, or the code."""
    code = str(value)
    return LABELS.get(value, (code.replace("(attested)", "(erklæret)"), code))[LANGUAGES.index(language)]


def reason(value: str, language: str) -> str:
    """Give the words of a reason from the closed list with its code or what it names: `option: S2-28.2-retention`."""
    code, named, inside = value.partition("(")
    words = label(code, language)
    if named:
        return f"{words}: {', '.join(inside.removesuffix(')').split(','))}"
    return value if words == value else f"{words} ({value})"


def role(value: str, language: str) -> str:
    """Give a role's title."""
    return (TITLES_EN if language == "en" else TITLES_DA).get(value, value)


def below_each(rows: Sequence[Row], language: str) -> list[str]:
    """Say of a system's places what was done below their rows, places with one answer together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        groups.setdefault((below.answer(row, language), below.remains(row, language)), []).append(row["place"])
    return [_group(answer, left, names if len(groups) > 1 else [], language)
            for (answer, left), names in groups.items()]  # fmt: skip


def _group(answer: str, left: str, names: list[str], language: str) -> str:
    where = f" ({', '.join(names)})" if names else ""
    return f"{answer}{where}." + (f" {_REMAINS[LANGUAGES.index(language)]} {left}." if left else "")


def below_all(systems: Iterable[Row], language: str) -> str:
    """Count what was done below the rows of all systems: places by answer; empty where nothing is told of it."""
    count: dict[str, int] = {}
    for row in (row for system in systems for row in system.get("physical", ())):
        count[row["answer"]] = count.get(row["answer"], 0) + 1
    words = {code: said[LANGUAGES.index(language)] for code, said in below.ANSWERS.items()}
    return "; ".join(f"{words[code]}: {count[code]}" for code in words if code in count)

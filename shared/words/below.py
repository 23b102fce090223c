"""What was done below the rows of a place, in words (ADR 0011). Pure, from the wire's rows.

Rules kept here: a figure is the engine's own and told with its unit; an answer that says cleaned never stands without
where bytes may still lie; a reason that has no words stands as its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.words.stops import LANGUAGES, STOPS, stop_words

Row = Mapping[str, Any]
ANSWERS = {
    "CLEANED": ("Renset", "Cleaned"),
    "HELD": ("Renset, men gamle versioner holdes fast", "Cleaned, but old versions are held"),
    "ERROR": ("Ikke renset", "Not cleaned"),
    "NOT_OFFERED": ("Kan ikke renses herfra", "Cannot be cleaned from here"),
    "NOT_ASKED": ("Rensning er ikke bestilt i kortet", "The map asks for no cleaning"),
}
REASONS = {
    "OPEN_SNAPSHOT": ("en åben transaktion", "an open transaction"),
    "PREPARED_TRANSACTION": ("en forberedt transaktion", "a prepared transaction"),
    "REPLICATION_SLOT": ("en replikationsslot", "a replication slot"),
    "REPLICA_HOLDS": ("en replika", "a replica"),
    "HISTORY_WINDOW": ("serverens eget historikvindue", "the server's own history window"),
    "PURGE_BEHIND": ("databasens oprydning er bagud", "the engine's purge is behind"),
    "FULLTEXT_ONLY": ("serveren optimerer kun fuldtekst", "the server optimises full text only"),
    "PLACE_GONE": ("stedet findes ikke mere", "the place is gone"),
    "EFFECT_NOT_SEEN": ("virkningen kunne ikke ses bagefter", "the effect could not be seen afterwards"),
}
UNITS = {
    "rows": ("døde rækker", "dead rows"),
    "bytes": ("ledige bytes", "unused bytes"),
    "transactions": ("transaktioner", "transactions"),
}
REMAINS = {
    "FREE_SPACE": ("ledig plads i filen", "unused space of the file"),
    "INDEX_KEYS": ("nøgler i indekser", "keys in indexes"),
    "STATISTICS": ("statistik", "statistics"),
    "LOG": ("databasens log", "the engine's log"),
    "REPLICAS": ("replikaer", "replicas"),
    "DISK": ("diskens frie blokke", "free blocks of the disk"),
}
WHOLE = {
    "drop": ("stedet selv fjernes", "the place itself goes"),
    "truncate": ("tømmes under ét", "is emptied at once"),
    "part": ("kundens del tømmes under ét", "the customer's part is emptied at once"),
}


def answer(row: Row, language: str) -> str:
    """Say what was done, and what stood in the way."""
    said, reason = _one(ANSWERS, row["answer"], language), row["reason"]
    return f"{said}: {_reason(reason, language)}" if reason else said


def figures(row: Row, language: str) -> str:
    """Write the engine's figures before and after with their unit; empty where nobody read any."""
    if row["unit"] is None or row["before"] is None:
        return ""
    after = "–" if row["after"] is None else _number(row["after"], language)
    return f"{_number(row['before'], language)} → {after} {_one(UNITS, row['unit'], language)}"


def remains(row: Row, language: str) -> str:
    """Name where bytes may still lie; empty where the engine was not asked."""
    return ", ".join(_one(REMAINS, each, language) for each in row["remains"])


def whole(method: str | None, language: str) -> str:
    """Say in which way a place goes as a whole; empty where its rows go batch by batch."""
    return _one(WHOLE, method, language) if method else ""


def band(row: Row, language: str) -> str:
    """Write a place's approved band, `980–1.020`; a dash where there is none."""
    least, most = row.get("least", 0), row.get("most", 0)
    return f"{_number(least, language)}–{_number(most, language)}" if most else "–"


def _reason(code: str, language: str) -> str:
    if code in REASONS or code not in STOPS:
        return _one(REASONS, code, language)
    return stop_words(code, language)[0].rstrip(".")


def _one(table: Mapping[str, tuple[str, str]], code: str, language: str) -> str:
    return table.get(code, (code, code))[LANGUAGES.index(language)]


def _number(value: int, language: str) -> str:
    return f"{value:,}".replace(",", "." if language == "da" else ",")

"""The words of what is declared on personal data breaches (GDPR Art. 33(2)), Danish and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LANGUAGES = ("da", "en")
ANSWERS = {
    "NONE_KNOWN": ("intet brud kendes", "no breach known"),
    "BREACH": ("brud", "breach"),
    "NO_BREACH": ("vurderet: intet brud", "assessed: no breach"),
}
NATURES = {
    "CONFIDENTIALITY": ("fortrolighed", "confidentiality"),
    "INTEGRITY": ("integritet", "integrity"),
    "AVAILABILITY": ("tilgængelighed", "availability"),
}
BANDS = {
    "NONE": ("ingen", "none"),
    "UP_TO_10": ("højst 10", "up to 10"),
    "UP_TO_100": ("højst 100", "up to 100"),
    "UP_TO_1000": ("højst 1.000", "up to 1,000"),
    "UP_TO_10000": ("højst 10.000", "up to 10,000"),
    "MORE": ("flere end 10.000", "more than 10,000"),
    "UNKNOWN": ("kendes ikke", "unknown"),
}


def row(declared: Mapping[str, Any], language: str) -> list[str]:
    """Write one declaration as the cells of a table."""
    side = LANGUAGES.index(language)
    what = ANSWERS[declared["answer"]][side]
    if declared["natures"]:
        what += f" ({', '.join(NATURES[one][side] for one in declared['natures'])})"
    notified = declared["notified_at"] or "–"
    if declared["hours"] is not None:
        notified += (f" ({declared['hours']} t. efter)", f" ({declared['hours']} h later)")[side]
    bands = [BANDS[declared[name]][side] if declared[name] else "–" for name in ("subjects", "records")]
    indexes = ", ".join(str(one) for one in declared["evidence"])
    return [declared["breach_id"], f"{declared['on']} {what}", declared["aware_at"] or "–", notified, *bands, indexes]

"""From the services' answers to what the pages show: pure, values in and values out.

A state is shown as words with a mark in front, never by colour alone; whatever waits says for what and for whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

from contracts.roles import TITLES_DA
from services.gateway.texts import LANGUAGES, text
from services.gateway.words import PARTIES, STAGES, STATES

PHASES = ("order", "preparation", "window", "after")
FINISHED = frozenset({"completed", "waived", "not_chosen"})
MARKS = {"done": "✓", "active": "●", "waiting": "○", "problem": "!", "none": "–"}
APPROVER_ROLES = ("kommune_godkender", "ist_sletteansvarlig")
TITLES_EN = {
    "kommune_projektleder": "The customer's project lead",
    "kommune_dpo": "The customer's data protection officer",
    "kommune_godkender": "The customer's approver",
    "ist_projektleder": "The supplier's project lead",
    "ist_operatør": "The supplier's operator",
    "ist_sletteansvarlig": "The supplier's deletion officer",
    "ny_leverandør": "Successor",
    "revisor": "Auditor",
    "overvågning": "Monitoring",
}


@dataclass(frozen=True, slots=True)
class Badge:
    """A state for people: tone (class name), mark, words."""

    tone: str
    mark: str
    words: str


@dataclass(frozen=True, slots=True)
class Phase:
    """One of the four phases: its activities, and whether it is done, current or ahead."""

    id: str
    number: int
    activities: tuple[Mapping[str, Any], ...]
    done: int
    total: int
    state: str


def badge(state: str, language: str) -> Badge:
    """Give the badge of a state; one that is not in the list is shown as it is."""
    tone, danish, english = STATES.get(state, ("none", state, state))
    return Badge(tone, MARKS[tone], (danish, english)[LANGUAGES.index(language)])


def phases(plan: Mapping[str, Any]) -> list[Phase]:
    """Group a plan's activities; the first phase that is not finished is the current one."""
    found: list[Phase] = []
    current = True
    for number, phase in enumerate(PHASES, 1):
        rows = tuple(row for row in plan["activities"] if row["phase"] == phase)
        counted = [row for row in rows if row["state"] != "not_chosen"]
        done = sum(row["state"] in FINISHED for row in counted)
        complete = done == len(counted)
        state = "done" if complete and current else "current" if current else "ahead"
        current = current and complete
        found.append(Phase(phase, number, rows, done, len(counted), state))
    return found


def actors(row: Mapping[str, Any], language: str) -> str:
    """Name who acts: the parties of a manual activity, or the system."""
    if not row["manual"]:
        return text("by_system", language)
    return " / ".join(PARTIES.get(party, (party, party))[LANGUAGES.index(language)] for party in row["responsible"])


def activity_state(row: Mapping[str, Any]) -> str:
    """Give an activity's state for its badge: a manual one that is due awaits somebody's answer."""
    return "awaits_answer" if row["manual"] and row["state"] == "due" else str(row["state"])


def reasons(row: Mapping[str, Any], titles: Mapping[str, str], language: str) -> list[str]:
    """Say in words what an activity waits for: other activities, a date, an instruction, an archive decision."""
    if row["state"] in FINISHED:
        return []
    return [_reason(code, titles, language) for code in row["waits_for"]]


def _reason(code: str, titles: Mapping[str, str], language: str) -> str:
    name, _, detail = code.partition("(")
    detail = detail.rstrip(")")
    if name == "DATE":
        return text("wait_date", language, day=short_date(detail, language))
    if name == "ARCHIVE":
        return text("wait_archive", language, system=detail)
    if name == "INSTRUCTION":
        return text("wait_instruction", language)
    return f"{code} {titles[code]}" if code in titles else code


def acts_now(row: Mapping[str, Any]) -> bool:
    """Tell whether a person has to act on the activity now."""
    return bool(row["manual"] and row["state"] in ("due", "overdue") and not row["waits_for"])


def title(row: Mapping[str, Any], language: str) -> str:
    """Give an activity's title in the language."""
    return str(row["title_da"] if language == "da" else row["title_en"])


def role_title(role: str, language: str) -> str:
    """Give a role's title in the language."""
    return (TITLES_DA if language == "da" else TITLES_EN).get(role, role)


def stage_title(stage: str, language: str) -> str:
    """Give a certificate stage's title in the language."""
    return STAGES.get(stage, (stage, stage))[LANGUAGES.index(language)]


def long_date(value: Any, language: str) -> str:
    """Write a date in words (`1. juli 2026`); empty for None."""
    pattern = "d. MMMM y" if language == "da" else "d MMMM y"
    return format_date(_day(value), pattern, locale=language) if value else ""


def short_date(value: Any, language: str) -> str:
    """Write a date for tables (`01.07.2026`); empty for None."""
    pattern = "dd.MM.y" if language == "da" else "dd MMM y"
    return format_date(_day(value), pattern, locale=language) if value else ""


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def number(value: int, language: str) -> str:
    """Write a count with the language's thousands separator."""
    return str(format_decimal(value, locale=language))


def size(value: int, language: str) -> str:
    """Write a number of bytes in the largest unit that fits."""
    amount, unit = float(value), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):  # noqa: B007 - the last unit is used
        if amount < 1000:
            break
        amount /= 1000
    return f"{format_decimal(round(amount, 1), locale=language)} {unit}"


def totals(places: Iterable[Mapping[str, Any]], *names: str) -> dict[str, int]:
    """Add the named counts up over places."""
    rows = list(places)
    return {name: sum(int(row[name]) for row in rows) for name in names}

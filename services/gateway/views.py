"""From the services' answers to what the pages show: pure, values in and values out.

A state is shown as words with a mark in front, never by colour alone; whatever waits says for what and for whom.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

from contracts.roles import TITLES_DA, TITLES_EN
from services.gateway.texts import LANGUAGES, text
from services.gateway.words import BYPASSES, CHANGES, FACTS, PARTIES, REASONS, STAGES, STATES, WAITS

PHASES = ("order", "preparation", "window", "after")
_ISO_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")
MOST_NAMED = 6
FINISHED = frozenset({"completed", "waived", "not_chosen"})
MARKS = {"done": "✓", "active": "●", "waiting": "○", "risk": "▲", "problem": "!", "none": "–"}
APPROVER_ROLES = ("kommune_godkender", "ist_sletteansvarlig")


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


def tone_of(state: str) -> str:
    """Give the tone of a state."""
    return STATES.get(state, ("none",))[0]


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
    return parties(row["responsible"] if row["manual"] else ["system"], language)


def parties(codes: Iterable[str], language: str) -> str:
    """Name parties, each once; a role stands as its title."""
    words = (_word(PARTIES, code, language) if code in PARTIES else role_title(code, language) for code in codes)
    return " / ".join(dict.fromkeys(words))


def activity_state(row: Mapping[str, Any]) -> str:
    """Give an activity's state for its badge: a manual one that is due awaits somebody's answer."""
    return "awaits_answer" if row["manual"] and row["state"] == "due" else str(row["state"])


def reasons(row: Mapping[str, Any], titles: Mapping[str, str], language: str) -> list[str]:
    """Say in words what an activity waits for: other activities, a date, a gate, what stopped it."""
    if row["state"] in FINISHED:
        return []
    return [waits_for(code, titles, language) for code in row["waits_for"]]


def waits_for(code: str, titles: Mapping[str, str], language: str) -> str:
    """Say in words one thing that is waited for; the code of a trouble stands as it is, to be looked up."""
    if code in titles:
        return f"{code} {titles[code]}"
    name, detail = split(code)
    if name not in WAITS:
        return text("wait_trouble", language, code=code)
    if name == "DATE":
        detail = short_date(detail, language)
    elif detail == "ALL":
        detail = text("all_systems", language)
    return _word(WAITS, name, language).format(detail=detail)


def reason(code: str, language: str) -> str:
    """Say in words why an obligation stands as it does."""
    name, detail = split(code)
    return _word(REASONS, name, language).format(detail=detail)


def split(code: str) -> tuple[str, str]:
    """Split `NAME(detail)`; the detail is empty where there is none."""
    name, _, detail = code.partition("(")
    return name, detail.removesuffix(")")


def fact(code: str, language: str) -> str:
    """Say in words which fact a change comes from."""
    wire = next((wire for wire in (code, f"orders.{code}", f"scheduling.{code}") if wire in FACTS), code)
    return _word(FACTS, wire, language)


def change(what: str, language: str) -> str:
    """Say in words what of an activity changes."""
    return _word(CHANGES, what, language)


def left_to_approve(proposal: Mapping[str, Any]) -> list[str]:
    """List the parties that a proposed change still waits for."""
    return [party for party in proposal["needs"] if party not in proposal["approved_by"]]


def bypass(kind: str, language: str) -> str:
    """Say in words what kind of change in the frozen zone is asked for."""
    return _word(BYPASSES, kind, language)


def bypass_state(state: str) -> str:
    """Give the state of a change in the frozen zone for its badge."""
    return state if state == "delta_delivered" else f"bypass_{state}"


def plan_state(state: str) -> str:
    """Give a plan's state for its badge."""
    return "plan_approved" if state == "approved" else state


def changed_value(value: str | None, language: str) -> str:
    """Write one side of a change: dates as dates, codes as words, names as they are."""
    if value is None:
        return "–"
    if value in ("chosen", "not_chosen"):
        return text("yes" if value == "chosen" else "no", language)
    return _ISO_DAY.sub(lambda found: short_date(found[0], language), value)


def _word(table: Mapping[str, tuple[str, str]], code: str, language: str) -> str:
    """Give a code's word in the language; a code that has none stands as it is."""
    return table.get(code, (code, code))[LANGUAGES.index(language)]


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
    return _word(STAGES, stage, language)


def long_date(value: Any, language: str) -> str:
    """Write a date in words (`1. juli 2026`); empty for None."""
    pattern = "d. MMMM y" if language == "da" else "d MMMM y"
    return format_date(_day(value), pattern, locale=language) if value else ""


def short_date(value: Any, language: str) -> str:
    """Write a date for tables (`01.07.2026`); empty for None."""
    pattern = "dd.MM.y" if language == "da" else "dd MMM y"
    return format_date(_day(value), pattern, locale=language) if value else ""


def weekday(value: Any, language: str) -> str:
    """Write a date's day of the week; empty for None."""
    return format_date(_day(value), "EEEE", locale=language) if value else ""


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


def month(value: date, language: str) -> str:
    """Write a month for the timeline's axis (`jun. 26`)."""
    return format_date(value, "MMM yy", locale=language)


def shortened(value: str, most: int) -> str:
    """Give a text that fits in `most` characters; the whole one stands in the tables."""
    return value if len(value) <= most else value[: most - 1].rstrip() + "…"


def bar_text(row: Mapping[str, Any], language: str) -> str:
    """Say in words what an activity's bar shows."""
    days = [short_date(row[name], language) for name in ("earliest", "due") if row[name]]
    shown = badge(activity_state(row), language).words
    critical = f". {text('legend_critical', language)}" if row["critical"] else ""
    return f"{row['id']} {title(row, language)}: {'–'.join(dict.fromkeys(days))}. {shown}{critical}"


def slack(row: Mapping[str, Any], language: str) -> str:
    """Say how many days an activity can be late before its last day suffers; empty where that has no meaning."""
    days = row["slack_days"]
    if days is None or row["state"] in FINISHED:
        return ""
    named = {-1: "slack_late_one", 0: "slack_none", 1: "slack_one"}
    return text(named.get(days, "slack_late" if days < 0 else "slack"), language, days=abs(days))


def held_back(row: Mapping[str, Any], language: str) -> str:
    """Name the activities that this one holds back, the first of them and how many more; empty where there are none."""
    named, more = row["blocks"][:MOST_NAMED], len(row["blocks"]) - MOST_NAMED
    return ", ".join(named) + (text("and_more", language, count=more) if more > 0 else "")


def next_actors(row: Mapping[str, Any], language: str) -> str:
    """Name who has to act next for an activity to go on, where that is somebody else than who does it."""
    named = "" if row["state"] in FINISHED else parties(row["next_actors"], language)
    return "" if named == actors(row, language) else named


def totals(places: Iterable[Mapping[str, Any]], *names: str) -> dict[str, int]:
    """Add the named counts up over places."""
    rows = list(places)
    return {name: sum(int(row[name]) for row in rows) for name in names}

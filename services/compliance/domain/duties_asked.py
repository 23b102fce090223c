"""What the log proves of the duties that a request sets in motion (S2 3.2, 7.1, 13; GDPR Art. 28(3)(h)).

A request's last day is that of its own clock, which stands still while a force majeure lasts (S2 23, `clocks.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from services.compliance.domain.clocks import STANDS_STILL, clock, stops
from services.compliance.domain.parts import Part, of_kind
from services.compliance.evidence import Logged
from services.compliance.facts import Facts, day
from shared.rules.clocks import Stop


def asked_for(facts: Facts, today: date, wanted: Callable[[dict[str, Any]], bool]) -> list[Part]:
    """List the requests for which `wanted` holds: their own last day, and the day of the first answer."""
    first: dict[str, Logged] = {}
    for one in of_kind(facts, "REQUEST_ANSWERED"):
        first.setdefault(one.entry["request_id"], one)
    made = [one for one in of_kind(facts, "REQUEST_MADE") if wanted(one.entry)]
    return [_part(one, first.get(one.entry["request_id"]), stops(facts), today) for one in made]


def _part(made: Logged, told: Logged | None, stopped: tuple[Stop, ...], today: date) -> Part:
    met_on = day(told, "on") if told else None
    seen = clock(day(made, "on"), made.entry["basis"], stopped, min(today, met_on or today))
    kept = STANDS_STILL if seen.suspended and told is None else ""
    return Part(seen.due, met_on, (made.index, *([told.index] if told else [])), kept)


def documentation(facts: Facts, _due: date | None, today: date) -> list[Part]:
    """S2 13: every demand under it within 10 Arbejdsdage."""
    return asked_for(facts, today, lambda asked: bool(asked["basis"] == "S2-13-a"))


def demonstrated(facts: Facts, _due: date | None, today: date) -> list[Part]:
    """Art. 28(3)(h): whatever was asked for, under any clause."""
    return asked_for(facts, today, lambda asked: True)


def security_account(facts: Facts, _due: date | None, today: date) -> list[Part]:
    """S2 7.1: the account of information security, when it is asked for."""
    return asked_for(facts, today, lambda asked: bool(asked["subject"] == "SECURITY"))


def periods(facts: Facts, _due: date | None, today: date) -> list[Part]:
    """S2 3.2: deletion periods follow the instruction, and are documented when that is asked for."""
    instruction = facts.instruction
    set_ = [Part(None, day(instruction, "given_on"), (instruction.index,))] if instruction else [Part(None, None)]
    return set_ + asked_for(facts, today, lambda asked: bool(asked["subject"] == "DELETION_PERIODS"))

"""What must be attested is asked for, once a line, and again when its day draws near; one timer an exit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from contracts.system_map import SystemMap
from services.deletion import store
from services.deletion.domain import attestation
from services.deletion.domain.attestation import Line

WITHIN = timedelta(days=14)
"""How long people have where the plan names no day: what is left of the 15 Dage of S2 28.1 on the first of them."""


def wanted(systems: SystemMap, names: Iterable[str]) -> list[Line]:
    """List what must be attested of these systems by the map; one that it lacks stops the job's preview."""
    known = (systems.systems[name] for name in names if name in systems.systems)
    return [line for system in known for line in attestation.lines_of(system)]


def ask(unit: Any, exit_id: str, wanted: Sequence[Line], due_on: date | None) -> None:
    """Keep the lines, tell those that are new, and set the exit's timer; without a day, the known one or WITHIN."""
    if not wanted:
        return
    known = store.lines_of(unit, exit_id)
    due = due_on or min((line.due_on for line in known if line.due_on), default=unit.today + WITHIN)
    lines, new = attestation.asked(known, wanted, due)
    store.save_lines(unit, exit_id, lines)
    if new:
        tell(unit, exit_id, "asked", due, new)
    look_later(unit, exit_id, lines)


def tell(unit: Any, exit_id: str, state: str, due_on: date, lines: Sequence[Line]) -> None:
    """Tell open lines to those who must attest them, and, once they are late, to those above them."""
    told = {"exit_id": exit_id, "state": state, "due_on": due_on, "lines": [line_row(each) for each in lines]}
    told |= {"to": attestation.told_to(lines, state), "on": unit.today}
    unit.emit("deletion.attestations_asked", exit_id, told)


def look_later(unit: Any, exit_id: str, lines: Iterable[Line]) -> None:
    """Set the timer of the next reminder; none where nothing is open."""
    if (on := attestation.look_on(lines, unit.today)) is not None:
        told = {"exit_id": exit_id, "on": on}
        unit.at(on, "deletion.attestations_look_due", exit_id, told, f"attestations/{exit_id}")


def line_row(line: Line) -> dict[str, Any]:
    """Write a line for the wire."""
    names = ("system", "place", "subprocessor", "through", "method", "by", "owner")
    return {name: getattr(line, name) for name in names}


def come_again(unit: Any, exit_id: str) -> None:
    """Let the verifier's answer wait until people have attested; look again tomorrow, whatever was missed."""
    tomorrow = unit.today + timedelta(days=1)
    told = {"exit_id": exit_id, "on": tomorrow}
    unit.at(tomorrow, "deletion.attestations_look_due", exit_id, told, f"attestations/{exit_id}/verify")

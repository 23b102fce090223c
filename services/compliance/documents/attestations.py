"""What people attested of the systems that a certificate covers: the lines asked for, their answers, what is missing.

Rules it keeps: a line is settled only by an entry of its own in the log, of the right role, in the line's method (or
NOT_USED of a sub-processor); the first answer counts. Nobody here counted or looked: nothing of it is called verified.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any

from contracts.attesting import NOT_USED
from contracts.roles import CUSTOMER_LEAD, DELETION_OFFICER
from services.compliance.evidence import Logged
from services.compliance.facts import Facts, day

Key = tuple[str, str | None, str | None, str]
CONFIRMED, STAYS, MEDIA = "SUBPROCESSOR_CONFIRMED", "DATA_LEFT_WITH_CUSTOMER", "MEDIA_SANITISED"
ROLES = {"supplier": DELETION_OFFICER, "customer": CUSTOMER_LEAD}
ATTESTED = "attested"


def lines_of(facts: Facts, systems: Collection[str]) -> dict[Key, dict[str, Any]]:
    """Give every line that was asked for in these systems."""
    told = (line for logged in facts.asked for line in logged.entry["lines"])
    return {_key(line): line for line in told if line["system"] in systems}


def answers_of(facts: Facts, systems: Collection[str]) -> dict[Key, Logged]:
    """Give the first answer to each line of these systems."""
    found: dict[Key, Logged] = {}
    for logged in facts.given:
        if logged.entry["system"] in systems:
            found.setdefault(_key(logged.entry), logged)
    return found


def faults(facts: Facts, systems: Collection[str], places: Collection[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Give code and detail of all that is missing or wrong; `places`: those that the inventory calls attested."""
    lines, answers = lines_of(facts, systems), answers_of(facts, systems)
    asked = {(line["system"], line["place"]) for line in lines.values()}
    for system, place in sorted(set(places) - asked):
        yield "ATTESTATION_MISSING", f"{system}/{place}: nobody was asked to attest it"
    for key, line in sorted(lines.items(), key=lambda one: tuple(str(part) for part in one[0])):
        if key not in answers:
            yield (
                "SUBPROCESSOR_NOT_CONFIRMED" if line["subprocessor"] else "ATTESTATION_MISSING",
                f"{named(line)} is neither attested" + (" nor declared not used" if line["subprocessor"] else ""),
            )
        elif fault := fault_of(line, answers[key].entry):
            yield "ATTESTATION_WRONG", f"{named(line)}: {fault}"


def fault_of(line: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """Say what is wrong with an answer to a line, or nothing."""
    allowed = (line["method"], NOT_USED) if line["subprocessor"] else (line["method"],)
    if answer["role"] != ROLES[line["by"]]:
        return f"attested in the role {answer['role']}"
    if answer["answer"] not in allowed:
        return f"attested as {answer['answer']}"
    if (answer["media_class"] is not None) != (answer["answer"] == MEDIA):
        return "a class of NIST SP 800-88 belongs to sanitised media only"
    if answer["answer"] == STAYS and line["owner"] != "customer":
        return "data stay with the customer on the customer's machine only (S2 3.1)"
    return ""


def settled_on(facts: Facts, systems: Collection[str]) -> date | None:
    """Give the day of the last attestation of these systems; date.min where nothing is asked for, None while open."""
    lines, answers = lines_of(facts, systems), answers_of(facts, systems)
    if lines.keys() - answers.keys():
        return None
    return max((day(answers[key], "on") for key in lines), default=date.min)


def rows(facts: Facts, systems: Collection[str]) -> list[dict[str, Any]]:
    """List what was attested, as the statement has it; by whom is for the statement to name."""
    names = ("system", "place", "subprocessor", "through", "owner", "answer", "media_class", "digest", "done_on")
    answers = answers_of(facts, systems)
    return [
        {**{name: answers[key].entry[name] for name in names}, "attested_on": answers[key].entry["on"],
         "actor": answers[key].entry["actor"], "role": answers[key].entry["role"], "evidence": answers[key].index}
        for key in lines_of(facts, systems)
        if key in answers
    ]  # fmt: skip


def named(line: Mapping[str, Any]) -> str:
    """Name a line by the names of the map."""
    through = f" (through {line['through']})" if line["through"] else ""
    return f"{line['system']}/{line['place'] or line['subprocessor']}{through} {line['method']}"[:200]


def _key(entry: Mapping[str, Any]) -> Key:
    return entry["system"], entry["place"], entry["subprocessor"], entry["method"]

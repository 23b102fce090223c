"""What lets a deletion begin: the last package before it was accepted, or deleting was instructed of it (T10).

A receipt is for one package: it says nothing of a later one that took its place. An instruction to delete counts beside
it where it was given after the package was handed over, as the plan's gate has it; silence as instructed beforehand
(B3) is the third way, and stands in `domain/refusals`.
"""

from __future__ import annotations

from datetime import date

from services.compliance.evidence import Logged
from services.compliance.facts import Facts, day


def package_before(facts: Facts, first: int | None = None) -> Logged | None:
    """Give the last package that was handed over (before the entry `first`)."""
    return next(reversed(_of_kind(facts, "PACKAGE_DELIVERED", first)), None)


def receipt(facts: Facts, first: int | None = None) -> Logged | None:
    """Give the receipt for that package, given after it (and before the entry `first`)."""
    package = package_before(facts, first)
    given = _of_kind(facts, "DELIVERY_ACCEPTED", first) if package else []
    mine = [one for one in given if package and one.entry["package_id"] == package.entry["package_id"]]
    return next((one for one in mine if package and one.index > package.index), None)


def instructed(facts: Facts, first: int | None = None) -> Logged | None:
    """Give the instruction to delete that was given after that package was handed over."""
    package = package_before(facts, first)
    given = _of_kind(facts, "INSTRUCTION_GIVEN", first) if package else []
    told = [one for one in given if one.entry["kind"] == "delete"]
    return next((one for one in told if package and day(one, "given_on") > day(package, "on")), None)


def instructed_by(facts: Facts, on: date) -> bool:
    """Tell whether deleting was instructed by that day; by its day, for the bus keeps no order between services."""
    given = _of_kind(facts, "INSTRUCTION_GIVEN", None)
    return any(one.entry["kind"] == "delete" and day(one, "given_on") <= on for one in given)


def _of_kind(facts: Facts, kind: str, first: int | None) -> list[Logged]:
    return [one for one in facts.entries if one.kind == kind and (first is None or one.index < first)]

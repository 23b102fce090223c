"""Reasons of stage ACCESS-CLOSED: every way into the covered systems was closed, and seen to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from services.compliance.domain.refusals.base import Refusal
from services.compliance.facts import INDEX, Facts


def of_access(facts: Facts, scopes: Mapping[str, list[str]]) -> Iterator[Refusal]:
    """Tell which covered system is not shown to be closed (S1 C5, D7b); the case index has no access of its own."""
    if facts.cancelled:
        yield Refusal("EXIT_CANCELLED", "the exit was cancelled")
    covered = [one for activity, systems in scopes.items() if activity != INDEX for one in systems]
    if scopes and not covered:
        yield Refusal("ACCESS_EMPTY", "the scopes have no system with access of its own")
    for system in covered:
        yield from _of_one(facts, system)


def _of_one(facts: Facts, system: str) -> Iterator[Refusal]:
    logged, line = facts.access.get(system, (None, None))
    if logged is None or line is None:
        yield Refusal("ACCESS_NOT_CLOSED", f"{system}: nothing is known of its access")
    elif line["state"] != "closed":
        yield Refusal("ACCESS_NOT_CLOSED", f"{system}: access is {line['state']}")
    elif not line["verified"]:
        yield Refusal("ACCESS_NOT_VERIFIED", f"{system}: closed, and nobody looked whether it holds")
    elif line["grants"]:
        yield Refusal("GRANTS_LEFT", f"{system}: {line['grants']} grants are left")

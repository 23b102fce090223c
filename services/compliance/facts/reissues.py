"""Which certificates of an exit count: what was issued, corrected and revoked, by the log alone.

Rules it keeps: a number's highest version counts, the ones before are superseded; a revoked version never counts again,
and does not bring the one before it back. A scope is certified only by what counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.compliance.evidence import Logged


def version_of(logged: Logged) -> int:
    """Give a certificate's version; entries from before there were versions are of the first."""
    return int(logged.entry.get("version", 1))


def by_number(issued: Iterable[Logged]) -> dict[str, list[Logged]]:
    """Give every number's versions, the first one first."""
    found: dict[str, list[Logged]] = {}
    for one in issued:
        found.setdefault(one.entry["number"], []).append(one)
    return {number: sorted(versions, key=version_of) for number, versions in found.items()}


def counting(issued: Iterable[Logged], revoked: Iterable[Logged]) -> list[tuple[str, Logged]]:
    """Give (stage, entry) of each certificate that counts; a correction's stage is that of its first version."""
    withdrawn = {one.entry["statement_digest"] for one in revoked}
    numbers = by_number(issued).values()
    return [
        (versions[0].entry["stage"], versions[-1])
        for versions in numbers
        if versions[-1].entry["statement_digest"] not in withdrawn
    ]


def history(issued: Iterable[Logged], revoked: Iterable[Logged]) -> list[dict[str, Any]]:
    """List every certificate that was issued, as a status letter shows it: which of them counts, and why others not."""
    reasons = {one.entry["statement_digest"]: one.entry["reason"] for one in revoked}
    rows = []
    for number, versions in by_number(issued).items():
        for one in versions:
            digest = one.entry["statement_digest"]
            superseded = "SUPERSEDED" if one is not versions[-1] else None
            rows.append(
                {
                    "number": number,
                    "version": version_of(one),
                    "stage": versions[0].entry["stage"],
                    "activities": one.entry["activities"],
                    "statement_digest": digest,
                    "revoked": reasons.get(digest) or superseded,
                    "evidence": one.index,
                }
            )
    return sorted(rows, key=lambda row: row["evidence"])

"""What every stage's rules share: what is asked for, what is known beside the log, and a reason's form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from contracts.errors import Rejected
from services.compliance.documents import attestations
from services.compliance.facts import Facts

DELIVERY, ACCESS = "DELIVERY", "ACCESS-CLOSED"
ACTIVE, EXPIRED = "ACTIVE-DELETED", "BACKUP-EXPIRED"
REDELETION, CORRECTION, REVOCATION, STATUS = "RE-DELETION", "CORRECTION", "REVOCATION", "STATUS"
DELETE = "delete_at_k15"
TERMINAL = ("deleted", "absent_verified", "excluded", attestations.ATTESTED)
EXCLUSION = re.compile(
    r"(NOT_CUSTOMER_DATA|SHARED_CODE|CUSTOMER_POSSESSION|CONTINUING_AGREEMENT"
    r"|OPTION\([^()]+\)|INSTRUCTION\([^()]+\)|LAW\([^(),]+,[^(),]+\))\Z"
)
SUSPENSION = re.compile(r"OPTION\([^()]+\)\Z")


@dataclass(frozen=True, slots=True)
class Refusal:
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Former:
    """The certificate that a correction replaces, or a revocation withdraws: as the store and the log have it."""

    number: str
    version: int
    stage: str
    statement_digest: str
    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be certified on which day: `activities` name the scopes, none means all that are not suspended.

    A correction's `stage` is that of the certificate it replaces; `former` is what is replaced or withdrawn.
    """

    stage: str
    on: date
    activities: tuple[str, ...] = ()
    former: Former | None = None

    def scopes(self, facts: Facts) -> dict[str, list[str]]:
        """Give the systems of each scope that the certificate covers."""
        there = facts.open_scopes(self.on)
        return {name: there[name] for name in there if name in self.activities or not self.activities}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the log."""

    kind: str
    named: bool
    log_checks: bool
    held: int


def silence_deleted(facts: Facts) -> bool:
    """Tell whether the instruction to delete at silence was applied."""
    return facts.silence is not None and facts.silence.entry["silence"] == DELETE


def silence_deletes(facts: Facts) -> bool:
    """Tell whether the instruction says to delete at silence."""
    return facts.options is not None and facts.options.entry["silence"] == DELETE


def place_named(key: tuple[str, str]) -> str:
    """Name a place."""
    return f"{key[0]}/{key[1]}"[:200]


def refused(stage: str, reasons: list[Refusal]) -> Rejected:
    """Make CERTIFICATE_REFUSED with every reason in its text."""
    listed = "; ".join(f"{one.code}: {one.detail}" for one in reasons)
    return Rejected(
        "CERTIFICATE_REFUSED",
        f"{stage}: {listed}",
        field="stage",
        remedy="remove every reason and ask again",
        da=f"Beviset {stage} kan ikke udstedes: {listed}",
    )

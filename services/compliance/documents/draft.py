"""What a statement is drawn from: the log at a size, what the certificate names, and which certificate it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from services.compliance.domain import Asked, Former, Known
from services.compliance.facts import Facts
from services.compliance.signing.keys import PublicKeys


@dataclass(frozen=True, slots=True)
class Head:
    """The log at a size: `root` 32 bytes; `chain` the number of the exit's entries and the last one's leaf hash.

    `note` is the checkpoint as the log itself signed it, without cosignatures; `stamped_at` its RFC 3161 time stamp's.
    """

    size: int
    root: bytes
    chain: tuple[int, str]
    note: str = ""
    stamped_at: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What the certificate names and the log may not: parties, officials, titles, the wording of rules."""

    controller: dict[str, str]
    processor: dict[str, str]
    agreement_reference: str
    dpa_reference: str
    officials: dict[str, dict[str, str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    rules: dict[str, dict[str, str]] = field(default_factory=dict)
    named: bool = True


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything a statement is made from; a correction has the stage that it corrects, and what it replaces.

    `changed` names the sections in which a correction differs from the former version.
    """

    certificate_id: str
    stage: str
    number: str
    version: int
    issued_on: date
    facts: Facts
    record: Record
    head: Head
    keys: PublicKeys
    follows: dict[str, str] | None = None
    activities: tuple[str, ...] = ()
    former: Former | None = None
    changed: tuple[str, ...] = ()

    @property
    def known(self) -> Known:
        """Give what is known beside the log, as far as the statement may speak of it."""
        return Known(self.keys.kind, named=self.record.named, log_checks=True, held=0)

    @property
    def asked(self) -> Asked:
        """Give what is certified."""
        return Asked(self.stage, self.issued_on, self.activities, self.former)

    @property
    def scopes(self) -> dict[str, list[str]]:
        """Give the systems of each scope that the certificate covers."""
        return self.asked.scopes(self.facts)

    @property
    def covered(self) -> list[dict[str, Any]]:
        """Give the order's lines of the systems that the certificate covers."""
        mine = {system for systems in self.scopes.values() for system in systems}
        return [line for line in self.facts.systems if line["system"] in mine]


def unnamed(cvr: str) -> Record:
    """Give the record of an exit whose parties nobody named: a status letter goes out all the same, and says so."""
    nobody = {"name": "–", "address": "–", "dpo_name": "–", "dpo_email": "–"}
    return Record({"cvr": cvr, **nobody}, {"cvr": "–", **nobody}, "–", "–", named=False)

"""Below the rows: what an engine can do about versions, pages and files that its deleted rows leave behind (ADR 0011).

An optional face of a connector. Rules: nothing here changes what a query sees; `stored` needs no more than reading;
`clean` is idempotent and bounded in time; a connector without this face offers nothing. Bytes are never promised gone:
`remains` names where they may still lie, in the words of `contracts.deletion_jobs.REMAINS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

LONGEST_S = 300
"""How long one statement may clean: what takes longer is given up with a reason, the engine's own upkeep goes on."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the engine itself says of a place's unused remains: so many `held`, in `unit` (rows, bytes, transactions).

    `mark` changes when the engine has done what was asked; it is empty where the engine keeps no record of it.
    """

    held: int
    unit: str
    mark: str = ""
    remains: tuple[str, ...] = ()


@runtime_checkable
class Physical(Protocol):
    """What a connector can do below the rows; `asked` is `clean` or `rewrite`."""

    def stored(self, place: str, asked: str) -> Stored:
        """Read the engine's figures for `place`."""

    def clean(self, place: str, asked: str, *, patient: bool = True) -> str:
        """Do what the engine can (purpose `clean`); give the reason why versions are still held, or nothing.

        `patient`: wait a little for whoever holds them; somebody was waited for already, where not.
        """

"""What is rehearsed and with what: whose exit, from which systems, the desk, the clock's walk and the display."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from services.console.rehearsing import people
from services.console.rehearsing.desk import Desk
from services.console.rehearsing.progress import Progress
from services.console.rehearsing.quiet import Walk
from shared.runtime.clock import legal_date

PROFILES = ("ist-standard", "ski-02-19")


@dataclass(frozen=True, slots=True)
class BackupSet:
    """One backup set that the backup tool's own index lists."""

    system: str
    set_id: str
    taken_on: date
    expires_on: date


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What is rehearsed: whose exit, from which systems (as the order lists them), and where the data go."""

    id: str
    customer: str
    cvr: str
    tenant: str
    map_digest: str
    systems: tuple[dict[str, str], ...]
    places: tuple[dict[str, str], ...]
    drop: str
    recipient: str
    began_on: date
    backups: tuple[BackupSet, ...] = ()
    subprocessors: tuple[str, ...] = ()
    """Who else processes the data, by the map; the register of the order lists exactly these (S2 7.3, 12.2)."""

    def words(self, what: str) -> str:
        """Give the text of this rehearsal's stand-in for the document that shows `what`."""
        return f"{self.id} {what}"

    @property
    def go_live(self) -> date:
        """Give T, by `go_live` of the rehearsal's first day."""
        return go_live(self.began_on)

    @property
    def agreement_end(self) -> date:
        """Give K: the day before T."""
        return self.go_live - timedelta(days=1)

    def shown(self, what: str) -> str:
        """Give the SHA-256 of this rehearsal's stand-in for the document that shows `what`."""
        return digest(self.words(what))


@dataclass(slots=True)
class Stage:
    """What the scenario is given to act on the world with, beside the desk."""

    desk: Desk
    progress: Progress
    walk: Walk
    receive: Callable[[dict[str, Any]], str]
    sign: Callable[[dict[str, Any], str, date], None]
    now: Callable[[], datetime]
    certificates: list[dict[str, Any]] = field(default_factory=list)

    def today(self) -> date:
        """Give the simulated date in Copenhagen."""
        return legal_date(self.now())

    def read(self, wire: str, data: dict[str, Any]) -> dict[str, Any]:
        """Ask a query as somebody who may: the DPO for documents, the operator for the rest."""
        return self.desk.ask(people.DPO if wire.startswith("compliance.") else people.OPERATOR, wire, data)


def go_live(began_on: date) -> date:
    """Give T for an exit that is ordered on `began_on`: the first of the month, at least four months later."""
    return (began_on + relativedelta(months=5)).replace(day=1)


def digest(text: str) -> str:
    """Give the SHA-256 of a rehearsal's stand-in for a document."""
    return hashlib.sha256(document(text)).hexdigest()


def document(text: str) -> bytes:
    """Give a rehearsal's stand-in for a document: one line that says so."""
    return f"øvelse {text}".encode()

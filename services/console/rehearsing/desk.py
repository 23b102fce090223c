"""The desk from which people of a rehearsal call the faces, over the broker, as an internal system would.

Every command carries an id derived from the rehearsal and the step, so that running a rehearsal again repeats no
effect: the face answers a repeated command as it did the first time. While a process is down the desk waits and says
which process is missing and how to start it again.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from contracts.errors import Unavailable
from services.console.rehearsing.people import PEOPLE, Person
from shared.bus.client import Client
from shared.bus.tokens import Issuer

NAMESPACE = uuid.UUID("6f1d2c0e-7d8e-5b43-9f0c-0b5c2f8e1a77")


class Desk:
    """Calls by persons over one connection. Customers' people act for the customer `cvr`, the supplier's for all."""

    def __init__(self, client: Client, issuer: Issuer, rehearsal: str, cvr: str) -> None:
        self.rehearsal = rehearsal
        self.patience_s = 180.0
        self.on_wait: Callable[[str], None] = lambda text: None
        self._clients = {
            person.actor: client.on_behalf(issuer.acting(person.actor, [person.role], person.customers(cvr)))
            for person in PEOPLE.values()
        }

    def command_id(self, step: str) -> str:
        """Derive the id of this rehearsal's `step`; the same step has the same id in every run."""
        return str(uuid.uuid5(NAMESPACE, f"{self.rehearsal}:{step}"))

    def do(self, person: Person, wire: str, step: str, data: dict[str, Any]) -> dict[str, Any]:
        """Give a command as `person`; `step` names it once and for all in this rehearsal."""
        return self._patiently(person, wire, self.command_id(step), data)

    def ask(self, person: Person, wire: str, data: dict[str, Any]) -> dict[str, Any]:
        """Ask a query as `person`."""
        return self._patiently(person, wire, str(uuid.uuid4()), data)

    def _patiently(self, person: Person, wire: str, command_id: str, data: dict[str, Any]) -> dict[str, Any]:
        ends = time.monotonic() + self.patience_s
        while True:
            try:
                answer = self._clients[person.actor].call(wire, data, command_id, timeout=10.0)
            except Unavailable as error:
                if time.monotonic() > ends:
                    raise
                self.on_wait(f"{wire}: {error.code}")
                time.sleep(0.25)
            else:
                self.on_wait("")
                return answer

"""A steady mix of commands and queries by many callers, every answer and every deadline noted.

A caller repeats a command with the same id until it is answered, as the contract asks of callers; some deadlines are
so short that they pass. Now and then an answered command is repeated, and must get the same answer.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from contracts import roles
from contracts.errors import Rejected, Unavailable
from contracts.roles import CUSTOMER_LEAD, SUPPLIER_LEAD
from shared.bus.envelope import new_id
from shared.bus.tokens import Authorise
from tests.chaos.bed import Bed

CUSTOMER, SUPPLIER = "11111111", "99999999"
REPEATED = 0.1
SHORT = 0.1


@dataclass
class Given:
    """One command as its caller saw it."""

    id: str
    wire: str
    role: str
    data: dict[str, Any]
    deadlines: list[float] = field(default_factory=list)
    answer: dict[str, Any] | None = None
    refused: str = ""
    differs: bool = False

    @property
    def settled(self) -> bool:
        """Tell whether its caller has an answer or a refusal."""
        return self.answer is not None or bool(self.refused)


class Load:
    """`callers` threads that give commands until `stop`; `given` is what they gave."""

    def __init__(self, bed: Bed, seed: int, callers: int) -> None:
        self.bed, self.given = bed, list[Given]()
        self.queries = self.errors = 0
        self._stopping, self._lock = threading.Event(), threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(seed * 1000 + number),), daemon=True)
            for number in range(callers)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after the calls in hand."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)

    def finish(self) -> None:
        """Give again, with patience, what has no answer yet; for a system that is well again."""
        for command in self.given:
            for _ in range(5):
                if command.settled:
                    break
                self._attempt(command, 20.0)

    def _run(self, rng: random.Random) -> None:
        while not self._stopping.is_set():
            exit_ids: list[str] = []
            for wire, role, data in story(rng):
                if self._stopping.is_set():
                    return
                if wire.startswith("?"):
                    self._ask(wire[1:], role, data(exit_ids))
                    continue
                command = Given(new_id(), wire, role, data(exit_ids))
                with self._lock:
                    self.given.append(command)
                self._insist(command, rng)
                if command.answer is None:
                    break  # what follows would rest on it
                exit_ids.append(str(command.answer.get("agreement_id") or command.answer.get("exit_id")))

    def _insist(self, command: Given, rng: random.Random) -> None:
        while not command.settled and not self._stopping.is_set():
            self._attempt(command, rng.uniform(0.001, 0.05) if rng.random() < SHORT else 3.0)
        if command.answer is not None and rng.random() < REPEATED:
            first = command.answer
            self._attempt(command, 3.0)
            command.differs |= command.answer != first

    def _attempt(self, command: Given, seconds: float) -> None:
        signed = self._authorise(command.role)

        def authorise(service: str) -> str:
            command.deadlines.append(time.time() + seconds)  # the call's own was set a moment before
            return signed(service)

        try:
            client = self.bed.client.on_behalf(authorise)
            answer = client.call(command.wire, command.data, command.id, timeout=seconds)
        except Rejected as error:
            command.refused = error.code
        except Unavailable:
            self.errors += 1
            time.sleep(0.02)
        else:
            command.answer = answer

    def _ask(self, wire: str, role: str, data: dict[str, Any]) -> None:
        try:
            self.bed.client.on_behalf(self._authorise(role)).call(wire, data, timeout=2.0)
        except (Rejected, Unavailable):
            self.errors += 1
        self.queries += 1

    def _authorise(self, role: str) -> Authorise:
        customers = [CUSTOMER] if roles.PARTY[role] == "customer" else ["*"]
        return self.bed.issuer.acting(f"usr-{role[:3]}", [role], customers)


def story(rng: random.Random) -> Iterator[tuple[str, str, Any]]:
    """Tell one customer's beginning: an agreement, an order and what follows, as (wire, role, data of ids so far)."""
    reference = f"ref-{rng.getrandbits(64):016x}"
    yield "orders.register_agreement", SUPPLIER_LEAD, lambda ids: agreement(reference)
    yield "orders.order_window", CUSTOMER_LEAD, lambda ids: order(ids[0])
    steps = [
        ("orders.name_contact", CUSTOMER_LEAD, lambda ids: contact(ids[1], rng)),
        ("orders.hold_meeting", SUPPLIER_LEAD, lambda ids: meeting(ids[1])),
        ("?orders.read_exit", CUSTOMER_LEAD, lambda ids: {"exit_id": ids[1]}),
        ("?scheduling.read_plan", SUPPLIER_LEAD, lambda ids: {"exit_id": ids[1]}),
        ("orders.list_equipment", SUPPLIER_LEAD, lambda ids: {"exit_id": ids[1], "items": []}),
        ("orders.list_sub_suppliers", SUPPLIER_LEAD, lambda ids: {"exit_id": ids[1], "sub_suppliers": []}),
        ("compliance.request_certificate", SUPPLIER_LEAD, lambda ids: certificate(ids[1])),
    ]
    yield from rng.sample(steps, rng.randint(2, len(steps)))


def agreement(reference: str) -> dict[str, Any]:
    """Give an agreement's data."""
    return {
        "reference": reference, "customer": {"cvr": CUSTOMER, "name": "Prøvekommunen"}, "customer_type": "municipality",
        "supplier": {"cvr": SUPPLIER, "name": "Prøveleverandøren"}, "profiles": ["ist-standard", "ski-02-19"],
        "dpa_reference": "dba-1", "in_force_on": "2020-10-01", "takeover_day": "2020-11-05",
        "agreement_end": "2026-11-05",
    }  # fmt: skip


def order(agreement_id: str) -> dict[str, Any]:
    """Give an order's data."""
    return {
        "agreement_id": agreement_id, "go_live": "2026-11-06", "tenant": "0001", "map_digest": digest("map"),
        "systems": [{"system": "pladsanvisning", "title": "Pladsanvisning", "kind": "postgresql", "deletion": "1"}],
        "places": [],
    }  # fmt: skip


def contact(exit_id: str, rng: random.Random) -> dict[str, Any]:
    """Give a contact's data."""
    party = rng.choice(["customer", "customer", "successor"])
    return {
        "exit_id": exit_id, "party": party, "name": "Prøve Prøvesen", "email": "proeve@kommune.invalid",
        "knows_solution": True,
    }  # fmt: skip


def meeting(exit_id: str) -> dict[str, Any]:
    """Give a meeting's data."""
    return {
        "exit_id": exit_id, "held_on": "2026-01-05", "expected_options": [], "archive_asked": True,
        "digest": digest(exit_id),
    }  # fmt: skip


def certificate(exit_id: str) -> dict[str, Any]:
    """Give a request that has to be refused."""
    return {"exit_id": exit_id, "stage": "ACTIVE-DELETED"}


def digest(text: str) -> str:
    """Give a SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()

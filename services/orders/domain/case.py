"""The case: all that a decision about one exit looks at, and what it leaves behind.

Rules kept: a decision takes a case and gives the next one, or raises and changes nothing; the facts to be told travel
in the case as (event, body), so that state and what is told are one value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from services.orders.domain.agreements import Agreement
from services.orders.domain.capacity import Capacity
from services.orders.domain.exits import Exit, opaque_id, step
from services.orders.domain.records import Body
from services.orders.domain.refusals import among
from shared.rules.plan import PlanFacts
from shared.rules.profiles import Option, Profile
from shared.rules.scopes import route


@dataclass(frozen=True, slots=True)
class Caller:
    """Who decides, by which command: the party that the caller's role speaks for, and the opaque actor."""

    party: str
    actor: str
    command_id: str


@dataclass(frozen=True, slots=True)
class Case:
    """One exit with its agreement, its profiles in force, the supplier's capacity, the caller and the day."""

    agreement: Agreement
    exit: Exit
    profiles: tuple[Profile, ...]
    capacity: Capacity
    caller: Caller
    today: date
    told: tuple[tuple[str, Body], ...] = ()

    def step(self, command: str) -> Case:
        """Go to the state that the table gives; raise Rejected STATE_FORBIDS."""
        return self.put(state=step(self.exit.state, command))

    def put(self, **changes: Any) -> Case:
        """Change the exit."""
        return replace(self, exit=replace(self.exit, **changes))

    def agree(self, **changes: Any) -> Case:
        """Change the agreement."""
        return replace(self, agreement=replace(self.agreement, **changes))

    def tell(self, event: str, body: Mapping[str, Any]) -> Case:
        """Tell a fact of this exit."""
        return replace(self, told=(*self.told, (f"orders.{event}", {"exit_id": self.exit.exit_id, **body})))

    def new_id(self, kind: str) -> str:
        """Give the opaque id of what this command brings into the world."""
        return opaque_id(kind, self.caller.command_id)

    @property
    def end(self) -> date:
        """Give K of this exit: the end of the services that a partial exit names, else of the agreement."""
        end = self.exit.ends_on or self.agreement.agreement_end
        if end is None:
            raise RuntimeError("an exit is ordered only where the agreement's end is known")
        return end

    @property
    def anchors(self) -> dict[str, date]:
        """Give the dates of this exit, by anchor."""
        happened = {name: trigger.on for name, trigger in self.exit.triggers.items()}
        given = {"T": self.exit.go_live, "D": self.exit.operations_end, "K": self.end}
        lasting = {"O": self.exit.option_ends} if self.exit.option_ends else {}
        return {**happened, **self.exit.moved, **self.agreement.anchors, **given, **lasting}

    @property
    def deletions(self) -> dict[str, str]:
        """Give the number of the deletion of each system."""
        return {system.system: system.deletion for system in self.exit.systems}

    @property
    def covers(self) -> dict[str, tuple[str, ...]]:
        """Give the systems that the options cover, where they are named."""
        return {cover.option: cover.systems for cover in self.exit.covers}

    @property
    def facts(self) -> PlanFacts:
        """Give what a plan of this exit is computed from."""
        exit_, agreement = self.exit, self.agreement
        early = exit_.instruction is not None and exit_.instruction.erase_early
        return PlanFacts(
            anchors=self.anchors,
            options=frozenset(exit_.options),
            covers=self.covers,
            amendments=agreement.amended,
            numbers=agreement.numbers,
            customer_type=agreement.customer_type,
            scopes=route(self.profiles, self.deletions, exit_.options, self.covers),
            instructions=frozenset({"erase_early"} if early else ()),
            lawyer_confirmed=frozenset(agreement.lawyer_confirmed),
        )

    @property
    def offered(self) -> dict[str, Option]:
        """Give the options that the profiles offer, by id."""
        return {option.id: option for profile in self.profiles for option in profile.options}

    def check_system(self, field: str, system: str) -> None:
        """Refuse SYSTEM_UNKNOWN for a system that is not in the order."""
        among("SYSTEM_UNKNOWN", field, system, self.exit.system_names)

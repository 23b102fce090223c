"""Places that go as a whole, as they are looked at: before, whether they may; afterwards, that they are not there."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.errors import Rejected
from contracts.system_map import System
from services.deletion.domain import ABSENT, Place
from shared.connectors.protocol import Connector, DropsWhole, Inventory


def surveyed(connector: Connector, system: System, inventory: Inventory, order: Sequence[str]) -> list[Place]:
    """Look whether each place that should go as a whole may; list those that are not there (any more)."""
    for at, place in enumerate(order):
        if system.rules[place].whole:
            going = [name for name in order[:at] if system.rules[name].goes]
            offered(connector).look_whole(place, going)
    return [_gone(system, name) for name in absent(system, inventory)]


def absent(system: System, inventory: Inventory) -> list[str]:
    """List the places that may be absent and are: the schema was read, and they are not in it (evidence.md §1.5)."""
    there = inventory.columns()
    return sorted(name for name, rule in system.rules.items() if rule.goes and name not in there)


def offered(connector: Connector) -> DropsWhole:
    """Give the connector as one whose places may go as a whole, or raise WHOLE_NOT_OFFERED."""
    if not isinstance(connector, DropsWhole):
        raise Rejected("WHOLE_NOT_OFFERED", f"{connector.system}: nothing goes as a whole in a {connector.kind} system")
    return connector


def _gone(system: System, name: str) -> Place:
    rule = system.rules[name]
    predicate = f"{rule.way} = {system.tenant}"
    return Place(system.name, name, "deleted", None, rule.deliver, 0, 0, predicate, ABSENT, whole=rule.whole)

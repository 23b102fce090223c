"""Before the extract: the registered map, the connection test's outcome, the specification from the live schemas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any

from contracts.system_map import System, SystemMap, check_live, load_registered
from services.delivery import descriptor, store
from services.delivery.descriptor import Specification
from services.delivery.domain import Delivery
from shared.connectors import open_connector
from shared.connectors.protocol import Connector

OPEN_KINDS = ("mongodb", "files", "s3", "case_index")


def registered(work: Any, delivery: Delivery) -> SystemMap:
    """Load the map that the order pinned."""
    return load_registered(work.settings.maps, delivery.require_order().map_digest)


@contextmanager
def opened(systems: SystemMap, name: str, delivery: Delivery) -> Iterator[Connector]:
    """Open a system for the extract, and close it."""
    order = delivery.require_order()
    connector = open_connector(systems, name, purpose="extract", tenant=order.tenant, cvr=order.customer_cvr)
    try:
        yield connector
    finally:
        connector.close()


def tested(unit: Any, work: Any, code: str) -> None:
    """Tell the test's outcome, unless another dispatch was set meanwhile (its own test follows)."""
    delivery = store.load(unit, work.exit_id)
    now = delivery.dispatch
    if now is not None and (now.drop, now.recipient) == (work.data["drop"], work.data["recipient"]):
        store.save(unit, replace(delivery, connection=code))
        told = {"exit_id": work.exit_id, "ok": code == "OK", "code": code}
        unit.emit("delivery.connection_tested", work.exit_id, told)


def specified(unit: Any, surveyed: Delivery, text: str, places: int) -> None:
    """Tell the specification, unless other needs were submitted meanwhile (their own specification follows)."""
    delivery = store.load(unit, surveyed.exit_id)
    if delivery.needs == surveyed.needs:
        digest = sha256(text.encode()).hexdigest()
        store.save_specification(unit, delivery.exit_id, text)
        store.advance(unit, replace(delivery, specification=digest))
        told = {"exit_id": delivery.exit_id, "digest": digest, "places": places}
        unit.emit("delivery.specification_made", delivery.exit_id, told)


def survey(systems: SystemMap, delivery: Delivery) -> list[Specification]:
    """Describe every place that is delivered, from the live schemas (rule 2)."""
    places: list[Specification] = []
    for name in delivery.needs or ():
        system = systems.system(name)
        dispositions = _dispositions(system)
        if not dispositions:
            continue
        with opened(systems, name, delivery) as connector:
            live = connector.discover()
        open_schema = system.kind in OPEN_KINDS
        check_live(system, {name: () if open_schema else columns for name, columns in live.columns().items()})
        places += [
            descriptor.specify(name, disposition, live.place(place), open_schema=open_schema)
            for place, disposition in dispositions.items()
        ]
    return places


def _dispositions(system: System) -> dict[str, str]:
    delivered = (rule for _, rule in sorted(system.rules.items()) if rule.deliver and not rule.excluded)
    return {rule.place: "tenant" if rule.owned else "shared" for rule in delivered}

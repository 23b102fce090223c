"""`relay`: events from the outbox to the broker's confirm, against publishing them with a confirm each."""

from __future__ import annotations

import threading
import time

from shared.bus.outbox import address, signed
from shared.bus.relay import Relay
from shared.store.unit import Unit
from tests.bench.figures import Figure, rated, seconds
from tests.integration.bus_store_parts import World, world
from tests.waiting import until

EVENTS = 50_000
FEW = 2_000
BATCH = 500
WIRE = "orders.window_confirmed"


def measure() -> Figure:
    """Fill an outbox, start a relay, and take the time until every row is confirmed."""
    with world() as made:
        made.clear()
        store = made.store("orders")
        store.prepare()
        for first in range(0, EVENTS, BATCH):
            store.run(lambda unit, first=first: _tell(unit, first))
        relay = Relay(store, made.rabbit.uri("svc-orders"), made.signer("orders"))
        thread = threading.Thread(target=relay.run)
        began = time.perf_counter()
        thread.start()
        until(lambda: store.db.outbox.find_one({"state": "pending"}) is None, "everything is published", 300)
        rate = EVENTS / (time.perf_counter() - began)
        relay.stop()
        thread.join(30)
        reference = FEW / seconds(lambda: _one_by_one(made))
    return rated(
        "relay", f"{EVENTS:,} events from outbox to confirm", rate, "/s", "a confirm each, no outbox", reference
    )


def _tell(unit: Unit, first: int) -> None:
    for number in range(first, first + BATCH):
        unit.emit(WIRE, f"exit-{number}", {"exit_id": f"exit-{number}"})


def _one_by_one(made: World) -> None:
    import amqp

    rows = made.store("orders").db.outbox.find().limit(FEW)
    signer = made.signer("orders")
    exchange, key = address(WIRE)
    channel = made.rabbit.connect("svc-orders").channel()
    channel.confirm_select()
    for row in rows:
        message = amqp.Message(row["body"], application_headers=signed(row, signer), delivery_mode=2)
        channel.basic_publish_confirm(message, exchange=exchange, routing_key=key, mandatory=True)

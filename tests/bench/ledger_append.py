"""`ledger-append`: evidence from the ledger's queue to durable, acknowledged entries, against bare inserts of the same.

Whole exits are told as compliance's face would (their intents, causes and jobs included), many in one transaction and
so under one task, the relay brings the tasks to the broker, and then the ledger's hand is started. Beside it the same
with a transaction, and so a task, for each event. Then relay and ledger run as processes of their own while so many
events a second are offered, each with its time: how long until it is in the log, under a checkpoint. The
reference writes the very same documents one by one, each acknowledged by the majority, without tree, chain, checkpoint,
inbox or broker.
"""

from __future__ import annotations

import copy
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import structlog

from contracts.catalogue import EVENTS
from contracts.registry import check
from services.compliance import store as evidence
from services.compliance.evidence import KIND_OF_EVENT, entry_of
from services.compliance.signing.keys import make_demo_keys
from services.compliance.worker import Ledger
from shared.bus.relay import Relay
from shared.store.unit import Store, Unit
from tests.bench.figures import Figure, rated, seconds
from tests.integration.bus_store_parts import World, free_ports, world
from tests.unit import evidence_world as given
from tests.waiting import until

COUNT = int(os.environ.get("BENCH_EVENTS", "10000"))
FEW = 2_000
RATE, STEADY_S, TICK_S = int(os.environ.get("BENCH_RATE", "1000")), 10, 0.02
AT_A_TICK = int(RATE * TICK_S)
LOOK_S = 0.01
OFFERED_AT_ONCE = 500
QUEUE = "hand-compliance-ledger"


def measure() -> Figure:
    """Take the ledger's rate with many events a task and with one, and what a steady stream waits."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with world() as made:
        make_demo_keys(made.root / "evidence")
        rate, settled, heads = _emptied(made, COUNT, OFFERED_AT_ONCE)
        reference = _bare(made.store("compliance"))
        singly = _emptied(made, FEW, 1)[0]
        half, most, longest = _steady(made)
    what = f"{COUNT:,} evidence events to durable, {OFFERED_AT_ONCE} a task, {heads:,} checkpoints"
    found = rated("ledger-append", what, rate, "/s", "one bare insert each of the same documents", reference)
    waits = f"under a checkpoint after {half:,.0f} ms, p99 {most:,.0f}, at most {longest:,.0f}"
    beside = {
        "tasks settled": f"{settled:,.0f}/s",
        "each event a transaction and a task of its own": f"{singly:,.0f}/s",
        f"at {RATE:,}/s offered, {AT_A_TICK} a task": waits,
    }
    return replace(found, p99_ms=round(most, 1), beside=beside)


def _emptied(made: World, count: int, at_once: int) -> tuple[float, float, int]:
    """Fill the ledger's queue, start the ledger; give events a second till durable, till settled, and checkpoints."""
    made.clear()
    store = made.store("compliance")
    store.prepare()
    _fill(made, store, count, at_once)
    hand = Ledger.from_environment(_environment(made))
    thread = threading.Thread(target=hand.run)
    began = time.perf_counter()
    thread.start()
    until(lambda: (store.db.log_head.find_one() or {"size": 0})["size"] == count, "all of it is in the log", 600)
    durable = time.perf_counter() - began
    until(lambda: made.depth(QUEUE) == 0, "all of it is acknowledged", 600)
    settled = time.perf_counter() - began
    hand.stop()
    thread.join(60)
    return count / durable, count / settled, store.db.log_heads.count_documents({})


def items(name: str = "exit") -> Iterator[dict[str, Any]]:
    """Give the evidence of one exit after the other."""
    for number in range(COUNT):
        exit_id = f"{name}-{number}"
        for at, (wire, data) in enumerate(copy.deepcopy(given.deleted_exit())):
            if wire in KIND_OF_EVENT:
                kind, entry = entry_of(wire, check(EVENTS[wire].schema, data | {"exit_id": exit_id}, wire))
                yield {"ref": f"{exit_id}-{at}", "exit_id": exit_id, "kind": kind, "entry": entry}


def _fill(made: World, store: Store, count: int, at_once: int) -> None:
    """Offer everything, and have the relay bring it to the broker."""
    left = islice(items(), count)
    while batch := list(islice(left, at_once)):
        store.run(lambda unit, batch=batch: _offer(unit, batch))
    relay = Relay(made.store("compliance"), made.rabbit.uri("svc-compliance"), made.signer("compliance"))
    thread = threading.Thread(target=relay.run)
    thread.start()
    until(lambda: store.db.outbox.find_one({"state": "pending"}) is None, "everything is in the queue", 300)
    relay.stop()
    thread.join(30)


def _offer(unit: Unit, batch: list[dict[str, Any]]) -> None:
    for item in batch:
        evidence.offer(unit, item)


def _environment(made: World) -> dict[str, str]:
    return {
        "OPHOR_MODE": "test", "OPHOR_AMQP_URI": made.rabbit.uri("svc-compliance"), "OPHOR_MONGO_URI": made.mongo_uri,
        "OPHOR_CLOCK_URI": made.mongo_uri, "OPHOR_TRUST": str(made.trust),
        "OPHOR_KEYS": str(made.root / "evidence" / "ledger"), "OPHOR_HEALTH_PORT": str(free_ports(1)[0]),
    }  # fmt: skip


def _steady(made: World) -> tuple[float, float, float]:
    """Offer at a steady rate; give median, 99th percentile and most of the milliseconds until an event is durable."""
    made.clear()
    store = made.store("compliance")
    store.prepare()
    (made.root / "evidence" / "relay").mkdir()
    shutil.copy(made.keys / "compliance.pem", made.root / "evidence" / "relay")
    processes = [
        _process(made, "relay", "relay", "compliance"),
        _process(made, "ledger", "hand", "compliance", "ledger"),
    ]
    try:
        _offer_slowly(store, "warm", RATE)
        return _offer_slowly(store, "steady", RATE * STEADY_S)
    finally:
        for process in processes:
            process.terminate()
            process.wait(60)


def _offer_slowly(store: Store, name: str, count: int) -> tuple[float, float, float]:
    seen: list[tuple[float, int]] = []
    ended, first = threading.Event(), (store.db.log_head.find_one() or {"size": 0})["size"]
    watch = threading.Thread(target=_watch, args=(store, seen, ended))
    watch.start()
    offered: list[float] = []
    made = list(islice(items(name), count))
    began = time.perf_counter()
    while batch := made[len(offered) : len(offered) + AT_A_TICK]:
        time.sleep(max(0.0, began + len(offered) / RATE - time.perf_counter()))
        offered += [time.perf_counter()] * len(batch)
        store.run(lambda unit, batch=batch: _offer(unit, batch))
    until(lambda: bool(seen) and seen[-1][1] == first + count, "all of it is in the log", 300)
    ended.set()
    watch.join()
    refs = {row["_id"]: row["index"] for row in store.db.log_refs.find({"index": {"$gte": first}})}
    waits = sorted(next(at for at, size in seen if size > refs[item["ref"]]) - when
                   for item, when in zip(made, offered, strict=True))  # fmt: skip
    return 1000 * waits[len(waits) // 2], 1000 * waits[int(len(waits) * 0.99)], 1000 * waits[-1]


def _watch(store: Store, seen: list[tuple[float, int]], ended: threading.Event) -> None:
    """Note when the log's head, as the majority has it, was seen to grow."""
    while not ended.wait(LOOK_S):
        size = (store.db.log_head.find_one() or {"size": 0})["size"]
        if not seen or seen[-1][1] != size:
            seen.append((time.perf_counter(), size))


def _process(made: World, keys: str, *argv: str) -> subprocess.Popen[bytes]:
    environment = os.environ | _environment(made) | {"OPHOR_KEYS": str(made.root / "evidence" / keys)}
    command = [sys.executable, "-m", "services", *argv]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _bare(store: Store) -> float:
    rows = list(store.db.log_entries.find().limit(FEW))
    took = seconds(lambda: [store.db.bare.insert_one(row) for row in rows])
    return len(rows) / took

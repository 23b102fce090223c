"""The faults: each changes something for a moment and puts it right again, as an operator or orchestrator would."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta

import pymongo
from amqp.exceptions import AMQPError

from contracts.catalogue import SERVICES, hands
from shared.bus.pump import LOST
from shared.bus.topology import describe
from tests.chaos import points
from tests.chaos.bed import LATELY, Bed
from tests.chaos.cluster import Cluster
from tests.chaos.watch import Process
from tests.waiting import until

Fault = Callable[[Bed, random.Random], str]
KINDS = ("face", "relay", "hand", "gateway")


def kill(bed: Bed, rng: random.Random) -> str:
    """SIGKILL a process of any kind."""
    process = _one(bed, rng)
    process.signal(signal.SIGKILL)
    return process.name


def terminate(bed: Bed, rng: random.Random) -> str:
    """SIGTERM a process of any kind."""
    process = _one(bed, rng)
    process.signal(signal.SIGTERM)
    return process.name


def crash_point(bed: Bed, rng: random.Random) -> str:
    """Have a process that the load gives work die at a named point of it."""
    kind = rng.choice(tuple(points.KINDS))
    process = rng.choice(
        [each for each in bed.watch.of_kind(kind) if each.name.rstrip("-0123456789") in points.BUSY[kind]]
    )
    point = rng.choice(points.KINDS[process.kind])
    points.arm(str(bed.points), process.name, point)
    return f"{process.name} {point}"


def broker_stopped(bed: Bed, rng: random.Random) -> str:
    """Stop the broker politely and start it again."""
    bed.restart("rabbitmq", hard=False)
    return "rabbitmq"


def broker_killed(bed: Bed, rng: random.Random) -> str:
    """Kill the broker and start it again."""
    bed.restart("rabbitmq", hard=True)
    return "rabbitmq"


def leader_lost(bed: Bed, rng: random.Random) -> str:
    """Kill the node of a cluster that leads the queues, let its clients go to another one, and bring it back."""
    cluster = bed.cluster
    assert cluster is not None
    other = rng.choice(cluster.others)
    os.kill(bed.stack.state.processes["rabbitmq"].pid, signal.SIGKILL)  # the node alone: the others need its epmd
    bed.amqp_proxy.target = other.ports["amqp"]
    try:
        until(lambda: cluster.answers(other), "another node takes clients")
        time.sleep(rng.uniform(1, 8))
    finally:
        bed.stack.up(["rabbitmq"], alone=True)
        bed.amqp_proxy.target = cluster.first.ports["amqp"]
        bed.amqp_proxy.cut()
    return f"clients went to {other.id}"


def broker_alarm(bed: Bed, rng: random.Random) -> str:
    """Block the broker by its memory alarm for a moment."""
    try:
        _rabbitmqctl(bed, "set_vm_memory_high_watermark", "absolute", "1MB")
        time.sleep(rng.uniform(1, 4))
    finally:
        _rabbitmqctl(bed, "set_vm_memory_high_watermark", "0.6")
    return "memory alarm"


def connections_cut(bed: Bed, rng: random.Random) -> str:
    """Cut every connection to the broker."""
    return f"{bed.amqp_proxy.cut()} connections"


def broker_silent(bed: Bed, rng: random.Random) -> str:
    """Let nothing through to or from the broker for a moment, without closing."""
    return _proxied(bed.amqp_proxy, "silent", rng.uniform(1, 6))


def broker_slow(bed: Bed, rng: random.Random) -> str:
    """Slow every transfer to and from the broker."""
    return _proxied(bed.amqp_proxy, "slow", rng.uniform(1, 5))


def queue_deleted(bed: Bed, rng: random.Random) -> str:
    """Delete a queue under its consumers, then do what the operator's page says."""
    kind = rng.choice(("evt-", "rpc-", "hand-"))
    queue = rng.choice([each.name for each in describe("test").queues if each.name.startswith(kind)])
    service = queue.split("-")[1]
    bed.excused |= bed.spoiled.get(service, set()) - bed.dead(service)
    with closing(bed.dial()) as connection:
        connection.channel().queue_delete(queue)
    time.sleep(rng.uniform(0.1, 1))
    if queue.startswith("rpc-"):
        bed.stack.parts.apply_topology()
    else:
        bed.mend(queue)
    return queue


def binding_removed(bed: Bed, rng: random.Random) -> str:
    """Remove a binding under its consumer, then do what the operator's page says."""
    binding = rng.choice([each for each in describe("test").bindings if each.queue.startswith("evt-")])
    with closing(bed.dial()) as connection:
        connection.channel().queue_unbind(binding.queue, binding.exchange, binding.key)
    time.sleep(rng.uniform(0.1, 1))
    bed.mend(binding.queue)
    return f"{binding.exchange}/{binding.key}"


def database_stopped(bed: Bed, rng: random.Random) -> str:
    """Stop the database politely and start it again."""
    bed.restart("mongod", hard=False)
    return "mongod"


def database_killed(bed: Bed, rng: random.Random) -> str:
    """Kill the database and start it again."""
    bed.restart("mongod", hard=True)
    return "mongod"


def database_frozen(bed: Bed, rng: random.Random) -> str:
    """SIGSTOP the database for some seconds."""
    pid = bed.stack.state.processes["mongod"].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(rng.uniform(1, 8))
    finally:
        os.kill(pid, signal.SIGCONT)
    return "mongod"


def primary_stepped_down(bed: Bed, rng: random.Random) -> str:
    """Have the primary step down, with transactions open in it."""
    with suppress(pymongo.errors.PyMongoError):
        bed.mongo.admin.command({"replSetStepDown": 2, "force": True})
    until(bed.stack.parts.mongo.writable, "a primary is elected again")
    return "mongod"


def database_slow(bed: Bed, rng: random.Random) -> str:
    """Slow every transfer to and from the database."""
    return _proxied(bed.mongo_proxy, "slow", rng.uniform(1, 5))


def database_cut(bed: Bed, rng: random.Random) -> str:
    """Cut every connection to the database."""
    return f"{bed.mongo_proxy.cut()} connections"


def messages_again(bed: Bed, rng: random.Random) -> str:
    """Send a queue again what it was told in the last minutes: duplicated, delayed, in another order."""
    queue = rng.choice([*(f"evt-{service}" for service in SERVICES), *(f"hand-{one}-{two}" for one, two in hands())])
    return f"{bed.replay(queue, datetime.now(UTC) - rng.uniform(0.1, 1) * LATELY)} to {queue}"


def clock_jump(bed: Bed, rng: random.Random) -> str:
    """Move the rules' clock forward by hours or days."""
    hours = rng.randint(1, 48)
    bed.jump(timedelta(hours=hours))
    return f"{hours} h"


PROCESS_FAULTS: tuple[Fault, ...] = (kill, terminate, crash_point, crash_point)
PART_FAULTS: tuple[Fault, ...] = (
    broker_stopped, broker_killed, broker_alarm, connections_cut, broker_silent, broker_slow, queue_deleted,
    binding_removed, database_stopped, database_killed, database_frozen, primary_stepped_down, database_slow,
    database_cut, messages_again, clock_jump,
)  # fmt: skip
CLUSTER_FAULTS: tuple[Fault, ...] = (
    leader_lost, leader_lost, *(each for each in PART_FAULTS if each not in (broker_stopped, broker_killed)),
)  # fmt: skip


def _one(bed: Bed, rng: random.Random) -> Process:
    kind = rng.choice(KINDS)
    return rng.choice(bed.watch.of_kind(kind))


def _proxied(proxy: object, mode: str, seconds: float) -> str:
    setattr(proxy, "mode", mode)  # noqa: B010 - both proxies, both modes
    try:
        time.sleep(seconds)
    finally:
        setattr(proxy, "mode", "pass")  # noqa: B010
    return f"{seconds:.1f} s"


def _rabbitmqctl(bed: Bed, *words: str) -> None:
    broker = Cluster(bed.stack.parts, str(bed.home))
    broker.must(broker.first, "rabbitmqctl", *words)


BROKEN = (*LOST, AMQPError, pymongo.errors.PyMongoError, subprocess.SubprocessError)

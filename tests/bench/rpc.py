"""`rpc`: calls by one caller with every guard on, against a raw ping-pong over a queue of the same type.

The callee is a face in a process of its own, with schema, token, deadline and metrics; the reference is plain py-amqp
on both sides, a quorum queue for requests and an exclusive one for answers. The p99 is taken again while the same face
has a backlog of slow events. Beside it, other libraries' bare echoes with none of the guards (`peers`). Ours and the
reference take turns: the machine's speed wanders, and each has its share of every phase.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from contracts.roles import MONITOR
from shared.bus.client import Client
from tests.bench.figures import Figure, rated
from tests.bench.peers import run as peers
from tests.bench.peers.pace import paced, rate
from tests.integration.bus_faces_parts import Bed, bed
from tests.waiting import until

CALLS, TURNS = 6_000, 12
BACKLOG = 500
QUEUE = "bench-echo"


def measure() -> Figure:
    """Take the rate of sequential calls, and the p99 beside a backlog of events."""
    raws: list[float] = []
    times: list[float] = []
    with bed() as made:
        made.fresh()
        with made.face("orders"), made.face("scheduling"), _echo(made) as ask:
            client = Client(made.node.uri("console"), "console", made.issuer().acting("usr-1", (MONITOR,)))
            for _ in range(TURNS):
                raws += paced(ask, CALLS // TURNS)
                times += paced(lambda: client.call("orders.list_exits", {}), CALLS // TURNS)
            behind = _behind_events(made, client)
            client.close()
        beside = peers.measured(made.node.uri("topology"))
    (ours, p99), (raw, _) = rate(times), rate(raws)
    what = f"calls by one caller (p99 {p99 * 1000:.1f} ms; with an event backlog {behind * 1000:.1f} ms)"
    figure = rated("rpc", what, ours, "/s", "raw ping-pong over a quorum queue", raw)
    return replace(figure, beside=beside, p99_ms=round(behind * 1000, 1))


def echo(uri: str) -> None:
    """Answer what comes, as plainly as can be; the reference's other side."""
    import amqp

    from shared.bus.pump import dial

    channel = dial(uri, "bench").channel()

    def answer(raw: amqp.Message) -> None:
        reply = amqp.Message(raw.body, correlation_id=raw.properties["correlation_id"])
        channel.basic_publish(reply, routing_key=raw.properties["reply_to"])
        channel.basic_ack(raw.delivery_tag)

    channel.basic_qos(0, 8, False)
    channel.basic_consume(QUEUE, callback=answer)
    while True:
        channel.connection.drain_events()


@contextmanager
def _echo(made: Bed) -> Iterator[Callable[[], None]]:
    """Run the reference's other side; give one raw round trip to it."""
    import amqp

    uri = made.node.uri("topology")
    connection = made.node.connect("topology")
    channel = connection.channel()
    channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
    answers, _, _ = channel.queue_declare(exclusive=True)
    heard: list[Any] = []
    channel.basic_consume(answers, no_ack=True, callback=heard.append)
    other = subprocess.Popen([sys.executable, "-c", f"from tests.bench.rpc import echo; echo({uri!r})"])

    def ask() -> None:
        message = amqp.Message(b"x" * 400, reply_to=answers, correlation_id="1", delivery_mode=1)
        channel.basic_publish(message, routing_key=QUEUE)
        while not heard:
            connection.drain_events()
        heard.clear()

    try:
        yield ask
    finally:
        other.kill()
        other.wait()
        channel.queue_delete(QUEUE)
        connection.close()


def _behind_events(made: Bed, client: Client) -> float:
    """Give the p99 of calls to a face that has a backlog of events, each of which waits."""
    for number in range(BACKLOG):
        made.tell(f"slow-{number}", number + 1)
    until(lambda: made.db("scheduling").runs.count_documents({}) > 0, "events are being handled")
    return rate(paced(lambda: client.call("scheduling.status", {}), 500))[1]

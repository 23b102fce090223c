"""FastStream's echo, called by its own request: `faststream_echo.py serve|ask URI [CALLS]`."""

from __future__ import annotations

import asyncio
import sys
import time

from faststream import FastStream
from faststream.rabbit import RabbitBroker

from tests.bench.peers.pace import BODY, WARM, told

QUEUE = "peer-faststream"


def serve(uri: str) -> None:
    """Serve until killed."""
    broker = RabbitBroker(uri)

    @broker.subscriber(QUEUE)
    async def echo(body: str) -> str:
        return body

    asyncio.run(FastStream(broker).run())


async def ask(uri: str, calls: int) -> None:
    """Call it one after the other."""
    times = []
    async with RabbitBroker(uri) as broker:
        for _ in range(WARM + calls):
            began = time.perf_counter()
            await broker.request(BODY, QUEUE, timeout=30)
            times.append(time.perf_counter() - began)
    told(times[WARM:])


if __name__ == "__main__":
    serve(sys.argv[2]) if sys.argv[1] == "serve" else asyncio.run(ask(sys.argv[2], int(sys.argv[3])))

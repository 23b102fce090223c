"""Celery's echo with its answers over AMQP: `celery_echo.py serve|ask URI [CALLS]`."""

from __future__ import annotations

import sys

from celery import Celery

from tests.bench.peers.pace import BODY, tell

app = Celery("peer", broker=sys.argv[2], backend="rpc://")
app.conf.update(worker_prefetch_multiplier=1, task_default_queue="peer-celery", worker_hijack_root_logger=False)


@app.task(name="peer.echo")
def echo(body: str) -> str:
    """Give back what came."""
    return body


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        app.worker_main(["worker", "--pool", "solo", "--without-gossip", "--without-mingle", "--without-heartbeat"])
    else:
        tell(lambda: echo.delay(BODY).get(timeout=30), int(sys.argv[3]))

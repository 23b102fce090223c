"""nameko's bare echo, called by nameko's own client: `nameko_echo.py serve|ask URI [CALLS]`; for nameko 2 and 3."""

from __future__ import annotations

import sys

if sys.argv[1] == "serve":
    import eventlet

    eventlet.monkey_patch()

import nameko
from nameko.containers import ServiceContainer
from nameko.rpc import rpc
from nameko.standalone.rpc import ServiceRpcProxy

from tests.bench.peers.pace import BODY, tell

THREE = hasattr(nameko, "config")


class Echo:
    """The bare service."""

    name = "peer_echo"

    @rpc
    def echo(self, body: str) -> str:
        return body


def serve(uri: str) -> None:
    """Serve until killed."""
    if THREE:
        nameko.config.setup({"AMQP_URI": uri})
    container = ServiceContainer(Echo) if THREE else ServiceContainer(Echo, {"AMQP_URI": uri})
    container.start()
    container.wait()


def ask(uri: str, calls: int) -> None:
    """Call it one after the other."""
    proxy = ServiceRpcProxy("peer_echo", uri=uri) if THREE else ServiceRpcProxy("peer_echo", {"AMQP_URI": uri})
    with proxy as echo:
        tell(lambda: echo.echo(BODY), calls)


if __name__ == "__main__":
    serve(sys.argv[2]) if sys.argv[1] == "serve" else ask(sys.argv[2], int(sys.argv[3]))

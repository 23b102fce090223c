"""Free ports on 127.0.0.1, chosen so that two stacks that start at the same moment do not choose the same.

Ports come from below the range that the kernel gives to outgoing connections. A chosen port is reserved by a lock that
the kernel frees when the chooser ends (an abstract socket), until the process that it is for has bound it.
"""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from types import TracebackType

from contracts.errors import Unavailable

LOWEST, HIGHEST = 20_000, 31_999


def free(port: int) -> bool:
    """Tell whether nothing listens on `port` of 127.0.0.1."""
    with socket.socket() as tried, suppress(OSError):
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind(("127.0.0.1", port))
        return True
    return False


class Ports:
    """Choose free ports and keep them reserved while the `with` block runs."""

    def __init__(self) -> None:
        self._locks: list[socket.socket] = []

    def __enter__(self) -> Ports:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lock in self._locks:
            lock.close()

    def choose(self) -> int:
        """Give a port that nobody listens on and nobody else has chosen; raise Unavailable NO_FREE_PORT."""
        for _ in range(2_000):
            port = random.randint(LOWEST, HIGHEST)  # noqa: S311 – no secret
            if self._reserve(port):
                return port
        raise Unavailable(
            "NO_FREE_PORT",
            f"no free port between {LOWEST} and {HIGHEST} on 127.0.0.1",
            remedy="end what listens there",
            da="Der er ingen ledig port.",
        )

    def _reserve(self, port: int) -> bool:
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            lock.bind(f"\0ophor-port-{port}")
        except OSError:
            lock.close()
            return False
        if not free(port):
            lock.close()
            return False
        self._locks.append(lock)
        return True

"""Free ports on 127.0.0.1, chosen so that no two stacks choose the same.

Ports come from below the range that the kernel gives to outgoing connections. While it is being chosen and bound, a
port is reserved by a lock that the kernel frees when the chooser ends (an abstract socket). A stack's ports are also
claimed for as long as the stack exists, bound or not (a killed process gets its port back): one small file a port in a
temporary folder of this user, which counts as long as the stack that it names is there.
"""

from __future__ import annotations

import os
import random
import socket
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from contracts.errors import Unavailable

RELEASE_S = 10.0
LOWEST, HIGHEST = 20_000, 31_999


def free(port: int) -> bool:
    """Tell whether nothing listens on `port` of 127.0.0.1."""
    with socket.socket() as tried, suppress(OSError):
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind(("127.0.0.1", port))
        return True
    return False


def freed(port: int, within_s: float = RELEASE_S) -> bool:
    """Tell whether `port` is free, or becomes so: a killed server's threads hold its socket a moment longer than it."""
    ends = time.monotonic() + within_s
    while not free(port):
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)
    return True


class Ports:
    """Choose free ports and keep them reserved while the `with` block runs."""

    def __init__(self, owner: Path | None = None) -> None:
        """`owner`: the home folder of the stack that the chosen ports are claimed for."""
        self._owner, self._locks = owner, list[socket.socket]()

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
        if not free(port) or _claimed(port):
            lock.close()
            return False
        self._locks.append(lock)
        if self._owner:
            _claim(port).write_text(str(self._owner))
        return True


def release(ports: Iterable[int]) -> None:
    """Give up a stack's claims."""
    for port in ports:
        _claim(port).unlink(missing_ok=True)


def _claim(port: int) -> Path:
    folder = Path(tempfile.gettempdir()) / f"ophor-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / str(port)


def _claimed(port: int) -> bool:
    """Tell whether a stack that still exists has claimed the port."""
    try:
        return (Path(_claim(port).read_text()) / "stack.json").exists()
    except OSError:
        return False

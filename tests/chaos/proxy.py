"""A TCP proxy whose connections can be cut, black-holed and slowed, between a process and a part."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Literal

Mode = Literal["pass", "silent", "slow"]
SLOW_S = 0.05
_CHUNK = 65_536


class Proxy:
    """Pass bytes from `port` on 127.0.0.1 to `target`; `mode` rules all connections, `cut` ends those that are open."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.mode: Mode = "pass"
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> int:
        """End every open connection; give how many pairs there were."""
        with self._lock:
            ended, self._open = self._open, set()
        for each in ended:
            _end(each)
        return len(ended) // 2

    def close(self) -> None:
        """Take no more connections and end those that are open."""
        _end(self._listener)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target), timeout=5)
                far.settimeout(None)
            except OSError:
                _end(near)
                continue
            with self._lock:
                self._open |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(_CHUNK):
                while self.mode == "silent":
                    time.sleep(0.01)
                    one.getpeername()
                if self.mode == "slow":
                    time.sleep(SLOW_S)
                other.sendall(data)
        with self._lock:
            self._open -= {one, other}
        _end(one)
        _end(other)


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()

"""A process's health over HTTP on 127.0.0.1: `/live`, `/ready`, `/metrics` (Prometheus).

`live` = this process's loop turns; `ready` = every named check holds, so that it may be given work. The answers name
checks and nothing else. Plain standard library: in a face it is green because eventlet has patched sockets and threads.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from contracts.errors import Rejected

Check = Callable[[], bool]


class Health:
    """The checks of a process, served on 127.0.0.1:`port` (0 = a free port; see `port`).

    They are given before anything is served: a process that names none yet would be taken for ready.
    """

    def __init__(self, process: str, port: int, checks: Mapping[str, Check]) -> None:
        self.process, self.checks = process, checks
        health = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body = health.answer(self.path)
                with suppress(ConnectionError):  # who asked has gone
                    self.send_response(status)
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Log nothing: probes are not events."""

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise Rejected(
                "PORT_TAKEN", f"port {port} on 127.0.0.1: {error.strerror}", field="OPHOR_HEALTH_PORT",
                remedy="give it a free port",
            ) from None  # fmt: skip
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._serve, name="health", daemon=True)
        self._stopping = False

    def start(self) -> Health:
        """Serve from a thread of its own."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving: the thread sleeps until it is asked something, so it is asked."""
        self._stopping = True
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1.0):
            self._thread.join(1.0)
        self._server.server_close()

    def _serve(self) -> None:
        """Answer one after the other; `serve_forever` would look twice a second whether it is to end."""
        while not self._stopping:
            self._server.handle_request()

    def failing(self) -> list[str]:
        """Name the checks that do not hold; one that raises does not."""
        return sorted(name for name, check in self.checks.items() if not _holds(check))

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Give status, content type and body for a path."""
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest()
        if path == "/live":
            return 200, "application/json", _json({"process": self.process, "live": True})
        if path == "/ready":
            failing = self.failing()
            body = _json({"process": self.process, "ready": not failing, "failing": failing})
            return 503 if failing else 200, "application/json", body
        return 404, "application/json", _json({"error": "use /live, /ready or /metrics"})


def _holds(check: Check) -> bool:
    try:
        return bool(check())
    except Exception:
        return False


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()

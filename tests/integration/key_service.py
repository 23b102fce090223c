"""A key service as docs/backups.md describes it, for the tests: it waits before it destroys."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.system_map import MARKER_PLACE


class KeyService(ThreadingHTTPServer):
    """A key service as docs/backups.md describes it; `pass_days` lets the waits come to their end."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.keys: dict[str, dict[str, Any]] = {}
        self.mark: dict[str, Any] = {}

    def pass_days(self, days: int) -> None:
        for key in self.keys.values():
            if key["state"] == "PENDING":
                key["left"] -= days
                if key["left"] <= 0:
                    key |= {"state": "DESTROYED", "key": b""}


class Answers(BaseHTTPRequestHandler):
    server: KeyService

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == f"/{MARKER_PLACE}":
            return self._say(200 if self.server.mark else 404, self.server.mark)
        key = self.server.keys.get(self.path.split("/")[2])
        self._say(200 if key else 404, {**key["of"], "state": key["state"]} if key else {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != "Bearer hemmelig":  # whoever looks has another token
            return self._say(401, {})
        if self.path == "/keys":
            made = self.server.keys.setdefault(body["key_id"], {"state": "ACTIVE", "key": os.urandom(32), "of": body})
            return self._say(201 if made["of"] is body else 409, {})
        _, _, key_id, what = self.path.split("/")
        key = self.server.keys[key_id]
        if key["state"] != "ACTIVE":
            return self._say(410, {})
        if what == "destroy":
            key |= {"state": "PENDING", "left": body["waits_days"]}
            return self._say(200, {})
        cipher, given = AESGCM(key["key"]), base64.b64decode(body["body"])
        done = cipher.encrypt(bytes(12), given, b"") if what == "encrypt" else cipher.decrypt(bytes(12), given, b"")
        self._say(200, {"body": base64.b64encode(done).decode()})

    def _say(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving() -> Iterator[KeyService]:
    """Start a key service, and end it."""
    with KeyService() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()

"""Holders of set keys sit the same exam: files, a key service over HTTP that waits, and a real PKCS#11 token."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.errors import Rejected
from shared.keystore import FileKeys, KeyState, Keystore, ServiceKeys
from tests.integration.compliance_holders import MODULE

NOW = datetime(2026, 10, 1, tzinfo=UTC)


class KeyService(ThreadingHTTPServer):
    """A key service as docs/backups.md describes it; `pass_days` lets the waits come to their end."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.keys: dict[str, dict[str, Any]] = {}

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
        key = self.server.keys.get(self.path.split("/")[2])
        self._say(200 if key else 404, {"key_id": self.path.split("/")[2], "state": key["state"]} if key else {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != "Bearer hemmelig":
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


@pytest.fixture
def service() -> Iterator[KeyService]:
    with KeyService() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def exam(keys: Keystore, *, wait: Any = lambda: None) -> None:
    """The exam that every holder sits; `wait` lets its waiting time end."""
    about = keys.make("11111111", "plads", "s1", NOW)
    other = keys.make("22222222", "plads", "s1", NOW)
    assert about.key_id != other.key_id
    with pytest.raises(Rejected, match="KEY_EXISTS"):
        keys.make("11111111", "plads", "s1", NOW)
    sealed = keys.seal(about.key_id, b"a set")
    assert b"a set" not in sealed
    assert keys.unseal(about.key_id, sealed) == b"a set"
    assert keys.state("set-unknown") is KeyState.ERROR
    assert keys.destroy("set-unknown") is KeyState.ERROR
    first = keys.destroy(about.key_id)
    assert first is (KeyState.PENDING if keys.waits_days else KeyState.DESTROYED)
    wait()
    assert keys.state(about.key_id) is KeyState.DESTROYED
    assert keys.destroy(about.key_id) is KeyState.DESTROYED
    with pytest.raises(Rejected, match="KEY_NOT_USABLE"):
        keys.unseal(about.key_id, sealed)
    with pytest.raises(Rejected, match="KEY_EXISTS"):
        keys.make("11111111", "plads", "s1", NOW)
    assert keys.state(other.key_id) is KeyState.ACTIVE


def test_keys_in_files(tmp_path: Path) -> None:
    exam(FileKeys(tmp_path))
    shutil.rmtree(tmp_path)
    assert FileKeys(tmp_path).state("set-1") is KeyState.ERROR


def test_keys_in_a_service_are_pending_until_its_wait_is_over(service: KeyService) -> None:
    keys = ServiceKeys(f"http://127.0.0.1:{service.server_port}", "hemmelig", waits_days=7)
    exam(keys, wait=lambda: (service.pass_days(6), service.pass_days(1)))
    key = keys.make("11111111", "plads", "s2", NOW)
    assert keys.destroy(key.key_id) is KeyState.PENDING
    service.pass_days(6)
    assert keys.destroy(key.key_id) is KeyState.PENDING  # asking again does not begin the wait anew
    service.pass_days(1)
    assert keys.state(key.key_id) is KeyState.DESTROYED
    keys.close()
    gone = ServiceKeys("http://127.0.0.1:9", "hemmelig")
    assert gone.state(key.key_id) is KeyState.ERROR
    gone.close()


def test_keys_in_a_token(tmp_path: Path) -> None:
    """In a process of its own: the token's library reads its settings once a process."""
    if not MODULE.exists():
        pytest.skip("SoftHSM is not installed (Debian package softhsm2)")
    (tmp_path / "tokens").mkdir()
    conf = tmp_path / "softhsm2.conf"
    conf.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    env = os.environ | {"SOFTHSM2_CONF": str(conf)}
    argv = ["softhsm2-util", "--init-token", "--free", "--label", "sets", "--pin", "314159", "--so-pin", "271828"]
    subprocess.run(argv, check=True, capture_output=True, env=env)
    program = (
        "from tests.integration.test_keystore import exam; from shared.keystore import TokenKeys;"
        f"exam(TokenKeys({str(MODULE)!r}, 'sets', '314159'))"
    )
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

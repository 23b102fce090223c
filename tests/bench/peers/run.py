"""Run the other libraries' round trips against a broker, in a virtual environment of their own.

The environment is made at the first run from `requirements/bench.txt` (hashes checked) and kept in `.ophor/bench`; a
stamp of the lock file tells whether it is current. What cannot be had (no network) is said to be skipped, with why.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

from amqp.exceptions import NotFound

from shared.bus.pump import dial
from tests.waiting import until

ROOT = Path(__file__).parents[3]
LOCK, HOME = ROOT / "requirements" / "bench.txt", ROOT / ".ophor" / "bench"
PYTHON = HOME / "bin" / "python"
CALLS = 1_000
INSTALL_S, ASK_S = 300, 120
NAMEKO = ("nameko_echo", "rpc-peer_echo")
OTHERS = {
    "nameko 2.14.1, bare echo, its own client": NAMEKO,
    "FastStream, bare echo": ("faststream_echo", "peer-faststream"),
    "Celery, bare echo, one worker": ("celery_echo", "peer-celery"),
}


def measured(uri: str) -> dict[str, str]:
    """Give each library's calls a second and p99 as text, or why it was skipped; `uri` may declare what it likes."""
    shown = {"nameko 3.0.0rc11, bare echo, its own client": _shown(sys.executable, NAMEKO, uri)}
    if lacking := _installed():
        return shown | dict.fromkeys(OTHERS, f"skipped: {lacking}")
    return shown | {name: _shown(str(PYTHON), peer, uri) for name, peer in OTHERS.items()}


def _installed() -> str:
    """Have the environment current; give why it is not, or nothing."""
    stamp, digest = HOME / "stamp", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return ""
    shutil.rmtree(HOME, ignore_errors=True)
    print("bench: installing the libraries to compare with (once; a minute)", file=sys.stderr, flush=True)
    words = ["-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--retries", "1", "-r", str(LOCK)]
    try:
        venv.create(HOME, with_pip=True)
        done = subprocess.run([str(PYTHON), *words], capture_output=True, text=True, timeout=INSTALL_S)
    except (OSError, subprocess.SubprocessError) as error:
        return f"no environment could be made ({type(error).__name__})"
    if done.returncode:
        return "the libraries cannot be fetched here"
    stamp.write_text(digest)
    return ""


def _shown(python: str, peer: tuple[str, str], uri: str) -> str:
    program, queue = peer
    words = [python, "-m", f"tests.bench.peers.{program}"]
    own: dict[str, Any] = {"env": {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}, "cwd": ROOT}
    server = subprocess.Popen([*words, "serve", uri], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **own)
    try:
        until(lambda: server.poll() is not None or _served(uri, queue), f"{program} serves", ASK_S)
        asked = subprocess.run([*words, "ask", uri, str(CALLS)], capture_output=True, text=True, timeout=ASK_S, **own)
        rate, p99 = json.loads(asked.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, IndexError, ValueError, AssertionError) as error:
        return f"skipped: {type(error).__name__}"
    finally:
        server.kill()
        server.wait()
        _forgotten(uri, queue)
    return f"{rate:,.0f} /s, p99 {p99 * 1000:.1f} ms"


def _served(uri: str, queue: str) -> bool:
    with dial(uri, "bench") as connection:
        try:
            return bool(connection.channel().queue_declare(queue, passive=True).consumer_count)
        except NotFound:
            return False


def _forgotten(uri: str, queue: str) -> None:
    """Delete the queue: another version of the same library may declare it otherwise."""
    with dial(uri, "bench") as connection:
        connection.channel().queue_delete(queue)

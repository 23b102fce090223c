"""What every process has: its environment, its log lines, its health, its command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from contracts.errors import Rejected
from shared.bus import trust
from shared.runtime.config import Config
from shared.runtime.health import Health

ROOT = Path(__file__).parents[2]
LEAVING = """
import warnings
warnings.filterwarnings("ignore")
import eventlet
eventlet.monkey_patch()
import os, signal, sys
from nameko.extensions import DependencyProvider
from shared.bus import faces

class Told(DependencyProvider):
    def setup(self):
        os.kill(os.getpid(), signal.SIGTERM)
        eventlet.sleep(0)  # whoever was woken by it has its turn

class Orders(faces.Face):
    name, told = "orders", Told()

sys.exit(faces.run(Orders))
"""


def logged(code: str) -> list[dict[str, Any]]:
    """Run `code` in a process that logs as ours do, and give its log lines."""
    start = "import logging, structlog\nfrom contracts.errors import Rejected\nfrom shared.runtime.logging import *\n"
    code = (
        f"{start}set_up('test')\ntry:\n{textwrap.indent(textwrap.dedent(code), '    ')}\nexcept Exception:\n    pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_the_environment_is_read(tmp_path: Path) -> None:
    environ = {
        "OPHOR_MODE": "demo",
        "OPHOR_AMQP_URI": "amqp://u:p@h/",
        "OPHOR_KEYS": str(tmp_path),
        "OPHOR_HEALTH_PORT": "81",
    }
    config = Config.read(environ, ("OPHOR_AMQP_URI",))
    assert (config.mode, config.keys, config.health_port) == ("demo", tmp_path, 81)
    assert "u:p" not in repr(config)


@pytest.mark.parametrize(
    ("field", "environ"),
    [
        ("OPHOR_MODE", {}),
        ("OPHOR_MODE", {"OPHOR_MODE": "prod"}),
        ("OPHOR_AMQP_URI", {"OPHOR_MODE": "test"}),
        ("OPHOR_AMQP_URI", {"OPHOR_MODE": "test", "OPHOR_AMQP_URI": "http://x"}),
        ("OPHOR_TRUST", {"OPHOR_MODE": "test", "OPHOR_AMQP_URI": "amqp://x", "OPHOR_TRUST": "/nowhere"}),
        ("OPHOR_HEALTH_PORT", {"OPHOR_MODE": "test", "OPHOR_AMQP_URI": "amqp://x", "OPHOR_HEALTH_PORT": "99999"}),
        (
            "OPHOR_CLOCK_URI",
            {"OPHOR_MODE": "production", "OPHOR_AMQP_URI": "amqp://x", "OPHOR_CLOCK_URI": "mongodb://x"},
        ),
        *(
            (
                "OPHOR_MONGO_URI",
                {"OPHOR_MODE": "production", "OPHOR_AMQP_URI": "amqp://x", "OPHOR_MONGO_URI": f"mongodb://x/?{option}"},
            )
            for option in (
                "tls=true&tlsInsecure=true",
                "tlsAllowInvalidHostnames=true",
                "tlsallowinvalidcertificates=1",
                "directConnection=true",
            )
        ),
    ],
)
def test_a_wrong_environment_is_refused_naming_the_variable_and_the_remedy(field: str, environ: dict[str, str]) -> None:
    with pytest.raises(Rejected) as refused:
        Config.read(environ, ("OPHOR_AMQP_URI",))
    assert (refused.value.code, refused.value.field) == ("CONFIG_INVALID", field)
    assert refused.value.remedy


def test_the_canonical_line_carries_what_is_bound_and_no_text_of_a_bug() -> None:
    within, line = logged("""
        with canonical("orders", "orders.x", "id-1", correlation_id="corr-1", attempts=1):
            structlog.get_logger("inner").info("within")
            raise ValueError("a sec" + "ret")
    """)
    assert within["correlation_id"] == line["correlation_id"] == "corr-1"
    assert (line["wire"], line["id"], line["outcome"], line["attempts"]) == ("orders.x", "id-1", "bug ValueError", 1)
    assert "secret" not in json.dumps(line)


def test_an_error_of_ours_is_told_by_family_and_code() -> None:
    (line,) = logged("""
        with canonical("orders", "orders.x", "id-1"):
            raise Rejected("SOME_CODE", "with a text")
    """)
    assert line["outcome"] == "rejected SOME_CODE"
    assert "with a text" not in json.dumps(line)


def test_a_librarys_exception_is_logged_by_place_only() -> None:
    (line,) = logged("""
        try:
            raise RuntimeError("a sec" + "ret")
        except RuntimeError:
            logging.getLogger("amqp").exception("went wrong")
    """)
    assert line["error"] == "RuntimeError" and "secret" not in json.dumps(line)


def test_health_tells_which_checks_fail() -> None:
    checks: dict[str, Callable[[], bool]] = {
        "good": lambda: True, "bad": lambda: False, "broken": lambda: bool(1 / 0)
    }  # fmt: skip
    health = Health("test", 0, checks).start()
    try:
        with pytest.raises(HTTPError) as unready:
            urlopen(f"http://127.0.0.1:{health.port}/ready")
        assert (unready.value.code, json.loads(unready.value.read())["failing"]) == (503, ["bad", "broken"])
        del checks["bad"], checks["broken"]
        assert urlopen(f"http://127.0.0.1:{health.port}/ready").status == 200
        assert urlopen(f"http://127.0.0.1:{health.port}/live").status == 200
        assert b"python_info" in urlopen(f"http://127.0.0.1:{health.port}/metrics").read()
    finally:
        health.stop()


def test_health_sleeps_until_it_is_asked_and_ends_when_it_is_stopped() -> None:
    health = Health("test", 0, {}).start()
    health.stop()
    health._thread.join(30)
    assert not health._thread.is_alive()
    with pytest.raises(URLError):
        urlopen(f"http://127.0.0.1:{health.port}/live")


def test_a_port_that_is_taken_is_said() -> None:
    health = Health("test", 0, {})
    try:
        with pytest.raises(Rejected, match="PORT_TAKEN"):
            Health("test", health.port, {})
    finally:
        health._server.server_close()


@pytest.mark.parametrize("arguments", [[], ["face"], ["face", "nobody"], ["hand", "orders"], ["dance"]])
def test_a_wrong_command_line_ends_with_2_and_the_usage(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "face NAME" in done.stderr


@pytest.mark.parametrize("arguments", [["face", "orders"], ["relay", "orders"]])
def test_a_process_without_its_environment_ends_with_1_and_names_the_variable(arguments: list[str]) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OPHOR_")}
    done = subprocess.run(
        [sys.executable, "-m", "services", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )
    assert done.returncode == 1
    assert "OPHOR_MODE" in done.stderr


def test_a_face_that_is_told_to_stop_while_it_starts_leaves_cleanly(tmp_path: Path) -> None:
    trust.write(tmp_path / "trust.json", {"orders": trust.make_key(tmp_path, "orders")}, {})
    environ = {
        "OPHOR_MODE": "test", "OPHOR_TRUST": str(tmp_path / "trust.json"), "OPHOR_AMQP_URI": "amqp://a:b@127.0.0.1:1/",
        "OPHOR_MONGO_URI": "mongodb://127.0.0.1:1/", "PATH": os.defpath,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", LEAVING], cwd=ROOT, capture_output=True, text=True, check=False, env=environ
    )
    assert done.returncode == 0, done.stderr


def test_what_threads_use_never_imports_eventlet() -> None:
    modules = "shared.bus.client, shared.bus.guard, shared.bus.trust, shared.runtime.health, shared.runtime.logging"
    code = f"import sys, {modules}; sys.exit('eventlet' in sys.modules or 'nameko' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0

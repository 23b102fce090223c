"""Processes that outlive their starter, and are known again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.stack import spawn
from deploy.stack.spawn import Launch, Ticket
from tests.waiting import until

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('set', flush=True); time.sleep(600)",
]  # fmt: skip


@pytest.fixture
def mark() -> Iterator[str]:
    mark = f"test-{uuid.uuid4()}"
    yield mark
    spawn.end(spawn.marked(mark), 0.0)


@pytest.fixture
def launch(tmp_path: Path) -> Callable[..., Launch]:
    return lambda argv=SLEEP: Launch(argv, dict(os.environ), tmp_path / "log")


def test_a_started_process_is_alive_and_carries_its_marks(mark: str, launch: Callable[..., Launch]) -> None:
    ticket = spawn.start(launch(), mark, "one")
    assert ticket.alive
    assert spawn.marked(mark, "one") == [ticket]
    assert spawn.marked(mark, "another") == []


def test_an_ended_process_is_not_alive_though_nobody_waited_for_it(mark: str, launch: Callable[..., Launch]) -> None:
    ticket = spawn.start(launch(), mark, "one")
    os.kill(ticket.pid, signal.SIGKILL)
    until(lambda: not ticket.alive, "the process ends")
    assert spawn.marked(mark) == []


def test_a_process_with_the_same_number_and_another_start_is_another(mark: str, launch: Callable[..., Launch]) -> None:
    ticket = spawn.start(launch(), mark, "one")
    other = Ticket(ticket.pid, ticket.started - 1)
    assert not other.alive
    assert spawn.end([other], 0.0) == []
    assert ticket.alive


def test_ending_asks_first_and_then_kills_what_does_not_listen(mark: str, launch: Callable[..., Launch]) -> None:
    polite, stubborn = spawn.start(launch(), mark, "polite"), spawn.start(launch(STUBBORN), mark, "stubborn")
    until(lambda: b"set" in launch().log.read_bytes(), "the stubborn one ignores the signal")
    assert spawn.end([polite, stubborn], 3.0) == [stubborn]
    assert not polite.alive and not stubborn.alive


def test_the_children_of_a_process_carry_its_marks(mark: str, launch: Callable[..., Launch]) -> None:
    code = f"import subprocess, time; subprocess.Popen({SLEEP!r}, start_new_session=True); time.sleep(600)"
    parent = spawn.start(launch([sys.executable, "-c", code]), mark, "parent")
    until(lambda: len(spawn.marked(mark)) == 2, "the child runs")
    os.kill(parent.pid, signal.SIGKILL)
    until(lambda: len(spawn.marked(mark)) == 1, "the child is left")
    spawn.end(spawn.marked(mark, "parent"), 1.0)
    assert spawn.marked(mark) == []


STARTER = """
import json, os, sys, time
from pathlib import Path
from deploy.stack import spawn
ticket = spawn.start(spawn.Launch(json.loads(sys.argv[1]), dict(os.environ), Path(sys.argv[2])), sys.argv[3], "one")
print(json.dumps([ticket.pid, ticket.started]), flush=True)
time.sleep(600)
"""


def test_a_process_survives_the_kill_of_its_starter(mark: str, tmp_path: Path) -> None:
    words = [sys.executable, "-c", STARTER, json.dumps(SLEEP), str(tmp_path / "log"), mark]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        ticket = Ticket(*json.loads(starter.stdout.readline()))
        starter.kill()
    assert ticket.alive


def test_output_is_appended_to_the_log(mark: str, launch: Callable[..., Launch]) -> None:
    for word in ("first", "second"):
        ticket = spawn.start(launch([sys.executable, "-c", f"print('{word}')"]), mark, "one")
        until(lambda one=ticket: not one.alive, "it ends")
    assert launch().log.read_text() == "first\nsecond\n"


def test_a_process_that_does_not_exist_has_no_start_time() -> None:
    assert spawn.start_time(os.getpid()) is not None
    assert spawn.start_time(2**22 + 1) is None

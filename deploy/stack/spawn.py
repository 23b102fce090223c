"""Processes that outlive their starter: started in a session of their own, known again by pid and start ticket.

Rules kept here: a pid alone proves nothing (numbers are used again), so every process is known by its pid and the
kernel's start time; every process we start, and every child of it, carries two marks in its environment
(`OPHOR_STACK`, `OPHOR_PROCESS`), so that `end` also finds what a killed starter had no time to write down.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

STACK_MARK, PROCESS_MARK = "OPHOR_STACK", "OPHOR_PROCESS"
_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Launch:
    """How a process is started: words, whole environment, log file, and the system user (name or number) if another."""

    argv: list[str]
    env: Mapping[str, str]
    log: Path
    user: str | None = None
    cwd: Path | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A process known again: pid and the kernel's start time of it (clock ticks since boot)."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Tell whether exactly this process still runs (one that ended but was not waited for does not)."""
        if self.pid <= 0:  # never started
            return False
        with suppress(ChildProcessError, OSError):
            os.waitpid(self.pid, os.WNOHANG)
        return start_time(self.pid) == self.started


def start(launch: Launch, stack: str, name: str) -> Ticket:
    """Start a process, detached, its output appended to the log; give its ticket."""
    env = {**launch.env, STACK_MARK: stack, PROCESS_MARK: name}
    user = int(launch.user) if launch.user and launch.user.isdigit() else launch.user  # a number needs no name
    with launch.log.open("ab") as log:
        process = subprocess.Popen(
            launch.argv, env=env, cwd=launch.cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, user=user, group=user, extra_groups=[] if user else None,
        )  # fmt: skip
    ticket = Ticket(process.pid, start_time(process.pid) or 0)
    process.returncode = 0  # it is not ours to wait for: `Ticket.alive` reaps it, and no warning is wanted
    while ticket.alive and not _shows_marks(process.pid):  # the kernel lets us go on a moment before it shows them
        time.sleep(0.001)
    return ticket


def _shows_marks(pid: int) -> bool:
    try:
        return bool((Path("/proc") / str(pid) / "environ").read_bytes())
    except OSError:
        return True  # ended, or not ours to read: nothing to wait for


def start_time(pid: int) -> int | None:
    """Give the kernel's start time of a process, None if there is none or it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def marked(stack: str, name: str | None = None) -> list[Ticket]:
    """Find every running process that carries this stack's mark (and that process's, where `name` is given)."""
    wanted = [f"{STACK_MARK}={stack}".encode()] + ([f"{PROCESS_MARK}={name}".encode()] if name else [])
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            marks = (entry / "environ").read_bytes().split(b"\0")
            started = start_time(int(entry.name))
            if started is not None and all(mark in marks for mark in wanted):
                found.append(Ticket(int(entry.name), started))
    return found


def end(tickets: Iterable[Ticket], grace: float, how: signal.Signals = signal.SIGTERM) -> list[Ticket]:
    """Ask processes to end, wait at most `grace` seconds for all together, kill the rest; give those killed."""
    remaining = [ticket for ticket in tickets if _send(ticket, how)]
    remaining = _wait(remaining, grace)
    for ticket in remaining:
        _send(ticket, signal.SIGKILL)
    _wait(remaining, 30.0)
    return remaining


def end_all(stack: str, grace: float) -> None:
    """End whatever carries this stack's mark, also what those begin that are just being ended."""
    for _ in range(_ROUNDS):
        if not (found := marked(stack)):
            return
        end(found, grace)


def _send(ticket: Ticket, how: signal.Signals) -> bool:
    if not ticket.alive:
        return False
    with suppress(ProcessLookupError):
        os.kill(ticket.pid, how)
        return True
    return False


def _wait(tickets: list[Ticket], seconds: float) -> list[Ticket]:
    until = time.monotonic() + seconds
    while (tickets := [ticket for ticket in tickets if ticket.alive]) and time.monotonic() < until:
        time.sleep(0.02)
    return tickets

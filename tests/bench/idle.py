"""`idle`: what a whole stack of the product costs while nothing happens, against one core."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from deploy.stack import guard
from deploy.stack.instance import Stack
from deploy.stack.processes import PARTS
from tests.bench.figures import Figure, timed

SETTLE_S, LOOK_S = 10.0, 30.0
TICK = os.sysconf("SC_CLK_TCK")
ALLOWED = 5.0


def measure() -> Figure:
    """Start everything, let it settle, and take the processor time of the product's own processes."""
    home = Path(tempfile.mkdtemp(prefix="ophor-bench-"))
    home.chmod(0o755)
    guard.start(home, os.getpid())
    try:
        stack = Stack.create(home, mode="test")
        stack.up()
        time.sleep(SETTLE_S)
        pids = [row.pid for row in stack.status() if row.name not in PARTS]  # asked once: an answer is no rest
        before, began = _ticks(pids), time.monotonic()
        time.sleep(LOOK_S)
        used = (_ticks(pids) - before) / TICK / (time.monotonic() - began) * 100
    finally:
        guard.take_away(home)
    return timed("idle", "processor time of the whole product at rest", used, "% of a core", "allowed", ALLOWED)


def _ticks(pids: list[int]) -> int:
    return sum(sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])) for pid in pids)

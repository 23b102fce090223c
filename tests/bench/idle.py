"""`idle`: what a whole stack of the product costs while nothing happens, against one core.

Counted are all processes that carry the stack's mark, every thread and child of theirs included, over a whole minute.
The parts (broker and databases, which are not ours) are shown beside it. Nothing of ours looks more often than once a
second; the threads of MongoDB's driver wake twice a second, whatever they are told.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from pathlib import Path

from deploy.stack import guard, spawn
from deploy.stack.instance import Stack
from deploy.stack.processes import PARTS, PRODUCT, TABLE
from tests.bench.figures import Figure, timed

SETTLE_S, LOOK_S = 10.0, 60.0
TICK = os.sysconf("SC_CLK_TCK")
ALLOWED = 5.0


def measure() -> Figure:
    """Start everything, let it settle, and take the processor time that is spent while nobody asks for anything."""
    home = Path(tempfile.mkdtemp(prefix="ophor-bench-"))
    home.chmod(0o755)
    guard.start(home, os.getpid())
    try:
        Stack.create(home, mode="test").up()
        time.sleep(SETTLE_S)
        before, began = _spent(home), time.monotonic()
        time.sleep(LOOK_S)
        after, took = _spent(home), time.monotonic() - began
    finally:
        guard.take_away(home)
    shares = {name: (after.get(name, 0) - before[name]) / TICK / took * 100 for name in before}
    if missing := [name for name in PRODUCT if shares.get(name, -1) < 0]:
        raise RuntimeError(f"not running all the time: {', '.join(missing)}")
    used = sum(shares[name] for name in PRODUCT)
    figure = timed("idle", "processor time of the whole product at rest", used, "% of a core", "allowed", ALLOWED)
    figure.beside.update({name: f"{shares[name]:.2f} % of a core" for name in PARTS if name in shares} | _kinds(shares))
    return figure


def _kinds(shares: dict[str, float]) -> dict[str, str]:
    """Give what the processes of each kind of the product used together."""
    kinds = Counter(TABLE[name].kind for name in PRODUCT)
    used = {kind: sum(shares[name] for name in PRODUCT if TABLE[name].kind == kind) for kind in kinds}
    return {f"of it: {kind} × {kinds[kind]}": f"{used[kind]:.2f} % of a core" for kind in kinds}


def _spent(home: Path) -> dict[str, int]:
    """Give the ticks that each process of the stack and its children have had, also the children that ended."""
    found = {name: spawn.marked(str(home), name) for name in TABLE}
    return {name: sum(_ticks(each.pid) for each in tickets) for name, tickets in found.items() if tickets}


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0  # a child that ended just now: its parent has its ticks
    return sum(map(int, fields[11:15]))

"""Processes that are started again when they end, as an orchestrator would, and how long each took to be ready."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from deploy.stack import reach

ROOT = Path(__file__).parents[2]
_TURN_S = 0.1
_SAMPLE_S = 1.0
WARM_S = 20.0
FEW = 10


@dataclass
class Process:
    """One process: how it is started, its health's port, and its present incarnation."""

    name: str
    kind: str
    words: tuple[str, ...]
    env: Mapping[str, str]
    port: int
    log: Path
    popen: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    down_since: float | None = None
    recoveries: list[float] = field(default_factory=list)
    own_ends: list[int] = field(default_factory=list)

    def start(self) -> None:
        """Start an incarnation."""
        with self.log.open("ab") as log:
            argv = [sys.executable, "-m", "tests.chaos.points", *self.words]
            self.popen = subprocess.Popen(argv, env=dict(self.env), cwd=ROOT, stdout=log, stderr=log)
        self.began = time.monotonic()

    @property
    def alive(self) -> bool:
        """Tell whether it runs."""
        return self.popen is not None and self.popen.poll() is None

    @property
    def ready(self) -> bool:
        """Tell whether it says that it is ready."""
        answer = reach.health(self.port, "/ready") if self.alive else None
        return bool(answer and answer.get("ready"))

    @property
    def back(self) -> bool:
        """Tell whether it has recovered; the gateway asks a service whether it is ready, which may take its time."""
        return bool(self.alive and reach.health(self.port, "/live")) if self.kind == "gateway" else self.ready

    def signal(self, number: int) -> bool:
        """Send a signal; tell whether there was somebody to get it."""
        if not self.alive or self.popen is None:
            return False
        self.down_since = self.down_since or time.monotonic()
        with suppress(ProcessLookupError):
            self.popen.send_signal(number)
        return True

    def memory_mb(self) -> float:
        """Give the resident memory, 0 where it does not run."""
        with suppress(OSError, IndexError, ValueError):
            assert self.popen is not None
            fields = Path(f"/proc/{self.popen.pid}/statm").read_text().split()
            return int(fields[1]) * 4096 / 1e6
        return 0.0


class Memory:
    """Resident memory of processes that have warmed up, sampled once a second: how much did each of them grow?

    An incarnation counts once it has run for WARM_S: until then it loads modules and fills pools and caches. Growth is
    the median of the last third of an incarnation's samples above that of the first third.
    """

    def __init__(self) -> None:
        self._samples: dict[tuple[str, float], list[float]] = defaultdict(list)
        self._next = 0.0

    def sample(self, processes: Iterable[Process]) -> None:
        """Note what each warm process holds, once a second."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _SAMPLE_S
        for each in processes:
            if now - each.began > WARM_S and (held := each.memory_mb()):
                self._samples[each.name, each.began].append(held)

    def growth(self) -> dict[str, float]:
        """Give, for each process with enough samples, the growth of its worst incarnation in MB."""
        found: dict[str, float] = {}
        for (name, _), held in self._samples.items():
            if len(held) >= FEW:
                third = len(held) // 3
                grown = round(median(held[-third:]) - median(held[:third]), 1)
                found[name] = max(grown, found.get(name, grown))
        return dict(sorted(found.items(), key=lambda item: -item[1]))


class Watch:
    """Start processes and start them again; `ended` hears of those that ended and were not killed by us."""

    def __init__(self, processes: list[Process]) -> None:
        self.processes = {each.name: each for each in processes}
        self.restarts, self.memory = 0, Memory()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Start everything."""
        for each in self.processes.values():
            each.start()
        self._thread.start()

    def of_kind(self, *kinds: str) -> list[Process]:
        """List processes by kind."""
        return [each for each in self.processes.values() if each.kind in kinds]

    def all_ready(self) -> bool:
        """Tell whether every process is ready."""
        return all(each.ready for each in self.processes.values())

    def late(self) -> list[str]:
        """Name those that are not ready."""
        return [each.name for each in self.processes.values() if not each.ready]

    def end(self) -> None:
        """End everything for good."""
        self._ending.set()
        self._thread.join(60)
        for each in self.processes.values():
            each.signal(signal.SIGKILL)
        for each in self.processes.values():
            if each.popen is not None:
                each.popen.wait(120)

    def _run(self) -> None:
        while not self._ending.wait(_TURN_S):
            for each in self.processes.values():
                if self._ending.is_set():
                    return  # nobody is started again any more
                self._look(each)
            self.memory.sample(self.processes.values())

    def _look(self, each: Process) -> None:
        if not each.alive:
            self._again(each)
        elif each.down_since is not None and time.monotonic() - each.began > _TURN_S and each.back:
            each.recoveries.append(time.monotonic() - each.down_since)
            each.down_since = None

    def _again(self, each: Process) -> None:
        assert each.popen is not None
        if each.popen.returncode not in (0, -signal.SIGKILL, -signal.SIGTERM):
            each.own_ends.append(each.popen.returncode)
        each.down_since = each.down_since or time.monotonic()
        self.restarts += 1
        each.start()


def environment(base: Mapping[str, str], name: str, points: Path, **more: Any) -> dict[str, str]:
    """Give a process's environment with the crash points' variables."""
    return {**base, "CHAOS_POINTS": str(points), "CHAOS_NAME": name, **{key: str(value) for key, value in more.items()}}

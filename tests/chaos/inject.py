"""What is done to the bed, and when: processes and parts meet their faults at the same time, each by its own sequence.

Both sequences come from the seed, so a run can be repeated; how they meet is the machine's. A process may be killed
while the broker is away or the database frozen, as happens. Faults of parts come one at a time.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from contracts.errors import OphorError
from tests.chaos import faults, fuzz, points
from tests.chaos.bed import Bed

NOT_NOW = (*faults.BROKEN, OphorError, AssertionError)
TRIES = 3


class Injection:
    """One run's faults; `injected` counts those that were carried out."""

    def __init__(self, bed: Bed, asked: argparse.Namespace, began: float) -> None:
        self.bed, self.asked, self.began = bed, asked, began
        self.injected = Counter[str]()
        self._lock = threading.Lock()

    @property
    def kills(self) -> int:
        """Count the faults of processes."""
        return sum(self.injected[fault.__name__] for fault in set(faults.PROCESS_FAULTS))

    def run(self) -> None:
        """Inject everything; see to it that as many processes were killed as was asked for."""
        with ThreadPoolExecutor(2) as pool:
            for each in [pool.submit(self._processes), pool.submit(self._parts)]:
                each.result()
        self.injected[faults.crash_point.__name__] -= points.disarm(str(self.bed.points))  # nobody came there
        missing = max(0, self.asked.kills - self.kills)
        self._sequence("instead of points that nobody came to", (faults.kill, faults.terminate), missing)

    def _processes(self) -> None:
        self._sequence("processes", faults.PROCESS_FAULTS, self.asked.kills)

    def _parts(self) -> None:
        rng = random.Random(f"{self.asked.seed} malformed")
        kinds = faults.CLUSTER_FAULTS if self.bed.cluster else faults.PART_FAULTS
        each = self.asked.malformed // max(1, self.asked.faults)

        def before() -> None:
            with suppress(*NOT_NOW):  # what is missing in the end is made up for
                fuzz.spoil(self.bed, rng, each)

        self._sequence("parts", kinds, self.asked.faults, before)

    def _sequence(
        self, title: str, kinds: Sequence[faults.Fault], count: int, before: Callable[[], None] = lambda: None
    ) -> None:
        """Inject `count` faults, every kind as often as the others, in an order that the seed gives."""
        rng = random.Random(f"{self.asked.seed} {title}")
        plan = [kinds[number % len(kinds)] for number in range(count)]
        rng.shuffle(plan)
        for number, fault in enumerate(plan, 1):
            before()
            what = self._injected(fault, rng)
            self._tell(f"{title} {number}/{count}  {fault.__name__:20} {what}")
            time.sleep(rng.uniform(0.05, self.asked.pause))

    def _injected(self, fault: faults.Fault, rng: random.Random) -> str:
        """Inject a fault, and tell what it was; on a machine that is too busy for it, try again."""
        what = ""
        for _ in range(TRIES):
            try:
                what = fault(self.bed, rng)
            except NOT_NOW as error:
                what = f"could not be injected: {type(error).__name__} {error}"[:120]
            else:
                with self._lock:
                    self.injected[fault.__name__] += 1
                break
        return what

    def _tell(self, line: str) -> None:
        print(f"{time.monotonic() - self.began:6.0f} s  {line}", file=sys.stderr, flush=True)

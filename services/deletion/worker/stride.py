"""How many rows the next batch takes: as many as the target bears quickly, found out batch by batch.

A system whose foreign keys have no index may need seconds for a hundred rows, another does thousands in less than one.
What was found out is known to this process alone; after a start it is found out again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from services.deletion.worker import ground

FIRST, LEAST, QUICK_S, SLOW_S = 1_000, 50, 1.0, 5.0


class Stride:
    """Rows a batch, by place: twice as many after a quick batch, a quarter after a slow or failed one."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], int] = {}

    def rows(self, place: tuple[str, str]) -> int:
        """Give how many rows the next batch of a (system, place) takes, `OPHOR_BATCH` at most."""
        return min(self._rows.get(place, FIRST), ground.batch_size())

    @contextmanager
    def timed(self, place: tuple[str, str], *, compares: bool = False) -> Iterator[None]:
        """Take the time of a batch; one that compares the neighbours may be slow for their number, not for its own."""
        rows, began = self.rows(place), time.monotonic()
        self._rows[place] = max(rows // 4, LEAST)
        yield
        if (took := time.monotonic() - began) < SLOW_S or compares:
            self._rows[place] = rows * 2 if took < QUICK_S else rows


STRIDE = Stride()

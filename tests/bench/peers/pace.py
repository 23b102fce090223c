"""How a round trip is timed, here and in every other library's interpreter alike; standard library only."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

WARM = 200
BODY = "x" * 400


def paced(work: Callable[[], Any], calls: int) -> list[float]:
    """Do it `calls` times after a warm-up, and give how long each took (seconds)."""
    times = []
    for _ in range(WARM + calls):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return times[WARM:]


def rate(times: Sequence[float]) -> tuple[float, float]:
    """Give calls a second, and the 99th percentile in seconds."""
    return len(times) / sum(times), sorted(times)[int(len(times) * 0.99)]


def tell(work: Callable[[], Any], calls: int) -> None:
    """Time it and print rate and p99 as one line of JSON."""
    told(paced(work, calls))


def told(times: Sequence[float]) -> None:
    """Print rate and p99 as one line of JSON."""
    print(json.dumps(rate(times)), flush=True)

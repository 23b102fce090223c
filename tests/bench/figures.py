"""What a benchmark gives, and how it is kept and shown.

A figure's `ratio` says how it compares with its reference, higher is better: for a time reference ÷ value, for a rate
value ÷ reference. `peak_mb` is the most memory that the measuring process itself held. One process a benchmark, so
that no figure leans on what another left behind.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: `value` and `reference` in `unit`; `what` and `against` say what they are."""

    name: str
    what: str
    value: float
    unit: str
    against: str
    reference: float
    ratio: float
    peak_mb: float
    p99_ms: float | None = None  # where single answers were timed
    beside: dict[str, str] = field(default_factory=dict)  # what else was measured, or why it was not

    def keep(self) -> Path:
        """Write `results/NAME.json` and give its path."""
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.name}.json"
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        return path


def timed(name: str, what: str, value: float, unit: str, against: str, reference: float) -> Figure:
    """Make the figure of a time (less is better)."""
    return Figure(name, what, round(value, 4), unit, against, round(reference, 4), _of(reference, value), peak_mb())


def rated(name: str, what: str, value: float, unit: str, against: str, reference: float) -> Figure:
    """Make the figure of a rate (more is better)."""
    return Figure(name, what, round(value, 1), unit, against, round(reference, 1), _of(value, reference), peak_mb())


def seconds(work: Callable[[], Any]) -> float:
    """Give how long `work` took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def peak_mb() -> float:
    """Give the most memory that this process has held so far, in MB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def read(name: str) -> Figure:
    """Read a kept figure."""
    return Figure(**json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")))


def _of(part: float, whole: float) -> float:
    return round(part / whole, 3) if whole else 0.0

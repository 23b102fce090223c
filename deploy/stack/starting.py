"""Waiting for processes that were just started, and saying clearly what a failed one said last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import Unavailable

SECONDS = 180.0  # as long as a machine may take that is many times slower; what has ended is told at once
TAIL_LINES = 15
Progress = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Starting:
    """A process between its start and its readiness; `offset` is where its own words begin in the log."""

    name: str
    log: Path
    offset: int
    alive: Callable[[], bool]
    ready: Callable[[], bool]

    def error(self) -> Unavailable:
        """Give the error for a process that ended or did not become ready: with the last lines of its log."""
        what = "did not become ready" if self.alive() else "ended while starting"
        return Unavailable(
            "PROCESS_NOT_STARTED", f"{self.name} {what}; its last words ({self.log}):\n{self.tail()}", field=self.name,
            remedy=f"mend that, then `ophor up {self.name}`", da=f"{self.name} kom ikke op.",
        )  # fmt: skip

    def tail(self) -> str:
        """Give the last lines that this start wrote to the log."""
        try:
            words = self.log.read_bytes()[self.offset :].decode("utf-8", "replace")
        except OSError:
            words = ""
        return "\n".join(f"  | {line[:400]}" for line in words.splitlines()[-TAIL_LINES:]) or "  | (nothing)"


def wait(starting: Iterable[Starting], progress: Progress, seconds: float = SECONDS) -> None:
    """Wait until all are ready; raise the error of the first that ended, or that is not ready after `seconds`."""
    until = time.monotonic() + seconds
    pending = list(starting)
    while pending:
        for one in tuple(pending):
            if one.ready():
                progress(one.name, "ready")
                pending.remove(one)
            elif not one.alive() or time.monotonic() > until:
                progress(one.name, "failed")
                raise one.error()
        if pending:
            time.sleep(0.1)


def size(log: Path) -> int:
    """Give the length of a log, 0 where there is none."""
    return log.stat().st_size if log.exists() else 0

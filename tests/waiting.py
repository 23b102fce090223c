"""Waiting for a condition; tests never sleep for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

LONGEST_S = 180.0
"""As long as a machine may take that is many times slower than ours; what comes sooner costs nothing."""

Value = TypeVar("Value")


def until(
    condition: Callable[[], Value],
    what: str,
    seconds: float = LONGEST_S,
    passing: tuple[type[Exception], ...] = (),
    at_most_s: float = 0.15,
) -> Value:
    """Wait until `condition` gives something true, and give it; fail naming `what`.

    Errors that are `passing` pass. Looks lie ever further apart, to `at_most_s`: they cost those who are waited for.
    """
    end, pause = time.monotonic() + seconds, 0.01
    while True:
        with suppress(*passing):
            if value := condition():
                return value
        assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
        time.sleep(pause)
        pause = min(at_most_s, pause * 1.25)

"""What the programs on the log share (`ophor evidence …`): the store that the environment names, and how they end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from contracts.errors import OphorError, Rejected
from shared.runtime.clock import clock_for
from shared.store.unit import Store


@contextmanager
def the_store() -> Iterator[Store]:
    """Open compliance's store at OPHOR_MONGO_URI, under the clock of OPHOR_MODE; it is closed with the block."""
    mode = os.environ.get("OPHOR_MODE", "production")
    store = Store(os.environ["OPHOR_MONGO_URI"], "compliance", clock_for(mode, os.environ.get("OPHOR_CLOCK_URI", "")))
    try:
        yield store
    finally:
        store.close()


def run(work: Callable[[Store], Any]) -> int:
    """Do `work` on the store and give the exit code: 0 done, 1 the world is wrong, 2 refused."""
    try:
        with the_store() as store:
            work(store)
    except (OphorError, OSError) as error:
        print(f"{getattr(error, 'da', '')}\n{error}", file=sys.stderr)  # noqa: T201 - a terminal program
        return 2 if isinstance(error, Rejected) else 1
    return 0

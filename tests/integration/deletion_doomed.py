"""Deleters that die: `python -m tests.integration.deletion_doomed` forks one process for each line it is told.

A line is JSON: the store, the folder of the map, and `at`, the boundary where the process kills itself (SIGKILL; none:
it carries all tasks to the end). What a line gets back is how the process ended. Nothing is opened before a fork.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from services.deletion.worker import delete, ground, transaction, verify
from shared.bus.hands import Work
from shared.store import mongo
from tests.integration.deletion_house import HandClock, House, own_store

for room in ("sql", "s3", "mongodb", "queues"):
    import_module(f"shared.connectors.{room}")  # once, not in every fork


def die() -> None:
    """End this process without a word."""
    os.kill(os.getpid(), signal.SIGKILL)


def _wrap(owner: Any, name: str, *, after: bool) -> None:
    """Have this process die before or after what a function does."""
    real = getattr(owner, name)

    @functools.wraps(real)
    def dying(*args: Any, **named: Any) -> Any:
        if not after:
            die()
        real(*args, **named)
        die()

    setattr(owner, name, dying)


def _once_committed(owner: Any, name: str) -> None:
    """Have this process die when the transaction is committed in which a function was called."""
    real, commit, called = getattr(owner, name), Work.commit, []

    def noting(*args: Any, **named: Any) -> Any:
        called.append(name)
        return real(*args, **named)

    def committing(work: Work, handle: Any) -> Any:
        result = commit(work, handle)
        if called:
            die()
        return result

    setattr(owner, name, noting)
    Work.commit = committing  # type: ignore[assignment,method-assign]


class _Doomed:
    """A batch of any connector whose process dies at a call."""

    def __init__(self, batch: Any, name: str, *, after: bool) -> None:
        self._batch, self._name, self._after = batch, name, after

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            _wrap(self._batch, name, after=self._after)
        return getattr(self._batch, name)


def _in_batch(name: str, *, after: bool) -> None:
    """Have this process die at a call of the first batch of whatever connector is opened."""
    real = ground.opened

    @contextmanager
    def opened(*args: Any) -> Iterator[Any]:
        with real(*args) as connector:
            batch = connector.batch

            @contextmanager
            def doomed() -> Iterator[Any]:
                with batch() as one:
                    yield _Doomed(one, name, after=after)

            connector.batch = doomed  # type: ignore[method-assign]
            yield connector

    ground.opened = opened  # type: ignore[assignment]


# In this order no three closings in a row have nothing to count, which would rightly stop the job (STALLED_AT_MOST).
BOUNDARIES: dict[str, Callable[[], None]] = {
    "in the preview's transaction": lambda: _wrap(verify, "_tell_preview", after=True),
    "after the preview, before its acknowledgement": lambda: _once_committed(verify, "_tell_preview"),
    "in the transaction that begins": lambda: _wrap(delete, "_tell_begun", after=True),
    "after beginning, before its acknowledgement": lambda: _once_committed(delete, "_tell_begun"),
    "before the intent": lambda: _wrap(transaction, "open_", after=False),
    "in the intent's transaction": lambda: _wrap(transaction, "open_", after=True),
    "in the closing transaction": lambda: _wrap(transaction, "close", after=True),
    "after the target's statement": lambda: _in_batch("delete", after=True),
    "in the transaction that decides to keep": lambda: _wrap(transaction, "keep", after=True),
    "after the target's commit": lambda: _in_batch("commit", after=True),
    "before the target's commit": lambda: _in_batch("commit", after=False),
    "after the intent, before the target is touched": lambda: _wrap(transaction, "_act", after=False),
    "after closing, before its acknowledgement": lambda: _once_committed(transaction, "close"),
    "after closing, acknowledged": lambda: _once_committed(transaction, "close"),
    "before the target's statement": lambda: _in_batch("delete", after=False),
    "in the transaction that tells the end": lambda: _wrap(delete, "_tell_executed", after=True),
    "after the end was told, before its acknowledgement": lambda: _once_committed(delete, "_tell_executed"),
    "in the verification's transaction": lambda: _wrap(verify, "_tell_answer", after=True),
    "after the verification, before its acknowledgement": lambda: _once_committed(verify, "_tell_answer"),
}


def _carry(told: dict[str, Any]) -> None:
    """Do what any worker would that comes after a dead one; all that was sent is delivered again, or the rest of it."""
    clock, connect = HandClock(), mongo.connect
    mongo.connect = lambda uri, name: connect(uri, told["database"])  # the server shows whose an open transaction is
    store = own_store(told["mongo"], clock, told["database"])
    house = House(store, clock, Path(told["folder"]), {}, seq=told["seq"])
    if told["acknowledged"]:  # what was handled before is not delivered again
        house.carried |= {str(row["_id"]).split("/")[0] for row in store.db.inbox.find({}, {"_id": 1})}
    if told["at"]:
        BOUNDARIES[told["at"]]()
    house.carry()
    job = house.ask("read_job", {"activity": "D7a"})
    if job["state"] == "previewed":
        house.permit()
        house.carry()


def main() -> None:
    """Fork for each line."""
    for line in sys.stdin:
        process = os.fork()
        if not process:
            _carry(json.loads(line))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    main()

"""The backup tool's retention, a process of its own: removes the sets whose last day is past, by the rules' clock.

It reads catalogues and never writes them; what it removed stands in its own log (`retention.jsonl`), one line a set.
A set counts as there until the last of its files is gone. Killed in the middle, it goes on where it was.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

from pymongo.errors import PyMongoError

from contracts.errors import Unavailable
from deploy.demo.backups import CATALOGUE, BackupSet, read_catalogue
from shared.runtime.clock import Clock, legal_date

LOG = "retention.jsonl"
LOOK_EVERY_S, TURN_S = 1.0, 0.1


def run(backups: Path, clock: Clock, stopping: threading.Event) -> None:
    """Remove what has expired whenever the clock was set, until `stopping`; wait where the clock does not answer."""
    was_set = threading.Event()
    threading.Thread(target=_watch, args=(clock, was_set), daemon=True).start()
    while not stopping.is_set():
        was_set.clear()
        with suppress(Unavailable):
            remove_expired(backups, legal_date(clock.fresh()))
        ends = time.monotonic() + LOOK_EVERY_S
        while not (stopping.is_set() or was_set.wait(TURN_S)) and time.monotonic() < ends:
            pass


def remove_expired(backups: Path, today: date) -> list[BackupSet]:
    """Remove the sets whose `expires_on` is before `today`; give those that were removed now."""
    removed = []
    for place, each in _present(backups):
        if each.expires_on < today:
            shutil.rmtree(place)
            removed.append(each)
            _note(backups, each, today)
    return removed


def _watch(clock: Clock, was_set: threading.Event) -> None:
    """Say that the clock was set, as soon as it was: who looks for a set on that day shall not meet it any more."""
    while True:
        with suppress(PyMongoError, Unavailable):
            for _ in clock.changes(lambda: False):
                was_set.set()
        time.sleep(LOOK_EVERY_S)


def _present(backups: Path) -> Iterator[tuple[Path, BackupSet]]:
    for catalogue in sorted(backups.glob(f"*/{CATALOGUE}")):
        for each in read_catalogue(catalogue.parent):
            place = catalogue.parent / each.set_id
            if place.is_dir():
                yield place, each


def _note(backups: Path, each: BackupSet, today: date) -> None:
    line = {"system": each.system, "set_id": each.set_id, "expires_on": each.expires_on, "removed_on": today}
    with (backups / LOG).open("a") as log:
        log.write(json.dumps(line, default=str) + "\n")

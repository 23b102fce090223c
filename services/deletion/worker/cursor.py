"""Where a job's next batch of a place begins: behind the last one, so that what was deleted is not passed over again.

An engine keeps what was deleted for a while (dead rows, tombstones); who begins at the beginning each time reads all of
it each time, and the whole costs the square of the rows. The position is a row's key, so it is kept in this process
alone, for a few jobs; after a start, a batch that was not wholly done or one that another process did, the next begins
at the beginning. A place counts as empty only when nothing is found from the beginning either.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.connectors.protocol import Connector, Key

JOBS = 8


@dataclass(frozen=True, slots=True)
class Turn:
    """The keys of a batch, and whether the place has none behind them."""

    keys: list[Key]
    last: bool


class Cursor:
    """The last key that a job deleted in a place, as long as this process does its batches one after another."""

    def __init__(self) -> None:
        self._behind: dict[str, tuple[str, str, int, Key]] = {}

    def next(self, job_id: str, batches: int, connector: Connector, place: str, size: int) -> Turn:
        """Give the next keys of a place, after so many batches of the job; no keys: there are none left."""
        system, of, done, after = self._behind.pop(job_id, ("", "", 0, ()))
        known = after if (system, of, done) == (connector.system, place, batches) else ()
        found = connector.keys(place, size + 1, known) if known else []
        found = found or connector.keys(place, size + 1)
        return Turn(found[:size], len(found) <= size)

    def went(self, job_id: str, batches: int, system: str, place: str, last: Key) -> None:
        """Keep that a batch was wholly done, the job's so many-th."""
        while len(self._behind) >= JOBS:
            del self._behind[next(iter(self._behind))]
        self._behind[job_id] = system, place, batches, last


CURSOR = Cursor()

"""The rows of one outbox, a batch at a time: one thread writes down fates and fetches ahead while another publishes.

* Only `next`'s caller publishes; the helper alone writes fates and reads rows, one job after the other. Before it reads
  it writes down every fate that is known, and leaves out the rows in hand: no row is given twice because its fate is
  not written yet. A fate that could not be written is kept, and written before anything else is read.
* Batches come in the order of writing. Whatever breaks the order (a lost broker, a lease that changed) calls `drop`:
  what was fetched ahead is forgotten, and the next batch begins at the first row that is pending.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pymongo import UpdateOne

from shared.bus.confirms import Fate
from shared.bus.outbox import Row

if TYPE_CHECKING:
    from shared.store.unit import Store

BATCH = 500
_LONGEST_WAIT_S = 60
log = logging.getLogger("ophor.relay")


class Batches:
    """One outbox's pending rows; `settle` notes a fate, which is written down soon after."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._helper = ThreadPoolExecutor(1, "outbox")
        self._ahead: Future[list[Row]] | None = None
        self._fates: dict[str, tuple[Row, Fate]] = {}

    def next(self) -> list[Row]:
        """Give the next batch, the oldest first, all earlier fates but the last batch's written; raise PyMongoError."""
        ahead, self._ahead = self._ahead, None
        rows = ahead.result() if ahead else []
        rows = rows or self._helper.submit(self._fetch, ()).result()
        if len(rows) == BATCH:
            self._ahead = self._helper.submit(self._fetch, [row["_id"] for row in rows])
        return rows

    def settle(self, row: Row, fate: Fate) -> None:
        """Note a row's fate."""
        self._fates[row["_id"]] = (row, fate)

    def flush(self) -> None:
        """Wait until every fate that is known is written down; raise PyMongoError."""
        if self._fates:
            self._helper.submit(self._write_down).result()

    def drop(self) -> None:
        """Forget what was fetched ahead."""
        self._ahead = None

    def close(self) -> None:
        """End the helper, after what it does."""
        self._helper.shutdown()

    def _fetch(self, in_hand: Iterable[str]) -> list[Row]:
        self._write_down()
        ripe: dict[str, Any] = {"state": "pending", "not_before": {"$lte": datetime.now(UTC)}}
        if in_hand:
            ripe["_id"] = {"$nin": in_hand}
        found = self._store.db.outbox.find(ripe).sort([("not_before", 1), ("_id", 1)]).limit(BATCH)
        return list(found.batch_size(BATCH + 1))  # in one answer, not in two

    def _write_down(self) -> None:
        fates = list(self._fates.values())
        if not fates:
            return
        now, outbox = datetime.now(UTC), self._store.db.outbox
        told = [row for row, fate in fates if fate == "ok"]
        rest = [(row, fate) for row, fate in fates if fate != "ok"]
        if told:
            outbox.update_many({"_id": {"$in": [row["_id"] for row in told]}}, [_published(told, now)])
        if rest:
            outbox.bulk_write([_later(row, fate, now) for row, fate in rest], ordered=False)
            first = rest[0][0]["_id"]
            log.error("%d rows found no queue or were refused, tried again later; first: %s", len(rest), first)
        for row, _ in fates:
            del self._fates[row["_id"]]


def _published(rows: list[Row], now: datetime) -> dict[str, Any]:
    """Give the one stage that marks all `rows`, each with its own signature: a third of the work of an update each."""
    at = {"$indexOfArray": [{"$literal": [row["_id"] for row in rows]}, "$_id"]}
    headers = {"$arrayElemAt": [{"$literal": [row["headers"] for row in rows]}, at]}
    return {"$set": {"state": "published", "published_at": now, "headers": headers}}


def _later(row: Row, fate: Fate, now: datetime) -> UpdateOne:
    wait = timedelta(seconds=min(_LONGEST_WAIT_S, 2 ** min(row["tries"], 10)))
    later = {"not_before": now + wait, "headers": row["headers"], "reason": fate}
    return UpdateOne({"_id": row["_id"]}, {"$set": later, "$inc": {"tries": 1}})

"""`tick`: one look at what is due with 1,000,000 pending activities, against the same with 1,000."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from shared.bus import envelope
from shared.runtime.clock import legal_date
from shared.store.unit import Store
from tests.bench.figures import Figure, seconds, timed
from tests.integration.bus_store_parts import mongo

MANY, FEW, TICKS, DUE_A_TICK = 1_000_000, 1_000, 200, 5
BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Standing:
    """A rules' clock that stands until it is set."""

    def __init__(self) -> None:
        self.instant = BEGAN

    def now(self) -> datetime:
        return self.instant

    fresh = now

    def today(self) -> Any:
        return legal_date(self.instant)

    def changes(self, stopping: Any) -> Iterator[None]:
        return iter(())

    def close(self) -> None:
        pass


def measure() -> Figure:
    """Take the median of ticks that each find the same few timers due, among few and among many that wait."""
    with mongo() as node:
        few, many = (_tick(node.uri, pending) for pending in (FEW, MANY))
    what = f"a tick with {MANY:,} pending ({DUE_A_TICK} due)"
    return timed("tick", what, many * 1000, "ms", f"with {FEW:,} pending", few * 1000)


def _tick(uri: str, pending: int) -> float:
    clock = Standing()
    store = Store(uri, "scheduling", clock)
    store.client.drop_database(store.db.name)
    store.prepare()
    _fill(store, pending)
    times = []
    for _ in range(TICKS):
        clock.instant += MINUTE
        times.append(seconds(store.fire_due))
    if (told := store.db.outbox.count_documents({})) != TICKS * DUE_A_TICK:
        raise RuntimeError(f"{told} timers fired, not {TICKS * DUE_A_TICK}")
    store.close()
    return median(times)


def _fill(store: Store, pending: int) -> None:
    soon = ((BEGAN + MINUTE * (tick + 1), number) for tick in range(TICKS) for number in range(DUE_A_TICK))
    later = ((BEGAN + timedelta(days=1 + number % 3650), number) for number in range(pending))
    rows = (_row(due) for due, _ in itertools.chain(soon, later))
    while batch := list(itertools.islice(rows, 10_000)):
        store.db.timers.insert_many(batch, ordered=False)


def _row(due: datetime) -> dict[str, Any]:
    exit_id, day = f"exit-{uuid.uuid4().hex[:24]}", legal_date(due).isoformat()
    named = {"_id": f"{exit_id}:{day}", "wire": "scheduling.timer_due", "subject": exit_id, "correlation_id": exit_id}
    return named | {"due": due, "data": envelope.encode({"exit_id": exit_id, "on": day})}

"""What a process tells Prometheus of its messages; names of services, queues and wires only, never an id.

ophor_entrypoints_total{consumer,wire,outcome}   handled, by family of outcome (ok, rejected, unavailable, bug, …)
ophor_entrypoint_seconds{consumer,wire}          time in a handler (calls and events)
ophor_lag_seconds{consumer,wire}                 from the telling of an event or task to its handling
ophor_call_seconds{wire,outcome}                 a call as its caller sees it
ophor_moved_total{queue,to}                      off a queue: `delay` (to be tried again) or `dead`
ophor_outbox_rows{service,state}, ophor_outbox_age_seconds{service}, ophor_inbox_rows{service}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from pymongo.database import Database

ENTRYPOINTS = Counter("ophor_entrypoints_total", "Messages handled", ["consumer", "wire", "outcome"])
SECONDS = Histogram("ophor_entrypoint_seconds", "Time in a handler", ["consumer", "wire"])
LAG = Histogram(
    "ophor_lag_seconds", "From telling to handling", ["consumer", "wire"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60, 600, 3600),
)  # fmt: skip
CALLS = Histogram("ophor_call_seconds", "A call as its caller sees it", ["wire", "outcome"])
MOVED = Counter("ophor_moved_total", "Messages moved off a queue", ["queue", "to"])
OUTBOX = Gauge("ophor_outbox_rows", "Rows of the outbox", ["service", "state"])
OUTBOX_AGE = Gauge("ophor_outbox_age_seconds", "Age of the oldest pending row", ["service"])
INBOX = Gauge("ophor_inbox_rows", "Rows of the inbox", ["service"])


def begin(consumer: str, wires: Iterable[str], queue: str) -> None:
    """Have what alerts watch for an increase stand at nought: a series that begins with 1 has not increased."""
    for wire in wires:
        ENTRYPOINTS.labels(consumer, wire, "bug")
    for to in ("delay", "dead"):
        MOVED.labels(queue, to)


def watch_outbox(db: Database[dict[str, Any]], service: str) -> None:
    """Have the outbox's depth and age read at each scrape."""
    from shared.store import account

    for state in ("pending", "parked"):
        _read_by(OUTBOX.labels(service, state), partial(db.outbox.count_documents, {"state": state}))
    _read_by(OUTBOX_AGE.labels(service), partial(account.age_s, db))


def watch_inbox(db: Database[dict[str, Any]], service: str) -> None:
    """Have the inbox's size read at each scrape."""
    _read_by(INBOX.labels(service), db.inbox.estimated_document_count)


def _read_by(gauge: Gauge, look: Callable[[], float]) -> None:
    """Let a gauge be looked up when asked for; not a number while the database does not answer."""
    from pymongo.errors import PyMongoError

    def value() -> float:
        with suppress(PyMongoError):
            return look()
        return float("nan")

    gauge.set_function(value)

"""The ledger's desk without a broker: a real database, the log's keys, and what the ledger does with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from contracts.catalogue import EVENTS
from contracts.registry import check
from services.compliance import store
from services.compliance.evidence import KIND_OF_EVENT, entry_of
from services.compliance.log import fsck, ledger
from services.compliance.log.fsck_found import Found
from services.compliance.signing import keys
from services.compliance.verifier import ophor_verify
from services.compliance.worker import Ledger
from shared.bus.envelope import Message
from shared.bus.hands import Work
from shared.runtime.clock import DATABASE, SimulatedClock, set_clock
from shared.store.unit import Store, Unit
from tests.unit import evidence_world as given

Row = dict[str, Any]


class Desk:
    """A store, the log's keys, and what the ledger does with them."""

    def __init__(self, uri: str, folder: Path) -> None:
        self.uri, self.folder = uri, folder
        self.store = Store(uri, "compliance", SimulatedClock(uri))
        self.public = keys.make_demo_keys(folder)
        self.desk = ledger.Desk(self.public, keys.load_note(folder / "ledger", keys.LOG))
        self.db = self.store.db

    def offer(self, items: list[Row]) -> str:
        """Offer items in one transaction, as the face does; give the id of its task."""
        self.store.run(lambda unit: [store.offer(unit, item) for item in items] and None)
        (sent,) = self.db.outbox.find({"wire": store.APPEND}).sort("_id", -1).limit(1)
        return str(sent["_id"])

    def append(self, task_id: str) -> None:
        self.store.run(lambda unit: ledger.append(unit, task_id, self.desk))

    def work(self, task_id: str) -> None:
        """Have the ledger's hand do a task."""
        settings = SimpleNamespace(mode="test", keys=self.folder / "ledger")
        told = Message("task", task_id, store.APPEND, {"exit_id": "-"}, "", store.LEDGER)
        Ledger().append(Work(self.store, told, settings, self.store.clock.now()))

    def look(self, *outside: str) -> Found:
        with self.store.client.start_session(snapshot=True) as session:
            unit = Unit(self.store, session, self.store.clock.fresh())
            return fsck.look(store.stored(unit), ophor_verify.note_key(self.public.log), outside)

    def logged(self, exit_id: str) -> list[Row]:
        return list(self.db.log_entries.find({"_id": {"$regex": f"^{exit_id}/"}}).sort("_id", 1))


@contextmanager
def opened(uri: str, folder: Path) -> Iterator[Desk]:
    """Give a desk with an empty log, its keys in `folder`, on 6 October 2026."""
    made = Desk(uri, folder)
    for name in (made.db.name, DATABASE):
        made.store.client.drop_database(name)
    made.store.prepare()
    set_clock(uri, datetime(2026, 10, 6, 12, tzinfo=UTC))
    yield made
    made.store.close()


def items(exit_id: str, count: int | None = None) -> list[Row]:
    """Give an exit's evidence, or so many plain entries of it."""
    if count is not None:
        entries = [("NEEDS_SUBMITTED", {"digest": given.sha(f"{exit_id}{number}")}) for number in range(count)]
    else:
        told = [(wire, data) for wire, data in given.deleted_exit() if wire in KIND_OF_EVENT]
        entries = [entry_of(wire, check(EVENTS[wire].schema, data, wire)) for wire, data in told]
    return [
        {"ref": f"{exit_id}-{number}", "exit_id": exit_id, "kind": kind, "entry": entry}
        for number, (kind, entry) in enumerate(entries)
    ]

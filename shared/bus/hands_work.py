"""One slice of a hand: what it knows, and how it ends in one transaction (design §2). Never import eventlet here."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from shared.runtime.clock import legal_date
from shared.store.lease import Lease
from shared.store.unit import Store, Unit

if TYPE_CHECKING:
    from shared.bus.envelope import Message

Result = TypeVar("Result")


class Work:
    """One slice: its data and ids, the rules' time at its start, and the service's store."""

    def __init__(self, store: Store, message: Message, settings: Any, now: datetime) -> None:
        self.id, self.data, self.correlation_id = message.id, message.data, message.correlation_id
        self.exit_id = message.subject or str(message.data.get("exit_id", ""))
        self.now: datetime = now
        self.today: date = legal_date(now)
        self.db, self.settings = store.db, settings
        self.committed = False
        self._store, self._message = store, message

    def read(self, handle: Callable[[Unit], Result]) -> Result:
        """Run `handle(unit)` without a transaction."""
        return self._store.read(handle)

    def transaction(self, handle: Callable[[Unit], Any]) -> Any:
        """Run `handle(unit)` in a transaction of its own, for what must be durable before acting on a target."""
        return self._store.run(handle, correlation_id=self.correlation_id)

    def commit(self, handle: Callable[[Unit], Any]) -> Any:
        """End the slice: `handle(unit)`, what it tells, and the inbox record are one transaction."""
        if self.committed:
            raise RuntimeError("a slice is committed once, at its end")
        result = self._store.run(handle, message=self._message)
        self.committed = True
        return result

    def lease(self, name: str, seconds: float = 90.0) -> Lease:
        """Give the lease `name` as this slice may take it, on the database server's time."""
        return Lease(self.db, name, f"slice-{self.id}-{uuid.uuid4()}", seconds)

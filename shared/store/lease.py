"""Leases with fences, on the database server's time (design §4): who may do what only one may do.

* A lease ends by itself; whoever takes it over gets a higher fence. Machines' clocks and the rules' clock play no part.
* A holder that was stopped in its sleep may wake up after its end: so it checks the fence in the transaction that
  counts (`require`), which then collides with a take-over, and `holds` just before it touches a target.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from contracts.errors import Unavailable

if TYPE_CHECKING:
    from pymongo.database import Database

    from shared.store.unit import Unit


class Lease:
    """The lease `name` in a service's database, as `holder` (unique to a process) takes it for `seconds`."""

    def __init__(self, db: Database[dict[str, Any]], name: str, holder: str, seconds: float) -> None:
        self._leases, self.name, self._holder, self._ms = db.leases, name, holder, int(seconds * 1000)

    def take(self) -> int | None:
        """Take or prolong the lease; give its fence, or None while somebody else holds it."""
        mine = {"$eq": ["$holder", self._holder]}
        row = self._leases.find_one_and_update(
            {"_id": self.name, "$expr": {"$or": [mine, {"$lte": ["$until", "$$NOW"]}]}},
            [{"$set": {
                "fence": {"$cond": [mine, "$fence", {"$add": ["$fence", 1]}]},
                "holder": self._holder,
                "until": {"$add": ["$$NOW", self._ms]},
            }}],
            return_document=ReturnDocument.AFTER,
        )  # fmt: skip
        if row is not None:
            return int(row["fence"])
        return self._begin()

    def holds(self, fence: int) -> bool:
        """Tell whether the lease is held under this fence at this moment."""
        held = {"_id": self.name, "holder": self._holder, "fence": fence, "$expr": {"$gt": ["$until", "$$NOW"]}}
        return self._leases.find_one(held) is not None

    def require(self, unit: Unit, fence: int) -> None:
        """Make the unit's commit depend on this fence; raise Unavailable LEASE_LOST."""
        held = self._leases.find_one_and_update(
            {"_id": self.name, "fence": fence}, {"$set": {"required": fence}}, session=unit.session
        )
        if held is None:
            raise Unavailable("LEASE_LOST", f"{self.name} was taken over", remedy="nothing: the other goes on")

    def release(self) -> None:
        """Give the lease back, if it is still held."""
        free = [{"$set": {"holder": "", "until": "$$NOW"}}]
        self._leases.update_one({"_id": self.name, "holder": self._holder}, free)

    def _begin(self) -> int | None:
        """Make the lease's row, unless there is one; then try once more."""
        with suppress(DuplicateKeyError):
            fresh = [{"$set": {"fence": 0, "holder": "", "until": "$$NOW"}}]
            made = self._leases.update_one({"_id": self.name, "fence": {"$exists": False}}, fresh, upsert=True)
            return self.take() if made.upserted_id is not None else None
        return None

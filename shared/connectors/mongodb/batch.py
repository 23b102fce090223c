"""One deleting transaction on MongoDB (see `protocol.Batch`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pymongo.client_session import ClientSession

from shared.connectors.mongodb.session import translated
from shared.connectors.protocol import Key

BY_KEY = [("_id", 1)]

if TYPE_CHECKING:
    from shared.connectors.mongodb.connector import MongoConnector


class MongoBatch:
    """One transaction (see `protocol.Batch`); MongoDB knows no cascades or triggers: its own count is the effect.

    Documents are found by their `_id`: left to itself the server reads the tenant's whole index first, to choose.
    """

    def __init__(self, target: MongoConnector, session: ClientSession) -> None:
        self._target, self._session = target, session
        self._deleted: Counter[str] = Counter()

    def delete(self, place: str, keys: Sequence[Key]) -> int:
        """Delete by key and tenant."""
        with translated(self._target.system, "delete", place):
            query = self._target.owned(place, keys)
            documents = self._target.collection(place)
            deleted = documents.delete_many(query, hint=BY_KEY, session=self._session).deleted_count
        self._deleted[place] += deleted
        return deleted

    def planned(self) -> dict[str, int]:
        """Give the server's counts per statement."""
        return {place: count for place, count in self._deleted.items() if count}

    def effects(self) -> dict[str, int]:
        """Give what the server says that it removed."""
        return self.planned()

    def neighbours(self) -> dict[str, int]:
        """Count the others' documents in the transaction's snapshot."""
        with translated(self._target.system, "delete"):
            return {
                place: self._target.collection(place).count_documents(query, session=self._session)
                for place, query in self._target.others().items()
            }

    def commit(self) -> None:
        """Commit."""
        with translated(self._target.system, "delete"):
            self._session.commit_transaction()

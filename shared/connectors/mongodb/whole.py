"""How a collection of one tenant goes as a whole (see `protocol.DropsWhole`): moved aside, proved there, then dropped.

MongoDB has no lock that a client can hold, and DROP is no part of a transaction. So the collection is renamed first,
which is one step for the server: whoever writes to the old name makes a new collection, which is found. What lies aside
is counted, and goes only if all of it is the tenant's; else it is named back. A kill in between leaves it aside under a
name of ours; the next deleter of this tenant names it back before it looks. Nothing refers to a collection but views.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pymongo.errors import OperationFailure

from shared.connectors import failures
from shared.connectors.mongodb.session import translated

if TYPE_CHECKING:
    from shared.connectors.mongodb.connector import MongoConnector

_NOT_THERE, _IS_THERE = 26, 48


class MongoWhole:
    """See `protocol.Whole`."""

    def __init__(self, target: MongoConnector, place: str) -> None:
        self._target, self._place, self._base = target, place, target.base
        self._aside = aside(target, place)
        self.rows, self._taken = 0, False

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Move the collection aside and prove it; what is not committed is named back."""
        with translated(self._target.system, "delete", self._place):
            _check_views(self._target, self._place)
            self._base[self._place].rename(self._aside)
            self._taken = True
            try:
                prove(self._target, self._place, self._aside)
                self.rows = self._base[self._aside].count_documents({})
                yield
            finally:
                if self._taken:
                    recover(self._target, [self._place])

    def effects(self) -> dict[str, int]:
        """Give nothing: the server knows no triggers and no references."""
        return {}

    def commit(self) -> None:
        """Drop what lies aside."""
        self._base.drop_collection(self._aside)
        self._taken = False


def aside(target: MongoConnector, place: str) -> str:
    """Name a place of this tenant while it lies aside."""
    return f"ophor_aside_{hashlib.sha256(f'{target.tenant}/{place}'.encode()).hexdigest()[:24]}"


def prove(target: MongoConnector, place: str, at: str) -> None:
    """Raise PLACE_NOT_WHOLE where a document of `place`, lying under the name `at`, is not the tenant's.

    A key that is a list may name others too: such a document is nobody's alone.
    """
    found, key = target.collection(at), target.tenant_field(place)
    total, others = found.count_documents({}), found.count_documents(target.others()[place])
    own = found.count_documents({"$and": [target.owner(place), {"$nor": [{key: {"$type": "array"}}]}]})
    if total != own or others:
        what = f"{max(total - own, others)} of its {total} documents are not the customer's alone"
        raise failures.not_whole(target.system, place, what)


def look(target: MongoConnector, place: str) -> None:
    """Raise unless the place is the tenant's alone and no view shows it."""
    with translated(target.system, "delete", place):
        _check_views(target, place)
        prove(target, place, place)


def recover(target: MongoConnector, places: Sequence[str]) -> None:
    """Name back what a dead worker left aside; where the place was made anew meanwhile, it stays and is found."""
    there = set(target.base.list_collection_names()) if places else set()
    for place in places:
        if (left := aside(target, place)) in there:
            try:
                target.base[left].rename(place)
            except OperationFailure as error:
                if error.code not in (_NOT_THERE, _IS_THERE):
                    raise


def _check_views(target: MongoConnector, place: str) -> None:
    for row in target.base.list_collections(filter={"type": "view"}):
        if place in _texts(row.get("options", {})):
            raise failures.place_referenced(target.system, place, str(row["name"]))


def _texts(value: Any) -> set[str]:
    """List every text in a view's definition: in whatever stage it reads a collection, the name stands there."""
    if isinstance(value, str):
        return {value}
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for part in parts for text in _texts(part)}

"""A long collection in pages, which several processes read as they are at one point of time.

A page is what lies between two ids in the order of the index, whatever their type, so that no row is beyond all pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from shared.store import mongo

if TYPE_CHECKING:
    from bson import Timestamp
    from pymongo.collection import Collection
    from pymongo.database import Database

Row = dict[str, Any]
Page = tuple[str, Row, Row]
"""A collection, and the index entries of this page's and the next page's first row: empty for beginning and end."""
ROWS = 5_000
BY_ID = {"_id": 1}


def pages(collection: Collection[Row]) -> Iterator[Page]:
    """Cut all there is into pages of some `ROWS` rows, at ids drawn by chance."""
    count = collection.estimated_document_count() // ROWS + 1
    drawn = collection.aggregate([{"$sample": {"size": count}}, {"$project": BY_ID}, {"$sort": BY_ID}])
    cuts: list[Row] = [{}, *(cut for cut, _ in groupby(drawn)), {}]
    return ((collection.name, first, after) for first, after in pairwise(cuts))


def read(address: str, service: str, at: Timestamp, page: Page) -> list[Row]:
    """Read a page of a service's collection as it was `at` a time, in the order of ids."""
    name, first, after = page
    find: Row = {"find": name, "sort": BY_ID, "hint": BY_ID, "batchSize": 2 * ROWS}
    find |= {side: bound for side, bound in (("min", first), ("max", after)) if bound}
    find["readConcern"] = {"level": "snapshot", "atClusterTime": at}
    return opened(address, service).cursor_command(find, codec_options=mongo.CODEC).to_list()


@cache
def opened(address: str, service: str) -> Database[Row]:
    """Give this process's one way to a database."""
    return mongo.database(mongo.connect(address, service), service)

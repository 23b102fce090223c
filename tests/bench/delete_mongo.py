"""`delete-mongo`: a whole permitted job on a MongoDB collection, against plain `deleteMany` of the same documents."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pymongo
from pymongo.write_concern import WriteConcern

from services.deletion.worker.ground import batch_size
from tests.bench.delete import NEIGHBOURS, ROWS, compared
from tests.bench.figures import Figure
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target
from tests.parts import Parts


def measure() -> Figure:
    """Fill a collection, neighbours' documents among the tenant's, and delete the tenant's."""
    admin: list[str] = []

    @contextmanager
    def made(parts: Parts, folder: Path) -> Iterator[Target]:
        admin[:] = [parts.mongo_uri]
        with targets.mongodb(parts.mongo_uri, folder) as target:
            yield target

    return compared("delete-mongo", made, lambda target: _fill(admin[0], target), lambda target: _raw(admin[0], target))


def _fill(admin: str, target: Target) -> None:
    with pymongo.MongoClient[dict[str, Any]](admin) as client:
        cases = client[target.content["connection"]["database"]].sager
        cases.create_index("lejer")
        rows = _rows()
        while batch := list(islice(rows, 10_000)):
            cases.insert_many(batch, ordered=False)


def _rows() -> Iterator[dict[str, Any]]:
    chance = random.Random(1)
    for number in range(ROWS):
        yield _row(101, number)
        if chance.randrange(NEIGHBOURS) == 0:
            yield _row(102, number)


def _row(tenant: int, number: int) -> dict[str, Any]:
    return {"lejer": tenant, "person": str(uuid.uuid4()), "navn": f"En sag {number}", "tekst": "ord " * 20}


def _raw(admin: str, target: Target) -> None:
    sure = WriteConcern("majority", j=True)
    with pymongo.MongoClient[dict[str, Any]](admin) as client:
        cases = client[target.content["connection"]["database"]].get_collection("sager", write_concern=sure)
        own = {"lejer": 101}
        while ids := [row["_id"] for row in cases.find(own, {"_id": 1}).limit(batch_size())]:
            cases.delete_many({"_id": {"$in": ids}})

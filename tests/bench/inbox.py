"""`inbox`: events handled by a face, each in its transaction, against the same bare transaction by one worker."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from pymongo.read_concern import ReadConcern

from shared.store import mongo as store_mongo
from shared.store.mongo import MAJORITY
from tests.bench.figures import Figure, rated, seconds
from tests.integration.bus_faces_parts import Bed, bed
from tests.waiting import until

EVENTS = 4_000
FEW = 1_000


def measure() -> Figure:
    """Queue events while no face runs, start one, and take its rate from the first to the last."""
    with bed() as made:
        made.fresh()
        for number in range(EVENTS):
            made.tell(f"plain-{number}", 1)
        inbox = made.db("scheduling").inbox
        with made.face("scheduling"):
            until(lambda: inbox.count_documents({}) > 0, "the first is handled")
            first, began = inbox.count_documents({}), time.perf_counter()
            until(lambda: inbox.count_documents({}) == EVENTS, "all are handled", 300)
            rate = (EVENTS - first) / (time.perf_counter() - began)
        reference = FEW / seconds(lambda: _bare(made))
    return rated("inbox", "events a second by one face", rate, "/s", "the same bare transaction, one worker", reference)


def _bare(made: Bed) -> None:
    db = store_mongo.database(made.mongo, "scheduling")
    for number in range(FEW):
        db.runs.insert_one({"face": "bench", "name": f"bare-{number}"})
        with made.mongo.start_session() as session:
            session.start_transaction(ReadConcern("snapshot"), MAJORITY)
            row = {"_id": f"bare-{number}/scheduling", "wire": "w", "consumer": "c", "handled_at": datetime.now(UTC)}
            db.inbox.insert_one(row, session=session)
            db.told.insert_one({"id": str(number), "exit_id": "x", "seq": 1}, session=session)
            session.commit_transaction()

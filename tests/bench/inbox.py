"""`inbox`: events handled by a face, each in its transaction, against the same bare transaction by one worker.

Beside it the same with two processes of that face: the rate grows until the cores are busy, which the broker, the
database and the faces share here. Every event is checked in full (signature, schema, inbox) before it is handled.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
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
    """Take the rate of one process, of two, and of the bare transaction."""
    with bed() as made:
        alone, together = _handled(made, 1), _handled(made, 2)
        reference = FEW / seconds(lambda: _bare(made))
    figure = rated(
        "inbox", "events a second by one face", alone, "/s", "the same bare transaction, one worker", reference
    )
    return replace(figure, beside={"two processes of the face": f"{together:,.0f} /s"})


def _handled(made: Bed, processes: int) -> float:
    """Queue events while no face runs, start some, and take their rate from when all work to the last event."""
    made.fresh()
    for number in range(EVENTS):
        made.tell(f"plain-{number}", 1)
    inbox = made.db("scheduling").inbox
    with ExitStack() as faces:
        for _ in range(processes):
            faces.enter_context(made.face("scheduling"))
        first, began = inbox.count_documents({}), time.perf_counter()
        until(lambda: inbox.count_documents({}) == EVENTS, "all are handled", 600)
        return (EVENTS - first) / (time.perf_counter() - began)


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

"""A long log is read by several processes: all of it, and just as it was at one point of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bson import Binary, ObjectId

from services.compliance import store
from services.compliance.log import fsck
from services.compliance.log.fsck_found import Found
from services.compliance.verifier import ophor_verify
from shared.store import snapshot
from shared.store.unit import Unit
from tests.integration.bus_store_parts import mongo
from tests.integration.ledger_desk import Desk, items, opened

pytestmark = pytest.mark.xdist_group("compliance-ledger")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with mongo() as made:
        yield made.uri


@pytest.fixture
def there(database: str, tmp_path: Path) -> Iterator[Desk]:
    with opened(database, tmp_path) as made:
        yield made


def test_pages_hold_every_row_whatever_its_id_is_and_as_it_was(there: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "ROWS", 4)
    strange = [None, True, 7, 7.5, ObjectId(), Binary(b"x", 0), {"x": 1}, datetime(2026, 1, 1, tzinfo=UTC), ""]
    there.db.things.insert_many([{"_id": one} for one in [*strange, *(f"exit-{n:03d}" for n in range(60))]])
    before = list(there.db.things.find().sort("_id", 1))
    at = there.db.command("ping")["operationTime"]
    cut = list(snapshot.pages(there.db.things))
    there.db.things.delete_many({"_id": {"$regex": "5$"}})
    there.db.things.insert_many([{"_id": "exit-0001"}, {"_id": 8}])
    read = [row for page in cut for row in snapshot.read(there.uri, "compliance", at, page)]
    snapshot.opened(there.uri, "compliance").client.close()
    snapshot.opened.cache_clear()
    assert len(cut) > 1 and read == before


def test_other_processes_see_the_log_as_this_one_does(there: Desk) -> None:
    there.append(there.offer(items("exit-a", 30) + items("exit-b", 30)))
    with there.store.client.start_session(snapshot=True) as session:
        before = store.stored(Unit(there.store, session, there.store.clock.fresh()), there.uri, many=60)
        there.append(there.offer(items("exit-c", 10)))
        there.db.log_entries.update_one({"_id": "exit-a/000000007"}, {"$set": {"kind": "GOSSIP"}})
        found = look(there, before)
    assert before.spread and found.sound and (found.size, found.counts[2], found.counts[4]) == (60, 60, 60)
    with there.store.client.start_session(snapshot=True) as session:
        after = look(there, store.stored(Unit(there.store, session, there.store.clock.fresh()), there.uri, many=60))
    assert {n: wrong for n, wrong in after.wrong.items() if wrong} == {
        2: ["exit-a/000000007: the row is not what its leaf says"]
    }


def look(there: Desk, stored: fsck.Stored) -> Found:
    return fsck.look(stored, ophor_verify.note_key(there.public.log))

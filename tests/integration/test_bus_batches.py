"""The batches that a relay publishes, fetched ahead and written down by a helper: in order, and none twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from pymongo.errors import PyMongoError

from shared.bus import batches
from shared.bus.batches import Batches
from shared.bus.confirms import Fate
from shared.runtime.clock import SimulatedClock, set_clock
from shared.store.unit import Store, Unit
from tests.integration.bus_store_parts import mongo, until


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with mongo(("--setParameter", "enableTestCommands=1")) as running:
        set_clock(running.uri, datetime(2026, 1, 5, 9, tzinfo=UTC))
        yield running.uri


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    """Give a store with twelve rows to be told."""
    made = Store(address, "deletion", SimulatedClock(address))
    made.client.drop_database("ophor_deletion")
    made.prepare()
    made.run(tell)
    yield made
    made.close()


@pytest.fixture
def taken(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Batches]:
    monkeypatch.setattr(batches, "BATCH", 5)
    made = Batches(store)
    yield made
    made.close()


def tell(unit: Unit) -> None:
    for number in range(12):
        body = {"exit_id": f"e-{number:02}", "sets": 1, "last_expiry_on": date(2026, 1, 5), "on": date(2026, 1, 5)}
        unit.emit("deletion.backups_expired", body["exit_id"], body)


def names(rows: list[batches.Row]) -> list[int]:
    return [int(row["subject"][2:]) for row in rows]


def settle(taken: Batches, rows: list[batches.Row]) -> None:
    for row in rows:
        row["headers"] = {}
        taken.settle(row, "ok")


def published(store: Store) -> int:
    return store.db.outbox.count_documents({"state": "published"})


def test_batches_follow_each_other_although_the_fates_of_the_one_in_hand_are_not_written(
    store: Store, taken: Batches
) -> None:
    first = taken.next()
    settle(taken, first)
    second = taken.next()
    assert (names(first), names(second)) == ([0, 1, 2, 3, 4], [5, 6, 7, 8, 9])
    until(lambda: published(store) == 5, "the first are written down while the second are in hand")
    settle(taken, second)
    third = taken.next()
    assert names(third) == [10, 11]
    settle(taken, third)
    assert taken.next() == [] and published(store) == 12


def test_every_row_keeps_its_own_signature_whatever_its_fate(store: Store, taken: Batches) -> None:
    rows, fates = taken.next(), list[Fate](("ok", "unroutable", "ok", "nacked", "ok"))
    for row, fate in zip(rows, fates, strict=True):
        row["headers"] = {"ophor-signer": "$state", "ophor-signature": row["_id"]}
        taken.settle(row, fate)
    taken.flush()
    kept = {row["_id"]: row for row in store.db.outbox.find({"headers": {"$exists": True}})}
    assert [kept[row["_id"]]["headers"] for row in rows] == [row["headers"] for row in rows]
    assert [kept[row["_id"]].get("reason", "ok") for row in rows] == fates
    states = [(kept[row["_id"]]["state"], kept[row["_id"]]["tries"]) for row in rows]
    done, later = ("published", 0), ("pending", 1)
    assert states == [done, later, done, later, done] and len(kept) == 5
    assert {one for one, row in kept.items() if "published_at" in row} == {rows[at]["_id"] for at in (0, 2, 4)}


def test_after_a_break_the_next_batch_begins_at_the_first_row_whose_fate_is_unknown(
    store: Store, taken: Batches
) -> None:
    settle(taken, taken.next()[:2])
    taken.drop()
    assert names(taken.next()) == [2, 3, 4, 5, 6] and published(store) == 2


def test_fates_that_could_not_be_written_are_written_before_anything_is_read_again(
    store: Store, taken: Batches
) -> None:
    first = taken.next()
    until(lambda: taken._ahead is not None and taken._ahead.done(), "what was fetched ahead is there")
    settle(taken, first)
    fault = {"failCommands": ["update"], "errorCode": 13, "appName": "ophor-deletion"}
    store.client.admin.command("configureFailPoint", "failCommand", mode={"times": 1}, data=fault)
    with pytest.raises(PyMongoError):
        taken.flush()
    taken.drop()
    assert published(store) == 0
    assert names(taken.next()) == [5, 6, 7, 8, 9] and published(store) == 5

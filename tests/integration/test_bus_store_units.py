"""The unit of work on a real replica set: all or nothing, once, in time."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from marshmallow import Schema

from contracts.catalogue import Status
from contracts.errors import Rejected, Unavailable
from shared.bus.envelope import Message, digest
from shared.runtime.clock import COPENHAGEN, SimulatedClock, set_clock
from shared.store import mongo as mongo_store
from shared.store.lease import Lease
from shared.store.unit import Store, Unit
from tests.chaos.proxy import Proxy
from tests.integration.bus_store_parts import Mongo, mongo, until

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
BATCH = {"exit_id": "e-1", "job_id": "j-1", "batch": 1}


@pytest.fixture(scope="module")
def database() -> Iterator[Mongo]:
    with mongo() as running:
        yield running


@pytest.fixture
def store(database: Mongo) -> Iterator[Store]:
    with mongo_store.connect(database.uri, "test") as client:
        for name in client.list_database_names():
            if name.startswith("ophor_"):
                client.drop_database(name)
    set_clock(database.uri, START)
    made = Store(database.uri, "deletion", SimulatedClock(database.uri))
    made.prepare()
    yield made
    made.close()


def command(command_id: str = "c-1", body: str = "x", deadline: float | None = None) -> Message:
    return Message(
        "command", command_id, "deletion.register_backup", {}, digest(body.encode()), "deletion", deadline=deadline
    )


def event(event_id: str = "m-1", consumer: str = "deletion") -> Message:
    return Message("event", event_id, "orders.order_placed", {}, digest(b"x"), consumer, correlation_id="corr-1")


def count(unit: Unit) -> dict[str, object]:
    unit.db.runs.insert_one({}, session=unit.session)
    return {"exit_id": "e-1", "state": "done", "on": unit.today, "amount": Decimal("1.20")}


def runs(store: Store) -> int:
    return store.db.runs.count_documents({})


def expired(store: Store, exit_id: str) -> object:
    body = {"exit_id": exit_id, "sets": 1, "last_expiry_on": date(2026, 1, 5), "on": date(2026, 1, 5)}
    return store.run(lambda unit: unit.emit("deletion.backups_expired", exit_id, body))


def test_a_repeated_command_gets_the_first_answer_and_runs_once(store: Store) -> None:
    first = store.run(count, message=command())
    assert first == {"exit_id": "e-1", "state": "done", "on": "2026-01-05", "amount": "1.20"}
    assert store.run(count, message=command()) == first
    assert runs(store) == 1


def test_a_command_id_with_another_body_is_refused(store: Store) -> None:
    store.run(count, message=command())
    with pytest.raises(Rejected, match="COMMAND_ID_REUSED"):
        store.run(count, message=command(body="y"))
    assert runs(store) == 1


def test_an_error_is_not_remembered(store: Store) -> None:
    def refuse(unit: Unit) -> None:
        count(unit)
        raise Rejected("WRONG", "wrong")

    with pytest.raises(Rejected, match="WRONG"):
        store.run(refuse, message=command())
    assert runs(store) == 0
    store.run(count, message=command())
    assert runs(store) == 1


def test_an_event_is_handled_once_by_each_consumer(store: Store) -> None:
    for consumer in ("deletion", "deletion", "deletion.delete"):
        store.run(count, message=event(consumer=consumer))
    assert runs(store) == 2
    assert store.handled(event()) and not store.handled(event("m-2"))


def test_the_same_event_at_two_workers_at_once_has_one_effect(store: Store) -> None:
    def handle() -> bool:
        store.run(count, message=event())
        return True

    threads = [threading.Thread(target=lambda: until(lambda: _try(handle), "it is handled")) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs(store) == 1


def test_the_same_command_at_two_workers_at_once_has_one_effect_and_one_answer(store: Store) -> None:
    answers: list[object] = []

    def give(unit: Unit) -> dict[str, str]:
        count(unit)
        return {"thread": threading.current_thread().name}

    def ask() -> bool:
        answers.append(store.run(give, message=command()))
        return True

    threads = [threading.Thread(target=lambda: until(lambda: _try(ask), "an answer")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs(store) == 1
    assert len(answers) == 4 and all(answer == answers[0] for answer in answers)


def test_a_bug_in_the_handler_leaves_nothing_behind(store: Store) -> None:
    def fail(unit: Unit) -> None:
        count(unit)
        unit.send("deletion.delete.delete_batch", BATCH)
        unit.at(date(2026, 2, 1), "deletion.backups_look_due", "e-1", {"exit_id": "e-1", "on": date(2026, 2, 1)}, "k")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.run(fail, message=event())
    assert runs(store) == 0
    assert store.db.outbox.count_documents({}) == store.db.timers.count_documents({}) == 0
    assert not store.handled(event())


def test_events_of_one_aggregate_are_numbered_without_gap_under_contention(store: Store) -> None:
    def many() -> None:
        for _ in range(5):
            until(lambda: _try(lambda: expired(store, "e-1")), "a place in the queue")

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expired(store, "e-2")
    assert sorted(row["seq"] for row in store.db.outbox.find({"subject": "e-1"})) == list(range(1, 21))
    assert [row["seq"] for row in store.db.outbox.find({"subject": "e-2"})] == [1]


def _try(action: object) -> bool:
    try:
        return bool(action())  # type: ignore[operator]
    except Unavailable:
        return False


def test_what_a_handler_tells_carries_its_correlation_and_the_rules_time(store: Store) -> None:
    store.run(lambda unit: unit.send("deletion.delete.delete_batch", BATCH), message=event())
    body = store.db.outbox.find_one({})["body"].decode()  # type: ignore[index]
    assert '"correlationid":"corr-1"' in body
    assert '"ruletime":"2026-01-05T09:00:00.000+00:00"' in body


def test_a_message_that_breaks_its_contract_is_refused_when_it_is_told(store: Store) -> None:
    with pytest.raises(Rejected, match="MESSAGE_INVALID"):
        store.run(lambda unit: unit.send("deletion.delete.delete_batch", {"exit_id": "e-1"}))
    with pytest.raises(Rejected, match="WIRE_NOT_OWN"):
        store.run(lambda unit: unit.emit("orders.window_confirmed", "e-1", {"exit_id": "e-1"}))
    with pytest.raises(Rejected, match="WIRE_UNKNOWN"):
        store.run(lambda unit: unit.emit("orders.unheard_of", "e-1", {"exit_id": "e-1"}))


def test_a_body_over_256_kib_is_refused_when_it_is_told(store: Store) -> None:
    with pytest.raises(Rejected, match="MESSAGE_TOO_LARGE"):
        store.run(lambda unit: unit.send("deletion.delete.delete_batch", {**BATCH, "more": "x" * 262_000}))


def test_a_query_can_tell_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError):
        store.read(lambda unit: unit.send("deletion.delete.delete_batch", BATCH))


def test_nothing_runs_after_the_deadline(store: Store) -> None:
    with pytest.raises(Unavailable, match="DEADLINE_PASSED"):
        store.run(count, message=command(deadline=time.time() - 1))
    assert runs(store) == 0


def test_nothing_is_committed_after_the_deadline(store: Store) -> None:
    ends = time.time() + 1.5

    def linger(unit: Unit) -> None:
        count(unit)
        until(lambda: time.time() > ends, "the deadline")

    with pytest.raises(Unavailable, match="DEADLINE_PASSED"):
        store.run(linger, message=command(), deadline=ends)
    assert runs(store) == 0


def test_dates_and_decimals_are_stored_as_strings(store: Store) -> None:
    store.run(
        lambda unit: unit.db.things.insert_one({"on": date(2026, 1, 5), "sum": Decimal("1.10")}, session=unit.session)
    )
    found = store.db.things.find_one({}, {"_id": 0})
    assert found == {"on": "2026-01-05", "sum": "1.10"}


def test_a_timer_fires_once_when_the_clock_has_reached_it(store: Store, database: Mongo) -> None:
    look = {"exit_id": "e-1", "on": date(2026, 2, 1)}
    store.run(lambda unit: unit.at(date(2026, 2, 1), "deletion.backups_look_due", "e-1", look, "look"))
    status = store.status()
    assert (status["timers_due"], status["next_timer"]) == (0, "2026-01-31T23:00:00+00:00")
    set_clock(database.uri, datetime(2026, 2, 1, tzinfo=COPENHAGEN) - timedelta(seconds=1))
    assert store.fire_due() == 0
    set_clock(database.uri, datetime(2026, 2, 1, tzinfo=COPENHAGEN))
    assert store.status()["timers_due"] == 1
    assert store.fire_due() == 1
    assert store.fire_due() == 0
    assert [row["wire"] for row in store.db.outbox.find()] == ["deletion.backups_look_due"]


def test_a_timer_that_this_versions_contracts_refuse_waits_and_keeps_no_other_from_firing(store: Store) -> None:
    look = {"exit_id": "e-1", "on": date(2026, 1, 5)}
    store.run(lambda unit: unit.at(date(2026, 1, 5), "deletion.backups_look_due", "e-1", look, "look"))
    (good,) = store.db.timers.find()
    earlier = good["due"] - timedelta(days=1)
    store.db.timers.insert_many([
        {**good, "_id": "of another version", "due": earlier, "wire": "deletion.unheard_of"},
        {**good, "_id": "lacks a field", "due": earlier, "data": b"{}"},
    ])  # fmt: skip
    assert store.fire_due(1) == 1 and store.fire_due() == 0
    assert [row["wire"] for row in store.db.outbox.find()] == ["deletion.backups_look_due"]
    assert store.status()["timers_due"] == 2


def test_a_key_has_one_timer_and_can_be_cancelled(store: Store) -> None:
    def plan(day: date) -> None:
        body = {"exit_id": "e-1", "on": day}
        store.run(lambda unit: unit.at(day, "deletion.backups_look_due", "e-1", body, "look"))

    plan(date(2026, 2, 1))
    plan(date(2026, 3, 1))
    assert [row["due"].month for row in store.db.timers.find()] == [2]  # 28 February, 23:00 UTC
    store.run(lambda unit: unit.cancel("look"))
    assert store.status()["next_timer"] is None


def test_the_status_is_what_the_contract_says(store: Store) -> None:
    expired(store, "e-1")
    store.run(count, message=event())
    store.record_dead("m-9", "deletion", "orders.order_placed", "WRONG")
    status = store.status()
    schema: Schema = Status()
    schema.load(status)
    assert (status["outbox_pending"], status["dead"]) == (1, 1)
    assert status["handled"] == [{"wire": "orders.order_placed", "consumer": "deletion", "count": 1}]
    store.db.outbox.update_many({}, {"$set": {"state": "published"}})
    published = sorted(flow["consumer"] for flow in store.status()["published"])
    assert published == ["compliance", "scheduling"]
    store.db.inbox.update_many({}, {"$set": {"handled_at": datetime.now(UTC) - timedelta(days=mongo_store.KEPT_DAYS)}})
    assert store.status()["handled"] == []  # its outbox row is gone by now


def test_a_dead_letter_that_was_brought_home_is_dead_no_more(store: Store) -> None:
    store.record_dead("m-1", "deletion", "orders.order_placed", "WRONG")
    store.run(count, message=event("m-1"))
    assert store.status()["dead"] == 0


def test_a_lease_has_one_holder_and_a_higher_fence_for_the_next(store: Store) -> None:
    mine, yours = (Lease(store.db, "job", name, 60) for name in ("mine", "yours"))
    fence = mine.take()
    assert fence == 1 and mine.take() == 1 and yours.take() is None and mine.holds(1)
    mine.release()
    assert yours.take() == 2
    assert not mine.holds(1)
    with pytest.raises(Unavailable, match="LEASE_LOST"):
        store.run(lambda unit: mine.require(unit, 1))
    store.run(lambda unit: yours.require(unit, 2))


def test_a_lease_ends_by_itself(store: Store) -> None:
    mine, yours = Lease(store.db, "job", "mine", 0.2), Lease(store.db, "job", "yours", 60)
    assert mine.take() == 1
    assert until(yours.take, "the lease ends") == 2


def test_the_simulated_clock_never_goes_back(store: Store, database: Mongo) -> None:
    with pytest.raises(Rejected, match="CLOCK_BACKWARDS"):
        set_clock(database.uri, START - timedelta(days=1))
    assert store.clock.fresh() == START


def test_connections_that_were_lost_are_not_taken_for_a_lost_database(database: Mongo) -> None:
    proxy = Proxy(urlsplit(database.uri).port or 0)
    far = Store(f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true", "deletion", SimulatedClock(database.uri))
    try:
        for _ in range(20):
            far.ping()
            assert proxy.cut()
            far.ping()
    finally:
        far.close()
        proxy.close()


def test_a_stalled_database_ends_the_unit_at_its_deadline(store: Store, database: Mongo) -> None:
    store.run(count)
    database.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable):
            store.run(count, deadline=time.time() + 1)
        with pytest.raises(Unavailable, match="STORE_UNREACHABLE"):
            store.ping()
    finally:
        database.process.send_signal(signal.SIGCONT)
    until(lambda: _try(lambda: store.ping() is None), "the database answers again")
    assert runs(store) == 1

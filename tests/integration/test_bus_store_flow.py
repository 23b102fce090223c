"""From an outbox over the broker to an inbox, on real parts: nothing lost, nothing twice, whoever is killed."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import repeat
from typing import Any

import amqp
import pytest

from contracts.errors import Rejected, Unavailable
from shared.bus import dead, guard, outbox, topology
from shared.bus.ladder import QUEUE_HEADER
from shared.bus.relay import Relay, replay, unpark
from shared.bus.trust import Trust
from shared.runtime.clock import set_clock
from shared.store.unit import Store
from tests.chaos.proxy import Proxy
from tests.integration.bus_store_parts import World, until, world
from tests.waiting import LONGEST_S

QUEUE = "hand-deletion-delete"
MUTE = "backup_registered"


def forbid_one_event(definitions: dict[str, Any]) -> None:
    """Take the right to tell one event from deletion, so that telling it closes the channel (403)."""
    for right in definitions["topic_permissions"]:
        if (right["user"], right["exchange"]) == ("svc-deletion", "deletion.events"):
            right["write"] = right["write"].replace(MUTE, "nothing")


@pytest.fixture(scope="module")
def parts() -> Iterator[World]:
    with world(forbid_one_event) as made:
        yield made


@pytest.fixture
def here(parts: World) -> Iterator[World]:
    parts.clear()
    yield parts
    parts.clear()


@pytest.fixture
def store(here: World) -> Iterator[Store]:
    made = here.store("deletion")
    yield made
    made.close()


def send(store: Store, *batches: int) -> None:
    def tell(unit: Any) -> None:
        for batch in batches:
            unit.send("deletion.delete.delete_batch", {"exit_id": "e-1", "job_id": "j-1", "batch": batch})

    store.run(tell)


def expired(store: Store, exit_id: str = "e-1") -> None:
    body = {"exit_id": exit_id, "sets": 1, "last_expiry_on": date(2026, 1, 5), "on": date(2026, 1, 5)}
    store.run(lambda unit: unit.emit("deletion.backups_expired", exit_id, body))


def effects(store: Store) -> list[int]:
    return sorted(row["batch"] for row in store.db.effects.find())


def tries(store: Store) -> int:
    return store.db.tries.count_documents({})


def quiet(store: Store) -> bool:
    status = store.status()
    mine = [flow for flow in status["published"] if flow["consumer"] == "deletion.delete"]
    return not status["outbox_pending"] and mine == [f for f in status["handled"] if f["consumer"] == "deletion.delete"]


@contextmanager
def patient(store: Store) -> Iterator[None]:
    """Have the database keep transactions open for longer than any test waits, for the while of a block."""
    lifetime = "transactionLifetimeLimitSeconds"
    before = store.client.admin.command({"getParameter": 1, lifetime: 1})[lifetime]
    store.client.admin.command({"setParameter": 1, lifetime: 300})
    try:
        yield
    finally:
        store.client.admin.command({"setParameter": 1, lifetime: before})


def take(here: World, queue: str, count: int) -> list[amqp.Message]:
    """Take `count` messages off a queue."""
    connection = here.rabbit.connect("topology")
    channel = connection.channel()
    found: list[amqp.Message] = []

    def get() -> bool:
        if raw := channel.basic_get(queue, no_ack=True):
            found.append(raw)
        return len(found) >= count

    until(get, f"{count} messages in {queue}")
    connection.close()
    return found


def test_every_task_has_its_effect_once_although_hand_and_relay_are_killed(here: World, store: Store) -> None:
    (here.signals / "stop-7").touch()
    relay = here.start("relay", "deletion")
    hand = here.start("hand")
    for first in range(0, 60, 10):
        send(store, *range(first, first + 10))
    until((here.signals / "stopped-7").exists, "the hand is in the middle of a slice")
    hand.kill()
    relay.kill()
    (here.signals / "stop-7").unlink()
    for first in range(60, 120, 10):
        send(store, *range(first, first + 10))
    here.start("hand")
    relay = here.start("relay", "deletion")
    until(lambda: store.db.outbox.count_documents({"state": "published"}) > 60, "the new relay publishes")
    relay.kill()
    here.start("relay", "deletion")
    until(lambda: quiet(store), "all is quiet")
    assert effects(store) == list(range(120))
    assert tries(store) >= 121  # batch 7 was tried before the kill


def test_what_is_published_twice_is_handled_once(here: World, store: Store) -> None:
    here.start("relay", "deletion")
    here.start("hand")
    send(store, 1, 2, 3)
    until(lambda: quiet(store), "all is quiet")
    store.db.outbox.update_many({}, {"$set": {"state": "pending"}})
    until(lambda: here.log().count('"outcome": "duplicate"') >= 3, "the duplicates are seen")
    until(lambda: quiet(store), "all is quiet again")
    assert effects(store) == [1, 2, 3] and tries(store) == 3


def test_an_event_reaches_each_subscriber_signed(here: World, store: Store) -> None:
    here.start("relay", "deletion")
    expired(store)
    for service in ("scheduling", "compliance"):
        (raw,) = take(here, f"evt-{service}", 1)
        message = guard.event(guard.Received.of(raw), service, Trust.load(here.trust))
        assert (message.wire, message.subject, message.seq) == ("deletion.backups_expired", "e-1", 1)


def test_an_unavailable_slice_climbs_the_ladder_and_succeeds_later(here: World, store: Store) -> None:
    (here.signals / "once-1").touch()
    here.start("relay", "deletion")
    here.start("hand")
    send(store, 1)
    until(lambda: effects(store) == [1], "the effect")
    assert (tries(store), store.status()["dead"]) == (2, 0)


def test_a_task_waits_for_a_transaction_that_a_killed_process_left_open(here: World, store: Store) -> None:
    relay = here.start("relay", "deletion")
    here.start("hand")
    send(store, 1)
    until(lambda: effects(store) == [1], "both work")
    relay.kill()
    send(store, 2)
    (task,) = store.db.outbox.find({"state": "pending"})
    with patient(store), store.client.start_session() as left_open:
        left_open.start_transaction()
        store.db.inbox.insert_one({"_id": f"{task['_id']}/deletion.delete", "consumer": "-"}, session=left_open)
        here.start("relay", "deletion")
        until(lambda: tries(store) > 1 + topology.STEPS + 1, "more tries than the ladder has rungs")
        left_open.abort_transaction()
    until(lambda: effects(store) == [1, 2], "the effect")
    assert store.status()["dead"] == 0


def test_after_the_last_rung_a_task_is_a_dead_letter_that_can_be_replayed(here: World, store: Store) -> None:
    (here.signals / "unavailable-1").touch()
    here.start("relay", "deletion")
    here.start("hand")
    send(store, 1)
    until(lambda: here.depth("dlq-deletion") == 1, "the dead letter")
    assert tries(store) == topology.STEPS + 1
    assert store.status()["dead"] == 1
    (here.signals / "unavailable-1").unlink()

    console = here.rabbit.connect("console")
    (letter,) = dead.list_letters(console, "deletion")
    assert (letter.wire, letter.queue, letter.reason, letter.attempts) == (
        "deletion.delete.delete_batch", QUEUE, "TEST_UNAVAILABLE", topology.STEPS,
    )  # fmt: skip
    assert "job_id" not in json.dumps(dead.show(console, "deletion", letter.id))
    assert dead.replay(console, "deletion", [letter.id], "operator-1", store) == (1, [])
    console.close()
    until(lambda: effects(store) == [1], "the effect")
    assert here.depth("dlq-deletion") == 0
    assert store.status()["dead"] == 0


def test_a_rejected_task_is_a_dead_letter_at_once_and_can_be_discarded(here: World, store: Store) -> None:
    (here.signals / "reject-1").touch()
    here.start("relay", "deletion")
    here.start("hand")
    send(store, 1)
    until(lambda: here.depth("dlq-deletion") == 1, "the dead letter")
    assert tries(store) == 1
    console = here.rabbit.connect("console")
    (letter,) = dead.list_letters(console, "deletion")
    with pytest.raises(Rejected, match="LETTER_UNKNOWN"):
        dead.discard(console, "deletion", ["another"], "operator-1", "wrong data", store)
    assert dead.discard(console, "deletion", [letter.id], "operator-1", "wrong data", store) == 1
    console.close()
    assert here.depth("dlq-deletion") == 0
    until(lambda: quiet(store), "the relay has written down that it told the task")
    account = store.status()
    assert [flow["count"] for flow in account["handled"]] == [1] and account["dead"] == 0
    (done,) = dead.actions(store)
    assert (done["action"], done["id"], done["actor"], done["why"], done["reason"]) == (
        "discarded", letter.id, "operator-1", "wrong data", letter.reason,
    )  # fmt: skip


def bury(here: World, ids: list[str], origins: Iterable[str] = repeat("evt-deletion")) -> None:
    """Make dead letters of deletion."""
    with closing(here.rabbit.connect("topology")) as connection:
        channel = connection.channel()
        for ident, origin in zip(ids, origins, strict=False):
            body = amqp.Message(json.dumps({"id": ident}), application_headers={QUEUE_HEADER: origin})
            channel.basic_publish(body, exchange=topology.DEAD, routing_key="deletion")
    until(lambda: here.depth("dlq-deletion") == len(ids), "the dead letters")


def test_looking_at_dead_letters_leaves_them_there_and_all_are_replayed_at_once(here: World, store: Store) -> None:
    ids, origins = [f"letter-{number:03}" for number in range(150)], ["evt-deletion"] * 149 + ["rpc-deletion"]
    bury(here, ids, origins)
    with closing(here.rabbit.connect("console")) as console:
        for _ in range(3):
            assert [letter.id for letter in dead.list_letters(console, "deletion")] == ids
        sent, refused = dead.replay(console, "deletion", ids, "operator-1", store)
        assert (sent, [error.code for error in refused]) == (149, ["LETTER_NOT_REPLAYABLE"])
        (left,) = dead.list_letters(console, "deletion")
    assert left.id == ids[-1]
    until(lambda: here.depth("evt-deletion") == 149, "the others are where they came from")
    assert {row["id"] for row in dead.actions(store)} == set(ids[:-1])


def test_dead_letters_are_seen_although_their_queue_takes_its_time(here: World, store: Store) -> None:
    bury(here, ["letter-1", "letter-2"])
    here.rabbit.evaluate("""
        Queue = whereis('%2F_dlq-deletion'),
        spawn(fun() -> erlang:suspend_process(Queue), timer:sleep(1500), erlang:resume_process(Queue) end).
    """)
    with closing(here.rabbit.connect("console")) as console:
        assert [letter.id for letter in dead.list_letters(console, "deletion")] == ["letter-1", "letter-2"]


def test_no_letter_is_replayed_of_which_nobody_could_write_that_it_was(here: World, store: Store) -> None:
    bury(here, ["letter-1"])
    store.client.close()
    with closing(here.rabbit.connect("console")) as console:
        with pytest.raises(Unavailable):
            dead.replay(console, "deletion", ["letter-1"], "operator-1", store)
        assert [letter.id for letter in dead.list_letters(console, "deletion")] == ["letter-1"]
    assert here.depth("evt-deletion") == 0


def test_discarding_a_letter_that_bears_the_id_of_another_message_leaves_that_one_to_be_handled(
    here: World, store: Store
) -> None:
    (here.signals / "unavailable-1").touch()
    here.start("relay", "deletion")
    here.start("hand")
    send(store, 1)
    until(lambda: here.depth("dlq-deletion") == 1, "the dead letter")
    (raw,) = take(here, "dlq-deletion", 1)
    console = here.rabbit.connect("topology")
    forged = {name: raw.headers[name] for name in ("ophor-queue", "ophor-signer")} | {"ophor-reason": "signature"}
    console.channel().basic_publish(
        amqp.Message(raw.body, application_headers=forged), exchange=topology.DEAD, routing_key="deletion"
    )
    until(lambda: here.depth("dlq-deletion") == 1, "the forged letter")
    with closing(here.rabbit.connect("console")) as connection:
        (letter,) = dead.list_letters(connection, "deletion")
        dead.discard(connection, "deletion", [letter.id], "operator-1", "forged", store)
    console.close()
    assert store.db.inbox.count_documents({}) == 0


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[]", b'{"id": "x"}'])
def test_a_message_that_nobody_signed_is_a_dead_letter_at_once(here: World, store: Store, body: bytes) -> None:
    connection = here.rabbit.connect("topology")
    headers = {"CC": ["evt-orders"], "ophor-signer": "deletion", "ophor-signature": "none"}
    message = amqp.Message(body, content_type="application/json", application_headers=headers)
    connection.channel().basic_publish(message, exchange="deletion.tasks", routing_key="delete")
    here.start("hand")
    until(lambda: here.depth("dlq-deletion") == 1, "the dead letter")
    connection.close()
    (raw,) = take(here, "dlq-deletion", 1)
    assert "CC" not in raw.headers and raw.headers["ophor-queue"] == QUEUE
    assert bytes(raw.body) == body
    assert repr(body) not in here.log()


def test_a_row_that_closes_the_channel_is_parked_and_its_neighbours_go_out(here: World, store: Store) -> None:
    def tell(unit: Any) -> None:
        for number in range(40):
            body = {"exit_id": "e-1", "sets": number, "last_expiry_on": unit.today, "on": unit.today}
            unit.emit("deletion.backups_expired", "e-1", body)
            if number == 20:
                row = {"exit_id": "e-1", "system": "s", "set_id": "b", "taken_on": unit.today, "expires_on": unit.today}
                unit.emit(f"deletion.{MUTE}", "e-1", row)

    store.run(tell)
    here.start("relay", "deletion")
    until(lambda: store.status()["outbox_parked"] == 1, "the row is parked")
    until(lambda: store.db.outbox.count_documents({"state": "published"}) == 40, "the others are published")
    parked = store.db.outbox.find_one({"state": "parked"})
    assert parked is not None and (parked["wire"], parked["reason"]) == (f"deletion.{MUTE}", "403")
    assert len(take(here, "evt-scheduling", 40)) >= 40
    assert unpark(store) == 1


def test_an_event_that_no_queue_takes_waits_and_is_published_when_one_does(here: World, store: Store) -> None:
    connection = here.rabbit.connect("topology")
    channel = connection.channel()
    name = "backups_look_due"
    channel.queue_unbind("evt-deletion", "deletion.events", name)
    try:
        here.start("relay", "deletion", OPHOR_RABBIT_MANAGEMENT="")
        on = date(2026, 1, 5)
        store.run(lambda unit: unit.emit(f"deletion.{name}", "e-1", {"exit_id": "e-1", "on": on}))
        until(lambda: store.db.outbox.find_one({"reason": "unroutable"}), "the row came back")
        assert store.status()["outbox_pending"] == 1
    finally:
        channel.queue_bind("evt-deletion", "deletion.events", name)
        connection.close()
    take(here, "evt-deletion", 1)
    until(lambda: store.status()["outbox_pending"] == 0, "the row is published")


def test_a_relay_that_sees_a_missing_binding_publishes_nothing_until_it_is_there(here: World, store: Store) -> None:
    connection = here.rabbit.connect("topology")
    channel = connection.channel()
    channel.queue_unbind("evt-compliance", "deletion.events", "backups_expired")
    try:
        here.start("relay", "deletion", OPHOR_RABBIT_MANAGEMENT=str(here.rabbit.management))
        expired(store)
        until(lambda: "binding missing: deletion.events -[backups_expired]-> evt-compliance" in here.log(), "the alarm")
        assert store.status()["outbox_pending"] == 1
    finally:
        channel.queue_bind("evt-compliance", "deletion.events", "backups_expired")
        connection.close()
    take(here, "evt-compliance", 1)


def test_due_timers_are_told_once_when_the_clock_is_set(here: World, store: Store) -> None:
    for day in (1, 2, 3):
        on = date(2026, 2, day)
        body = {"exit_id": "e-1", "on": on}
        store.run(lambda unit: unit.at(on, "deletion.backups_look_due", "e-1", body, f"look-{on}"))  # noqa: B023
    here.start("relay", "deletion")
    here.start("relay", "deletion")
    set_clock(here.mongo_uri, datetime(2026, 2, 2, 12, tzinfo=UTC))
    told = [json.loads(raw.body)["data"]["on"] for raw in take(here, "evt-deletion", 2)]
    assert told == ["2026-02-01", "2026-02-02"]
    set_clock(here.mongo_uri, datetime(2026, 2, 3, 12, tzinfo=UTC))
    assert [json.loads(raw.body)["data"]["on"] for raw in take(here, "evt-deletion", 1)] == ["2026-02-03"]
    until(lambda: store.status()["outbox_pending"] == 0, "all is published")
    assert here.depth("evt-deletion") == 0


def test_a_timer_that_a_killed_process_holds_keeps_no_event_from_going_out(here: World, store: Store) -> None:
    store.prepare()  # no index is made of what a transaction holds
    look = {"exit_id": "e-1", "on": date(2026, 1, 5)}
    store.run(lambda unit: unit.at(date(2026, 1, 5), "deletion.backups_look_due", "e-1", look, "look"))
    with patient(store), store.client.start_session() as left_open:
        left_open.start_transaction()
        store.db.timers.update_one({"_id": "look"}, {"$set": {"correlation_id": "-"}}, session=left_open)
        expired(store)
        here.start("relay", "deletion")
        take(here, "evt-scheduling", 1)
        assert store.status()["timers_due"] == 1
        left_open.abort_transaction()
    take(here, "evt-deletion", 1)


def test_one_subscriber_can_be_served_again_with_the_old_signatures(here: World, store: Store) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    here.start("relay", "deletion")
    expired(store, "e-1")
    expired(store, "e-2")
    first = {raw.headers["ophor-signature"] for raw in take(here, "evt-scheduling", 2)}
    take(here, "evt-compliance", 2)
    until(lambda: store.status()["outbox_pending"] == 0, "all is published")
    connection = here.rabbit.connect("svc-deletion")
    assert replay(store, connection, here.signer("deletion"), "evt-scheduling", since) == 2
    assert {raw.headers["ophor-signature"] for raw in take(here, "evt-scheduling", 2)} == first
    assert here.depth("evt-compliance") == 0
    with pytest.raises(Rejected, match="QUEUE_UNKNOWN"):
        replay(store, connection, here.signer("deletion"), "dlq-orders", since)
    connection.close()


def test_a_second_relay_stands_by_and_takes_over(here: World, store: Store) -> None:
    first = here.start("relay", "deletion")
    until(lambda: "relay works" in here.log(), "one works")
    here.start("relay", "deletion")
    until(lambda: store.db.leases.find_one({"_id": "relay"}), "the lease")
    first.kill()
    expired(store)
    take(here, "evt-scheduling", 1)


def test_a_hand_finishes_its_slice_when_it_is_told_to_stop(here: World, store: Store) -> None:
    (here.signals / "slow-1").touch()
    here.start("relay", "deletion")
    hand = here.start("hand")
    send(store, 1, 2)
    until(lambda: tries(store) == 1, "the slice has begun")
    hand.send_signal(signal.SIGTERM)
    until((here.signals / "told-to-stop").exists, "the hand knows")
    (here.signals / "slow-1").unlink()
    assert hand.wait(LONGEST_S) == 0
    assert effects(store) == [1]
    until(lambda: here.depth(QUEUE) == 1, "the other one waits")


def test_a_hand_that_is_told_to_stop_ends_although_the_broker_is_gone(here: World, store: Store) -> None:
    for signal_ in ("slow-1", "reject-1"):
        (here.signals / signal_).touch()
    proxy = Proxy(here.rabbit.port)
    here.start("relay", "deletion")
    hand = here.start(
        "hand", OPHOR_AMQP_URI=here.rabbit.uri("svc-deletion").replace(f":{here.rabbit.port}/", f":{proxy.port}/")
    )
    send(store, 1)
    until(lambda: tries(store) == 1, "the slice has begun")
    proxy.close()
    until(lambda: "connection lost" in here.log(), "it is gone")
    hand.send_signal(signal.SIGTERM)
    until((here.signals / "told-to-stop").exists, "the hand knows")
    (here.signals / "slow-1").unlink()
    assert hand.wait(LONGEST_S) == 0
    until(lambda: here.depth(QUEUE) == 1, "the broker has it back")


def test_a_hand_without_its_database_uses_up_no_attempt(here: World, store: Store) -> None:
    here.start("relay", "deletion")
    (here.signals / "stop-1").touch()
    hand = here.start("hand")
    send(store, 1)
    until((here.signals / "stopped-1").exists, "the hand is at work")
    hand.kill()
    (here.signals / "stop-1").unlink()
    until(lambda: here.depth(QUEUE) == 1, "the task is back")
    here.mongod.send_signal(signal.SIGSTOP)
    try:
        here.start("hand")
        until(lambda: "store lost" in here.log().partition("relay works")[2] or _hand_lost(here.log()), "it notices")
        assert here.depth("dlq-deletion") == 0
    finally:
        here.mongod.send_signal(signal.SIGCONT)
    until(lambda: effects(store) == [1], "the effect")
    assert store.status()["dead"] == 0
    assert '"attempts": 1' not in here.log()


def _hand_lost(log: str) -> bool:
    return any('"store lost"' in line and "deletion.delete" in line for line in log.splitlines())


def test_a_process_ends_with_a_clear_message_where_a_queue_is_missing(here: World, store: Store) -> None:
    connection = here.rabbit.connect("topology")
    connection.channel().queue_delete(QUEUE)
    try:
        hand = here.start("hand")
        assert hand.wait(LONGEST_S) != 0
        assert f"{QUEUE}: 404" in here.log() and "ophor topology apply" in here.log()
    finally:
        told = topology.apply(connection, "test")
        connection.close()
    assert told == [f"+ queue {QUEUE}"]


def test_a_silent_broker_costs_the_relay_its_socket_and_no_event(
    here: World, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SILENCE_S", 1.0)
    relay = Relay(store, here.rabbit.uri("svc-deletion"), here.signer("deletion"))
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        until(lambda: not relay.failing, "the relay works")
        here.rabbit.signal(signal.SIGSTOP)
        expired(store)
        until(lambda: not relay.holds("broker"), "the relay gives the socket up")
        assert store.status()["outbox_pending"] == 1
        here.rabbit.signal(signal.SIGCONT)
        take(here, "evt-scheduling", 1)
        until(lambda: store.status()["outbox_pending"] == 0, "the row is published")
    finally:
        here.rabbit.signal(signal.SIGCONT)
        relay.stop()
        thread.join()

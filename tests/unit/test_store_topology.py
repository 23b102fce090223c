"""The topology as the contracts give it: whole, routed, and with the fewest rights. No broker is needed."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from contracts.catalogue import EVENTS, SERVICES, TASKS
from shared.bus import ladder, topology
from shared.bus.guard import Received
from shared.bus.outbox import address
from shared.store.account import consumers

DESCRIBED = topology.describe("production")
CONFIGURED = {each.name for each in (*DESCRIBED.exchanges, *DESCRIBED.queues)}
USERS = {user.name: user for user in DESCRIBED.users}


def routed(exchange: str, key: str) -> set[str]:
    return {
        binding.queue
        for binding in DESCRIBED.bindings
        if binding.exchange == exchange and re.fullmatch(binding.key.replace("*", "[^.]+").replace("#", ".*"), key)
    }


@pytest.mark.parametrize("wire", [*EVENTS, *TASKS])
def test_every_message_reaches_the_queue_of_each_of_its_consumers_and_no_other(wire: str) -> None:
    queues = {f"hand-{each.replace('.', '-')}" if "." in each else f"evt-{each}" for each in consumers(wire)}
    assert routed(*address(wire)) == queues
    assert queues <= {queue.name for queue in DESCRIBED.queues}


@pytest.mark.parametrize("wire", [*EVENTS, *TASKS])
def test_the_sender_may_publish_what_it_tells(wire: str) -> None:
    exchange, key = address(wire)
    user = USERS[f"svc-{wire.partition('.')[0]}"]
    assert re.search(user.write, exchange)
    if exchange in user.topics:
        assert re.search(user.topics[exchange][0], key)


def test_the_hand_that_must_be_alone_has_a_single_active_consumer() -> None:
    single = {queue.name for queue in DESCRIBED.queues if queue.single}
    assert single == {"hand-compliance-ledger"}


def test_every_queue_is_durable_by_being_a_quorum_queue() -> None:
    assert all(queue.arguments["x-queue-type"] == "quorum" for queue in DESCRIBED.queues)


def test_every_queue_has_one_policy_with_a_dead_letter_exchange_and_dead_letters_end_before_k15() -> None:
    for queue in DESCRIBED.queues:
        (policy,) = [policy for policy in DESCRIBED.policies if re.search(policy.pattern, queue.name)]
        if queue.name.startswith("dlq-"):
            assert policy.definition["message-ttl"] < 15 * 86_400_000
        else:
            assert policy.definition["dead-letter-exchange"] in ("ophor.dead", "ophor.return")
        assert policy.definition["delivery-limit"] >= 100_000


@pytest.mark.parametrize("mode", ["demo", "test"])
def test_all_delays_together_are_at_most_a_second_in_demo_and_test(mode: str) -> None:
    assert sum(topology.DELAYS_MS[mode]) <= 1000
    assert topology.DELAYS_MS["production"] == (1_000, 10_000, 60_000, 600_000)


def test_nobody_but_topology_may_configure_more_than_its_own_reply_queues() -> None:
    for name, user in USERS.items():
        if name.startswith("svc-"):
            assert user.configure == "^$"
        elif name != "topology":
            assert re.search(user.configure, f"reply-{name}-1")
            assert not any(re.search(user.configure, each) for each in (*CONFIGURED, "reply-other-1"))


def test_the_stamp_changes_with_the_bindings_and_not_with_the_mode() -> None:
    assert DESCRIBED.stamp == topology.describe("demo").stamp
    fewer = topology.Topology(
        DESCRIBED.exchanges, DESCRIBED.queues, DESCRIBED.bindings[1:], DESCRIBED.policies, DESCRIBED.users
    )
    assert fewer.stamp != DESCRIBED.stamp


def test_definitions_carry_no_password_but_its_salted_hash() -> None:
    made = topology.definitions({user: f"secret-{user}" for user in topology.users()}, "production")
    assert "secret" not in str(made)
    raw = base64.b64decode(made["users"][0]["password_hash"])
    assert raw[4:] == hashlib.sha256(raw[:4] + b"secret-svc-orders").digest()
    assert len(made["users"]) == len(SERVICES) + 4


def received(attempts: object) -> Received:
    headers = {
        "ophor-attempts": attempts,
        "ophor-signature": "s",
        "CC": ["x"],
        "BCC": ["y"],
        "nameko.authorization": "t",
    }
    return Received(b"body", headers, {"content_type": "application/json", "user_id": "svc-orders"}, "key")


def test_a_message_climbs_four_steps_and_is_dead_after_the_fifth_try() -> None:
    exchanges = [ladder.climb(received(tried), "evt-access", "access", "BUG").to for tried in range(6)]
    assert (
        exchanges == [(f"ophor.delay.{step}", "evt-access") for step in (1, 2, 3, 4)] + [("ophor.dead", "access")] * 2
    )


@pytest.mark.parametrize("attempts", [None, "9", -3, True, 1.5, [1]])
def test_a_count_of_attempts_that_is_none_counts_as_none(attempts: object) -> None:
    copy = ladder.climb(received(attempts), "evt-access", "access", "BUG")
    assert copy.properties["application_headers"]["ophor-attempts"] == 1


def test_unverified_headers_and_the_senders_user_do_not_travel_on() -> None:
    copy = ladder.bury(received(0), "evt-access", "access", "BUG")
    assert set(copy.properties) == {"content_type", "application_headers"}
    assert set(copy.properties["application_headers"]) == {
        "ophor-attempts", "ophor-signature", "ophor-reason", "ophor-queue", "ophor-dead-at",
    }  # fmt: skip

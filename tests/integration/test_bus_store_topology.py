"""The topology on a real broker: the same twice, every difference told, and no user may do more than it must."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import amqp
import pytest
from amqp.exceptions import AccessRefused
from pymongo.errors import OperationFailure

from contracts.catalogue import SERVICES
from deploy import mongo_users
from services.console.session import Session
from services.console.stack import depths
from shared.bus import topology
from shared.bus.confirms import Confirms, Fate
from shared.bus.pump import BusMismatch
from shared.bus.topology.held import Held, mend
from shared.runtime.clock import SimulatedClock, set_clock
from shared.store import mongo as mongo_store
from tests.integration.bus_store_parts import ROOT_PASSWORD, Rabbit, mongo_with_users, rabbit

PASSWORDS = {user: f"secret-{user}" for user in topology.users()}


@pytest.fixture(scope="module")
def broker() -> Iterator[Rabbit]:
    """A broker that has loaded users, rights and policies at its boot, and nothing else."""
    loaded = topology.definitions(PASSWORDS, "test")
    for kind in ("exchanges", "queues", "bindings"):
        del loaded[kind]
    with rabbit(loaded, PASSWORDS) as node:
        yield node


@pytest.fixture
def channel(broker: Rabbit) -> Iterator[amqp.Channel]:
    connection = broker.connect("topology")
    topology.apply(connection, "test", management(broker))
    yield connection.channel()
    topology.apply(connection, "test", management(broker))
    connection.close()


def management(broker: Rabbit, user: str = "topology") -> topology.Management:
    assert broker.management
    return topology.Management(broker.management, broker.uri(user))


def apply(channel: amqp.Channel, broker: Rabbit, mode: str = "test") -> list[str]:
    return topology.apply(channel.connection, mode, management(broker))


def publish(broker: Rabbit, user: str, to: tuple[str, str]) -> Fate:
    """Publish as `user` and give the message's fate; raise AccessRefused where the user may not."""
    connection = broker.connect(user)
    try:
        fates: list[Fate] = []
        Confirms(connection.channel()).publish(b"{}", {}, to, fates.append)
        while not fates:
            connection.drain_events(timeout=120)
        return fates[0]
    finally:
        connection.collect()


def test_a_whole_topology_is_declared_and_the_second_time_nothing_differs(broker: Rabbit) -> None:
    connection = broker.connect("topology")
    for queue in topology.describe("test").queues:
        connection.channel().queue_delete(queue.name)
    told = topology.apply(connection, "test", management(broker))
    assert {f"+ queue {queue.name}" for queue in topology.describe("test").queues} <= set(told)
    assert f"+ binding {topology.Binding('orders.events', 'order_placed', 'evt-scheduling')}" in told
    assert topology.apply(connection, "test", management(broker)) == []
    assert topology.apply(connection, "test") == []
    connection.close()


def test_definitions_at_boot_make_the_same_as_apply() -> None:
    with rabbit(topology.definitions(PASSWORDS, "test"), PASSWORDS) as node:
        connection = node.connect("topology")
        assert topology.apply(connection, "test", management(node)) == []
        connection.close()


def test_a_missing_binding_is_seen_and_mended(broker: Rabbit, channel: amqp.Channel) -> None:
    lost = topology.Binding("orders.events", "order_placed", "evt-access")
    channel.queue_unbind(lost.queue, lost.exchange, lost.key)
    assert topology.missing_bindings(management(broker, "svc-orders"), "orders") == [lost]
    assert topology.missing_bindings(management(broker, "svc-access"), "access") == [lost]
    assert topology.missing_bindings(management(broker, "svc-deletion"), "deletion") == []
    assert topology.differences(management(broker), "test") == [f"+ binding {lost}"]
    assert apply(channel, broker) == [f"+ binding {lost}"]


@pytest.mark.parametrize("user", ["svc-orders", "integrator"])
def test_a_right_that_differs_from_who_may_call_whom_is_seen_and_mended(
    broker: Rabbit, channel: amqp.Channel, user: str
) -> None:
    held, told = management(broker), [f"~ rights of {user}", f"~ rights of {user} at nameko-rpc"]
    held.put("permissions", user, {"configure": ".*", "write": ".*", "read": ".*"})
    held.put("topic-permissions", user, {"exchange": "nameko-rpc", "write": ".*", "read": ".*"})
    assert topology.differences(held, "test") == told
    assert apply(channel, broker) == told
    assert topology.differences(held, "test") == []
    with pytest.raises(AccessRefused):
        declare(broker.connect(user).channel())


def test_a_user_that_is_missing_is_named(broker: Rabbit, channel: amqp.Channel) -> None:
    held = replace(Held.by(management(broker)), users=set(topology.users()) - {"gateway"})
    assert mend(channel, topology.describe("test"), held, management(broker)) == [
        "? user gateway is missing: make it with a password, then apply again"
    ]


def test_a_binding_too_many_is_seen_and_removed(broker: Rabbit, channel: amqp.Channel) -> None:
    channel.queue_bind("evt-orders", "access.events", "#")
    assert topology.differences(management(broker), "test") == ["- binding access.events -[#]-> evt-orders"]
    assert apply(channel, broker) == ["- binding access.events -[#]-> evt-orders"]


def test_a_queue_that_nobody_declared_is_named_and_left(broker: Rabbit, channel: amqp.Channel) -> None:
    channel.queue_declare("evt-archive", durable=True, auto_delete=False)
    assert apply(channel, broker) == ["? queue evt-archive is not in the contracts"]
    channel.queue_delete("evt-archive")


def test_a_changed_policy_is_mended(broker: Rabbit, channel: amqp.Channel) -> None:
    assert topology.differences(management(broker), "production") == [
        f"~ policy ophor-delay-{step}" for step in (1, 2, 3, 4)
    ]
    assert apply(channel, broker, "production") == [f"~ policy ophor-delay-{step}" for step in (1, 2, 3, 4)]
    assert apply(channel, broker, "test") == [f"~ policy ophor-delay-{step}" for step in (1, 2, 3, 4)]


def test_a_queue_with_other_properties_stops_the_apply(broker: Rabbit, channel: amqp.Channel) -> None:
    channel.queue_delete("evt-orders")
    channel.queue_declare("evt-orders", durable=True, auto_delete=False)
    with pytest.raises(BusMismatch, match="evt-orders has other properties"):
        apply(channel, broker)
    channel.queue_delete("evt-orders")


def test_every_service_finds_its_topology(broker: Rabbit, channel: amqp.Channel) -> None:
    for service in SERVICES:
        connection = broker.connect(f"svc-{service}")
        topology.check(connection, service)
        connection.close()


@pytest.mark.parametrize("lacking", ["queue", "exchange", "stamp"])
def test_a_service_that_lacks_something_is_told_what(broker: Rabbit, channel: amqp.Channel, lacking: str) -> None:
    name = {"queue": "evt-orders", "exchange": "orders.events", "stamp": topology.describe("test").stamp}[lacking]
    channel.queue_delete(name) if lacking == "queue" else channel.exchange_delete(name)
    connection = broker.connect("svc-orders")
    with pytest.raises(BusMismatch, match=f"{name}: 404.*ophor topology apply"):
        topology.check(connection, "orders")
    connection.collect()


def test_an_old_version_stamp_is_removed(broker: Rabbit, channel: amqp.Channel) -> None:
    channel.exchange_declare("ophor.topology.0123456789abcdef", "fanout", durable=True, auto_delete=False)
    assert apply(channel, broker) == ["- exchange ophor.topology.0123456789abcdef"]


def declare(channel: amqp.Channel) -> None:
    channel.queue_declare("evt-orders-mine", durable=True, auto_delete=False)


def bind(channel: amqp.Channel) -> None:
    channel.queue_bind("evt-orders", "access.events", "#")


def purge(channel: amqp.Channel) -> None:
    channel.queue_purge("evt-scheduling")


def consume(channel: amqp.Channel) -> None:
    channel.basic_consume("evt-scheduling")


def delete(channel: amqp.Channel) -> None:
    channel.queue_delete("evt-orders")


def read_dead(channel: amqp.Channel) -> None:
    channel.basic_get("dlq-scheduling")


@pytest.mark.parametrize("forbidden", [declare, bind, purge, consume, delete, read_dead])
def test_a_service_may_not(broker: Rabbit, channel: amqp.Channel, forbidden: Callable[[amqp.Channel], None]) -> None:
    connection = broker.connect("svc-orders")
    with pytest.raises(AccessRefused):
        forbidden(connection.channel())
    connection.collect()


@pytest.mark.parametrize(
    ("user", "to"),
    [
        ("svc-orders", ("access.events", "access_frozen")),  # another's fact
        ("svc-orders", ("orders.events", "unheard_of")),  # a fact that the contract does not know
        ("svc-orders", ("nameko-rpc", "access.attest")),  # a call: services do not call
        ("svc-orders", ("deletion.tasks", "delete")),  # another's hand
        ("svc-orders", ("ophor.return", "hand-deletion-delete")),
        ("svc-orders", ("ophor.delay.1", "hand-deletion-delete")),
        ("svc-orders", ("ophor.delay.2", "evt-scheduling")),
        ("svc-orders", ("", "evt-scheduling")),  # the default exchange
        ("gateway", ("orders.events", "order_placed")),
        ("gateway", ("nameko-rpc", str(uuid.uuid4()))),  # an answer
        ("gateway", ("ophor.return", "evt-orders")),
        ("integrator", ("orders.events", "order_placed")),
        ("integrator", ("nameko-rpc", str(uuid.uuid4()))),
        ("integrator", ("ophor.return", "evt-orders")),
    ],
)
def test_a_user_may_not_publish(broker: Rabbit, channel: amqp.Channel, user: str, to: tuple[str, str]) -> None:
    with pytest.raises(AccessRefused):
        publish(broker, user, to)


@pytest.mark.parametrize(
    ("user", "to"),
    [
        ("svc-orders", ("orders.events", "order_placed")),
        ("svc-deletion", ("deletion.tasks", "delete")),
        ("svc-orders", ("ophor.delay.1", "evt-scheduling")),  # replay to a subscriber
        ("svc-orders", ("ophor.delay.4", "evt-orders")),
        ("svc-orders", ("ophor.dead", "orders")),
        ("gateway", ("nameko-rpc", "access.attest")),
        ("integrator", ("nameko-rpc", "access.attest")),
        ("console", ("ophor.return", "evt-orders")),
    ],
)
def test_a_user_may_publish_what_it_must(broker: Rabbit, channel: amqp.Channel, user: str, to: tuple[str, str]) -> None:
    assert publish(broker, user, to) == "ok"
    for queue in topology.describe("test").queues:
        channel.queue_purge(queue.name)


@pytest.mark.parametrize(
    ("user", "prefix"),
    [
        ("gateway", "reply-gateway"),
        ("integrator", "reply-integrator"),
        ("integrator", "rpc.reply-standalone_rpc_client"),  # as nameko's own client names it
    ],
)
def test_a_caller_can_bind_a_reply_queue_to_its_own_address_and_to_nothing_else(
    broker: Rabbit, channel: amqp.Channel, user: str, prefix: str
) -> None:
    connection = broker.connect(user)
    own = connection.channel()
    queue = f"{prefix}-{uuid.uuid4()}"
    own.queue_declare(queue, exclusive=True)
    own.queue_bind(queue, "nameko-rpc", str(uuid.uuid4()))
    for key in ("#", "orders.*", "*"):
        with pytest.raises(AccessRefused):
            connection.channel().queue_bind(queue, "nameko-rpc", key)
    with pytest.raises(AccessRefused):
        connection.channel().queue_declare("reply-console-x", exclusive=True)
    connection.close()
    assert apply(channel, broker) == []


def test_a_foreign_user_id_is_refused(broker: Rabbit, channel: amqp.Channel) -> None:
    connection = broker.connect("svc-orders")
    with pytest.raises(amqp.exceptions.PreconditionFailed):
        Confirms(connection.channel()).publish(b"", {"user_id": "svc-access"}, ("orders.events", "order_placed"), print)
        connection.drain_events(timeout=120)
    connection.collect()


def test_each_database_user_reaches_its_own_database_and_reads_the_clock() -> None:
    passwords = {user: f"secret-{user}" for user in mongo_users.USERS}

    def connect(user: str) -> Any:
        return mongo_store.connect(
            f"mongodb://{user}:{passwords[user]}@{address}/?replicaSet=rs0&authSource=admin", "t"
        )

    with mongo_with_users() as address:
        admin = f"mongodb://root:{ROOT_PASSWORD}@{address}/?replicaSet=rs0&authSource=admin"
        mongo_users.make(admin, {**passwords, "svc-orders": "an older one"})
        mongo_users.make(admin, passwords)
        writer = f"mongodb://clock-writer:{passwords['clock-writer']}@{address}/?replicaSet=rs0&authSource=admin"
        reader = f"mongodb://clock-reader:{passwords['clock-reader']}@{address}/?replicaSet=rs0&authSource=admin"
        instant = datetime(2026, 1, 5, 9, tzinfo=UTC)
        set_clock(writer, instant)
        assert SimulatedClock(reader).fresh() == instant
        with pytest.raises(OperationFailure):
            set_clock(reader, instant)
        with connect("svc-orders") as client:
            orders = mongo_store.database(client, "orders")
            orders.inbox.create_index([("handled_at", 1)], expireAfterSeconds=90 * 86_400)  # of an older version
            for _ in range(2):
                mongo_store.make_indexes(orders)
            kept = {name: index.get("expireAfterSeconds") for name, index in orders.inbox.index_information().items()}
            assert kept["handled_at_1"] > orders.outbox.index_information()["kept"]["expireAfterSeconds"] > 0
            orders.things.insert_one({})
            with orders.things.watch():
                pass
            assert client["ophor_clock"]["clock"].find_one() is not None
            for refused in (
                lambda: mongo_store.database(client, "access").things.find_one(),
                lambda: mongo_store.database(client, "access").things.insert_one({}),
                lambda: client["ophor_clock"]["clock"].update_one({}, {"$set": {"now": 0}}),
            ):
                with pytest.raises(OperationFailure):
                    refused()


def test_a_queue_that_is_missing_is_told_with_the_others(channel: amqp.Channel, broker: Rabbit) -> None:
    channel.queue_delete("evt-orders")
    told = depths(Session({"OPHOR_AMQP_URI": broker.uri("console"), "OPHOR_MODE": "test"}))
    assert told.keys() == {queue.name for queue in topology.describe("test").queues}
    assert [name for name, row in told.items() if "missing" in row] == ["evt-orders"]

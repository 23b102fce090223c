"""Queues of a real RabbitMQ: what only they can do wrong. The rest is in the behaviour suite of all connectors."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import amqp
import pytest
import yaml

from contracts.errors import Rejected, Unavailable
from shared.connectors.queues import connector as queues
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import LEAVING, STAYING, Target, Virtual, letter
from tests.parts import Broker, Parts
from tests.waiting import until


@pytest.fixture(scope="module")
def rabbit(parts: Parts) -> Iterator[Broker]:
    made = parts.broker()
    yield made
    made.remove()


@pytest.fixture
def target(rabbit: Broker, tmp_path: Path) -> Iterator[Target]:
    with targets.queues(rabbit, tmp_path) as one:
        yield one


@pytest.fixture
def virtual(target: Target) -> Virtual:
    made: Virtual = target.virtual
    return made


def allow(target: Target, user: str, **rights: str) -> None:
    nothing = {"configure": "^$", "write": "^$", "read": "^$"}
    target.virtual.put(f"permissions/{target.virtual.name}/{target.virtual.name}_{user}", nothing | rights)


@pytest.mark.parametrize("queue", ["sager", "noter"])
def test_what_is_not_the_tenants_keeps_its_order_through_looks_and_deletions(
    target: Target, virtual: Virtual, queue: str
) -> None:
    before = [one for one in virtual.waiting(queue) if str(one[0]) == STAYING]
    connector = target.open("delete")
    while keys := connector.keys(queue, 2):
        with connector.batch() as batch:
            batch.delete(queue, keys)
            batch.commit()
    target.open("verify").find(queue, ["0" * 64], b"seed")
    assert virtual.waiting(queue) == before


def test_equal_messages_go_one_by_one_and_none_is_counted_twice(target: Target, virtual: Virtual) -> None:
    virtual.send("sager", *[letter(101, 0)] * 2)
    connector, deleted = target.open("delete"), 0
    while keys := connector.keys("sager", 1):
        with connector.batch() as batch:
            assert batch.delete("sager", keys) == 1
            batch.commit()
        assert connector.present("sager", keys) == 0
        deleted += 1
    assert deleted == targets.COUNTS["sager"][0] + 2


def test_a_queue_that_somebody_consumes_from_is_not_counted(target: Target, virtual: Virtual) -> None:
    with virtual.channel() as channel:
        channel.basic_consume("sager", callback=lambda message: None)
        for ask in (target.open("verify").count, target.open("verify").total, target.open("extract").unowned):
            with pytest.raises(Unavailable, match="TARGET_BUSY"):
                ask("sager")
    assert target.open("verify").count("sager") == targets.COUNTS["sager"][0]


def test_what_somebody_holds_without_consuming_is_not_taken_for_gone(
    target: Target, virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "PATIENCE_S", 0.0)
    with virtual.channel() as channel:
        while channel.basic_get("sager") is not None:
            pass
        until(lambda: _unacknowledged(virtual), "the management API has noticed")
        with pytest.raises(Unavailable, match="TARGET_BUSY"):
            target.open("verify").count("sager")


def _unacknowledged(virtual: Virtual) -> int:
    return int(virtual.api.get(f"queues/{virtual.name}/sager").json().get("messages_unacknowledged", 0))


@pytest.mark.parametrize("queue", ["sager", "noter"])
def test_what_a_batch_holds_is_not_taken_for_gone_by_another_look(target: Target, queue: str) -> None:
    connector = target.open("delete")
    keys = connector.keys(queue, 2)
    with connector.batch() as batch:
        batch.delete(queue, keys)
        for ask in (lambda: target.open("verify").count(queue), lambda: target.open("delete").present(queue, keys)):
            with pytest.raises(Unavailable, match="TARGET_BUSY"):
                ask()
        batch.commit()
    assert target.open("delete").present(queue, keys) == 0


@pytest.mark.parametrize(("step", "left"), [("counted", 3), ("committed", 0)])
def test_a_killed_deleter_never_leaves_more_or_less_than_is_counted(target: Target, step: str, left: int) -> None:
    path = target.folder / "kort.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "systems": {"maal": target.content}}, allow_unicode=True))
    argv = [sys.executable, "-m", "tests.integration.connectors_doomed", str(path), "sager", step]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    keys = [tuple(key) for key in json.loads(done.stdout)]
    assert until(lambda: _present(target, keys), "the broker has noticed the death") == (left,)
    assert target.open("verify").count("sager") == targets.COUNTS["sager"][0] - 3 + left


def _present(target: Target, keys: list[tuple[str, ...]]) -> tuple[int] | None:
    try:
        return (target.open("delete").present("sager", keys),)
    except Unavailable:
        return None


def test_closing_ends_the_sessions_of_the_tenants_users(target: Target, virtual: Virtual) -> None:
    user = f"{virtual.name}_app"
    app = Virtual(virtual.name, f"amqp://{user}:hemmelig@{virtual.uri.rpartition('@')[2]}", virtual.api)
    elsewhere = Virtual("/", app.uri.rpartition("/")[0] + "/%2F", virtual.api)
    virtual.put(f"permissions/%2F/{user}", {"configure": "^$", "write": "^$", "read": "^$"})
    with elsewhere.channel() as other, app.channel() as channel:
        target.open("access").close_access()
        with pytest.raises((amqp.AMQPError, OSError)):
            channel.queue_declare("sager", passive=True)
        other.basic_qos(0, 1, False)
    with pytest.raises(amqp.NotAllowed), app.channel():
        pass


def test_a_stream_is_refused_where_it_is_the_tenants(target: Target, virtual: Virtual) -> None:
    virtual.put(f"queues/{virtual.name}/log", {"durable": True, "arguments": {"x-queue-type": "stream"}})
    target.content["places"]["log"] = {"tenant_key": "lejer"}
    connector = target.open("delete")
    with pytest.raises(Rejected, match="PLACE_NOT_DELETABLE"):
        connector.order(connector.discover())
    target.content["places"]["log"] = {"excluded": "NOT_CUSTOMER_DATA"}
    assert target.open("delete").order(connector.discover()) == ["noter", "sager"]


def test_a_queue_that_drops_what_was_taken_too_often_is_refused_before_it_is_looked_into(
    target: Target, virtual: Virtual
) -> None:
    limited = {"durable": True, "arguments": {"x-queue-type": "quorum", "x-delivery-limit": 1}}
    virtual.put(f"queues/{virtual.name}/skrøbelig", limited)
    virtual.send("skrøbelig", letter(101, 0), letter(102, 0))
    target.content["places"]["skrøbelig"] = {"tenant_key": "lejer"}
    for _ in range(3):
        connector = target.open("verify")
        with pytest.raises(Rejected, match="LOOKING_WOULD_DELETE"):
            connector.order(connector.discover())
    assert len(virtual.waiting("skrøbelig")) == 2


def test_a_whole_queue_goes_where_its_name_says_the_tenant(target: Target, virtual: Virtual) -> None:
    for name, tenant in (("kommune.101.ind", LEAVING), ("kommune.102.ind", STAYING)):
        virtual.put(f"queues/{virtual.name}/{name}", {"durable": True})
        virtual.send(name, amqp.Message(f"til {tenant}"))
        target.content["places"][name] = {"tenant_key": "queue"}
    for user in ("verify", "delete"):
        allow(target, user, read=".*")
    connector = target.open("verify")
    with pytest.raises(Rejected, match="TENANT_NOT_IN_NAME"):
        connector.order(connector.discover())
    with pytest.raises(Rejected, match="TENANT_NOT_IN_NAME"):
        connector.count("kommune.102.ind")
    target.content["places"]["kommune.102.ind"] = {"excluded": "NOT_CUSTOMER_DATA"}
    connector = target.open("delete")
    assert "kommune.101.ind" in connector.order(connector.discover())
    keys = connector.keys("kommune.101.ind", 10)
    with connector.batch() as batch:
        assert batch.delete("kommune.101.ind", keys) == 1
        batch.commit()
    assert (virtual.waiting("kommune.101.ind"), len(virtual.waiting("kommune.102.ind"))) == ([], 1)


def test_whoever_verifies_may_look_and_neither_send_nor_declare(target: Target) -> None:
    assert not target.open("verify").can_write()
    allow(target, "verify", read="sager|noter", write=".*")
    assert target.open("verify").can_write()
    allow(target, "verify", read="sager|noter", configure="^sager$")
    assert target.open("verify").can_write()
    assert target.open("verify").count("sager") == targets.COUNTS["sager"][0]


def test_a_new_way_into_a_queue_changes_the_plan(target: Target, virtual: Virtual) -> None:
    before = target.open("verify").discover()
    with virtual.channel() as channel:
        channel.queue_bind("sager", "amq.topic", "nyt.#")
    after = target.open("verify").discover()
    assert before.place("sager").fingerprint != after.place("sager").fingerprint
    assert before.place("noter") == after.place("noter")


def test_a_refused_user_is_named_by_its_purpose(target: Target) -> None:
    allow(target, "verify")
    with pytest.raises(Rejected) as caught:
        target.open("verify").count("sager")
    assert (caught.value.code, caught.value.field) == ("TARGET_REFUSED", "systems.maal.credentials.verify")

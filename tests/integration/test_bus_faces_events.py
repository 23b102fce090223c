"""Events at a face over the real broker: once each, retried, dead-lettered, in order; and poison of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shared.bus.envelope import new_id
from shared.bus.ladder import STEPS
from tests.integration.bus_faces_parts import AGREEMENT, Bed, Caller, FaceProcess, bed
from tests.integration.bus_store_parts import until
from tests.parts import Parts

LATIN = b"\xe6\xff"
LONE = (
    b'{"args":[],"kwargs":{"message":{"specversion":"1.0","id":"i","source":"s","time":"2026-01-01T00:00:00Z",'
    b'"type":"orders.list_exits","data":{"x":"\\ud800"}}}}'
)
LONE_NAME = LONE.replace(b"list_exits", b"register_agreement").replace(b'"x":', b'"numbers":{"\\ud800":1},"x":')
POISON_CALLS: dict[str, dict[str, Any]] = {
    "no content type": {"properties": {"content_type": None}},
    "another content type": {"properties": {"content_type": "application/x-python-serialize"}},
    "another encoding": {"properties": {"content_encoding": "utf-16"}},
    "a compressed body": {"headers": {"compression": "application/x-gzip"}},
    "a body that is too large": {"body": b'"' + b"x" * 262_144 + b'"'},
    "no reply address": {"properties": {"reply_to": None}},
    "a reply address that is a method": {"properties": {"reply_to": "orders.register_agreement"}},
    "no correlation id": {"properties": {"correlation_id": None}},
    "no token": {"headers": {"nameko.authorization": None}},
    "a token that is a table": {"headers": {"nameko.authorization": {"a": 1}}},
    "a token that is noise": {"token": "e30.e30.e30"},
    "no deadline": {"headers": {"nameko.deadline": None}},
    "a deadline that is no number": {"headers": {"nameko.deadline": "soon"}},
    "a deadline far away": {"deadline": 9e12},
    "a body that is not JSON": {"body": b"\x80\x04}q\x00."},
    "a body that is not UTF-8": {"body": LATIN},
    "a body nested without end": {"body": b"[" * 100_000},
    "a body with NaN": {"body": b'{"args": [], "kwargs": {"message": NaN}}'},
    "a body with a lone surrogate": {"body": LONE, "key": "orders.list_exits"},
    "a field's name with a lone surrogate": {"body": LONE_NAME, "key": "orders.register_agreement"},
    "a body that is a list": {"body": b"[]"},
    "positional arguments": {"body": b'{"args": [1], "kwargs": {}}'},
    "another keyword": {"body": b'{"args": [], "kwargs": {"massage": {}}}'},
    "keywords that are a list": {"body": b'{"args": [], "kwargs": [{}]}'},
    "an envelope that is a string": {"body": b'{"args": [], "kwargs": {"message": "x"}}'},
    "an envelope without an id": {"envelope": {"id": ""}},
    "an envelope of another version": {"envelope": {"specversion": "0.3"}},
    "an envelope of another type than its key": {"envelope": {"type": "orders.list_exits"}},
    "a routing key that is not UTF-8": {"key": b"orders.\xff"},
    "a correlation id that is not UTF-8": {"properties": {"correlation_id": LATIN}},
    "headers as large as a frame": {
        "headers": {"nameko.authorization": None, "nameko.deadline": None, "traceparent": "0" * 130_900},
    },
    "a header that is not UTF-8": {
        "headers": {"nameko.call_id_stack": [{"deep": [1, {"x": None}]}], "x": 2**62},
        "body": b"",
    },
}


@pytest.fixture(scope="module")
def parts(parts: Parts) -> Iterator[Bed]:
    with bed(parts) as made:
        made.fresh()
        yield made


@pytest.fixture(scope="module")
def orders(parts: Bed) -> Iterator[FaceProcess]:
    with parts.face("orders") as running:
        yield running


@pytest.fixture(scope="module")
def scheduling(parts: Bed) -> Iterator[FaceProcess]:
    with parts.face("scheduling") as running:
        yield running


def handled(parts: Bed, exit_id: str) -> list[int]:
    rows = parts.db("scheduling").told.find({"exit_id": exit_id}).sort("_id", 1)
    return [int(row["seq"]) for row in rows]


@pytest.mark.parametrize("kind", POISON_CALLS)
def test_a_poison_call_is_dead_lettered_and_the_process_lives(parts: Bed, orders: FaceProcess, kind: str) -> None:
    Caller(parts).send(**POISON_CALLS[kind])
    until(lambda: parts.depth("dlq-orders"), "it is dead-lettered")
    (raw,) = parts.dead("orders")
    assert raw.properties["application_headers"]["ophor-queue"] == "rpc-orders"
    assert parts.client().call("orders.register_agreement", AGREEMENT)["agreement_id"]
    assert orders.process.poll() is None


def test_poison_with_a_reply_address_is_answered_without_details(parts: Bed, orders: FaceProcess) -> None:
    error = Caller(parts).error(body=b"[]")
    assert (error["family"], error["code"]) == ("Rejected", "MESSAGE_REFUSED")
    parts.dead("orders")


def test_an_event_is_handled_once_however_often_it_comes(parts: Bed, scheduling: FaceProcess) -> None:
    event_id = new_id()
    for _ in range(3):
        parts.tell("twice", id=event_id)
    parts.tell("after")
    until(lambda: handled(parts, "after"), "the last is handled")
    until(lambda: handled(parts, "twice"), "the repeated one is handled")  # it may meet its own copies and wait
    until(lambda: parts.client(roles=("overvågning",)) and not parts.depth("evt-scheduling"), "the queue is empty")
    assert handled(parts, "twice") == [1]


def test_a_rejected_event_goes_to_the_dead_letters_at_once(parts: Bed, scheduling: FaceProcess) -> None:
    parts.tell("rejected-1")
    until(lambda: parts.depth("dlq-scheduling"), "it is dead-lettered")
    (raw,) = parts.dead("scheduling", "SAMPLE_REJECTED")
    assert "ophor-signature" in raw.properties["application_headers"]
    assert parts.runs("scheduling", "rejected-1") == 1
    assert parts.db("scheduling").dead.count_documents({"code": "SAMPLE_REJECTED"}) == 1


@pytest.mark.parametrize("exit_id", ["bug-1", "unavailable-1"])
def test_a_failing_event_climbs_the_ladder_and_is_dead_lettered_at_its_end(
    parts: Bed, scheduling: FaceProcess, exit_id: str
) -> None:
    parts.tell(exit_id)
    until(lambda: parts.depth("dlq-scheduling"), "it is dead-lettered")
    (raw,) = parts.dead("scheduling")
    assert parts.runs("scheduling", exit_id) == STEPS + 1
    assert raw.properties["application_headers"]["ophor-attempts"] == STEPS
    assert "secret" not in scheduling.errors


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [
        ("signature", {"body": b'{"specversion":"1.0","id":"i","source":"s","time":"2026-01-01T00:00:00Z",'
                               b'"type":"orders.window_confirmed","data":{"exit_id":"forged"}}'}),
        ("signer", {"signer": "deletion"}),
        ("signer", {"headers": {"ophor-signature": 7}}),
        ("headers", {"headers": {"ophor-attempts": -1}}),
        ("undecodable", {"body": b"\xff"}),
        ("content-type", {"properties": {"content_type": "text/plain"}}),
        ("unknown-type", {"body": b'{"specversion":"1.0","id":"i","source":"s","time":"2026-01-01T00:00:00Z",'
                                  b'"type":"orders.nothing","data":{}}'}),
    ],
)  # fmt: skip
def test_a_poison_event_is_dead_lettered_and_the_process_lives(
    parts: Bed, scheduling: FaceProcess, reason: str, spoil: dict[str, Any]
) -> None:
    parts.tell("poison", **spoil)
    until(lambda: parts.depth("dlq-scheduling"), "it is dead-lettered")
    assert len(parts.dead("scheduling", reason)) == 1
    assert handled(parts, "poison") == []
    assert scheduling.process.poll() is None


def test_a_backlog_of_slow_events_leaves_calls_their_workers(parts: Bed, scheduling: FaceProcess) -> None:
    for number in range(30):
        parts.tell(f"slow-backlog{number}")
    until(
        lambda: parts.db("scheduling").runs.count_documents({"name": {"$regex": "slow-backlog"}}) >= 4, "4 are at work"
    )
    status = parts.client(roles=("overvågning",)).call("scheduling.status", {})
    assert status["in_flight"] == 4
    for number in range(30):
        parts.go("scheduling", f"slow-backlog{number}")
    until(lambda: handled(parts, "slow-backlog29"), "the backlog is done")

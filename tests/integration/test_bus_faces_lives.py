"""How a face's process starts, loses its parts, stops and is killed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from contracts.errors import Unavailable
from shared.bus.client import Client
from shared.bus.envelope import new_id
from tests.chaos.proxy import Proxy
from tests.integration.bus_faces_parts import AGREEMENT, Bed, bed
from tests.integration.bus_store_parts import free_ports, until
from tests.parts import Parts
from tests.waiting import LONGEST_S


@pytest.fixture(scope="module")
def parts(parts: Parts) -> Iterator[Bed]:
    with bed(parts) as made:
        yield made


@pytest.fixture(autouse=True)
def fresh(parts: Bed) -> None:
    parts.fresh()
    parts.patience(5)


class Background:
    """A call in a thread of its own."""

    def __init__(self, client: Client, reference: str) -> None:
        self.answer: dict[str, object] = {}
        self.id = new_id()
        self._data = {**AGREEMENT, "reference": reference}
        self._client = client
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        self.answer = self._client.call("orders.register_agreement", self._data, command_id=self.id, timeout=LONGEST_S)


def seqs(parts: Bed, exit_id: str) -> list[int]:
    return [int(row["seq"]) for row in parts.db("scheduling").told.find({"exit_id": exit_id}).sort("_id", 1)]


def test_sigterm_lets_a_call_and_an_event_in_flight_finish_and_takes_no_more(parts: Bed) -> None:
    parts.patience(300)  # each runs once, however long it takes us to say go
    with parts.face("orders") as orders, parts.face("scheduling") as scheduling:
        call = Background(parts.client(), "slow-1")
        parts.tell("slow-2")
        until(lambda: parts.runs("orders", "slow-1") and parts.runs("scheduling", "slow-2"), "both are at work")
        for face in (orders, scheduling):
            face.signal(signal.SIGTERM)
            until(lambda face=face: face.get("/ready")[0] == 503, "it is stopping")
        parts.tell("plain-3")
        until(lambda: parts.depth("evt-scheduling") == 1, "the next event stays in its queue")
        parts.go("orders", "slow-1")
        parts.go("scheduling", "slow-2")
        call.thread.join(LONGEST_S)
        assert (orders.ended(), scheduling.ended()) == (0, 0)
    assert call.answer["agreement_id"]
    assert (parts.runs("orders", "slow-1"), parts.runs("scheduling", "slow-2")) == (1, 1)
    until(lambda: parts.depth("evt-scheduling") == 1, "the next event is still there")
    assert parts.depth("rpc-orders") == 0


def test_a_face_that_is_told_to_stop_ends_although_the_broker_is_gone(parts: Bed) -> None:
    right, proxy = parts.node.port, Proxy(parts.node.port)
    parts.node.port = proxy.port
    try:
        with parts.face("scheduling") as face:
            parts.node.port = right
            parts.tell("slow-9")
            until(lambda: parts.runs("scheduling", "slow-9"), "it is at work")
            proxy.close()
            until(lambda: "connection lost" in face.errors, "it is gone")
            face.signal(signal.SIGTERM)
            until(lambda: '"stopping"' in face.errors, "it is stopping")
            parts.db("scheduling").control.insert_one({"_id": "slow-9", "reject": True})
            assert face.ended() == 0
    finally:
        parts.node.port = right
    until(lambda: parts.depth("evt-scheduling") == 1, "the broker has it back")


def test_what_was_in_flight_at_kill_9_is_done_by_the_next_process_once(parts: Bed) -> None:
    with parts.face("orders") as orders, parts.face("scheduling") as scheduling:
        call = Background(parts.client(), "slow-4")
        parts.tell("slow-5")
        until(lambda: parts.runs("orders", "slow-4") and parts.runs("scheduling", "slow-5"), "both are at work")
        for face in (orders, scheduling):
            face.signal(signal.SIGKILL)
            face.ended()
    parts.go("orders", "slow-4")
    parts.go("scheduling", "slow-5")
    with parts.face("orders"), parts.face("scheduling"):
        call.thread.join(LONGEST_S)
        until(lambda: parts.db("scheduling").told.count_documents({"exit_id": "slow-5"}), "the event is handled")
    assert call.answer == {"agreement_id": f"agr-{call.id}"}
    assert parts.db("orders").agreements.count_documents({}) == 1
    assert parts.db("scheduling").told.count_documents({"exit_id": "slow-5"}) == 1


def test_face_and_client_come_back_after_a_lost_connection_and_the_call_is_answered_once(parts: Bed) -> None:
    with parts.face("orders"):
        call = Background(parts.client(), "slow-6")
        until(lambda: parts.runs("orders", "slow-6"), "it is at work")
        until(lambda: parts.drop_connections("orders face") and parts.drop_connections("console"), "they are closed")
        parts.go("orders", "slow-6")
        call.thread.join(LONGEST_S)
        assert call.answer == {"agreement_id": f"agr-{call.id}"}
        assert parts.db("orders").agreements.count_documents({}) == 1


def test_a_missing_queue_ends_the_process_at_its_start_with_a_clear_message(parts: Bed) -> None:
    parts.connection.channel().queue_delete("rpc-orders")
    with parts.face("orders", wait=False) as face:
        assert face.ended() == 1
        assert "rpc-orders" in face.errors and "ophor topology apply" in face.errors


def test_a_queue_that_goes_missing_later_ends_the_process(parts: Bed) -> None:
    with parts.face("scheduling") as face:
        parts.connection.channel().queue_delete("evt-scheduling")
        assert face.ended() == 1
        assert "evt-scheduling" in face.errors


def test_a_refused_login_ends_the_process_with_a_clear_message(parts: Bed) -> None:
    right = parts.node.passwords["svc-orders"]
    parts.node.passwords["svc-orders"] = "wrong"
    try:
        with parts.face("orders", wait=False) as face:
            assert face.ended() == 1
            assert "ACCESS_REFUSED" in face.errors and "wrong" not in face.errors
    finally:
        parts.node.passwords["svc-orders"] = right


def test_a_face_without_its_environment_says_which_variable(parts: Bed) -> None:
    trusted, parts.trust_file = parts.trust_file, parts.keys / "nowhere.json"
    try:
        with parts.face("orders", wait=False) as face:
            assert face.ended() == 1
            assert "OPHOR_TRUST" in face.errors
    finally:
        parts.trust_file = trusted


def test_a_call_to_a_service_without_a_queue_fails_at_once(parts: Bed) -> None:
    parts.connection.channel().queue_delete("rpc-orders")
    with pytest.raises(Unavailable, match="SERVICE_ABSENT"):
        parts.client().call("orders.register_agreement", AGREEMENT, timeout=60)


def test_a_call_without_a_broker_says_that_nothing_was_sent(parts: Bed) -> None:
    (port,) = free_ports(1)
    client = Client(
        f"amqp://console:x@127.0.0.1:{port}/", "console", parts.issuer().acting("usr-1", ["ist_projektleder"])
    )
    with pytest.raises(Unavailable, match="BUS_UNREACHABLE"):
        client.call("orders.register_agreement", AGREEMENT, timeout=2)
    client.close()


def test_many_threads_share_one_client(parts: Bed) -> None:
    with parts.face("orders"):
        calls = [Background(parts.client(), f"plain-{number}") for number in range(16)]
        for call in calls:
            call.thread.join(LONGEST_S)
        assert len({str(call.answer["agreement_id"]) for call in calls}) == 16
        until(lambda: len(parts.connections("console")) == 1, "one connection is seen")


def test_ordered_events_are_handled_by_seq_without_using_attempts(parts: Bed) -> None:
    with parts.face("scheduling", "ordered"):
        for seq in (4, 3, 2):
            parts.tell("ordered", seq=seq)
        until(lambda: parts.depth("delay-1"), "the early ones wait")
        parts.tell("ordered", seq=1)
        until(lambda: len(seqs(parts, "ordered")) == 4, "all are handled")
        parts.tell("ordered", seq=2)
        parts.tell("ordered", seq=5)
        until(lambda: len(seqs(parts, "ordered")) == 5, "the next is handled")
    assert seqs(parts, "ordered") == [1, 2, 3, 4, 5]
    assert parts.dead("scheduling") == []


def test_a_face_without_its_database_stops_consuming_and_goes_on_when_it_is_back(parts: Bed) -> None:
    with parts.face("scheduling") as face:
        parts.mongod.send_signal(signal.SIGSTOP)
        try:
            parts.tell("plain-database")
            until(lambda: face.get("/ready")[0] == 503, "it is not ready")
            assert face.get("/live")[0] == 200
            until(lambda: parts.depth("evt-scheduling") == 1, "the event is back in its queue")
        finally:
            parts.mongod.send_signal(signal.SIGCONT)
        until(face.ready, "it is ready again")
        until(lambda: seqs(parts, "plain-database"), "the event is handled")
    assert parts.dead("scheduling") == []

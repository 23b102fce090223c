"""The nine promises of the bus, each shown once on real parts (what each means in detail has tests of its own).

All of it goes over TLS: the broker and the database of this bed have a certificate that names `localhost` only.

| promise | more of it in |
|---|---|
| 1, 2 | test_bus_store_flow, test_bus_store_units, test_bus_faces_lives |
| 3 | test_bus_faces_events, test_bus_store_flow |
| 4, 7 | test_bus_faces_calls, test_bus_guard, test_bus_tokens, test_bus_trust |
| 5, 6 | test_bus_faces_lives |
| 8 | test_bus_store_topology |
| 9 | test_bus_envelope, test_bus_store_units |
"""

from __future__ import annotations

import json
import re
import signal
import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from amqp.exceptions import AccessRefused
from kombu.exceptions import OperationalError
from nameko.exceptions import RemoteError
from nameko.standalone.rpc import ClusterRpcProxy, ServiceRpcProxy
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from contracts.errors import Unavailable
from shared.bus import dead, topology
from shared.bus.client import Client
from shared.bus.envelope import encode, make_command, new_id
from shared.bus.pump import dial
from shared.runtime.clock import clock_for
from shared.store.unit import Store
from tests.integration import bus_tls_parts
from tests.integration.bus_faces_parts import AGREEMENT, ROOT, Bed, Caller, FaceProcess, management
from tests.integration.bus_store_parts import until
from tests.integration.bus_tls_parts import secure_bed

PAGE = ROOT / "docs" / "integrators.md"
OTHER_HOST = "127.0.0.1"  # the same server by a name that its certificate does not have
STATUS = ("overvågning",)


@pytest.fixture(scope="module")
def shared_parts() -> Iterator[Bed]:
    with secure_bed() as made:
        yield made


@pytest.fixture
def parts(shared_parts: Bed) -> Bed:
    shared_parts.fresh()
    return shared_parts


def told(parts: Bed, pattern: str) -> list[dict[str, Any]]:
    """List the events of that exit that were handled, in the order in which they were."""
    return list(parts.db("scheduling").told.find({"exit_id": {"$regex": pattern}}).sort("at", 1))


def figures(process: FaceProcess) -> dict[tuple[str, ...], float]:
    """Read a process's metrics: (name, values of the labels in the order of their names …) → value."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels) if name != "le")): sample.value
        for family in text_string_to_metric_families(process.get("/metrics")[1])
        for sample in family.samples
    }


def dead_of(parts: Bed, service: str) -> int:
    return int(parts.client(roles=STATUS).call(f"{service}.status", {})["dead"])


def test_promise_1_no_fact_is_lost_although_relay_and_subscriber_are_killed(parts: Bed) -> None:
    def tell(first: int) -> None:
        data = [{**AGREEMENT, "reference": f"tell-{number:02}"} for number in range(first, first + 15)]
        with ThreadPoolExecutor(5) as callers:
            list(callers.map(partial(parts.client().call, "orders.register_agreement"), data))

    with parts.face("orders", wait=False) as orders:
        with parts.relay("orders", wait=False) as relay, parts.face("scheduling") as scheduling:
            until(lambda: orders.ready() and relay.ready(), "all are ready")
            tell(0)
            until(lambda: told(parts, "tell"), "the first are handled")
            relay.signal(signal.SIGKILL)
            tell(15)
            scheduling.signal(signal.SIGKILL)
        with parts.relay("orders", wait=False), parts.face("scheduling"):
            tell(30)
            until(lambda: len(told(parts, "tell")) >= 45, "all are handled")
            until(lambda: not parts.db("orders").outbox.count_documents({"state": "pending"}), "all are confirmed")
    assert sorted(row["exit_id"] for row in told(parts, "tell")) == [f"tell-{number:02}" for number in range(45)]


def test_promise_2_no_effect_happens_twice_although_two_replicas_get_the_same_command_at_once(parts: Bed) -> None:
    command_id, data, answers = new_id(), {**AGREEMENT, "reference": "tell-once"}, []
    with parts.face("orders", wait=False) as first, parts.face("orders"):
        until(first.ready, "both are ready")

        def ask() -> bool:
            with suppress(Unavailable):  # while one runs it, the others may be told to come again
                answers.append(parts.client().call("orders.register_agreement", data, command_id, timeout=120))
                return True
            return False

        threads = [threading.Thread(target=lambda: until(ask, "an answer")) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [{"agreement_id": f"agr-{command_id}"}] * 8
    assert parts.db("orders").agreements.count_documents({}) == parts.db("orders").outbox.count_documents({}) == 1


def test_promise_3_retries_are_bounded_and_a_dead_letter_counts_until_it_is_discarded(parts: Bed) -> None:
    with parts.face("scheduling") as face:
        before = figures(face)  # what an alert watches is there from the start, or it would miss the first
        assert before["ophor_moved_total", "evt-scheduling", "dead"] == 0
        assert before["ophor_entrypoints_total", "scheduling", "bug", "orders.window_confirmed"] == 0
        event = parts.tell("bug-3")
        until(lambda: parts.depth("dlq-scheduling"), "it is a dead letter")
        assert parts.runs("scheduling", "bug-3") == topology.STEPS + 1
        until(lambda: figures(face).get(("ophor_moved_total", "evt-scheduling", "dead")) == 1, "the confirm is counted")
        seen = figures(face)
        assert seen["ophor_entrypoints_total", "scheduling", "bug", "orders.window_confirmed"] == topology.STEPS + 1
        assert seen["ophor_moved_total", "evt-scheduling", "delay"] == topology.STEPS
        until(lambda: dead_of(parts, "scheduling") == 1, "it counts")
        console = parts.node.connect("console")
        store = Store(parts.mongo_uri, "scheduling", clock_for("production", ""))
        dead.discard(console, "scheduling", [event["id"]], "operator-1", "a bug of the test", store)
        until(lambda: dead_of(parts, "scheduling") == 0, "it counts no more")
        assert store.status()["handled"] == [{"wire": event["type"], "consumer": "scheduling", "count": 1}]
        store.close()
        console.close()


def test_promise_3_a_call_that_waited_too_long_is_filed_apart_and_a_call_is_never_retried(parts: Bed) -> None:
    caller = Caller(parts)
    caller.send(properties={"expiration": "1"})
    caller.send(body=b"[]")
    with parts.face("orders"):
        until(lambda: parts.depth("dlq-orders") == 2, "both are dead letters")
    assert not any(parts.depth(f"delay-{step}") for step in range(1, topology.STEPS + 1))
    console = parts.node.connect("console")
    (expired,) = dead.list_letters(console, "orders", expired=True)
    (poison,) = dead.list_letters(console, "orders")
    assert (expired.reason, expired.queue, poison.reason) == (dead.EXPIRED, "rpc-orders", "body")
    console.close()


def test_promise_4_a_call_whose_caller_has_gone_does_not_run_later(parts: Bed) -> None:
    caller, ends = Caller(parts), time.time() + 0.2
    caller.send(data={**AGREEMENT, "reference": "late-4"}, deadline=ends)
    until(lambda: time.time() > ends, "the deadline")
    with parts.face("orders"):
        assert caller.answer()["error"]["exc_args"][0]["code"] == "DEADLINE_PASSED"
    assert parts.runs("orders", "late-4") == 0


def test_promise_5_two_replicas_of_an_ordered_handler_apply_every_seq_in_its_turn(parts: Bed) -> None:
    with parts.face("scheduling", "ordered", wait=False) as first, parts.face("scheduling", "ordered") as second:
        until(first.ready, "both are ready")
        for seq in (8, 3, 5, 1, 7, 2, 2, 6, 4):
            parts.tell("ordered-5", seq=seq)
        until(lambda: len(told(parts, "ordered-5")) == 8, "all are handled")
        seen = [figures(face) for face in (first, second)]
    outcomes = {key[2] for each in seen for key, count in each.items() if key[0] == "ophor_entrypoints_total" and count}
    assert outcomes == {"ok", "unavailable"}, "what waits its turn is no bug, which an alert would tell of"
    assert [row["seq"] for row in told(parts, "ordered-5")] == list(range(1, 9))
    assert parts.dead("scheduling") == []


def test_promise_6_stopping_is_clean_a_relay_hands_its_work_over_at_once(parts: Bed) -> None:
    with ExitStack() as running:
        first = running.enter_context(parts.relay("orders"))
        until(lambda: "relay works" in first.errors, "it works")
        holder = _holder(parts)
        second = running.enter_context(parts.relay("orders"))
        first.signal(signal.SIGTERM)
        assert first.ended() == 0
        assert _holder(parts) != holder
        until(lambda: "relay works" in second.errors, "the other works")


def test_promise_7_senders_are_known_a_plain_nameko_client_calls_with_a_token_and_not_without(parts: Bed) -> None:
    good = parts.issuer().acting("usr-7", ["ist_projektleder"])("orders")
    context: dict[str, Any] = {"authorization": good, "deadline": time.time() + 120}
    with parts.face("orders") as face:
        proxy = ClusterRpcProxy(context_data=context, uri=parts.node.plain(topology.INTEGRATOR), timeout=120)
        proxy.reply_listener.queue.exchange.no_declare = True
        with proxy as cluster:
            message = make_command("orders.register_agreement", {**AGREEMENT, "reference": "plain-7"})
            assert cluster.orders.register_agreement(message=message) == {"agreement_id": f"agr-{message['id']}"}
            context["authorization"] = good[:-8] + "AAAAAAAA"
            with pytest.raises(RemoteError, match="MESSAGE_REFUSED"):
                cluster.orders.register_agreement(message=message)
        assert parts.dead("orders", "token-forged")
        context["authorization"] = parts.issuer().acting("usr-7", ["kommune_dpo"])("orders")
        alone = ServiceRpcProxy("orders", context_data=context, uri=parts.node.plain(topology.INTEGRATOR), timeout=120)
        alone.reply_listener.queue.exchange.no_declare = True
        with alone as orders, pytest.raises(RemoteError, match="ROLE_MISSING"):
            orders.register_agreement(message=message)
        assert good not in face.errors


def test_promise_8_nobody_but_topology_declares_and_applying_it_leaves_a_waiting_caller_alone(parts: Bed) -> None:
    queue = f"rpc.reply-standalone_rpc_client-{uuid.uuid4()}"
    address = str(uuid.uuid4())
    connection = parts.node.connect(topology.INTEGRATOR)
    own = connection.channel()
    own.queue_declare(queue, durable=True, auto_delete=False)
    own.queue_bind(queue, "nameko-rpc", address)
    api = topology.Management(str(parts.node.management), parts.node.uri("topology"))
    assert topology.apply(parts.connection, "test", api) == []
    assert address in {row["routing_key"] for row in management(parts, "GET", f"queues/%2f/{queue}/bindings")}
    own.queue_delete(queue)
    connection.close()
    for user in topology.users():
        if user == topology.TOPOLOGY_USER:
            continue
        for forbidden in (
            lambda channel: channel.exchange_declare("nameko-rpc", "topic", durable=True, auto_delete=False),
            lambda channel: channel.exchange_delete("nameko-rpc"),
            lambda channel: channel.queue_declare("evt-orders", durable=True, auto_delete=False),
            lambda channel: channel.queue_bind("evt-orders", "nameko-rpc", str(uuid.uuid4())),
        ):
            mine = parts.node.connect(user)
            with pytest.raises(AccessRefused):
                forbidden(mine.channel())
            mine.close()


def test_promise_9_payloads_are_json_primitives_in_an_envelope_and_unknown_fields_survive(parts: Bed) -> None:
    later = {"a field of a later version": [1, {"deep": "1.20"}]}
    with parts.face("scheduling", wait=False) as scheduling, parts.face("orders"):
        parts.client().call("orders.register_agreement", {**AGREEMENT, "reference": "tell-9", **later})
        until(scheduling.ready, "the other is ready")
        parts.tell("plain-9", data=later)
        (told_,) = until(lambda: told(parts, "plain-9"), "it is handled")
    (row,) = parts.db("orders").outbox.find()
    body = json.loads(row["body"])
    assert encode(body) == row["body"]
    assert (body["specversion"], body["type"], body["subject"]) == ("1.0", "orders.window_confirmed", "tell-9")
    assert datetime.fromisoformat(body["time"]) > datetime.now(UTC) - timedelta(hours=1)
    assert told_["data"] == {"exit_id": "plain-9", **later}


def test_one_trace_and_the_metrics_go_through_call_event_and_task(parts: Bed) -> None:
    with (
        parts.face("deletion", wait=False) as face, parts.relay("deletion", wait=False) as relay, parts.hand() as hand,
    ):  # fmt: skip
        until(lambda: face.ready() and relay.ready(), "all are ready")
        client, hold = parts.client(roles=("kommune_dpo",)), {"exit_id": "e-1", "hold_id": "h-1", "digest": "0" * 64}
        calls = {"wire": "deletion.lift_hold", "outcome": "ok"}
        before = REGISTRY.get_sample_value("ophor_call_seconds_count", calls) or 0
        client.call("deletion.lift_hold", hold, correlation_id="corr-10")
        until(lambda: parts.db("deletion").effects.find_one({"batch": 1}), "the task is done")
        lines = until(lambda: _three(face, hand), "three lines")
        assert {line["wire"]: line["outcome"] for line in lines} == {
            "deletion.lift_hold": "ok", "deletion.backups_look_due": "ok", "deletion.delete.delete_batch": "ok",
        }  # fmt: skip
        assert len({line["trace_id"] for line in lines}) == 1
        assert [line["parent_id"] for line in lines[1:]] == [line["span_id"] for line in lines[:-1]]

        at_face, at_hand = figures(face), figures(hand)
        for name in ("ophor_entrypoints_total", "ophor_entrypoint_seconds_count"):
            outcome = ("ok",) if name.endswith("total") else ()
            assert at_face[name, "deletion", *outcome, "deletion.lift_hold"] == 1
            assert at_hand[name, "deletion.delete", *outcome, "deletion.delete.delete_batch"] == 1
        assert at_face["ophor_lag_seconds_count", "deletion", "deletion.backups_look_due"] == 1
        assert at_hand["ophor_lag_seconds_count", "deletion.delete", "deletion.delete.delete_batch"] == 1
        assert at_face["ophor_inbox_rows", "deletion"] == 2
        assert REGISTRY.get_sample_value("ophor_call_seconds_count", calls) == before + 1

        pending = {"state": "pending"}
        until(lambda: not parts.db("deletion").outbox.count_documents(pending), "the relay has written down the fates")
        old = datetime.now(UTC) - timedelta(minutes=2)
        row = {"state": "pending", "not_before": old + timedelta(hours=1), "created_at": old, "wire": "deletion.held"}
        parts.db("deletion").outbox.insert_one(row)
        seen = figures(relay)
        assert seen["ophor_outbox_rows", "deletion", "pending"] == 1
        assert seen["ophor_outbox_rows", "deletion", "parked"] == 0
        assert seen["ophor_outbox_age_seconds", "deletion"] >= 120


def elsewhere(uri: str) -> str:
    return uri.replace(f"//{bus_tls_parts.HOST}:", f"//{OTHER_HOST}:").replace(
        f"@{bus_tls_parts.HOST}:", f"@{OTHER_HOST}:"
    )


def test_a_call_goes_over_tls_to_a_face_whose_broker_and_database_speak_nothing_else(parts: Bed) -> None:
    with parts.face("orders"):
        assert parts.client().call("orders.register_agreement", AGREEMENT)["agreement_id"]
        for name in ("orders face", "console"):
            seen = until(lambda name=name: parts.connections(name), "the broker tells of the connections")
            assert all(row["ssl"] for row in seen)


def test_the_examples_of_the_integrators_page_run_as_they_stand_over_tls(parts: Bed) -> None:
    page: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        exec(block, page)
    uri, key = parts.node.uri(topology.INTEGRATOR), (parts.keys / "console.pem").read_text("utf-8")
    plain, options = uri.replace("amqps:", "amqp:").split("?cacertfile=")
    tls = {**page["TLS"], "server_hostname": bus_tls_parts.HOST, "ca_certs": options}
    wrong = {**tls, "server_hostname": "another.example"}

    def authorise(service: str) -> str:
        return str(page["token"](key, "console", service, "usr-crm", ["ist_projektleder"], ["*"]))

    with parts.face("orders"):
        assert until(lambda: [page["newest_exits"](uri, authorise, 5)], "the project's client is answered") == [[]]
        assert page["exits_by_nameko"](plain, authorise, 5, tls) == []
        with pytest.raises((ssl.SSLCertVerificationError, OperationalError)):
            page["exits_by_nameko"](plain, authorise, 5, wrong)


def test_a_broker_under_another_name_is_refused(parts: Bed) -> None:
    uri = parts.node.uri("console")
    dial(uri, "test").close()
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        dial(elsewhere(uri), "test")
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate verify failed"):
        dial(uri.partition("?")[0], "test")
    client = Client(elsewhere(uri), "console", parts.issuer().acting("usr-1", ["ist_projektleder"]))
    with pytest.raises(Unavailable, match="BUS_UNREACHABLE"):
        client.call("orders.register_agreement", AGREEMENT, timeout=3)
    client.close()


def test_the_management_api_is_asked_over_tls_and_under_its_own_name_only(parts: Bed) -> None:
    uri = parts.node.uri("topology")
    assert topology.differences(topology.Management(parts.node.https, uri), "test") == []
    with pytest.raises(URLError, match="not valid for"):
        topology.missing_bindings(topology.Management(elsewhere(parts.node.https), uri))
    with pytest.raises(URLError, match="certificate verify failed"):
        topology.missing_bindings(topology.Management(parts.node.https, uri.partition("?")[0]))


def test_a_database_under_another_name_is_refused(parts: Bed) -> None:
    right = Store(parts.mongo_uri, "orders", clock_for("production", ""))
    until(lambda: right.ping() is None, "the database answers")
    right.close()
    wrong = elsewhere(parts.mongo_uri).replace("replicaSet=rs0", "directConnection=true")
    other = Store(wrong + "&serverSelectionTimeoutMS=500", "orders", clock_for("production", ""))
    with pytest.raises(Unavailable, match="STORE_UNREACHABLE"):
        other.ping()
    other.close()


def test_promise_7_a_face_that_meets_another_name_is_never_ready_and_tells_no_secret(parts: Bed) -> None:
    right, parts.node.secure = parts.node.secure, elsewhere(parts.node.secure)
    try:
        with parts.face("orders", wait=False) as face:
            until(lambda: "SSLCertVerificationError" in face.errors, "it is refused")
            assert face.get("/ready")[0] == 503
            title = Path(f"/proc/{face.process.pid}/cmdline").read_text("utf-8")
            assert parts.node.passwords["svc-orders"] not in face.errors + title
    finally:
        parts.node.secure = right


def _holder(parts: Bed) -> str:
    return str(parts.db("orders").leases.find_one({"_id": "relay"})["holder"])


def _three(face: FaceProcess, hand: FaceProcess) -> list[dict[str, Any]]:
    """Give the canonical lines of the call, the event and the task, once all are written."""
    lines = [line for process in (face, hand) for line in process.lines if line.get("correlation_id") == "corr-10"]
    return lines if len(lines) == 3 else []

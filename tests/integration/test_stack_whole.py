"""The whole local stack and the command line that works on it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from deploy.stack.instance import Stack
from deploy.stack.processes import PRODUCT, TABLE
from services.console.main import app
from shared.bus.envelope import CONTENT_TYPE
from shared.bus.pump import dial
from tests.waiting import LONGEST_S, until


@pytest.fixture
def ophor(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OPHOR_HOME", str(stack.home))
    return lambda *words: CliRunner().invoke(app, list(words))


def body(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def kill(stack: Stack, name: str) -> None:
    os.kill(Stack.open(stack.home).state.processes[name].pid, signal.SIGKILL)
    until(lambda: not stack.row(name).alive, f"{name} is dead")


def test_every_process_of_the_product_is_up_and_ready(stack: Stack) -> None:
    assert set(PRODUCT) <= {row.name for row in stack.status()}
    until(lambda: all(row.ready for row in stack.status()), "every process is ready")


def test_every_process_tells_its_figures(stack: Stack) -> None:
    wanted = {
        "face": ("ophor_inbox_rows{", "ophor_moved_total{", "ophor_entrypoints_total{", "ophor_lag_seconds"),
        "hand": ("ophor_moved_total{", "ophor_entrypoints_total{", "ophor_entrypoint_seconds"),
        "relay": ("ophor_outbox_rows{", "ophor_outbox_age_seconds{"),
        "gateway": ("ophor_call_seconds",),
    }
    for name in PRODUCT:
        told = httpx.get(f"http://127.0.0.1:{stack.state.ports[f'health:{name}']}/metrics", timeout=LONGEST_S).text
        assert [figure for figure in wanted[TABLE[name].kind] if figure not in told] == [], name


def test_every_process_has_its_own_keys_and_nobody_elses(stack: Stack) -> None:
    assert len({stack.environment(name)["OPHOR_KEYS"] for name in PRODUCT}) == len(PRODUCT)
    holders: dict[str, list[str]] = {}
    for name in PRODUCT:
        for key in Path(stack.environment(name)["OPHOR_KEYS"]).glob("*.pem"):
            holders.setdefault(key.name, []).append(name)
    assert all(len(names) == 1 for names in holders.values()), holders
    assert holders["deletion.pem"] == ["deletion-relay"]
    assert holders["statement-seal.pem"] == ["compliance-seal"]
    assert holders["statement-sign.pem"] == ["compliance-sign"]


def test_private_keys_can_be_read_by_their_owner_only(stack: Stack) -> None:
    keys = list(stack.settings.keys.rglob("*.pem"))
    assert keys and all(key.stat().st_mode & 0o077 == 0 for key in keys)


def test_no_process_is_told_of_a_service_that_is_not_its_own(stack: Stack) -> None:
    for name in PRODUCT:
        user = TABLE[name].user
        for address in ("OPHOR_AMQP_URI", "OPHOR_MONGO_URI"):
            assert f"//{user}:" in stack.environment(name).get(address, f"//{user}:")


def test_status_tells_of_processes_queues_outboxes_and_the_clock(ophor: Any, stack: Stack) -> None:
    def told() -> Any:
        found = json.loads(ophor("status", "--json").stdout)
        idle = found["queues"].get("evt-compliance") == {"messages": 0, "consumers": 1}
        return found if idle and found["quiet"] and found["clock"] else None

    found = until(told, "what the start told is handled")
    assert {row["name"] for row in found["processes"]} >= set(PRODUCT)
    assert found["services"]["deletion"]["outbox_pending"] == 0
    until(lambda: ophor("status").exit_code == 0, "every process is ready")


def test_a_killed_process_is_named_and_started_again_as_it_was(ophor: Any, stack: Stack) -> None:
    before = stack.environment("access")
    kill(stack, "access")
    told = ophor("clock", "advance", "--by", "+1d")
    assert told.exit_code == 1 and "PROCESS_DOWN" in told.output and "ophor up access" in told.output
    assert ophor("status", "--json").exit_code == 1
    assert ophor("up", "access").exit_code == 0
    until(lambda: stack.row("access").ready, "it works again")
    assert Stack.open(stack.home).environment("access") == before
    assert ophor("clock", "advance", "--by", "+1d").exit_code == 0


@pytest.mark.parametrize("part", ["rabbitmq", "mongod"])
def test_the_product_recovers_when_a_part_is_killed_and_started_again(ophor: Any, stack: Stack, part: str) -> None:
    kill(stack, part)
    started = ophor("up", part)
    assert started.exit_code == 0, started.output
    until(lambda: all(row.ready for row in stack.status()), "every process is ready again")
    assert ophor("clock", "advance", "--by", "+1d").exit_code == 0


def test_the_clock_moves_on_and_never_back(ophor: Any) -> None:
    day = ophor("clock", "show").stdout.splitlines()[0]
    assert ophor("clock", "advance", "--by", "+2d").exit_code == 0
    later = ophor("clock", "show").stdout.splitlines()[0]
    assert later > day
    back = ophor("clock", "set", day)
    assert back.exit_code == 2 and "CLOCK_BACKWARDS" in back.output


@pytest.mark.parametrize("words", [("set", "yesterday"), ("set", "2026-01-01T10:00:00"), ("advance",)])
def test_a_date_that_is_none_is_refused(ophor: Any, words: tuple[str, ...]) -> None:
    told = ophor("clock", *words)
    assert told.exit_code == 2 and "_INVALID" in told.output


def test_a_call_is_answered_as_json(ophor: Any) -> None:
    assert body(ophor("call", "orders.list_exits", "--as", "revisor"))["exits"] == []


def test_a_call_in_a_role_that_may_not_is_refused_by_the_service(ophor: Any) -> None:
    words = ["call", "orders.confirm_window", '{"exit_id": "x"}', "--as", "kommune_projektleder"]
    told = ophor(*words)
    assert told.exit_code == 2 and "ROLE_MISSING" in told.output


@pytest.mark.parametrize("wire", ["orders.nonsense", "nonsense"])
def test_a_call_of_something_unknown_is_refused(ophor: Any, wire: str) -> None:
    told = ophor("call", wire)
    assert told.exit_code == 2 and "WIRE_UNKNOWN" in told.output


def test_the_topology_is_in_order_and_a_lost_binding_is_mended(ophor: Any, stack: Stack) -> None:
    assert ophor("topology", "diff").exit_code == 0
    with dial(stack.parts.amqp_uri("topology"), "test") as connection:
        connection.channel().queue_unbind("evt-compliance", "orders.events", "order_placed")
    told = ophor("topology", "diff")
    assert told.exit_code == 1 and "evt-compliance" in told.stdout
    assert "+ binding" in ophor("topology", "apply").stdout
    assert ophor("topology", "diff").exit_code == 0


def forge(stack: Stack, ident: str) -> None:
    """Tell a fact as deletion without its signature."""
    with dial(stack.parts.amqp_uri("svc-deletion"), "test") as connection:
        channel = connection.channel()
        message = amqp_message(ident)
        channel.basic_publish(message, exchange="deletion.events", routing_key="deletion_begun")


def amqp_message(ident: str) -> Any:
    import amqp

    envelope = json.dumps({"id": ident, "type": "deletion.deletion_begun"})
    return amqp.Message(envelope.encode(), content_type=CONTENT_TYPE, message_id=ident, type="deletion.deletion_begun")


def dead(ophor: Any, service: str, ident: str) -> list[dict[str, Any]]:
    return [row for row in body(ophor("dlq", "list", service, "--json")) if row["id"] == ident]


def discard(ophor: Any, service: str, ident: str) -> Any:
    return ophor("dlq", "discard", service, "--id", ident, "--why", "forged by a test", "--yes")


def test_a_forged_fact_is_a_dead_letter_that_can_be_shown_replayed_and_discarded(ophor: Any, stack: Stack) -> None:
    forge(stack, "forged-1")
    until(lambda: dead(ophor, "scheduling", "forged-1"), "it is a dead letter")
    shown = body(ophor("dlq", "show", "scheduling", "forged-1"))
    assert shown["queue"] == "evt-scheduling" and shown["reason"] and "body" not in shown
    assert ophor("dlq", "replay", "scheduling", "--id", "forged-1").stdout.startswith("1 ")
    assert ophor("dlq", "discard", "scheduling", "--id", "forged-1", "--why", "", "--yes").exit_code == 2
    until(lambda: dead(ophor, "scheduling", "forged-1"), "it died again")
    for service in ("scheduling", "compliance"):
        until(lambda service=service: dead(ophor, service, "forged-1"), "every subscriber refused it")
        assert discard(ophor, service, "forged-1").stdout.startswith("1 ")
        assert dead(ophor, service, "forged-1") == []
    done = [row for row in body(ophor("dlq", "log", "scheduling", "--json")) if row["id"] == "forged-1"]
    assert [(row["action"], row["why"]) for row in done] == [("discarded", "forged by a test"), ("replayed", "")]
    assert "forged-1" in ophor("dlq", "log", "scheduling").stdout


def test_listing_dead_letters_leaves_them_where_they_are(ophor: Any, stack: Stack) -> None:
    forge(stack, "forged-2")
    until(lambda: dead(ophor, "scheduling", "forged-2"), "it is a dead letter")
    assert len(dead(ophor, "scheduling", "forged-2")) == len(dead(ophor, "scheduling", "forged-2")) == 1
    for service in ("scheduling", "compliance"):
        until(lambda service=service: dead(ophor, service, "forged-2"), "every subscriber refused it")
        discard(ophor, service, "forged-2")


def test_an_outbox_can_be_replayed_to_a_queue(ophor: Any) -> None:
    assert ophor("outbox", "replay", "--to", "evt-compliance", "--since", "1h").exit_code == 0
    assert "QUEUE_UNKNOWN" in ophor("outbox", "replay", "--to", "evt-nobody", "--since", "1h").output


def test_a_log_can_be_read_by_the_processs_name(ophor: Any) -> None:
    assert ophor("logs", "orders").exit_code == 0
    assert "PROCESS_UNKNOWN" in ophor("logs", "nonsense").output


def test_a_second_up_finds_everything_running(ophor: Any, stack: Stack) -> None:
    before = {row.name: row.pid for row in stack.status()}
    assert "alt kører" in ophor("up").stdout
    assert {row.name: row.pid for row in stack.status()} == before

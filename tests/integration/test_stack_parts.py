"""The parts of a stack, as local processes or as containers: users, rights, restarts, the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import amqp
import psycopg
import pymongo
import pytest
from pymongo.errors import OperationFailure

from contracts.errors import Unavailable
from deploy.stack import guard, reach, spawn
from deploy.stack.instance import ROOT, Stack
from deploy.stack.ports import free
from shared.bus import topology
from shared.bus.pump import dial
from tests.parts import Broker, Parts
from tests.waiting import LONGEST_S, until


def test_a_broker_for_tests_holds_the_contracts_topology(broker: Broker) -> None:
    held = topology.Management(broker.management, broker.uri("topology"))
    assert topology.missing_bindings(held) == []
    with dial(broker.uri("svc-orders"), "test") as connection:
        topology.check(connection, "orders")


def test_two_brokers_for_tests_do_not_see_each_other(parts: Parts) -> None:
    one, other = parts.broker(), parts.broker()
    with dial(one.uri("topology"), "test") as connection:
        connection.channel().queue_declare("only-here", durable=True)
    with dial(other.uri("topology"), "test") as connection, pytest.raises(amqp.exceptions.NotFound):
        connection.channel().queue_declare("only-here", passive=True)
    one.remove()
    other.remove()


def test_a_service_may_not_configure_the_broker(broker: Broker) -> None:
    with dial(broker.uri("svc-orders"), "test") as connection, pytest.raises(amqp.exceptions.AccessRefused):
        connection.channel().queue_declare("mine", durable=True)


def test_a_service_reaches_its_own_database_only(parts: Parts) -> None:
    with pymongo.MongoClient[dict[str, Any]](parts.mongo_uri_of("svc-orders")) as client:
        client["ophor_orders"]["probe"].insert_one({"a": 1})
        client["ophor_orders"].drop_collection("probe")
        with pytest.raises(OperationFailure):
            client["ophor_deletion"]["probe"].find_one()


def test_the_database_does_transactions_and_keeps_a_journal(parts: Parts, mongo_database: tuple[str, str]) -> None:
    uri, name = mongo_database
    with pymongo.MongoClient[dict[str, Any]](uri, journal=True) as client, client.start_session() as session:
        with session.start_transaction():
            client[name]["a"].insert_one({"_id": 1}, session=session)
        assert client[name]["a"].count_documents({}) == 1


def test_nobody_enters_the_database_without_a_password(parts: Parts) -> None:
    address = parts.mongo_uri.partition("@")[2]
    with pymongo.MongoClient[dict[str, Any]](f"mongodb://{address}") as client, pytest.raises(OperationFailure):
        client["ophor_orders"]["probe"].find_one()


def test_a_postgres_database_is_empty_and_has_no_door_without_a_password(postgres_database: str) -> None:
    with psycopg.connect(postgres_database) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
    without = postgres_database.replace(postgres_database.split("@")[0], "postgresql://postgres")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(without, connect_timeout=5)


@pytest.fixture(scope="module")
def standing() -> Iterator[Stack]:
    """Give a stack of this module's own."""
    folder = Path(tempfile.mkdtemp(prefix="ophor-parts-"))
    folder.chmod(0o755)
    guard.start(folder, os.getpid())
    yield Stack.create(folder, mode="test")
    guard.take_away(folder)


@pytest.fixture
def alone(standing: Stack) -> Stack:
    """Give the module's stack with all three parts up."""
    if set(standing.state.provider.values()) != {"local"}:
        pytest.skip("the parts are not local processes here")
    standing.up(["rabbitmq", "mongod", "postgres"])
    return standing


def test_parts_keep_ports_and_data_over_a_kill(alone: Stack) -> None:
    with pymongo.MongoClient[dict[str, Any]](alone.parts.mongo.admin_uri, journal=True) as client:
        client["kept"]["a"].insert_one({"_id": "mongo"})
    with psycopg.connect(alone.parts.postgres_uri) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS a")
    with dial(alone.parts.amqp_uri("topology"), "test") as connection:
        connection.channel().queue_declare("kept", durable=True, auto_delete=False)
    for part in ("rabbitmq", "mongod", "postgres"):
        os.kill(alone.state.processes[part].pid, signal.SIGKILL)
        until(lambda part=part: not alone.row(part).alive, f"{part} is dead")

    assert sorted(Stack.open(alone.home).up(["rabbitmq", "mongod", "postgres"])) == ["mongod", "postgres", "rabbitmq"]

    with pymongo.MongoClient[dict[str, Any]](alone.parts.mongo.admin_uri) as client:
        assert client["kept"]["a"].find_one() == {"_id": "mongo"}
    with psycopg.connect(alone.parts.postgres_uri) as connection:
        assert connection.execute("SELECT a FROM kept").fetchone() == (1,)
    with dial(alone.parts.amqp_uri("topology"), "test") as connection:
        connection.channel().queue_declare("kept", passive=True)


def test_starting_what_runs_changes_nothing(alone: Stack) -> None:
    before = {name: entry.pid for name, entry in Stack.open(alone.home).state.processes.items()}
    assert alone.up(["rabbitmq", "mongod", "postgres"]) == []
    assert {name: entry.pid for name, entry in Stack.open(alone.home).state.processes.items()} == before


def test_a_kept_stack_goes_on_where_it_was(home: Path) -> None:
    stack = Stack.create(home, mode="test")
    stack.up(["mongod", "postgres"], alone=True)
    with psycopg.connect(stack.parts.postgres_uri) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS a")
    stack.down(keep=True)
    assert spawn.marked(str(home)) == []
    again = Stack.create(home)
    again.up(["postgres"], alone=True)
    with psycopg.connect(again.parts.postgres_uri) as connection:
        assert connection.execute("SELECT a FROM kept").fetchone() == (1,)


def forks_of(code: str) -> list[Path]:
    """List the processes that run `code`, or were forked by who did and run nothing of their own yet."""

    def runs(process: Path) -> bool:
        try:
            return code.encode() in (process / "cmdline").read_bytes()
        except OSError:
            return False

    return [each for each in Path("/proc").iterdir() if each.name.isdigit() and runs(each)]


def test_a_starter_that_is_killed_leaves_nothing_that_down_does_not_find(home: Path) -> None:
    code = f"from pathlib import Path; from deploy.stack.instance import Stack; Stack.create(Path({str(home)!r})).up()"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL) as starter:
        until(lambda: spawn.marked(str(home)), "something was started")
        starter.kill()
    until(lambda: not forks_of(code), "what was just being started has begun, and shows its marks")
    Stack.open(home).down()
    assert spawn.marked(str(home)) == []


def test_the_guard_takes_a_stack_away_when_its_run_has_ended(home: Path) -> None:
    stack = Stack.create(home, mode="test")
    stack.up(["postgres"], alone=True)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as run:
        guard.start(home, run.pid)
        run.kill()
    until(lambda: not home.exists(), "the guard has taken the home away")
    assert spawn.marked(str(home)) == []
    assert not Path(stack.state.data).exists()
    home.mkdir()


def test_a_part_that_cannot_start_says_why(home: Path) -> None:
    stack = Stack.create(home, mode="test")
    if stack.state.provider["mongod"] != "local":
        pytest.skip("the parts are not local processes here")
    keyfile = Path(stack.state.data) / "mongod" / "keyfile"
    keyfile.parent.mkdir()
    keyfile.write_text("no key")
    keyfile.chmod(0o400)
    with pytest.raises(Unavailable) as told:
        stack.up(["mongod"], alone=True)
    assert told.value.code == "PROCESS_NOT_STARTED" and told.value.field == "mongod"
    assert "key" in str(told.value)


def test_a_servers_taken_port_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr("deploy.stack.instance.freed", free)  # who took it will not let go
    stack = Stack.create(home, mode="test")
    port = stack.state.ports["management"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(Unavailable) as told:
            stack.up(["rabbitmq"], alone=True)
    assert told.value.code == "PORT_TAKEN" and str(port) in told.value.message


def test_a_taken_port_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr("deploy.stack.instance.freed", free)  # who took it will not let go
    stack = Stack.create(home, mode="test")
    stack.environment("gateway")
    stack.replace("gateway", argv=[sys.executable, "-c", "input()"])
    port = stack.state.ports["health:gateway"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(Unavailable) as told:
            stack.up(["gateway"], alone=True)
    assert told.value.code == "PORT_TAKEN" and str(port) in told.value.message


def test_a_given_broker_without_its_management_address_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPHOR_RABBITMQ_URI", "amqp://somewhere/")
    with pytest.raises(Unavailable) as told:
        Stack.create(home)
    assert told.value.code == "BROKER_API_MISSING" and "OPHOR_RABBITMQ_API" in told.value.remedy


def test_a_process_can_be_run_in_the_foreground_in_place_of_the_stacks_own(alone: Stack) -> None:
    stack = alone
    stack.up(["orders-relay"])
    before = stack.row("orders-relay")
    env = {**os.environ, "OPHOR_HOME": str(stack.home)}
    words = [sys.executable, "-m", "services.console.main", "run", "orders-relay"]
    with subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as foreground:
        until(lambda: not stack.row("orders-relay").alive, "the stack's own has ended")
        until(lambda: (reach.health(before.port or 0, "/ready") or {}).get("ready"), "the one here is ready")
        foreground.terminate()
        assert foreground.wait(LONGEST_S) == 0
    assert stack.up(["orders-relay"]) == ["orders-relay"]


def test_addresses_given_in_the_environment_are_used_and_nothing_is_started_for_them(
    alone: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After this one the module's stack is only ended: the users of its parts have other passwords by then."""
    secret = alone.state.secrets["rabbitmq:topology"]
    api = alone.parts.management.replace("://", f"://topology:{secret}@")
    reach.ask(api, "PUT", "/api/users/boss", b'{"password": "boss", "tags": "administrator"}')
    monkeypatch.setenv("OPHOR_RABBITMQ_URI", alone.parts.amqp_uri("topology"))
    monkeypatch.setenv("OPHOR_RABBITMQ_API", alone.parts.management.replace("://", "://boss:boss@"))
    monkeypatch.setenv("OPHOR_MONGODB_URI", alone.parts.mongo.admin_uri)
    monkeypatch.setenv("OPHOR_POSTGRES_URI", alone.parts.postgres_uri)
    made = Stack.create(tmp_path / "home", mode="test")
    try:
        made.up(["orders", "orders-relay"])
        assert set(made.state.provider.values()) == {"given"}
        wanted = {"orders", "orders-relay", "rabbitmq", "mongod"}
        until(lambda: {row.name for row in made.status() if row.ready} >= wanted, "all are ready")
        assert set(made.state.processes) == {"orders", "orders-relay"}
    finally:
        made.down()
    assert alone.row("rabbitmq").alive and alone.row("mongod").alive


def test_down_leaves_nothing_running_and_nothing_behind(alone: Stack) -> None:
    data, mark = Path(alone.state.data), str(alone.home)
    assert data.exists() and spawn.marked(mark)
    alone.down()
    assert spawn.marked(mark) == []
    assert not data.exists() and not (alone.home / "stack.json").exists() and not (alone.home / "keys").exists()
    alone.down()
    with pytest.raises(Unavailable) as told:
        Stack.open(alone.home)
    assert told.value.code == "STACK_MISSING"

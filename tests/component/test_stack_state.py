"""The stack's own record, its ports, and its table of processes."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from contracts.catalogue import SERVICES, hands
from contracts.errors import Rejected, Unavailable
from deploy.stack import state
from deploy.stack.parts import choose_providers, make_data_folder
from deploy.stack.ports import Ports, free
from deploy.stack.processes import PRODUCT, TABLE
from deploy.stack.state import Entry, State


def described() -> State:
    made = State("abc", "demo", "/tmp/x", provider={"rabbitmq": "local"})
    made.processes["orders"] = Entry(["python"], {"A": "b"}, "/tmp/log", health_port=20_001)
    return made


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    made = described()
    made.secret("x")
    state.save(tmp_path, made)
    assert state.load(tmp_path) == made


def test_the_record_is_for_its_owner_only(tmp_path: Path) -> None:
    state.save(tmp_path, described())
    assert state.path_of(tmp_path).stat().st_mode & 0o077 == 0


def test_where_nothing_was_saved_there_is_no_stack(tmp_path: Path) -> None:
    assert state.load(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"processes": {"a": {"nonsense": 1}}, "id": "1"}'])
def test_a_record_that_cannot_be_read_is_said_to_be_so(tmp_path: Path, text: str) -> None:
    state.path_of(tmp_path).write_text(text)
    with pytest.raises(Unavailable) as told:
        state.load(tmp_path)
    assert told.value.code == "STACK_UNREADABLE"


def test_a_secret_stays_the_same_once_it_was_asked_for() -> None:
    made = described()
    assert made.secret("a") == made.secret("a") != made.secret("b")
    assert made.secret("a").isalnum()


def test_only_one_at_a_time_changes_a_stack(tmp_path: Path) -> None:
    seen: list[str] = []

    def second() -> None:
        with state.only_one(tmp_path):
            seen.append("second")

    with state.only_one(tmp_path):
        other = threading.Thread(target=second)
        other.start()
        other.join(0.2)
        seen.append("first")
    other.join(10)
    assert seen == ["first", "second"]


def test_chosen_ports_differ_and_are_free() -> None:
    with Ports() as one, Ports() as another:
        chosen = [one.choose() for _ in range(50)] + [another.choose() for _ in range(50)]
        assert len(set(chosen)) == 100
        assert all(free(port) for port in chosen)


def test_a_stacks_ports_are_nobody_elses_for_as_long_as_the_stack_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.stack.ports.LOWEST", 19_500)
    monkeypatch.setattr("deploy.stack.ports.HIGHEST", 19_519)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    state.save(tmp_path, described())

    def choosable() -> set[int]:
        with Ports() as ports:
            return {port for port in range(19_500, 19_520) if ports._reserve(port)}

    with Ports(tmp_path) as ports:
        mine = {ports.choose() for _ in range(3)}
    assert mine.isdisjoint(choosable())
    state.path_of(tmp_path).unlink()
    assert mine <= choosable()


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not free(taken.getsockname()[1])


def test_the_table_has_every_process_of_the_contracts() -> None:
    for service in SERVICES:
        assert {service, f"{service}-relay"} <= set(PRODUCT)
    for service, hand in hands():
        assert TABLE[f"{service}-{hand}"].module == ("services", "hand", service, hand)
    assert "gateway" in PRODUCT and "rabbitmq" not in PRODUCT and "neighbours" not in PRODUCT


def test_addresses_in_the_environment_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    given = choose_providers({"OPHOR_MONGODB_URI": "mongodb://somewhere/"})
    assert given == {"rabbitmq": "local", "mongod": "given", "postgres": "local"}


def test_a_docker_command_without_an_engine_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "docker"
    command.write_text("#!/bin/sh\nexit 1\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert set(choose_providers({}).values()) == {"local"}


def test_the_data_folder_can_be_reached_by_every_system_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr("tempfile.tempdir", str(closed))
    folder = make_data_folder()
    try:
        if os.geteuid() == 0:
            assert all(each.stat().st_mode & 0o001 for each in (folder, *folder.parents))
        assert folder.is_dir()
    finally:
        folder.rmdir()


def test_an_unknown_process_is_refused_by_name(tmp_path: Path) -> None:
    from deploy.stack.instance import Stack

    with pytest.raises(Rejected) as told:
        Stack(tmp_path, described()).log("nonsense")
    assert told.value.code == "PROCESS_UNKNOWN" and "orders" in told.value.remedy

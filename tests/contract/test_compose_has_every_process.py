"""The compose files name every process of the table, with what it needs and nothing of anybody else's."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.catalogue import SERVICES
from deploy.compose import prepare
from deploy.stack import compose
from deploy.stack.instance import ROOT
from deploy.stack.processes import PARTS, PRODUCT, SIGNERS, TABLE
from services.console.session import NAMES

FOLDER = "./.ophor/compose/"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compose")
    prepare.prepare(folder)
    return folder


def test_every_process_is_a_container_and_no_other_is(services: dict[str, Any]) -> None:
    assert set(services) == {*PRODUCT, "rabbitmq", "mongod", "setup", "console"}
    assert services["console"]["profiles"]  # started by whoever needs it, not with the others


def test_the_console_has_what_an_operators_commands_ask_for(services: dict[str, Any], made: Path) -> None:
    console = services["console"]
    lines = (made / console["env_file"].removeprefix(FOLDER.removeprefix("./"))).read_text("utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines)
    assert set(NAMES) <= given.keys()
    assert {f"OPHOR_MONGO_URI_{service.upper()}" for service in SERVICES} <= given.keys()
    keys, _ = (mount.split(":")[0].removeprefix(FOLDER) for mount in console["volumes"])
    assert (made / keys / "console.pem").exists() and given["OPHOR_KEYS"] == console["volumes"][0].split(":")[1]


def test_the_parts_file_has_the_parts() -> None:
    assert set(yaml.safe_load(compose.FILE.read_text())["services"]) == set(PARTS)


@pytest.mark.parametrize("name", PRODUCT)
def test_a_container_runs_its_process_with_its_own_files(services: dict[str, Any], made: Path, name: str) -> None:
    service = services[name]
    assert tuple(service["command"]) == TABLE[name].module[1:]
    assert (made / service["env_file"].removeprefix(FOLDER.removeprefix("./"))).exists()
    sources = [mount.split(":")[0] for mount in service["volumes"]]
    assert all((made / source.removeprefix(FOLDER)).exists() for source in sources)
    assert f"{FOLDER}keys/{TABLE[name].service}/{TABLE[name].role}" in sources


def test_each_signer_has_a_user_and_a_key_folder_of_its_own(services: dict[str, Any], made: Path) -> None:
    assert len({*SIGNERS.values(), 10001}) == len(SIGNERS) + 1
    for name, number in SIGNERS.items():
        assert services[name]["user"] == f"{number}:{number}"
        assert f"/work:uid={number},mode=0700" in services[name]["tmpfs"]
        folder = made / "keys" / TABLE[name].service / TABLE[name].role
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700 or os.geteuid() != 0
        if os.geteuid() == 0:
            assert {path.stat().st_uid for path in (folder, *folder.iterdir())} == {number}


def test_files_with_passwords_are_for_their_owner_only(made: Path) -> None:
    for file in (made / "passwords.json", *(made / "env").glob("*.env")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_preparing_again_changes_nothing(made: Path) -> None:
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    prepare.prepare(made)
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before

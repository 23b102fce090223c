"""Fixtures for every test: real parts, each started at its first use, and a whole stack for end-to-end tests."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from deploy.stack.instance import Stack
    from tests.parts import Broker, Parts

# The same examples in every run, however slow the machine is; `--hypothesis-profile explore` draws others.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("same")

HOME, RUN, PARTS = "OPHOR_TEST_HOME", "OPHOR_TEST_RUN", "OPHOR_PARTS"


def pytest_configure(config: pytest.Config) -> None:
    """Forget whatever stack this shell works on, and name the folder of this run's parts; its workers inherit it."""
    for name in [name for name in os.environ if name.startswith("OPHOR_") and name not in (HOME, RUN, PARTS)]:
        del os.environ[name]
    if not hasattr(config, "workerinput"):
        os.environ |= {HOME: tempfile.mkdtemp(prefix="ophor-tests-"), RUN: str(os.getpid())}
        Path(os.environ[HOME]).chmod(0o755)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take this run's parts away when the run, not one worker of it, ends."""
    if hasattr(config, "workerinput") or HOME not in os.environ:
        return
    home = Path(os.environ.pop(HOME))
    if any(home.iterdir()):
        from deploy.stack import guard

        guard.take_away(home)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def parts_home(worker_id: str) -> Path:
    """Give the home of the parts: the run's, or one a worker where pytest-docker brings them up."""
    from deploy.stack import programs

    home = Path(os.environ[HOME])
    return home / worker_id if programs.docker_answers() else home


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    """Tell pytest-docker which parts to bring up."""
    from deploy.stack import compose

    return str(compose.FILE)


@pytest.fixture(scope="session")
def docker_compose_project_name(parts_home: Path) -> str:
    """Name pytest-docker's project as the stack does, so that both mean the same containers."""
    from deploy.stack import compose
    from deploy.stack.instance import Stack

    stack = Stack.create(parts_home, mode="test")
    os.environ.update(compose.environment(stack.state, stack.parts.definitions()))
    return compose.project(stack.state)


@pytest.fixture(scope="session")
def parts(request: pytest.FixtureRequest, parts_home: Path) -> Parts:
    """Give the run's parts; each starts when it is first asked for."""
    from deploy.stack import guard
    from tests.parts import Parts

    def before(stack: Stack) -> None:
        guard.start(parts_home, int(os.environ[RUN]))
        if "compose" in stack.state.provider.values():
            request.getfixturevalue("docker_services")

    return Parts(parts_home, before)


@pytest.fixture
def broker(parts: Parts) -> Iterator[Broker]:
    """Give a virtual host of this test's own, with the contracts' topology."""
    made = parts.broker()
    yield made
    made.remove()


@pytest.fixture
def postgres_database(parts: Parts) -> Iterator[str]:
    """Give the superuser's address of an empty PostgreSQL database of this test's own."""
    uri = parts.postgres_database()
    yield uri
    parts.drop_postgres_database(uri)


@pytest.fixture
def mongo_database(parts: Parts) -> Iterator[tuple[str, str]]:
    """Give the administrator's address and the name of a MongoDB database of this test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield parts.mongo_uri, name
    parts.drop_mongo_database(name)


@pytest.fixture
def home() -> Iterator[Path]:
    """Give an empty home folder for a stack of this test's own; whatever runs in it ends with the test."""
    from deploy.stack import guard

    folder = Path(tempfile.mkdtemp(prefix="ophor-home-"))
    folder.chmod(0o755)
    guard.start(folder, os.getpid())
    yield folder
    guard.take_away(folder)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Give a whole stack of this session's own, everything up, for end-to-end tests."""
    from deploy.stack import guard
    from deploy.stack.instance import Stack

    folder = Path(tempfile.mkdtemp(prefix="ophor-stack-"))
    folder.chmod(0o755)
    guard.start(folder, os.getpid())
    try:
        made = Stack.create(folder)
        made.up()
        yield made
    finally:
        guard.take_away(folder)

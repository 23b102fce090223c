"""Fixtures of the end-to-end tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.stack import guard
from tests.conftest import HOME, RUN
from tests.e2e.exits import Exit, Reference, undisturbed


@pytest.fixture(scope="session")
def reference() -> Reference:
    """Give the undisturbed demo of this test run; it ended well."""
    found = undisturbed(Path(os.environ[HOME]), int(os.environ[RUN]))
    assert found.code == 0, found.text[-4000:]
    return found


@pytest.fixture(scope="module")
def exit_() -> Iterator[Exit]:
    """Give a home for an exit of this module's own; whatever runs in it ends with the module."""
    folder = Path(tempfile.mkdtemp(prefix="ophor-exit-"))
    folder.chmod(0o755)
    guard.start(folder, os.getpid())
    made = Exit(folder)
    yield made
    made.take_away()

"""Fixtures of the end-to-end tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import HOME, RUN
from tests.e2e.exits import Exit, Reference, undisturbed


@pytest.fixture(scope="session")
def reference() -> Iterator[Reference]:
    """Give the undisturbed demo of this test run; it ended well."""
    with undisturbed(Path(os.environ[HOME]), int(os.environ[RUN])) as found:
        assert found.code == 0, found.text[-4000:]
        yield found


@pytest.fixture
def exit_(home: Path) -> Exit:
    """Give a home for an exit of this test's own; whatever runs in it ends with the test."""
    return Exit(home)

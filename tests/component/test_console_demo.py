"""A stopped demo is gone on with; a finished one, or one whose stack is another by now, is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.stack import state
from deploy.stack.state import State
from services.console import demo

LOCAL = {"rabbitmq": "local", "mongod": "local", "postgres": "local"}


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of a demo that was stopped in the middle."""
    monkeypatch.setenv("OPHOR_HOME", str(tmp_path))
    (tmp_path / "data").mkdir()
    state.save(tmp_path, State("abcdef12", "demo", str(tmp_path / "data"), LOCAL))
    out = tmp_path / "demo"
    (out / "world").mkdir(parents=True)
    (out / "world" / "world.json").write_text("{}")
    (out / "stack").write_text("abcdef12")
    return out


def test_a_demo_that_was_stopped_goes_on(out: Path) -> None:
    assert demo.unfinished(out)


def test_a_finished_demo_is_followed_by_one_of_its_own(out: Path) -> None:
    (out / "summary.json").write_text("{}")
    assert not demo.unfinished(out)


def test_a_demo_whose_stack_or_data_are_gone_is_begun_anew(out: Path) -> None:
    (out / "stack").write_text("another")
    assert not demo.unfinished(out)
    (out / "stack").write_text("abcdef12")
    (out.parent / "data").rmdir()
    assert not demo.unfinished(out)

"""kill -9 of a real deleting process at every step, on every SQL engine and an object store: what counts, happened."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import yaml

from contracts.errors import Unavailable
from shared.connectors.mongodb import session
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target
from tests.parts import Parts

STEPS = {"begun": 3, "deleted": 3, "counted": 3, "committed": 0}


@pytest.fixture(params=["postgresql", "mariadb", "sqlite", "s3"])
def target(request: pytest.FixtureRequest, parts: Parts, tmp_path: Path) -> Iterator[Target]:
    made: dict[str, Callable[[], AbstractContextManager[Target]]] = {
        "postgresql": lambda: targets.postgresql(parts.postgres_uri, tmp_path),
        "mariadb": lambda: targets.mariadb(parts.mariadb, tmp_path),
        "sqlite": lambda: targets.sqlite(tmp_path),
        "s3": lambda: targets.s3(parts.object_store, tmp_path),
    }
    with made[request.param]() as one:
        yield one


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_deleter_never_leaves_more_or_less_than_is_counted_and_the_next_one_finishes(
    target: Target, step: str
) -> None:
    path = target.folder / "kort.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "systems": {"maal": target.content}}, allow_unicode=True))
    argv = [sys.executable, "-m", "tests.integration.connectors_doomed", str(path), "noter", step]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    keys = [tuple(key) for key in json.loads(done.stdout)]
    connector = target.open("delete")
    order = connector.order(connector.discover())
    assert connector.present("noter", keys) == STEPS[step]
    assert target.open("verify").count("noter") == 1 + STEPS[step]
    for place in order:
        while rows := connector.keys(place, 3):
            with connector.batch() as batch:
                assert batch.delete(place, rows) == len(rows)
                assert batch.effects() == batch.planned()
                batch.commit()
    assert [target.open("verify").count(place) for place in order] == [0, 0]
    assert target.neighbours() == sum(target.before(own=False).values())


def test_in_mongodb_nobody_counts_what_is_left_while_a_worker_that_was_overtaken_may_still_commit(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with targets.mongodb(parts.mongo_uri, tmp_path) as target:
        overtaken, next_one = target.open("delete"), target.open("delete")
        keys = overtaken.keys("noter", 3)
        with overtaken.batch() as batch:
            assert batch.delete("noter", keys) == 3
            with monkeypatch.context() as hurried, pytest.raises(Unavailable, match="TARGET_BUSY"):
                hurried.setattr(session, "PATIENCE_S", 0.0)
                next_one.present("noter", keys)
            batch.commit()
        assert next_one.present("noter", keys) == 0

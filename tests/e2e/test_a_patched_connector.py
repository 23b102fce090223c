"""A delete hand whose connector was patched takes a neighbour's row away; the run must fail and the row must stay."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from psycopg import conninfo
from typer.testing import CliRunner

from deploy.stack import guard
from deploy.stack.instance import Stack
from services.console.main import app
from tests.integration import rehearse_targets as targets

HAND = "deletion-delete"
TEAM = 9001
CASCADE = """
ALTER TABLE medarbejder DROP CONSTRAINT medarbejder_hold_fkey,
    ADD FOREIGN KEY (hold) REFERENCES hold ON DELETE CASCADE;
INSERT INTO hold VALUES (9001, 8);
INSERT INTO medarbejder VALUES (9001, 8, 9001);
"""


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Give a stack of this test's own."""
    folder = Path(tempfile.mkdtemp(prefix="ophor-patched-"))
    folder.chmod(0o755)
    guard.start(folder, os.getpid())
    monkeypatch.setenv("OPHOR_HOME", str(folder))
    try:
        made = Stack.create(folder)
        made.up(["postgres", "mongod"], alone=True)
        yield made
    finally:
        guard.take_away(folder)


def patch(stack: Stack, shop: str, harm: str) -> None:
    """Have the stack start the patched hand in the real one's place."""
    admin = conninfo.conninfo_to_dict(shop)
    address = "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**admin)
    argv = [sys.executable, "-m", "tests.e2e.patched_delete_hand"]
    stack.replace(HAND, argv, {"TEST_HARM": harm, "TEST_TEAM": str(TEAM), "TEST_ADMIN": address})


def rehearse(path: Path) -> Result:
    out = path.parent / "ud"
    words = ["rehearse", "--systems", path, "--tenant", targets.LEAVING, "--out", out, "--keep-running"]
    return CliRunner().invoke(app, [*map(str, words), "--yes-delete", "butik"])


def of_the_neighbour(shop: str) -> list[int]:
    with psycopg.connect(shop) as base:
        queries = (
            b"SELECT count(*) FROM hold WHERE id = 9001",
            b"SELECT count(*) FROM medarbejder WHERE hold = 9001",
        )
        return [int(base.execute(query).fetchall()[0][0]) for query in queries]


def test_a_patched_connector_that_reaches_a_neighbours_row_by_a_cascade_makes_the_run_fail(
    stack: Stack, tmp_path: Path
) -> None:
    with targets.shop(stack.parts.postgres_uri, tmp_path) as (shop, content):
        with psycopg.connect(shop, autocommit=True) as owner:
            owner.execute(CASCADE)
        path = targets.write_map(tmp_path, butik=content)
        marked = CliRunner().invoke(app, ["rehearsal", "prepare", str(path), "--yes", "butik"])
        assert marked.exit_code == 0, marked.output

        patch(stack, shop, "plainly")
        for harm in ("plainly", "claimed"):  # the next job is done by one that also lies about what it planned
            if harm == "claimed":
                stack.end([HAND])
                patch(stack, shop, harm)
                stack.up([HAND])

            ended = rehearse(path)

            assert ended.exit_code != 0
            assert "OUTSIDE_SCOPE" in ended.output and "systems.butik.places." in ended.output, ended.output
            assert of_the_neighbour(shop) == [1, 1]
            out = tmp_path / "ud"
            assert not (out / "summary.json").exists() and not list(out.glob("certificates/*"))

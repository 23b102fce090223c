"""`ophor drill restore`, whole: a stack of its own, a real copy, its own backup put back, announced and in silence."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from deploy.stack import guard
from deploy.stack.instance import Stack
from services.compliance.verifier.ophor_verify import main as ophor_verify
from services.console.main import app
from tests.integration import connectors_targets as small
from tests.integration import rehearse_targets as targets

pytestmark = pytest.mark.long
CUSTOMER = "maal"


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ophor-drill-"))
    folder.chmod(0o755)
    guard.start(folder, os.getpid())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPHOR_HOME", str(folder))
        try:
            Stack.create(folder).up(["postgres", "mongod"], alone=True)
            yield folder
        finally:
            guard.take_away(folder)


@pytest.mark.parametrize("silent", [False, True], ids=["announced", "silent"])
def test_a_drill_finds_what_it_restored_and_ends_with_a_certificate_of_re_deletion(
    home: Path, tmp_path: Path, silent: bool
) -> None:
    admin = Stack.open().parts.postgres_uri
    with small.postgresql(admin, tmp_path) as target:
        owner = "oevelsens_ejer"
        with psycopg.connect(admin, autocommit=True) as server:
            server.execute(f"CREATE ROLE {owner} SUPERUSER LOGIN PASSWORD 'hemmelig'")
        target.content["credentials"]["restore"] = targets.secret(tmp_path, owner, "hemmelig")
        path, out, neighbours = targets.write_map(tmp_path, maal=target.content), tmp_path / "ud", target.neighbours()
        run = CliRunner()
        assert run.invoke(app, ["rehearsal", "prepare", str(path), "--yes", CUSTOMER]).exit_code == 0
        words = ["drill", "restore", "--systems", str(path), "--tenant", small.LEAVING, "--out", str(out), "--json"]
        done = run.invoke(app, [*words, "--yes-delete", CUSTOMER, "--keep-running", *(["--silent"] if silent else [])])
        assert done.exit_code == 0, done.output
        report = json.loads((out / "drill.json").read_text("utf-8"))
        (row,) = report["systems"]
        assert (row["rows_before"], row["rows_deleted"], row["rows_returned"], row["rows_after"]) == (11, 0, 11, 0)
        assert (
            report["passed"] and report["announced"] is not silent and [one["rows"] for one in report["found"]] == [11]
        )
        assert report["closed"] == ([] if silent else [CUSTOMER]) and report["released"] == [CUSTOMER]
        assert [one["stage"] for one in report["certificates"]] == ["ACTIVE-DELETED", "RE-DELETION"]
        assert report["revoked"] == [report["certificates"][0]["number"]] and not (out / "drill-backups").exists()
        assert target.neighbours() == neighbours
        (bundle,) = (out / "bundles").glob("*RE-DELETION*")
        keys = [word for line in (out / "keys.txt").read_text().splitlines() for word in ("--key", line)]
        assert ophor_verify([str(bundle), "--rehearsal", *keys]) == 0
        with psycopg.connect(admin, autocommit=True) as server:
            server.execute(f"DROP ROLE {owner}")

"""`ophor drill restore`, whole, on each real engine: a stack and a copy of its own, its backup put back.

Announced: one engine an exit. In silence: all four in one exit, found by the scheduled look alone.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymongo
import pytest
from typer.testing import CliRunner

from deploy.stack import guard
from deploy.stack.instance import Stack
from services.compliance.verifier.ophor_verify import main as ophor_verify
from services.console.main import app
from tests.e2e.searching import TARGETS, Found, files, in_documents, in_file
from tests.integration import connectors_targets as small
from tests.integration import rehearse_targets as targets
from tests.integration.connectors_targets import Target
from tests.integration.restores_parts import ENGINES, restorable
from tests.parts import Parts

pytestmark = pytest.mark.long
TOOLS = {"postgresql": {"pg_dump"}, "mariadb": {"mariadb-dump"}, "mongodb": {"mongodump", "BSON by the driver"},
         "s3": {"S3 copies"}}  # fmt: skip
RETURNED = dict.fromkeys(ENGINES, 11) | {"s3": 7}
"""What a backup brings back: of S3 neither older versions, delete markers nor unfinished uploads."""


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ophor-drill-"))
    folder.chmod(0o755)
    guard.start(folder, os.getpid())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPHOR_HOME", str(folder))
        try:
            yield folder
        finally:
            guard.take_away(folder)


@dataclass
class Drilled:
    """What a drill said and left, the copies that it ran on, and the stack that it left running."""

    report: dict[str, Any]
    said: str
    out: Path
    copies: dict[str, Target]
    stack: Stack


@pytest.fixture(params=[*((kind,) for kind in ENGINES), tuple(ENGINES)], ids="-".join)
def drilled(request: pytest.FixtureRequest, home: Path, parts: Parts, tmp_path: Path) -> Iterator[Drilled]:
    """Run the drill on these engines; it says nothing beforehand where it is on all of them."""
    with ExitStack() as made:
        copies = {kind: made.enter_context(restorable(kind, parts, tmp_path)) for kind in request.param}
        if "s3" in copies:  # moto lets a denial in a bucket's policy hit everybody, whomever it names: us as well
            del copies["s3"].content["access"]
        yield drill(copies, tmp_path, ["--silent", "--json"] if len(copies) > 1 else [])


def drill(copies: dict[str, Target], folder: Path, more: Sequence[str]) -> Drilled:
    path = targets.write_map(folder, **{kind: each.content for kind, each in copies.items()})
    out, run, before = folder / "ud", CliRunner(), {kind: each.neighbours() for kind, each in copies.items()}
    said = [word for kind in copies for word in ("--yes", kind)]
    marked = run.invoke(app, ["rehearsal", "prepare", str(path), *said])
    assert marked.exit_code == 0, marked.output
    words = ["drill", "restore", "--systems", str(path), "--tenant", small.LEAVING, "--out", str(out)]
    said = [word for kind in copies for word in ("--yes-delete", kind)]
    done = run.invoke(app, [*words, *said, "--keep-running", *more])
    assert done.exit_code == 0, done.output
    report = json.loads((out / "drill.json").read_text("utf-8"))
    assert {kind: each.neighbours() for kind, each in copies.items()} == before
    assert [run.invoke(app, ["restore-check", kind]).exit_code for kind in copies] == [0] * len(copies)
    return Drilled(report, done.stdout, out, copies, Stack.open())


def test_a_drill_finds_what_it_restored_and_ends_with_a_certificate_of_re_deletion(drilled: Drilled) -> None:
    report, engines = drilled.report, list(drilled.copies)
    assert [row["kind"] for row in report["systems"]] == engines
    for row in report["systems"]:
        counts = (row["rows_before"], row["rows_deleted"], row["rows_returned"], row["rows_after"])
        assert counts == (11, 0, RETURNED[row["kind"]], 0) and row["tool"] in TOOLS[row["kind"]]
    assert report["passed"] and report["announced"] is (len(engines) == 1)
    assert sum(one["rows"] for one in report["found"]) == sum(RETURNED[kind] for kind in engines)
    assert report["closed"] == (engines if report["announced"] else []) and report["released"] == engines
    assert [one["stage"] for one in report["certificates"]] == ["ACTIVE-DELETED", "RE-DELETION"]
    assert report["revoked"] == [report["certificates"][0]["number"]]
    assert not (drilled.out / "drill-backups").exists()
    told = json.loads(drilled.said) == report if len(engines) > 1 else "Øvelsen er bestået: lukket 1" in drilled.said
    assert told, drilled.said
    (bundle,) = (drilled.out / "bundles").glob("*RE-DELETION*")
    keys = [word for line in (drilled.out / "keys.txt").read_text().splitlines() for word in ("--key", line)]
    assert ophor_verify([str(bundle), "--rehearsal", *keys]) == 0
    assert left(drilled) == set()


def left(drilled: Drilled) -> Found:
    """Search every document and every file of ours for the keys of the rows that went, but for what was handed over."""
    wanted = {small.uuid_of(int(small.LEAVING) * 100 + number).encode() for number in range(10)}
    with pymongo.MongoClient[Any](drilled.stack.parts.mongo.admin_uri) as client:
        found, looked = in_documents(client, wanted)
    data = Path(drilled.stack.state.data)
    theirs = {drilled.out / "successor", *(data / name for name in TARGETS)}  # of MongoDB its documents were searched
    ours = [path for home in (drilled.stack.home, data, drilled.out) for path in files(home)]
    ours = [path for path in ours if theirs.isdisjoint(path.parents) and path.is_file() and not path.is_symlink()]
    assert looked > 500 and len(ours) > 100
    return found | {one for path in ours for one in in_file(path, wanted)}

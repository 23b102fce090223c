"""`ophor rehearse` on systems that a user describes: a whole exit to both certificates, on awkward schemas too."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest
from typer.testing import CliRunner

from deploy.stack import guard
from deploy.stack.instance import Stack
from services.console.main import app
from tests.integration import connectors_targets as small
from tests.integration import rehearse_targets as targets
from tests.integration.zoo_forms import FORMS
from tests.integration.zoo_keeper import settle
from tests.parts import Parts


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Give a stack of this module's own that every rehearsal here finds standing, and leaves standing."""
    folder = Path(tempfile.mkdtemp(prefix="ophor-rehearse-"))
    folder.chmod(0o755)
    guard.start(folder, os.getpid())
    try:
        made = Stack.create(folder)
        made.up(["postgres", "mongod"], alone=True)
        yield made
    finally:
        guard.take_away(folder)


@pytest.fixture
def ophor(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OPHOR_HOME", str(stack.home))
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def rehearse(ophor: Any, path: Path, names: list[str], *words: str, tenant: str = targets.LEAVING) -> dict[str, Any]:
    """Mark the systems and rehearse; give the summary, after every document was verified."""
    out = path.parent / "ud"
    marked = ophor("rehearsal", "prepare", path, *(word for name in names for word in ("--yes", name)))
    assert marked.exit_code == 0, marked.output
    confirmed = [word for name in names for word in ("--yes-delete", name)]
    given = ["--systems", path, "--tenant", tenant, "--out", out, "--keep-running", *confirmed, *words]
    done = ophor("rehearse", *given)
    assert done.exit_code == 0, done.output
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
    assert [row["stage"] for row in summary["certificates"]] == ["ACTIVE-DELETED", "BACKUP-EXPIRED"]
    keys = [word for key in (out / "keys.txt").read_text().splitlines() for word in ("--key", key)]
    for document in (row[form] for row in summary["certificates"] for form in ("pdf", "bundle")):
        verified = ophor("verify", "--rehearsal", document, *keys)
        assert verified.exit_code == 0, verified.output
    return summary


def deleted(summary: dict[str, Any]) -> dict[str, int]:
    assert summary["changes_outside_scope"] == 0
    assert all(row["remaining"] == 0 for row in summary["systems"])
    return {row["place"]: row["deleted"] for row in summary["systems"] if row["deleted"]}


def others(uri: str) -> list[int]:
    """Count the rows of the tenant who stays, place by place."""
    with psycopg.connect(uri) as connection:
        said = ["SELECT count(*) FROM ordrelinje WHERE ordre_nr / 1000 = 8"]
        said += [
            f'SELECT count(*) FROM "{place}" WHERE kunde_nr = 8' for place in targets.ROWS if place != "ordrelinje"
        ]
        return [int(connection.execute(query.encode()).fetchall()[0][0]) for query in said]


def test_a_database_of_awkward_names_keys_and_cycles_is_delivered_and_deleted_whole(
    ophor: Any, stack: Stack, tmp_path: Path
) -> None:
    with targets.shop(stack.parts.postgres_uri, tmp_path) as (uri, content):
        before = others(uri)
        summary = rehearse(ophor, targets.write_map(tmp_path, butik=content), ["butik"])
        assert deleted(summary) == targets.ROWS
        assert others(uri) == before
        delivered = {row["place"]: row["delivered"] for row in summary["systems"] if row["delivered"]}
        expected = {place: rows for place, rows in targets.ROWS.items() if place != "hemmelig_cache"}
        assert delivered == expected | {"landekode": 2}
        again = ophor(
            "rehearse", "--systems", tmp_path / "kort.yaml", "--tenant", targets.LEAVING, "--out", tmp_path / "ud",
            "--keep-running", "--yes-delete", "butik",
        )  # fmt: skip
        assert again.exit_code == 2 and "TENANT_MATCHES_NOTHING" in again.stderr


def test_a_system_without_the_tenant_beside_one_with_it_and_one_that_people_act_on(
    ophor: Any, stack: Stack, tmp_path: Path
) -> None:
    with targets.shop(stack.parts.postgres_uri, tmp_path) as (uri, content):
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("DROP TABLE ordre, ordrelinje CASCADE")
        places = content["places"]
        del places["ordre"], places["ordrelinje"]
        people = targets.machines(tmp_path)
        path = targets.write_map(tmp_path, butik=content, arkiv=targets.archive(tmp_path), extens=people)
        (tmp_path / "arkiv" / "aftaler" / targets.EMPTY).mkdir()
        (tmp_path / "arkiv" / "aftaler" / targets.EMPTY / "æblegrød.txt").write_text("æ")
        summary = rehearse(ophor, path, ["butik", "arkiv", "extens"], tenant=targets.EMPTY)
        assert deleted(summary) == {"aftaler": 1}
        assert {row["system"] for row in summary["systems"]} == {"butik", "arkiv"}
    assert_attested(summary, tmp_path / "maskiner")
    left = sorted(path.name for path in (tmp_path / "arkiv" / "aftaler").rglob("*.txt"))
    assert len(left) == 5


def assert_attested(summary: dict[str, Any], folder: Path) -> None:
    """See every line attested by its own party, and each document of a place lie there with the attested digest."""
    said = {(row["place"] or row["subprocessor"], row["answer"]): row for row in summary["attested"]}
    by = {key: row["role"] for key, row in said.items()}
    officer, lead = "ist_sletteansvarlig", "kommune_projektleder"
    assert by == {
        ("skole-pc", "SOFTWARE_REMOVED"): lead, ("skole-pc", "LICENCE_WITHDRAWN"): officer,
        ("skole-pc", "DATA_LEFT_WITH_CUSTOMER"): lead, ("server", "MEDIA_SANITISED"): officer,
        ("drift", "SUBPROCESSOR_CONFIRMED"): officer, ("hotel", "SUBPROCESSOR_CONFIRMED"): officer,
    }  # fmt: skip
    assert said["server", "MEDIA_SANITISED"]["media_class"] == "DESTROY"
    paper = (folder / "server" / targets.EMPTY / "øvelse-MEDIA_SANITISED.txt").read_bytes()
    assert paper.startswith("øvelse ".encode())
    assert hashlib.sha256(paper).hexdigest() == said["server", "MEDIA_SANITISED"]["digest"]


def test_schemas_of_the_zoo_on_every_engine_go_in_one_rehearsal(
    ophor: Any, stack: Stack, parts: Parts, tmp_path: Path
) -> None:
    by_type, inside = (
        FORMS["references by type and id, which no foreign key says"],
        FORMS["a path that ends inside JSON"],
    )
    uri, expected = stack.parts.mongo.admin_uri, {"a": 1, "b": 1, "note": 3, "sager": 7, "noter": 4}
    with (
        small.postgresql(stack.parts.postgres_uri, tmp_path) as one,
        small.mariadb(parts.mariadb, tmp_path) as two,
        small.sqlite(tmp_path) as three,
        small.mongodb(uri, tmp_path) as four,
        pymongo.MongoClient[dict[str, Any]](uri) as client,
    ):
        settle(one, by_type, FORMS["a materialised view of another one"])
        for each in (two, three):
            settle(each, by_type, inside)
        nested = client[four.content["connection"]["database"]]["sager"]
        nested.update_many({}, [{"$set": {"kunde.id": "$lejer"}}, {"$unset": "lejer"}])
        four.content["places"]["sager"] = {"tenant_key": "kunde.id"}
        systems = {"post": one, "maria": two, "lite": three, "mongo": four}
        path = targets.write_map(tmp_path, **{name: each.content for name, each in systems.items()})
        summary = rehearse(ophor, path, list(systems), tenant=small.LEAVING)
        gone: dict[str, dict[str, int]] = {name: {} for name in systems}
        for row in (row for row in summary["systems"] if row["deleted"]):
            gone[row["system"]][row["place"]] = row["deleted"]
        assert gone["post"] == expected | {"p": 2, "mv": 2, "alle": 1}
        assert [gone[name] for name in ("maria", "lite")] == [expected | {"p": 1, "c": 2}] * 2
        assert gone["mongo"] == {"sager": 7, "noter": 4}
        assert summary["changes_outside_scope"] == 0
        assert [each.execute("SELECT count(*) FROM note")[0][0] for each in (two, three)] == [2, 2]
        assert nested.count_documents({}) == nested.count_documents({"kunde.id": 102}) == 5

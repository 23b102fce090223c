"""`ophor rehearse` on systems that a user describes, in one exit: every engine, awkward schemas, what people act on.

One backup set outlives its day: the last certificate is refused as long as the set is there, and then issued. In the
demo a process of its own removes such sets; here the test does.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest
from click.testing import Result
from typer.testing import CliRunner

from deploy.stack import guard
from deploy.stack.instance import Stack
from services.console.main import app
from services.console.rehearsing.scenario import go_live
from tests.integration import connectors_targets as small
from tests.integration import rehearse_targets as targets
from tests.integration.connectors_targets import Target
from tests.integration.zoo_forms import FORMS
from tests.integration.zoo_keeper import settle
from tests.parts import Parts

Ophor = Callable[..., Result]
FORGOTTEN = "arkiv-1"


@dataclass
class Rehearsed:
    """What was there before, how both runs ended, and the certificates that stood between them."""

    folder: Path
    ophor: Ophor
    words: list[str]
    shop: str
    before: list[int]
    zoo: dict[str, Target]
    nested: Any
    first: Result
    stood: dict[str, dict[str, Any]]
    second: Result
    summary: dict[str, Any]


@pytest.fixture(scope="module")
def ophor() -> Iterator[Ophor]:
    """Give the command on a stack of this module's own, which every run leaves standing."""
    folder = Path(tempfile.mkdtemp(prefix="ophor-rehearse-"))
    folder.chmod(0o755)
    guard.start(folder, os.getpid())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPHOR_HOME", str(folder))
        try:
            Stack.create(folder).up(["postgres", "mongod"], alone=True)
            yield lambda *words: CliRunner().invoke(app, [str(word) for word in words])
        finally:
            guard.take_away(folder)


@pytest.fixture(scope="module")
def there(ophor: Ophor, parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsed]:
    folder, own = tmp_path_factory.mktemp("rehearse"), Stack.open().parts
    with ExitStack() as made:
        shop, content = made.enter_context(targets.shop(own.postgres_uri, folder))
        without, other = made.enter_context(targets.shop(own.postgres_uri, folder))
        drop_the_ring(without, other)
        zoo = {
            "post": made.enter_context(small.postgresql(own.postgres_uri, folder)),
            "maria": made.enter_context(small.mariadb(parts.mariadb, folder)),
            "lite": made.enter_context(small.sqlite(folder)),
            "mongo": made.enter_context(small.mongodb(own.mongo.admin_uri, folder)),
        }
        client = made.enter_context(pymongo.MongoClient[dict[str, Any]](own.mongo.admin_uri))
        nested = fill(zoo, client)
        systems = {
            "butik": content | {"tenant": targets.LEAVING},
            "tom": other | {"tenant": targets.EMPTY},
            "arkiv": archive(folder) | {"tenant": targets.EMPTY},
            "extens": targets.machines(folder) | {"tenant": targets.EMPTY},
        } | {name: each.content for name, each in zoo.items()}
        path = targets.write_map(folder, **systems)
        marked = ophor("rehearsal", "prepare", path, *(word for name in systems for word in ("--yes", name)))
        assert marked.exit_code == 0, marked.output
        words = ["--systems", str(path), "--tenant", small.LEAVING, "--out", str(folder / "ud"), "--keep-running"]
        words += [word for name in systems for word in ("--yes-delete", name)]
        before, first = others(shop), ophor("rehearse", *words)
        assert "CERTIFICATE_REFUSED" in first.output, first.output
        stood = certificates(ophor)
        shutil.rmtree(folder / "backups" / FORGOTTEN)
        second = ophor("rehearse", *words)
        assert second.exit_code == 0, second.output
        summary = json.loads((folder / "ud" / "summary.json").read_text())
        yield Rehearsed(folder, ophor, words, shop, before, zoo, nested, first, stood, second, summary)


def drop_the_ring(uri: str, content: targets.Content) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("DROP TABLE ordre, ordrelinje CASCADE")
    del content["places"]["ordre"], content["places"]["ordrelinje"]


def fill(zoo: dict[str, Target], client: pymongo.MongoClient[dict[str, Any]]) -> Any:
    """Make schemas of the zoo in every engine; give the collection whose tenant lies inside a document."""
    by_type, inside = (
        FORMS["references by type and id, which no foreign key says"],
        FORMS["a path that ends inside JSON"],
    )
    settle(zoo["post"], by_type, FORMS["a materialised view of another one"])
    for name in ("maria", "lite"):
        settle(zoo[name], by_type, inside)
    nested = client[zoo["mongo"].content["connection"]["database"]]["sager"]
    nested.update_many({}, [{"$set": {"kunde.id": "$lejer"}}, {"$unset": "lejer"}])
    zoo["mongo"].content["places"]["sager"] = {"tenant_key": "kunde.id"}
    return nested


def archive(folder: Path) -> targets.Content:
    """Make the folder target with one file of the tenant, and a backup set of it that nobody removes."""
    content = targets.archive(folder)
    (folder / "arkiv" / "aftaler" / targets.EMPTY).mkdir()
    (folder / "arkiv" / "aftaler" / targets.EMPTY / "æblegrød.txt").write_text("æ")
    (folder / "backups" / FORGOTTEN).mkdir(parents=True)
    today = date.today()
    kept = {"set_id": FORGOTTEN, "taken_on": today, "expires_on": go_live(today) + timedelta(days=178)}
    told = json.dumps({"system": "arkiv", "sets": [kept]}, default=str)
    (folder / "backups" / "catalogue.json").write_text(told, encoding="utf-8")
    return content | {"backups": {"folder": "backups"}}


def others(uri: str) -> list[int]:
    """Count the rows of the tenant who stays, place by place."""
    with psycopg.connect(uri) as connection:
        said = ["SELECT count(*) FROM ordrelinje WHERE ordre_nr / 1000 = 8"]
        said += [
            f'SELECT count(*) FROM "{place}" WHERE kunde_nr = 8' for place in targets.ROWS if place != "ordrelinje"
        ]
        return [int(connection.execute(query.encode()).fetchall()[0][0]) for query in said]


def certificates(ophor: Ophor) -> dict[str, dict[str, Any]]:
    """Ask for the latest certificate of each stage, as the DPO would."""

    def call(wire: str, data: dict[str, Any]) -> Any:
        return json.loads(ophor("call", wire, json.dumps(data), "--as", "kommune_dpo").stdout)

    (exit_,) = call("orders.list_exits", {})["exits"]
    listed = call("compliance.list_certificates", {"exit_id": exit_["exit_id"]})
    return {row["stage"]: row for row in listed["certificates"]}


def deleted(there: Rehearsed, system: str) -> dict[str, int]:
    rows = there.summary["systems"]
    return {row["place"]: row["deleted"] for row in rows if row["system"] == system and row["deleted"]}


def test_while_a_backup_set_is_there_the_last_certificate_is_refused_with_its_reasons(there: Rehearsed) -> None:
    assert there.first.exit_code != 0
    assert f"set {FORGOTTEN} is PRESENT" in there.first.output
    assert there.stood["ACTIVE-DELETED"]["state"] == "issued"
    last = there.stood["BACKUP-EXPIRED"]
    assert (last["state"], last["pdf_bytes"]) == ("refused", 0)
    assert "BACKUP_NOT_GONE" in {reason["code"] for reason in last["refusals"]}


def test_when_the_set_is_gone_it_is_issued_beside_the_first_and_every_document_verifies(there: Rehearsed) -> None:
    issued = there.summary["certificates"]
    assert [row["stage"] for row in issued] == ["ACTIVE-DELETED", "BACKUP-EXPIRED"]
    assert issued[0]["number"] == there.stood["ACTIVE-DELETED"]["number"]
    keys = [word for key in (there.folder / "ud" / "keys.txt").read_text().splitlines() for word in ("--key", key)]
    for document in (row[form] for row in issued for form in ("pdf", "bundle")):
        verified = there.ophor("verify", "--rehearsal", document, *keys)
        assert verified.exit_code == 0, verified.output


def test_nothing_is_left_and_nothing_of_anybody_else_changed(there: Rehearsed) -> None:
    assert there.summary["changes_outside_scope"] == 0
    assert {row["place"] for row in there.summary["systems"] if row["remaining"]} == set()
    assert others(there.shop) == there.before


def test_a_database_of_awkward_names_keys_and_cycles_is_delivered_and_deleted_whole(there: Rehearsed) -> None:
    assert deleted(there, "butik") == targets.ROWS
    rows = [row for row in there.summary["systems"] if row["system"] == "butik" and row["delivered"]]
    expected = {place: rows for place, rows in targets.ROWS.items() if place != "hemmelig_cache"}
    assert {row["place"]: row["delivered"] for row in rows} == expected | {"landekode": 2}


def test_a_system_without_the_tenant_is_searched_beside_one_with_it(there: Rehearsed) -> None:
    assert (deleted(there, "tom"), deleted(there, "arkiv")) == ({}, {"aftaler": 1})
    assert {"tom", "arkiv"} < {row["system"] for row in there.summary["systems"]}
    left = sorted(path.name for path in (there.folder / "arkiv" / "aftaler").rglob("*.txt"))
    assert len(left) == 5


def test_what_people_act_on_is_attested_by_its_own_party_and_each_document_lies_there(there: Rehearsed) -> None:
    assert "extens" not in {row["system"] for row in there.summary["systems"]}
    said = {(row["place"] or row["subprocessor"], row["answer"]): row for row in there.summary["attested"]}
    by = {key: row["role"] for key, row in said.items()}
    officer, lead = "ist_sletteansvarlig", "kommune_projektleder"
    assert by == {
        ("skole-pc", "SOFTWARE_REMOVED"): lead, ("skole-pc", "LICENCE_WITHDRAWN"): officer,
        ("skole-pc", "DATA_LEFT_WITH_CUSTOMER"): lead, ("server", "MEDIA_SANITISED"): officer,
        ("drift", "SUBPROCESSOR_CONFIRMED"): officer, ("hotel", "SUBPROCESSOR_CONFIRMED"): officer,
    }  # fmt: skip
    assert said["server", "MEDIA_SANITISED"]["media_class"] == "DESTROY"
    paper = (there.folder / "maskiner" / "server" / targets.EMPTY / "øvelse-MEDIA_SANITISED.txt").read_bytes()
    assert paper.startswith("øvelse ".encode())
    assert hashlib.sha256(paper).hexdigest() == said["server", "MEDIA_SANITISED"]["digest"]


def test_schemas_of_the_zoo_go_on_every_engine(there: Rehearsed) -> None:
    expected = {"a": 1, "b": 1, "note": 3, "sager": 7, "noter": 4}
    assert deleted(there, "post") == expected | {"p": 2, "mv": 2, "alle": 1}
    assert [deleted(there, name) for name in ("maria", "lite")] == [expected | {"p": 1, "c": 2}] * 2
    assert deleted(there, "mongo") == {"sager": 7, "noter": 4}
    notes = [there.zoo[name].execute("SELECT count(*) FROM note")[0][0] for name in ("maria", "lite")]
    assert notes == [2, 2]
    assert there.nested.count_documents({}) == there.nested.count_documents({"kunde.id": 102}) == 5


def test_a_finished_rehearsal_is_not_taken_up_again_and_a_tenant_that_is_gone_is_said(there: Rehearsed) -> None:
    again = there.ophor("rehearse", *there.words)
    assert again.exit_code == 2 and "TENANT_MATCHES_NOTHING" in again.stderr

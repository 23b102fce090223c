"""Encrypted backup sets in an object store: what can be read there without a key, and a set that ends with its key."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.system_map import System, parse
from shared.backups.sealed import lies_open
from tests.integration import rehearse_targets as targets
from tests.integration.shredding_parts import PLANNED, REFUSED, Vault, a_vault
from tests.parts import ObjectStore, Parts

BUCKET, KEY = "backup", "maal/s1/data.sealed"
READS = [{"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}]


@pytest.fixture
def store(parts: Parts) -> ObjectStore:
    """An object store with an empty bucket that keeps versions."""
    parts.object_store.versioned(BUCKET)
    return parts.object_store


def source(store: ObjectStore, folder: Path, rights: list[dict[str, Any]]) -> dict[str, str]:
    """Describe the bucket as a source of the map, with an access key of its own."""
    user, secret = store.add_user("sets", rights)
    (folder / "sets").write_text(secret)
    store.enforce()
    return {"kind": "s3", "url": store.url, "bucket": BUCKET, "prefix": "maal/", "user": user, "password_file": "sets"}


def system(backups: dict[str, str], folder: Path) -> System:
    """Give a system whose sets lie in this source alone."""
    archive = targets.archive(folder) | {"backups": [backups]}
    body = yaml.safe_dump({"version": 1, "systems": {"arkiv": archive}})
    return parse(body.encode(), "kort.yaml", folder).system("arkiv")


def put(client: Any, body: bytes, key: str = KEY) -> None:
    client.put_object(Bucket=BUCKET, Key=key, Body=body)


def sealed(client: Any) -> None:
    put(client, os.urandom(70_000))


def without_versions(client: Any) -> None:
    client.delete_bucket(Bucket=BUCKET)
    client.create_bucket(Bucket=BUCKET)
    sealed(client)


def of_two_objects(client: Any) -> None:
    put(client, os.urandom(5_000))
    put(client, b"-- MariaDB dump 10.19\n" * 50, "maal/s1/more.sql")


def an_older_version(client: Any) -> None:
    put(client, b"PGDMP" + os.urandom(5_000))
    put(client, os.urandom(5_000))


def hidden_by_a_marker(client: Any) -> None:
    put(client, b"navn,adresse\n" * 50)
    client.delete_object(Bucket=BUCKET, Key=KEY)


def unfinished(client: Any) -> None:
    put(client, os.urandom(5_000))
    client.create_multipart_upload(Bucket=BUCKET, Key="maal/s1/more.sealed")


def another(client: Any) -> None:
    put(client, os.urandom(5_000), "maal/s2/data.sealed")


@pytest.mark.parametrize(
    ("lay", "answer"),
    [
        (sealed, False), (without_versions, False), (of_two_objects, True), (an_older_version, True),
        (hidden_by_a_marker, True), (unfinished, None), (another, None),
    ],
)  # fmt: skip
def test_a_set_lies_open_where_one_version_of_it_can_be_read(
    store: ObjectStore, tmp_path: Path, lay: Callable[[Any], None], answer: bool | None
) -> None:
    lay(store.client("s3"))
    assert lies_open(system(source(store, tmp_path, READS), tmp_path), "s1") is answer


def test_a_set_that_may_be_listed_and_not_read_is_not_taken_on_trust(store: ObjectStore, tmp_path: Path) -> None:
    sealed(store.client("s3"))
    listing = [{"Effect": "Allow", "Action": ["s3:List*", "s3:GetBucket*"], "Resource": "*"}]
    assert lies_open(system(source(store, tmp_path, listing), tmp_path), "s1") is None


@pytest.fixture
def vault(store: ObjectStore, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    with a_vault(parts, tmp_path, monkeypatch) as made:
        client = store.client("s3")
        made.lay = lambda name, body: put(client, body, f"maal/{name}/data.sealed")
        made.world.target.content["backups"] = [source(store, tmp_path, READS)]
        made.house.store.db.exits.drop()
        made.house.order()
        yield made


def test_a_set_in_a_bucket_ends_with_its_key_and_one_that_lies_open_does_not(vault: Vault, store: ObjectStore) -> None:
    key = vault.seal("s1")
    vault.seal("s2")
    put(store.client("s3"), b"INSERT INTO barn VALUES (1);\n", "maal/s2/more.sql")
    vault.house.delete("D7a", "maal")
    vault.due()
    assert [row["set_id"] for row in vault.house.events(PLANNED)[0]["sets"]] == ["s1"]
    (refused,) = vault.house.events(REFUSED)[0]["sets"]
    assert (refused["set_id"], refused["reasons"]) == ("s2", ["SET_LIES_OPEN"])
    vault.permit()
    vault.service.pass_days(7)
    vault.next_timer()
    assert str(vault.keys.state(key)) == "DESTROYED"
    rows = {row["set_id"]: row["answer"] for row in vault.house.ask("read_backups", {})["backups"]}
    assert rows == {"s1": "KEY_DESTROYED", "s2": rows["s2"]} and rows["s2"] != "KEY_DESTROYED"

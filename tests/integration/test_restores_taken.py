"""What a drill takes and puts back: sets that the catalogue's readers know, and nothing lost on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest
from bson import Binary, Decimal128, Int64
from rich.console import Console

from contracts.errors import Rejected
from services.console import drill
from services.console.rehearsing.wish import Wish
from shared.backups import Reader
from shared.backups.disk import Folder
from shared.backups.dumps import MariaDumps, MongoDumps
from shared.connectors import marker
from shared.restoring import mongodb, put_back, take
from tests.integration.connectors_targets import LEAVING, Target
from tests.integration.rehearse_targets import write_map
from tests.integration.restores_parts import restorable
from tests.parts import Parts


@pytest.fixture(autouse=True)
def by_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have MongoDB's backup made by the driver, whatever is installed."""
    monkeypatch.setattr(mongodb, "missing", lambda name: True)


@contextmanager
def collections(parts: Parts, folder: Path) -> Iterator[tuple[Target, Any]]:
    """Give the MongoDB target, and its database as the administrator sees it."""
    with restorable("mongodb", parts, folder) as target, pymongo.MongoClient[Any](parts.mongo_uri) as client:
        marker.prepare(target.open("prepare"), time.time())
        yield target, client[target.content["connection"]["database"]]


@pytest.mark.parametrize(("kind", "reader"), [("mariadb", MariaDumps), ("mongodb", MongoDumps)])
def test_what_is_taken_is_one_set_of_today_to_the_reader_of_such_sets(
    kind: str, reader: Callable[[Folder], Reader], parts: Parts, tmp_path: Path
) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "catalogue.json").write_text("{}")
    with restorable(kind, parts, tmp_path) as target:
        take(target.map(), "maal", tmp_path / "sets")
    (found,) = reader(Folder(tmp_path / "sets")).sets()
    assert found.set_id.startswith("maal") and found.kind == ("mongodump" if kind == "mongodb" else kind)
    assert found.identity and abs((found.taken_on or date.min) - date.today()) <= timedelta(1)


def test_a_collection_comes_back_with_its_options_its_indexes_and_every_byte(parts: Parts, tmp_path: Path) -> None:
    with collections(parts, tmp_path) as (target, base):
        name = "børn/a.b"
        base.create_collection(name, collation={"locale": "da"}, validator={"nr": {"$type": "long"}})
        base[name].create_index([("nr", 1), ("navn", -1)], name="ét", unique=True)
        base[name].insert_many([
            {"nr": Int64(n), "navn": "æ", "b": Binary(b"\0x", 128), "d": Decimal128("1.10"), "t": datetime.now(UTC)}
            for n in range(3)
        ])  # fmt: skip
        before, taken = seen(base), take(target.map(), "maal", tmp_path / "drill")
        base.drop_collection(name)
        base.sager.delete_many({})
        base.noter.insert_one({"_id": "since", "lejer": 102})
        put_back(target.map(), taken)
        assert seen(base) == before


def seen(base: Any) -> dict[str, Any]:
    """Give every collection's options, indexes and documents."""
    listed = {row["name"]: row["options"] for row in base.list_collections()}
    return {
        name: (options, list(base[name].list_indexes()), sorted(base[name].find(), key=str))
        for name, options in listed.items()
    }


def test_a_time_series_is_refused_before_anything_is_deleted(parts: Parts, tmp_path: Path) -> None:
    with collections(parts, tmp_path) as (target, base):
        base.create_collection("målinger", timeseries={"timeField": "tid"})
        with pytest.raises(Rejected) as refused:
            take(target.map(), "maal", tmp_path / "drill")
    assert refused.value.code == "DRILL_TOOL_MISSING"


def test_only_objects_that_are_missing_or_differ_are_put_back(parts: Parts, tmp_path: Path) -> None:
    with restorable("s3", parts, tmp_path) as target:
        marker.prepare(target.open("prepare"), time.time())
        taken, before = take(target.map(), "maal", tmp_path / "drill"), versions(target)
        client, keys = target.virtual, sorted(key for key in before if key.startswith("102/brev"))
        client.delete_object(Bucket="sager", Key=keys[0])
        client.put_object(Bucket="sager", Key=keys[1], Body=b"andet")
        put_back(target.map(), taken)
        after = versions(target)
        assert {key for key in after if after[key] != before[key]} == set(keys)
        read = [client.get_object(Bucket="sager", Key=key)["Body"].read() for key in keys]
        assert read == [b"indhold"] * 2


def versions(target: Target) -> dict[str, int]:
    """Count the versions of every object of the bucket that keeps them."""
    found: dict[str, int] = {}
    for page in target.virtual.get_paginator("list_object_versions").paginate(Bucket="sager"):
        for row in page.get("Versions", ()):
            found[row["Key"]] = found.get(row["Key"], 0) + 1
    return found


def test_a_drill_that_stopped_goes_on_with_what_it_saw_and_another_does_not(parts: Parts, tmp_path: Path) -> None:
    with restorable("postgresql", parts, tmp_path) as target:
        marker.prepare(target.open("prepare"), time.time())
        path, quiet = write_map(tmp_path, maal=target.content), Console(quiet=True)
        wish = Wish(path, LEAVING, "Øvelseskommunen", "11111111", tmp_path / "ud")
        wanted = drill.Drilled(wish, target.map(), ("maal",), announced=True)
        first = drill.DrillRun(wanted, drill.backups(wanted, quiet), parts.stack, quiet)
        for where in ("noter WHERE nr < 100", "sager WHERE lejer = 101"):
            target.execute("UPDATE sager SET note = NULL")
            target.execute(f"DELETE FROM {where}")
        first.plan.put_back("maal")
        again = drill.DrillRun(wanted, drill.backups(wanted, quiet), parts.stack, quiet)
        counts = {"before": {"maal": 11}, "deleted": {"maal": 0}}  # as they were, though the rows are back
        assert (again.counts, again.plan.is_back) == (counts, False)
        again.plan.put_back("maal")  # once more: nobody knows whether the first time was whole
        again.plan.is_back, again.plan.seen["closed"] = True, ["maal"]
        again.plan.on_back()
        last = drill.DrillRun(wanted, drill.backups(wanted, quiet), parts.stack, quiet)
        assert last.counts == counts | {"returned": {"maal": 11}}
        assert last.plan.is_back and last.plan.seen == {"closed": ["maal"]}
        with pytest.raises(Rejected) as refused:
            drill.backups(replace(wanted, wish=replace(wish, tenant="102")), quiet)
        assert refused.value.code == "DRILL_UNFINISHED"

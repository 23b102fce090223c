"""A backup set that was "deleted" and can still be restored is never observed as gone: every reader, every way."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bson import BSON

from contracts.system_map.backups import Source
from shared.backups import Answer, Reader, Set, sources
from shared.backups.catalogue import Catalogue
from shared.backups.disk import Folder
from shared.backups.dumps import MariaDumps, MongoDumps
from shared.backups.objects import Objects
from shared.backups.postgresql import BaseBackups
from shared.backups.snapshots import Snapshots
from shared.backups.streams import Binlogs, WalArchive
from tests.parts import Parts

DAY, OTHER = "daily-2026-10-01", "daily-2026-10-02"
Way = Callable[[Path, Path], Any]


def plain(at: Path) -> None:
    (at / "inner").mkdir(parents=True)
    (at / "inner" / "data").write_text(f"indhold af {at.name}")
    (at / "more").write_text("mere")


def base(at: Path) -> None:
    at.mkdir(parents=True)
    (at / "backup_label").write_text(f"START TIME: 2026-10-01 02:00:00 UTC\nLABEL: {at.name}\n")
    (at / "PG_VERSION").write_text("15")


def bson(at: Path) -> None:
    (at / "db").mkdir(parents=True)
    (at / "db" / "rows.bson").write_bytes(BSON.encode({"_id": at.name}))


def deep(at: Path) -> None:
    bson(at / "dump")


def sql(at: Path) -> None:
    at.mkdir(parents=True)
    text = f"-- MariaDB dump 10.19  Distrib 10.11\n-- {at.name}\n-- Dump completed on 2026-10-01  2:00:00\n"
    (at / "dump.sql").write_text(text)


READERS: dict[str, tuple[Callable[[Path], None], Callable[[Folder], Reader]]] = {
    "catalogue": (plain, Catalogue),
    "postgresql": (base, BaseBackups),
    "mongodump": (bson, MongoDumps),
    "mariadb": (sql, MariaDumps),
    "snapshots": (plain, lambda root: Snapshots(root, "daily-{date}")),
}


def trash(at: Path, other: Path) -> None:
    """As a desktop's bin: both sets in one folder beside one another, under other names."""
    bin_ = at.parent / ".Trash-0" / "files"
    bin_.mkdir(parents=True)
    at.rename(bin_ / "1")
    shutil.copytree(other, bin_ / "2")


def into_the_other(at: Path, other: Path) -> None:
    (other / "old").mkdir()
    at.rename(other / "old" / "x")


WAYS: dict[str, Way] = {
    "renamed": lambda at, _: at.rename(at.with_name("gammel")),
    "hidden": lambda at, _: at.rename(at.with_name(f".{at.name}.deleted")),
    "moved to a bin": trash,
    "moved aside": lambda at, _: (
        (at.parent / "udgået" / "2026").mkdir(parents=True) or at.rename(at.parent / "udgået" / "2026" / "sæt 1")
    ),
    "moved into another": into_the_other,
}


def look(reader: Reader, wanted: Set) -> Answer:
    return sources.seen([(Source("catalogue"), reader)]).answers([wanted])[wanted.set_id]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", READERS)
def test_a_set_that_only_lies_elsewhere_is_present_until_it_is_really_gone(kind: str, way: str, tmp_path: Path) -> None:
    if (kind, way) == ("snapshots", "moved into another"):
        pytest.skip("a snapshot cannot be written into")
    make, open_ = READERS[kind]
    for name in (DAY, OTHER):
        make(tmp_path / name)
    (tmp_path / "catalogue.json").write_text("{}")
    reader = open_(Folder(tmp_path))
    wanted = next(each for each in reader.sets() if each.set_id.startswith(DAY))
    WAYS[way](tmp_path / DAY, tmp_path / OTHER)
    assert look(reader, wanted) is Answer.PRESENT
    for path in tmp_path.iterdir():
        if path.name != "catalogue.json":
            shutil.rmtree(path)
    assert look(reader, wanted) is Answer.GONE


@pytest.mark.parametrize(
    ("kind", "make"), [*((kind, make) for kind, (make, _) in READERS.items()), ("catalogue", sql), ("mongodump", deep)]
)
def test_of_two_sets_of_one_content_the_removed_one_is_gone(
    kind: str, make: Callable[[Path], None], tmp_path: Path
) -> None:
    """Nothing changed between two nights; a set of one file, or of one folder, is no copy of another beside it."""
    make(tmp_path / DAY)
    shutil.copytree(tmp_path / DAY, tmp_path / OTHER)
    (tmp_path / "catalogue.json").write_text("{}")
    reader = READERS[kind][1](Folder(tmp_path))
    both = reader.sets()
    wanted, left = ([each for each in both if each.set_id.startswith(name)] for name in (DAY, OTHER))
    shutil.rmtree(tmp_path / DAY)
    answers = sources.seen([(Source("catalogue"), reader)]).answers(both, both)
    assert [answers[each.set_id] for each in (*wanted, *left)] == [Answer.GONE, Answer.PRESENT]


@pytest.mark.parametrize("name", ["000000010000000000000001.deleted", ".000000010000000000000001", "skrald/x"])
def test_a_segment_or_log_that_only_has_another_name_keeps_its_stream(name: str, tmp_path: Path) -> None:
    for kind in ("wal", "log"):
        (tmp_path / kind / name).parent.mkdir(parents=True)
        (tmp_path / kind / "catalogue.json").write_text("{}")
    page = struct.pack("<HHIQ", 0xD110, 0, 1, 1 << 24)
    (tmp_path / "wal" / name).write_bytes(page + bytes(8_192 - len(page)))
    (tmp_path / "log" / name).write_bytes(b"\xfebin" + struct.pack("<I", 1_700_000_000))
    noted = Set("wal-20261001", "wal", date(2026, 10, 1), (str(2 << 24),), stream=True)
    archive = WalArchive(Folder(tmp_path / "wal"), lambda: 3 << 24)
    assert archive.look(noted) is Answer.PRESENT
    binlog = Set("binlog-20261001", "binlog", date(2026, 10, 1), ("1800000000",), stream=True)
    assert Binlogs(Folder(tmp_path / "log")).look(binlog) is Answer.PRESENT


@pytest.fixture
def bucket(parts: Parts) -> Any:
    client = parts.object_store.versioned("backup")
    client.put_object(Bucket="backup", Key=f"px/{DAY}/base.tar", Body=json.dumps({"set": 1}).encode())
    return client


def marker(bucket: Any) -> None:
    bucket.delete_object(Bucket="backup", Key=f"px/{DAY}/base.tar")


def overwritten(bucket: Any) -> None:
    bucket.put_object(Bucket="backup", Key=f"px/{DAY}/base.tar", Body=b"")
    marker(bucket)


def copied(bucket: Any) -> None:
    source = {"Bucket": "backup", "Key": f"px/{DAY}/base.tar"}
    bucket.copy_object(Bucket="backup", Key="bin/x", CopySource=source)
    every_version(bucket, f"px/{DAY}/")


def unfinished(bucket: Any) -> None:
    bucket.create_multipart_upload(Bucket="backup", Key=f"px/{DAY}/more.tar")
    every_version(bucket, f"px/{DAY}/")


def every_version(bucket: Any, prefix: str) -> None:
    rows = bucket.list_object_versions(Bucket="backup", Prefix=prefix)
    for row in [*rows.get("Versions", ()), *rows.get("DeleteMarkers", ())]:
        bucket.delete_object(Bucket="backup", Key=row["Key"], VersionId=row["VersionId"])


@pytest.mark.parametrize("way", [marker, overwritten, copied, unfinished])
def test_an_object_that_is_only_deleted_in_a_versioned_bucket_is_present(
    bucket: Any, way: Callable[[Any], None]
) -> None:
    reader = Objects(bucket, "px", "backup", "px/")
    (wanted,) = reader.sets()
    way(bucket)
    assert look(reader, wanted) is Answer.PRESENT
    for row in bucket.list_multipart_uploads(Bucket="backup").get("Uploads", ()):
        bucket.abort_multipart_upload(Bucket="backup", Key=row["Key"], UploadId=row["UploadId"])
    every_version(bucket, "")
    assert look(reader, wanted) is Answer.GONE

"""Readers of backup sets on what the tools really leave: pg_basebackup, mariadb-dump, a server's binlog, BSON.

pgBackRest and mongodump are not installed where these tests run: their files are made in the documented form.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bson import BSON, Timestamp

from contracts.errors import Unavailable
from contracts.system_map.backups import Source
from deploy.stack import programs
from deploy.stack.ports import Ports
from shared.backups import Answer, Set, sources
from shared.backups.catalogue import Catalogue
from shared.backups.disk import Folder
from shared.backups.dumps import MariaDumps, MongoDumps
from shared.backups.pgbackrest import PgBackRest
from shared.backups.postgresql import BaseBackups
from shared.backups.snapshots import Snapshots
from shared.backups.streams import Binlogs, InfoWal, Stream, WalArchive
from tests.parts import MariaServer, Parts

TODAY = date.today()
PRESENT, GONE, ERROR = Answer.PRESENT, Answer.GONE, Answer.ERROR


def look(reader: Any, wanted: Set) -> Answer:
    """Look for one set in one source."""
    if isinstance(reader, Stream):
        return reader.look(wanted)
    return sources.seen([(Source("catalogue"), reader)]).answers([wanted])[wanted.set_id]


def folder(path: Path) -> Folder:
    path.mkdir(parents=True, exist_ok=True)
    (path / "catalogue.json").write_text("{}")
    return Folder(path)


def test_real_base_backups_are_known_under_any_name_until_they_are_gone(parts: Parts, tmp_path: Path) -> None:
    root = folder(tmp_path / "base")
    base = [programs.postgres("pg_basebackup"), "-d", parts.postgres_uri, "-c", "fast", "-l"]
    subprocess.run([*base, "plain", "-X", "fetch", "-D", root.path / "plain"], check=True, capture_output=True)
    subprocess.run([*base, "tar", "-Ft", "-X", "none", "-D", root.path / "tar"], check=True, capture_output=True)
    reader = BaseBackups(root)
    plain, tar = sorted(reader.sets(), key=lambda one: one.set_id)
    assert (plain.set_id, tar.set_id) == ("plain", "tar")
    assert not set(plain.identity) & set(tar.identity)
    assert abs((plain.taken_on or date.min) - TODAY) <= timedelta(1) and plain.certain and tar.certain
    (root.path / ".trash" / "2026").mkdir(parents=True)
    (root.path / "plain").rename(root.path / ".trash/2026/nothing to see")
    assert look(reader, plain) is PRESENT
    (root.path / ".trash/2026/nothing to see/backup_manifest").unlink()
    assert look(reader, plain) is PRESENT
    wal = next((root.path / ".trash/2026/nothing to see/pg_wal").glob("0*"))
    shutil.copy(wal, tmp_path / "kept")
    (root.path / ".trash/2026/nothing to see/backup_label").unlink()
    assert any(one.taken_on is None for one in reader.sets())  # what is left of it is a set of unknown date
    shutil.rmtree(root.path / ".trash")
    assert (look(reader, plain), look(reader, tar)) == (GONE, PRESENT)
    check_wal(tmp_path, tmp_path / "kept", parts.postgres_uri)


def check_wal(home: Path, segment: Path, uri: str) -> None:
    """The same real segment, archived: known by its first page, whatever its name and time."""
    import psycopg

    with psycopg.connect(uri) as at:
        row = at.execute("SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint").fetchone()
    assert row is not None
    root = folder(home / "wal")
    archive = WalArchive(root, lambda: int(row[0]))
    assert archive.sets() == []
    shutil.copy(segment, root.path / "renamed.bak")
    os.utime(root.path / "renamed.bak", (4e9, 4e9))
    (noted,) = archive.sets()
    assert noted.stream and int(noted.identity[0]) >= archive.oldest()  # type: ignore[operator]
    assert look(archive, noted) is PRESENT
    assert look(archive, replace(noted, identity=("1",))) is GONE  # of what was before the segment nothing is left
    (root.path / "renamed.bak").write_bytes(gzip.compress(segment.read_bytes(), 1))
    assert look(archive, noted) is PRESENT
    (root.path / "odd").write_text("not a segment")
    assert look(archive, noted) is ERROR
    for path in (root.path / "odd", root.path / "renamed.bak"):
        path.unlink()
    assert look(archive, noted) is GONE


def test_an_empty_mount_point_is_an_error_and_no_absence(tmp_path: Path) -> None:
    wanted = Set("a", "mariadb", TODAY, ("x",))
    (tmp_path / "mount").mkdir()
    for path in (tmp_path / "mount", tmp_path / "missing"):
        for reader in (BaseBackups(Folder(path)), MongoDumps(Folder(path)), MariaDumps(Folder(path)),
                       Snapshots(Folder(path), "{date}"), Catalogue(Folder(path)), Binlogs(Folder(path))):  # fmt: skip
            assert look(reader, wanted) is ERROR
            with pytest.raises(Unavailable, match="BACKUPS_NOT_LISTED"):
                reader.sets()


@pytest.fixture(scope="module")
def server(parts: Parts) -> MariaServer:
    """A MariaDB that writes a binlog."""
    home = parts.stack.home / f"mariadb-binlog-{os.getpid()}"
    with Ports() as ports:
        return MariaServer(home, ports.choose(), more=("--log-bin=binlog",)).start(str(parts.home))


def test_a_real_mariadb_dump_says_its_day_and_is_found_packed_or_renamed(server: MariaServer, tmp_path: Path) -> None:
    root = folder(tmp_path / "dumps")
    argv = ["mariadb-dump", "--no-defaults", f"--host={server.host}", f"--port={server.port}", "--user=root", "mysql",
            "--no-data", "--skip-lock-tables"]  # fmt: skip
    dumped = subprocess.run(argv, check=True, capture_output=True).stdout
    (root.path / "a.sql").write_bytes(dumped)
    (root.path / "b.sql.gz").write_bytes(gzip.compress(dumped + b"-- another\n"))
    (root.path / "notes.txt").write_text("who put this here?")
    os.utime(root.path / "a.sql", (0, 0))
    reader = MariaDumps(root)
    found = {one.set_id: one for one in reader.sets()}
    assert abs((found["a.sql"].taken_on or date.min) - TODAY) <= timedelta(1) and found["a.sql"].certain
    assert found["b.sql.gz"].taken_on == found["a.sql"].taken_on
    assert (found["notes.txt"].kind, found["notes.txt"].taken_on) == ("unknown", None)
    (root.path / "a.sql").rename(root.path / ".a.sql.deleted")
    assert look(reader, found["a.sql"]) is PRESENT
    (root.path / ".a.sql.deleted").unlink()
    assert look(reader, found["a.sql"]) is GONE


def test_a_servers_own_binlogs_are_gone_only_with_the_last_that_began_before(
    server: MariaServer, tmp_path: Path
) -> None:
    root = folder(tmp_path / "binlogs")
    with server.connect() as at, at.cursor() as cursor:
        cursor.execute("FLUSH BINARY LOGS")
    made = sorted((server.folder / "db").glob("binlog.0*"))
    shutil.copy(made[0], root.path / "old.copy")
    shutil.copy(server.folder / "db" / "binlog.index", root.path / "binlog.index")
    reader = Binlogs(root)
    (noted,) = reader.sets()
    assert noted.stream and abs(int(noted.identity[0]) - time.time()) < 7_200
    assert look(reader, noted) is PRESENT
    (root.path / "old.copy").unlink()
    assert look(reader, noted) is GONE
    (root.path / "binlog.000002").write_bytes(b"\xfdbin encrypted")
    assert look(reader, noted) is ERROR


def test_a_mongodb_dump_is_one_set_at_whatever_depth_and_dated_by_its_oplog(tmp_path: Path) -> None:
    root = folder(tmp_path / "mongo")
    made = root.path / "nightly" / "morgenvagt"
    made.mkdir(parents=True)
    (made / "fremmoede.bson").write_bytes(BSON.encode({"_id": 1}))
    (made / "fremmoede.metadata.json").write_text("{}")
    stamp = int(datetime(2026, 10, 1, 12, tzinfo=UTC).timestamp())
    (root.path / "nightly" / "oplog.bson").write_bytes(BSON.encode({"ts": Timestamp(stamp, 1), "o": {"x": 1}}))
    (root.path / "one.archive").write_bytes(b"\x6d\xe2\x99\x81" + bytes(20))
    (root.path / "empty").mkdir()
    reader = MongoDumps(root)
    found = {one.set_id: one for one in reader.sets()}
    assert set(found) == {"nightly", "one.archive", "empty"}
    assert (found["nightly"].taken_on, found["nightly"].certain) == (date(2026, 10, 1), True)
    assert found["empty"].taken_on is None
    (root.path / "nightly").rename(root.path / "old æøå")
    assert look(reader, found["nightly"]) is PRESENT
    assert next(one.set_id for one in reader.sets() if one.same_content(found["nightly"])).startswith("old_")
    shutil.rmtree(root.path / "old æøå")
    assert look(reader, found["nightly"]) is GONE


def test_snapshots_have_their_day_in_the_name_and_are_known_when_renamed(tmp_path: Path) -> None:
    root = folder(tmp_path / "snapshots")
    for name in ("daily-2026-10-01", "daily-20261002", "before-upgrade", "daily-2026-13-01"):
        (root.path / name).mkdir()
        (root.path / name / "data").write_text(name)
    reader = Snapshots(root, "daily-{date}")
    found = {one.set_id: one for one in reader.sets()}
    assert [found[name].taken_on for name in sorted(found)] == [
        None, date(2026, 10, 1), None, date(2026, 10, 2),
    ]  # fmt: skip
    (root.path / "daily-2026-10-01").rename(root.path / "kept")
    assert look(reader, found["daily-2026-10-01"]) is PRESENT
    shutil.rmtree(root.path / "kept")
    assert look(reader, found["daily-2026-10-01"]) is GONE


def info(path: Path, *labels: str, code: int = 0, oldest: str = "000000010000000000000003") -> Path:
    backup = [
        {"label": label, "type": "full", "database": {"id": 1, "repo-key": 1}, "error": False,
         "timestamp": {"start": 1790848000, "stop": 1790848800}} for label in labels
    ]  # fmt: skip
    archive = [{"id": "15-1", "min": oldest, "max": "0000000100000000000000FF", "database": {"id": 1, "repo-key": 1}}]
    body = {"name": "main", "status": {"code": code, "message": "-"}, "backup": backup, "archive": archive,
            "db": [{"id": 1, "repo-key": 1, "system-id": 7, "version": "15"}],
            "repo": [{"key": 1, "cipher": "none", "status": {"code": code, "message": "-"}}]}  # fmt: skip
    path.write_text(json.dumps([body]))
    return path


def test_pgbackrests_word_counts_while_it_is_fresh_and_its_repository_was_read(tmp_path: Path) -> None:
    path = info(tmp_path / "info.json", "20261001-120000F", "20261002-120000F")
    reader = PgBackRest(path, "main")
    first, _ = reader.sets()
    assert (first.set_id, first.taken_on, first.certain) == ("20261001-120000F", date(2026, 10, 1), True)
    info(path, "20261002-120000F")
    assert look(reader, first) is GONE
    wal = InfoWal(path, "main", lambda: 5 << 24)
    (noted,) = wal.sets()
    assert look(wal, noted) is PRESENT
    info(path, oldest="000000010000000000000006")
    assert look(wal, noted) is GONE
    for code in (1, 3, 99):
        info(path, code=code)
        assert look(reader, first) is ERROR
    info(path, code=2)
    assert look(reader, first) is GONE
    os.utime(path, (time.time() - 90_000,) * 2)
    assert (look(reader, first), look(wal, noted)) == (ERROR, ERROR)
    assert look(PgBackRest(path, "other"), first) is ERROR


def test_what_is_not_in_the_catalogue_is_told_apart_by_name_and_content() -> None:
    found = [
        Set("a", "mongodb", TODAY, ("1",)),
        Set("b", "mongodb", TODAY, ("2",)),
        Set("new", "mongodb", TODAY, ("1",)),
    ]
    stream = Set("wal", "wal", None, ("9",), stream=True)
    assert sources.uncatalogued([*found, stream], [Set("a", "mongodb", TODAY, ("1",))]) == [found[1]]

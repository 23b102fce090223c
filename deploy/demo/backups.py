"""The backup tool of the demo's world: real sets in `<backups>/<system>/<set_id>/`, listed in a catalogue beside them.

`catalogue.json` is what the tool promises ({"system", "sets": [{"set_id", "taken_on", "expires_on"}]}); it is written
once and never changed. Whether a set is still there is seen in its folder only. Removal is another process's
(`retention.py`).
"""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from bson import json_util
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from psycopg import conninfo
from pymongo import MongoClient

from contracts.errors import Unavailable
from deploy.stack import programs

CATALOGUE = "catalogue.json"
LATEST_EXPIRY_DAYS = 180


@dataclass(frozen=True, slots=True)
class BackupSet:
    """One set of one system: when it was taken and the day after which it is removed."""

    system: str
    set_id: str
    taken_on: date
    expires_on: date


def plan(systems: Iterable[str], today: date, deletion: date) -> list[BackupSet]:
    """Plan three sets for each system, taken until `today`; the last expires within six months of `deletion`."""
    return [
        BackupSet(system, f"{system}-{taken:%Y%m%d}", taken, deletion + timedelta(days=after + number * 5))
        for number, system in enumerate(systems)
        for back, after in ((60, 25), (30, 80), (0, LATEST_EXPIRY_DAYS - 20))
        for taken in (today - timedelta(days=back),)
    ]


def take(sets: Iterable[BackupSet], folder: Path, writers: dict[str, Callable[[Path], None]]) -> None:
    """Take the sets with each system's writer (given the set's folder), then write the catalogues."""
    planned = list(sets)
    for each in planned:
        place = folder / each.system / each.set_id
        place.mkdir(parents=True)
        writers[each.system](place)
    for system in {each.system for each in planned}:
        rows = [asdict(each) for each in planned if each.system == system]
        body = {"system": system, "sets": [{name: row[name] for name in row if name != "system"} for row in rows]}
        (folder / system / CATALOGUE).write_text(json.dumps(body, default=str, indent=2))


def read_catalogue(folder: Path) -> list[BackupSet]:
    """Read the catalogue that lies in a system's backup folder."""
    body = json.loads((folder / CATALOGUE).read_text())
    return [
        BackupSet(
            system=body["system"],
            set_id=row["set_id"],
            taken_on=date.fromisoformat(row["taken_on"]),
            expires_on=date.fromisoformat(row["expires_on"]),
        )
        for row in body["sets"]
    ]


def dump_postgres(uri: str, database: str) -> Callable[[Path], None]:
    """Give a writer that lays `pg_dump`'s custom format into the set; raise Unavailable BACKUP_FAILED."""
    parts = conninfo.conninfo_to_dict(uri) | {"dbname": database}
    secret = parts.pop("password", None)  # never among the words of a command line
    address = conninfo.make_conninfo("", **parts)

    def write(place: Path) -> None:
        done = subprocess.run(
            [programs.postgres("pg_dump"), "-Fc", "-Z1", "-f", str(place / f"{database}.dump"), address],
            env=os.environ | ({"PGPASSWORD": str(secret)} if secret else {}), capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise Unavailable("BACKUP_FAILED", f"pg_dump of {database} ended with {done.returncode}", field=database)

    return write


def dump_mongo(uri: str, database: str) -> Callable[[Path], None]:
    """Give a writer that lays every collection as BSON with its metadata into the set, as mongodump does."""
    raw: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)

    def write(place: Path) -> None:
        folder = place / database
        folder.mkdir()
        with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=10_000) as client:
            base = client[database]
            for name in base.list_collection_names():
                found = base.get_collection(name).with_options(codec_options=raw).find()
                (folder / f"{name}.bson").write_bytes(b"".join(one.raw for one in found))
                indexes = [dict(index) for index in base[name].list_indexes()]
                about = {"collectionName": name, "type": "collection", "indexes": indexes}
                (folder / f"{name}.metadata.json").write_text(json_util.dumps(about))

    return write


def pack_folder(source: Path) -> Callable[[Path], None]:
    """Give a writer that lays a tar of `source` into the set."""

    def write(place: Path) -> None:
        with tarfile.open(place / f"{source.name}.tar", "w") as tar:
            tar.add(source, arcname=source.name)

    return write

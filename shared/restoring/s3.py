"""S3: the current version of every object of the mapped buckets, with its metadata, copied out and put back.

An object that lies there as it did is left alone, as by any tool that copies a bucket; the others are put there anew,
which in a bucket with versioning makes a new version of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.system_map import RESTORE, System
from shared.connectors.s3.session import connect, pages, translated
from shared.restoring.tool import Engine

_INDEX = "objects.json"
_LISTED = {"ContinuationToken": "NextContinuationToken"}
_KEPT = ("ContentType", "Metadata", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage")


def _take(system: System, at: Path) -> None:
    client = connect(system, RESTORE)
    listed: list[dict[str, Any]] = []
    with translated(system.name, RESTORE):
        for (bucket, key), etag in _objects(system, client):
            told = client.get_object(Bucket=bucket, Key=key)
            name = f"{len(listed):09d}"
            with (at / name).open("wb") as file:
                for part in told["Body"].iter_chunks(1 << 20):
                    file.write(part)
            kept = {each: told[each] for each in _KEPT if told.get(each)}
            listed.append({"bucket": bucket, "key": key, "etag": etag, "file": name, "kept": kept})
    (at / _INDEX).write_text(json.dumps(listed))


def _put_back(system: System, at: Path) -> None:
    client = connect(system, RESTORE)
    with translated(system.name, RESTORE):
        there = dict(_objects(system, client))
        for row in json.loads((at / _INDEX).read_text()):
            if there.get((row["bucket"], row["key"])) == row["etag"]:
                continue
            with (at / row["file"]).open("rb") as file:
                client.put_object(Bucket=row["bucket"], Key=row["key"], Body=file, **row["kept"])


def _objects(system: System, client: Any) -> Iterator[tuple[tuple[str, str], str]]:
    """Give bucket and key of every current version, with its ETag."""
    for bucket in sorted(system.rules):
        for page in pages(system.name, client.list_objects_v2, _LISTED, {"Bucket": bucket}):
            for row in page.get("Contents", ()):
                yield (bucket, str(row["Key"])), str(row["ETag"])


S3 = Engine((), lambda: "S3 copies", _take, _put_back)

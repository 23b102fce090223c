"""Searching everything of ours for bytes of a customer's people, after a whole exit (S2 3.2; evidence §5).

Every collection of every service, what the broker keeps on disk (queues, delays, dead letters), every log, work folder
and result. The targets' own databases and folders are looked at elsewhere (`test_a_whole_exit.py`); the server that
some of them share with the services is asked for the services' databases alone.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymongo
from bson.raw_bson import RawBSONDocument

from deploy.demo import data
from tests.e2e.exits import Exit

FORMS = re.compile(rb"\d{6}-\d{4}|[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TARGETS = ("mongod", "postgres")  # parts that hold the targets' data as well
Found = set[tuple[str, bytes]]


def probes(tenant: data.Tenant) -> set[bytes]:
    """Give what tells a tenant's people and cases apart: CPR-like numbers and UUIDs of every row."""
    made = data.tables(tenant)
    cells = (str(cell).encode() for rows in made.values() for row in rows for cell in row)
    return {cell for cell in cells if FORMS.fullmatch(cell)} | {each.encode() for each in data.cases(made)}


def in_bytes(where: str, body: bytes, wanted: set[bytes]) -> Found:
    return {(where, one) for one in set(FORMS.findall(body)) & wanted}


def in_file(path: Path, wanted: set[bytes]) -> Found:
    """Search a file, and, where it is a zip, its members."""
    try:
        found = in_bytes(str(path), path.read_bytes(), wanted)
    except FileNotFoundError:  # a log, a queue's segment or a neighbour's note that went meanwhile
        return set()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            found |= {
                one for name in archive.namelist() for one in in_bytes(f"{path}!{name}", archive.read(name), wanted)
            }
    return found


def ours(exit_: Exit) -> Iterator[Path]:
    """Give every file of the home and of the stack's data, but those of the targets and of the receiver."""
    theirs = [exit_.out / "world", exit_.out / "successor", *(Path(exit_.stack.state.data) / name for name in TARGETS)]
    for root in (exit_.home, Path(exit_.stack.state.data)):
        for path in files(root):
            if path.is_file() and not path.is_symlink() and not any(each in path.parents for each in theirs):
                yield path


def files(root: Path) -> Iterator[Path]:
    """Walk through a folder that others are at work in."""
    for folder, _, names in os.walk(root):
        yield from (Path(folder) / name for name in names)


def in_collections(exit_: Exit, wanted: set[bytes]) -> tuple[Found, int]:
    """Search every document of every service; give what was found, and how many were looked into."""
    with exit_.documents() as client:
        return in_documents(client, wanted)


def in_documents(client: pymongo.MongoClient[Any], wanted: set[bytes]) -> tuple[Found, int]:
    """Search every document of every service that keeps its own there."""
    found: Found = set()
    looked = 0
    for name in client.list_database_names():
        base = client.get_database(name)
        for each in base.list_collection_names() if name.startswith("ophor_") else ():
            options: Any = base.codec_options.with_options(document_class=RawBSONDocument)
            rows: Any = base.get_collection(each, codec_options=options).find()
            for row in rows:
                looked += 1
                found |= in_bytes(f"{name}.{each}", row.raw, wanted)
    return found, looked

"""MongoDB with mongodump and mongorestore; where they are not installed, the same files (BSON) by the driver itself."""

from __future__ import annotations

import json
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from bson import decode_file_iter
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from contracts.system_map import RESTORE, System
from shared.connectors.mongodb.session import connect, translated
from shared.restoring.tool import Engine, missing, run

_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
_AT_ONCE = 1000


def _by_tools() -> bool:
    return not (missing("mongodump") or missing("mongorestore"))


def _tool() -> str:
    return "mongodump" if _by_tools() else "BSON by the driver"


def _login(system: System, at: Path) -> list[str]:
    """Write the password into a file that only we can read."""
    user, password = system.secret(RESTORE)
    where, path = system.connection, at / "login.yaml"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"password": password}))
    host = f"{where['replica_set']}/{where['host']}" if where.get("replica_set") else str(where["host"])
    words = [f"--config={path}", f"--host={host}:{where['port']}", f"--username={user}"]
    return [*words, f"--authenticationDatabase={where.get('auth_source') or where['database']}"]


def _take(system: System, at: Path) -> None:
    name = str(system.connection["database"])
    if _by_tools():
        run(system, ["mongodump", *_login(system, at), f"--db={name}", f"--out={at}", "--quiet"], {})
        (at / "login.yaml").unlink()
        return
    folder = at / name
    folder.mkdir()
    with closing(connect(system, RESTORE)) as client, translated(system.name, RESTORE):
        base: Any = client.get_database(name)
        for each in base.list_collection_names(filter={"type": "collection"}):
            with (folder / f"{each}.bson").open("wb") as file:
                for row in base.get_collection(each, codec_options=_RAW).find({}, batch_size=_AT_ONCE):
                    file.write(row.raw)


def _put_back(system: System, at: Path) -> None:
    name = str(system.connection["database"])
    if _by_tools():
        words = ["mongorestore", *_login(system, at), "--drop", f"--nsInclude={name}.*", "--quiet", f"--dir={at}"]
        run(system, words, {})
        (at / "login.yaml").unlink()
        return
    with closing(connect(system, RESTORE)) as client, translated(system.name, RESTORE):
        base: Any = client.get_database(name)
        for path in sorted((at / name).glob("*.bson")):
            base[path.stem].delete_many({})  # an index is the collection's own, and stays
            with path.open("rb") as file:
                rows = decode_file_iter(file, codec_options=_RAW)
                while some := list(islice(rows, _AT_ONCE)):
                    base[path.stem].insert_many(some)


MONGODB = Engine((), _tool, _take, _put_back)

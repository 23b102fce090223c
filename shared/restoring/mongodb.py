"""MongoDB with mongodump and mongorestore; where they are not installed, the same files by the driver itself.

For each collection `DATABASE/NAME.bson` and `NAME.metadata.json` with its options and indexes, as mongodump lays them;
putting it back drops the collection and makes it anew, as `mongorestore --drop` does. Views hold nothing.
"""

from __future__ import annotations

import json
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from bson import decode_file_iter, json_util
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from contracts.errors import Rejected
from contracts.system_map import RESTORE, System
from shared.connectors.mongodb.session import connect, translated
from shared.restoring.tool import Engine, missing, run

_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
_AT_ONCE, _PLAIN = 1000, "$&+=:@"  # mongodump writes the rest of a name as %XX
Told = dict[str, Any]


def _by_tools() -> bool:
    return not (missing("mongodump") or missing("mongorestore"))


def _tool() -> str:
    return "mongodump" if _by_tools() else "BSON by the driver"


def _tool_run(system: System, at: Path, words: list[str]) -> None:
    try:
        run(system, [*words, "--quiet", *_login(system, at)], {})
    finally:
        (at / "login.yaml").unlink()


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
        _tool_run(system, at, ["mongodump", f"--db={name}", f"--out={at}"])
        return
    folder = at / name
    folder.mkdir()
    with closing(connect(system, RESTORE)) as client, translated(system.name, RESTORE):
        base: Any = client.get_database(name)
        for told in _collections(system, base):
            stem, metadata = quote(told["name"], safe=_PLAIN), _metadata(told, base[told["name"]])
            (folder / f"{stem}.metadata.json").write_text(metadata, encoding="utf-8")
            rows = base.get_collection(told["name"], codec_options=_RAW)
            with (folder / f"{stem}.bson").open("wb") as file:
                for row in rows.find({}, batch_size=_AT_ONCE):
                    file.write(row.raw)


def _collections(system: System, base: Any) -> list[Told]:
    """List the collections; raise DRILL_TOOL_MISSING where one of them is more than its documents."""
    found = [dict(row) for row in base.list_collections() if not row["name"].startswith("system.")]
    if "timeseries" in {row["type"] for row in found}:
        raise Rejected(
            "DRILL_TOOL_MISSING", f"{system.name}: a time series needs mongodump and mongorestore", field=system.name,
            remedy="install MongoDB's database tools", da="Værktøjet mongodump mangler.",
        )  # fmt: skip
    return [row for row in found if row["type"] == "collection"]


def _metadata(told: Told, rows: Any) -> str:
    said = {"options": told["options"], "indexes": list(rows.list_indexes()), "uuid": told["info"]["uuid"].hex()}
    said |= {"collectionName": told["name"], "type": told["type"]}
    return json_util.dumps(said, json_options=json_util.CANONICAL_JSON_OPTIONS)


def _put_back(system: System, at: Path) -> None:
    name = str(system.connection["database"])
    if _by_tools():
        _tool_run(system, at, ["mongorestore", "--drop", f"--nsInclude={name}.*", f"--dir={at}"])
        return
    with closing(connect(system, RESTORE)) as client, translated(system.name, RESTORE):
        base: Any = client.get_database(name)
        for path in sorted((at / name).glob("*.bson")):
            rows_of = _made_anew(base, path)
            with path.open("rb") as file:
                rows = decode_file_iter(file, codec_options=_RAW)
                while some := list(islice(rows, _AT_ONCE)):
                    rows_of.insert_many(some)


def _made_anew(base: Any, path: Path) -> Any:
    """Drop a collection, make it again with its options and indexes, and give it."""
    told, name = json_util.loads(path.with_suffix(".metadata.json").read_text("utf-8")), unquote(path.stem)
    base.drop_collection(name)
    base.command({"create": name, **told["options"]})
    if indexes := [dict(each) for each in told["indexes"] if each["name"] != "_id_"]:
        base.command("createIndexes", name, indexes=indexes)
    return base[name]


MONGODB = Engine((), _tool, _take, _put_back)

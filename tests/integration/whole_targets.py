"""Real targets with a place `alene` that is the leaving tenant's alone, and what a test does to that place by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymongo

from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import LEAVING, STAYING, Target, uuid_of
from tests.parts import Parts

ROWS = 6
KINDS: dict[str, Callable[[Parts, Path], AbstractContextManager[Target]]] = {
    "postgresql": lambda parts, folder: targets.postgresql(parts.postgres_uri, folder),
    "mariadb": lambda parts, folder: targets.mariadb(parts.mariadb, folder),
    "sqlite": lambda parts, folder: targets.sqlite(folder),
    "mongodb": lambda parts, folder: targets.mongodb(parts.mongo_uri, folder),
    "files": lambda parts, folder: targets.files(folder),
}
TABLE = "CREATE TABLE alene (id INT PRIMARY KEY, lejer INT, navn VARCHAR(60))"


@dataclass
class Alone:
    """The place by hand: put a row of a tenant there, refer to it from outside, let it vanish, count all of it."""

    put: Callable[[str, int], Any]
    remove: Callable[[str, int], Any]
    refer: Callable[..., Any]
    vanish: Callable[[], Any]
    left: Callable[[], int | None]


def left(target: Target) -> int | None:
    """Give how many rows the place has, as whoever verifies sees it; None where it is not there."""
    connector = target.open("verify")
    return connector.total("alene") if "alene" in connector.discover().columns() else None


@contextmanager
def alone(kind: str, way: str, parts: Parts, folder: Path) -> Iterator[tuple[Target, Alone]]:
    """Make a target of a kind with its place, and the rights that the way needs."""
    with KINDS[kind](parts, folder) as target:
        rule = {"tenant_key": "folder" if kind == "files" else "lejer", "whole": way}
        target.content["places"]["alene"] = rule
        hand = {"mongodb": _mongodb, "files": _files}.get(kind, _sql)(target, parts, way)
        for number in range(ROWS):
            hand.put(LEAVING, number)
        yield target, hand


def _sql(target: Target, parts: Parts, way: str) -> Alone:
    if way == "part":
        target.execute("CREATE TABLE alene (id INT, lejer INT, navn VARCHAR(60)) PARTITION BY LIST (lejer)")
        for tenant in (LEAVING, STAYING):
            target.execute(f"CREATE TABLE alene_{tenant} PARTITION OF alene FOR VALUES IN ({tenant})")
    else:
        target.execute(TABLE)
    _grant(target, way)

    def put(tenant: str, number: int) -> None:
        target.execute(f"INSERT INTO alene VALUES ({number}, {tenant}, '{uuid_of(number + 9000)}')")

    def refer(*, ours: bool = False) -> None:
        target.execute("CREATE TABLE udefra (id INT PRIMARY KEY, r INT, FOREIGN KEY (r) REFERENCES alene (id))")
        target.content["places"]["udefra"] = {"excluded": "NOT_CUSTOMER_DATA"}
        if ours:
            target.content["places"]["udefra"] = {"tenant_path": ["r", "lejer"], "whole": "drop"}
            target.execute("INSERT INTO udefra SELECT id, id FROM alene")
            _grant(target, way, "udefra")
        elif target.kind == "postgresql":
            target.execute("GRANT SELECT ON udefra TO PUBLIC")

    def remove(tenant: str, number: int) -> None:
        target.execute(f"DELETE FROM alene WHERE lejer = {tenant} AND id = {number}")

    return Alone(put, remove, refer, lambda: target.execute("DROP TABLE alene"), lambda: left(target))


def _grant(target: Target, way: str, table: str = "alene") -> None:
    if target.kind == "sqlite":
        return
    users = {purpose: target.content["credentials"][purpose]["user"] for purpose in ("extract", "verify", "delete")}
    if target.kind == "mariadb":
        base = target.content["connection"]["database"]
        target.execute(f"GRANT DROP ON {base}.{table} TO {users['delete']}")
        target.execute(f"GRANT LOCK TABLES ON {base}.* TO {users['delete']}")
        return
    for user in users.values():
        target.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}")
    if way == "drop":
        target.execute(f"ALTER TABLE {table} OWNER TO {users['delete']}")
        return
    for table in ("alene", f"alene_{LEAVING}") if way == "part" else ("alene",):
        target.execute(f"GRANT TRUNCATE ON {table} TO {users['delete']}")


def _mongodb(target: Target, parts: Parts, way: str) -> Alone:
    name = target.content["connection"]["database"]
    base = pymongo.MongoClient[dict[str, Any]](parts.mongo_uri)[name]
    more = {"resource": {"db": name, "collection": ""}, "actions": ["renameCollectionSameDB", "dropCollection"]}
    base.command("grantPrivilegesToRole", "delete_role", privileges=[more])

    def put(tenant: str, number: int) -> None:
        base.alene.insert_one({"_id": f"{tenant}-{number}", "lejer": int(tenant), "person": uuid_of(number + 9000)})

    def refer() -> None:
        base.create_collection("visning", viewOn="sager", pipeline=[{"$unionWith": "alene"}])

    def remove(tenant: str, number: int) -> None:
        base.alene.delete_one({"_id": f"{tenant}-{number}"})

    return Alone(put, remove, refer, base.alene.drop, lambda: left(target))


def _files(target: Target, parts: Parts, way: str) -> Alone:
    place = target.folder / "arkiv" / "alene"

    def put(tenant: str, number: int) -> None:
        (place / tenant / f"mappe {number % 2}").mkdir(parents=True, exist_ok=True)
        (place / tenant / f"mappe {number % 2}" / f"{uuid_of(number + 9000)}.txt").write_text("indhold")

    if way == "part":
        put(STAYING, 1)

    def remove(tenant: str, number: int) -> None:
        shutil.rmtree(place / tenant)

    return Alone(put, remove, lambda: None, lambda: shutil.rmtree(place), lambda: left(target))

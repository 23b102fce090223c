"""A world whose one system can be backed up and put back: for drills of the restore guard on real engines."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pymongo
import pytest

from contracts.system_map import SystemMap
from shared.restoring import Taken, take
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target, _secret
from tests.integration.deletion_world import World, a_world
from tests.parts import Parts


def _postgresql(parts: Parts, target: Target, name: str) -> Callable[[], None]:
    with psycopg.connect(parts.postgres_uri, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} SUPERUSER LOGIN PASSWORD 'hemmelig'")

    def drop() -> None:
        with psycopg.connect(parts.postgres_uri, autocommit=True) as again:
            again.execute(f"DROP ROLE {name}")

    return drop


def _mariadb(parts: Parts, target: Target, name: str) -> Callable[[], None]:
    base = target.content["connection"]["database"]
    target.execute(f"CREATE USER {name}@'%' IDENTIFIED BY 'hemmelig'")
    target.execute(f"GRANT ALL ON {base}.* TO {name}@'%'")
    return lambda: target.execute(f"DROP USER {name}@'%'") and None


def _mongodb(parts: Parts, target: Target, name: str) -> Callable[[], None]:
    with pymongo.MongoClient[dict[str, Any]](parts.mongo_uri) as client:
        base = client[target.content["connection"]["database"]]
        base.command("createUser", name, pwd="hemmelig", roles=["readWrite", "dbAdmin"])
    return lambda: None


def _s3(parts: Parts, target: Target, name: str) -> Callable[[], None]:
    everything = [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]
    user, secret = parts.object_store.add_user(name, everything)
    target.content["credentials"]["restore"] = {"user": user, "password_file": f"secrets/{user}"}
    _secret(target.folder, user, secret)
    return lambda: None


ENGINES: dict[str, tuple[Callable[[Parts, Path], Any], Callable[[Parts, Target, str], Callable[[], None]]]] = {
    "postgresql": (lambda parts, folder: targets.postgresql(parts.postgres_uri, folder), _postgresql),
    "mariadb": (lambda parts, folder: targets.mariadb(parts.mariadb, folder), _mariadb),
    "mongodb": (lambda parts, folder: targets.mongodb(parts.mongo_uri, folder), _mongodb),
    "s3": (lambda parts, folder: targets.s3(parts.object_store, folder), _s3),
}


@dataclass
class Drill:
    """A world whose one system can be backed up and put back with the engine's own tools."""

    world: World
    folder: Path

    @property
    def map(self) -> SystemMap:
        return self.world.target.map()

    def back_up(self) -> Taken:
        return take(self.map, "maal", self.folder / "drill")

    def gate(self) -> dict[str, Any]:
        return self.world.house.ask("restore_check", {"system": "maal"})

    def events(self, wire: str) -> list[dict[str, Any]]:
        return self.world.house.events(wire)

    def pass_days(self, until: timedelta) -> None:
        """Let the days pass on which a timer is due, as the clock does."""
        house = self.world.house
        end = house.clock.instant + until
        while (due := house.timer()) and due.replace(tzinfo=UTC) <= end:
            house.clock.instant = max(house.clock.instant, due.replace(tzinfo=UTC) + timedelta(hours=8))
            house.fire()
        house.clock.instant = max(end, house.clock.instant)

    def announce(self, set_id: str = "natlig-1") -> dict[str, Any]:
        return self.world.house.ask("announce_restore", {"system": "maal", "set_id": set_id, "taken_on": "2026-09-30"})

    def replay(self, restore_id: str) -> None:
        self.world.house.ask("replay_restore", {"restore_id": restore_id})
        self.world.house.carry()

    def delete_again(self) -> dict[str, Any]:
        """Do as the plan does once it has heard that rows returned: the activity is due again, and approved anew."""
        self.world.house.due("D7a", "maal")
        self.world.house.carry()
        self.world.house.permit()
        self.world.house.carry()
        return self.world.house.ask("read_job", {"activity": "D7a"})


@contextmanager
def restorable(kind: str, parts: Parts, folder: Path) -> Iterator[Target]:
    """Make a target with a user who may take its backup and put it back."""
    make, user = ENGINES[kind]
    with ExitStack() as stack:
        target = stack.enter_context(make(parts, folder))
        name = f"r{secrets.token_hex(4)}"
        target.content["credentials"]["restore"] = {"user": name, "password_file": f"secrets/{name}"}
        _secret(folder, name, "hemmelig")
        stack.callback(user(parts, target, name))
        yield target


@contextmanager
def a_drill(kind: str, parts: Parts, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drill]:
    monkeypatch.setenv("OPHOR_LOOK_DAYS", "7")
    with restorable(kind, parts, folder) as target, a_world(target, parts.mongo_uri, folder, monkeypatch) as world:
        yield Drill(world, folder)

"""The demo's world for its tests, on the run's servers with its processes; and a MongoDB for a clock of one's own."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pymongo
from pymongo.errors import PyMongoError

from deploy.demo.world import World, WorldSettings, make_world
from deploy.stack import programs
from deploy.stack.ports import Ports
from tests import waiting
from tests.parts import Parts

TODAY, DELETION = date(2026, 3, 2), date(2026, 9, 1)


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait until `condition` gives something true, and give it; that a server is away passes."""
    return waiting.until(condition, what, passing=(OSError, PyMongoError, psycopg.Error))


@contextmanager
def folder() -> Iterator[Path]:
    """Give a temporary folder."""
    path = Path(tempfile.mkdtemp(prefix="ophor-demo-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def running(argv: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process while the block runs."""
    process = subprocess.Popen(argv, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(waiting.LONGEST_S)


@contextmanager
def mongo() -> Iterator[str]:
    """Run a MongoDB replica set of one node with access control; give its administrator's URI."""
    password = secrets.token_hex(8)
    with folder() as home, Ports() as ports:
        port, key = ports.choose(), home / "key"
        key.write_text(secrets.token_hex(64))
        key.chmod(0o600)
        (home / "data").mkdir()
        argv = [programs.mongod(), "--dbpath", str(home / "data"), "--port", str(port), "--replSet", "rs0",
                "--keyFile", str(key), "--bind_ip", "127.0.0.1", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25",
                "--setParameter", "diagnosticDataCollectionEnabled=0", "--logpath", str(home / "log")]  # fmt: skip
        with running(argv, stdout=subprocess.DEVNULL):
            direct = f"mongodb://127.0.0.1:{port}/?directConnection=true&serverSelectionTimeoutMS=1000"
            with pymongo.MongoClient(direct) as client:
                until(lambda: client.admin.command("ping"), "mongod answers")
                client.admin.command(
                    "replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]}
                )
                until(lambda: client.admin.command("hello")["isWritablePrimary"], "mongod is primary")
                client.admin.command("createUser", "admin", pwd=password, roles=["root"])
            yield f"mongodb://admin:{password}@127.0.0.1:{port}/?replicaSet=rs0&authSource=admin"


@contextmanager
def made_world(parts: Parts) -> Iterator[tuple[World, WorldSettings]]:
    """Make a world on the run's servers, its case index running; one at a time, for its names are fixed."""
    postgres_uri, mongo_uri = parts.postgres_uri, parts.mongo_uri
    with (parts.home / "demo-world.lock").open("w") as lock, folder() as home, Ports() as ports:
        fcntl.flock(lock, fcntl.LOCK_EX)
        settings = WorldSettings(home / "world", postgres_uri, mongo_uri, ports.choose(), TODAY, DELETION)
        world = make_world(settings)
        with process("case-index", world):
            yield world, settings


@contextmanager
def process(name: str, world: World, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of the world's processes until the block ends; it is ready when the block begins."""
    with Ports() as ports:
        health = ports.choose()
        argv = [sys.executable, "-m", "deploy.demo", name, "--world", str(world.folder)]
        with running(argv, env={**os.environ, "OPHOR_HEALTH_PORT": str(health), **env}) as started:
            until(lambda: answers(f"http://127.0.0.1:{health}/ready"), f"{name} is ready")
            yield started


def answers(url: str) -> bool:
    """Tell whether an address answers with 200."""
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False

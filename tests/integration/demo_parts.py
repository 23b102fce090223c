"""Private servers for the demo's tests: PostgreSQL with passwords and MongoDB with access control, on free ports.

Each lies in a world-traversable temporary folder and is stopped and removed at the end.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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

TODAY, DELETION = date(2026, 3, 2), date(2026, 9, 1)


def until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """Wait until `condition` gives something true, and give it; fail naming `what`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError, PyMongoError, psycopg.Error):
            if value := condition():
                return value
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain: {what}")


@contextmanager
def folder(user: str | None = None) -> Iterator[Path]:
    """Give a temporary folder that every system user can pass through."""
    path = Path(tempfile.mkdtemp(prefix="ophor-demo-", dir="/tmp"))
    path.chmod(0o755)
    if user:
        shutil.chown(path, user, user)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def running(argv: list[str], user: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server while the block runs."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    process = subprocess.Popen(argv, user=user, group=user, extra_groups=[] if user else None, **quiet)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL server; give its administrator's URI."""
    user, password = programs.user_for("postgres"), secrets.token_hex(8)
    with folder(user) as home, Ports() as ports:
        port, data = ports.choose(), home / "data"
        (home / "pw").write_text(password)
        if user:
            shutil.chown(home / "pw", user)
        subprocess.run(
            [programs.postgres("initdb"), "-D", str(data), "-U", "postgres", "--pwfile", str(home / "pw"),
             "-A", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
            user=user, group=user, extra_groups=[] if user else None, check=True, stdout=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
        argv = [programs.postgres("postgres"), "-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1",
                "-c", f"unix_socket_directories={home}", "-c", "fsync=off"]  # fmt: skip
        uri = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
        with running(argv, user):
            until(lambda: psycopg.connect(uri, connect_timeout=2).close() or True, "PostgreSQL answers")
            yield uri


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
        with running(argv):
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
def made_world() -> Iterator[tuple[World, WorldSettings]]:
    """Make a world on servers of its own, its case index running; give it with its settings."""
    with postgres() as postgres_uri, mongo() as mongo_uri, folder() as home, Ports() as ports:
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
        started = subprocess.Popen(argv, env={**os.environ, "OPHOR_HEALTH_PORT": str(health), **env})
        try:
            port = world.case_index_port if name == "case-index" else health
            until(lambda: answers(f"http://127.0.0.1:{port}/live"), f"{name} answers")
            yield started
        finally:
            started.terminate()
            started.wait(20)


def answers(url: str) -> bool:
    """Tell whether an address answers with 200."""
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False

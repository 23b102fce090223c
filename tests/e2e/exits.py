"""Whole exits for the tests: `ophor` as a subprocess on a home of its own, and what can be seen of it from outside.

Targets are asked directly, as their administrators (they are the tests' targets); of the product only the command
line, its files and its logs are used. `Reference` is the one undisturbed demo that all tests of a run share, also over
xdist's workers.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pymongo
from psycopg import conninfo

from deploy.demo.world import World, load_world
from deploy.stack import guard, spawn
from deploy.stack.instance import ROOT, Stack

OPHOR = str(Path(sys.executable).with_name("ophor"))
LONGEST_S = 1200.0
TOTALS = ("delivered", "deleted", "remaining", "classes")


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and all it said."""

    code: int
    text: str


@dataclass(frozen=True)
class Exit:
    """A demo in a home folder."""

    home: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def out(self) -> Path:
        """Give the folder of its results."""
        return self.home / "demo"

    @property
    def stack(self) -> Stack:
        """Open its stack."""
        return Stack.open(self.home)

    @property
    def world(self) -> World:
        """Give its world, as it was made."""
        return load_world(self.out / "world")

    def environment(self) -> dict[str, str]:
        """Give the environment of its commands: the tests' own, its home, and the mark by which a guard ends them."""
        return {**os.environ, "OPHOR_HOME": str(self.home), spawn.STACK_MARK: str(self.home), "COLUMNS": "300"}

    def run(self, *words: str) -> Ended:
        """Run `ophor WORDS` to its end."""
        done = subprocess.run(
            [OPHOR, *words], env=self.environment(), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, timeout=LONGEST_S,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout + done.stderr)

    def start(self, *words: str, said: str = "said.txt") -> Running:
        """Start `ophor WORDS`; what it says goes to the file `said` in the home."""
        path = self.home / said
        with path.open("ab") as file:
            begins = file.tell()
            process = subprocess.Popen(
                [OPHOR, *words], env=self.environment(), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        self.started.append(process)
        return Running(process, path, begins)

    def take_away(self) -> None:
        """End what was started here, its stack, and remove the home."""
        for process in self.started:
            process.kill()
            process.wait()
        guard.take_away(self.home)

    def summary(self) -> dict[str, Any]:
        """Read what it came to."""
        found: dict[str, Any] = json.loads((self.out / "summary.json").read_text("utf-8"))
        return found

    @property
    def has_ended(self) -> bool:
        """Tell whether there is a summary."""
        return (self.out / "summary.json").exists()

    @property
    def keys(self) -> list[str]:
        """Give the options that make the verifier trust its keys."""
        return [f"--key={line}" for line in (self.out / "keys.txt").read_text("utf-8").split()]

    @contextmanager
    def placement(self) -> Iterator[psycopg.Connection[Any]]:
        """Connect to the placement solution's database as its server's superuser."""
        target = conninfo.make_conninfo(self.stack.parts.postgres_uri, dbname="pladsanvisning")
        with psycopg.connect(target, autocommit=True) as connection:
            yield connection

    @contextmanager
    def documents(self) -> Iterator[pymongo.MongoClient[dict[str, Any]]]:
        """Connect to MongoDB as its administrator."""
        with pymongo.MongoClient[dict[str, Any]](self.stack.parts.mongo.admin_uri) as client:
            yield client

    def marked(self) -> list[spawn.Ticket]:
        """List what runs of its stack."""
        return spawn.marked(str(self.home))


@dataclass(frozen=True)
class Running:
    """A command that runs; `said` is where it writes, from `begins` on."""

    process: subprocess.Popen[bytes]
    said: Path
    begins: int

    @property
    def text(self) -> str:
        """Give all that it said so far."""
        return self.said.read_bytes()[self.begins :].decode("utf-8", "replace")

    @property
    def ended(self) -> bool:
        """Tell whether it has ended."""
        return self.process.poll() is not None

    def wait(self) -> Ended:
        """Wait for its end."""
        return Ended(self.process.wait(LONGEST_S), self.text)


def totals(summary: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Give what a summary says of every place."""
    return {(row["system"], row["place"]): {name: row[name] for name in TOTALS} for row in summary["systems"]}


def undisturbed(run_home: Path, run_pid: int) -> Reference:
    """Give this test run's one undisturbed demo, run by whoever asks first; the others wait for it."""
    told = run_home / "undisturbed.json"
    with told.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            told.write_text(json.dumps(_run_undisturbed(run_pid)))
    return Reference(**json.loads(told.read_text()))


def _run_undisturbed(run_pid: int) -> dict[str, Any]:
    home = Path(tempfile.mkdtemp(prefix="ophor-undisturbed-"))
    home.chmod(0o755)
    guard.start(home, run_pid)
    exit_ = Exit(home)
    ended = exit_.run("demo")
    left = [ticket.pid for ticket in exit_.marked()]
    return {"folder": str(home), "code": ended.code, "text": ended.text, "left_running": left}


@dataclass(frozen=True)
class Reference:
    """The undisturbed demo: how it ended, and which of its processes still ran then."""

    folder: str
    code: int
    text: str
    left_running: list[int]

    @property
    def exit(self) -> Exit:
        """Give the exit."""
        return Exit(Path(self.folder))

    def open(self) -> Exit:
        """Start its stack again, unless it runs, and give the exit."""
        with (self.exit.home / "opening.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.exit.marked():
                ended = self.exit.run("up")
                assert ended.code == 0, ended.text
        return self.exit

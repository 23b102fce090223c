"""kill -9 at every boundary of a deletion, on every kind of target: one job a kind, which dies at one after the other.

After each death: never more is claimed than is gone, and not more is gone than was claimed or meant. The next process
takes over; at the end every row is gone and was counted once, and the neighbours have all of theirs.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymongo
import pytest

from contracts.errors import Unavailable
from shared.connectors.protocol import Key
from tests.integration import connectors_targets as targets
from tests.integration.connectors_targets import Target
from tests.integration.deletion_doomed import BOUNDARIES
from tests.integration.deletion_world import Customer, World, a_world
from tests.parts import Parts
from tests.unit import record_reader as reader
from tests.waiting import until

KILLED = -9
WITHOUT_BATCHES = ("preview", "begin", "end")  # what people do has no batch, and no answer before they attest it


@contextmanager
def a_broker(parts: Parts, folder: Path) -> Iterator[Target]:
    broker = parts.broker()
    try:
        with targets.queues(broker, folder) as target:
            yield target
    finally:
        broker.remove()


KINDS: dict[str, Callable[[Parts, Path], AbstractContextManager[Target]]] = {
    "postgresql": lambda parts, folder: targets.postgresql(parts.postgres_uri, folder),
    "mariadb": lambda parts, folder: targets.mariadb(parts.mariadb, folder),
    "sqlite": lambda parts, folder: targets.sqlite(folder),
    "mongodb": lambda parts, folder: targets.mongodb(parts.mongo_uri, folder),
    "files": lambda parts, folder: targets.files(folder),
    "case_index": lambda parts, folder: targets.index(folder),
    "queues": lambda parts, folder: a_broker(parts, folder),
    "s3": lambda parts, folder: targets.s3(parts.object_store, folder),
    "manual": lambda parts, folder: targets.manual(folder),
}


@dataclass
class Lane:
    """A process that forks deleters, and what is seen of the world after each of them."""

    world: World
    mongo_uri: str
    forks: subprocess.Popen[str]
    customer: Customer
    acknowledged: bool = False
    seq: int = 100

    def go(self, at: str = "") -> int:
        """Have one deleter work until it dies `at` a boundary, or to the end; give how it ended."""
        self.end_transactions()
        house, self.seq = self.world.house, self.seq + 100
        told = {
            "mongo": self.mongo_uri, "database": house.store.db.name, "folder": str(house.folder), "at": at,
            "acknowledged": self.acknowledged, "seq": self.seq,
        }  # fmt: skip
        assert self.forks.stdin and self.forks.stdout
        print(json.dumps(told), file=self.forks.stdin, flush=True)
        self.acknowledged = at.endswith(", acknowledged")
        return int(self.forks.stdout.readline())

    def end_transactions(self) -> None:
        """End what the dead left open in MongoDB, which does so by itself after a minute (SQL engines do at once)."""
        base = self.world.target.content["connection"].get("database", "")
        user = hashlib.sha256(f"{base}_delete@{base}".encode()).digest()  # as the server names a session's user
        app = f"ophor-{self.world.house.store.db.name}"
        with pymongo.MongoClient[dict[str, Any]](self.mongo_uri) as client:
            idle: list[dict[str, Any]] = [
                {"$currentOp": {"allUsers": True, "idleSessions": True}},
                {"$match": {"type": "idleSession"}},
            ]
            for row in client.admin.aggregate(idle):
                if row.get("appName") == app or bytes(row["lsid"]["uid"]) == user:
                    client.admin.command("killAllSessionsByPattern", [{"lsid": row["lsid"]}])

    def left(self) -> int:
        """Count the customer's rows, once the target has let go of what the dead process held."""
        if (
            self.world.target.kind == "files"
        ):  # `count` also counts a folder emptied by what lies aside, till it is back
            own = (self.world.target.folder / "arkiv").glob(f"*/{targets.LEAVING}/**/*")
            return sum(1 for path in own if path.is_file())

        def look() -> list[int]:
            try:
                return [self.world.rows()]
            except Unavailable:
                return []

        return until(look, "the target can be counted")[0]

    def counts(self) -> tuple[int, int]:
        """Give what is claimed to be deleted, and how many rows open intents mean beside it."""
        claimed = sum(each["deleted"] for each in self.world.house.events("deletion.deletion_batch_closed"))
        meant = self.world.house.store.db.batches.find({"state": {"$ne": "closed"}})
        return claimed, sum(row["planned"] for row in meant)

    def keys(self) -> list[tuple[str, Key]]:
        """List every record of the customer's, as a deletion names it."""
        looks, places = self.world.target.open("verify"), self.world.target.places
        return [(place, key) for place in places for key in looks.keys(place, 100)]

    def committed(self, keys: list[tuple[str, Key]]) -> bool:
        """Tell whether the sealed file commits to these records, each once, under the roots that were told."""
        opened, told = self.customer.opened(), self.world.house.events("deletion.deletion_batch_closed")
        job_id = told[0]["job_id"]
        key = opened.key(job_id, "maal")
        roots = [reader.batch_root(key, "maal", batch["place"], leaves) for batch, leaves in opened.batches]
        made = sorted(leaf for _, leaves in opened.batches for leaf in leaves)
        expected = sorted(reader.commitment(key, "maal", place, one) for place, one in keys)
        return made == expected and roots == [each["records_root"] for each in told if each["deleted"]]


@pytest.fixture(params=KINDS)
def lane(
    request: pytest.FixtureRequest, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Lane]:
    with (
        KINDS[request.param](parts, tmp_path) as target,
        a_world(target, parts.mongo_uri, tmp_path, monkeypatch) as world,
    ):
        monkeypatch.setenv("OPHOR_BATCH", "1")
        customer = Customer(world, monkeypatch)
        customer.ask()
        argv = [sys.executable, "-m", "tests.integration.deletion_doomed"]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as forks:
            yield Lane(world, parts.mongo_uri, forks, customer)
            assert forks.stdin
            forks.stdin.close()


def test_a_deleter_killed_at_every_boundary_never_overclaims_and_the_next_one_goes_on(lane: Lane) -> None:
    world, kind = lane.world, lane.world.target.kind
    world.house.due("D7a", "maal")
    world.house.close_access("D7a", "maal")
    total = lane.left() if kind == "manual" else 11 if len(world.target.places) == 2 else 7
    keys = [] if kind == "manual" else lane.keys()
    for at in BOUNDARIES:
        if kind == "manual" and not any(word in at for word in WITHOUT_BATCHES):
            continue
        assert lane.go(at) == KILLED, f"{kind}, {at}: nobody died there"
        claimed, meant = lane.counts()
        gone = total - lane.left()
        assert claimed <= gone <= claimed + meant, f"{kind}, {at}: {claimed} claimed, {meant} meant, {gone} gone"
    assert lane.go() == 0, f"{kind}: the last process failed"
    answer = world.house.events("deletion.deletion_verified")
    batches = world.house.events("deletion.deletion_batch_closed")
    assert [each["batch"] for each in batches] == list(range(1, len(batches) + 1)), kind
    assert len(world.house.events("deletion.deletion_executed")) == 1, kind
    assert len(answer) == (kind != "manual"), kind
    if kind != "manual":
        assert (answer[0]["result"], lane.left(), lane.counts()) == ("DELETED", 0, (total, 0)), kind
        assert sum(row["deleted"] for row in answer[0]["places"]) == total, kind
        assert world.target.neighbours() == sum(world.target.before(own=False).values()), kind
        assert lane.committed(keys), kind

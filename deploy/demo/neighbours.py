"""The two municipalities that stay, at work while a third one leaves: they write in every system, all the time.

Each of them uses its own app users and touches its own rows only: a few inserts, updates and deletes a second, with a
bound on what is left lying (OWN_ROWS a place). What was done is counted in `neighbours.json`. A system that does not
answer is counted and tried again; killed at any moment, it goes on with the next piece of work.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import httpx
import psycopg
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from deploy.demo import booking, data, morgenvagt, pladsanvisning
from deploy.demo.data import Draw, Tenant
from deploy.demo.world import World

STATS = "neighbours.json"
WORK_EVERY_S = 0.2
OWN_ROWS = 40
PATIENCE_S = 30
NOTE = "Skrevet mens en nabo flyttede"

Work = Callable[[], str]


class Neighbour:
    """One municipality that stays; every method does one small piece of work and names it."""

    def __init__(self, tenant: Tenant, world: World) -> None:
        self.tenant, self.world = tenant, world
        self.draw = Draw(tenant, data.SEED + 10)
        self.draw.random = Random()  # what neighbours write differs from run to run
        self.draw.pick = self.draw.random.choice
        self._client: MongoClient[Any] | None = None
        self._session: psycopg.Connection[Any] | None = None
        self._http = httpx.Client(timeout=PATIENCE_S, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
        self.works: tuple[Work, ...] = (
            self.apply, self.move, self.withdraw, self.announce, self.change_morning, self.forget_morning,
            self.file_agreement, self.import_case,
        )  # fmt: skip

    def one(self) -> str:
        """Do one piece of work, chosen at random, and name it."""
        return self.draw.pick(self.works)()

    def apply(self) -> str:
        """Apply for a place for one of the own children."""
        with self._base() as base:
            base.execute(
                "INSERT INTO ansoegning (kommunekode, barn_id, pasningstype, oensket_dato, modtaget, bemaerkning)"
                " SELECT kommunekode, barn_id, 'SFO', current_date, now(), %(note)s FROM barn"
                " WHERE kommunekode = %(code)s AND %(most)s > (SELECT count(*) FROM ansoegning"
                " WHERE kommunekode = %(code)s AND bemaerkning = %(note)s) ORDER BY random() LIMIT 1",
                {"note": NOTE, "code": self.tenant.code, "most": OWN_ROWS},
            )
        return "pladsanvisning.insert"

    def move(self) -> str:
        """Give one of the own children a new address."""
        with self._base() as base:
            base.execute(
                "UPDATE barn SET adresse = %s WHERE barn_id = (SELECT barn_id FROM barn WHERE kommunekode = %s"
                " ORDER BY random() LIMIT 1)",
                (self.draw.address(), self.tenant.code),
            )
        return "pladsanvisning.update"

    def withdraw(self) -> str:
        """Withdraw the oldest of the own applications that were made here."""
        with self._base() as base:
            base.execute(
                "DELETE FROM ansoegning WHERE ansoegning_id = (SELECT min(ansoegning_id) FROM ansoegning"
                " WHERE kommunekode = %s AND bemaerkning = %s)",
                (self.tenant.code, NOTE),
            )
        return "pladsanvisning.delete"

    def announce(self) -> str:
        """Announce a child's morning."""
        mornings = self._mornings()
        if mornings.count_documents({"kommune": self.tenant.code, "note": NOTE}) < OWN_ROWS:
            mornings.insert_one(morgenvagt.attendance(self.draw) | {"note": NOTE})
        return "morgenvagt.insert"

    def change_morning(self) -> str:
        """Change who fetches a child."""
        self._mornings().update_one({"kommune": self.tenant.code}, {"$set": {"hentes_af": self.draw.name()}})
        return "morgenvagt.update"

    def forget_morning(self) -> str:
        """Take back an announced morning."""
        self._mornings().delete_one({"kommune": self.tenant.code, "note": NOTE})
        return "morgenvagt.delete"

    def file_agreement(self) -> str:
        """File an agreement in the own folder; overwrite the oldest when there are enough."""
        number = self.draw.random.randrange(OWN_ROWS)
        folder = self.world.folder / "booking" / "aftaler" / self.tenant.code
        (folder / f"aftale-nabo-{number:02}.txt").write_bytes(booking.agreement(self.draw, number))
        return "booking.write"

    def import_case(self) -> str:
        """Import a case into the case index; the same few cases again and again."""
        number = self.draw.random.randrange(OWN_ROWS)
        case = str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:ophor:demo:{self.tenant.cvr}:{number}"))
        answer = self._http.post(
            f"http://127.0.0.1:{self.world.case_index_port}/importer",
            json={"sager": [{"uuid": case, "ejer_cvr": self.tenant.cvr}]},
            headers={"Authorization": f"Bearer {self.world.secret('ci_import')}"},
        )  # fmt: skip
        answer.raise_for_status()
        return "sagsindeks.import"

    @contextmanager
    def _base(self) -> Iterator[psycopg.Connection[Any]]:
        """Give the app's own session, made anew where the last one failed."""
        address, user = self.world.servers["pladsanvisning"], pladsanvisning.app_user(self.tenant)
        if self._session is None:
            self._session = psycopg.connect(
                host=address["host"], port=address["port"], dbname=address["database"], user=user,
                password=self.world.secret(user), connect_timeout=PATIENCE_S, application_name="neighbours",
                autocommit=True,
            )  # fmt: skip
        try:
            yield self._session
        except psycopg.Error:
            self._session.close()
            self._session = None
            raise

    def _mornings(self) -> Collection[Any]:
        if self._client is None:
            address, user = self.world.servers["morgenvagt"], morgenvagt.app_user(self.tenant)
            self._client = MongoClient(
                address["host"], address["port"], username=user, password=self.world.secret(f"mv_{user}"),
                authSource=address["auth_source"], replicaSet=address.get("replica_set"),
                serverSelectionTimeoutMS=PATIENCE_S * 1_000, appname="neighbours",
            )  # fmt: skip
        return self._client[morgenvagt.DATABASE]["fremmoede"]


class Stats:
    """What the neighbours did, by name, in a file that is replaced as a whole; counting goes on after a restart."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        with suppress(OSError, ValueError):
            body = json.loads(path.read_text())
            self.done, self.failed = Counter(body["done"]), Counter(body["failed"])

    def save(self) -> None:
        """Write the file."""
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps({"total": self.done.total(), "done": self.done, "failed": self.failed}, indent=2))
        beside.replace(self.path)


def run(world: World, stopping: threading.Event) -> None:
    """Let the staying tenants work in turn until `stopping`."""
    stats = Stats(world.folder / STATS)
    neighbours = [Neighbour(tenant, world) for tenant in data.STAYING]
    while not stopping.is_set():
        for neighbour in neighbours:
            try:
                stats.done[neighbour.one()] += 1
            except (psycopg.Error, PyMongoError, httpx.HTTPError, OSError) as error:
                stats.failed[type(error).__name__] += 1
        stats.save()
        stopping.wait(WORK_EVERY_S)

"""MongoDB as a private local replica set of one member: key file, users, journal; loopback only."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from contracts.errors import Unavailable
from deploy.stack import programs
from deploy.stack.spawn import Launch

ROOT = "root"


@dataclass(frozen=True, slots=True)
class Mongo:
    """One private member; `password` is the administrator's."""

    folder: Path
    port: int
    password: str
    log: Path
    given: str = ""

    @property
    def admin_uri(self) -> str:
        """Give the administrator's address."""
        return self.given or f"mongodb://{ROOT}:{self.password}@127.0.0.1:{self.port}/?replicaSet=rs0&authSource=admin"

    def prepare(self, key: str) -> None:
        """Lay out the member's folder."""
        (self.folder / "db").mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        keyfile = self.folder / "keyfile"
        if not keyfile.exists():
            keyfile.write_text(key)
            keyfile.chmod(0o400)

    def launch(self) -> Launch:
        """Give how the member is started."""
        argv = [
            programs.mongod(),
            "--dbpath",
            str(self.folder / "db"),
            "--port",
            str(self.port),
            "--bind_ip",
            "127.0.0.1",
            "--replSet",
            "rs0",
            "--keyFile",
            str(self.folder / "keyfile"),
            "--nounixsocket",
            "--quiet",
            "--wiredTigerCacheSizeGB",
            "0.5",
            "--oplogSize",
            "512",
            "--setParameter",
            "diagnosticDataCollectionEnabled=false",
            "--setParameter",
            "transactionLifetimeLimitSeconds=10",  # a killed process's open transaction keeps others waiting that long
        ]
        env = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "HOME": str(self.folder)}
        return Launch(argv, env, self.log, cwd=self.folder)

    def ready(self) -> bool:
        """Tell whether the member answers at all."""
        try:
            with self._given() if self.given else self._alone() as client:
                client.admin.command("ping")
        except PyMongoError:
            return False
        return True

    def writable(self) -> bool:
        """Tell whether the member is its replica set's primary."""
        try:
            with self._alone() as client:
                return bool(client.admin.command("hello").get("isWritablePrimary"))
        except PyMongoError:
            return False

    def settle(self, seconds: float = 180.0) -> None:
        """Make the replica set and its administrator, unless they are made; raise Unavailable MONGOD_NOT_WRITABLE.

        The first connection from this machine may do both without a user; in a container the administrator is there
        before the set is.
        """
        members = [{"_id": 0, "host": f"127.0.0.1:{self.port}"}]
        patient = {"serverSelectionTimeoutMS": int(seconds * 1000)}
        with self._alone(**patient) as client, suppress(OperationFailure):  # made already, or a user is wanted by now
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
        with self._alone(username=ROOT, password=self.password) as client, suppress(PyMongoError):
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
        self._wait_until_writable(seconds)
        with self._alone(**patient) as client, suppress(OperationFailure):
            client.admin.command("createUser", ROOT, pwd=self.password, roles=["root"])

    def _wait_until_writable(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.writable():
            if time.monotonic() > until:
                raise Unavailable(
                    "MONGOD_NOT_WRITABLE",
                    "the replica set elected no primary",
                    field="mongod",
                    remedy="ophor logs mongod",
                    da="Databasen blev ikke klar.",
                )
            time.sleep(0.05)

    def _given(self) -> MongoClient[dict[str, Any]]:
        return MongoClient(self.given, serverSelectionTimeoutMS=2000)

    def _alone(self, **options: Any) -> MongoClient[dict[str, Any]]:
        options = {"serverSelectionTimeoutMS": 1000, **options}
        return MongoClient("127.0.0.1", self.port, directConnection=True, **options)

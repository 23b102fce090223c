"""Real parts for the tests: one broker, one database and one PostgreSQL a test run, a MariaDB a process.

Each is started at its first use.

Tests share the servers and keep apart by names: a virtual host of its own on the broker (`vhost`), databases of its own
(`mongo_database`, `postgres_database`). Where a container engine answers, pytest-docker brings the servers up from
`deploy/compose/parts.yml`; elsewhere they are local processes. Workers of one run share them; a guard takes them away
however the run ends.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import httpx
import psycopg
import pymongo
import pymysql

from deploy.stack import reach, spawn
from deploy.stack.instance import Stack
from deploy.stack.ports import Ports
from deploy.stack.spawn import Launch
from shared.bus import topology
from shared.bus.pump import dial
from tests.waiting import LONGEST_S, until


@dataclass(frozen=True)
class MariaServer:
    """A MariaDB server of this process's own, on the loopback; `root` has no password."""

    folder: Path
    port: int
    host: str = "127.0.0.1"
    more: tuple[str, ...] = ()

    def connect(self) -> pymysql.Connection[Any]:
        """Connect as root."""
        return pymysql.connect(host=self.host, port=self.port, user="root", autocommit=True)

    def start(self, mark: str) -> MariaServer:
        """Make an empty server and wait until it answers; it ends with what carries `mark`."""
        user = "mysql" if os.geteuid() == 0 else None
        self.folder.mkdir()
        if user:
            shutil.chown(self.folder, user, user)
        data, log = self.folder / "db", self.folder / "log"
        words = ["--no-defaults", f"--datadir={data}", "--innodb-log-file-size=16M"]
        make = ["mariadb-install-db", *words, "--auth-root-authentication-method=normal", "--skip-test-db"]
        groups: list[str] | None = [] if user else None
        subprocess.run(make, check=True, capture_output=True, user=user, group=user, extra_groups=groups)
        server = shutil.which("mariadbd", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"])) or "mariadbd"
        words += [f"--port={self.port}", f"--bind-address={self.host}", f"--socket={self.folder / 'socket'}"]
        argv = [server, *words, f"--pid-file={self.folder / 'pid'}", "--innodb-buffer-pool-size=64M"]
        argv += ["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", *self.more]
        spawn.start(Launch(argv, dict(os.environ), log, user, self.folder), mark, "mariadb")
        until(self._answers, "MariaDB answers")
        return self

    def _answers(self) -> bool:
        with suppress(pymysql.err.OperationalError), self.connect():
            return True
        return False


@dataclass(frozen=True)
class Broker:
    """The contracts' topology on a virtual host of its own, with every user of the contracts."""

    parts: Parts
    vhost: str

    def uri(self, user: str) -> str:
        """Give the address for one of the contracts' users (`svc-orders`, `console`, `topology`, …)."""
        return self.parts.stack.parts.amqp_uri(user).rpartition("/")[0] + "/" + quote(self.vhost, safe="")

    @property
    def management(self) -> str:
        """Give the management API's address, without a user."""
        return self.parts.stack.parts.management

    def remove(self) -> None:
        """Remove the virtual host with all that is in it."""
        self.parts.ask("DELETE", f"vhosts/{quote(self.vhost, safe='')}")


_AWS, _HTTP = boto3.session.Session(), httpx.Client(trust_env=False, timeout=LONGEST_S)


@dataclass
class ObjectStore:
    """moto's S3 and IAM over HTTP, in a process of its own on the loopback; keys and their policies are enforced."""

    port: int
    keys: tuple[str, str] = ("none", "none")

    @property
    def url(self) -> str:
        """Give the address."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, keys: tuple[str, str] | None = None) -> Any:
        """Connect to `s3` or `iam`, as the administrator or with other keys."""
        user, secret = keys or self.keys
        where = {"region_name": "us-east-1", "endpoint_url": self.url}
        return _AWS.client(service, aws_access_key_id=user, aws_secret_access_key=secret, **where)

    def start(self, log: Path, mark: str) -> ObjectStore:
        """Start it and wait until it answers; it ends with what carries `mark`."""
        argv = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        pages = {"MOTO_S3_DEFAULT_MAX_KEYS": "4"}  # so that every listing is a listing of pages
        spawn.start(Launch(argv, {**os.environ, **pages}, log), mark, "s3")
        until(self._answers, "the object store answers")
        return self.empty()

    def empty(self) -> ObjectStore:
        """Forget everything but a new administrator; until `enforce` nobody's rights are checked."""
        self._tell("reset", "")
        self._tell("reset-auth", "inf")
        self.keys = self.add_user("administrator", [{"Effect": "Allow", "Action": "*", "Resource": "*"}])
        return self

    def versioned(self, bucket: str) -> Any:
        """Make a bucket that keeps versions, the only one there is, and connect to it as the administrator."""
        client = self.empty().client("s3")
        client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        return client

    def enforce(self) -> None:
        """Check signatures and rights from now on."""
        self._tell("reset-auth", "0")

    def add_user(self, name: str, statements: list[dict[str, Any]]) -> tuple[str, str]:
        """Make a user with these rights and give its access key and secret."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=policy)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]

    def _tell(self, what: str, word: str) -> None:
        _HTTP.post(f"{self.url}/moto-api/{what}", content=word.encode()).raise_for_status()

    def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            return _HTTP.get(f"{self.url}/moto-api/").is_success
        return False


class Parts:
    """The parts of one test run, in the home folder that its workers share."""

    def __init__(self, home: Path, before: Callable[[Stack], Any] = lambda stack: None) -> None:
        self.home, self._before = home, before

    @cached_property
    def stack(self) -> Stack:
        """Give the stack that holds the parts; nothing of it runs until it is asked for."""
        stack = Stack.create(self.home, mode="test")
        self._before(stack)
        return stack

    def broker(self) -> Broker:
        """Make a virtual host with the contracts' users, rights, policies, exchanges and queues."""
        self._up("rabbitmq")
        made = Broker(self, f"test-{uuid.uuid4().hex[:12]}")
        secrets = self.stack.state.secrets
        passwords = {user: secrets[f"rabbitmq:{user}"] for user in topology.users()}
        reach.load_definitions(self._api, topology.definitions(passwords, "test", made.vhost))
        uri = made.uri(topology.TOPOLOGY_USER)
        with dial(uri, "test") as connection:
            topology.apply(connection, "test", topology.Management(made.management, uri))
        return made

    @property
    def mongo_uri(self) -> str:
        """Give the administrator's address of the replica set."""
        self._up("mongod")
        return self.stack.parts.mongo.admin_uri

    def mongo_uri_of(self, user: str) -> str:
        """Give the address for one of `deploy.mongo_users.USERS`."""
        self._up("mongod")
        return self.stack.parts.mongo_uri(user)

    @property
    def postgres_uri(self) -> str:
        """Give the superuser's address of PostgreSQL."""
        self._up("postgres")
        return self.stack.parts.postgres_uri

    def postgres_database(self) -> str:
        """Make an empty PostgreSQL database and give the superuser's address of it."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.postgres_uri, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload]
        return self.postgres_uri.rpartition("/")[0] + "/" + name

    def drop_postgres_database(self, uri: str) -> None:
        """Remove a database that `postgres_database` made."""
        with psycopg.connect(self.postgres_uri, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{uri.rpartition("/")[2]}" WITH (FORCE)')  # type: ignore[call-overload]

    @cached_property
    def mariadb(self) -> MariaServer:
        """Give a MariaDB server, for tests of its connector."""
        folder = self.stack.home / f"mariadb-{os.getpid()}"
        with Ports() as ports:
            return MariaServer(folder, ports.choose()).start(str(self.home))

    @cached_property
    def object_store(self) -> ObjectStore:
        """Give an S3 object store of this process's own, for tests of its connector."""
        log = self.stack.home / f"s3-{os.getpid()}.log"
        with Ports() as ports:
            return ObjectStore(ports.choose()).start(log, str(self.home))

    def drop_mongo_database(self, name: str) -> None:
        """Remove a database."""
        with pymongo.MongoClient[dict[str, Any]](self.mongo_uri) as client:
            client.drop_database(name)

    def ask(self, method: str, path: str) -> None:
        """Ask the broker's management API as its administrator."""
        reach.ask(self._api, method, f"/api/{path}", None)

    @property
    def _api(self) -> str:
        scheme, _, rest = self.stack.parts.management.partition("://")
        secret = self.stack.state.secrets[f"rabbitmq:{topology.TOPOLOGY_USER}"]
        return f"{scheme}://{topology.TOPOLOGY_USER}:{secret}@{rest}"

    def _up(self, part: str) -> None:
        if not self.stack.parts.alive(part) or not self.stack.parts.ready(part):
            self.stack.up([part], alone=True)

"""Nine small real targets with the same content: tenant 101 leaves, 102 stays. One behaviour suite runs against all.

Places: `sager` has 7 rows of 101 and 5 of 102, `noter` (where the engine can have more than one place) 4 and 3.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import amqp
import httpx
import psycopg
import pymongo
import yaml
from psycopg import conninfo
from pymongo.uri_parser import parse_uri

from contracts.system_map import PURPOSES, WITHOUT_USERS, SystemMap, parse
from deploy.demo import case_index
from shared.bus import topology
from shared.bus.pump import dial
from shared.connectors import open_connector
from shared.connectors.protocol import Connector
from tests.parts import Broker, MariaServer, ObjectStore
from tests.waiting import LONGEST_S, until

LEAVING, STAYING, CVR, OTHER_CVR = "101", "102", "11111111", "22222222"
COUNTS = {"sager": (7, 5), "noter": (4, 3)}
OWN, FOREIGN = "29fe1da2-897a-46cd-b635-b9be8e0bffd6", "00000000-0000-4000-8000-000000000001"

PG_SCHEMA = """
CREATE TABLE kode (kode text PRIMARY KEY, navn text);
CREATE TABLE sager (id uuid PRIMARY KEY, lejer integer NOT NULL, navn text, over uuid REFERENCES sager (id), note int);
CREATE TABLE noter (nr int PRIMARY KEY, sag uuid NOT NULL REFERENCES sager (id), tekst text);
ALTER TABLE sager ADD FOREIGN KEY (note) REFERENCES noter (nr);
INSERT INTO kode VALUES ('A', 'Første'), ('B', 'Anden');
"""


@dataclass
class Target:
    """A target and what the suite needs to know of it; `content` is its part of a system map."""

    kind: str
    places: tuple[str, ...]
    content: dict[str, Any]
    folder: Path
    add_place: Callable[[], None]
    neighbours: Callable[[], int]
    execute: Callable[[str], Any] = field(default=lambda statement: None)
    opened: list[Connector] = field(default_factory=list)
    virtual: Any = None

    def map(self) -> SystemMap:
        """Give the system map of this one system, `maal`."""
        body = yaml.safe_dump({"version": 1, "systems": {"maal": self.content}}, allow_unicode=True)
        return parse(body.encode(), "systems.yaml", self.folder)

    def open(self, purpose: str, tenant: str = LEAVING, cvr: str = CVR) -> Connector:
        """Open a connector that is closed at the test's end."""
        self.opened.append(open_connector(self.map(), "maal", purpose, tenant, cvr))
        return self.opened[-1]

    def before(self, *, own: bool) -> dict[str, int]:
        """Give the rows per place, as made."""
        return {place: COUNTS[place][0 if own else 1] for place in self.places}


def uuid_of(number: int) -> str:
    """Make a fixed UUID."""
    return f"{number:08x}-1111-4111-8111-{number:012x}"


def _content(kind: str, connection: dict[str, Any], places: dict[str, Any], users: Callable[[str], str]) -> Any:
    credentials = {
        purpose: {"user": users(purpose), "password_file": f"secrets/{users(purpose)}"} for purpose in PURPOSES
    }
    return {
        "title": "Mål", "kind": kind, "deletion": "1", "tenant": "{cvr}" if kind == "case_index" else "{tenant}",
        "connection": connection, "places": places, **({} if kind in WITHOUT_USERS else {"credentials": credentials}),
    }  # fmt: skip


def _secret(folder: Path, user: str, value: str) -> None:
    (folder / "secrets").mkdir(exist_ok=True)
    (folder / "secrets" / user).write_text(value)


def _close(target: Target) -> None:
    for connector in target.opened:
        connector.close()


@contextmanager
def postgresql(admin: str, folder: Path) -> Iterator[Target]:
    """Make a database of its own with roles of its own."""
    name = f"t{secrets.token_hex(4)}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    uri = conninfo.make_conninfo(admin, dbname=name)
    base = psycopg.connect(uri, autocommit=True)
    base.execute(PG_SCHEMA)
    _fill_postgresql(base)
    for purpose in PURPOSES:
        _secret(folder, f"{name}_{purpose}", "hemmelig")
        base.execute(f"CREATE ROLE {name}_{purpose} LOGIN PASSWORD 'hemmelig'")
    base.execute(f"CREATE ROLE {name}_app LOGIN PASSWORD 'hemmelig'")
    for statement in _rights(name):
        base.execute(statement)
    places = {
        "sager": {"tenant_key": "lejer"}, "noter": {"tenant_path": ["sag", "lejer"]}, "kode": {"shared": "SHARED_CODE"},
    }  # fmt: skip
    where = conninfo.conninfo_to_dict(uri)
    connection_ = {"host": where["host"], "port": int(str(where["port"])), "database": name}
    content = _content("postgresql", connection_, places, lambda purpose: f"{name}_{purpose}")
    content["access"] = {"roles": [f"{name}_app"]}

    def neighbours() -> int:
        query = "SELECT (SELECT count(*) FROM sager WHERE lejer = 102) + (SELECT count(*) FROM noter WHERE nr > 100)"
        return int(base.execute(query).fetchone()[0])  # type: ignore[index]

    target = Target(
        "postgresql", ("sager", "noter"), content, folder,
        lambda: base.execute("CREATE TABLE ny (id int)") and None, neighbours, base.execute,
    )  # fmt: skip
    try:
        yield target
    finally:
        _close(target)
        base.close()
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            for user in (*PURPOSES, "app"):
                connection.execute(f"DROP ROLE {name}_{user}")


def _fill_postgresql(base: psycopg.Connection) -> None:
    for tenant, own in ((101, 0), (102, 1)):
        cases, notes = COUNTS["sager"][own], COUNTS["noter"][own]
        for number in range(cases):
            row = (uuid_of(tenant * 100 + number), tenant, f"2024-{tenant}{number:04}",
                   uuid_of(tenant * 100) if number else None)  # fmt: skip
            base.execute("INSERT INTO sager VALUES (%s, %s, %s, %s, NULL)", row)
        for number in range(notes):
            nr = number + (200 if own else 0)
            base.execute("INSERT INTO noter VALUES (%s, %s, 'tekst')", (nr, uuid_of(tenant * 100 + number)))
            base.execute("UPDATE sager SET note = %s WHERE id = %s", (nr, uuid_of(tenant * 100 + number)))


def _rights(name: str) -> Iterator[str]:
    for purpose in ("extract", "verify", "delete"):
        yield f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}_{purpose}"
    yield f"GRANT DELETE, UPDATE ON sager, noter TO {name}_delete"
    yield f"GRANT CREATE ON SCHEMA public TO {name}_prepare"
    yield f"ALTER ROLE {name}_access CREATEROLE"
    yield f"GRANT pg_signal_backend TO {name}_access"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON sager, noter TO {name}_access WITH GRANT OPTION"
    yield f"SET ROLE {name}_access"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON sager, noter TO {name}_app"
    yield "RESET ROLE"


MARIA_SCHEMA = """
CREATE TABLE kode (kode VARCHAR(10) PRIMARY KEY, navn TEXT);
CREATE TABLE sager (id UUID PRIMARY KEY, lejer INT NOT NULL, navn VARCHAR(60), `over` UUID NULL, note INT NULL,
  KEY (lejer), FOREIGN KEY (`over`) REFERENCES sager (id));
CREATE TABLE noter (nr INT PRIMARY KEY, sag UUID NOT NULL, tekst TEXT, FOREIGN KEY (sag) REFERENCES sager (id));
ALTER TABLE sager ADD FOREIGN KEY (note) REFERENCES noter (nr);
INSERT INTO kode VALUES ('A', 'Første'), ('B', 'Anden')
"""
OF_NEIGHBOURS = "SELECT (SELECT count(*) FROM sager WHERE lejer = 102) + (SELECT count(*) FROM noter WHERE nr > 100)"
SQL_PLACES = {
    "sager": {"tenant_key": "lejer"}, "noter": {"tenant_path": ["sag", "lejer"]}, "kode": {"shared": "SHARED_CODE"},
}  # fmt: skip


def _content_rows() -> Iterator[str]:
    """Give the rows of `sager` and `noter` as statements for any SQL engine."""
    for tenant, own in ((101, 0), (102, 1)):
        for number in range(COUNTS["sager"][own]):
            over = f"'{uuid_of(tenant * 100)}'" if number else "NULL"
            name = f"2024-{tenant}{number:04}"
            yield f"INSERT INTO sager VALUES ('{uuid_of(tenant * 100 + number)}', {tenant}, '{name}', {over}, NULL)"
        for number in range(COUNTS["noter"][own]):
            nr, sag = number + (200 if own else 0), uuid_of(tenant * 100 + number)
            yield f"INSERT INTO noter VALUES ({nr}, '{sag}', 'tekst')"
            yield f"UPDATE sager SET note = {nr} WHERE id = '{sag}'"


def _statements(script: str) -> Iterator[str]:
    """Split a script at the semicolons that end a line."""
    yield from (part for part in re.split(r";\s*(?:\n|$)", script) if part.strip())


@contextmanager
def mariadb(admin: MariaServer, folder: Path) -> Iterator[Target]:
    """Make a database of its own with users of its own."""
    name = f"t{secrets.token_hex(4)}"
    base = admin.connect()
    cursor = base.cursor()

    def execute(script: str) -> Any:
        for statement in _statements(script):
            cursor.execute(statement)
        return cursor.fetchall()

    execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_danish_ci")
    execute(f"USE {name}")
    execute(MARIA_SCHEMA)
    for statement in _content_rows():
        execute(statement)
    for user in (*PURPOSES, "app"):
        _secret(folder, f"{name}_{user}", "hemmelig")
        execute(f"CREATE USER {name}_{user}@'%' IDENTIFIED BY 'hemmelig'")
    for statement in _maria_rights(name):
        execute(statement)
    connection = {"host": admin.host, "port": admin.port, "database": name}
    content = _content("mariadb", connection, dict(SQL_PLACES), lambda purpose: f"{name}_{purpose}")
    content["access"] = {"roles": [f"{name}_app"]}
    target = Target(
        "mariadb", ("sager", "noter"), content, folder, lambda: execute("CREATE TABLE ny (id int)") and None,
        lambda: int(execute(OF_NEIGHBOURS)[0][0]), execute,
    )  # fmt: skip
    try:
        yield target
    finally:
        _close(target)
        execute(f"DROP DATABASE {name}")
        for user in (*PURPOSES, "app"):
            execute(f"DROP USER {name}_{user}@'%'")
        base.close()


def _maria_rights(name: str) -> Iterator[str]:
    for purpose in ("extract", "verify", "delete"):
        yield f"GRANT SELECT ON {name}.* TO {name}_{purpose}"
    yield f"GRANT PROCESS ON *.* TO {name}_delete"
    yield f"GRANT DELETE, UPDATE ON {name}.sager TO {name}_delete"
    yield f"GRANT DELETE ON {name}.noter TO {name}_delete"
    yield f"GRANT CREATE, SELECT, INSERT, DELETE ON {name}.ophor_rehearsal_copy TO {name}_prepare"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO {name}_app"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO {name}_access WITH GRANT OPTION"
    yield f"GRANT CREATE USER, CONNECTION ADMIN, PROCESS ON *.* TO {name}_access"
    yield f"GRANT SELECT ON mysql.* TO {name}_access"


@contextmanager
def sqlite(folder: Path) -> Iterator[Target]:
    """Make a file in WAL mode; UUIDs are texts."""
    path = folder / "maal.db"
    base = sqlite3.connect(path, isolation_level=None, timeout=60)

    def execute(script: str) -> Any:
        if script.count(";") > 1:
            return base.executescript(script)
        return base.execute(script).fetchall()

    execute("PRAGMA journal_mode = WAL")
    base.executescript(
        "CREATE TABLE kode (kode TEXT PRIMARY KEY, navn TEXT);"
        "CREATE TABLE sager (id TEXT PRIMARY KEY, lejer INTEGER NOT NULL, navn TEXT,"
        " over TEXT REFERENCES sager (id), note INT REFERENCES noter (nr));"
        "CREATE TABLE noter (nr INTEGER PRIMARY KEY, sag TEXT NOT NULL REFERENCES sager (id), tekst TEXT);"
        "INSERT INTO kode VALUES ('A', 'Første'), ('B', 'Anden')"
    )
    for statement in _content_rows():
        execute(statement)
    content = _content("sqlite", {"file": "maal.db"}, dict(SQL_PLACES), str)
    target = Target(
        "sqlite", ("sager", "noter"), content, folder, lambda: execute("CREATE TABLE ny (id int)") and None,
        lambda: int(execute(OF_NEIGHBOURS)[0][0]), execute,
    )  # fmt: skip
    try:
        yield target
    finally:
        _close(target)
        base.close()


@contextmanager
def mongodb(admin: str, folder: Path) -> Iterator[Target]:
    """Make a database of its own with users of its own."""
    name = f"t{secrets.token_hex(4)}"
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(admin)
    base = client[name]
    for tenant, own in ((101, 0), (102, 1)):
        for place, counts in COUNTS.items():
            rows = [
                {"_id": f"{tenant}-{place}-{number}", "lejer": tenant, "person": [uuid_of(tenant * 100 + number)]}
                for number in range(counts[own])
            ]  # fmt: skip
            base[place].insert_many(rows)
    base.kode.insert_many([{"_id": "A"}, {"_id": "B"}])
    look = {"resource": {"db": name, "collection": ""}, "actions": ["find", "listCollections", "listIndexes"]}
    rights: dict[str, list[Any]] = {purpose: [look] for purpose in PURPOSES}
    rights["delete"] += [{"resource": {"db": name, "collection": place}, "actions": ["remove"]} for place in COUNTS]
    rights["prepare"] += [
        {"resource": {"db": name, "collection": "ophor_rehearsal_copy"}, "actions": ["insert", "update"]}
    ]
    for purpose in PURPOSES:
        _secret(folder, f"{name}_{purpose}", "hemmelig")
        base.command("createRole", f"{purpose}_role", privileges=rights[purpose], roles=[])
        roles = [f"{purpose}_role", *(["userAdmin"] if purpose == "access" else [])]
        base.command("createUser", f"{name}_{purpose}", pwd="hemmelig", roles=roles)
    base.command("createUser", f"{name}_app", pwd="hemmelig", roles=["readWrite"])
    host, port = parse_uri(admin)["nodelist"][0]
    places = {"sager": {"tenant_key": "lejer"}, "noter": {"tenant_key": "lejer"}, "kode": {"shared": "SHARED_CODE"}}
    connection = {"host": host, "port": port, "database": name, "replica_set": "rs0"}
    content = _content("mongodb", connection, places, lambda purpose: f"{name}_{purpose}")
    content["access"] = {"roles": [f"{name}_app"]}
    target = Target(
        "mongodb", ("sager", "noter"), content, folder, lambda: base.ny.insert_one({}) and None,
        lambda: sum(base[place].count_documents({"lejer": 102}) for place in COUNTS),
        lambda place: base[place].insert_one({}),
    )  # fmt: skip
    try:
        yield target
    finally:
        _close(target)
        base.command("dropAllUsersFromDatabase")
        base.command("dropAllRolesFromDatabase")
        client.drop_database(name)
        client.close()


@contextmanager
def files(folder: Path) -> Iterator[Target]:
    """Make a folder of places."""
    root = folder / "arkiv"
    for tenant, own in ((LEAVING, 0), (STAYING, 1)):
        for place, counts in COUNTS.items():
            for number in range(counts[own]):
                below = root / place / tenant / ("" if number % 2 else f"mappe {number}")
                below.mkdir(parents=True, exist_ok=True)
                (below / f"{uuid_of(int(tenant) * 100 + number)}.txt").write_text("indhold")
    (root / "kode").mkdir()
    (root / "kode" / "skabelon.txt").write_text("skabelon")
    for path in (root, *root.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    places = {"sager": {"tenant_key": "folder"}, "noter": {}, "kode": {"shared": "SHARED_CODE"}}
    content = _content("files", {"folder": "arkiv"}, places, str)
    target = Target(
        "files", ("sager", "noter"), content, folder, lambda: (root / "ny").mkdir(),
        lambda: sum(1 for path in root.glob(f"*/{STAYING}/**/*") if path.is_file()),
        lambda place: (root / place / "ved siden af.txt").write_text("indhold"),
    )  # fmt: skip
    try:
        yield target
    finally:
        shutil.rmtree(root)


@contextmanager
def index(folder: Path) -> Iterator[Target]:
    """Run a case index on a free port; tenant 101's cases are those of CVR 11111111."""
    tokens = {role: secrets.token_hex(8) for role in PURPOSES}
    cases = [
        case_index.Sag(uuid_of(number + start), cvr, OWN, OWN)
        for cvr, start, own in ((CVR, 10100, 0), (OTHER_CVR, 10200, 1))
        for number in range(COUNTS["sager"][own])
    ]
    cases.append(case_index.Sag(uuid_of(9), CVR, FOREIGN, FOREIGN))
    case_index.write(folder / "index", cases, tokens, OWN)
    for role, token in tokens.items():
        _secret(folder, f"ci_{role}", token)
    server = case_index.open_server(folder / "index", 0)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    connection = {"url": f"http://127.0.0.1:{server.server_address[1]}", "afsender": OWN}
    places = {"sager": {"tenant_key": "ejer_cvr", "deliver": False, "reason": "derived"}}
    content = _content("case_index", connection, places, lambda purpose: f"ci_{purpose}")

    def add_place() -> None:
        del content["places"]["sager"]
        content["places"]["noget"] = {"tenant_key": "ejer_cvr"}

    target = Target(
        "case_index", ("sager",), content, folder, add_place,
        lambda: int(server.index.search({"ejer_cvr": OTHER_CVR})["antal"]),
    )  # fmt: skip
    try:
        yield target
    finally:
        _close(target)
        with suppress(OSError):
            server.shutdown()
        server.server_close()
        thread.join(10)
        server.index.close()


QUEUE_RIGHTS = {
    "extract": ("management", "^$", "^$", "^(sager|noter|kode)$"),
    "delete": ("management", "^$", "^$", "^(sager|noter)$"),
    "verify": ("management", "^$", "^$", "^(sager|noter)$"), "access": ("administrator", "^$", "^$", "^$"),
    "prepare": ("management", "^ophor_rehearsal_copy$", "^$", "^$"), "app": ("", ".*", ".*", ".*"),
}  # fmt: skip


@dataclass
class Virtual:
    """A virtual host of a real RabbitMQ, seen as its administrator."""

    name: str
    uri: str
    api: httpx.Client

    def put(self, path: str, body: dict[str, Any]) -> None:
        """Set something through the management API."""
        self.api.put(path, json=body).raise_for_status()

    @contextmanager
    def channel(self) -> Iterator[amqp.Channel]:
        """Open a channel that ends with the block, and gives back what it took."""
        connection = dial(self.uri, "test")
        try:
            yield connection.channel()
        finally:
            with suppress(amqp.AMQPError, OSError):
                connection.close()

    def send(self, queue: str, *messages: amqp.Message) -> None:
        """Put messages into a queue and wait for the broker's word."""
        with self.channel() as channel:
            channel.confirm_select()
            for message in messages:
                channel.basic_publish_confirm(message, "", queue)

    def waiting(self, queue: str) -> list[tuple[Any, str]]:
        """Give what waits in a queue, in order: the header `lejer` and the body."""
        with self.channel() as channel:
            found, tags = [], []
            while (one := channel.basic_get(queue)) is not None:
                body = one.body if isinstance(one.body, str) else bytes(one.body).decode()
                found.append((one.properties.get("application_headers", {}).get("lejer"), body))
                tags.append(one.delivery_info["delivery_tag"])
            for tag in tags:
                channel.basic_reject(tag, requeue=True)
            until(lambda: channel.queue_declare(queue, passive=True)[1:] == (len(tags), 0), "all of it is back")
            return found


def letter(tenant: int, number: int) -> amqp.Message:
    """Make a message about a case; the tenant stands in its header as a number or as a text."""
    body = json.dumps({"sag": uuid_of(tenant * 100 + number), "tekst": "æøå"})
    headers = {"lejer": tenant if number % 2 else str(tenant)}
    return amqp.Message(body, application_headers=headers, delivery_mode=2, content_type="application/json")


@contextmanager
def queues(broker: Broker, folder: Path) -> Iterator[Target]:
    """Make a virtual host of its own with users of its own; `noter` is a quorum queue with two equal messages."""
    name = f"t{secrets.token_hex(4)}"
    admin = broker.uri(topology.TOPOLOGY_USER)
    where = urlsplit(admin)
    login = (unquote(where.username or ""), unquote(where.password or ""))
    api = httpx.Client(base_url=broker.management + "/api/", auth=login, trust_env=False, timeout=LONGEST_S)
    virtual = Virtual(name, admin.rpartition("/")[0] + "/" + name, api)
    virtual.put(f"vhosts/{name}", {})
    for user, (tags, *rights) in QUEUE_RIGHTS.items():
        _secret(folder, f"{name}_{user}", "hemmelig")
        virtual.put(f"users/{name}_{user}", {"password": "hemmelig", "tags": tags})
        virtual.put(f"permissions/{name}/{name}_{user}", dict(zip(("configure", "write", "read"), rights, strict=True)))
    virtual.put(f"permissions/{name}/{login[0]}", {"configure": ".*", "write": ".*", "read": ".*"})
    for queue, kind in (("sager", "classic"), ("noter", "quorum"), ("kode", "classic")):
        virtual.put(f"queues/{name}/{queue}", {"durable": True, "arguments": {"x-queue-type": kind}})
    for queue, (own, others) in COUNTS.items():
        mixed = [
            letter(tenant, number) for number in range(own) for tenant in ((101, 102) if number < others else (101,))
        ]
        virtual.send(queue, *mixed[:-1], letter(101, 0) if queue == "noter" else mixed[-1])
    virtual.send("kode", amqp.Message("A"), amqp.Message("B"))
    places = {"sager": {"tenant_key": "lejer"}, "noter": {"tenant_key": "lejer"}, "kode": {"shared": "SHARED_CODE"}}
    connection = {"url": broker.management, "amqp": f"amqp://{where.hostname}:{where.port}/{name}"}
    content = _content("queues", connection, places, lambda purpose: f"{name}_{purpose}")
    content["access"] = {"roles": [f"{name}_app"]}
    target = Target(
        "queues", ("sager", "noter"), content, folder, lambda: virtual.put(f"queues/{name}/ny", {"durable": True}),
        lambda: sum(str(tenant) == STAYING for queue in COUNTS for tenant, _ in virtual.waiting(queue)),
        lambda queue: virtual.send(queue, amqp.Message("ingens")),
    )  # fmt: skip
    target.virtual = virtual
    try:
        yield target
    finally:
        _close(target)
        api.delete(f"vhosts/{name}")
        for user in QUEUE_RIGHTS:
            api.delete(f"users/{name}_{user}")
        api.close()


S3_RIGHTS = {
    "extract": [], "verify": [], "delete": ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"],
    "access": ["s3:PutBucketPolicy"], "prepare": ["s3:PutObject"],
}  # fmt: skip


def s3_versions(client: Any, bucket: str, tenant: str) -> list[tuple[str, str]]:
    """Give (key, version id) of everything but unfinished uploads in a bucket whose key names the tenant."""
    said = client.list_object_versions(Bucket=bucket, MaxKeys=1000)
    rows = [*said.get("Versions", ()), *said.get("DeleteMarkers", ())]
    return [(row["Key"], row["VersionId"]) for row in rows if tenant in row["Key"].split("/")]


@contextmanager
def s3(store: ObjectStore, folder: Path) -> Iterator[Target]:
    """Make three buckets: `sager` with versions, a delete marker and an upload, `noter` without, owner in metadata."""
    store.empty()
    admin = store.client("s3")
    for bucket in ("sager", "noter", "kode"):
        admin.create_bucket(Bucket=bucket)
    admin.put_bucket_versioning(Bucket="sager", VersioningConfiguration={"Status": "Enabled"})
    for tenant in (LEAVING, STAYING):
        for number in range(3):
            name = f"{tenant}/{'brev æøå/' if number else ''}{uuid_of(int(tenant) * 100 + number)}.pdf"
            admin.put_object(Bucket="sager", Key=name, Body=b"indhold")
        again = f"{tenant}/{uuid_of(int(tenant) * 100 + 9)}.pdf"
        for text in (b"en", b"to") if tenant == LEAVING else (b"en",):
            admin.put_object(Bucket="sager", Key=again, Body=text)
        admin.delete_object(Bucket="sager", Key=again)
    admin.create_multipart_upload(Bucket="sager", Key=f"{LEAVING}/halv.zip")
    for tenant, own in ((LEAVING, 0), (STAYING, 1)):
        for number in range(COUNTS["noter"][own]):
            name = f"{number}/{tenant}/note-{tenant}{number:04}.txt"
            admin.put_object(Bucket="noter", Key=name, Body=b"tekst", Metadata={"lejer": tenant})
    for code in ("A", "B"):
        admin.put_object(Bucket="kode", Key=code, Body=b"kode")
    users: dict[str, str] = {}
    for purpose, rights in S3_RIGHTS.items():
        allowed = {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*", *rights], "Resource": "*"}
        users[purpose], secret = store.add_user(purpose, [allowed])
        _secret(folder, users[purpose], secret)
    store.enforce()
    places = {
        "sager": {"tenant_key": "prefix:{tenant}/"}, "noter": {"tenant_key": "meta:lejer"},
        "kode": {"shared": "SHARED_CODE"},
    }  # fmt: skip
    content = _content("s3", {"url": store.url, "region": "us-east-1"}, places, lambda purpose: users[purpose])
    content["access"] = {"roles": ["arn:aws:iam::123456789012:user/korsbaek"]}
    target = Target(
        "s3", ("sager", "noter"), content, folder, lambda: admin.create_bucket(Bucket="nyt") and None,
        lambda: sum(len(s3_versions(admin, bucket, STAYING)) for bucket in COUNTS),
        lambda bucket: admin.put_object(Bucket=bucket, Key="ingens.txt", Body=b"ingens"),
    )  # fmt: skip
    target.virtual = admin
    try:
        yield target
    finally:
        _close(target)


def attest(folder: Path, **said: Any) -> None:
    """Write an attestation and its document as the supplier does."""
    folder.mkdir(parents=True, exist_ok=True)
    document = f"erklæring-{len(list(folder.iterdir()))}.pdf"
    (folder / document).write_bytes(b"underskrevet")
    body = {
        "version": 1, "party": "supplier", "role": "driftsleder", "on": "2026-11-20", "left": 0, "ways_in": 0,
        "method": "seen", "document": document, "sha256": hashlib.sha256(b"underskrevet").hexdigest(),
    }  # fmt: skip
    (folder / f"{document}.json").write_text(json.dumps(body | said))


@contextmanager
def manual(folder: Path) -> Iterator[Target]:
    """Make a folder of attestations."""
    for place, counts in COUNTS.items():
        for tenant, left in zip((LEAVING, STAYING), counts, strict=True):
            attest(folder / "erklæringer" / place / tenant, left=left)
    places = {"sager": {"attested": "supplier"}, "noter": {"attested": "supplier"}}
    content = _content("manual", {"folder": "erklæringer"}, places, str)
    yield Target(
        "manual", ("sager", "noter"), content, folder, lambda: (folder / "erklæringer" / "ny").mkdir(), lambda: 0
    )

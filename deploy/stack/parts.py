"""The parts of a stack: broker, database and the demo's PostgreSQL, each got in one of three ways.

In this order: an address given in the environment (`OPHOR_RABBITMQ_URI` with `OPHOR_RABBITMQ_API`, `OPHOR_MONGODB_URI`,
`OPHOR_POSTGRES_URI`, each with an administrator's rights); Docker Compose where an engine answers; a local process.
However it was got, a part is *settled* before it counts as ready: users, rights and topology are in it.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from contracts.errors import Rejected
from deploy import mongo_users
from deploy.stack import compose, programs, reach, spawn
from deploy.stack.mongodb import Mongo
from deploy.stack.ports import Ports
from deploy.stack.postgresql import Postgres
from deploy.stack.processes import PARTS
from deploy.stack.rabbitmq import Rabbit
from deploy.stack.spawn import Launch
from deploy.stack.state import State
from shared.bus import topology
from shared.bus.pump import dial
from shared.runtime.clock import set_clock

GIVEN = {"rabbitmq": "OPHOR_RABBITMQ_URI", "mongod": "OPHOR_MONGODB_URI", "postgres": "OPHOR_POSTGRES_URI"}
PORTS = {"rabbitmq": ("amqp", "management", "dist", "epmd"), "mongod": ("mongod",), "postgres": ("postgres",)}
HARD = {"rabbitmq": signal.SIGKILL, "mongod": signal.SIGKILL, "postgres": signal.SIGQUIT}
FIRST_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)  # before every exit, so that a rehearsal can begin on any day
POLITE = {"rabbitmq": signal.SIGTERM, "mongod": signal.SIGTERM, "postgres": signal.SIGINT}


def choose_providers(environ: Mapping[str, str]) -> dict[str, str]:
    """Say for each part whether it is `given`, from `compose` or `local`."""
    otherwise = "compose" if programs.docker_answers() else "local"
    return {part: "given" if environ.get(GIVEN[part]) else otherwise for part in PARTS}


def make_data_folder() -> Path:
    """Make a private data folder that the parts' own system users can reach."""
    places = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 – mkdtemp makes a fresh name
    base = next((place for place in places if os.geteuid() != 0 or _reachable(place)), places[0])
    folder = Path(tempfile.mkdtemp(prefix="ophor-", dir=base))
    folder.chmod(0o755)
    return folder


class Parts:
    """The parts of one stack, by the state that describes them; `logs` is where local ones write."""

    def __init__(self, state: State, logs: Path) -> None:
        self.state, self.logs = state, logs
        self.data = Path(state.data)

    def plan(self, ports: Ports) -> None:
        """Choose ports and passwords that are not chosen yet, so that they can be saved before anything starts."""
        for part, names in PORTS.items():
            if self.state.provider[part] == "given":
                self.state.given[part] = os.environ[GIVEN[part]]
                continue
            for name in names:
                self.state.ports.setdefault(name, ports.choose())
        if self.state.provider["rabbitmq"] == "given":
            self.state.given["management"] = reach.api_address(os.environ)
        for user in topology.users():
            self.state.secret(f"rabbitmq:{user}")
        for user in mongo_users.USERS:
            self.state.secret(f"mongod:{user}")
        for name in ("cookie", "mongod:root", "mongod:keyfile", "postgres:superuser"):
            self.state.secret(name)

    def lay_out(self, part: str) -> Launch | None:
        """Make ready what a part needs before its start; give how a local one is started, None where it is not ours."""
        provider = self.state.provider[part]
        if provider == "compose":
            compose.up(self.state, self.definitions(), part)
        if provider != "local":
            return None
        if part == "rabbitmq":
            node = Rabbit(self.state.id, self.data / part, self.state.ports, self.logs / "rabbitmq.log")
            node.prepare(self.state.secrets["cookie"], self.definitions())
            return node.launch()
        if part == "mongod":
            self.mongo.prepare(self.state.secrets["mongod:keyfile"])
            return self.mongo.launch()
        self._postgres.prepare()
        return self._postgres.launch()

    def ready(self, part: str) -> bool:
        """Tell whether a part answers."""
        if part == "rabbitmq":
            ours = self.state.provider[part] != "given"
            return reach.broker(self.amqp_uri("console")) if ours else reach.broker_api(self.state.given["management"])
        return self.mongo.ready() if part == "mongod" else reach.postgres(self.postgres_uri)

    def settle(self, part: str) -> None:
        """Put users, rights and topology into a part that answers; safe to repeat."""
        if part == "rabbitmq":
            if self.state.provider[part] == "given":
                reach.load_definitions(self.state.given["management"], self.definitions())
            self.apply_topology()
        if part == "mongod":
            if self.state.provider[part] != "given":
                self.mongo.settle()
            self._make_mongo_users()
            self._set_first_instant()

    def alive(self, part: str) -> bool:
        """Tell whether a part runs; one that is not our process runs when it answers."""
        if self.state.provider[part] == "local":
            return part in self.state.processes and self.state.processes[part].alive
        return self.ready(part)

    def end(self, keep: bool) -> None:
        """End the parts that are ours; data that is not kept needs no orderly end."""
        how, running = POLITE if keep else HARD, [part for part in PARTS if part in self.state.processes]
        with ThreadPoolExecutor(len(PARTS)) as pool:
            list(pool.map(lambda part: spawn.end([self.state.processes[part].ticket], 20.0, how[part]), running))
        if "compose" in self.state.provider.values():
            compose.down(self.state, keep)

    def amqp_uri(self, user: str) -> str:
        """Give the broker's address for one of its users."""
        secret = self.state.secrets[f"rabbitmq:{user}"]
        if "rabbitmq" in self.state.given:
            address = urlsplit(self.state.given["rabbitmq"])
            return f"{address.scheme}://{user}:{secret}@{address.hostname}:{address.port or 5672}{address.path or '/'}"
        return f"amqp://{user}:{secret}@127.0.0.1:{self.state.ports['amqp']}/"

    @property
    def mongo(self) -> Mongo:
        """Give the database's replica set."""
        secret, port = self.state.secrets["mongod:root"], self.state.ports.get("mongod", 0)
        return Mongo(self.data / "mongod", port, secret, self.logs / "mongod.log", self.state.given.get("mongod", ""))

    def mongo_uri(self, user: str) -> str:
        """Give the database's address for one of its users."""
        secret = self.state.secrets[f"mongod:{user}"]
        if given := self.state.given.get("mongod"):
            address = urlsplit(given)
            options = dict(parse_qsl(address.query)) | {"authSource": "admin"}
            return f"{address.scheme}://{user}:{secret}@{address.netloc.rpartition('@')[2]}/?{urlencode(options)}"
        return f"mongodb://{user}:{secret}@127.0.0.1:{self.state.ports['mongod']}/?replicaSet=rs0&authSource=admin"

    @property
    def postgres_uri(self) -> str:
        """Give the superuser's address of the demo's PostgreSQL (for the maker of the demo's data only)."""
        return self.state.given.get("postgres") or self._postgres.admin_uri

    @property
    def management(self) -> str:
        """Give the address of the broker's management API, without a user."""
        if api := self.state.given.get("management"):
            address = urlsplit(api)
            return f"{address.scheme}://{address.hostname}:{address.port or 15672}"
        return f"http://127.0.0.1:{self.state.ports['management']}"

    def definitions(self) -> dict[str, Any]:
        """Give what the broker loads at its start: users, rights, policies."""
        passwords = {user: self.state.secrets[f"rabbitmq:{user}"] for user in topology.users()}
        return topology.definitions(passwords, self.state.mode)

    def apply_topology(self) -> list[str]:
        """Declare exchanges, queues and bindings as the user who may; give every difference that was met."""
        uri = self.amqp_uri(topology.TOPOLOGY_USER)
        with dial(uri, "topology") as connection:
            return topology.apply(connection, self.state.mode, topology.Management(self.management, uri))

    @property
    def _postgres(self) -> Postgres:
        secret = self.state.secrets["postgres:superuser"]
        return Postgres(self.data / "postgres", self.state.ports["postgres"], secret, self.logs / "postgres.log")

    def _make_mongo_users(self) -> None:
        mongo_users.make(
            self.mongo.admin_uri, {user: self.state.secrets[f"mongod:{user}"] for user in mongo_users.USERS}
        )

    def _set_first_instant(self) -> None:
        """Give the simulated clock an instant, unless it has one: without any, no face turns ready."""
        if self.state.mode == "production":
            return
        with suppress(Rejected):  # it stands later already, and never goes back
            set_clock(self.mongo_uri(mongo_users.CLOCK_WRITER), FIRST_INSTANT)


def _reachable(place: Path) -> bool:
    """Tell whether any user can pass through a folder and everything above it."""
    return all(folder.stat().st_mode & 0o001 for folder in (place, *place.parents))

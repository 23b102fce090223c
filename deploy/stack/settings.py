"""The environment of each process (ADR 0001, Configuration) and the folders and files it names.

A process gets its own addresses, its own key folder and its own work folder, and nothing of anybody else's.
`deploy.demo` processes get the superuser's addresses of the *target* systems, because they are those systems' owners.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from deploy.stack import keys
from deploy.stack.parts import Parts
from deploy.stack.processes import TABLE, Process
from deploy.stack.state import State

INHERITED = ("PATH", "HOME", "USER", "TMPDIR", "TZ", "SSL_CERT_FILE", "VIRTUAL_ENV")
STAMPS = ("OPHOR_TSA", "OPHOR_TSA_CHAIN", "OPHOR_TSA_CRL")
STAMPING = ("compliance-ledger", "compliance-render")
PAGES = "pages"
NOBODY = '{"version": 1, "users": []}\n'


class Settings:
    """What the stack's processes and its console are told."""

    def __init__(self, home: Path, state: State, parts: Parts) -> None:
        self.home, self.state, self.parts = home, state, parts
        self.keys, self.trust = home / "keys", home / "trust.json"
        self.maps, self.drops = home / "maps", home / "drops.yaml"

    @property
    def folders(self) -> tuple[Path, ...]:
        """List the folders of the home that belong to the stack alone (`down` removes them; logs and results stay)."""
        return (self.keys, self.maps)

    @property
    def files(self) -> tuple[Path, ...]:
        """List the files of the home that belong to the stack alone."""
        return (self.trust, self.drops, self.users)

    def lay_out(self) -> None:
        """Make the folders and files that processes are told of."""
        for folder in (self.home / "logs", self.maps):
            folder.mkdir(parents=True, exist_ok=True)
        for file, empty in ((self.drops, "{}\n"), (self.users, NOBODY)):
            if not file.exists():
                file.write_text(empty)
        keys.make(self.keys, self.trust, f"http://127.0.0.1:{self.state.ports[PAGES]}/verify")

    def port_names(self, name: str) -> list[str]:
        """List the names of the ports that a process needs."""
        return [f"health:{name}", *([PAGES] if name == "gateway" else [])]

    def environment(self, name: str, inherit: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Give the whole environment of a process of ours."""
        row = TABLE[name]
        env = {key: inherit[key] for key in INHERITED if key in inherit}
        env |= {"LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", "OPHOR_MODE": self.state.mode, "OPHOR_HOME": str(self.home)}
        env["OPHOR_HEALTH_PORT"] = str(self.state.ports[f"health:{name}"])
        if row.kind == "demo":
            return env | self._of_demo()
        stamps = {key: inherit[key] for key in STAMPS if name in STAMPING and inherit.get(key)}
        return env | self._of_product(row) | stamps

    def console(self) -> dict[str, str]:
        """Give what the command line needs to work on this stack, as the variables that it would read elsewhere."""
        return {
            "OPHOR_MODE": self.state.mode,
            "OPHOR_AMQP_URI": self.parts.amqp_uri("console"),
            "OPHOR_TOPOLOGY_URI": self.parts.amqp_uri("topology"),
            "OPHOR_RABBIT_MANAGEMENT": self.parts.management,
            "OPHOR_KEYS": str(keys.folder_of(self.keys, keys.CONSOLE)),
            "OPHOR_TRUST": str(self.trust),
            "OPHOR_CLOCK_URI": self.parts.mongo_uri("clock-writer"),
        }

    def _of_product(self, row: Process) -> dict[str, str]:
        env = {
            "OPHOR_AMQP_URI": self.parts.amqp_uri(row.user),
            "OPHOR_RABBIT_MANAGEMENT": self.parts.management,
            "OPHOR_TRUST": str(self.trust),
            "OPHOR_KEYS": str(keys.folder_of(self.keys, row)),
            "OPHOR_CLOCK_URI": self.parts.mongo_uri("clock-reader"),
        }
        if row.kind == "gateway":
            return env | {"OPHOR_GATEWAY_PORT": str(self.state.ports[PAGES]), "OPHOR_GATEWAY_USERS": str(self.users)}
        own = self.parts.mongo_uri(row.user)
        env |= {"OPHOR_MONGO_URI": own, "OPHOR_CLOCK_URI": own}  # it may read the clock: one client serves both
        if row.service in ("delivery", "deletion"):
            env["OPHOR_DROPS"] = str(self.drops)
        if row.kind == "hand":
            work = Path(self.state.data) / "work" / row.name
            work.mkdir(mode=0o700, parents=True, exist_ok=True)
            env |= {"OPHOR_MAPS": str(self.maps), "OPHOR_WORK": str(work)}
        return env

    def _of_demo(self) -> dict[str, str]:
        return {
            "OPHOR_CLOCK_URI": self.parts.mongo_uri("clock-reader"),
            "OPHOR_POSTGRES_ADMIN": self.parts.postgres_uri,
            "OPHOR_MONGO_ADMIN": self.parts.mongo.admin_uri,
        }

    @property
    def users(self) -> Path:
        """Give the file of the pages' users."""
        return self.home / "users.json"

"""The broker as a private local node: own name, ports, cookie, epmd and folders; loopback only; durable.

Users, rights and policies come from the definitions file that the node loads at every start; exchanges, queues and
bindings are declared by `ophor topology apply`, and what is there already stays.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.stack import programs
from deploy.stack.spawn import Launch


@dataclass(frozen=True, slots=True)
class Rabbit:
    """One private node; `ports` by name: amqp, management, dist, epmd."""

    id: str
    folder: Path
    ports: Mapping[str, int]
    log: Path

    @property
    def address(self) -> str:
        """Give host and port for AMQP."""
        return f"127.0.0.1:{self.ports['amqp']}"

    def prepare(self, cookie: str, definitions: Mapping[str, Any]) -> None:
        """Lay out the node's folder, owned by the user it runs as."""
        for name in ("mnesia", "home"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._write("enabled_plugins", "[rabbitmq_management].")
        self._write("rabbitmq-env.conf", "")
        self._write("definitions.json", json.dumps(definitions))
        self._write("rabbitmq.conf", self._config())
        with suppress(FileNotFoundError):
            (self.folder / "home" / ".erlang.cookie").unlink()
        self._write("home/.erlang.cookie", cookie, 0o400)
        self._own()

    def launch(self) -> Launch:
        """Give how the node is started; the pid is the Erlang machine's own."""
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self.folder / "home"),
            "ERL_EPMD_PORT": str(self.ports["epmd"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"ophor-{self.id}@localhost",
            "RABBITMQ_DIST_PORT": str(self.ports["dist"]),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder),
            "RABBITMQ_PID_FILE": str(self.folder / "rabbit.pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            # makes the start script exec the Erlang machine, which then answers SIGTERM itself
            "RUNNING_UNDER_SYSTEMD": "true",
        }
        return Launch([programs.rabbitmq()], env, self.log, programs.user_for("rabbitmq"), self.folder)

    def _config(self) -> str:
        lines = [
            f"listeners.tcp.1 = {self.address}",
            f"load_definitions = {self.folder / 'definitions.json'}",
            "log.console = true",
            "log.console.level = warning",
            "log.file = false",
            "disk_free_limit.absolute = 50MB",
            "raft.wal_max_size_bytes = 67108864",
            f"management.tcp.port = {self.ports['management']}",
            "management.tcp.ip = 127.0.0.1",
        ]
        return "\n".join(lines) + "\n"

    def _write(self, name: str, text: str, mode: int = 0o600) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)

    def _own(self) -> None:
        self.folder.chmod(0o700)
        if user := programs.user_for("rabbitmq"):
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, user, user)

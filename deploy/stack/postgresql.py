"""PostgreSQL as a private local cluster: a *target* of the demo, never a database of Ophør's own; loopback only."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import Unavailable
from deploy.stack import programs, spawn
from deploy.stack.spawn import Launch

SUPERUSER = "postgres"


@dataclass(frozen=True, slots=True)
class Postgres:
    """One private cluster; `password` is the superuser's (for the maker of the demo's data only)."""

    folder: Path
    port: int
    password: str
    log: Path

    @property
    def admin_uri(self) -> str:
        """Give the superuser's address."""
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/postgres"

    @property
    def _db(self) -> Path:
        return self.folder / "db"

    def prepare(self) -> None:
        """Make the cluster, unless it is made; every connection needs a password."""
        if (self._db / "PG_VERSION").exists():
            self._forget_the_dead()
            return
        shutil.rmtree(self._db, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        secret = self.folder / "superuser"
        secret.write_text(self.password)
        secret.chmod(0o600)
        if user := programs.user_for("postgres"):
            shutil.chown(self.folder, user, user)
            shutil.chown(secret, user, user)
        self._initdb(secret, user)
        secret.unlink()

    def launch(self) -> Launch:
        """Give how the server is started."""
        settings = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": "",
            "timezone": "UTC", "log_timezone": "UTC", "log_min_messages": "warning", "max_connections": "100",
        }  # fmt: skip
        argv = [programs.postgres("postgres"), "-D", str(self._db)]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        return Launch(argv, self._env(), self.log, programs.user_for("postgres"), self.folder)

    def _forget_the_dead(self) -> None:
        """Remove the lock file of a killed server: one whose starter has not reaped it yet counts as running there."""
        lock = self._db / "postmaster.pid"
        with suppress(OSError, ValueError):
            if spawn.start_time(int(lock.read_text().split("\n", 1)[0])) is None:
                lock.unlink()

    def _initdb(self, secret: Path, user: str | None) -> None:
        argv = [
            programs.postgres("initdb"), "-D", str(self._db), "-U", SUPERUSER, "--pwfile", str(secret),
            "-A", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions",
        ]  # fmt: skip
        groups: list[str] | None = [] if user else None
        done = subprocess.run(
            argv, env=self._env(), cwd=self.folder, user=user, group=user, extra_groups=groups, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise Unavailable("INITDB_FAILED", done.stderr.strip()[-800:], field="postgres", da="initdb mislykkedes.")

    def _env(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "HOME": str(self.folder)}

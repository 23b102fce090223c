"""What a stack knows about itself, kept in `stack.json` in its home folder (mode 0600: it holds passwords).

Ports, passwords and processes are written before anything is started with them, by writing a new file and renaming
it, so that a starter that is killed leaves a state from which `down` and `up` still work.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from contracts.errors import Unavailable
from deploy.stack.spawn import Launch, Ticket

VERSION = 1


@dataclass(slots=True)
class Entry:
    """One process of the stack: how it is started, and the pid and start ticket of its last start."""

    argv: list[str]
    env: dict[str, str]
    log: str
    user: str | None = None
    cwd: str | None = None
    health_port: int | None = None
    pid: int = 0
    started: int = 0

    @property
    def launch(self) -> Launch:
        """Give what `spawn.start` needs."""
        return Launch(self.argv, self.env, Path(self.log), self.user, Path(self.cwd) if self.cwd else None)

    @property
    def ticket(self) -> Ticket:
        """Give what the process of the last start is known by; one that was never started is not alive."""
        return Ticket(self.pid, self.started)

    @property
    def alive(self) -> bool:
        """Tell whether the process of the last start still runs."""
        return self.ticket.alive


@dataclass(slots=True)
class State:
    """The whole of `stack.json`; `given`: addresses of parts not ours; `settled`: parts made ready for use."""

    id: str
    mode: str
    data: str
    provider: dict[str, str] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    settled: list[str] = field(default_factory=list)
    processes: dict[str, Entry] = field(default_factory=dict)
    version: int = VERSION

    def secret(self, name: str) -> str:
        """Give the password of that name, made at the first question (letters and digits only)."""
        return self.secrets.setdefault(name, secrets.token_hex(18))


def path_of(home: Path) -> Path:
    """Give the state file of a home folder."""
    return home / "stack.json"


def load(home: Path) -> State | None:
    """Read the state of a home folder, None where there is no stack; raise Unavailable STACK_UNREADABLE."""
    try:
        body: dict[str, Any] = json.loads(path_of(home).read_text("utf-8"))
        entries = {name: Entry(**entry) for name, entry in body.pop("processes").items()}
        state = State(**body, processes=entries)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _unreadable(home, str(error)) from None
    if state.version != VERSION:
        raise _unreadable(home, f"version {state.version}, not {VERSION}")
    return state


def save(home: Path, state: State) -> None:
    """Write the state so that a reader sees the old or the new one, never half of it."""
    path = path_of(home)
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(state), file, indent=1)
    fresh.replace(path)


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Keep a second `up` or `down` on the same home waiting until this one is done."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "stack.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _unreadable(home: Path, why: str) -> Unavailable:
    return Unavailable(
        "STACK_UNREADABLE", f"{path_of(home)}: {why}", remedy="`ophor down` ends what runs",
        da="Stakkens tilstand kan ikke læses.",
    )  # fmt: skip

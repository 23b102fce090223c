"""One local stack: parts and processes that run detached, described by `stack.json` in a home folder.

Rules kept here: `up` starts what does not run and leaves what runs alone; a process is started again with the same
words, environment and port as before; nothing counts as up before it says that it is ready; `down` ends everything
that carries this stack's mark, also what a killed starter had no time to write down; both are safe to repeat.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from contracts.errors import Rejected, Unavailable
from deploy.stack import reach, spawn, starting, state, users
from deploy.stack.parts import PORTS, Parts, choose_providers, make_data_folder
from deploy.stack.ports import Ports, freed, release
from deploy.stack.processes import PARTS, PRODUCT, TABLE
from deploy.stack.settings import PAGES, Settings
from deploy.stack.spawn import Launch
from deploy.stack.starting import Progress, Starting
from deploy.stack.state import Entry, State

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Row:
    """One process as `status` sees it; `failing` names the checks that keep it from being ready."""

    name: str
    kind: str
    pid: int
    alive: bool
    ready: bool
    failing: tuple[str, ...] = ()
    port: int | None = None
    provider: str = "local"


def home_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Give the home folder of the stack that is meant: `OPHOR_HOME`, else `.ophor` in the checkout."""
    return Path(environ.get("OPHOR_HOME") or ROOT / ".ophor").resolve()


def _silent(name: str, word: str) -> None:
    """Tell nobody."""


class Stack:
    """A stack that exists; get one with `create` or `open`."""

    def __init__(self, home: Path, described: State) -> None:
        self.home, self.state = home, described
        self.parts = Parts(described, home / "logs")
        self.settings = Settings(home, described, self.parts)
        self._writing = Lock()

    @classmethod
    def open(cls, home: Path | None = None) -> Stack:
        """Open the stack of a home folder; raise Unavailable STACK_MISSING where there is none."""
        home = (home or home_folder()).resolve()
        described = state.load(home)
        if described is None:
            raise Unavailable(
                "STACK_MISSING", f"there is no stack in {home}", remedy="ophor up", da="Der kører ingen stak."
            )
        return cls(home, described)

    @classmethod
    def create(cls, home: Path | None = None, mode: str = "demo") -> Stack:
        """Describe a new stack in a home folder, or open the one that is there; nothing is started yet."""
        home = (home or home_folder()).resolve()
        with state.only_one(home):
            if described := state.load(home):
                return cls(home, described)
            spawn.end_all(str(home), 5.0)
            shutil.rmtree(home / "logs", ignore_errors=True)
            providers = choose_providers(os.environ)
            stack = cls(home, State(uuid.uuid4().hex[:8], mode, str(make_data_folder()), providers))
            with Ports(home) as ports:
                stack.parts.plan(ports)
                stack.state.ports.setdefault(PAGES, ports.choose())  # certificates' QR codes lead there
                stack._save()
            stack.settings.lay_out()
            return stack

    def up(self, names: Iterable[str] = (), progress: Progress = _silent, *, alone: bool = False) -> list[str]:
        """Start what does not run of `names` (none: everything that belongs to the stack); give what was started.

        Broker and database are started with them, unless `alone`. Raises Unavailable PROCESS_NOT_STARTED, with the
        log's last lines, when one ends or does not become ready.
        """
        wanted = self._wanted(list(names), alone)
        with state.only_one(self.home), Ports(self.home) as ports:
            self._reload()
            parts = [name for name in wanted if name in PARTS and not self._serves(name)]
            self._up_parts(parts, progress)
            own = [name for name in wanted if name not in PARTS and not self._runs(name)]
            for name in own:
                self._describe(name, ports)
            self._save()
            starting.wait([self._start(name, progress) for name in own], progress)
        return parts + own

    def end(self, names: Iterable[str], grace: float = 15.0) -> None:
        """End processes of this stack by name, and their children; raise Unavailable PROCESS_NEVER_STARTED."""
        with state.only_one(self.home):
            self._reload()
            ended = {name: self._entry(name) for name in names}
            spawn.end([entry.ticket for entry in ended.values()], grace)
            for name in ended:
                spawn.end(spawn.marked(str(self.home), name), 2.0)

    def restart(self, name: str, progress: Progress = _silent) -> None:
        """End one process and start it again."""
        self.end([name])
        self.up([name], progress)

    def replace(self, name: str, argv: list[str] | None = None, env: Mapping[str, str] | None = None) -> None:
        """Change how a process is started from its next start on: other words, or more environment."""
        self._known([name])
        with state.only_one(self.home), Ports(self.home) as ports:
            self._reload()
            entry = self._describe(name, ports)
            words, user = (argv, None) if argv else (entry.argv, entry.user)  # other words may need another interpreter
            self.state.processes[name] = replace(entry, argv=words, env={**entry.env, **(env or {})}, user=user)
            self._save()

    def down(self, keep: bool = False, grace: float = 15.0) -> None:
        """End everything; remove data, keys and state unless `keep` (a kept stack is started again by `up`)."""
        with state.only_one(self.home):
            self._reload()
            ours = [entry for name, entry in self.state.processes.items() if name not in PARTS]
            spawn.end([entry.ticket for entry in ours], grace)
            self.parts.end(keep)
            spawn.end_all(str(self.home), 5.0)
            if not keep:
                self._remove()

    def status(self) -> list[Row]:
        """Tell of every process that belongs to the stack whether it runs and is ready."""
        self._reload()
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(self._row, self._wanted([])))

    def row(self, name: str) -> Row:
        """Tell of one process whether it runs and is ready; raise Rejected PROCESS_UNKNOWN."""
        self._known([name])
        self._reload()
        return self._row(name)

    def environment(self, name: str) -> dict[str, str]:
        """Give the environment that a process is started with; raise Rejected PROCESS_UNKNOWN."""
        self._known([name])
        with Ports() as ports:
            return dict(self._describe(name, ports).env)

    def log(self, name: str) -> Path:
        """Give the log file of a process; raise Rejected PROCESS_UNKNOWN."""
        self._known([name])
        return self.home / "logs" / f"{name}.log"

    def _wanted(self, asked: list[str], alone: bool = False) -> list[str]:
        self._known(asked)
        needed = () if alone else ("rabbitmq", "mongod")
        wanted = {*asked, *needed} if asked else {*PARTS, *PRODUCT, *self.state.processes}
        return [name for name in TABLE if name in wanted]

    def _known(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in TABLE:
                raise Rejected(
                    "PROCESS_UNKNOWN",
                    f"there is no process {name}",
                    field=name,
                    remedy=f"one of {', '.join(TABLE)}",
                    da=f"Processen {name} findes ikke.",
                )

    def _entry(self, name: str) -> Entry:
        self._known([name])
        if name not in self.state.processes:
            raise Unavailable(
                "PROCESS_NEVER_STARTED",
                f"{name} was never started",
                field=name,
                remedy=f"ophor up {name}",
                da=f"{name} har aldrig kørt.",
            )
        return self.state.processes[name]

    def _serves(self, part: str) -> bool:
        return part in self.state.settled and self.parts.alive(part)

    def _runs(self, name: str) -> bool:
        return name in self.state.processes and self.state.processes[name].alive

    def _describe(self, name: str, ports: Ports) -> Entry:
        """Give the entry of a process, made where there is none yet."""
        if name not in self.state.processes:
            for port in self.settings.port_names(name):
                self.state.ports.setdefault(port, ports.choose())
            health, env = self.state.ports[f"health:{name}"], self.settings.environment(name)
            python, user, env = users.launched(self.home, self.state, TABLE[name], env)
            argv = [python, "-m", *TABLE[name].module]
            self.state.processes[name] = Entry(argv, env, str(self.log(name)), user, str(ROOT), health)
        return self.state.processes[name]

    def _row(self, name: str) -> Row:
        if name in PARTS:
            return self._row_of_part(name)
        entry = self.state.processes.get(name) or Entry([], {}, "")
        kind, port = TABLE[name].kind, entry.health_port
        if not entry.alive or port is None:
            return Row(name, kind, entry.pid, False, False, port=port)
        answer = reach.health(port, "/ready")
        failing = tuple(answer.get("failing", ())) if answer else ("no answer",)
        return Row(name, kind, entry.pid, True, bool(answer and answer.get("ready")), failing, port)

    def _start(self, name: str, progress: Progress) -> Starting:
        """Start a process that does not run; raise Unavailable PORT_TAKEN where its port is somebody else's."""
        entry = self.state.processes[name]
        spawn.end(spawn.marked(str(self.home), name), 5.0)
        for port in self._ports_of(name):
            if not freed(port):
                raise Unavailable(
                    "PORT_TAKEN",
                    f"port {port} on 127.0.0.1 is taken",
                    field=name,
                    remedy="end what listens there, or begin anew: `ophor down` and `ophor up`",
                    da=f"Port {port} er optaget.",
                )
        progress(name, "starting")
        offset = starting.size(self.log(name))
        ticket = spawn.start(entry.launch, str(self.home), name)
        with self._writing:
            self.state.processes[name] = replace(entry, pid=ticket.pid, started=ticket.started)
            self._save()
        return Starting(name, self.log(name), offset, lambda: ticket.alive, lambda: self._row(name).ready)

    def _ports_of(self, name: str) -> list[int]:
        """List the ports that a process is going to listen on."""
        if name in PARTS:
            return [self.state.ports[port] for port in PORTS[name] if port != "epmd"]  # one that runs is used again
        return [self.state.ports[port] for port in self.settings.port_names(name)]

    def _up_parts(self, names: list[str], progress: Progress) -> None:
        with ThreadPoolExecutor(len(PARTS)) as pool:
            for done in [pool.submit(self._up_part, name, progress) for name in names]:
                done.result()

    def _up_part(self, name: str, progress: Progress) -> None:
        if not self.parts.alive(name) and (launch := self.parts.lay_out(name)):
            self.state.processes[name] = _entry_of(launch)
            begun = self._start(name, progress)
        else:
            progress(name, "starting")
            begun = Starting(name, self.log(name), 0, lambda: True, lambda: self.parts.ready(name))  # not our process
        starting.wait([begun], _silent)
        self.parts.settle(name)
        with self._writing:
            self.state.settled = sorted({*self.state.settled, name})
            self._save()
        progress(name, "ready")

    def _row_of_part(self, name: str) -> Row:
        entry, alive = self.state.processes.get(name), self.parts.alive(name)
        pid, provider = entry.pid if entry else 0, self.state.provider[name]
        return Row(name, "part", pid, alive, alive and self.parts.ready(name), provider=provider)

    def _reload(self) -> None:
        """Take what another `up` or `down` wrote meanwhile."""
        if fresh := state.load(self.home):
            self.state.ports, self.state.secrets = fresh.ports, fresh.secrets
            self.state.processes, self.state.settled = fresh.processes, fresh.settled

    def _save(self) -> None:
        state.save(self.home, self.state)

    def _remove(self) -> None:
        release(self.state.ports.values())
        shutil.rmtree(self.state.data, ignore_errors=True)
        for folder in self.settings.folders:
            shutil.rmtree(folder, ignore_errors=True)
        for file in (*self.settings.files, state.path_of(self.home)):
            with suppress(FileNotFoundError):
                file.unlink()
        self.state.processes.clear()


def _entry_of(launch: Launch) -> Entry:
    cwd = str(launch.cwd) if launch.cwd else None
    return Entry(list(launch.argv), dict(launch.env), str(launch.log), launch.user, cwd)

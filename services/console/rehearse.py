"""`ophor rehearse`: a whole exit on copies that a system map describes, from the order to the last certificate.

Before anything is started or changed: the map is read, the CVR number checked, every secret and log-in tried, every
target's marker looked for, the map held against what the systems hold, hosts and row counts listed, and each system's
name typed (design §6). Then the stack is started if it does not run, and the exit is played through the front doors.
Running it again goes on where it stopped: every step keeps its command id. A finished rehearsal, or another map, is
followed by an exit of its own, which begins on the simulated clock's own day where that is past today.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from contracts import roles, system_map
from contracts.errors import Rejected, Unavailable
from contracts.system_map import SystemMap
from deploy.stack.instance import Stack
from services.console import rehearsal, systems
from services.console.rehearsing import results, stagehands
from services.console.rehearsing.attesters import Attesters
from services.console.rehearsing.desk import Desk
from services.console.rehearsing.progress import Progress
from services.console.rehearsing.quiet import Walk
from services.console.rehearsing.scenario import Rehearsal, Scenario, Stage
from services.console.rehearsing.standing import standing
from services.console.rehearsing.wish import Wish, begin, keep, unfinished
from services.console.terminal import speaks
from shared.bus.client import Client
from shared.bus.tokens import Issuer
from shared.bus.trust import load_key
from shared.rules.cvr import is_cvr
from shared.runtime.clock import SimulatedClock, legal_date, midnight, set_clock

TEST_CVR = "11111111"


class Run:
    """One running of a rehearsal on a stack; `close` lets go of the connections."""

    def __init__(self, wish: Wish, stack: Stack, console: Console) -> None:
        self.wish, self.stack, self.console = wish, stack, console
        self.record = begin(wish)
        self.systems: SystemMap = system_map.load(wish.map_path)
        self.successor = stagehands.Successor(wish.out / "successor")
        self.attesters = Attesters(self.systems, wish.tenant, wish.cvr)

    def __call__(self) -> dict[str, Any]:
        """Play the exit and leave its results in `out`; return the summary."""
        with self._counting():
            digest = self._lay_out()
            self._bring_up()
            self.attesters.begin(date.fromisoformat(self.record["began_on"]))
            summary = self._play(self._rehearsal(digest))
        summary["seconds"] = round(self.record["worked_s"], 1)
        results.write_summary(self.wish.out, summary)
        keep(self.wish.out, {**self.record, "finished": True})
        return summary

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """Add the time spent here to the rehearsal's own."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.record["worked_s"] += time.monotonic() - started
            keep(self.wish.out, self.record)

    def _lay_out(self) -> str:
        """Register the map (give its digest), name the drop, make the pages' users and their one-time passwords."""
        settings, told = self.stack.settings, self.wish.out / "users.txt"
        stagehands.name_drop(settings.drops, self.successor.drop, self.successor.folder / "drop")
        if not (told.exists() and settings.users.exists()):
            stagehands.make_users(settings.users, told, self.wish.cvr)
        return systems.register(self.wish.map_path, settings.maps)

    def _bring_up(self) -> None:
        """Start what does not run, and set the clock to the rehearsal's first day unless it is past it."""
        with self.console.status("Ophør startes …") as status:

            def tell(name: str, word: str) -> None:
                status.update(f"Ophør startes: {name} {word}")

            self.stack.up(["mongod"], progress=tell)
            self._begin_clock()
            self.stack.up(progress=tell)
            if self.wish.processes:
                self.stack.up(self.wish.processes, progress=tell)

    def _begin_clock(self) -> None:
        """Set the clock to the rehearsal's first day; one that begins when the clock is past it begins there instead.

        No face works before the clock has an instant.
        """
        self.clock_uri = self.stack.parts.mongo_uri("clock-writer")
        try:
            set_clock(self.clock_uri, midnight(date.fromisoformat(self.record["began_on"])))
        except Rejected as error:
            if error.code != "CLOCK_BACKWARDS":
                raise
            if not self.record["clocked"]:
                self.record["began_on"] = self._clock_day().isoformat()
        self.record["clocked"] = True
        keep(self.wish.out, self.record)

    def _clock_day(self) -> date:
        clock = SimulatedClock(self.stack.parts.mongo_uri("clock-reader"))
        try:
            return legal_date(clock.fresh())
        finally:
            clock.close()

    def _play(self, mine: Rehearsal) -> dict[str, Any]:
        issuer = Issuer("console", load_key(self.stack.settings.keys / "console", "console"))
        monitor = issuer.acting("console", [roles.MONITOR])
        client = Client(self.stack.parts.amqp_uri("console"), "console", monitor)
        clock = SimulatedClock(self.stack.parts.mongo_uri("clock-reader"))
        desk = Desk(client, issuer, mine.id, mine.cvr)
        try:
            with Progress(self.console, f"{mine.customer} forlader leverandøren (øvelse)") as progress:
                desk.on_wait = lambda text: progress.wait(self._explain(text))
                walk = Walk(client, self._set_clock, self._down, progress.wait, patience_s=180.0)
                hands = (self.successor.receive, self.attesters.sign)
                stage = Stage(desk, progress, walk, *hands, lambda: clock.fresh())
                scenario = self.scenario(mine, stage)
                exit_id = scenario.play()
            return results.collect(scenario.read, self.wish.out, exit_id, stage.certificates)
        finally:
            client.close()
            clock.close()

    def scenario(self, mine: Rehearsal, stage: Stage) -> Scenario:
        """Give the play."""
        return Scenario(mine, stage)

    def _set_clock(self, instant: datetime) -> None:
        set_clock(self.clock_uri, instant)

    def _down(self) -> list[str]:
        return [row.name for row in self.stack.status() if not row.alive]

    def _explain(self, text: str) -> str:
        """Say which processes are down, where something is waited for."""
        down = self._down() if text else []
        return f"{text} – kører ikke: {', '.join(down)}; start igen: ophor up {' '.join(down)}" if down else text

    def _rehearsal(self, digest: str) -> Rehearsal:
        mine, wish = self.systems.systems.values(), self.wish
        backups = stagehands.sets_of(self.systems)
        return Rehearsal(
            id=self.record["id"], customer=wish.customer, cvr=wish.cvr, tenant=wish.tenant,
            map_digest=digest, drop=self.successor.drop, recipient=self.successor.recipient,
            systems=tuple(
                {"system": row.name, "title": row.title, "kind": row.kind, "deletion": row.deletion} for row in mine
            ),
            places=stagehands.answers(self.systems, backups=bool(backups)),
            began_on=date.fromisoformat(self.record["began_on"]), backups=backups,
            subprocessors=stagehands.subprocessors_of(self.systems),
        )  # fmt: skip


def guard(wish: Wish, console: Console) -> None:
    """Check everything that can be checked before anything is started or changed (design §6)."""
    if not is_cvr(wish.cvr, allow_test=True):
        raise Rejected(
            "CVR_INVALID", "the CVR number is not valid", field="--cvr", remedy="check the eight digits",
            da="CVR-nummeret er ikke gyldigt.",
        )  # fmt: skip
    mapped = system_map.load(wish.map_path)
    names = list(mapped.systems)
    rehearsal.check_secrets(mapped, names)
    stagehands.sets_of(mapped)
    going_on = unfinished(wish) is not None
    rehearsal.check_markers(mapped, names, wish.tenant, wish.cvr)
    rehearsal.check_systems(mapped, names, wish.tenant, wish.cvr)
    targets = rehearsal.list_targets(mapped, names, wish.tenant, wish.cvr)
    rehearsal.show(console, targets)
    if not (going_on or wish.absent):
        rehearsal.check_tenant(targets, wish.tenant)
    console.print("Øvelsen SLETTER lejerens data i disse systemer. / The rehearsal DELETES the tenant's data in them.")
    rehearsal.confirm(names, wish.yes_delete, rehearsal.at_terminal)
    check_out(wish.out)


def check_out(out: Path) -> None:
    """See that results can be written; raise Rejected OUT_NOT_WRITABLE."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        results.save(out / ".probe", b"")
        (out / ".probe").unlink()
    except OSError as error:
        raise Rejected(
            "OUT_NOT_WRITABLE", f"{out}: {error.strerror}", field="--out", remedy="give a folder that can be written",
            da=f"Der kan ikke skrives i {out}.",
        ) from None  # fmt: skip


@speaks
def rehearse(
    map_path: Annotated[Path, typer.Option("--systems", metavar="MAP.yaml", help="Systemkortet. / The system map.")],
    tenant: Annotated[str, typer.Option(help="Lejerens værdi i systemerne. / The tenant key's value.")],
    customer: Annotated[str, typer.Option(help="Kundens navn. / The customer's name.")] = "Øvelseskommunen",
    cvr: Annotated[str, typer.Option(help="Kundens CVR-nummer. / The customer's CVR number.")] = TEST_CVR,
    out: Annotated[Path, typer.Option(help="Hvor resultaterne lægges. / Where results go.")] = Path(".ophor/rehearsal"),
    yes_delete: Annotated[list[str] | None, typer.Option(help="Bekræft et systems navn. / Confirm a name.")] = None,
    absent: Annotated[bool, typer.Option("--absent", help="Lejeren har ingen rækker. / No rows are expected.")] = False,
    keep_running: Annotated[bool, typer.Option("--keep-running", help="Lad Ophør køre. / Leave it running.")] = False,
) -> None:
    """Gennemfør et helt exit på mærkede kopier. / Run a whole exit on marked copies.

    Kopierne mærkes først med `ophor rehearsal prepare MAP.yaml`. Kør kommandoen igen for at fortsætte efter et stop.

    The copies are marked with `ophor rehearsal prepare MAP.yaml` first. Run the command again to go on after a stop.

    Eksempel / example:

        ophor rehearse --systems map.yaml --tenant 751 --out øvelse --yes-delete pladsanvisning --yes-delete booking
    """
    wish = Wish(map_path.resolve(), tenant, customer, cvr, out.resolve(), tuple(yes_delete or ()), absent=absent)
    console = Console()
    guard(wish, console)
    was_there = running()
    stack = Stack.create()
    with standing(stack, console, leave=keep_running or was_there):
        finish(Run(wish, stack, console))


def running() -> bool:
    """Tell whether a stack runs here already."""
    try:
        return any(row.alive for row in Stack.open().status())
    except Unavailable:
        return False


def finish(run: Run) -> None:
    """Play a rehearsal to its end, and show its results."""
    summary = run()
    results.show(run.console, summary)
    run.console.print(_next(run.wish.out), highlight=False, soft_wrap=True)


def _next(out: Path) -> str:
    ophor = "ophor" if shutil.which("ophor") else sys.argv[0]
    certificate, keys = f"'{out}'/certificates/*ACTIVE-DELETED.pdf", f"$(sed 's/^/--key /' '{out}/keys.txt')"
    return (
        f"Resultater: {out}\n"
        f"Kontrollér selv: {ophor} verify --rehearsal {certificate} {keys}\n"
        f"Se siderne: {ophor} up  (adgangskoder: {out}/users.txt)"
    )

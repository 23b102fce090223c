"""`ophor drill restore`: backup, exit, restore, detection and re-deletion on marked copies, and a report of it.

It deletes for real, as `ophor rehearse` does, behind the same guards (design §6). The backups that it takes hold what
the copies hold: they lie in the result folder, readable by their owner alone, and are removed when the drill has ended
well; after a stop they stay, so that the same command goes on, and their place is told.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts import system_map
from contracts.errors import Rejected
from contracts.system_map import RESTORE, SystemMap
from deploy.stack.instance import Stack
from services.console import rehearsal
from services.console.rehearse import TEST_CVR, Run, guard, running
from services.console.rehearsing import results
from services.console.rehearsing.scenario import Rehearsal, Scenario, Stage
from services.console.rehearsing.scenario.restored import Plan, Restored
from services.console.rehearsing.standing import standing
from services.console.rehearsing.wish import Wish
from services.console.terminal import speaks
from shared.restoring import Taken, put_back, take, tools_of
from shared.restoring.taking import ENGINES

app = typer.Typer(no_args_is_help=True, help="Øvelser i genskabelse. / Drills of a restore.")
FOLDER, REPORT = "drill-backups", "drill.json"


@app.callback()
def drill() -> None:
    """Øvelser i genskabelse. / Drills of a restore."""


@dataclass(frozen=True, slots=True)
class Drilled:
    """What is drilled, and where."""

    wish: Wish
    systems: SystemMap
    names: tuple[str, ...]
    announced: bool


class DrillRun(Run):
    """A rehearsal whose play restores the backups that were taken before it."""

    def __init__(self, drilled: Drilled, taken: Sequence[Taken], stack: Stack, console: Console) -> None:
        super().__init__(drilled.wish, stack, console)
        self.drilled, self.taken = drilled, {each.system: each for each in taken}
        self.kept = drilled.wish.out / FOLDER / "seen.json"
        kept: dict[str, Any] = json.loads(self.kept.read_text("utf-8")) if self.kept.exists() else {}
        self.counts: dict[str, dict[str, int]] = kept.get("counts") or {"before": self._count()}
        is_back, closed = kept.get("is_back", False), {"closed": kept.get("closed", [])}
        self.plan = Plan(drilled.names, self._put_back, drilled.announced, is_back, self._keep, closed)
        self._keep()

    def scenario(self, mine: Rehearsal, stage: Stage) -> Scenario:
        """Give the play with the restore."""
        return Restored(mine, stage, self.plan)

    def _put_back(self, name: str) -> None:
        self.counts.setdefault("deleted", self._count())
        self._keep()
        put_back(self.systems, self.taken[name])
        self.counts["returned"] = self._count()

    def _keep(self) -> None:
        """Keep what was seen so far, so that a drill that goes on after a stop reports all of it."""
        seen = {"counts": self.counts, "closed": self.plan.seen["closed"], "is_back": self.plan.is_back}
        results.save(self.kept, json.dumps(seen).encode())

    def _count(self) -> dict[str, int]:
        targets = rehearsal.list_targets(self.systems, self.drilled.names, self.wish.tenant, self.wish.cvr)
        return {each.system: each.tenant_rows or 0 for each in targets}

    def report(self, summary: dict[str, Any]) -> dict[str, Any]:
        """Say what was drilled, and what came of it."""
        self.counts["after"] = self._count()
        rows = [
            {
                "system": name, "kind": self.systems.system(name).kind, "tool": self.taken[name].tool,
                "backup_bytes": self.taken[name].size,
                **{f"rows_{when}": counts.get(name) for when, counts in self.counts.items()},
            }
            for name in self.drilled.names
        ]  # fmt: skip
        seen = {name: self.plan.seen.get(name, []) for name in ("closed", "released", "revoked")}
        found = [{"job_id": each, "rows": deleted} for each, deleted in self.plan.seen.get("found", {}).items()]
        clean = all(row["rows_after"] == 0 for row in rows)
        told = {"drill": "restore", "announced": self.drilled.announced, "systems": rows, "found": found, **seen}
        return told | {"passed": clean and bool(found), "certificates": summary["certificates"]}


@app.command()
@speaks
def restore(
    map_path: Annotated[Path, typer.Option("--systems", metavar="MAP.yaml", help="Systemkortet. / The system map.")],
    tenant: Annotated[str, typer.Option(help="Lejerens værdi. / The tenant key's value.")],
    cvr: Annotated[str, typer.Option(help="Kundens CVR-nummer. / The customer's CVR number.")] = TEST_CVR,
    out: Annotated[Path, typer.Option(help="Hvor resultaterne lægges. / Where results go.")] = Path(".ophor/drill"),
    system: Annotated[list[str] | None, typer.Option(help="Kun disse genskabes. / Restore only these.")] = None,
    silent: Annotated[bool, typer.Option("--silent", help="Anmeld intet. / Announce nothing.")] = False,
    yes_delete: Annotated[list[str] | None, typer.Option(help="Bekræft et systems navn. / Confirm a name.")] = None,
    keep_running: Annotated[bool, typer.Option("--keep-running", help="Lad Ophør køre. / Leave it running.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON i stedet. / JSON instead.")] = False,
) -> None:
    """Øv en genskabelse på mærkede kopier: backup, exit, genskabelse, fund, fornyet sletning, bevis.

    Drill a restore on marked copies: backup, exit, restore, detection, re-deletion, certificate.

    Systemkortet skal have adgangsoplysninger `restore` til de systemer, der genskabes.
    The system map needs credentials `restore` for the systems that are restored.

    Eksempler / examples:

        ophor drill restore --systems map.yaml --tenant 751 --yes-delete pladsanvisning

        ophor drill restore --systems map.yaml --tenant 751 --silent --json
    """
    console = Console(stderr=as_json)
    wish = Wish(map_path.resolve(), tenant, "Øvelseskommunen", cvr, out.resolve(), tuple(yes_delete or ()))
    mapped = system_map.load(wish.map_path)
    drilled = Drilled(wish, mapped, drillable(mapped, tuple(system or ())), not silent)
    guard(wish, console)
    taken, was_there = backups(drilled, console), running()
    stack = Stack.create()
    try:
        with standing(stack, console, leave=keep_running or was_there):
            started = time.monotonic()
            run = DrillRun(drilled, taken, stack, console)
            report = run.report(run())
            report["seconds"] = round(time.monotonic() - started, 1)
    except BaseException:
        console.print(f"Backup med data ligger i {wish.out / FOLDER}", style="red", markup=False, highlight=False)
        raise
    shutil.rmtree(wish.out / FOLDER)
    results.save(wish.out / REPORT, (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode())
    typer.echo(json.dumps(report, indent=2, ensure_ascii=False)) if as_json else show(console, report)
    if not report["passed"]:
        raise typer.Exit(1)


def drillable(systems: SystemMap, wanted: Sequence[str]) -> tuple[str, ...]:
    """Give the systems to restore: those wanted, or all that have credentials for it; raise what forbids it."""
    able = [each.name for each in systems.systems.values() if each.kind in ENGINES and RESTORE in each.credentials]
    names = tuple(wanted) or tuple(able)
    for name in names:
        tools_of(systems.system(name))
    if not names:
        raise Rejected(
            "DRILL_NOTHING", "no system of the map has credentials `restore`", field="credentials.restore",
            remedy="give the user that owns the copy, on copies only", da="Intet system i kortet kan genskabes.",
        )  # fmt: skip
    return names


def backups(drilled: Drilled, console: Console) -> list[Taken]:
    """Take the backups before anything is deleted; those of the same drill, stopped, are taken up again."""
    folder = drilled.wish.out / FOLDER
    index, mine = folder / "index.json", [drilled.wish.tenant, drilled.systems.digest, *drilled.names]
    if index.exists():
        kept = json.loads(index.read_text("utf-8"))
        if kept["of"] != mine:
            raise Rejected(
                "DRILL_UNFINISHED", f"{folder} has the backups of another drill, which stopped", field="--out",
                remedy="give another folder; or remove that one, if nobody needs what it holds",
                da="Mappen har backup fra en anden øvelse, der standsede.",
            )  # fmt: skip
        return [Taken(**(row | {"at": Path(row["at"])})) for row in kept["taken"]]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    taken = []
    for name in drilled.names:
        with console.status(f"Backup af {name} tages …"):
            taken.append(take(drilled.systems, name, folder))
        console.print(f"Backup af {name}: {taken[-1].tool}, {taken[-1].size} bytes", highlight=False, markup=False)
    rows = [asdict(each) | {"at": str(each.at)} for each in taken]
    results.save(index, json.dumps({"of": mine, "taken": rows}).encode())
    return taken


def show(console: Console, report: dict[str, Any]) -> None:
    """Draw the report as a table."""
    table = Table(title="Genskabelsesøvelse / restore drill")
    heads = ("System", "Værktøj", "Før", "Slettet til", "Kom igen", "Efter")
    for head in heads:
        table.add_column(head, justify="right" if head not in heads[:2] else "left")
    for row in report["systems"]:
        counts = (row.get(f"rows_{when}") for when in ("before", "deleted", "returned", "after"))
        table.add_row(row["system"], row["tool"], *(Text(str(count)) for count in counts))
    console.print(table)
    for one in report["certificates"]:
        console.print(f"{one['stage']} {one['number']}", highlight=False, markup=False)
    said = "bestået" if report["passed"] else "IKKE BESTÅET"
    closed, released = len(report["closed"]), len(report["released"])
    told = f"Øvelsen er {said}: lukket {closed}, fundet {len(report['found'])}, frigivet {released}"
    revoked = ", ".join(report["revoked"]) or "–"
    console.print(f"{told}, tilbagekaldt {revoked}; {report['seconds']} s", highlight=False, markup=False)

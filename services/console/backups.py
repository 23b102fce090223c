"""`ophor backups`: the backup sets of an exit: list, import, look for them, and draw their expiry curve.

Exit codes: 0 done (`look`: everything catalogued), 1 the world is wrong (`look`: a set beside the catalogue, or a
source that cannot be looked into), 2 the call or the data is wrong.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from contracts.errors import Rejected
from contracts.roles import MONITOR, OPERATOR
from contracts.system_map import load
from services.console import backups_file, backups_shred
from services.console.deletion_calls import Actor, AsJson, Customer, Exit, Language, Reader, client_of, speaking
from services.console.deletion_show import console
from services.console.terminal import show_json
from shared.backups import Set, see, uncatalogued
from shared.drawing.expiry import Curve, Point, expiry

if TYPE_CHECKING:
    from contracts.system_map import SystemMap

app = typer.Typer(no_args_is_help=True, help="Backupsæt og deres udløb. / Backup sets and their expiry.")
app.add_typer(backups_shred.app, name="shred")
MapFile = Annotated[Path, typer.Argument(metavar="MAP", help="Systemkortet. / The system map.")]
_STATES = {
    "WAITING": ("venter", "waiting"),
    "GONE": ("konstateret væk", "seen to be gone"),
    "KEY_DESTROYED": ("nøglen destrueret", "key destroyed"),
    "OVERDUE": ("OVER SIDSTE DAG", "PAST ITS LAST DAY"),
    "UNSEEN": ("KAN IKKE SES EFTER", "CANNOT BE LOOKED FOR"),
}


@app.command("list")
def list_sets(
    exit_id: Exit, role: Reader = MONITOR, actor: Actor = "", customer: Customer = None, as_json: AsJson = False,
    lang: Language = None,
) -> None:  # fmt: skip
    """Vis katalogets sæt, og hvad der står i vejen. / The sets of the catalogue, and what stands in the way.

    Eksempler / examples:

      ophor backups list x-1

      ophor backups list x-1 --json | jq '.backups[] | select(.state == "OVERDUE")'
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        told = client.call("deletion.read_backups", {"exit_id": exit_id})
        if as_json:
            show_json(told)
            return
        _show(told, language)


@app.command("import")
def import_sets(
    exit_id: Exit,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON eller CSV. / JSON or CSV.")],
    role: Reader = OPERATOR,
    actor: Actor = "",
    customer: Customer = None,
    lang: Language = None,
) -> None:
    """Indlæs sæt i kataloget; kan gentages. / Take sets into the catalogue; safe to repeat.

    Eksempler / examples:

      ophor backups import x-1 sets.csv
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        rows = backups_file.read(file, exit_id)
        for row in rows:
            client.call("deletion.register_backup", row, command_id(row))
        typer.echo(f"{len(rows)} sets are in the catalogue" if language == "en" else f"{len(rows)} sæt er i kataloget")


@app.command()
def look(
    file: MapFile,
    exit_id: Annotated[str, typer.Option("--exit", metavar="EXIT", help="Hold op mod dette. / Compare with it.")] = "",
    role: Reader = MONITOR,
    actor: Actor = "",
    customer: Customer = None,
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Se efter sættene i kortets kilder; ændrer intet. / Look for the sets in the map's sources; changes nothing.

    Eksempler / examples:

      ophor backups look systems.yaml

      ophor backups look systems.yaml --exit x-1
    """
    with speaking(lang) as language:
        known: list[dict[str, Any]] = []
        if exit_id:
            with client_of(role, actor, customer) as client:
                known = client.call("deletion.read_backups", {"exit_id": exit_id})["backups"]
        rows, failed = sight(load(file), known)
        if as_json:
            show_json({"sets": rows, "failed": failed})
        else:
            _show_sight(rows, failed, language)
        if failed or any(row["uncatalogued"] for row in rows if exit_id):
            raise typer.Exit(1)


@app.command()
def curve(
    exit_id: Exit,
    out: Annotated[Path, typer.Option("--out", "-o", help="SVG-filen. / The SVG file.")] = Path("backups.svg"),
    role: Reader = MONITOR,
    actor: Actor = "",
    customer: Customer = None,
    lang: Language = None,
) -> None:
    """Tegn udløbskurven som SVG. / Draw the expiry curve as SVG.

    Eksempler / examples:

      ophor backups curve x-1 --out backups.svg
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        told = client.call("deletion.read_backups", {"exit_id": exit_id})
        if not told["curve"]:
            raise Rejected(
                "NO_BACKUPS", "no backup set is in the catalogue", field="EXIT", remedy="ophor backups import",
                da="Der er ingen backupsæt i kataloget.",
            )  # fmt: skip
        out.write_text(drawn(told, language), encoding="utf-8")
        typer.echo(str(out))


def command_id(row: dict[str, Any]) -> str:
    """Give the id under which a row is sent: the same row again is the same command."""
    body = json.dumps(row, sort_keys=True).encode()
    return f"backup:{hashlib.sha256(body).hexdigest()[:40]}"


def drawn(told: dict[str, Any], language: str) -> str:
    """Draw what `read_backups` told."""
    points = [Point(date.fromisoformat(each["on"]), each["planned"], each["seen"]) for each in told["curve"]]
    today = max(each.on for each in points if each.seen is not None)
    over = [f"{row['system']}/{row['set_id']}" for row in told["backups"] if row["state"] in ("OVERDUE", "UNSEEN")]
    title = f"Backups of {told['exit_id']}" if language == "en" else f"Backup for {told['exit_id']}"
    limit = date.fromisoformat(told["limit_on"]) if told.get("limit_on") else None
    return expiry(Curve(points, today, limit, over), title, language)


def sight(systems: SystemMap, known: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Look into every source of the map; give each set, and each source that could not be looked into."""
    rows, failed = [], []
    for system in (each for each in systems.systems.values() if each.backed_up):
        seen = see(system)
        mine = [Set(row["set_id"], row["kind"], None) for row in known if row["system"] == system.name]
        beside = {each.set_id for each in uncatalogued(seen.found, mine)}
        rows += [
            {"system": system.name, **asdict(each), "uncatalogued": each.set_id in beside}
            for each in seen.found
            if each.set_id
        ]
        failed += [{"system": system.name, "kind": kind, "code": code} for kind, code in seen.failed]
    return rows, failed


def _show(told: dict[str, Any], language: str) -> None:
    table = Table()
    heads = {"da": ("System", "Sæt", "Taget", "Sidste dag", "Stand", "Set", "Nøgle"),
             "en": ("System", "Set", "Taken", "Last day", "State", "Seen", "Key")}  # fmt: skip
    for head in heads[language]:
        table.add_column(head, overflow="fold")
    for row in told["backups"]:
        state = _STATES[row["state"]][language == "en"]
        cells = (
            row["system"],
            row["set_id"],
            row["taken_on"],
            row["last_on"],
            state,
            row["observed_on"],
            row["key_id"],
        )
        style = "red" if row["state"] in ("OVERDUE", "UNSEEN") else None
        table.add_row(*(Text(str(cell or "–")) for cell in cells), style=style)
    console().print(table)
    for row in told["findings"]:
        said = f"{row['finding']}: {row['system']}/{row['set_id']} ({row['taken_on'] or '?'})"
        console().print(said, style="red", markup=False, highlight=False)


def _show_sight(rows: list[dict[str, Any]], failed: list[dict[str, str]], language: str) -> None:
    for row in rows:
        beside = ("  IKKE I KATALOGET", "  NOT IN THE CATALOGUE")[language == "en"] if row["uncatalogued"] else ""
        typer.echo(f"{row['system']}/{row['set_id']}  {row['kind']}  {row['taken_on'] or '?'}{beside}")
    for each in failed:
        typer.echo(f"{each['code']}: {each['system']} ({each['kind']})", err=True)

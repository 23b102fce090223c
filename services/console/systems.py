"""`ophor systems`: does the map cover what the systems hold (`check`), and pin it for an order (`register`).

Rules kept here: nothing is changed in any target; every place of the live schema is a line of the report, and every
place of the map that is not live is too; what the map says nothing of is a finding, never "not used". A registered map
is the file's own bytes under their digest; it names secrets and never holds them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from contracts import system_map
from contracts.errors import OphorError
from contracts.system_map import System, SystemMap
from deploy.stack.instance import home_folder
from services.console.terminal import show_json, speaks
from shared.connectors import open_connector
from shared.connectors.protocol import Connector

app = typer.Typer(help="Systemkort: dækning og registrering. / System maps: coverage and registration.")

DISPOSITIONS_DA = {"deleted": "slettes", "shared": "fælles, slettes ikke", "excluded": "undtaget", "finding": "MANGLER"}


@dataclass(frozen=True, slots=True)
class Coverage:
    """One line of the report: what becomes of a place with how many rows of the tenant and of all, or what is wrong."""

    system: str
    place: str
    disposition: str
    reason: str = ""
    delivered: bool = False
    rows: int = 0
    total: int = 0
    code: str = ""
    field: str = ""
    remedy: str = ""


def register(path: Path, maps: Path) -> str:
    """Put the map into the folder of registered maps, readable by us alone; give the digest that an order pins."""
    maps.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = system_map.register(path, maps).digest
    for pinned in maps.glob(f"{digest}.*"):
        pinned.chmod(0o600)
    return digest


def check(systems: SystemMap, tenant: str, cvr: str) -> list[Coverage]:
    """Compare every system with the map, with the verifier's credentials; give a line for every place and finding."""
    return [line for name in systems.systems for line in _check_system(systems, name, tenant, cvr)]


def _check_system(systems: SystemMap, name: str, tenant: str, cvr: str) -> list[Coverage]:
    lines: list[Coverage] = []
    try:
        with closing(open_connector(systems, name, "verify", tenant, cvr)) as connector:
            lines.extend(_lines(systems.system(name), connector))
    except OphorError as error:
        lines.append(_finding(name, "", error))
    return lines


def _lines(system: System, connector: Connector) -> Iterator[Coverage]:
    inventory = connector.discover()
    lines = [_line(system, place.name, connector) for place in inventory.places]
    for name in sorted(set(system.rules) - set(inventory.columns())):
        lines.append(_missing(system, name, "MAP_UNKNOWN_PLACE", "correct its name or take it out of the map"))
    yield from lines
    if not any(line.code for line in lines):
        connector.order(inventory)  # an unknown column or a cycle that cannot be broken is raised here


def _line(system: System, place: str, connector: Connector) -> Coverage:
    rule = system.rule(place)
    if rule is None:
        return _missing(system, place, "PLACE_NOT_MAPPED", "say in the map whose it is, or exclude it with a reason")
    disposition = "deleted" if rule.owned else "shared" if rule.shared else "excluded"
    try:
        rows, total = connector.count(place) if rule.owned else 0, connector.total(place)
    except OphorError as error:
        return _finding(system.name, place, error)
    reason, delivered = rule.reason or rule.shared or rule.excluded, rule.deliver and not rule.excluded
    return Coverage(system.name, place, disposition, reason, delivered, rows, total)


def _missing(system: System, place: str, code: str, remedy: str) -> Coverage:
    field = f"systems.{system.name}.places.{place}"
    return Coverage(system.name, place, "finding", code=code, field=field, remedy=remedy)


def _finding(system: str, place: str, error: OphorError) -> Coverage:
    return Coverage(system, place, "finding", code=error.code, field=error.field, remedy=error.remedy)


def show(console: Console, lines: list[Coverage]) -> None:
    """Print the report as a table, findings last."""
    table = Table(title="Systemkortets dækning")
    for heading in ("System", "Sted", "Hvad der sker", "Udleveres", "Lejerens rækker", "Rækker i alt"):
        table.add_column(heading, justify="right" if "rækker" in heading.lower() else "left")
    findings = [line for line in lines if line.code]
    for line in lines:
        if not line.code:
            what = DISPOSITIONS_DA[line.disposition] + (f" ({line.reason})" if line.reason else "")
            delivered = "ja" if line.delivered else "nej"
            table.add_row(line.system, line.place, what, delivered, _number(line.rows), _number(line.total))
    console.print(table)
    for line in findings:
        console.print(f"{line.code} [{line.field}] – {line.remedy}", style="red", markup=False, highlight=False)
    verdict = f"{len(findings)} mangler" if findings else "Kortet dækker alt, hvad systemerne indeholder."
    console.print(verdict, markup=False, highlight=False)


def _number(count: int) -> str:
    return f"{count:,}".replace(",", ".")


def maps_folder() -> Path:
    """Give the folder of registered maps: `OPHOR_MAPS`, else the local stack's."""
    return Path(os.environ.get("OPHOR_MAPS") or home_folder() / "maps")


MapPath = Annotated[Path, typer.Argument(metavar="MAP.yaml", help="Systemkortet. / The system map.")]


@app.command("check")
@speaks
def check_command(
    path: MapPath,
    tenant: Annotated[str, typer.Option(help="Lejerens værdi i systemerne. / The tenant key's value.")],
    cvr: Annotated[str, typer.Option(help="Kundens CVR-nummer. / The customer's CVR number.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Som JSON. / As JSON.")] = False,
) -> None:
    """Vis, hvad kortet dækker i hvert system. / Show what the map covers in each system (ends with 1 on findings).

    Intet ændres. / Nothing is changed. Eksempel / example:

      ophor systems check map.yaml --tenant 751 --cvr 11111111
    """
    lines = check(system_map.load(path), tenant, cvr)
    if as_json:
        show_json([asdict(line) for line in lines])
    else:
        show(Console(), lines)
    raise typer.Exit(1 if any(line.code for line in lines) else 0)


@app.command("register")
@speaks
def register_command(path: MapPath) -> None:
    """Registrér kortet og vis dets fingeraftryk. / Register the map and print its digest.

    Eksempel / example:

      ophor systems register map.yaml
    """
    print(register(path, maps_folder()))

"""`ophor systems`: write a first map (`init`), hold a map against its systems (`check`), pin it (`register`).

Rules kept here: nothing is changed in any target. A registered map is the file's own bytes under their digest; it names
secrets and never holds them.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from contracts import system_map
from contracts.errors import Rejected
from services.console import session
from services.console.coverage import check, language, show
from services.console.systems_init import draft
from services.console.terminal import show_json, speaks
from shared.drawing.coverage import picture

app = typer.Typer(help="Systemkort: udkast, dækning, registrering. / System maps: a first one, coverage, registration.")


def register(path: Path, maps: Path) -> str:
    """Put the map into the folder of registered maps, readable by us alone; give the digest that an order pins."""
    maps.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = system_map.register(path, maps).digest
    for pinned in maps.glob(f"{digest}.*"):
        pinned.chmod(0o600)
    return digest


def maps_folder() -> Path:
    """Give the folder of registered maps: `OPHOR_MAPS`, else the local stack's."""
    return Path(os.environ.get("OPHOR_MAPS") or session.home() / "maps")


MapPath = Annotated[Path, typer.Argument(metavar="MAP.yaml", help="Systemkortet. / The system map.")]


@app.command("check")
@speaks
def check_command(
    path: MapPath,
    tenant: Annotated[str, typer.Option(help="Lejerens værdi i systemerne. / The tenant key's value.")],
    cvr: Annotated[str, typer.Option(help="Kundens CVR-nummer. / The customer's CVR number.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Som JSON. / As JSON.")] = False,
    image: Annotated[Path | None, typer.Option("--picture", help="Tegn den som SVG. / Draw it as SVG.")] = None,
) -> None:
    """Vis, hvad kortet dækker i hvert system. / Show what the map covers in each system (ends with 1 on findings).

    Intet ændres. / Nothing is changed. Eksempel / example:

      ophor systems check map.yaml --tenant 751 --cvr 11111111 --picture coverage.svg
    """
    lines = check(system_map.load(path), tenant, cvr)
    if image:
        _write(image, picture(lines, path.name, language()))
    if as_json:
        show_json([asdict(line) for line in lines])
    else:
        show(Console(), lines)
    raise typer.Exit(1 if any(line.code for line in lines) else 0)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError:
        raise Rejected(
            "PICTURE_NOT_WRITTEN", f"{path} cannot be written", field="--picture", remedy="give another file",
            da=f"Tegningen kan ikke skrives til {path}.",
        ) from None  # fmt: skip


@app.command("init")
@speaks
def init_command(
    url: Annotated[str, typer.Argument(metavar="URL", help="Databasens adresse. / The database's address.")],
    name: Annotated[str, typer.Option(help="Systemets navn i kortet. / The system's name in the map.")] = "",
    tenant_table: Annotated[str, typer.Option(help="Lejernes egen tabel. / The tenants' own table.")] = "",
    tenant_column: Annotated[str, typer.Option(help="Lejerens nøgle. / The tenant key.")] = "",
    password_file: Annotated[Path | None, typer.Option(help="Adgangskoden. / The address' password.")] = None,
) -> None:
    """Skriv et første systemkort ud fra et levende skema. / Write a first system map from a live schema.

    Intet ændres i databasen. / Nothing is changed in it. Lejernøglen gættes ud fra kolonnenavne og fremmednøgler; alt
    andet står som FILL_IN, og kortet afvises, til det er udfyldt. / The tenant key is guessed from column names and
    foreign keys; all else says FILL_IN, and the map is refused until that is filled in. Eksempel / example:

      ophor systems init postgresql://reader@127.0.0.1:5432/app --password-file secrets/reader > map.yaml
    """
    password = _secret(password_file) if password_file else ""
    typer.echo(draft(url, name=name, password=password, table=tenant_table, column=tenant_column), nl=False)


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise Rejected(
            "SECRET_UNREADABLE", "the password's file cannot be read", field="--password-file",
            remedy="give the path of a readable file", da="Filen med adgangskoden kan ikke læses.",
        ) from None  # fmt: skip


@app.command("register")
@speaks
def register_command(path: MapPath) -> None:
    """Registrér kortet og vis dets fingeraftryk. / Register the map and print its digest.

    Eksempel / example:

      ophor systems register map.yaml
    """
    print(register(path, maps_folder()))

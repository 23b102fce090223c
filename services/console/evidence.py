"""`ophor evidence …`: look at the whole log, have it cosigned or stamped, write it out; `ophor witness …`: be one.

Each is compliance's program for it, run as a process of its own: those of the log with compliance's own rights (the
local stack's, or, inside its container, the present ones), a witness with none but its own folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from services.console import records, session
from services.console.terminal import speaks

app = typer.Typer(no_args_is_help=True, help="Bevisloggen. / The evidence log.")
records.join(app)
ROOT = Path(__file__).parents[2]


@app.callback()
def evidence() -> None:
    """Bevisloggen. / The evidence log."""


@app.command()
@speaks
def fsck(
    key: Annotated[str | None, typer.Option(help="Loggens nøgle / the log's key (name+hash+key)")] = None,
    head: Annotated[list[Path] | None, typer.Option(help="Hoved, du har modtaget / a head you received")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Som JSON. / As JSON.")] = False,
    english: Annotated[bool, typer.Option("--english", help="Answer in English")] = False,
) -> None:
    """Udled hele bevisloggen igen og sammenlign: 0 stemmer, 1 stemmer ikke. / Derive the whole log again and compare.

    Entries, chains, references, nodes, the head and every checkpoint; 0 sound, 1 not, 2 not looked at (a wrong call,
    or no database). Examples:

      ophor evidence fsck

      ophor evidence fsck --head modtaget-hoved.txt --json
    """
    argv = [*([f"--key={key}"] if key else []), *(f"--head={one.resolve()}" for one in head or [])]
    argv += [switch for switch, wanted in {"--json": as_json, "--english": english}.items() if wanted]
    _run("log.fsck", argv, _environment())


@app.command()
@speaks
def cosign(
    url: Annotated[str, typer.Argument(help="Vidnets adresse / the witness's address")],
    key: Annotated[str, typer.Argument(help="Vidnets nøgle / the witness's key")],
) -> None:
    """Få et vidne til at medunderskrive loggens hoved. / Have a witness cosign the log's head, and keep that with it.

    Prints the head's size; the next bundles carry the cosignature. Examples:

      ophor evidence cosign http://127.0.0.1:8042 "$WITNESS"
    """
    _run("log.submit", [url, key], _environment())


@app.command()
@speaks
def tiles(
    folder: Annotated[Path, typer.Argument(help="Hvor / where")],
    entries: Annotated[
        bool, typer.Option("--entries", help="Også posterne med salte / the entries with their salts too")
    ] = False,
) -> None:
    """Skriv loggen som statiske filer (c2sp.org/tlog-tiles). / Write the log as static files; safe to repeat.

    `checkpoint`, `tile/<L>/<N>`: hashes alone, for anybody to mirror. With --entries also `tile/entries/<N>`: every
    customer's events with their salts, which cannot be forgotten where they have gone; never publish those. Example:

      ophor evidence tiles /srv/log
    """
    _run("log.tiles", [str(folder.resolve()), *(["--entries"] if entries else [])], _environment())


@app.command()
@speaks
def stamp(
    url: Annotated[str, typer.Argument(help="Tidsstempeltjenestens adresse / the time-stamp authority's address")],
    tsa_chain: Annotated[Path | None, typer.Option(help="Dens certifikater / its certificates (PEM)")] = None,
) -> None:
    """Få loggens hoved tidsstemplet (RFC 3161). / Have the log's head time-stamped, and keep the stamp with it.

    Prints the time; the next bundles carry the stamp. Examples:

      ophor evidence stamp http://tsa.example.org/ --tsa-chain tsa.pem
    """
    _run("log.stamp", [url, *([f"--tsa-chain={tsa_chain.resolve()}"] if tsa_chain else [])], _environment())


@app.command()
@speaks
def renew(
    within: Annotated[int, typer.Option(help="Dage før de udløber / days before they end")] = 180,
    only_list: Annotated[bool, typer.Option("--list", help="Vis kun. / Tell only.")] = False,
) -> None:
    """Forny tidsstemplerne på bevisernes segl, før de udløber. / Renew the time stamps on seals before they end.

    Prints number, last day and authority of each; the renderer does it. For every night; safe to repeat. Examples:

      ophor evidence renew --list

      ophor evidence renew --within 365
    """
    _run("signing.renewal", [f"--within={within}", *(["--list"] if only_list else [])], _environment())


@app.command()
@speaks
def rotate(
    name: Annotated[str, typer.Argument(help="evidence-log, statement-seal, statement-sign, pdf-seal")],
    folder: Annotated[Path | None, typer.Option(help="Nøglemappernes mappe / the folder of the key folders")] = None,
    to: Annotated[Path | None, typer.Option(help="Beskrivelse af den ny nøgle / a description of the new key")] = None,
    certificate: Annotated[Path | None, typer.Option(help="Seglets ny certifikat / the seal's new certificate")] = None,
) -> None:
    """Skift en nøgle; den gamle underskriver for den ny. / Rotate a key; the old one signs for the new one.

    Prints the signed note, which belongs to everybody who was given the old key. Examples:

      ophor evidence rotate statement-seal
    """
    paths = {"folder": folder, "to": to, "certificate": certificate}
    _run(
        "signing.rotation",
        [name, *(f"--{one}={path.resolve()}" for one, path in paths.items() if path)],
        _environment(),
    )


witness = typer.Typer(no_args_is_help=True, help="Et vidne. / A witness.")


@witness.callback()
def witnesses() -> None:
    """Et vidne med egen nøgle og hukommelse: `FOLDER` er kun dets. / A witness with a key and a memory of its own."""


@witness.command()
def init(folder: Path, name: str) -> None:
    """Lav vidnets mappe og nøgle; nøglen udskrives. / Make its folder and key; prints the key for `--witness`."""
    _run("log.witnessing", ["init", str(folder.resolve()), name])


@witness.command()
def trust(folder: Path, key: str) -> None:
    """Medunderskriv for loggen med denne nøgle. / Cosign for the log of this key from now on."""
    _run("log.witnessing", ["trust", str(folder.resolve()), key])


@witness.command()
def follow(folder: Path, note: Path) -> None:
    """Følg loggens skift af nøgle. / Follow the log's rotation of its key (a note, signed by the old key)."""
    _run("log.witnessing", ["follow", str(folder.resolve()), str(note.resolve())])


@witness.command("cosign")
def answer(folder: Path, file: Path) -> None:
    """Besvar én anmodning (c2sp.org/tlog-witness) fra en fil. / Answer one request from a file."""
    _run("log.witnessing", ["cosign", str(folder.resolve()), str(file.resolve())])


@witness.command()
def serve(folder: Path, host: str = "127.0.0.1", port: int = 8042) -> None:
    """Besvar anmodninger over HTTP. / Answer requests over HTTP, until it is stopped."""
    _run("log.witnessing", ["serve", str(folder.resolve()), f"--host={host}", f"--port={port}"])


def _run(program: str, argv: list[str], environment: Mapping[str, str] = os.environ) -> None:
    """Run one of compliance's programs, and end with its exit code."""
    command = [sys.executable, "-m", f"services.compliance.{program}", *argv]
    raise typer.Exit(subprocess.run(command, env=dict(environment), cwd=ROOT, check=False).returncode)


def _environment() -> Mapping[str, str]:
    """Give compliance's own environment: the local stack's, or the present one where it names a database."""
    return os.environ if os.environ.get("OPHOR_MONGO_URI") else session.stack().environment("compliance")

"""`ophor verify FILE`: hand a certificate to the single-file verifier and end with its exit code.

The verifier runs as the program it is for everybody else, in a process of its own: the product shares no code with it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

VERIFIER = Path(__file__).parents[1] / "compliance" / "verifier" / "ophor_verify.py"


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="PDF, DSSE eller bevismateriale / PDF, DSSE or bundle")],
    key: Annotated[list[str] | None, typer.Option(help="Nøgle, du stoler på / a key you trust; repeatable")] = None,
    head: Annotated[list[Path] | None, typer.Option(help="Hoved, du har modtaget / a head you received")] = None,
    witness: Annotated[list[str] | None, typer.Option(help="Vidne, du stoler på / a witness you trust")] = None,
    tsa_chain: Annotated[Path | None, typer.Option(help="Tidsstemplernes certifikater / certificates (PEM)")] = None,
    rotation: Annotated[list[Path] | None, typer.Option(help="Skift af nøgle / a rotation of keys (file)")] = None,
    revocations: Annotated[Path | None, typer.Option(help="Tilbagekaldte (liste) / the list of revoked")] = None,
    rehearsal: Annotated[bool, typer.Option("--rehearsal", help="Godtag en øvelse / accept a rehearsal")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead")] = False,
    english: Annotated[bool, typer.Option("--english", help="Answer in English")] = False,
) -> None:
    """Efterprøv et slettebevis uden net: 0 efterprøvet, 1 fejlet, 2 ugyldig fil, 3 krav ikke opfyldt.

    Verify a certificate offline: 0 verified, 1 failed, 2 malformed, 3 policy not met. Eksempel / example:

      ophor verify --rehearsal bevis.pdf --key KEY --key KEY
    """
    argv = [str(file), *(f"--key={one}" for one in key or []), *(f"--head={one}" for one in head or [])]
    argv += [f"--witness={one}" for one in witness or []]
    argv += [f"--rotation={one}" for one in rotation or []] + ([f"--tsa-chain={tsa_chain}"] if tsa_chain else [])
    argv += [f"--revocations={revocations}"] if revocations else []
    switches = {"--rehearsal": rehearsal, "--json": as_json, "--english": english}
    argv += [switch for switch, wanted in switches.items() if wanted]
    answer = subprocess.run([sys.executable, "-I", str(VERIFIER), *argv], check=False)
    raise typer.Exit(answer.returncode)

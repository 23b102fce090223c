"""`ophor prove-record BUNDLE RECORDS …`: was this one record deleted? Runs at the customer's, without net.

The sealed files are opened in memory with the customer's age key and handed to the single-file verifier through a
descriptor; the record's key goes to its standard input. Neither is written anywhere, nor stands in a list of processes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import pyrage
import typer

from services.console.verify import VERIFIER

CANNOT_TELL = 2
_AGE = b"age-encryption.org/"


def prove_record(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Bevismaterialet / the bundle (zip)")],
    records: Annotated[list[Path], typer.Argument(metavar="RECORDS", help="Forseglede poster / sealed files (.age)")],
    place: Annotated[str, typer.Option(help="Systemet og stedet / SYSTEM/PLACE as certified")],
    key: Annotated[list[str], typer.Option(help="Postens nøgle, én pr. kolonne; - læser stdin / - reads stdin")],
    identity: Annotated[Path | None, typer.Option(help="Jeres age-nøgle / your age identity (file)")] = None,
    trust: Annotated[list[str] | None, typer.Option(help="Nøgle, du stoler på / a key you trust; repeatable")] = None,
    head: Annotated[list[Path] | None, typer.Option(help="Hoved, du har modtaget / a head you received")] = None,
    rotation: Annotated[list[Path] | None, typer.Option(help="Skift af nøgle / a rotation of keys (file)")] = None,
    revocations: Annotated[Path | None, typer.Option(help="Tilbagekaldte (liste) / the list of revoked")] = None,
    rehearsal: Annotated[bool, typer.Option("--rehearsal", help="Godtag en øvelse / accept a rehearsal")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead")] = False,
    english: Annotated[bool, typer.Option("--english", help="Answer in English")] = False,
) -> None:
    """Bevis, om én post er slettet: 0 slettet, 1 ikke blandt det slettede, 2 kan ikke afgøres, 3 krav ikke opfyldt.

    Prove whether one record was deleted: 0 deleted, 1 not among it, 2 cannot tell, 3 policy not met. Eksempel:

      ophor prove-record bevis.zip poster.age --identity nøgle.txt --place pladsanvisning/sager --key - --trust KEY
    """
    columns = sys.stdin.read().splitlines() if key == ["-"] else key
    options = [f"--place={place}", "--key=-", *(f"--trust={one}" for one in trust or [])]
    options += [f"--head={one}" for one in head or []] + [f"--rotation={one}" for one in rotation or []]
    options += [f"--revocations={revocations}"] if revocations else []
    switches = {"--rehearsal": rehearsal, "--json": as_json, "--english": english}
    options += [switch for switch, wanted in switches.items() if wanted]
    with ExitStack() as stack:
        try:
            given = [stack.enter_context(_opened(path, identity)) for path in records]
        except (OSError, ValueError, pyrage.DecryptError, pyrage.IdentityError) as error:
            typer.echo(f"Kan ikke åbnes / cannot be opened: {error}", err=True)
            raise typer.Exit(CANNOT_TELL) from None
        argv = [sys.executable, "-I", str(VERIFIER), "prove-record", str(bundle), *(f"/dev/fd/{at}" for at in given)]
        asked = "".join(f"{column}\n" for column in columns)
        answer = subprocess.run([*argv, *options], check=False, pass_fds=given, input=asked, text=True)
    raise typer.Exit(answer.returncode)


@contextmanager
def _opened(path: Path, identity: Path | None) -> Iterator[int]:
    """Give a descriptor of a file's plain content, which lies in memory only."""
    at = os.memfd_create("records")
    try:
        with path.open("rb") as sealed, os.fdopen(os.dup(at), "wb") as plain:
            begin = sealed.read(len(_AGE))
            sealed.seek(0)
            if begin == _AGE:
                pyrage.decrypt_io(sealed, plain, _identities(identity))
            else:
                plain.write(sealed.read())
        os.lseek(at, 0, os.SEEK_SET)
        yield at
    finally:
        os.close(at)


def _identities(file: Path | None) -> list[pyrage.x25519.Identity]:
    if file is None:
        raise ValueError("--identity: jeres age-nøgle mangler / your age identity is missing")
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]

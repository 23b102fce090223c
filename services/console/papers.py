"""`ophor report EXIT` and `ophor audit export`: have a paper drawn, wait for it, and write it to a file."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contracts.errors import Rejected, Unavailable
from contracts.papers import LANGUAGES
from contracts.roles import AUDITOR, CUSTOMER_DPO
from services.console.rehearsing.results import save
from services.console.session import Session
from services.console.terminal import english, show_json, speaks
from shared.rules.time import parse_date

if TYPE_CHECKING:
    from shared.bus.client import Client

PATIENCE_S, PAUSE_S = 120.0, 0.5
app = typer.Typer(no_args_is_help=True, help="Revision. / Audit.")
Role = Annotated[str, typer.Option("--as", metavar="ROLE", help="Rollen. / The role.")]
Customer = Annotated[list[str] | None, typer.Option(help="CVR der må handles for. / CVR in scope.")]
Out = Annotated[Path | None, typer.Option("--out", help="Filen. / The file.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON i stedet. / JSON instead.")]


@speaks
def report(
    exit_id: Annotated[str, typer.Argument(metavar="EXIT", help="Forløbets id. / The exit's id.")],
    language: Annotated[str, typer.Option(help=f"Sprog / language: {', '.join(LANGUAGES)}")] = LANGUAGES[0],
    out: Out = None,
    role: Role = CUSTOMER_DPO,
    as_json: AsJson = False,
) -> None:
    """Skriv rapporten til databeskyttelsesrådgiveren som PDF. / Write the report to the DPO as PDF.

    Eksempler / examples:

      ophor report x-1

      ophor report x-1 --language en --out report.pdf
    """
    with Session.here().client(role) as client:
        _fetch(client, "draw_report", {"exit_id": exit_id, "language": language}, out, as_json=as_json)


@app.callback()
def audit() -> None:
    """Revision. / Audit."""


@app.command()
@speaks
def export(
    since: Annotated[str, typer.Option("--from", help="Første dag, ÅÅÅÅ-MM-DD. / First day.")],
    until: Annotated[str, typer.Option("--to", help="Sidste dag, ÅÅÅÅ-MM-DD. / Last day.")],
    exit_id: Annotated[str | None, typer.Option("--exit", help="Ét forløb. / One exit only.")] = None,
    customer: Customer = None,
    out: Out = None,
    role: Role = AUDITOR,
    as_json: AsJson = False,
) -> None:
    """Eksportér en periodes beviser; kontrolleres med `ophor verify`. / Export a period's evidence as a bundle.

    Eksempler / examples:

      ophor audit export --from 2026-10-01 --to 2026-10-31

      ophor audit export --from 2026-10-01 --to 2026-10-31 --exit x-1 --out revision.zip
    """
    span = {"since": parse_date(since, "--from").isoformat(), "until": parse_date(until, "--to").isoformat()}
    with Session.here().client(role, customers=tuple(customer or ("*",))) as client:
        _fetch(client, "draw_export", {**span, "exit_id": exit_id}, out, as_json=as_json)


def _fetch(client: Client, name: str, body: dict[str, Any], out: Path | None, *, as_json: bool) -> None:
    """Have the paper drawn and write it; raise Rejected PAPER_FAILED, Unavailable PAPER_LATE."""
    row = client.call(f"compliance.{name}", body)
    ends = time.monotonic() + PATIENCE_S
    while row["state"] == "requested":
        if time.monotonic() > ends:
            raise Unavailable(
                "PAPER_LATE", "the paper is not drawn yet", remedy="see `ophor status`, and ask again",
                da="Dokumentet er ikke færdigt endnu.",
            )  # fmt: skip
        time.sleep(PAUSE_S)
        row = client.call("compliance.read_paper", {"paper_id": row["paper_id"]})
    if row["state"] == "failed":
        raise Rejected(
            "PAPER_FAILED", ", ".join(row["reasons"]), remedy="choose a shorter period, or look at the reasons",
            da=f"Dokumentet kunne ikke laves: {', '.join(row['reasons'])}.",
        )  # fmt: skip
    where = out or Path(row["name"])
    save(where, _parts(client, row))
    if as_json:
        show_json({**row, "file": str(where)})
    else:
        typer.echo(f"{where}: {row['size']} bytes, sha256 {row['digest']}")
        _hint(row)


def _parts(client: Client, row: dict[str, Any]) -> bytes:
    found, offset = b"", 0
    while offset is not None:
        asked = {"paper_id": row["paper_id"], "offset": offset}
        part = client.call("compliance.read_paper_part", asked)
        found, offset = found + base64.b64decode(part["part"]), part["next_offset"]
    return found


def _hint(row: dict[str, Any]) -> None:
    if row["what"] == "export":
        said = ("Kontrollér: ophor verify FIL --key …", "Verify it: ophor verify FILE --key …")
        typer.echo(said[english()])

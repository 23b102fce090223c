"""`ophor evidence redact|confirm|redactions|retention|keep|release`: what the log forgets, and when.

A redaction takes two people of the two parties: one proposes it, the other confirms exactly that.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from contracts.records import REDACTION_REASONS
from contracts.roles import CUSTOMER_DPO, DELETION_OFFICER
from services.console.session import Session
from services.console.terminal import show_json, speaks
from shared.rules.time import parse_date

Exit = Annotated[str, typer.Argument(metavar="EXIT", help="Exittens id. / The exit's id.")]
Index = Annotated[int, typer.Argument(help="Postens plads i loggen. / The entry's index.")]
Reason = Annotated[str, typer.Option(help=", ".join(REDACTION_REASONS))]


def join(app: typer.Typer) -> None:
    """Add the commands to `ophor evidence`."""
    for command in (redact, confirm, redactions, retention, keep, release):
        app.command()(command)


@speaks
def redact(
    exit_id: Exit,
    index: Index,
    reason: Reason,
    role: Annotated[str, typer.Option("--as", help="Rolle. / Role.")] = DELETION_OFFICER,
) -> None:
    """Foreslå, at en post slettes fra loggen; den anden part bekræfter. / Propose that an entry be forgotten.

    The event and its salt go, its hash stays: every other proof is as valid as before. A certificate that needs the
    entry cannot be issued any more. Example:

      ophor evidence redact x-1 1234 --reason PERSONAL_DATA
    """
    _call("propose_redaction", {"exit_id": exit_id, "index": index, "reason": reason}, role)


@speaks
def confirm(
    exit_id: Exit,
    index: Index,
    redaction_id: Annotated[str, typer.Argument(help="Forslagets id. / The proposal's id.")],
    reason: Reason,
    role: Annotated[str, typer.Option("--as", help="Rolle. / Role.")] = CUSTOMER_DPO,
) -> None:
    """Bekræft den anden parts forslag; så slettes posten. / Confirm the other party's proposal; the entry goes."""
    asked = {"exit_id": exit_id, "index": index, "reason": reason, "redaction_id": redaction_id}
    _call("confirm_redaction", asked, role)


@speaks
def redactions(exit_id: Exit, role: Annotated[str, typer.Option("--as", help="Rolle. / Role.")] = CUSTOMER_DPO) -> None:
    """Vis, hvad der er foreslået og slettet. / Show what was proposed, and what is forgotten."""
    _call("list_redactions", {"exit_id": exit_id}, role)


@speaks
def retention(
    state: Annotated[str, typer.Option(help="running, offered, released, ended")] = "offered",
    role: Annotated[str, typer.Option("--as", help="Rolle. / Role.")] = CUSTOMER_DPO,
) -> None:
    """Vis exits, hvis beviser udbydes nu. / Show exits whose evidence is on offer before it goes (or in a state)."""
    _call("list_retention", {"state": state}, role)


@speaks
def keep(
    exit_id: Exit,
    until: Annotated[str, typer.Option(help="ÅÅÅÅ-MM-DD")],
    digest: Annotated[str, typer.Option(help="Instruksens SHA-256. / The instruction's SHA-256.")],
    role: Annotated[str, typer.Option("--as", help="Rolle. / Role.")] = CUSTOMER_DPO,
) -> None:
    """Opbevar beviserne længere efter den dataansvarliges instruks. / Keep an exit's evidence longer."""
    day = parse_date(until, "until").isoformat()
    _call("keep_evidence", {"exit_id": exit_id, "until": day, "digest": digest}, role)


@speaks
def release(exit_id: Exit, role: Annotated[str, typer.Option("--as", help="Rolle. / Role.")] = CUSTOMER_DPO) -> None:
    """Slet de udbudte beviser nu; kunden har dem. / Let the offered evidence go now: the customer has the bundle."""
    _call("release_evidence", {"exit_id": exit_id}, role)


def _call(name: str, body: dict[str, Any], role: str) -> None:
    with Session.here().client(role) as client:
        show_json(client.call(f"compliance.{name}", body))

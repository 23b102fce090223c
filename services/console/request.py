"""`ophor request`: ask for a certificate, a status letter or documentation, see how it stands, and answer.

A document's content never travels: the answer carries its SHA-256 and the indexes of the evidence that shows it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from contracts.errors import Rejected
from contracts.requests import BASES, REASONS, SUBJECTS, WHAT
from contracts.roles import CUSTOMER_DPO, MONITOR, SUPPLIER_LEAD
from services.console.deletion_calls import digest_of
from services.console.session import Session
from services.console.terminal import english, show_json, speaks
from shared.rules.time import parse_date
from shared.words import requests as told

app = typer.Typer(no_args_is_help=True, help="Anmodninger om bevis og dokumentation. / Requests for proof.")
WIDTH = 120

Exit = Annotated[str, typer.Argument(metavar="EXIT", help="Forløbets id. / The exit's id.")]
Request = Annotated[str, typer.Argument(metavar="REQUEST", help="Anmodningens id. / The request's id.")]
Role = Annotated[str, typer.Option("--as", metavar="ROLE", help="Rollen. / The role.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON i stedet. / JSON instead.")]


@app.command("list")
@speaks
def list_(exit_id: Exit, role: Role = MONITOR, as_json: AsJson = False) -> None:
    """Vis exitforløbets anmodninger, frister og svar. / List requests, last days and answers.

    Eksempel / example:

      ophor request list x-1
    """
    answer = _call("list_requests", {"exit_id": exit_id}, role)
    if as_json:
        show_json(answer)
        return
    table = Table(title=_say("Anmodninger", "Requests"), title_justify="left")
    for column in _say("Id|Anmodet om|Grundlag|Frist|Ejer|Tilstand", "Id|Asked for|By|Due|Owner|State").split("|"):
        table.add_column(column, overflow="fold")
    for row in answer["requests"]:
        what, state = told.asked(row, _language()), told.state(row, _language())
        table.add_row(row["request_id"], what, row["clause"], row["due"], row["owner"], state)
    Console(width=WIDTH, highlight=False).print(table)


@app.command()
@speaks
def show(exit_id: Exit, request_id: Request, role: Role = MONITOR, as_json: AsJson = False) -> None:
    """Vis én anmodning med dens svar. / Show one request with its answers.

    Eksempel / example:

      ophor request show x-1 req-4f…
    """
    _show(_call("read_request", {"exit_id": exit_id, "request_id": request_id}, role), as_json=as_json)


@app.command()
@speaks
def make(
    exit_id: Exit,
    what: Annotated[str, typer.Argument(metavar="WHAT", help=", ".join(WHAT))],
    basis: Annotated[str, typer.Option(help=f"Grundlaget / asked under: {', '.join(BASES)}")] = BASES[0],
    stage: Annotated[str | None, typer.Option(help="Bevisets trin. / The certificate's stage.")] = None,
    subject: Annotated[str | None, typer.Option(help=f"Emnet / the subject: {', '.join(SUBJECTS)}")] = None,
    received_on: Annotated[str | None, typer.Option(help="Dagen et brev kom. / Day a letter came.")] = None,
    role: Role = CUSTOMER_DPO,
    as_json: AsJson = False,
) -> None:
    """Anmod om bevis, status eller dokumentation. / Ask for a certificate, a status or documentation.

    Eksempler / examples:

      ophor request make x-1 CERTIFICATE --stage BACKUP-EXPIRED --basis S2-28.1-d

      ophor request make x-1 DOCUMENTATION --subject ACCESS

      ophor request make x-1 STATUS --basis GDPR-28.3.h
    """
    data = {"exit_id": exit_id, "what": what, "basis": basis, "stage": stage, "subject": subject}
    data["received_on"] = parse_date(received_on, "received_on").isoformat() if received_on else None
    _show(_call("make_request", data, role), as_json=as_json)


@app.command()
@speaks
def answer(
    exit_id: Exit,
    request_id: Request,
    document: Annotated[Path | None, typer.Option(help="Dokumentet; kun aftrykket sendes. / Only its digest.")] = None,
    evidence: Annotated[list[int] | None, typer.Option(help="Post i bevisloggen. / Evidence index.")] = None,
    role: Role = SUPPLIER_LEAD,
    as_json: AsJson = False,
) -> None:
    """Besvar med et dokument eller med poster i bevisloggen. / Answer with a document or with evidence.

    Eksempler / examples:

      ophor request answer x-1 req-4f… --document redegørelse.pdf

      ophor request answer x-1 req-4f… --evidence 17 --evidence 22
    """
    if document is None and not evidence:
        raise Rejected(
            "ANSWER_EMPTY", "an answer needs a document or evidence", field="--document",
            remedy="give --document FILE or --evidence N", da="Angiv et dokument eller en post i bevisloggen.",
        )  # fmt: skip
    digest = digest_of(document, "") if document else None
    data: dict[str, Any] = {"exit_id": exit_id, "request_id": request_id, "outcome": "answered"}
    data |= {"document_digest": digest, "evidence": evidence or []}
    _show(_call("answer_request", data, role), as_json=as_json)


@app.command()
@speaks
def refuse(
    exit_id: Exit,
    request_id: Request,
    reason: Annotated[str, typer.Argument(metavar="REASON", help=", ".join(REASONS))],
    role: Role = SUPPLIER_LEAD,
    as_json: AsJson = False,
) -> None:
    """Afvis med en af de listede grunde. / Refuse for a listed reason.

    Eksempel / example:

      ophor request refuse x-1 req-4f… DUPLICATE
    """
    data = {"exit_id": exit_id, "request_id": request_id, "outcome": "refused", "reason": reason}
    _show(_call("answer_request", data, role), as_json=as_json)


@app.command()
@speaks
def withdraw(exit_id: Exit, request_id: Request, role: Role = CUSTOMER_DPO, as_json: AsJson = False) -> None:
    """Træk en anmodning tilbage som Kunden. / Take a request back as the customer.

    Eksempel / example:

      ophor request withdraw x-1 req-4f…
    """
    _show(_call("withdraw_request", {"exit_id": exit_id, "request_id": request_id}, role), as_json=as_json)


def _call(name: str, body: dict[str, Any], role: str) -> dict[str, Any]:
    with Session.here().client(role) as client:
        return dict(client.call(f"compliance.{name}", body))


def _show(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(row)
        return
    typer.echo(f"{row['request_id']}: {told.asked(row, _language())} ({row['clause']})")
    typer.echo(_say("Tilstand: ", "State: ") + told.state(row, _language()))
    typer.echo(_say("Frist: ", "Due: ") + f"{row['due']} – {row[_say('rule_da', 'rule_en')]}")
    typer.echo(_say("Ejer: ", "Owner: ") + row["owner"])
    for one in row["answers"]:
        typer.echo(f"{one['on']}: {one[_say('said_da', 'said_en')]}")


def _language() -> str:
    return "en" if english() else "da"


def _say(danish: str, in_english: str) -> str:
    return in_english if english() else danish

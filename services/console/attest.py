"""`ophor attest`: what people must attest of an exit, and their word for it, line by line.

The signed document stays where it is: only its SHA-256 is sent. Whoever attests does so in a role of their own; the
service refuses the other party's word.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from contracts.attesting import MEDIA_CLASSES, METHODS, NOT_USED
from contracts.errors import Rejected
from contracts.roles import DELETION_OFFICER, MONITOR
from services.console.session import Session
from services.console.terminal import english, show_json, speaks
from shared.rules.time import parse_date

app = typer.Typer(no_args_is_help=True, help="Erklæringer: manuelle steder, underdatabehandlere. / What people attest.")
WIDTH = 120

Exit = Annotated[str, typer.Argument(metavar="EXIT", help="Udtrædelsens id. / The exit's id.")]
Where = Annotated[str, typer.Argument(metavar="SYSTEM", help="Systemet på kortet. / The map's system.")]
Role = Annotated[str, typer.Option("--as", metavar="ROLE", help="Rollen. / The role.")]
Document = Annotated[
    Path, typer.Option(help="Det underskrevne bilag (kun aftrykket sendes). / Only its digest is sent.")
]
DoneOn = Annotated[str, typer.Option(help="Dagen det blev gjort, ÅÅÅÅ-MM-DD. / The day it was done.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON i stedet. / instead.")]


@app.command("list")
@speaks
def list_(exit_id: Exit, role: Role = MONITOR, as_json: AsJson = False) -> None:
    """Vis hvad der skal erklæres, og hvad der er erklæret. / Show every line and its answer.

    Eksempler / examples:

      ophor attest list x-1

      ophor attest list x-1 --json --as revisor
    """
    answer = _call("read_attestations", {"exit_id": exit_id}, role)
    if as_json:
        show_json(answer)
        return
    table = Table(title=_say("Erklæringer", "Attestations"), title_justify="left")
    columns = ("Sted eller underdatabehandler|Hvad|Af|Svar|Gjort", "Place or sub-processor|What|By|Answer|Done")
    for column in columns[english()].split("|"):
        table.add_column(column, overflow="fold")
    for line in answer["lines"]:
        table.add_row(*_row(line))
    Console(width=WIDTH, highlight=False).print(table)
    left = sum(line["answer"] is None for line in answer["lines"])
    typer.echo(_say(f"{left} mangler; frist {answer['due_on'] or '–'}", f"{left} open; due {answer['due_on'] or '–'}"))


@app.command()
@speaks
def ask(
    exit_id: Exit,
    due_on: Annotated[str, typer.Option(help="Fristen, ÅÅÅÅ-MM-DD. / By when.")],
    role: Role = DELETION_OFFICER,
    as_json: AsJson = False,
) -> None:
    """Bed om alle erklæringer nu, ellers sker det når sletningen forfalder. / Ask for every line now.

    Eksempel / example:

      ophor attest ask x-1 --due-on 2026-10-15
    """
    _show(_call("request_attestations", {"exit_id": exit_id, "due_on": _day(due_on, "due_on")}, role), as_json=as_json)


@app.command()
@speaks
def place(
    exit_id: Exit,
    system: Where,
    name: Annotated[str, typer.Argument(metavar="PLACE", help="Stedet på kortet. / The map's place.")],
    method: Annotated[str, typer.Option(help=f"Hvad er gjort / what was done: {', '.join(METHODS[:-1])}")],
    document: Document,
    done_on: DoneOn,
    media_class: Annotated[str | None, typer.Option(help=f"NIST SP 800-88: {', '.join(MEDIA_CLASSES)}")] = None,
    role: Role = DELETION_OFFICER,
    as_json: AsJson = False,
) -> None:
    """Erklær, hvad der er gjort ved et manuelt sted. / Attest what was done at a manual place.

    Eksempler / examples:

      ophor attest place x-1 extens pc-1 --method MEDIA_SANITISED --media-class PURGE --document e.pdf --done-on …

      ophor attest place x-1 extens pc-2 --method SOFTWARE_REMOVED --document k.pdf --done-on 2026-10-03
    """
    where = {"exit_id": exit_id, "system": system, "place": name, "subprocessor": None, "media_class": media_class}
    _show(_call("attest", where | _word(method, document, done_on), role), as_json=as_json)


@app.command()
@speaks
def subprocessor(
    exit_id: Exit,
    system: Where,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Underdatabehandleren på kortet. / As in the map.")],
    document: Document,
    done_on: DoneOn,
    not_used: Annotated[bool, typer.Option("--not-used", help="Ikke anvendt for Kunden. / Not used.")] = False,
    role: Role = DELETION_OFFICER,
    as_json: AsJson = False,
) -> None:
    """Erklær en underdatabehandlers bekræftelse, eller at den ikke er anvendt. / Attest a sub-processor's word.

    Eksempler / examples:

      ophor attest subprocessor x-1 pladsanvisning driftscenter --document b.pdf --done-on 2026-10-03

      ophor attest subprocessor x-1 pladsanvisning sms-gateway --not-used --document b.pdf --done-on 2026-10-03
    """
    where = {"exit_id": exit_id, "system": system, "place": None, "subprocessor": name, "media_class": None}
    method = NOT_USED if not_used else "SUBPROCESSOR_CONFIRMED"
    _show(_call("attest", where | _word(method, document, done_on), role), as_json=as_json)


def _word(method: str, document: Path, done_on: str) -> dict[str, Any]:
    return {"method": method, "digest": _digest(document), "done_on": _day(done_on, "done_on")}


def _digest(document: Path) -> str:
    try:
        with document.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise Rejected(
            "DOCUMENT_UNREADABLE", "the signed document cannot be read", field="document",
            remedy="give the path of the signed document", da="Det underskrevne bilag kan ikke læses.",
        ) from None  # fmt: skip


def _day(text: str, field: str) -> str:
    return parse_date(text, field).isoformat()


def _call(name: str, body: dict[str, Any], role: str) -> dict[str, Any]:
    with Session.here().client(role) as client:
        return dict(client.call(f"deletion.{name}", body))


def _row(line: dict[str, Any]) -> list[str]:
    where = f"{line['system']}/{line['place'] or line['subprocessor']}"
    chain = _say(f" (gennem {line['through']})", f" (through {line['through']})") if line["through"] else ""
    answer = line["answer"] or _say("MANGLER", "OPEN")
    if line["media_class"]:
        answer += f" ({line['media_class']})"
    return [where + chain, line["method"], line["by"], answer, line["done_on"] or "–"]


def _show(answer: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(answer)
    else:
        typer.echo(_say(f"Modtaget; {answer['left']} mangler.", f"Taken; {answer['left']} open."))


def _say(danish: str, in_english: str) -> str:
    return in_english if english() else danish

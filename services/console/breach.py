"""`ophor breach`: what the supplier declares of personal data breaches in an exit (GDPR Art. 33(2)).

Times, natures and bands only: what happened, and to whom, is told to the controller outside, never sent from here.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from contracts.breaches import BANDS, BREACH, NATURES, NO_BREACH, NONE_KNOWN
from contracts.roles import MONITOR, SUPPLIER_LEAD
from services.console.session import Session
from services.console.terminal import english, show_json, speaks
from shared.words import breaches as told

app = typer.Typer(no_args_is_help=True, help="Brud på persondatasikkerheden. / Personal data breaches.")
WIDTH = 120

Exit = Annotated[str, typer.Argument(metavar="EXIT", help="Forløbets id. / The exit's id.")]
Role = Annotated[str, typer.Option("--as", metavar="ROLE", help="Rollen. / The role.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON i stedet. / JSON instead.")]
About = Annotated[list[int] | None, typer.Option(help="Bevisets nummer i loggen. / The entry's index; repeatable.")]


@app.command("list")
@speaks
def list_(exit_id: Exit, role: Role = MONITOR, as_json: AsJson = False) -> None:
    """Vis hvad der er erklæret, og hvad ingen har svaret på. / Show what was declared, and what nobody has answered.

    Eksempel / example:

      ophor breach list x-1
    """
    answer = _call("list_breaches", {"exit_id": exit_id}, role)
    if as_json:
        show_json(answer)
        return
    table = Table(title=_say("Brud på persondatasikkerheden", "Personal data breaches"), title_justify="left")
    columns = _say(
        "Id|Erklæret|Kendt|Underrettet|Registrerede|Poster|Bevis", "Id|Declared|Known|Notified|Subjects|Records|Log"
    )
    for column in columns.split("|"):
        table.add_column(column, overflow="fold")
    for row in answer["breaches"]:
        table.add_row(*told.row(row, _say("da", "en")))
    Console(width=WIDTH, highlight=False).print(table)
    for index in answer["unanswered"]:
        typer.echo(
            _say(f"Ubesvaret: ændring uden for omfanget, bevis {index}", f"Unanswered: change outside, entry {index}")
        )


@app.command()
@speaks
def none(exit_id: Exit, role: Role = SUPPLIER_LEAD, as_json: AsJson = False) -> None:
    """Erklær at intet brud kendes i dag. / Declare that no breach is known today.

    Eksempel / example:

      ophor breach none x-1
    """
    _declare({"exit_id": exit_id, "answer": NONE_KNOWN}, role, as_json=as_json)


@app.command()
@speaks
def declare(
    exit_id: Exit,
    aware: Annotated[
        str, typer.Option(help="Hvornår det blev kendt, med zone. / When it became known, with its zone.")
    ],
    nature: Annotated[list[str], typer.Option(help=", ".join(NATURES))],
    subjects: Annotated[str, typer.Option(help=f"Registrerede / data subjects: {', '.join(BANDS)}")],
    records: Annotated[str, typer.Option(help=f"Poster / records: {', '.join(BANDS)}")],
    notified: Annotated[
        str | None, typer.Option(help="Hvornår Kunden fik besked. / When the customer was told.")
    ] = None,
    breach: Annotated[str | None, typer.Option(help="Et brud, der er erklæret før. / One declared before.")] = None,
    about: About = None,
    role: Role = SUPPLIER_LEAD,
    as_json: AsJson = False,
) -> None:
    """Erklær et brud, eller samme brud igen, når Kunden er underrettet. / Declare a breach, or again once notified.

    Eksempler / examples:

      ophor breach declare x-1 --aware 2026-10-05T09:30:00Z --nature INTEGRITY --subjects UP_TO_10 --records UP_TO_100

      ophor breach declare x-1 --breach brc-4f… --notified 2026-10-05T14:00:00Z --aware … --nature … --subjects … …
    """
    said = {"aware_at": aware, "natures": nature, "subjects": subjects, "records": records, "notified_at": notified}
    _declare(
        {"exit_id": exit_id, "answer": BREACH, "breach_id": breach, "about": about or []} | said, role, as_json=as_json
    )


@app.command()
@speaks
def assess(exit_id: Exit, about: About = None, role: Role = SUPPLIER_LEAD, as_json: AsJson = False) -> None:
    """Erklær at det, loggen viser, er vurderet og intet brud er. / Declare that what the log shows is no breach.

    Eksempel / example:

      ophor breach assess x-1 --about 41
    """
    _declare({"exit_id": exit_id, "answer": NO_BREACH, "about": about or []}, role, as_json=as_json)


def _declare(body: dict[str, Any], role: str, *, as_json: bool) -> None:
    answer = _call("declare_breach", body, role)
    if as_json:
        show_json(answer)
    else:
        typer.echo(_say(f"Modtaget: {answer['breach_id']}", f"Taken: {answer['breach_id']}"))


def _call(name: str, body: dict[str, Any], role: str) -> dict[str, Any]:
    with Session.here().client(role) as client:
        return dict(client.call(f"compliance.{name}", body))


def _say(danish: str, in_english: str) -> str:
    return in_english if english() else danish

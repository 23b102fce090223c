"""`ophor restore` and `ophor restore-check`: a restore announced, replayed, and whether a system may serve.

`restore-check` is for start scripts: 0 = released; 1 = not released, or nobody could be asked; 2 = no such system.
Nothing but 0 may be taken for a release.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from contracts.roles import MONITOR, OPERATOR
from services.console.deletion_calls import Actor, AsJson, CommandId, Customer, Language, Reader, client_of, speaking
from services.console.deletion_show import console
from services.console.terminal import show_json

app = typer.Typer(no_args_is_help=True, help="Genskabelser fra backup. / Restores from backups.")
SystemName = Annotated[str, typer.Argument(metavar="SYSTEM", help="Systemets navn i kortet. / Its name in the map.")]
_STATES = {
    "announced": ("anmeldt; kør `ophor restore replay`, når den er på plads",
                  "announced; run `ophor restore replay` once it is back"),
    "looking": ("der bliver set efter", "being looked for"),
    "found": ("DATA ER DER IGEN: godkend sletningen", "DATA ARE THERE AGAIN: approve their deletion"),
}  # fmt: skip


@app.command()
def announce(
    system: SystemName,
    set_id: Annotated[str, typer.Option("--set", metavar="SET", help="Backupsættet. / The backup set.")],
    taken_on: Annotated[str, typer.Option("--taken-on", metavar="DAY", help="Kun ukendte sæt. / Unknown sets.")] = "",
    role: Reader = OPERATOR,
    actor: Actor = "",
    customer: Customer = None,
    command_id: CommandId = "",
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Luk et system, før en backup lægges tilbage, og vis, hvad der skal slettes igen.

    Close a system before a backup is put back, and list what must be deleted again.

    Eksempler / examples:

      ophor restore announce pladsanvisning --set natlig-2026-09-30

      ophor restore announce booking --set bånd-17 --taken-on 2026-06-01
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        wanted = {"system": system, "set_id": set_id, "taken_on": _day(taken_on)}
        told = client.call("deletion.announce_restore", wanted, command_id or None)
        if as_json:
            show_json(told)
            return
        _show_entries(told, language)


@app.command()
def replay(
    restore_id: Annotated[str, typer.Argument(metavar="RESTORE", help="Id fra announce. / The id from announce.")],
    role: Reader = OPERATOR,
    actor: Actor = "",
    customer: Customer = None,
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Se efter, hvad den genskabte backup bragte tilbage; det, der findes, bliver slettet igen efter godkendelse.

    Look what the restored backup brought back; what is found is deleted again once it is approved.

    Eksempel / example:

      ophor restore replay rst-3f2a90c1d4e5b607
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        told = client.call("deletion.replay_restore", {"restore_id": restore_id})
        if as_json:
            show_json(told)
            return
        words = {
            "looking": ("Der bliver set efter. Følg med: ophor restore-check SYSTEM",
                        "Being looked for. Follow it: ophor restore-check SYSTEM"),
            "found": ("Fundet: godkend sletningen (ophor deletion approve)",
                      "Found: approve the deletion (ophor deletion approve)"),
            "closed": ("Den er afsluttet.", "It is closed."),
        }  # fmt: skip
        typer.echo(words[told["state"]][language == "en"])


def restore_check(
    system: SystemName,
    role: Reader = MONITOR,
    actor: Actor = "",
    customer: Customer = None,
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Må systemet åbnes? 0 = frigivet; alt andet = nej. / May it serve? 0 = released; anything else = no.

    Eksempler / examples:

      ophor restore-check pladsanvisning && systemctl start pladsanvisning

      until ophor restore-check pladsanvisning; do sleep 30; done
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        told = client.call("deletion.restore_check", {"system": system})
        if as_json:
            show_json(told)
        else:
            _show_gate(told, language)
        if told["released"] is not True:
            raise typer.Exit(1)


app.command("check")(restore_check)


def _day(text: str) -> str | None:
    """Give a day as it travels; the face refuses what is none."""
    try:
        return date.fromisoformat(text).isoformat() if text else None
    except ValueError:
        return text


def _show_entries(told: dict[str, Any], language: str) -> None:
    english = language == "en"
    if not told["entries"]:
        typer.echo("Nothing was deleted there; nothing has to be deleted again." if english else
                   "Intet er slettet der; intet skal slettes igen.")  # fmt: skip
        return
    table = Table()
    heads = (("Forløb", "Sletning", "Slettet", "Sted", "Slettes igen, hvor", "Skal"),
             ("Exit", "Deletion", "Deleted", "Place", "Deleted again where", "Must"))[english]  # fmt: skip
    for head in heads:
        table.add_column(head, overflow="fold")
    for entry in told["entries"]:
        must = (("nej, ses efter", "ja"), ("no, looked at", "yes"))[english][entry["needed"]]
        for place in entry["places"]:
            cells = (entry["exit_id"], entry["activity"], entry["deleted_on"] or "–", place["place"],
                     place["whole"] or place["predicate"], must)  # fmt: skip
            table.add_row(*(Text(str(cell)) for cell in cells))
    console().print(table)
    then = (
        f"{told['system']} er nu LUKKET. Læg backuppen tilbage, og kør: ophor restore replay {told['restore_id']}",
        f"{told['system']} is now CLOSED. Put the backup back, then: ophor restore replay {told['restore_id']}",
    )
    typer.echo(then[english])


def _show_gate(told: dict[str, Any], language: str) -> None:
    english = language == "en"
    if told["released"]:
        typer.echo(f"{told['system']}: {('frigivet', 'released')[english]}")
    else:
        typer.echo(f"{told['system']}: {('IKKE FRIGIVET', 'NOT RELEASED')[english]}")
    for row in told["restores"]:
        more = "".join(f" · {part}" for part in (row["set_id"], row["code"]) if part)
        state = _STATES[row["state"]][english]
        typer.echo(f"  {row['restore_id']}  {row['exit_id']} {row['activity']}  {state} ({row['rows']}){more}")
    looked = told.get("looked_on") or ("aldrig", "never")[english]
    typer.echo(f"  {('sidst set efter', 'last looked')[english]}: {looked}")

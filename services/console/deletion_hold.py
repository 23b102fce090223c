"""`ophor deletion hold`: place, lift, override and list holds; of a document only its SHA-256 is sent."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from contracts.deletion_holds import OVERRIDE_REASONS
from contracts.errors import Rejected
from contracts.roles import DELETION_OFFICER, MONITOR
from services.console import deletion_show as show
from services.console.deletion_calls import (
    Actor,
    AsJson,
    CommandId,
    Customer,
    Exit,
    Language,
    Reader,
    answered,
    client_of,
    digest_of,
    speaking,
)
from services.console.deletion_words import say
from services.console.terminal import show_json
from shared.words import deletion as told

app = typer.Typer(no_args_is_help=True, help="Slettestop. / Holds.")

OverrideReason = StrEnum("OverrideReason", {name: name for name in OVERRIDE_REASONS})  # type: ignore[misc]
Basis = StrEnum("Basis", {name: name for name in told.BASES})  # type: ignore[misc]
HoldId = Annotated[str, typer.Argument(metavar="HOLD", help="Slettestoppets id. / The hold's id.")]
Document = Annotated[Path | None, typer.Option(help="Dokumentet; kun dets SHA-256 sendes. / Only its SHA-256 is sent.")]
GivenDigest = Annotated[str, typer.Option("--digest", help="Eller SHA-256 selv. / Or the SHA-256 itself.")]


@app.command("list")
def list_holds(
    exit_id: Exit,
    role: Reader = MONITOR,
    actor: Actor = "",
    customer: Customer = None,
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Vis alle slettestop, også de ophævede. / Show all holds, the lifted ones too.

    Eksempler / examples:

      ophor deletion hold list x-1
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        answer = client.call("deletion.list_holds", {"exit_id": exit_id})
        if as_json:
            show_json(answer)
            return
        show.console().print(show.holds(exit_id, answer["holds"], language))


@app.command()
def place(
    exit_id: Exit,
    basis: Annotated[Basis, typer.Option(help="Grundlaget. / The basis.")],
    system: Annotated[str, typer.Option(help="Ét system, ellers alle. / One system, else all.")] = "",
    document: Document = None,
    digest: GivenDigest = "",
    role: Reader = DELETION_OFFICER,
    actor: Actor = "",
    customer: Customer = None,
    command_id: CommandId = "",
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Sæt et slettestop: intet slettes i systemet, mens det står. / Place a hold.

    En tvist eller leverandørens egen interesse er intet grundlag. / A dispute is no basis.

    Eksempler / examples:

      ophor deletion hold place x-1 --basis LAW --document kendelse.pdf

      ophor deletion hold place x-1 --basis INSTRUCTION --system booking --digest 9f86…0a08 --as kommune_dpo
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        data = {
            "exit_id": exit_id,
            "system": system or None,
            "basis": basis.value,
            "digest": digest_of(document, digest),
        }
        answer = client.call("deletion.place_hold", data, command_id or None)
        answered(answer, say("hold_placed", language, hold=answer["hold_id"]), as_json=as_json)


@app.command()
def lift(
    exit_id: Exit,
    hold_id: HoldId,
    document: Document = None,
    digest: GivenDigest = "",
    role: Reader = DELETION_OFFICER,
    actor: Actor = "",
    customer: Customer = None,
    command_id: CommandId = "",
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Ophæv et slettestop; det, kunden har sat, ophæver kun kunden. / Lift a hold.

    Eksempler / examples:

      ophor deletion hold lift x-1 x-1.H1 --document ophaevelse.pdf --as kommune_projektleder
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        data = {"exit_id": exit_id, "hold_id": hold_id, "digest": digest_of(document, digest)}
        answer = client.call("deletion.lift_hold", data, command_id or None)
        answered(answer, say("hold_lifted", language, hold=hold_id), as_json=as_json)


@app.command()
def override(
    exit_id: Exit,
    hold_id: HoldId,
    reason: Annotated[OverrideReason, typer.Option(help="Grunden. / The reason.")],
    document: Document = None,
    digest: GivenDigest = "",
    role: Reader = DELETION_OFFICER,
    actor: Actor = "",
    customer: Customer = None,
    command_id: CommandId = "",
    as_json: AsJson = False,
    lang: Language = None,
) -> None:
    """Bed om at sætte et slettestop til side, eller vær enig. / Ask that a hold be set aside, or agree.

    To personer af hver sin part, samme grund og dokument. / Two people of two parties, same reason and document.

    Eksempler / examples:

      ophor deletion hold override x-1 x-1.H1 --reason LAW_LAPSED --document notat.pdf
    """
    with speaking(lang) as language, client_of(role, actor, customer) as client:
        data = {"exit_id": exit_id, "hold_id": hold_id, "reason": reason.value, "digest": digest_of(document, digest)}
        answer = client.call("deletion.override_hold", data, command_id or None)
        if answer["state"] == "refused":
            both = (told.word(told.OVERRIDE_REFUSALS, answer["code"], each) for each in ("da", "en"))
            danish, in_english = both
            raise Rejected(answer["code"], in_english, field="HOLD", da=danish)
        answered(answer, say(f"hold_{answer['state']}", language, hold=hold_id), as_json=as_json)

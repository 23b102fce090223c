"""`ophor dlq list|show|replay|discard`: dead letters of a service, as `shared/bus/dead.py` handles them (design §3.3).

Calls that waited longer than their senders said (`expired`) are filed apart, for nobody waits for them and nothing is
wrong: they are listed and removed with `--expired` only. Bodies are never shown. Every replay and discard is a line in
the log with who did it; a discard says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import Rejected, Unavailable
from services.console.outbox import store_of
from services.console.session import Session, person
from services.console.terminal import show_json, speaks, tell

if TYPE_CHECKING:
    import amqp

    from shared.store.unit import Store

app = typer.Typer(no_args_is_help=True, help="Døde beskeder. / Dead letters.")
Service = Annotated[str, typer.Argument(help="Tjenesten. / The service.")]
MOST = 10_000
_KINDS = {False: "døde beskeder", True: "udløbne kald"}
Message = Annotated[str, typer.Option("--id", help="Kun denne besked. / This message only.")]
Expired = Annotated[bool, typer.Option("--expired", help="De udløbne kald i stedet. / The expired calls instead.")]


@app.command("list")
@speaks
def list_(service: Service, expired: Expired = False, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Vis de døde beskeder: id, type, kø, årsag, tid. / List the dead letters.

    Examples:

      ophor dlq list deletion

      ophor dlq list deletion --json

      ophor dlq list deletion --expired
    """
    from shared.bus import dead

    with _broker() as connection:
        letters = dead.list_letters(connection, service, MOST, expired=expired)
    if as_json:
        show_json([asdict(letter) for letter in letters])
        return
    for letter in letters:
        typer.echo(f"{letter.id}  {letter.wire:40} {letter.queue:26} {letter.reason}  {letter.dead_at}")
    typer.echo(f"{len(letters)} {_KINDS[expired]}", err=True)


@app.command()
@speaks
def show(service: Service, message: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Vis en død beskeds hoved (aldrig dens indhold). / Show one dead letter's headers, never its body.

    Examples:

      ophor dlq show deletion 0198f2c4-…
    """
    from shared.bus import dead

    with _broker() as connection:
        show_json(dead.show(connection, service, message))


@app.command()
@speaks
def replay(service: Service, message: Message = "") -> None:
    """Send døde beskeder tilbage til køen de døde i. / Send dead letters back to the queue they died in.

    Examples:

      ophor dlq replay deletion

      ophor dlq replay deletion --id 0198f2c4-…
    """
    from shared.bus import dead

    with _broker() as connection:
        sent = 0
        for letter in _meant(connection, service, message):
            try:
                dead.replay(connection, service, letter, person())
                sent += 1
            except Rejected as error:
                if message or error.code != "LETTER_NOT_REPLAYABLE":
                    raise
                tell(error)  # one that cannot go back does not hold the others up
    typer.echo(f"{sent} sendt tilbage")


@app.command()
@speaks
def discard(
    service: Service,
    why: Annotated[str, typer.Option("--why", help="Hvorfor, med få ord; skrives i loggen. / Why, in a few words.")],
    message: Message = "",
    expired: Expired = False,
    yes: Annotated[bool, typer.Option("--yes", help="Spørg ikke. / Do not ask.")] = False,
) -> None:
    """Fjern døde beskeder for altid. / Remove dead letters for good.

    Examples:

      ophor dlq discard deletion --id 0198f2c4-… --why "sendt af en gammel version" --yes

      ophor dlq discard deletion --expired --why "ingen venter" --yes
    """
    from shared.bus import dead

    with _broker() as connection:
        meant = _meant(connection, service, message, expired=expired)
        if meant and not yes:
            typer.confirm(
                f"Fjern {message or f'alle {len(meant)} {_KINDS[expired]}'} fra {service} for altid?", abort=True
            )
        with _store(service) as store:
            for letter in meant:
                dead.discard(connection, service, letter, person(), why, store)
    typer.echo(f"{len(meant)} fjernet")


@contextmanager
def _store(service: str) -> Iterator[Store | None]:
    """Open the service's store, which is to know that a letter was given up; None where only the broker is named."""
    with ExitStack() as opened:
        try:
            store = opened.enter_context(store_of(service))
        except Unavailable as error:
            if error.code != "STACK_MISSING":
                raise
            store = None
        yield store


@contextmanager
def _broker() -> Iterator[amqp.Connection]:
    from shared.bus.pump import dial

    with dial(Session.here().want("OPHOR_AMQP_URI"), "console") as connection:
        yield connection


def _meant(connection: amqp.Connection, service: str, message: str, *, expired: bool = False) -> list[str]:
    """Give the ids of the letters that are meant: the one that was named, else all of the kind that lie there now."""
    from shared.bus import dead

    if message:
        return [message]
    return [letter.id for letter in dead.list_letters(connection, service, MOST, expired=expired)]

"""`ophor dlq list|show|replay|discard|log`: dead letters of a service, as `shared/bus/dead.py` handles them (§3.3).

Calls that waited longer than their senders said (`expired`) are filed apart, for nobody waits for them and nothing is
wrong: they are listed and removed with `--expired` only. Bodies are never shown. Every replay and discard is written
down in the service's own store, where the console reaches it, and told on standard error: who, when, which, and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from contracts.errors import Unavailable
from services.console.outbox import store_of
from services.console.session import Session, person, reached
from services.console.terminal import show_json, speaks, tell

if TYPE_CHECKING:
    import amqp

    from shared.store.unit import Store

app = typer.Typer(no_args_is_help=True, help="Døde beskeder. / Dead letters.")
Service = Annotated[str, typer.Argument(help="Tjenesten. / The service.")]
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
        letters = dead.list_letters(connection, service, expired=expired)
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

    with _broker() as connection, _store(service) as store:
        meant = _meant(connection, service, message)
        sent, refused = dead.replay(connection, service, meant, person(), store)
    for error in refused:
        tell(error)  # one that cannot go back does not hold the others up
    typer.echo(f"{sent} sendt tilbage")
    if message and refused:
        raise typer.Exit(2)


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
    if meant and not yes:  # the broker would not wait for an answer
        typer.confirm(f"Fjern {message or f'alle {len(meant)} {_KINDS[expired]}'} fra {service} for altid?", abort=True)
    with _broker() as connection, _store(service) as store:
        gone = dead.discard(connection, service, meant, person(), why, store)
    typer.echo(f"{gone} fjernet")


@app.command("log")
@speaks
def log_(service: Service, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Vis hvad der er gjort ved døde beskeder, af hvem og hvorfor. / List what was done to dead letters, and by whom.

    Examples:

      ophor dlq log deletion
    """
    from shared.bus import dead

    with store_of(service) as store:
        rows = dead.actions(store)
    if as_json:
        show_json([{**row, "at": row["at"].isoformat()} for row in rows])
        return
    for row in rows:
        typer.echo(
            f"{row['at']:%Y-%m-%d %H:%M:%S}  {row['action']:9}  {row['id']}  {row['actor']}  {row['why']}".rstrip()
        )


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


def _broker() -> AbstractContextManager[amqp.Connection]:
    return reached(Session.here().want("OPHOR_AMQP_URI"))


def _meant(connection: amqp.Connection, service: str, message: str, *, expired: bool = False) -> list[str]:
    """Give the ids of the letters that are meant: the one that was named, else all of the kind that lie there now."""
    from shared.bus import dead

    if message:
        return [message]
    return [letter.id for letter in dead.list_letters(connection, service, expired=expired)]

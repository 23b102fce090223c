"""`ophor dlq list|show|replay|discard`: dead letters of a service (design §3.3). Bodies are never shown.

Listing takes the messages, looks at their headers and gives all of them back. A replayed message goes back to the
queue that it died in, with its signature and without its count of attempts, and leaves only when the broker has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Annotated, Any

import typer

from contracts.catalogue import SERVICES
from contracts.errors import Rejected
from services.console.session import Session
from services.console.terminal import show_json, speaks

app = typer.Typer(no_args_is_help=True, help="Døde beskeder. / Dead letters.")
Service = Annotated[str, typer.Argument(help="Tjenesten. / The service.")]
Message = Annotated[str, typer.Option("--id", help="Kun denne besked. / This message only.")]


@app.command("list")
@speaks
def list_(service: Service, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Vis de døde beskeder: id, type, kø, årsag, tid. / List the dead letters.

    Examples:

      ophor dlq list deletion

      ophor dlq list deletion --json
    """
    with taken(Session.here(), service) as letters:
        rows = [described(letter) for letter in letters]
    if as_json:
        show_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['id']}  {row['type']:40} {row['queue']:26} {row['reason']}  {row['dead_at']}")
    typer.echo(f"{len(rows)} døde beskeder", err=True)


@app.command()
@speaks
def show(service: Service, message: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Vis en død beskeds hoved (aldrig dens indhold). / Show one dead letter's headers, never its body.

    Examples:

      ophor dlq show deletion 0198f2c4-…
    """
    with taken(Session.here(), service) as letters:
        rows = [described(letter) for letter in letters if letter.properties.get("message_id") == message]
    if not rows:
        raise Rejected(
            "MESSAGE_UNKNOWN",
            f"dlq-{service} has no message {message}",
            field="ID",
            remedy=f"ophor dlq list {service}",
            da="Beskeden findes ikke.",
        )
    show_json(rows[0])


@app.command()
@speaks
def replay(service: Service, message: Message = "") -> None:
    """Send døde beskeder tilbage til køen de døde i. / Send dead letters back to the queue they died in.

    Examples:

      ophor dlq replay deletion

      ophor dlq replay deletion --id 0198f2c4-…
    """
    typer.echo(f"{_settle(service, message, _give_back)} sendt tilbage")


@app.command()
@speaks
def discard(service: Service, message: Message = "", yes: Annotated[bool, typer.Option("--yes")] = False) -> None:
    """Fjern døde beskeder for altid. / Remove dead letters for good.

    Examples:

      ophor dlq discard deletion --id 0198f2c4-… --yes
    """
    if not yes:
        typer.confirm(f"Fjern {message or 'alle døde beskeder'} fra {service} for altid?", abort=True)
    typer.echo(f"{_settle(service, message, lambda connection, letter: None)} fjernet")


@contextmanager
def taken(here: Session, service: str) -> Iterator[Iterator[Any]]:
    """Take those dead letters of a service that lie there now; what is not acked goes back when the block ends."""
    from shared.bus.pump import dial

    if service not in SERVICES:
        raise Rejected(
            "SERVICE_UNKNOWN",
            f"there is no service {service}",
            field="SERVICE",
            remedy=f"one of {', '.join(SERVICES)}",
            da=f"Tjenesten {service} findes ikke.",
        )
    with dial(here.want("OPHOR_AMQP_URI"), "console") as connection:
        channel, queue = connection.channel(), f"dlq-{service}"
        waiting = channel.queue_declare(queue, passive=True).message_count
        yield islice(iter(lambda: channel.basic_get(queue), None), waiting)  # not those that die again meanwhile


def described(letter: Any) -> dict[str, Any]:
    """Give what may be told of a dead letter: names, reason, times and sizes."""
    from shared.bus.ladder import DEAD_AT_HEADER, QUEUE_HEADER, REASON_HEADER

    headers = letter.properties.get("application_headers") or {}
    return {
        "id": letter.properties.get("message_id", ""),
        "type": letter.properties.get("type", ""),
        "queue": headers.get(QUEUE_HEADER, ""),
        "reason": headers.get(REASON_HEADER, ""),
        "dead_at": headers.get(DEAD_AT_HEADER, ""),
        "bytes": len(letter.body),
        "headers": sorted(str(name) for name in headers),
    }


def _settle(service: str, message: str, act: Callable[[Any, Any], None]) -> int:
    """Act on each dead letter that is meant, then ack it; those not meant go back."""
    count = 0
    with taken(Session.here(), service) as letters:
        for letter in letters:
            if message and letter.properties.get("message_id") != message:
                continue
            act(letter.channel.connection, letter)
            letter.channel.basic_ack(letter.delivery_tag)
            count += 1
    return count


def _give_back(connection: Any, letter: Any) -> None:
    """Publish a letter to the queue it died in, and wait for the broker's confirm."""
    from shared.bus import ladder
    from shared.bus.guard import ATTEMPTS_HEADER, Received
    from shared.bus.topology import RETURN

    queue = described(letter)["queue"]
    if not queue:
        raise Rejected(
            "MESSAGE_HOMELESS",
            "a dead letter does not say which queue it died in",
            field="queue",
            remedy="look at it with `ophor dlq show`, then discard it",
            da="Beskedens kø er ukendt.",
        )
    ladder.send(connection, ladder.carried(Received.of(letter), {ATTEMPTS_HEADER: 0}, (RETURN, queue)))

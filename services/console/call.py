"""`ophor call`: one command or query to a face, as an internal system would make it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from contracts.errors import Rejected
from services.console.session import Session
from services.console.terminal import show_json, speaks


@speaks
def call(
    wire: Annotated[str, typer.Argument(metavar="SERVICE.METHOD", help="Fx orders.read_exit; `?` viser alle.")],
    data: Annotated[str, typer.Argument(metavar="JSON", help="Indholdet. / The body.")] = "{}",
    role: Annotated[str, typer.Option("--as", metavar="ROLE", help="Rollen. / The role.")] = "overvågning",
    actor: Annotated[str, typer.Option(help="Uigennemskueligt id. / Opaque id.")] = "",
    customer: Annotated[list[str] | None, typer.Option(help="CVR der må handles for. / CVR in scope.")] = None,
    command_id: Annotated[str, typer.Option("--id", help="Kommandoens id ved gentagelse. / To repeat it.")] = "",
    timeout: Annotated[float, typer.Option(help="Sekunder. / Seconds.")] = 15.0,
) -> None:
    """Kald en tjeneste og vis svaret som JSON. / Call a service and print its answer as JSON.

    Examples:

      ophor call orders.list_exits

      ophor call orders.read_exit '{"exit_id": "x-1"}' --as revisor

      ophor call ?
    """
    if wire == "?":
        _list()
        return
    body = _body(data)
    here = Session.here()
    with here.client(role, actor, tuple(customer or ("*",))) as client:
        show_json(client.call(wire, body, command_id=command_id or None, timeout=timeout))


def _body(data: str) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except ValueError as error:
        raise Rejected(
            "JSON_INVALID",
            f"the body is not JSON: {error}",
            field="JSON",
            remedy='quote it for the shell: \'{"exit_id": "…"}\'',
            da="Indholdet er ikke JSON.",
        ) from None
    if not isinstance(body, dict):
        raise Rejected(
            "JSON_INVALID",
            "the body is not a JSON object",
            field="JSON",
            remedy="write {…}",
            da="Indholdet er ikke et JSON-objekt.",
        )
    return body


def _list() -> None:
    from contracts.catalogue import COMMANDS

    for wire, command in COMMANDS.items():
        kind = "query" if command.query else "command"
        typer.echo(f"{wire:34} {kind:8} {', '.join(sorted(command.roles))}")

"""`ophor topology apply|diff`: the broker's exchanges, queues and bindings, from the contracts alone (design §3.8)."""

from __future__ import annotations

import typer

from contracts.errors import Unavailable
from services.console.session import Session, reached
from services.console.terminal import speaks

app = typer.Typer(no_args_is_help=True, help="Brokerens køer efter kontrakterne. / The broker's queues.")


@app.command()
@speaks
def apply() -> None:
    """Erklær det der mangler, og vis hver forskel. / Declare what is missing and print every difference.

    Works as the broker's user `topology` (OPHOR_TOPOLOGY_URI), the only one that may. Examples:

      ophor topology apply
    """
    from shared.bus import topology

    here = Session.here()
    uri = here.want("OPHOR_TOPOLOGY_URI")
    management = here.values.get("OPHOR_RABBIT_MANAGEMENT", "")
    with reached(uri) as connection:
        lines = topology.apply(connection, here.mode, topology.Management(management, uri) if management else None)
    typer.echo("\n".join(lines) or "ingen forskel")


@app.command()
@speaks
def diff() -> None:
    """Vis forskellene uden at ændre noget; slutter med 1, hvis der er nogen. / Show the differences, change nothing.

    Examples:

      ophor topology diff
    """
    from shared.bus import topology

    here = Session.here()
    held = topology.Management(here.want("OPHOR_RABBIT_MANAGEMENT"), here.want("OPHOR_TOPOLOGY_URI"))
    try:
        lines = topology.differences(held, here.mode)
    except OSError as error:
        raise Unavailable(
            "BROKER_API_UNREACHABLE",
            f"the broker's management API does not answer ({type(error).__name__})",
            field="OPHOR_RABBIT_MANAGEMENT",
            remedy="see whether the broker runs (`ophor status`) and whether the address is right",
            da="Brokerens administration kan ikke nås.",
        ) from None
    typer.echo("\n".join(lines) or "ingen forskel")
    raise typer.Exit(1 if lines else 0)

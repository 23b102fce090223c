"""`ophor topology apply|diff`: the broker's exchanges, queues and bindings, from the contracts alone (design §3.8)."""

from __future__ import annotations

import typer

from services.console.session import Session
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
    from shared.bus.pump import dial

    here = Session.here()
    uri = here.want("OPHOR_TOPOLOGY_URI")
    management = here.values.get("OPHOR_RABBIT_MANAGEMENT", "")
    with dial(uri, "console") as connection:
        lines = topology.apply(connection, here.mode, topology.Management(management, uri) if management else None)
    typer.echo("\n".join(lines) or "ingen forskel")


@app.command()
@speaks
def diff() -> None:
    """Vis forskellene uden at ændre noget; slutter med 1, hvis der er nogen. / Show the differences, change nothing.

    Examples:

      ophor topology diff
    """
    lines = differences(Session.here())
    typer.echo("\n".join(lines) or "ingen forskel")
    raise typer.Exit(1 if lines else 0)


def differences(here: Session) -> list[str]:
    """Compare the broker with the contracts over its management API; give one line a difference."""
    from shared.bus import topology

    held = topology.Management(here.want("OPHOR_RABBIT_MANAGEMENT"), here.want("OPHOR_TOPOLOGY_URI"))
    wanted = topology.describe(here.mode)
    exchanges = {row["name"]: row["type"] for row in held.list("exchanges")}
    queues = {row["name"]: row.get("type") for row in held.list("queues")}
    lines = [f"+ exchange {each.name}" for each in wanted.exchanges if each.name not in exchanges]
    lines += [
        f"~ exchange {each.name}: {exchanges[each.name]}, not {each.type}"
        for each in wanted.exchanges
        if exchanges.get(each.name, each.type) != each.type
    ]
    lines += [f"+ queue {each.name}" for each in wanted.queues if each.name not in queues]
    lines += [
        f"~ queue {name}: {kind}, not quorum"
        for name, kind in queues.items()
        if kind != "quorum" and name in {each.name for each in wanted.queues}
    ]
    lines += [f"+ binding {binding}" for binding in topology.missing_bindings(held)]
    return lines + ([f"+ exchange {wanted.stamp}"] if wanted.stamp not in exchanges else [])

"""`ophor up|down|status|logs|run`: the local stack from a terminal."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from contracts.errors import OphorError
from services.console import session
from services.console.terminal import show_json, speaks

if TYPE_CHECKING:
    from deploy.stack.instance import Row, Stack

WORDS = {"starting": "starter", "ready": "klar", "failed": "kom ikke op"}


@speaks
def up(
    names: Annotated[list[str] | None, typer.Argument(help="Processer; ingen = alle. / Processes; none = all.")] = None,
    mode: Annotated[str, typer.Option(help="demo eller test. / demo or test.")] = "demo",
) -> None:
    """Start stakken, eller det af den der ikke kører. / Start the stack, or what of it does not run.

    Examples:

      ophor up                     # everything

      ophor up deletion-delete     # one process that was killed, with the same environment as before
    """
    from deploy.stack.instance import Stack

    began = time.monotonic()
    stack = Stack.create(mode=mode)
    started = stack.up(names or [], _teller())
    port = stack.state.ports.get("pages")
    took = f"{len(started)} startet på {time.monotonic() - began:.1f} s" if started else "alt kører"
    typer.echo(f"{took}; sider: http://127.0.0.1:{port}/" if port else took)


@speaks
def down(
    keep: Annotated[bool, typer.Option("--keep", help="Behold data, så `up` fortsætter. / Keep the data.")] = False,
) -> None:
    """Stop alt, og fjern data og nøgler. / Stop everything, and remove data and keys.

    Results in `.ophor/demo` and the logs stay. Examples:

      ophor down

      ophor down --keep
    """
    from contracts.errors import Unavailable

    try:
        stack = session.stack()
    except Unavailable as error:
        if error.code == "STACK_MISSING":
            typer.echo("intet kører")
            return
        raise
    stack.down(keep)
    typer.echo("stoppet; data er bevaret" if keep else "stoppet; data er fjernet")


@speaks
def status(as_json: Annotated[bool, typer.Option("--json", help="Som JSON. / As JSON.")] = False) -> None:
    """Vis hver proces, køernes længde, udbakkernes alder og uret. / Show processes, queues, outboxes and the clock.

    Ends with 1 where a process does not run or is not ready. Examples:

      ophor status

      ophor status --json
    """
    stack = session.stack()
    rows = stack.status()
    found = {"processes": [_as_dict(row) for row in rows], **_of_the_bus(stack)}
    if as_json:
        show_json(found)
    else:
        _draw(rows, found)
    raise typer.Exit(0 if all(row.ready for row in rows) else 1)


@speaks
def logs(
    name: Annotated[str, typer.Argument(help="Processen. / The process.")],
    lines: Annotated[int, typer.Option("--lines", "-n", help="Antal linjer. / How many lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Følg med. / Go on.")] = False,
) -> None:
    """Vis en proces' log. / Show a process's log.

    Examples:

      ophor logs deletion-delete -n 200

      ophor logs orders -f
    """
    path = session.stack().log(name)
    for line in _tail(path, lines):
        typer.echo(line, nl=False)
    with suppress(KeyboardInterrupt):
        for line in _more(path) if follow else ():
            typer.echo(line, nl=False)


@speaks
def run(
    name: Annotated[str, typer.Argument(help="Processen. / The process.")],
) -> None:
    """Kør en proces her i forgrunden i stedet for i stakken. / Run a process here instead of in the stack.

    The stack's own is ended first; when this one ends, `ophor up NAME` starts it there again. Examples:

      ophor run orders
    """
    stack = session.stack()
    env = stack.environment(name)
    entry = stack.state.processes[name]
    if entry.pid:
        stack.end([name])
    os.chdir(entry.cwd or ".")
    os.execvpe(entry.argv[0], entry.argv, env)  # noqa: S606 – the process takes this one's place


def _teller() -> Any:
    """Give a progress callback that prints one line a process: when it is ready, or that it failed."""
    began = time.monotonic()

    def tell(name: str, word: str) -> None:
        if word != "starting":
            typer.echo(f"{time.monotonic() - began:6.1f} s  {name:20} {WORDS[word]}", err=True)

    return tell


def _as_dict(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": row.kind,
        "pid": row.pid,
        "alive": row.alive,
        "ready": row.ready,
        "failing": list(row.failing),
        "health_port": row.port,
        "provider": row.provider,
    }


def _of_the_bus(stack: Stack) -> dict[str, Any]:
    """Ask broker, faces and clock; what does not answer is named with its error's code."""
    from services.console.rehearsing import quiet

    here = session.Session(stack.settings.console())
    found: dict[str, Any] = {"queues": {}, "services": {}, "clock": None, "quiet": False}
    with suppress(OphorError, OSError):
        found["queues"] = depths(here)
    with suppress(OphorError, OSError), here.client() as client:
        account = quiet.look(client)
        found["services"] = {name: _lag(answer) for name, answer in account.statuses.items()}
        found["services"] |= {name: {"error": code} for name, code in account.silent.items()}
        found["quiet"] = account.quiet
    with suppress(OphorError, OSError):
        from services.console.clock import instant

        found["clock"] = instant(here).isoformat()
    return found


def depths(here: session.Session) -> dict[str, dict[str, int]]:
    """Give waiting messages and consumers of every queue of the contracts; of one that is not there, that it lacks."""
    from amqp.exceptions import NotFound

    from shared.bus import topology

    found = {}
    with session.reached(here.want("OPHOR_AMQP_URI")) as connection:
        for queue in topology.describe(here.mode).queues:
            channel = connection.channel()
            try:
                declared = channel.queue_declare(queue.name, passive=True)
            except NotFound:  # the broker closed the channel
                found[queue.name] = {"messages": 0, "consumers": 0, "missing": 1}
                continue
            found[queue.name] = {"messages": declared.message_count, "consumers": declared.consumer_count}
            channel.close()
    return found


def _lag(answer: dict[str, Any]) -> dict[str, Any]:
    kept = ("outbox_pending", "outbox_age_s", "outbox_parked", "dead", "timers_due", "next_timer", "in_flight")
    return {name: answer[name] for name in kept}


def _draw(rows: list[Row], found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("proces", "art", "pid", "lever", "klar", "mangler", title=f"Ur: {found['clock'] or 'ikke sat'}")
    for row in rows:
        marks = ["ja" if row.alive else "[red]nej[/]", "ja" if row.ready else "[red]nej[/]"]
        todo = ", ".join(row.failing) or ("" if row.alive else f"ophor up {row.name}")
        table.add_row(row.name, row.kind, str(row.pid or "–"), *marks, todo)
    console.print(table)
    table = Table("tjeneste", "udbakke", "alder s", "parkeret", "døde", "forfaldne", "næste", title="Tjenester")
    for name, row in found["services"].items():
        cells = [row["error"]] if "error" in row else [str(value) for value in list(row.values())[:6]]
        table.add_row(name, *(_short(cells)))
    console.print(table)
    waiting = {name: row for name, row in found["queues"].items() if row["messages"]}
    lines = [f"{name}: {row['messages']} ({row['consumers']} læser)" for name, row in waiting.items()]
    lines += [f"{name} MANGLER (ophor topology diff)" for name, row in found["queues"].items() if "missing" in row]
    console.print("Køer: " + (", ".join(lines) or "alle tomme") if found["queues"] else "Køer: brokeren svarer ikke")
    console.print("Alt er roligt." if found["quiet"] else "Der arbejdes, eller noget mangler.")


def _short(cells: list[str]) -> list[str]:
    if len(cells) == 1:
        return cells
    pending, age, parked, dead, due, following = cells
    return [pending, age, parked, dead, due, following[:16]]


def _tail(path: Path, lines: int) -> list[str]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace") as file:
        return list(deque(file, lines))


def _more(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        file.seek(0, 2)
        while True:
            if line := file.readline():
                yield line
            else:
                time.sleep(0.2)

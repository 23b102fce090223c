"""`ophor demo`: make the sample world, then rehearse one municipality's exit in it.

Each finished demo is thrown away when the next begins; an unfinished one is gone on with. What the demo made itself,
and nothing else, it marks as a copy.
"""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from contracts import system_map
from contracts.errors import Rejected, Unavailable
from deploy.demo.world import World, WorldSettings, load_world, make_world
from deploy.stack.instance import Stack, home_folder
from deploy.stack.ports import Ports
from services.console import rehearsal
from services.console.rehearse import Run, finish, guard
from services.console.rehearsing import results
from services.console.rehearsing.scenario import go_live
from services.console.rehearsing.standing import standing
from services.console.rehearsing.wish import Wish
from services.console.terminal import speaks

BEGAN_ON = date(2026, 1, 5)
PROCESSES = ("case-index", "retention", "neighbours")


@speaks
def demo(
    fresh: Annotated[bool, typer.Option("--fresh", help="Begynd forfra. / Start over.")] = False,
    keep_running: Annotated[bool, typer.Option("--keep-running", help="Lad Ophør køre. / Leave it running.")] = False,
) -> None:
    """Gennemfør et helt exit på opdigtede data. / Run a whole exit on made-up data.

    Resultaterne lægges i `.ophor/demo`. En demo, der blev standset, fortsætter, hvor den slap.
    Er den færdig, laves en ny, og den stak, der kører her, fjernes først.
    A stopped demo goes on; a finished one is replaced, with its stack.

    Eksempel / example:

        ophor demo --keep-running
    """
    console = Console()
    out = home_folder() / "demo"
    if fresh or not unfinished(out):
        clear(out)
    stack = Stack.create()
    results.save(out / "stack", stack.state.id.encode())
    with standing(stack, console, leave=keep_running):
        world = world_of(stack, out, console)
        wish = Wish(world.map_path, world.tenant, world.customer, world.cvr, out, world.systems, BEGAN_ON, PROCESSES)
        guard(wish, console)
        finish(Run(wish, stack, console))


def unfinished(out: Path) -> bool:
    """Tell whether an earlier demo's world is there, on a stack that still has its data, whose exit did not end."""
    if (out / "summary.json").exists() or not (out / "world" / "world.json").exists():
        return False
    try:
        there = Stack.open().state
        return there.id == (out / "stack").read_text("utf-8") and Path(there.data).is_dir()
    except (Unavailable, OSError):
        return False


def clear(out: Path) -> None:
    """Throw an earlier demo away: its stack with its data, its world, its results."""
    try:
        Stack.open().down()
    except Unavailable as error:
        if error.code != "STACK_MISSING":
            raise
    shutil.rmtree(out, ignore_errors=True)


def world_of(stack: Stack, out: Path, console: Console) -> World:
    """Give the demo's world, made and marked where it is not there yet; its target servers run afterwards."""
    with console.status("Databaser startes …"):
        stack.up(["postgres", "mongod"], alone=True)
    folder = out / "world"
    try:
        world = load_world(folder)
    except Rejected:
        wanted = settings(stack, folder)
        with console.status("Tre opdigtede kommuners data laves …"), ThreadPoolExecutor(1) as beside:
            broker = beside.submit(Stack.open(stack.home).up, ["rabbitmq"], alone=True)  # it takes as long to start
            world = make_world(wanted)
            broker.result()
    stack.up(["case-index"])
    mapped = system_map.load(world.map_path)
    rehearsal.mark(mapped, list(mapped.systems))
    return world


def settings(stack: Stack, folder: Path) -> WorldSettings:
    """Say where the world is made: a folder of its own on the stack's servers, backups dated by the exit to come."""
    environment = stack.environment("case-index")
    with Ports(stack.home) as ports:  # the stack's, though who listens there starts only when the world is made
        port = ports.choose()
    return WorldSettings(
        folder=folder, postgres_uri=environment["OPHOR_POSTGRES_ADMIN"], mongo_uri=environment["OPHOR_MONGO_ADMIN"],
        case_index_port=port, today=BEGAN_ON, deletion=go_live(BEGAN_ON),
    )  # fmt: skip

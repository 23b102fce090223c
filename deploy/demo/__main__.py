"""The processes of the demo's world: `python -m deploy.demo case-index|neighbours|retention|make`.

They find their world by `--world DIR`, `OPHOR_DEMO_WORLD`, or in the stack's home (`OPHOR_HOME`). Each stops at once on
SIGTERM and may be killed at any moment; started again, it goes on. Where `OPHOR_HEALTH_PORT` is set, `/live` and
`/ready` answer there.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from contracts.errors import OphorError, Rejected
from deploy.demo import case_index, neighbours, retention
from deploy.demo.world import WorldSettings, load_world, make_world
from shared.runtime.clock import clock_for
from shared.runtime.health import Health


@dataclass(frozen=True, slots=True)
class Life:
    """How a process tells that it is at work (`ready`), and is told to end (`stopping`)."""

    ready: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)


def _case_index(words: argparse.Namespace, life: Life) -> None:
    server = case_index.open_server(words.world / "case-index", load_world(words.world).case_index_port)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    life.ready.set()
    life.stopping.wait()
    server.shutdown()
    server.server_close()
    server.index.close()


def _neighbours(words: argparse.Namespace, life: Life) -> None:
    world = load_world(words.world)
    life.ready.set()
    neighbours.run(world, life.stopping)


def _retention(words: argparse.Namespace, life: Life) -> None:
    world = load_world(words.world)
    clock = clock_for(os.environ.get("OPHOR_MODE", "demo"), os.environ.get("OPHOR_CLOCK_URI", ""))
    life.ready.set()
    retention.run(world.backups, clock, life.stopping)


def _make(words: argparse.Namespace, life: Life) -> None:
    missing = [name for name in ("postgres_uri", "mongo_uri") if not getattr(words, name)]
    if missing:
        raise Rejected("CONFIG_INVALID", f"--{missing[0].replace('_', '-')} is missing", field=missing[0])
    world = make_world(
        WorldSettings(
            folder=words.world, postgres_uri=words.postgres_uri, mongo_uri=words.mongo_uri,
            case_index_port=words.case_index_port, today=words.today, deletion=words.deletion,
        )
    )  # fmt: skip
    print(world.map_path)


RUNS: dict[str, Callable[[argparse.Namespace, Life], None]] = {
    "case-index": _case_index,
    "neighbours": _neighbours,
    "retention": _retention,
    "make": _make,
}


def _world_folder(environ: Mapping[str, str]) -> Path | None:
    """Give the folder that the environment names; in a stack's home it is `demo/world`."""
    if folder := environ.get("OPHOR_DEMO_WORLD"):
        return Path(folder)
    return Path(environ["OPHOR_HOME"]) / "demo" / "world" if environ.get("OPHOR_HOME") else None


def _words(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", choices=sorted(RUNS))
    parser.add_argument("--world", type=Path, default=_world_folder(os.environ), help="the world's folder")
    parser.add_argument("--postgres-uri", default=os.environ.get("OPHOR_POSTGRES_ADMIN"), help="administrator's URI")
    parser.add_argument("--mongo-uri", default=os.environ.get("OPHOR_MONGO_ADMIN"), help="administrator's URI")
    parser.add_argument("--case-index-port", type=int, default=18470)
    parser.add_argument("--today", type=date.fromisoformat, default=date(2026, 3, 2), help="when the backups end")
    parser.add_argument("--deletion", type=date.fromisoformat, default=date(2026, 9, 1), help="the planned deletion")
    words = parser.parse_args(argv)
    if words.world is None:
        parser.error("--world DIR is missing (or OPHOR_DEMO_WORLD, or OPHOR_HOME)")
    return words


def main(argv: list[str]) -> int:
    """Run one process of the world until it is asked to stop; give its exit code."""
    words, life = _words(argv), Life()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: life.stopping.set())
    try:
        if words.run != "make" and (port := int(os.environ.get("OPHOR_HEALTH_PORT") or 0)):
            Health(words.run, port, {"at work": life.ready.is_set}).start()
        RUNS[words.run](words, life)
    except OphorError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

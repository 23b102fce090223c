"""What both deletion benchmarks share: parts of their own, a whole permitted job, and the rate of it.

Ours is everything from the permit to the verifier's answer: schema and marker checked, intents kept, each transaction
accounted for, what is left counted, sums, facts, and the verifier's own look. The reference deletes the same rows of an
equal database with the engine's own statements in batches of the same size, and looks at nothing.

`OPHOR_BENCH_ROWS` (`python -m tests.bench NAME --rows N`) says how many rows; each size but the usual one is a figure
of its own, so that they can be laid side by side.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from deploy.stack import guard
from services.deletion.worker.ground import batch_size
from tests.bench.figures import Figure, rated, seconds
from tests.integration.connectors_targets import Target
from tests.integration.deletion_world import a_world, preview
from tests.parts import Parts

USUAL = 1_000_000
ROWS = int(os.environ.get("OPHOR_BENCH_ROWS") or USUAL)
NEIGHBOURS = 4  # one of their rows for so many of the tenant's
Make = Callable[[Parts, Path], AbstractContextManager[Target]]
Work = Callable[[Target], None]


def compared(name: str, make: Make, fill: Work, raw: Work) -> Figure:
    """Delete `ROWS` rows of a filled target with `raw`, then those of another with a job; give both rates."""
    with _ground() as (parts, folder):
        with make(parts, folder) as target:
            fill(target)
            reference = ROWS / seconds(lambda: raw(target))
        with make(parts, folder) as target:
            fill(target)
            rate = ROWS / _job(target, parts.mongo_uri, folder)
    what = f"{ROWS:,} rows deleted and verified, from the permit to the answer"
    kept = name if ROWS == USUAL else f"{name}-{ROWS}"
    return rated(kept, what, rate, "rows/s", f"the engine's own delete, {batch_size():,} rows a commit", reference)


def _job(target: Target, mongo_uri: str, folder: Path) -> float:
    with pytest.MonkeyPatch.context() as patch, a_world(target, mongo_uri, folder, patch) as world:
        patch.delenv("OPHOR_BATCH")
        preview(world)
        world.house.permit()
        took = seconds(world.house.carry)
        told = world.house.events("deletion.deletion_verified")
        deleted = sum(row["deleted"] for row in told[0]["places"]) if told else 0
        if deleted != ROWS + sum(target.before(own=True).values()) or told[0]["result"] != "DELETED":
            raise RuntimeError(f"{deleted} rows were deleted: {world.house.events('deletion.deletion_stopped')}")
    return took


@contextmanager
def _ground() -> Iterator[tuple[Parts, Path]]:
    home, folder = (Path(tempfile.mkdtemp(prefix="ophor-bench-")) for _ in range(2))
    home.chmod(0o755)
    guard.start(home, os.getpid())
    try:
        yield Parts(home), folder
    finally:
        guard.take_away(home)
        shutil.rmtree(folder)

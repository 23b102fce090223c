"""`certificates`: many certificates drawn up, signed, rendered and sealed by as many processes as there are cores.

The render queue may have several hands; this is what they do for each certificate, without broker and store, each
process with its libraries loaded. The reference is one process alone, reckoned from a few.
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from services.compliance import domain
from services.compliance.documents import document
from services.compliance.documents.statement import statement
from services.compliance.signing.envelope import canonical
from services.compliance.signing.keys import SealKey, load_seal
from tests.bench.figures import Figure, seconds, timed
from tests.unit import evidence_world as given

COUNT = int(os.environ.get("BENCH_CERTIFICATES", "500"))
FEW = 5
FOLDER = "OPHOR_BENCH_KEYS"


def measure() -> Figure:
    """Make all of them in a pool, after each process has made one."""
    with tempfile.TemporaryDirectory(prefix="ophor-bench-") as folder:
        os.environ[FOLDER] = folder
        made = len(one(0))
        workers = os.cpu_count() or 1
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            list(pool.map(_size, range(workers)))
            took = seconds(lambda: list(pool.map(_size, range(COUNT))))
        alone = seconds(lambda: [one(number) for number in range(FEW)]) / FEW * COUNT
    what = f"{COUNT} certificates of {made // 1024} KiB in {workers} processes: {took / COUNT * 1000:.0f} ms each"
    return timed("certificates", what, took, "s", "one process alone, reckoned", alone)


def one(number: int) -> bytes:
    """Make one certificate's sealed PDF."""
    world, key = _world()
    draft = replace(world.draft(), certificate_id=f"crt-{number}", number=domain.number("rehearsal", number + 1))
    made = statement(draft)
    payload = canonical(made)
    digest = document.digest_of(payload)
    plain = document.render(made["predicate"], given.sign(world, payload), digest)
    return document.seal(plain, key, made["predicate"]["number"])


def _size(number: int) -> int:
    return len(one(number))


@cache
def _world() -> tuple[given.World, SealKey]:
    folder = Path(tempfile.mkdtemp(dir=os.environ[FOLDER]))
    return given.World(folder).told(given.deleted_exit()), load_seal(folder / "render")

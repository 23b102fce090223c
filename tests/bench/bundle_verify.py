"""`bundle-verify`: a bundle of an exit with 10,000 events verified as a stranger would, against hashing its members.

The reference reads every member once: SHA-256 over each and JSON of each entry, and judges nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

from services.compliance.verifier import ophor_verify
from tests.bench.figures import Figure, seconds, timed
from tests.unit import evidence_world as given

EVENTS = int(os.environ.get("BENCH_EVENTS", "10000"))


def measure() -> Figure:
    """Make a true certificate over a long log, and verify its bundle with the keys from outside."""
    with tempfile.TemporaryDirectory(prefix="ophor-bench-") as folder:
        made = certificate(Path(folder), EVENTS)
        options = ophor_verify.Options(given.keys(made.world), rehearsal=True)
        reports: list[ophor_verify.Report] = []
        took = seconds(lambda: reports.append(ophor_verify.verify(made.bundle, options)))
    if reports[0].code != ophor_verify.VERIFIED:
        raise AssertionError(ophor_verify.as_text(reports[0], "the bundle", english=True))
    reference = seconds(lambda: _read(made.members))
    size = len(made.bundle) / 2**20
    return timed(
        "bundle-verify", f"{EVENTS:,} events verified ({size:.1f} MiB)", took, "s", "its members hashed", reference
    )


def certificate(folder: Path, events: int) -> given.Certificate:
    """Certify an exit of `events` events: the world's whole exit, and before it needs submitted again and again."""
    world, told = given.World(folder), given.deleted_exit()
    for number in range(events - len(told)):
        world.log.add("NEEDS_SUBMITTED", {"digest": given.sha(str(number))})
    return world.told(told).certify()


def _read(members: dict[str, bytes]) -> None:
    for name, data in members.items():
        hashlib.sha256(data).digest()
        if name.startswith("evidence/"):
            json.loads(data)

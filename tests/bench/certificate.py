"""`certificate`: one certificate's PDF rendered and sealed, against the same page as a plain PDF.

The plain one has no archive form, no embedded statement and no seal. Both are taken after a first one has loaded
libraries and fonts, and are the mean of a few.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.compliance.documents import document
from services.compliance.documents.statement import statement
from services.compliance.signing.envelope import canonical
from services.compliance.signing.keys import load_seal
from tests.bench.figures import Figure, seconds, timed
from tests.unit import evidence_world as given

TIMES = 5


def measure() -> Figure:
    """Render and seal the world's whole exit."""
    from weasyprint import HTML

    with tempfile.TemporaryDirectory(prefix="ophor-bench-") as folder:
        world = given.World(Path(folder)).told(given.deleted_exit())
        made = statement(world.draft())
        payload, predicate = canonical(made), made["predicate"]
        dsse, digest, key = given.sign(world, payload), document.digest_of(payload), load_seal(Path(folder) / "render")
        took = _mean(lambda: document.seal(document.render(predicate, dsse, digest), key, predicate["number"]))
        plain = _mean(lambda: HTML(string=document.page(predicate, digest)).write_pdf())
    return timed("certificate", "one PDF rendered and sealed", took, "s", "the same page as a plain PDF", plain)


def _mean(work: Callable[[], Any]) -> float:
    work()
    return sum(seconds(work) for _ in range(TIMES)) / TIMES

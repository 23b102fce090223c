"""The hand `extract`: connection test, specification, the extract in slices, the package and its hand-over.

Rules kept here:
1. A slice ends after about 20 s of reading; what it wrote is on disk before the checkpoint that counts it is
   committed, and what lies beyond a checkpoint is cut off. Killed anywhere, it goes on without loss or repetition.
2. What the map excludes or marks `deliver: false` is never read; shared places are delivered whole.
3. The extract begins only while the live schema is what the specification says.
4. The package's digest is committed before the package can be seen in the drop; after a crash the same bytes are
   handed over again. Our plaintext is removed before the delivery is told.
5. After the exit was cancelled the next slice stops the package: what was read is removed and nothing is handed over,
   unless it lay in the drop already; then that is told.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from services.delivery import descriptor, domain, package, store
from services.delivery.domain import Delivery
from services.delivery.tables import file_name
from services.delivery.worker import copies, extract, handover, survey
from shared.bus.hands import Hand, task
from shared.runtime.drops import drop_folders


class Extract(Hand):
    """Reads the customer's data and hands them over."""

    service, name = "delivery", "extract"

    @task
    def test_connection(self, work: Any) -> None:
        """Write, read and remove a probe in the drop (B9); what fails is a fact, not an error."""
        if work.read(lambda unit: store.load(unit, work.exit_id)).cancelled:
            return
        folder = drop_folders(work.settings.drops).get(work.data["drop"])
        code = package.probe(folder, work.data["recipient"]) if folder else "DROP_UNKNOWN"
        work.commit(lambda unit: survey.tested(unit, work, code))

    @task
    def specify(self, work: Any) -> None:
        """Draw up the data specification from the live schemas (B10)."""
        delivery: Delivery = work.read(lambda unit: store.load(unit, work.exit_id))
        if delivery.cancelled:
            return
        systems = survey.registered(work, delivery)
        places = survey.survey(systems, delivery)
        titles = {name: systems.system(name).title for name in delivery.needs or ()}
        text = descriptor.write_specification(delivery.exit_id, titles, places)
        work.commit(lambda unit: survey.specified(unit, delivery, text, len(places)))

    @task
    def extract_place(self, work: Any) -> None:
        """Read on from the first place that is not done, as far as this slice's time goes (C3)."""
        with _alone(work) as folder:
            delivery, bag = _load(work)
            if delivery.cancelled:
                handover.stop(work, delivery, bag, folder)
                return
            if bag["state"] == "ordered":
                bag = extract.plan(work, delivery, bag)
            if bag["state"] == "extracting":
                bag = extract.read_on(work, delivery, bag, folder)
                work.commit(lambda unit: extract.go_on(unit, bag))

    @task
    def build_package(self, work: Any) -> None:
        """Seal the bag; in a message of its own, hand it over."""
        with _alone(work) as folder:
            delivery, bag = _load(work)
            if delivery.cancelled:
                handover.stop(work, delivery, bag, folder)
            elif bag["state"] == "extracting":
                handover.seal(work, delivery, bag, folder)
            elif bag["state"] == "sealed":
                handover.deliver(work, delivery, bag, folder)

    @task
    def dispose_copies(self, work: Any) -> None:
        """Dispose of our own copies of what was handed over, and tell each."""
        rows = copies.dispose(work)
        work.commit(lambda unit: copies.tell(unit, work.exit_id, rows))


@contextmanager
def _alone(work: Any) -> Iterator[Path]:
    """Hold the package's work folder; whoever else was given the same work waits (a killed process holds nothing)."""
    folder = Path(work.settings.work.resolve() / file_name(work.data["package_id"]))
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _load(work: Any) -> tuple[Delivery, store.Row]:
    delivery: Delivery = work.read(lambda unit: store.load(unit, work.exit_id))
    bag = work.read(lambda unit: store.load_package(unit, work.data["package_id"]))
    if bag is None:
        raise domain.unknown_package()
    return delivery, bag


HANDS = {"extract": Extract}

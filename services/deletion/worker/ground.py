"""What both hands stand on: the job and its exit, the pinned map, connectors, and stopping a job.

A `Rejected` from the map or a target is what the domain expects to go wrong: it is committed as `deletion_stopped`.
`Unavailable` is not: the slice is tried again, after some patience here, then by the ladder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from contracts.errors import Rejected, Unavailable
from contracts.system_map import System, SystemMap, load_registered
from services.deletion import store
from services.deletion.domain import Exit, Job, Pace, Place, Survey, least, most, require_exit
from services.deletion.worker import whole_place
from shared.connectors import open_connector
from shared.connectors.protocol import Connector, Inventory

PATIENCE_S = 15.0
_PAUSE_S = 0.5


def batch_size() -> int:
    """Give how many rows a batch deletes at most (`OPHOR_BATCH`, 1–20000, else 10000)."""
    given = os.environ.get("OPHOR_BATCH") or "10000"
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= 20_000:
        raise Rejected("CONFIG_INVALID", "OPHOR_BATCH must be 1–20000", field="OPHOR_BATCH", remedy="correct it")
    return int(given)


def read_job(work: Any, job_id: str) -> tuple[Job, Exit]:
    """Read a job with its exit; raise Unavailable while they are not known here."""
    job, exit_ = work.read(lambda unit: (store.load_job(unit, job_id), store.load_exit(unit, work.data["exit_id"])))
    if job is None:
        raise Unavailable("JOB_NOT_KNOWN", "no such job yet", field="job_id")
    return job, require_exit(exit_)


def load_map(work: Any, exit_: Exit) -> SystemMap:
    """Load the map that the order pinned."""
    if work.settings.maps is None:
        raise Rejected("CONFIG_INVALID", "OPHOR_MAPS is not set", field="OPHOR_MAPS", remedy="set it")
    return load_registered(work.settings.maps, exit_.map_digest)


def pace_of(systems: SystemMap, name: str) -> Pace:
    """Give the pace that the map sets for a system."""
    system = systems.system(name)
    return Pace(system.rate, system.window)


@contextmanager
def opened(systems: SystemMap, system: str, purpose: str, exit_: Exit) -> Iterator[Connector]:
    """Open a connector, close it afterwards."""
    connector = open_connector(systems, system, purpose, exit_.tenant, exit_.customer_cvr)
    try:
        yield connector
    finally:
        connector.close()


def discovered(connector: Connector) -> Inventory:
    """Read the live inventory; wait a little for a system that is just coming back."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return connector.discover()
        except Unavailable:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE_S)


def seen(connector: Connector, system: System, inventory: Inventory, name: str, *, others: bool) -> Place:
    """Give one place as map and live schema have it, and how many of the tenant's rows it has.

    Of a place that is not the tenant's all rows, if `others`: whoever deletes may not be allowed to read there."""
    rule = system.rule(name)
    assert rule is not None  # the order was drawn up, so everything is mapped
    fingerprint = inventory.place(name).fingerprint
    if rule.attested:  # people's word comes later; nothing of it is ours to count
        return Place(system.name, name, "attested", None, False, 0, 0, "", fingerprint)
    if rule.owned:
        count = connector.count(name)
        unowned = connector.unowned(name) if rule.without_tenant and others else 0
        predicate = f"{rule.way} = {system.tenant}"
        return Place(
            system.name, name, "deleted", None, rule.deliver, count, most(count), predicate, fingerprint,
            least=least(count), unowned=unowned,
            unowned_reason=rule.without_tenant or None, whole=rule.whole,
        )  # fmt: skip
    reason, count = rule.shared or rule.excluded, connector.total(name) if others else 0
    disposition = "suspended" if reason.startswith("OPTION(") else "excluded"
    return Place(system.name, name, disposition, reason, rule.deliver, count, count, "", fingerprint)


def surveyed(connector: Connector, system: System, inventory: Inventory, *, others: bool) -> Survey:
    """Give what is in one system now, without probes; raise Rejected where map and live schema differ."""
    order = connector.order(inventory)
    places = [seen(connector, system, inventory, each.name, others=others) for each in inventory.places]
    places += whole_place.surveyed(connector, system, inventory, order)
    return Survey(system.name, system.kind, inventory.fingerprint, tuple(order), tuple(places), {}, 0)


def stop(unit: Any, job_id: str, code: str, field: str) -> None:
    """Stop a job for good and tell it; one that has ended stays as it is."""
    if (job := store.load_job(unit, job_id)) is not None:
        store.stop_job(unit, job, code, field)


def fresh(unit: Any, job: Job, *others: str) -> Job:
    """Read the job again inside a transaction, in its state or one of `others`.

    Raise Unavailable FENCED when another worker has taken it over."""
    now = store.load_job(unit, job.job_id)
    if now is None or now.fence != job.fence or now.state not in (job.state, *others):
        raise Unavailable("FENCED", "another worker has taken this job over", remedy="nothing: the other goes on")
    return now


def named(job: Job) -> dict[str, Any]:
    """Give the ids that every fact about a job carries."""
    return {"exit_id": job.exit_id, "activity": job.activity, "job_id": job.job_id}

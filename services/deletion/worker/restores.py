"""Looking again into what was deleted: the verifier's credentials, the plan's predicates, system by system.

What cannot be looked into is an error of that system alone, and none of the others'; a place that the live schema does
not have holds nothing. What people hold is not looked for: their word was for one day.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from contracts.errors import OphorError, Rejected
from contracts.system_map import SystemMap
from services.deletion import store
from services.deletion.domain import Exit, Job
from services.deletion.domain import restore as rules
from services.deletion.domain.restore import Look
from services.deletion.worker import ground
from shared.connectors import failures


def every(work: Any) -> int:
    """Give the days between two looks (`OPHOR_LOOK_DAYS`, 1–31; else 7, outside production 30)."""
    given = os.environ.get("OPHOR_LOOK_DAYS") or ""
    if not given:
        return rules.EVERY_DAYS if work.settings.mode == "production" else rules.REHEARSED_DAYS
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= 31:
        raise Rejected("CONFIG_INVALID", "OPHOR_LOOK_DAYS must be 1–31", field="OPHOR_LOOK_DAYS", remedy="correct it")
    return int(given)


def look(work: Any, exit_: Exit) -> list[Look]:
    """Look into every system of each activity whose last job is verified."""
    settled = rules.settled(work.read(lambda unit: store.jobs_of(unit, exit_.exit_id)))
    systems = ground.load_map(work, exit_)
    return [each for job in settled for each in _of_job(systems, job, exit_)]


def _of_job(systems: SystemMap, job: Job, exit_: Exit) -> Iterator[Look]:
    for name in job.systems:
        doomed = [p.place for p in job.places if p.system == name and p.disposition in ("deleted", "absent_verified")]
        if doomed:
            yield _of_system(systems, name, job, exit_, doomed)


def _of_system(systems: SystemMap, name: str, job: Job, exit_: Exit, doomed: list[str]) -> Look:
    seen: list[tuple[str, int]] = []
    try:
        with ground.opened(systems, name, "verify", exit_) as connector:
            inventory = ground.discovered(connector)
            if connector.can_write():
                raise failures.verifier_writes(name)
            there = {each.name for each in inventory.places}
            seen.extend((place, connector.count(place)) for place in doomed if place in there)
            connector.order(inventory)  # raises where something is there that the map says nothing of
    except OphorError as error:
        return Look(name, job.activity, job.job_id, tuple(seen), error.code)
    return Look(name, job.activity, job.job_id, tuple(seen))

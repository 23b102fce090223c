"""Cleaning below the rows of an executed job, place by place (ADR 0011): part of the hand `delete`.

Step by step:
1. the places that lost rows are listed with what the map says for each; what the engine says before is kept, once;
2. a rewrite takes a place from everybody: it waits for the system's window; cleaning beside others' work does not;
3. no cleaning where a hold stands, or (outside production) on what is no marked copy;
4. whatever goes wrong is the place's answer, with its code: the verifier and the certificate wait for nothing here;
5. answer and next step are one commit; after a crash the step is done again, which changes nothing that was done.
"""

from __future__ import annotations

import time
from typing import Any

from contracts.errors import OphorError
from contracts.system_map import CLEAN, System, SystemMap
from services.deletion import domain, store
from services.deletion.domain import Exit, Job, Row
from services.deletion.worker import ground, transaction
from shared.connectors import marker
from shared.connectors.physical import Physical
from shared.connectors.protocol import Connector


def step(work: Any, job: Job, exit_: Exit) -> None:
    """Do the next step of an executed job; raise Later where its system's window is shut."""
    systems = ground.load_map(work, exit_)
    if work.data["step"] == 0:
        job = work.transaction(lambda unit: _listed(unit, job, systems))
    at = domain.uncleaned(job)
    if at < work.data["step"]:
        return
    if at == len(job.physical):
        work.commit(lambda unit: _tell_cleaned(unit, job))
        return
    row, target = job.physical[at], systems.system(job.physical[at]["system"])
    if row["asked"] == "rewrite" and (opens := domain.opens(target.window, work.now)) > work.now:  # 2.
        raise transaction.Later(opens)
    changes = _cleaned(work, job, exit_, systems, at)
    work.commit(lambda unit: _close(unit, job, at, changes))


def send(unit: Any, job: Job, number: int) -> None:
    """Ask for a job's next step of cleaning."""
    unit.send("deletion.delete.clean", {"exit_id": job.exit_id, "job_id": job.job_id, "step": number})


def _listed(unit: Any, before: Job, systems: SystemMap) -> Job:
    job = ground.fresh(unit, before)
    if not job.physical:
        earlier = store.deleted_earlier(store.jobs_of(unit, job.exit_id, job.activity), job)
        asked = {key: systems.system(key[0]).below(key[1]) for key in job.queue}
        job = domain.with_touched(job, earlier, asked)
        store.save_job(unit, job)
    return job


def _cleaned(work: Any, job: Job, exit_: Exit, systems: SystemMap, at: int) -> Row:
    """Clean one place; give what changes in its row."""
    row = job.physical[at]
    try:
        holds = work.read(lambda unit: store.holds_of(unit, job.exit_id))
        domain.require_free(job, [each for each in holds if each.system in (None, row["system"])])  # 3.
        with ground.opened(systems, row["system"], CLEAN, exit_) as connector:
            return _clean(work, job, connector, systems.system(row["system"]), at)
    except OphorError as error:  # 4.
        return {"answer": "ERROR", "reason": error.code}


def _clean(work: Any, job: Job, connector: Connector, target: System, at: int) -> Row:
    row = job.physical[at]
    place, asked = row["place"], row["asked"]
    if not isinstance(connector, Physical):
        return {"answer": "NOT_OFFERED"}
    live = ground.discovered(connector)
    if place not in {each.name for each in live.places}:
        return {"answer": "NOT_OFFERED", "reason": "PLACE_GONE", "remains": ["LOG", "REPLICAS", "DISK"]}
    if work.settings.mode != "production":
        marker.require_fresh(connector, time.time())
    if row["unit"] is None:  # 1.
        seen = connector.stored(place, asked)
        first = {"unit": seen.unit, "before": seen.held, "mark": seen.mark}
        work.transaction(lambda unit: _keep(unit, job, at, first))
    waited = any(each["system"] == row["system"] and each["answer"] == "HELD" for each in job.physical)
    held = connector.clean(place, asked, patient=not waited)
    return {"answer": "HELD" if held else "CLEANED", "reason": held or None}


def _keep(unit: Any, before: Job, at: int, changes: Row) -> None:
    store.save_job(unit, domain.with_row(ground.fresh(unit, before), at, **changes))


def _close(unit: Any, before: Job, at: int, changes: Row) -> None:
    job = domain.with_row(ground.fresh(unit, before), at, **changes)
    store.save_job(unit, job)
    send(unit, job, at + 1)


def _tell_cleaned(unit: Any, before: Job) -> None:
    job = ground.fresh(unit, before).after("clean", waits_until=None)
    store.save_job(unit, job)
    unit.send("deletion.verify.verify", {"exit_id": job.exit_id, "job_id": job.job_id})

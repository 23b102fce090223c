"""The hand `verify`: preview before, verification after, backups observed; never with the deleter's credentials.

Verification, step by step:
1. its own live inventory: everything is mapped, nothing new (evidence.md §5);
2. per place what is left of the customer's, in committed state; per excluded or shared place how much is there;
3. the probes that were found before are searched for, whatever the tenant, and none is found;
4. one answer over all places: DELETED, ABSENT_VERIFIED or ERROR; then the probes' seed is dropped.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from contracts.errors import Rejected
from contracts.system_map import SystemMap
from services.deletion import domain, store
from services.deletion.domain import Backup, Exit, Job, Survey
from services.deletion.worker import ground
from shared.bus.hands import Hand, task
from shared.connectors import failures
from shared.connectors.protocol import Connector

CATALOGUE = "catalogue.json"
CHECKED = ("previewed", "permitted")


class Verify(Hand):
    """Looks, and only looks."""

    service, name = "deletion", "verify"

    @task
    def preview(self, work: Any) -> None:
        """Draw up inventory and plan of a requested job, or stop it with what is wrong."""
        job, exit_ = ground.read_job(work, work.data["job_id"])
        if job.state != "requested":
            return
        try:
            systems, seed = ground.load_map(work, exit_), secrets.token_bytes(32)
            surveys = [_survey(systems, name, exit_, seed) for name in job.systems]
            paces = {name: ground.pace_of(systems, name) for name in job.systems}
            planned = domain.estimated(domain.previewed(job, exit_, surveys, seed), paces, work.now)
        except Rejected as error:
            code, field = error.code, error.field
            work.commit(lambda unit: ground.stop(unit, job.job_id, code, field))
        else:
            work.commit(lambda unit: _tell_preview(unit, job, planned))

    @task
    def check_plan(self, work: Any) -> None:
        """Draw the plan up again because somebody approves it, and stop the job where it would be another one."""
        job, exit_ = ground.read_job(work, work.data["job_id"])
        if job.state not in CHECKED:
            return
        try:
            systems = ground.load_map(work, exit_)
            domain.check_plan(job, exit_, [_survey_again(systems, name, exit_) for name in job.systems])
        except Rejected as error:
            refused = error
            work.commit(lambda unit: _stop_unbegun(unit, job.job_id, refused))

    @task
    def verify(self, work: Any) -> None:
        """Answer for every place of an executed job."""
        job, exit_ = ground.read_job(work, work.data["job_id"])
        if job.state != "executed":
            return
        try:
            systems = ground.load_map(work, exit_)
            counts, found = _look_again(systems, job, exit_)
        except Rejected as error:
            code, field = error.code, error.field
            work.commit(lambda unit: ground.stop(unit, job.job_id, code, field))
        else:
            work.commit(lambda unit: _tell_answer(unit, job, counts, found))

    @task
    def observe_backups(self, work: Any) -> None:
        """Look whether the sets past their last day are really gone; look again tomorrow where not."""
        exit_ = domain.require_exit(work.read(lambda unit: store.load_exit(unit, work.exit_id)))
        systems = ground.load_map(work, exit_)
        due = domain.due(work.read(lambda unit: store.backups_of(unit, exit_.exit_id)), work.today)
        seen = [replace(each, answer=_look_for(systems, each), observed_on=work.today) for each in due]
        with_backups = [system.name for system in systems.systems.values() if system.backups]
        work.commit(lambda unit: _tell_backups(unit, exit_.exit_id, seen, with_backups))


def _survey(systems: SystemMap, name: str, exit_: Exit, seed: bytes) -> Survey:
    with ground.opened(systems, name, "verify", exit_) as connector:
        survey = _look(systems, connector)
        probes = {place: tuple(connector.probes(place, domain.PROBES_PER_PLACE, seed)) for place in survey.order}
        found = sum(connector.find(place, drawn, seed) for place, drawn in probes.items() if drawn)
    return replace(survey, probes=probes, found=found)


def _survey_again(systems: SystemMap, name: str, exit_: Exit) -> Survey:
    with ground.opened(systems, name, "verify", exit_) as connector:
        return _look(systems, connector)


def _look(systems: SystemMap, connector: Connector) -> Survey:
    inventory = ground.discovered(connector)
    if connector.can_write():
        raise failures.verifier_writes(connector.system)
    return ground.surveyed(connector, systems.system(connector.system), inventory, others=True)


def _stop_unbegun(unit: Any, job_id: str, error: Rejected) -> None:
    """Stop a job that somebody approves, unless it has begun meanwhile: then whoever deletes looks itself."""
    job = store.load_job(unit, job_id)
    if job is not None and job.state in CHECKED:
        store.stop_job(unit, job, error.code, error.field)


def _tell_preview(unit: Any, before: Job, planned: Job) -> None:
    ground.fresh(unit, before)
    store.save_job(unit, planned)
    places = [
        {
            "system": each.system, "place": each.place, "disposition": each.disposition, "reason": each.reason,
            "count": each.count,
        }
        for each in planned.places
    ]  # fmt: skip
    total = sum(each.count for each in planned.places if each.disposition == "deleted")
    told = ground.named(planned) | {
        "plan_digest": planned.plan_digest, "inventory_digest": domain.inventory_digest(planned.plan),
        "places": places, "total": total, "on": unit.today,
    }  # fmt: skip
    unit.emit("deletion.deletion_previewed", planned.exit_id, told)


def _look_again(systems: SystemMap, job: Job, exit_: Exit) -> tuple[dict[tuple[str, str], int], int]:
    counts: dict[tuple[str, str], int] = {}
    found = 0
    for name in job.systems:
        with ground.opened(systems, name, "verify", exit_) as connector:
            connector.order(ground.discovered(connector))  # 1.
            for place in (each for each in job.places if each.system == name):
                look = connector.count if place.disposition == "deleted" else connector.total
                counts[name, place.place] = look(place.place)  # 2.
                found += connector.find(place.place, job.probes.get((name, place.place), ()), job.seed)  # 3.
    return counts, found


def _tell_answer(unit: Any, before: Job, counts: dict[tuple[str, str], int], found: int) -> None:
    job = domain.answered(ground.fresh(unit, before), counts)
    answer = domain.result(job, found)  # 4.
    exit_ = domain.require_exit(store.load_exit(unit, job.exit_id))
    earlier = store.deleted_earlier(store.jobs_of(unit, job.exit_id, job.activity), job)
    rows = [domain.row(each, exit_, earlier.get((each.system, each.place), 0)) for each in job.places]
    done = replace(job.after("verify"), seed=b"", probes={})
    store.save_job(unit, done)
    told = ground.named(job) | {
        "plan_digest": job.plan_digest, "places": rows, "probes_drawn": job.probes_drawn,
        "probes_found_before": job.probes_found, "probes_found_after": found, "outside": job.outside,
        "result": answer, "on": unit.today,
    }  # fmt: skip
    unit.emit("deletion.deletion_verified", job.exit_id, told)
    if answer == "ERROR":
        store.save_job(unit, replace(done, state="stopped", stopped_code="VERIFICATION_ERROR"))
        return
    sets = [each for each in store.backups_of(unit, job.exit_id) if each.system in job.systems]
    store.look_later(unit, job.exit_id, sets)


def _look_for(systems: SystemMap, backup: Backup) -> str:
    """Answer PRESENT or GONE only where the folder and its index could be read; else ERROR."""
    system = systems.systems.get(backup.system)
    if system is None or not system.backups:
        return "ERROR"
    folder = Path(system.backups)
    try:
        json.loads((folder / CATALOGUE).read_text(encoding="utf-8"))
        return "PRESENT" if backup.set_id in os.listdir(folder) else "GONE"
    except (OSError, ValueError):
        return "ERROR"


def _tell_backups(unit: Any, exit_id: str, seen: list[Backup], with_backups: list[str]) -> None:
    for each in seen:
        store.save_backup(unit, each)
        told = {"exit_id": exit_id, "system": each.system, "set_id": each.set_id, "answer": each.answer}
        unit.emit("deletion.backup_observed", exit_id, told | {"expires_on": each.expires_on, "on": unit.today})
    if any(each.answer != "GONE" for each in seen):
        tomorrow = unit.today + timedelta(days=1)
        told = {"exit_id": exit_id, "on": tomorrow}
        unit.at(tomorrow, "deletion.backups_look_due", exit_id, told, f"backups/{exit_id}/again")
    _tell_expired(unit, exit_id, with_backups)


def _tell_expired(unit: Any, exit_id: str, with_backups: list[str]) -> None:
    exit_ = domain.require_exit(store.load_exit(unit, exit_id))
    backups = store.backups_of(unit, exit_id)
    deleted = {name for job in store.jobs_of(unit, exit_id) if job.state == "verified" for name in job.systems}
    if exit_.backups_expired or not domain.expired(exit_, backups, deleted, with_backups):
        return
    store.save_exit(unit, replace(exit_, backups_expired=True))
    last = max(each.expires_on for each in backups)
    told = {"exit_id": exit_id, "sets": len(backups), "last_expiry_on": last, "on": unit.today}
    unit.emit("deletion.backups_expired", exit_id, told)

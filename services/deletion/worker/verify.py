"""The hand `verify`: preview before, verification after, backups observed; never with the deleter's credentials.

Verification, step by step:
1. its own live inventory: everything is mapped, nothing new (evidence.md §5);
2. per place what is left of the customer's, in committed state; per excluded or shared place how much is there;
3. the probes that were found before are searched for, whatever the tenant, and none is found;
4. below the rows: what the engines now say of the places that were cleaned (ADR 0011); it changes no answer;
5. one answer over all places: DELETED, ABSENT_VERIFIED or ERROR; then the probes' seed is dropped.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from contracts.errors import Rejected
from contracts.system_map import SystemMap
from services.deletion import asking, domain, returning, store, store_backups
from services.deletion.domain import Exit, Job, Place, Survey, attestation
from services.deletion.worker import backups, below, ground, restores, shredding, whole_place
from shared.bus.hands import Hand, task
from shared.connectors import failures
from shared.connectors.manual import ManualConnector
from shared.connectors.protocol import Connector

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
            wanted = asking.wanted(systems, job.systems)
        except Rejected as error:
            code, field = error.code, error.field
            work.commit(lambda unit: ground.stop(unit, job.job_id, code, field))
        else:
            work.commit(lambda unit: _tell_preview(unit, job, planned, wanted))

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
        if job.state not in ("executed", "cleaned"):
            return
        lines = work.read(lambda unit: store.lines_of(unit, job.exit_id))
        waited = job.exit_id
        if any(_waits(each, lines) for each in job.places):
            work.commit(lambda unit: asking.come_again(unit, waited))
            return
        try:
            systems = ground.load_map(work, exit_)
            job, counts, found = _look_again(systems, job, exit_, lines)
            job = below.look(systems, job, exit_)  # 4.
            looked = backups.at_verification(work, job.exit_id, systems, job.systems)
        except Rejected as error:
            code, field = error.code, error.field
            work.commit(lambda unit: ground.stop(unit, job.job_id, code, field))
        else:
            work.commit(lambda unit: _tell_answer(unit, job, counts, found, looked, restores.every(work)))

    @task
    def ask_attestations(self, work: Any) -> None:
        """Ask for what people must attest of these systems, by the pinned map."""
        exit_ = domain.require_exit(work.read(lambda unit: store.load_exit(unit, work.exit_id)))
        wanted = asking.wanted(ground.load_map(work, exit_), work.data["systems"])
        work.commit(lambda unit: asking.ask(unit, exit_.exit_id, wanted, work.data["due_on"]))

    @task
    def look_again(self, work: Any) -> None:
        """Look whether anything that was deleted has returned, whoever restored it."""
        exit_ = domain.require_exit(work.read(lambda unit: store.load_exit(unit, work.exit_id)))
        handed_over = work.read(lambda unit: returning.handed_over(unit, exit_.exit_id))
        looks, every = restores.look(work, exit_), restores.every(work)
        work.commit(lambda unit: returning.keep(unit, exit_, looks, every, handed_over))

    @task
    def plan_shredding(self, work: Any) -> None:
        """Draw up which backup sets end with their keys."""
        shredding.plan(work)

    @task
    def observe_backups(self, work: Any) -> None:
        """Look whether the sets past their last day are really gone; look again tomorrow where not."""
        exit_ = domain.require_exit(work.read(lambda unit: store.load_exit(unit, work.exit_id)))
        systems = ground.load_map(work, exit_)
        looked, keys = backups.observe(work, exit_.exit_id, systems), shredding.look(work, exit_, systems)
        with_backups = [system.name for system in systems.systems.values() if system.backed_up]
        work.commit(lambda unit: _tell_backups(unit, exit_.exit_id, looked, keys, with_backups))


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


def _tell_preview(unit: Any, before: Job, planned: Job, wanted: list[attestation.Line]) -> None:
    ground.fresh(unit, before)
    asking.ask(unit, before.exit_id, wanted, None)
    store.save_job(unit, planned)
    places = [
        {
            "system": each.system, "place": each.place, "disposition": each.disposition, "reason": each.reason,
            "count": each.count, "unowned": each.unowned, "unowned_reason": each.unowned_reason,
            **({"method": each.whole} if each.whole else {}),
        }
        for each in planned.places
    ]  # fmt: skip
    total = sum(each.count for each in planned.places if each.disposition == "deleted")
    told = ground.named(planned) | {
        "plan_digest": planned.plan_digest, "inventory_digest": domain.inventory_digest(planned.plan),
        "places": places, "total": total, "restore_id": planned.restore_id or None, "on": unit.today,
    }  # fmt: skip
    unit.emit("deletion.deletion_previewed", planned.exit_id, told)


def _waits(place: Place, lines: list[attestation.Line]) -> bool:
    """Tell whether a place is people's, and they have not attested all of it."""
    return place.disposition == "attested" and not attestation.attested(lines, place.system, place.place)


def _left(connector: Connector, place: Place, lines: list[attestation.Line]) -> int:
    """Count what is left; of people's places what the signed document says, and nothing where it is the customer's."""
    if place.disposition == "attested":
        if attestation.stays(lines, place.system, place.place):
            return 0
        assert isinstance(connector, ManualConnector)  # the map gives nothing else to people
        attestation.check_document(lines, place.system, place.place, connector.document(place.place))
        return connector.count(place.place)
    return connector.count(place.place) if place.disposition == "deleted" else connector.total(place.place)


def _look_again(
    systems: SystemMap, job: Job, exit_: Exit, lines: list[attestation.Line]
) -> tuple[Job, dict[tuple[str, str], int], int]:
    """Give the job with the rows that are nobody's as they are now, what is left per place, and the probes found."""
    counts: dict[tuple[str, str], int] = {}
    found = 0
    for name in job.systems:
        with ground.opened(systems, name, "verify", exit_) as connector:
            inventory = ground.discovered(connector)
            connector.order(inventory)  # 1.
            absent = whole_place.absent(systems.system(name), inventory)
            counts |= {(name, place): 0 for place in absent}
            for place in (each for each in job.places if each.system == name and each.place not in absent):
                counts[name, place.place] = _left(connector, place, lines)  # 2.
                if place.unowned_reason:
                    job = job.with_place(replace(place, unowned=connector.unowned(place.place)))
                found += connector.find(place.place, job.probes.get((name, place.place), ()), job.seed)  # 3.
    return job, counts, found


def _tell_answer(
    unit: Any, before: Job, counts: dict[tuple[str, str], int], found: int, looked: backups.Looked, every: int
) -> None:
    now = ground.fresh(unit, before)
    nobody_s = {(each.system, each.place): each.unowned for each in before.places}
    places = tuple(replace(each, unowned=nobody_s[each.system, each.place]) for each in now.places)
    job = replace(domain.answered(replace(now, places=places), counts), physical=before.physical)
    answer = domain.result(job, found)  # 5.
    exit_ = domain.require_exit(store.load_exit(unit, job.exit_id))
    earlier = store.deleted_earlier(store.jobs_of(unit, job.exit_id, job.activity), job)
    rows = [domain.row(each, exit_, earlier.get((each.system, each.place), 0)) for each in job.places]
    done = replace(job.after("verify"), seed=b"", probes={})
    store.save_job(unit, done)
    told = ground.named(job) | {
        "plan_digest": job.plan_digest, "places": rows, "probes_drawn": job.probes_drawn,
        "probes_found_before": job.probes_found, "probes_found_after": found, "outside": job.outside,
        "result": answer, "physical": [domain.told(row) for row in job.physical], "on": unit.today,
    }  # fmt: skip
    unit.emit("deletion.deletion_verified", job.exit_id, told)
    if answer == "ERROR":
        store.save_job(unit, replace(done, state="stopped", stopped_code="VERIFICATION_ERROR"))
        return
    store_backups.note_ended(unit, job.exit_id, job.systems)
    backups.keep(unit, job.exit_id, looked)
    backups.look_later(unit, job.exit_id, job.systems)
    returning.answered(unit, job, every)


def _tell_backups(unit: Any, exit_id: str, looked: backups.Looked, keys: list[Any], with_backups: list[str]) -> None:
    shredding.keep(unit, exit_id, keys)
    backups.keep(unit, exit_id, looked)
    backups.come_again(unit, exit_id, looked)
    _tell_expired(unit, exit_id, with_backups)


def _tell_expired(unit: Any, exit_id: str, with_backups: list[str]) -> None:
    exit_ = domain.require_exit(store.load_exit(unit, exit_id))
    sets = store_backups.backups_of(unit, exit_id)
    deleted = {name for job in store.jobs_of(unit, exit_id) if job.state == "verified" for name in job.systems}
    found = store_backups.findings_of(unit, exit_id)
    if exit_.backups_expired or found or not domain.expired(exit_, sets, deleted, with_backups):
        return
    store.save_exit(unit, replace(exit_, backups_expired=True))
    last = max(each.expires_on for each in sets)
    told = {"exit_id": exit_id, "sets": len(sets), "last_expiry_on": last, "on": unit.today}
    unit.emit("deletion.backups_expired", exit_id, told)

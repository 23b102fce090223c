"""Deletion's own collections: `exits`, `jobs`, `batches` (keys only while a batch is open), `holds`, `backups`,
`paces` (per target, shared by all exits), `attestations` (per exit, a list of lines).

Whoever decides on holds or on beginning takes the exit's turn first (`claim_exit`), so that of two transactions that
decide at once one sees what the other has decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from services.deletion.domain import TRANSITIONS, Backup, Exit, Hold, Job, Override, Place, covers
from services.deletion.domain.attestation import Line, Word
from shared.store.unit import EPOCH, Unit

Row = dict[str, Any]


def load_exit(unit: Unit, exit_id: str) -> Exit:
    """Read an exit; one without any fact where nothing is stored yet."""
    row = unit.db.exits.find_one({"_id": exit_id}, session=unit.session)
    return _exit(row) if row else Exit(exit_id)


def claim_exit(unit: Unit, exit_id: str) -> Exit:
    """Read an exit and take its turn: another transaction that does so meanwhile runs again afterwards."""
    row = unit.db.exits.find_one_and_update({"_id": exit_id}, {"$inc": {"turn": 1}}, session=unit.session)
    return _exit(row) if row else Exit(exit_id)


def save_exit(unit: Unit, exit_: Exit) -> None:
    """Write an exit."""
    delivered = [{"system": s, "place": p, "rows": rows} for (s, p), rows in exit_.delivered.items()]
    row = _fields(exit_, "delivered") | {
        "delivered": delivered, "systems": dict(exit_.systems), "closed": sorted(exit_.closed),
        "due": {activity: list(systems) for activity, systems in exit_.due.items()},
    }  # fmt: skip
    unit.db.exits.update_one({"_id": exit_.exit_id}, {"$set": row}, upsert=True, session=unit.session)


def load_job(unit: Unit, job_id: str) -> Job | None:
    """Read a job."""
    row = unit.db.jobs.find_one({"_id": job_id}, session=unit.session)
    return _job(row) if row else None


def load_job_of(unit: Unit, exit_id: str, job_id: str) -> Job | None:
    """Read a job of this exit, and of no other."""
    job = load_job(unit, job_id)
    return job if job is not None and job.exit_id == exit_id else None


def jobs_of(unit: Unit, exit_id: str, activity: str = "") -> list[Job]:
    """List an exit's jobs, or one activity's, the oldest first."""
    query = {"exit_id": exit_id, **({"activity": activity} if activity else {})}
    return [_job(row) for row in unit.db.jobs.find(query, session=unit.session).sort([("made", 1), ("_id", 1)])]


def save_job(unit: Unit, job: Job) -> None:
    """Write a job; `made` keeps when it was first written."""
    probes = [{"system": s, "place": p, "probes": list(each)} for (s, p), each in job.probes.items()]
    row = _fields(job, "probes", "places") | {
        "places": [asdict(each) for each in job.places], "probes": probes, "queue": [list(each) for each in job.queue],
        "systems": list(job.systems), "work": list(job.work), "physical": list(job.physical),
    }  # fmt: skip
    change = {"$set": row, "$setOnInsert": {"made": unit.now}}
    unit.db.jobs.update_one({"_id": job.job_id}, change, upsert=True, session=unit.session)


def stop_job(unit: Unit, job: Job, code: str, where: str) -> None:
    """Stop a job for good, drop its probes and what a dead worker left open, and tell it; an ended one stays as it is.

    Nobody closes an open batch of a stopped job: its keys go, and its rows are in nobody's hand."""
    if (job.state, "stop") not in TRANSITIONS:
        return
    place = where[:300] or None
    left = {"job_id": job.job_id, "state": {"$ne": "closed"}}
    unit.db.batches.update_many(left, {"$set": {"state": "left"}, "$unset": {"keys": ""}}, session=unit.session)
    save_job(unit, job.after("stop", stopped_code=code, stopped_field=place, seed=b"", probes={}))
    told = {"exit_id": job.exit_id, "activity": job.activity, "job_id": job.job_id, "code": code}
    unit.emit("deletion.deletion_stopped", job.exit_id, told | {"field": place, "on": unit.today})


def load_hold(unit: Unit, exit_id: str, hold_id: str) -> Hold | None:
    """Read one hold of an exit."""
    row = unit.db.holds.find_one({"_id": hold_id, "exit_id": exit_id}, {"_id": 0}, session=unit.session)
    return _hold(row) if row else None


def holds_of(unit: Unit, exit_id: str) -> list[Hold]:
    """List an exit's holds, the lifted ones too."""
    return [_hold(row) for row in unit.db.holds.find({"exit_id": exit_id}, {"_id": 0}, session=unit.session)]


def save_hold(unit: Unit, hold: Hold) -> None:
    """Write a hold."""
    unit.db.holds.replace_one({"_id": hold.hold_id}, asdict(hold), upsert=True, session=unit.session)


def free_at(unit: Unit, target: str) -> datetime:
    """Read when a target is free for more rows."""
    row = unit.db.paces.find_one({"_id": target}, session=unit.session)
    return row["free_at"] if row else EPOCH


def save_free_at(unit: Unit, target: str, at: datetime) -> None:
    """Write when a target is free for more rows."""
    unit.db.paces.update_one({"_id": target}, {"$set": {"free_at": at}}, upsert=True, session=unit.session)


def look_later(unit: Unit, exit_id: str, backups: Iterable[Backup]) -> None:
    """Set a timer for the day after each set's last day, one a date."""
    for on in sorted({each.look_on for each in backups}):
        told = {"exit_id": exit_id, "on": on}
        unit.at(on, "deletion.backups_look_due", exit_id, told, f"backups/{exit_id}/{on}")


def raise_fence(unit: Unit, job: Job) -> Job:
    """Take the next fence of a job: whoever worked on it before can commit nothing any more."""
    fenced = replace(job, fence=job.fence + 1)
    save_job(unit, fenced)
    return fenced


def open_batch(unit: Unit, job: Job, batch: Row) -> None:
    """Keep a batch's intent with its keys before anything is done (number, system, place, keys)."""
    row = {**batch, "_id": _key(job, batch["number"]), "job_id": job.job_id, "state": "open"}
    unit.db.batches.insert_one(row, session=unit.session)


def keep_batches(unit: Unit, job: Job, numbers: Sequence[int]) -> bool:
    """Say that a job's open batches are being kept on the target; False where another worker has the job meanwhile.

    The job is written too: whoever raises its fence at the same time comes before or after, never beside it."""
    mine = {"_id": job.job_id, "fence": job.fence}
    if not unit.db.jobs.update_one(mine, {"$set": {"kept_at": unit.now}}, session=unit.session).matched_count:
        return False
    wanted = {"_id": {"$in": [_key(job, number) for number in numbers]}, "state": "open"}
    unit.db.batches.update_many(wanted, {"$set": {"state": "keeping"}}, session=unit.session)
    return True


def rows_in_hand(unit: Unit, hold: Hold) -> int:
    """Count the rows of batches under a hold that are being kept on their target right now."""
    held = [job.job_id for job in jobs_of(unit, hold.exit_id) if covers(hold, job)]
    wanted = {"job_id": {"$in": held}, "state": "keeping"}
    return sum(row["planned"] for row in unit.db.batches.find(wanted, {"planned": 1}, session=unit.session))


def open_batches(unit: Unit, job: Job, number: int) -> list[Row]:
    """List the batches from `number` on, which their worker left open."""
    wanted = {"job_id": job.job_id, "number": {"$gte": number}}
    return list(unit.db.batches.find(wanted, session=unit.session).sort("number", 1))


def close_batch(unit: Unit, job: Job, number: int, deleted: int) -> None:
    """Close a batch: the count stays, the keys go."""
    change = {"$set": {"state": "closed", "deleted": deleted}, "$unset": {"keys": ""}}
    unit.db.batches.update_one({"_id": _key(job, number)}, change, session=unit.session)


def lines_of(unit: Unit, exit_id: str) -> list[Line]:
    """List what must be attested of an exit, the answered lines too."""
    row = unit.db.attestations.find_one({"_id": exit_id}, session=unit.session)
    return [_line(each) for each in row["lines"]] if row else []


def save_lines(unit: Unit, exit_id: str, lines: Iterable[Line]) -> None:
    """Write what must be attested of an exit."""
    row = {"lines": [_dated(asdict(line)) for line in lines]}
    unit.db.attestations.update_one({"_id": exit_id}, {"$set": row}, upsert=True, session=unit.session)


def deleted_earlier(jobs: Sequence[Job], job: Job) -> Mapping[tuple[str, str], int]:
    """Add up per place what the activity's stopped jobs had deleted."""
    sums: dict[tuple[str, str], int] = {}
    for other in jobs:
        if (other.activity, other.state) == (job.activity, "stopped") and other.job_id != job.job_id:
            for place in other.places:
                sums[place.system, place.place] = sums.get((place.system, place.place), 0) + place.deleted
    return sums


def _key(job: Job, number: int) -> str:
    return f"{job.job_id}/{number}"


def _fields(value: Any, *without: str) -> Row:
    names = type(value).__dataclass_fields__
    return {name: getattr(value, name) for name in names if name not in without}


def _exit(row: Row) -> Exit:
    known = {name: row[name] for name in Exit.__dataclass_fields__ if name in row}
    known |= {
        "delivered": {(each["system"], each["place"]): each["rows"] for each in row["delivered"]},
        "due": {activity: tuple(systems) for activity, systems in row["due"].items()},
        "closed": frozenset(row["closed"]),
    }
    return Exit(**known)


def _hold(row: Row) -> Hold:
    asked = row.get("override")
    return Hold(**(row | {"override": Override(**asked) if asked else None}))


def _job(row: Row) -> Job:
    known = {name: row[name] for name in Job.__dataclass_fields__ if name in row}
    known |= {
        "systems": tuple(row["systems"]),
        "work": tuple(row.get("work", ())),
        "physical": tuple(row.get("physical", ())),
        "places": tuple(Place(**each) for each in row["places"]),
        "queue": tuple((system, place) for system, place in row["queue"]),
        "probes": {(each["system"], each["place"]): tuple(each["probes"]) for each in row["probes"]},
    }
    return Job(**known)


def _dated(row: Row) -> Row:
    """Write dates as text: the database has instants only."""
    word = row["word"] and row["word"] | {"done_on": row["word"]["done_on"].isoformat()}
    return row | {"due_on": row["due_on"].isoformat() if row["due_on"] else None, "word": word}


def _line(row: Row) -> Line:
    word = row["word"]
    given = Word(**(word | {"done_on": date.fromisoformat(word["done_on"])})) if word else None
    return Line(**(row | {"due_on": date.fromisoformat(row["due_on"]) if row["due_on"] else None, "word": given}))

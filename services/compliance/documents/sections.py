"""The sections of a statement that follow from the log alone: no names, no titles, no keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from services.compliance.evidence import Logged
from services.compliance.facts import Facts, Job, shredded


def software() -> str:
    """Name the tool and its version."""
    try:
        return f"Ophør {version('ophor')}"
    except PackageNotFoundError:
        return "Ophør (uninstalled)"


def jobs_of(facts: Facts, activities: Iterable[str]) -> list[Job]:
    """List the latest job of each of these deletions."""
    return [job for job in (facts.job(activity) for activity in sorted(activities)) if job]


def subjects(facts: Facts, activities: Iterable[str]) -> list[dict[str, Any]]:
    """Name what the statement is about: each deletion's approved inventory."""
    return [
        {"name": f"{facts.exit_id}/{job.activity}", "digest": {"sha256": job.previewed.entry["inventory_digest"]}}
        for job in jobs_of(facts, activities)
        if job.previewed
    ]


def places_of(job: Job) -> list[dict[str, Any]]:
    """List the verifier's answers for a job's places."""
    return list(job.verified.entry["places"]) if job.verified else []


def physical_of(job: Job, system: str) -> dict[str, list[dict[str, Any]]]:
    """List what was done below the rows of a system's places and seen there (no NIST class follows from it).

    Nothing at all where the log's answer is from before anybody looked there.
    """
    assert job.verified
    rows = job.verified.entry.get("physical")
    return {} if rows is None else {"physical": [row for row in rows if row["system"] == system]}


def verification_of(job: Job) -> dict[str, Any]:
    """Tell how and with what result a job was verified."""
    assert job.verified
    names = ("result", "on", "probes_drawn", "probes_found_before", "probes_found_after", "outside")
    return {
        **{name: job.verified.entry[name] for name in names},
        "method": "counted again by another process with credentials that can only read",
        "evidence": job.verified.index,
    }


def earlier_job(job: Job, system: str) -> dict[str, Any]:
    """Tell what an earlier job had deleted in a system: one that was stopped, or whose rows came back."""
    rows = [one for one in job.batches if one.entry["system"] == system]
    return {
        "job_id": job.job_id,
        "stopped": job.stopped.entry["code"] if job.stopped else None,
        "deleted": sum(one.entry["deleted"] for one in rows),
        "evidence": [one.index for one in job.entries()],
    }


def retained(facts: Facts, activities: Iterable[str]) -> list[dict[str, Any]]:
    """List what is kept, and on what basis."""
    lines = [line for job in jobs_of(facts, activities) for line in places_of(job)]
    return [
        {"system": one["system"], "place": one["place"], "rows": one["retained"], "basis": one["reason"]}
        for one in lines
        if one["disposition"] in ("excluded", "suspended")
    ]


def backups(facts: Facts) -> list[dict[str, Any]]:
    """List every registered backup set and what was last seen of it."""
    rows = []
    for (system, set_id), backup in sorted(facts.backups.items()):
        seen = backup.latest
        rows.append(
            {
                "system": system,
                "set_id": set_id,
                "taken_on": backup.registered.entry["taken_on"],
                "expires_on": backup.registered.entry["expires_on"],
                "answer": seen.entry["answer"] if seen else "NOT_LOOKED",
                "observed_on": seen.entry["on"] if seen else None,
                "evidence": [backup.registered.index, *([seen.index] if seen else [])],
                **_key(facts, (system, set_id), seen),
            }
        )
    return rows


def _key(facts: Facts, key: tuple[str, str], seen: Logged | None) -> dict[str, Any]:
    """Tell of the key with which a set ended: which, destroyed when, in how many copies; nothing of other sets."""
    chain = shredded.chain(facts, key) if seen and seen.entry["answer"] == shredded.KEY_DESTROYED else None
    if chain is None or chain.seen is None or chain.asked is None:
        return {}
    seen_now = chain.seen.entry
    return {
        "key": {
            "key_id": seen_now["key_id"], "key_destroyed_on": seen_now["on"], "asked_on": chain.asked.entry["on"],
            "copies": seen_now["copies"], "evidence": [one.index for one in chain.steps() if one],
        }
    }  # fmt: skip


def access(facts: Facts) -> dict[str, Any]:
    """Tell what is closed, and what was attested."""
    manual = {line["system"] for line in facts.systems if line["kind"] == "manual"}
    return {
        "systems": [
            {**line, "attested": line["system"] in manual, "evidence": logged.index}
            for logged, line in facts.access.values()
        ],
        "attested": [
            {**{name: one.entry[name] for name in ("activity", "kind", "digest", "role", "on")}, "evidence": one.index}
            for one in facts.attested
        ],
    }


def suspended(facts: Facts, activities: Iterable[str], on: date) -> list[dict[str, Any]]:
    """List what an option suspends and no certificate calls deleted: whole systems until a day, and single places."""
    systems = [
        {"system": one.system, "place": None, "reason": one.reason, "until": one.until.isoformat()}
        for one in facts.suspensions(on).values()
    ]
    lines = [line for job in jobs_of(facts, activities) for line in places_of(job)]
    return systems + [
        {"system": one["system"], "place": one["place"], "reason": one["reason"], "until": None}
        for one in lines
        if one["disposition"] == "suspended"
    ]


def scope_lines(facts: Facts, scopes: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    """Give each scope with its own dates: the last verification, and the last day for its backups (T16)."""
    return [
        {
            "activity": activity,
            "systems": systems,
            "deleted_on": _iso(facts.deleted_on([activity])),
            "backups_due": _iso(facts.backups_due([activity])),
        }
        for activity, systems in scopes.items()
    ]


def attempts(facts: Facts, activities: Iterable[str]) -> list[dict[str, Any]]:
    """List what jobs of these deletions tried to change beyond the scope: each rolled back, and the job stopped."""
    return [
        {
            **{name: one.entry[name] for name in ("activity", "job_id", "system", "place")},
            "undone": one.entry["undone"],
            "kept": one.entry["outside"],
            "stopped": job.stopped.entry["code"] if job.stopped else None,
            "evidence": one.index,
        }
        for activity in sorted(activities)
        for job in facts.earlier(activity)
        for one in job.batches
        if one.entry.get("undone", 0)
    ]


def unowned(facts: Facts, activities: Iterable[str]) -> list[dict[str, Any]]:
    """List the rows that no tenant is found for: where, how many, and what the map says that they are."""
    lines = [line for job in jobs_of(facts, activities) for line in places_of(job)]
    return [
        {"system": one["system"], "place": one["place"], "rows": one["unowned"], "reason": one["unowned_reason"]}
        for one in lines
        if one.get("unowned", 0)
    ]


def holds(facts: Facts) -> list[dict[str, Any]]:
    """List every hold with its basis, and when it was lifted."""
    rows = []
    for name, placed in sorted(facts.holds.items()):
        lifted = facts.lifted.get(name)
        rows.append(
            {
                **{key: placed.entry[key] for key in ("hold_id", "system", "basis", "digest")},
                "placed_on": placed.entry["on"],
                "lifted_on": lifted.entry["on"] if lifted else None,
                "evidence": [placed.index, *([lifted.index] if lifted else [])],
            }
        )
    return rows


def _iso(on: date | None) -> str | None:
    return on.isoformat() if on else None


def archive_line(index: int, entry: dict[str, Any]) -> dict[str, Any]:
    """Give one decision of the archive."""
    return {**entry, "evidence": index}

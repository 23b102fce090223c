"""What the log says of restores: what returned, what was deleted again, where it came from. Pure.

Rules kept here (T16, ADR 0015):
1. Rows that returned are open until an entry says that they were deleted again, by a job that was verified after them.
2. What nobody announced came from a copy that nobody named: until somebody names it, no deletion is called permanent.
3. A certificate of deletion that was issued before its rows returned does not count beside what came after.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from services.compliance.evidence import Logged
from services.compliance.facts import Facts
from services.compliance.facts.reissues import by_number

WITHDRAWN_STAGES = ("ACTIVE-DELETED", "BACKUP-EXPIRED", "RE-DELETION")


def found_in(facts: Facts, activities: Collection[str]) -> list[Logged]:
    """List what returned of these deletions, in the log's order."""
    return [one for one in facts.found if one.entry["activity"] in activities]


def unnamed(facts: Facts, activities: Collection[str]) -> list[Logged]:
    """List what returned from a copy that nobody has named since (rule 2)."""
    named = {one.entry["system"] for one in facts.announced}
    return [one for one in found_in(facts, activities)
            if one.entry["cause"] != "ANNOUNCED" and one.entry["system"] not in named]  # fmt: skip


def still_counting(facts: Facts, activity: str) -> list[Logged]:
    """List certificates of a deletion that were issued before its rows returned, and were not withdrawn (rule 3)."""
    last = max((one.index for one in found_in(facts, [activity])), default=-1)
    return [one for one in _of_deletion(facts.certificates, activity)
            if one.index < last and one.entry["statement_digest"] not in _withdrawn(facts)]  # fmt: skip


def withdrawn(facts: Facts, activities: Collection[str]) -> list[dict[str, Any]]:
    """List the certificates of these deletions that were withdrawn."""
    there = {one.index: one for activity in activities for one in _of_deletion(facts.certificates, activity)}
    reasons = {one.entry["statement_digest"]: one for one in facts.revoked}
    mine = [(one, reasons[one.entry["statement_digest"]]) for _, one in sorted(there.items())
            if one.entry["statement_digest"] in reasons]  # fmt: skip
    names = ("number", "version", "statement_digest")
    return [{**{name: one.entry[name] for name in names}, "reason": told.entry["reason"], "on": told.entry["on"],
             "evidence": [one.index, told.index]} for one, told in mine]  # fmt: skip


def rows(facts: Facts, activities: Collection[str]) -> list[dict[str, Any]]:
    """Write what returned and what became of it."""
    announced = {one.entry["restore_id"]: one for one in facts.announced}
    written = []
    for one in found_in(facts, activities):
        told, replay = announced.get(one.entry["restore_id"]), facts.replay_of(one)
        names = ("restore_id", "system", "activity", "cause", "after_job", "rows")
        written.append({
            **{name: one.entry[name] for name in names},
            "set_id": told.entry["set_id"] if told else None,
            "announced_on": told.entry["on"] if told else None,
            "found_on": one.entry["on"],
            "job_id": replay.entry["job_id"] if replay else None,
            "deleted": replay.entry["deleted"] if replay else 0,
            "replayed_on": replay.entry["on"] if replay else None,
            "evidence": [each.index for each in (told, one, replay) if each],
        })  # fmt: skip
    return written


def looks(facts: Facts, activities: Collection[str]) -> dict[str, Any]:
    """Count how often the verifier looked again into these deletions' systems, and what it saw last."""
    seen = [(one, line) for one in facts.looked for line in one.entry["systems"] if line["activity"] in activities]
    last = {line["system"]: {"system": line["system"], "answer": line["answer"], "on": one.entry["on"],
                             "evidence": one.index} for one, line in seen}  # fmt: skip
    return {"count": len({one.index for one, _ in seen}), "last": [last[name] for name in sorted(last)]}


def _of_deletion(issued: Iterable[Logged], activity: str) -> list[Logged]:
    """Give what was issued of a deletion, corrections with the stage of their first version."""
    return [one for versions in by_number(issued).values() if versions[0].entry["stage"] in WITHDRAWN_STAGES
            for one in versions if activity in one.entry["activities"]]  # fmt: skip


def _withdrawn(facts: Facts) -> set[str]:
    """Name what does not count: withdrawn, or superseded by a later version."""
    superseded = {one.entry["statement_digest"] for versions in by_number(facts.certificates).values()
                  for one in versions[:-1]}  # fmt: skip
    return superseded | {one.entry["statement_digest"] for one in facts.revoked}

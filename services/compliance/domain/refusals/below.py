"""Reasons below the rows (ADR 0011): an answer for each place that lost rows, and none that promises too much."""

from __future__ import annotations

from collections.abc import Iterator

from services.compliance.domain.refusals.base import Refusal, place_named
from services.compliance.facts import Facts, Job

SEEN = ("CLEANED", "HELD")
NEVER_CLEANED = ("mongodb", "manual")


def of_below(facts: Facts, activity: str, job: Job) -> Iterator[Refusal]:
    """Tell what the verifier's answer leaves out below the rows, or claims there without showing it."""
    if job.verified is None or "physical" not in job.verified.entry:  # logged before there was such an answer
        return
    rows = job.verified.entry["physical"]
    told = [(one["system"], one["place"]) for one in rows]
    for key in sorted(_lost(facts, activity, job) - set(told)):
        yield Refusal("BELOW_UNTOLD", f"{place_named(key)}: lost rows, and nothing is said of what lies below them")
    known = {(one["system"], one["place"]) for one in job.verified.entry["places"]}
    for key in sorted({one for one in told if told.count(one) > 1 or one not in known}):
        yield Refusal("BELOW_WRONG", f"{place_named(key)}: answered below the rows twice, or no place of the inventory")
    kinds = {one["system"]: one["kind"] for one in facts.systems}
    for row in rows:
        shown = None not in (row["unit"], row["before"], row["after"]) and row["remains"]
        over = row["answer"] == "CLEANED" and kinds.get(row["system"]) in NEVER_CLEANED
        if row["answer"] in SEEN and (over or not shown):
            where = place_named((row["system"], row["place"]))
            yield Refusal("BELOW_WRONG", f"{where}: called cleaned without figures, remains or an engine that can")


def _lost(facts: Facts, activity: str, job: Job) -> set[tuple[str, str]]:
    """Name the places that lost rows: to this job, or to an earlier one and looked at again by this."""
    assert job.verified
    lines = job.verified.entry["places"]
    earlier = {
        (one.entry["system"], one.entry["place"])
        for each in facts.earlier(activity)
        for one in each.batches
        if one.entry["deleted"]
    }
    there = {(one["system"], one["place"]) for one in lines if one["disposition"] == "deleted"}
    return {(one["system"], one["place"]) for one in lines if one["deleted"]} | (earlier & there)

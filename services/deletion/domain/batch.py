"""What one batch may do: within the band, nothing outside, and counts that add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from contracts.errors import Rejected
from services.deletion.domain.job import Job, Place

STALLED_AT_MOST = 3
SAMPLE_EVERY = 10


def check_band(place: Place, more: int) -> None:
    """Refuse when deleting `more` rows would go beyond what was approved for the place."""
    if place.deleted + more > place.most:
        raise Rejected(
            "COUNT_EXCEEDS_PREVIEW", f"{place.system}: {place.place} has more rows than the preview allows",
            field=f"systems.{place.system}.places.{place.place}", remedy="preview and approve anew",
            da=f"{place.place} har flere rækker end forhåndsvisningen tillader.",
        )  # fmt: skip


def sampled(number: int, keys: int, size: int, deleted: int) -> bool:
    """Tell whether a batch compares the neighbours' counts: a place's first and last, and every tenth."""
    return deleted == 0 or keys < size or number % SAMPLE_EVERY == 0


def outside(ours: Mapping[str, int], effects: Mapping[str, int], lost: Mapping[str, int]) -> dict[str, int]:
    """Count per place what happened beyond our own statements; `lost`: neighbours' rows gone in the snapshot."""
    counted = {place: abs(effects.get(place, 0) - ours.get(place, 0)) for place in effects.keys() | ours.keys()}
    found = {place: max(counted.get(place, 0), lost.get(place, 0)) for place in counted.keys() | lost.keys()}
    return {place: count for place, count in sorted(found.items()) if count > 0}


def closed(job: Job, system: str, place: str, *, planned: int, present: int, outside_rows: int) -> Job:
    """Close a batch: deleted = planned − still present, added to what was; count batches that moved nothing."""
    done, before = planned - present, job.place(system, place)
    changed = job.with_place(replace(before, deleted=before.deleted + done))
    stalled = 0 if done else job.stalled + 1
    return replace(changed, batches=job.batches + 1, stalled=stalled, outside=job.outside + outside_rows)

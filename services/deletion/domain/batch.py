"""What one batch may do: within the band, nothing outside, and counts that add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from contracts.errors import Rejected
from services.deletion.domain.job import Job, Place

STALLED_AT_MOST = 3


def check_band(place: Place, more: int) -> None:
    """Refuse when deleting `more` rows would go beyond what was approved for the place."""
    if place.deleted + more > place.most:
        raise Rejected(
            "COUNT_EXCEEDS_PREVIEW", f"{place.system}: {place.place} has more rows than the preview allows",
            field=f"systems.{place.system}.places.{place.place}", remedy="preview and approve anew",
            da=f"{place.place} har flere rækker end forhåndsvisningen tillader.",
        )  # fmt: skip


def check_started(place: Place, count: int) -> None:
    """Refuse a place that has more rows than the approved band, or fewer: somebody else has deleted there."""
    check_band(replace(place, deleted=0), count)
    if count < place.least:
        raise Rejected(
            "COUNT_BELOW_PREVIEW", f"{place.system}: {place.place} has fewer rows than the preview allows",
            field=f"systems.{place.system}.places.{place.place}",
            remedy="find out who deleted them, then preview and approve anew",
            da=f"{place.place} har færre rækker end forhåndsvisningen tillader: andre har slettet.",
        )  # fmt: skip


def sampled(deleted: int, keys: int, *, last: bool) -> bool:
    """Tell whether a batch of a place compares the neighbours' counts: the first, the last and a sample (evidence §5c).

    A comparison reads every neighbour's row, so a fixed share of the batches would cost the square of the rows. The
    sample is each batch in which `deleted` + `keys` passes a power of four: closer the fewer rows are gone, at most a
    dozen at 10 million. The engine's own count of effects is compared in every batch.
    """
    return deleted == 0 or last or _fours(deleted) < _fours(deleted + keys)


def _fours(rows: int) -> int:
    """Give how many digits a number has to the base of four."""
    return (rows.bit_length() + 1) // 2


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

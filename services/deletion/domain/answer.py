"""The verifier's answer: sums, classes of rows, and one result over all places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from services.deletion.domain.job import Exit, Job, Place, Row


def answered(job: Job, residuals: Mapping[tuple[str, str], int]) -> Job:
    """Take in what the verifier counted: rows left of the tenant's, or all rows of what is not deleted."""
    places = []
    for each in job.places:
        count = residuals[each.system, each.place]
        if each.disposition == "deleted":
            gone = not (each.deleted or each.started or count)
            each = replace(each, residual=count, retained=0, disposition="absent_verified" if gone else "deleted")
        elif each.disposition == "attested":
            each = replace(each, residual=count)
        else:
            each = replace(each, residual=0, retained=count)
        places.append(each)
    return replace(job, places=tuple(places))


def result(job: Job, probes_found_after: int) -> str:
    """Give the verifier's one answer over all places: DELETED, ABSENT_VERIFIED or ERROR (evidence.md §1.5)."""
    wrong = any(each.residual or not _sum_is_true(each) for each in job.places)
    shrunk = any(each.reason == "SHARED_CODE" and (each.retained or 0) < each.count for each in job.places)
    if wrong or shrunk or probes_found_after or job.outside:
        return "ERROR"
    acted = any(each.deleted or each.disposition == "attested" for each in job.places)  # people's word is no look
    return "DELETED" if acted else "ABSENT_VERIFIED"


def _sum_is_true(place: Place) -> bool:
    row = _counts(place)
    return bool(row["before"] + row["arrived"] == row["deleted"] + row["retained"] + row["residual"])


def _counts(place: Place) -> Row:
    residual = place.residual or 0
    if place.disposition in ("deleted", "absent_verified"):
        before = place.count if place.started is None else place.started
        arrived = max(0, place.deleted + residual - before) if place.residual is not None else 0
        return {"before": before, "deleted": place.deleted, "arrived": arrived, "retained": 0, "residual": residual}
    if place.disposition == "attested":  # no count of ours; what is said to be left is
        return {"before": residual, "deleted": 0, "arrived": 0, "retained": 0, "residual": residual}
    kept = place.count if place.retained is None else place.retained
    return {"before": kept, "deleted": 0, "arrived": 0, "retained": kept, "residual": residual}


def row(place: Place, exit_: Exit, earlier: int = 0) -> Row:
    """Give a place's row for the wire; `earlier`: rows that the activity's stopped jobs had deleted there already."""
    delivered = exit_.delivered.get((place.system, place.place))
    return {
        "system": place.system, "place": place.place, "disposition": place.disposition, "reason": place.reason,
        **_counts(place), "delivered": delivered or 0,
        "row_class": row_class(place, delivered, place.deleted + earlier),
        "unowned": place.unowned, "unowned_reason": place.unowned_reason,
    } | ({"method": place.whole} if place.whole and place.deleted else {})  # fmt: skip


def row_class(place: Place, delivered: int | None, deleted: int) -> str | None:
    """Reconcile delivered with deleted (evidence.md §1.9); None = unclassified, which blocks where there are rows."""
    if place.disposition not in ("deleted", "absent_verified"):
        return "delivered_not_deleted" if delivered else None
    if not place.deliver:
        return "deleted_not_delivered"
    if delivered is None:
        return None
    return "both" if delivered == deleted else "changed_after_extract"

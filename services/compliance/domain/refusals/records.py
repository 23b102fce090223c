"""Reasons about proof for single records: our keys and commitments are destroyed before a certificate (evidence §1.6).

A deletion whose batches have no root has made no commitments, and nothing is asked of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from services.compliance.domain.refusals.base import Refusal
from services.compliance.facts import Facts


def of_records(facts: Facts, activity: str) -> Iterator[Refusal]:
    """Tell where commitments may still lie with us, were not sealed for the customer, or are not all of them."""
    jobs = [one for one in facts.jobs.values() if one.activity == activity]
    rooted = [batch for job in jobs for batch in job.batches if batch.entry.get("records_root")]
    if not rooted:
        return
    sealed = {one.entry["file_digest"]: one for one in facts.records_sealed}
    gone = [one for one in facts.records_destroyed if one.entry["activity"] == activity]
    last = max(batch.index for batch in rooted)
    if not gone or gone[-1].index < last:
        yield Refusal("RECORD_KEYS_KEPT", f"{activity}: keys and commitments of its records are not destroyed")
        return
    for one in gone:
        told = sealed.get(one.entry["file_digest"])
        if told is None or told.index > one.index:
            yield Refusal("RECORDS_NOT_SEALED", f"{activity}: commitments were destroyed before the customer had them")
    records, batches = (sum(one.entry[name] for one in gone) for name in ("records", "batches"))
    if (records, batches) != (sum(batch.entry["deleted"] for batch in rooted), len(rooted)):
        yield Refusal("RECORDS_DIFFER", f"{activity}: not as many commitments were destroyed as were made")

"""Which engines take back all that a transaction did, so that what was beyond our own statements is no change."""

from __future__ import annotations

from services.deletion.domain.job import Job

UNDOING = ("postgresql", "sqlite", "mongodb")


def undoes(job: Job, system: str) -> bool:
    """Tell whether everything goes when a transaction in a system is rolled back; else what was beyond may stay.

    MariaDB may hold tables without transactions, and files and queues have none.
    """
    kinds = {each["system"]: each["kind"] for each in job.plan.get("systems", ())}
    return kinds.get(system) in UNDOING

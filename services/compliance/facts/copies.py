"""What the log says of our own copies of the customer's data: rows of the inventory with the deadline K+15. Pure.

Rules kept here (S2 3.2, 28.1; evidence.md §5):
1. What was handed over lay with us; it is gone only where the owner of the copies has looked for each since the last
   package and the first deletion, and none is left.
2. A deletion of live systems cannot be certified before that; the index alone can, for nothing of it was handed over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any

from contracts.delivery_copies import LEFT
from services.compliance.evidence import Logged
from services.compliance.facts import INDEX, Facts

DAYS = timedelta(days=15)


def looked(facts: Facts) -> Logged | None:
    """Give the last look for our own copies."""
    return next((one for one in reversed(facts.entries) if one.kind == "OWN_COPIES_LOOKED"), None)


def wrong(facts: Facts, activities: Collection[str]) -> Iterator[str]:
    """Tell which copy of ours is left, or that nobody has looked (rules 1 and 2)."""
    if facts.delivered is None or not set(activities) - {INDEX}:
        return
    last = looked(facts)
    if last is None or last.index < facts.delivered.index:
        yield "nobody has looked for our own copies of what was delivered"
        return
    for row in last.entry["rows"]:
        if row["answer"] in LEFT:
            yield f"{row['kind']} {row['name']} is {row['answer']}"
    packages = {row["name"] for row in last.entry["rows"] if row["kind"] == "PACKAGE"}
    if facts.delivered.entry["package_id"] not in packages:
        yield "the last package was not looked for"


def section(facts: Facts) -> dict[str, Any] | None:
    """Write the rows as they were last looked for, with their deadline; None where nothing was handed over."""
    last, end = looked(facts), facts.agreement_end()
    if facts.delivered is None:
        return None
    return {
        "due": (end + DAYS).isoformat() if end else None, "rows": last.entry["rows"] if last else [],
        "looked_on": last.entry["on"] if last else None, "evidence": [last.index] if last else [],
    }  # fmt: skip

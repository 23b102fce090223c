"""What a certificate can do without: kinds of entries that no fact, refusal or check reads (evidence.md §1.7).

Where another was forgotten, what the log says of the exit may be wrong without it, so the certificate is refused. The
verifier has the same list of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from services.compliance.domain.refusals.base import Refusal
from services.compliance.facts import Facts

REDACTED, ENDED = "REDACTED", "RETENTION_ENDED"
KEPT = (REDACTED, ENDED)
SPARE = frozenset(
    {"APPROVAL_EXPIRED", "BILLING_RUN_RECORDED", "CONTACT_NAMED", "EQUIPMENT_LISTED", "MEETING_HELD", "REMINDER_DUE"}
)


def of_forgotten(facts: Facts) -> Iterator[Refusal]:
    """Tell what was forgotten that a certificate needs."""
    for one in facts.forgotten:
        if one.kind == ENDED:
            yield Refusal("EVIDENCE_ENDED", "the retention of this exit's evidence has ended")
        elif one.entry["was"] not in SPARE:
            yield Refusal("EVIDENCE_REDACTED", f"entry {one.entry['index']} ({one.entry['was']}) was forgotten")

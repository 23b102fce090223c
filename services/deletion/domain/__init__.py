"""What deletion decides: a job's states, its plan and digest, what a batch may have done, and the verifier's answer.

Rules kept here:
1. A job is named by what it guarantees: requested → previewed → permitted → executing → executed → verified, and
   stopped from anywhere before the end; what the table lacks is refused.
2. The plan digest covers schema fingerprints, predicates, order, dispositions, count bands, map and probes' draw.
3. Only a permit for exactly this digest, in force, of two people in two roles, lets a job begin (evidence.md §1.2).
4. Whatever the engine counted beyond our own statements, or a neighbour lost in the snapshot, is outside the scope.
5. Sums are true or the answer is ERROR: before + arrived = deleted + retained + residual (evidence.md §1.9).
"""

from services.deletion.domain.answer import answered, result, row, row_class
from services.deletion.domain.backup import Backup, due, expired, register_backup
from services.deletion.domain.batch import STALLED_AT_MOST, check_band, closed, outside, sampled
from services.deletion.domain.job import (
    AFTER_CLOSING,
    JOB_ACTIVITIES,
    SCOPES,
    TRANSITIONS,
    Exit,
    Job,
    Place,
    Survey,
    due_systems,
    next_job,
    not_closed,
    require_exit,
    scope,
)  # fmt: skip
from services.deletion.domain.plan import (
    PROBES_PER_PLACE,
    canonical_digest,
    check_permit,
    check_schema,
    inventory_digest,
    most,
    previewed,
)  # fmt: skip

__all__ = [
    "AFTER_CLOSING", "JOB_ACTIVITIES", "PROBES_PER_PLACE", "SCOPES", "STALLED_AT_MOST", "TRANSITIONS", "Backup", "Exit",
    "Job", "Place", "Survey", "answered", "canonical_digest", "check_band", "check_permit", "check_schema", "closed",
    "due",
    "due_systems", "expired", "inventory_digest", "most", "next_job", "not_closed", "outside", "previewed",
    "register_backup", "require_exit", "result", "row", "row_class", "sampled", "scope",
]  # fmt: skip

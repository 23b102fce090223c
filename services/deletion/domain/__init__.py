"""What deletion decides: a job's states, its plan and digest, what a batch may have done, and the verifier's answer.

Rules kept here:
1. A job is named by what it guarantees: requested → previewed → permitted → executing → executed → cleaned →
   verified, stopped from anywhere before the end, cancelled only before it begins; what the table lacks is refused.
2. The plan digest covers schema fingerprints, predicates, order, dispositions, count bands, map and probes' draw.
3. Only a permit for exactly this digest, in force, of two people in two roles, lets a job begin (evidence.md §1.2).
4. Whatever the engine counted beyond our own statements, or a neighbour lost in the snapshot, is outside the scope.
5. Sums are true or the answer is ERROR: before + arrived = deleted + retained + residual (evidence.md §1.9).
6. While a hold stands on one of a job's systems, the job neither begins nor goes on.
7. The plan is drawn up again when somebody approves it and when it begins, its schema before each batch: what would not
   give the approved digest again, or goes beyond a band, stops the job. Approvals stand for `APPROVAL_DAYS`.
8. A batch waits for its target's window and pace, and for whoever paused the job.
9. A place in which people act is answered for only when each of its lines is attested, and never counted by us.
"""

from services.deletion.domain.answer import answered, result, row, row_class
from services.deletion.domain.backup import Backup, due, expired, register_backup
from services.deletion.domain.batch import STALLED_AT_MOST, check_band, check_started, closed, outside, sampled
from services.deletion.domain.hold import (
    HOLD_STATES,
    OVERRIDES,
    Hold,
    Override,
    covers,
    lift,
    override,
    place,
    require_free,
)
from services.deletion.domain.job import TRANSITIONS, Exit, Job, Place, Row, Survey, require_exit, with_delivered
from services.deletion.domain.pace import Pace, ends, estimated, free_after, opens, rows_at_once, target_of, work_of
from services.deletion.domain.pause import pause, paused_too_long, resume
from services.deletion.domain.physical import not_seen, seen, told, uncleaned, with_row, with_rows, with_touched
from services.deletion.domain.plan import (
    ABSENT,
    PROBES_PER_PLACE,
    approval_expired,
    canonical_digest,
    check_approvals,
    check_permit,
    check_plan,
    check_schema,
    inventory_digest,
    least,
    most,
    previewed,
)  # fmt: skip
from services.deletion.domain.request import (
    ALREADY_BEGUN,
    CANCELLED,
    cancelled,
    hindrance,
    outdated,
    take_due,
    with_closed,
    with_due,
)  # fmt: skip

__all__ = [
    "ABSENT", "ALREADY_BEGUN", "CANCELLED", "HOLD_STATES", "OVERRIDES", "PROBES_PER_PLACE", "STALLED_AT_MOST",
    "TRANSITIONS", "Backup", "Exit", "Hold", "Job", "Override", "Pace", "Place", "Row", "Survey", "answered",
    "approval_expired", "cancelled", "canonical_digest", "check_approvals", "check_band", "check_permit", "check_plan",
    "check_schema", "check_started", "closed", "covers", "due", "ends", "estimated", "expired", "free_after",
    "hindrance", "inventory_digest", "least", "lift", "most", "not_seen", "opens", "outdated", "outside", "override",
    "pause", "paused_too_long", "place", "previewed", "register_backup", "require_exit", "require_free", "result",
    "resume", "row", "row_class", "rows_at_once", "sampled", "seen", "take_due", "target_of", "told", "uncleaned",
    "with_closed", "with_delivered", "with_due", "with_row", "with_rows", "with_touched", "work_of",
]  # fmt: skip

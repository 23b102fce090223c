"""What deletion decides: a job's states, its plan and digest, what a batch may have done, and the verifier's answer.

Rules kept here:
1. A job is named by what it guarantees: requested → previewed → permitted → executing → executed → verified, stopped
   from anywhere before the end, cancelled only before it begins; what the table lacks is refused.
2. The plan digest covers schema fingerprints, predicates, order, dispositions, count bands, map and probes' draw.
3. Only a permit for exactly this digest, in force, of two people in two roles, lets a job begin (evidence.md §1.2).
4. Whatever the engine counted beyond our own statements, or a neighbour lost in the snapshot, is outside the scope.
5. Sums are true or the answer is ERROR: before + arrived = deleted + retained + residual (evidence.md §1.9).
6. While a hold stands on one of a job's systems, the job neither begins nor goes on.
"""

from services.deletion.domain.answer import answered, result, row, row_class
from services.deletion.domain.backup import Backup, due, expired, register_backup
from services.deletion.domain.batch import STALLED_AT_MOST, check_band, closed, outside, sampled
from services.deletion.domain.hold import HOLD_STATES, Hold, lift, place, require_free
from services.deletion.domain.job import TRANSITIONS, Exit, Job, Place, Survey, require_exit, with_delivered
from services.deletion.domain.plan import (
    PROBES_PER_PLACE,
    canonical_digest,
    check_permit,
    check_schema,
    inventory_digest,
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
    "ALREADY_BEGUN", "CANCELLED", "HOLD_STATES", "PROBES_PER_PLACE", "STALLED_AT_MOST", "TRANSITIONS", "Backup", "Exit",
    "Hold", "Job", "Place", "Survey", "answered", "cancelled", "canonical_digest", "check_band", "check_permit",
    "check_schema", "closed", "due", "expired", "hindrance", "inventory_digest", "lift", "most", "outdated", "outside",
    "place", "previewed", "register_backup", "require_exit", "require_free", "result", "row", "row_class", "sampled",
    "take_due", "with_closed", "with_delivered", "with_due",
]  # fmt: skip

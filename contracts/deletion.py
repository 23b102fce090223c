"""Wire messages of `deletion`: what a job tells and is asked for, from its preview to the verifier's answer.

Jobs as they are read, paused and taken up again, holds, backup sets and attestations have modules of their own.
"""

from contracts import attesting
from contracts import deletion_backups as backups
from contracts import deletion_holds as holds
from contracts import deletion_jobs as jobs
from contracts import deletion_keys as keys
from contracts import deletion_records as records
from contracts import deletion_restores as restores
from contracts.deletion_jobs import DISPOSITIONS, METHODS, PhysicalRow, PlaceRow
from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, Place, Text
from contracts.registry import Event, Message, Task

APPROVAL_DAYS = 14
"""How long people's word to destroy stands without anything following, an approval as well as a pause: long enough for
a holiday, and a day short of K+15, so that what was forgotten is asked for anew before that deadline passes."""


class PreviewedPlace(Message):
    system = Place()
    place = Place()
    disposition = Choice(*DISPOSITIONS)
    reason = Code(allow_none=True)
    count = Count()
    method = Choice(*METHODS, required=False)
    unowned = Count(required=False, load_default=0)
    unowned_reason = Code(allow_none=True, required=False, load_default=None)


class DeletionPreviewed(Message):
    """What a job would delete; `restore_id`: it deletes again what that restore brought back."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    inventory_digest = Digest()
    places = Many(PreviewedPlace)
    total = Count()
    restore_id = Id(required=False, allow_none=True, load_default=None)
    on = Day()


class DeletionBegun(Message):
    exit_id = Id()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    on = Day()


class BatchClosed(Message):
    """A batch is closed. `outside`: changes beyond our own that stayed; `undone`: those rolled back with the batch.

    `records_root`: the Merkle root over the commitments of the `deleted` records, where the customer asked for them."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    system = Place()
    place = Place()
    batch = Count()
    planned = Count()
    deleted = Count()
    outside = Count()
    undone = Count(required=False, load_default=0)
    method = Choice(*METHODS, required=False)
    records_root = Digest(required=False)


class DeletionExecuted(Message):
    exit_id = Id()
    activity = Code()
    job_id = Id()
    deleted = Count()
    batches = Count()
    outside = Count()
    on = Day()


class DeletionVerified(Message):
    """The verifier's answer per place; `result` DELETED only where every residual is 0 and nothing outside changed."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    places = Many(PlaceRow)
    probes_drawn = Count()
    probes_found_before = Count()
    probes_found_after = Count()
    outside = Count()
    result = Choice("DELETED", "ABSENT_VERIFIED", "ERROR")
    physical = Many(PhysicalRow, required=False, load_default=list)
    on = Day()


class DeletionStopped(Message):
    """The job stopped by itself and lost nothing; `code` is a stable error code, `field` a place of the schema."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    code = Code()
    field = Text(300, allow_none=True)
    on = Day()


class DeletionCancelled(Message):
    """The true answer to a cancellation: nothing of the job had begun, and nothing of it will."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    on = Day()


class DeletionAlreadyBegun(Message):
    """The other true answer: `batches` were closed before the cancellation came; the job goes on."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    batches = Count()
    on = Day()


class BatchDue(Message):
    """Deletion's own reminder that a batch which waited for its system's window or pace may be done."""

    exit_id = Id()
    job_id = Id()
    batch = Count()


class PreviewTask(Message):
    exit_id = Id()
    activity = Code()
    job_id = Id()


class CheckPlanTask(Message):
    """Draw a previewed plan up again from the live system, because somebody approves it."""

    exit_id = Id()
    job_id = Id()


class DeleteTask(Message):
    """Delete the next batch of a permitted job (place and keys come from the job's own record)."""

    exit_id = Id()
    job_id = Id()
    batch = Count()


class CleanTask(Message):
    """Clean below the rows of an executed job's places, from the one numbered `step` on."""

    exit_id = Id()
    job_id = Id()
    step = Count()


class VerifyTask(Message):
    exit_id = Id()
    job_id = Id()


COMMANDS = (
    *jobs.COMMANDS,
    *holds.COMMANDS,
    *backups.COMMANDS,
    *keys.COMMANDS,
    *restores.COMMANDS,
    *attesting.COMMANDS,
    *records.COMMANDS,
)

EVENTS = (
    Event("deletion", "deletion_previewed", DeletionPreviewed, ("scheduling", "compliance")),
    Event("deletion", "deletion_begun", DeletionBegun, ("scheduling", "compliance")),
    Event("deletion", "deletion_batch_closed", BatchClosed, ("compliance",)),
    Event("deletion", "deletion_executed", DeletionExecuted, ("compliance",)),
    Event("deletion", "deletion_verified", DeletionVerified, ("scheduling", "delivery", "access", "compliance")),
    Event("deletion", "deletion_stopped", DeletionStopped, ("scheduling", "compliance")),
    Event("deletion", "deletion_cancelled", DeletionCancelled, ("scheduling", "compliance")),
    Event("deletion", "deletion_already_begun", DeletionAlreadyBegun, ("scheduling", "compliance")),
    Event("deletion", "batch_due", BatchDue, ("deletion",)),
    *jobs.EVENTS,
    *holds.EVENTS,
    *backups.EVENTS,
    *keys.EVENTS,
    *restores.EVENTS,
    *attesting.EVENTS,
    *records.EVENTS,
)

TASKS = (
    Task("deletion", "verify", "preview", PreviewTask),
    Task("deletion", "verify", "check_plan", CheckPlanTask),
    Task("deletion", "verify", "verify", VerifyTask),
    Task("deletion", "delete", "delete_batch", DeleteTask),
    Task("deletion", "delete", "clean", CleanTask),
    *backups.TASKS,
    *keys.TASKS,
    *restores.TASKS,
    *attesting.TASKS,
    *records.TASKS,
)

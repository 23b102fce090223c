"""Wire messages of `deletion`: inventory, preview, execution in batches, verification, backups observed to be gone."""

from contracts import attesting
from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, One, Place, Text
from contracts.registry import Command, Event, Message, Task
from contracts.roles import CUSTOMER_DPO, CUSTOMER_LEAD, DELETION_OFFICER, MONITOR, OPERATOR, READERS

DISPOSITIONS = ("deleted", "absent_verified", "excluded", "suspended", "attested", "open")
METHODS = ("drop", "truncate", "part")
CLASSES = ("both", "deleted_not_delivered", "delivered_not_deleted", "changed_after_extract")
APPROVAL_DAYS = 14
"""How long people's word to destroy stands without anything following, an approval as well as a pause: long enough for
a holiday, and a day short of K+15, so that what was forgotten is asked for anew before that deadline passes."""
PAUSE_REASONS = ("OPERATION", "INCIDENT", "NEIGHBOURS", "CUSTOMER_REQUEST")
PHYSICAL_ANSWERS = ("CLEANED", "HELD", "ERROR", "NOT_OFFERED", "NOT_ASKED")
PHYSICAL_UNITS = ("rows", "bytes", "transactions")
REMAINS = ("FREE_SPACE", "INDEX_KEYS", "STATISTICS", "LOG", "REPLICAS", "DISK")
"""Where bytes of deleted rows may still lie: unused space in the place's own files, keys that an index keeps, the
engine's statistics, its log (WAL, redo, oplog), its replicas, blocks that were given back to the disk (ADR 0011)."""
OVERRIDE_REASONS = (
    "INSTRUCTION_WITHDRAWN", "PLACED_IN_ERROR", "LAW_LAPSED", "COURT_DECISION", "REQUEST_WITHDRAWN", "REQUEST_DECIDED",
)  # fmt: skip


class ExitRef(Message):
    exit_id = Id()


class JobRef(Message):
    exit_id = Id()
    activity = Code()


class RegisterBackup(Message):
    """One backup set that holds this customer's data (S1 D9): where it lies by the backup folder's name in the map."""

    exit_id = Id()
    system = Place()
    set_id = Id()
    taken_on = Day()
    expires_on = Day()


class PlaceHold(Message):
    """Stop deletion in one system, or in all (`system` null). A dispute or the supplier's own interest is no basis."""

    exit_id = Id()
    system = Place(allow_none=True)
    basis = Choice("INSTRUCTION", "LAW", "DATA_SUBJECT_REQUEST")
    digest = Digest()


class LiftHold(Message):
    exit_id = Id()
    hold_id = Id()
    digest = Digest()


class HoldAnswer(Message):
    """`in_hand`: rows of a batch that was being kept when the hold was placed and may be gone; no later batch is."""

    exit_id = Id()
    hold_id = Id()
    state = Choice("placed", "lifted")
    in_hand = Count(required=False)


class OverrideHold(Message):
    """Set a hold aside without whoever placed it: one person asks, one of the other party agrees, word for word."""

    exit_id = Id()
    hold_id = Id()
    reason = Choice(*OVERRIDE_REASONS)
    digest = Digest()


class OverrideAnswer(Message):
    """What became of it; a refused attempt is an answer, because it is recorded: `code` says why."""

    exit_id = Id()
    hold_id = Id()
    state = Choice("requested", "overridden", "refused")
    code = Code(allow_none=True)


class PauseJob(Message):
    """Stop deleting between two batches; not to be used as a hold: nothing is decided by it but the moment."""

    exit_id = Id()
    job_id = Id()
    reason = Choice(*PAUSE_REASONS)


class ResumeJob(Message):
    exit_id = Id()
    job_id = Id()


class PauseAnswer(Message):
    exit_id = Id()
    job_id = Id()
    state = Choice("paused", "executing", "stopped")


class Done(Message):
    exit_id = Id()
    state = Code()


class PlaceRow(Message):
    """One place of the inventory: `reason` is from the closed list of exclusions, empty where data are deleted.

    `unowned`: rows that no tenant is found for, which stay, with what the map says that they are. `method` only where
    the place went as a whole (it, its content, or the tenant's part of it in one statement, ADR 0010).
    """

    system = Place()
    place = Place()
    disposition = Choice(*DISPOSITIONS)
    reason = Code(allow_none=True)
    before = Count()
    deleted = Count()
    arrived = Count()
    retained = Count()
    residual = Count()
    delivered = Count()
    row_class = Choice(*CLASSES, allow_none=True)
    unowned = Count(required=False, load_default=0)
    unowned_reason = Code(allow_none=True, required=False, load_default=None)
    method = Choice(*METHODS, required=False)


class PhysicalRow(Message):
    """What was done below the rows of a place, and what the verifier then read there (ADR 0011).

    `CLEANED`: the engine did what `asked` names and the verifier saw it; `HELD`: done, but the engine keeps versions
    for somebody (`reason`); `ERROR`: not done or not seen. `before` is the cleaner's reading, `after` the verifier's,
    both the engine's own figures for the whole place. `remains`: where bytes may still lie. Never a NIST class.
    """

    system = Place()
    place = Place()
    asked = Choice("none", "clean", "rewrite")
    answer = Choice(*PHYSICAL_ANSWERS)
    reason = Code(allow_none=True)
    unit = Choice(*PHYSICAL_UNITS, allow_none=True)
    before = Count(allow_none=True)
    after = Count(allow_none=True)
    remains = Many(Choice(*REMAINS))


class JobPlace(PlaceRow):
    """A place of a job; `most`: how many rows may be deleted there before the job stops (the approved band's end)."""

    most = Count(required=False, load_default=0)


class WorkRow(Message):
    """One step of a job's work, in its order: how many rows, and in how many seconds at the pace of the system.

    `method` and `statements` only where the place goes as a whole; else its rows go batch by batch.
    """

    system = Place()
    place = Place()
    rows = Count()
    seconds = Count()
    method = Choice(*METHODS, required=False)
    statements = Count(required=False)


class Job(Message):
    """A job; `work` and `estimated_end` are the preview's, `waits_until` the instant of the next batch where it waits
    for its system's window or pace."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    state = Code()
    plan_digest = Digest(allow_none=True)
    places = Many(JobPlace)
    batches = Count()
    outside = Count()
    stopped_code = Code(allow_none=True)
    stopped_field = Text(300, allow_none=True)
    work = Many(WorkRow, required=False, load_default=list)
    estimated_seconds = Count(required=False, load_default=0)
    estimated_end = Text(40, allow_none=True, required=False, load_default=None)
    waits_until = Text(40, allow_none=True, required=False, load_default=None)
    paused_by = Choice("customer", "supplier", allow_none=True, required=False, load_default=None)
    paused_on = Text(40, allow_none=True, required=False, load_default=None)


class Jobs(Message):
    exit_id = Id()
    jobs = Many(Job)


class AskedOverride(Message):
    """What one person asked for: `digest` is of the document that carries the reason."""

    actor = Id()
    party = Choice("customer", "supplier")
    reason = Choice(*OVERRIDE_REASONS)
    digest = Digest()


class HoldRow(Message):
    """One hold as it stands: `party` placed it, `lifted_by` is the digest of the document that lifted it."""

    hold_id = Id()
    system = Place(allow_none=True)
    basis = Choice("INSTRUCTION", "LAW", "DATA_SUBJECT_REQUEST")
    digest = Digest()
    party = Choice("customer", "supplier")
    state = Choice("placed", "lifted", "overridden")
    lifted_by = Digest(allow_none=True)
    override = One(AskedOverride, allow_none=True)


class Holds(Message):
    exit_id = Id()
    holds = Many(HoldRow)


class BackupRow(Message):
    system = Place()
    set_id = Id()
    taken_on = Day()
    expires_on = Day()
    answer = Choice("PRESENT", "GONE", "ERROR", "NOT_LOOKED")
    observed_on = Day(allow_none=True)


class Backups(Message):
    exit_id = Id()
    backups = Many(BackupRow)


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
    exit_id = Id()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    inventory_digest = Digest()
    places = Many(PreviewedPlace)
    total = Count()
    on = Day()


class DeletionBegun(Message):
    exit_id = Id()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    on = Day()


class BatchClosed(Message):
    """A batch is closed. `outside`: changes beyond our own that stayed; `undone`: those rolled back with the batch."""

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


class DeletionPaused(Message):
    """A party stopped the job between two batches; `batches` were closed by then, one in hand is still closed."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    batches = Count()
    reason = Choice(*PAUSE_REASONS)
    actor = Id()
    role = Text(60)
    on = Day()


class DeletionResumed(Message):
    exit_id = Id()
    activity = Code()
    job_id = Id()
    batches = Count()
    actor = Id()
    role = Text(60)
    on = Day()


class BatchDue(Message):
    """Deletion's own reminder that a batch which waited for its system's window or pace may be done."""

    exit_id = Id()
    job_id = Id()
    batch = Count()


class HoldPlaced(Message):
    exit_id = Id()
    hold_id = Id()
    system = Place(allow_none=True)
    basis = Choice("INSTRUCTION", "LAW", "DATA_SUBJECT_REQUEST")
    digest = Digest()
    actor = Id()
    role = Text(60)
    on = Day()


class HoldLifted(Message):
    exit_id = Id()
    hold_id = Id()
    digest = Digest()
    actor = Id()
    role = Text(60)
    on = Day()


class HoldOverrideRequested(Message):
    exit_id = Id()
    hold_id = Id()
    reason = Choice(*OVERRIDE_REASONS)
    digest = Digest()
    actor = Id()
    role = Text(60)
    on = Day()


class HoldOverridden(HoldOverrideRequested):
    """A second person of the other party agreed (`actor`); the hold is lifted by it, and told so too."""

    requested_by = Id()


class HoldOverrideRefused(HoldOverrideRequested):
    """An attempt that was refused; `code` says why."""

    code = Code()


class BackupRegistered(RegisterBackup):
    pass


class BackupObserved(Message):
    exit_id = Id()
    system = Place()
    set_id = Id()
    answer = Choice("PRESENT", "GONE", "ERROR")
    expires_on = Day()
    on = Day()


class BackupsExpired(Message):
    exit_id = Id()
    sets = Count()
    last_expiry_on = Day()
    on = Day()


class LookAtBackups(Message):
    exit_id = Id()
    on = Day()


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


class ObserveTask(Message):
    exit_id = Id()
    on = Day()


_HOLDERS = frozenset({CUSTOMER_LEAD, CUSTOMER_DPO, DELETION_OFFICER})
_OPERATORS = frozenset({OPERATOR, DELETION_OFFICER})
_PAUSERS = frozenset({CUSTOMER_LEAD, DELETION_OFFICER})

COMMANDS = (
    Command("deletion", "place_hold", PlaceHold, HoldAnswer, _HOLDERS),
    Command("deletion", "lift_hold", LiftHold, HoldAnswer, _HOLDERS),
    Command("deletion", "override_hold", OverrideHold, OverrideAnswer, _HOLDERS),
    Command("deletion", "pause_job", PauseJob, PauseAnswer, _PAUSERS),
    Command("deletion", "resume_job", ResumeJob, PauseAnswer, _PAUSERS),
    Command("deletion", "register_backup", RegisterBackup, Done, _OPERATORS),
    Command("deletion", "read_job", JobRef, Job, READERS | {MONITOR}, query=True),
    Command("deletion", "list_jobs", ExitRef, Jobs, READERS | {MONITOR}, query=True),
    Command("deletion", "list_holds", ExitRef, Holds, READERS | {MONITOR}, query=True),
    Command("deletion", "read_backups", ExitRef, Backups, READERS | {MONITOR}, query=True),
    *attesting.COMMANDS,
)

EVENTS = (
    Event("deletion", "deletion_previewed", DeletionPreviewed, ("scheduling", "compliance")),
    Event("deletion", "deletion_begun", DeletionBegun, ("scheduling", "compliance")),
    Event("deletion", "deletion_batch_closed", BatchClosed, ("compliance",)),
    Event("deletion", "deletion_executed", DeletionExecuted, ("compliance",)),
    Event("deletion", "deletion_verified", DeletionVerified, ("scheduling", "access", "compliance")),
    Event("deletion", "deletion_stopped", DeletionStopped, ("scheduling", "compliance")),
    Event("deletion", "deletion_cancelled", DeletionCancelled, ("scheduling", "compliance")),
    Event("deletion", "deletion_already_begun", DeletionAlreadyBegun, ("scheduling", "compliance")),
    Event("deletion", "deletion_paused", DeletionPaused, ("compliance",)),
    Event("deletion", "deletion_resumed", DeletionResumed, ("compliance",)),
    Event("deletion", "batch_due", BatchDue, ("deletion",)),
    Event("deletion", "hold_placed", HoldPlaced, ("scheduling", "compliance")),
    Event("deletion", "hold_lifted", HoldLifted, ("scheduling", "compliance")),
    Event("deletion", "hold_override_requested", HoldOverrideRequested, ("compliance",)),
    Event("deletion", "hold_overridden", HoldOverridden, ("compliance",)),
    Event("deletion", "hold_override_refused", HoldOverrideRefused, ("compliance",)),
    Event("deletion", "backup_registered", BackupRegistered, ("compliance",)),
    Event("deletion", "backup_observed", BackupObserved, ("compliance",)),
    Event("deletion", "backups_expired", BackupsExpired, ("scheduling", "compliance")),
    Event("deletion", "backups_look_due", LookAtBackups, ("deletion",)),
    *attesting.EVENTS,
)

TASKS = (
    Task("deletion", "verify", "preview", PreviewTask),
    Task("deletion", "verify", "check_plan", CheckPlanTask),
    Task("deletion", "verify", "verify", VerifyTask),
    Task("deletion", "verify", "observe_backups", ObserveTask),
    Task("deletion", "delete", "delete_batch", DeleteTask),
    Task("deletion", "delete", "clean", CleanTask),
    *attesting.TASKS,
)

"""Wire messages of `deletion` about its jobs: what one does, keeps and waits for; paused and taken up again."""

from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, Place, Text
from contracts.registry import Command, Event, Message
from contracts.roles import CUSTOMER_LEAD, DELETION_OFFICER, MONITOR, READERS

DISPOSITIONS = ("deleted", "absent_verified", "excluded", "suspended", "attested", "open")
METHODS = ("drop", "truncate", "part")
CLASSES = ("both", "deleted_not_delivered", "delivered_not_deleted", "changed_after_extract")
PAUSE_REASONS = ("OPERATION", "INCIDENT", "NEIGHBOURS", "CUSTOMER_REQUEST")
PHYSICAL_ANSWERS = ("CLEANED", "HELD", "ERROR", "NOT_OFFERED", "NOT_ASKED")
PHYSICAL_UNITS = ("rows", "bytes", "transactions")
REMAINS = ("FREE_SPACE", "INDEX_KEYS", "STATISTICS", "LOG", "REPLICAS", "DISK")
"""Where bytes of deleted rows may still lie: unused space in the place's own files, keys that an index keeps, the
engine's statistics, its log (WAL, redo, oplog), its replicas, blocks that were given back to the disk (ADR 0011)."""


class ExitRef(Message):
    exit_id = Id()


class JobRef(Message):
    exit_id = Id()
    activity = Code()


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
    """A place of a job; `least`–`most`: the approved band of its rows, outside of which the job stops."""

    most = Count(required=False, load_default=0)
    least = Count(required=False, load_default=0)


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
    physical = Many(PhysicalRow, required=False, load_default=list)


class Jobs(Message):
    exit_id = Id()
    jobs = Many(Job)


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


_PAUSERS = frozenset({CUSTOMER_LEAD, DELETION_OFFICER})

COMMANDS = (
    Command("deletion", "pause_job", PauseJob, PauseAnswer, _PAUSERS),
    Command("deletion", "resume_job", ResumeJob, PauseAnswer, _PAUSERS),
    Command("deletion", "read_job", JobRef, Job, READERS | {MONITOR}, query=True),
    Command("deletion", "list_jobs", ExitRef, Jobs, READERS | {MONITOR}, query=True),
)
EVENTS = (
    Event("deletion", "deletion_paused", DeletionPaused, ("compliance",)),
    Event("deletion", "deletion_resumed", DeletionResumed, ("compliance",)),
)

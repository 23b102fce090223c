"""Wire messages of `deletion` about proof for a single record: asked for, sealed for the customer, ours destroyed."""

from contracts.deletion_jobs import REMAINS, ExitRef
from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, Text
from contracts.registry import Command, Event, Message, Task
from contracts.roles import CUSTOMER_DPO, CUSTOMER_LEAD, MONITOR, READERS


class AskRecordProof(Message):
    """Have every deletion that begins from now on commit to its records; `recipient` is the customer's own age key
    (`age1…`), to which commitments and their key are sealed, `drop` where the sealed file is put."""

    exit_id = Id()
    recipient = Text(100)
    drop = Id()


class RecordProofAnswer(Message):
    """`without`: the deletions that had begun before, and have no commitments."""

    exit_id = Id()
    state = Choice("asked")
    without = Many(Id())


class RecordProofAsked(Message):
    exit_id = Id()
    recipient_digest = Digest()
    drop = Id()
    actor = Id()
    role = Text(60)
    on = Day()


class RecordsSealed(Message):
    """The commitments of an activity's deleted records and their keys lie in the drop, sealed to the customer's key.

    `file_digest` is over the sealed file."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    file_digest = Digest()
    file_bytes = Count()
    batches = Count()
    records = Count()
    recipient_digest = Digest()
    on = Day()


class RecordsDestroyed(Message):
    """Our keys and commitments were deleted from the database, and none was found there afterwards.

    `remains`: where bytes of them may still lie (ADR 0011)."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    file_digest = Digest()
    keys = Count()
    batches = Count()
    records = Count()
    remains = Many(Choice(*REMAINS))
    on = Day()


class SealedFile(Message):
    activity = Code()
    job_id = Id()
    name = Text(300)
    file_digest = Digest()
    file_bytes = Count()
    batches = Count()
    records = Count()
    state = Choice("sealed", "destroyed")


class RecordProof(Message):
    """How an exit's proof for single records stands: asked for or not, its sealed files, and the deletions without."""

    exit_id = Id()
    state = Choice("not_asked", "asked")
    drop = Text(80, allow_none=True)
    files = Many(SealedFile)
    without = Many(Id())


class RecordsTask(Message):
    exit_id = Id()
    job_id = Id()


COMMANDS = (
    Command(
        "deletion", "ask_record_proof", AskRecordProof, RecordProofAnswer, frozenset({CUSTOMER_LEAD, CUSTOMER_DPO})
    ),
    Command("deletion", "read_record_proof", ExitRef, RecordProof, READERS | {MONITOR}, query=True),
)
EVENTS = (
    Event("deletion", "record_proof_asked", RecordProofAsked, ("compliance",)),
    Event("deletion", "records_sealed", RecordsSealed, ("compliance",)),
    Event("deletion", "records_destroyed", RecordsDestroyed, ("compliance",)),
)
TASKS = (
    Task("deletion", "delete", "seal_records", RecordsTask),
    Task("deletion", "delete", "destroy_records", RecordsTask),
)

"""Wire messages of `deletion` about keys of backup sets: planned for destruction, destroyed, and seen to be destroyed.

A set whose key was destroyed in every copy counts as gone under a word of its own, KEY_DESTROYED: it may still lie
somewhere, and nobody can read it (evidence.md §3.3, §5).
"""

from marshmallow import fields

from contracts.fields import Choice, Code, Count, Day, Digest, Id, Instant, Many, Place
from contracts.registry import Command, Event, Message, Task
from contracts.roles import DELETION_OFFICER, MONITOR, READERS
from contracts.system_map.keys import COPIES

KEY_DESTROYED = "KEY_DESTROYED"
ACTIVITY = "D9"  # the deletion in backups (S1 §7)
STATES = ("ACTIVE", "PENDING", "DESTROYED", "ERROR")


class KeyCopy(Message):
    """A copy of a key in the plan: its kind, and its holder's name; None: there is no copy of this kind."""

    copy = Choice(*COPIES)
    holder = Id(allow_none=True)


class SeenCopy(Message):
    """A copy of a key as its holder answered."""

    copy = Choice(*COPIES)
    holder = Id()
    state = Choice(*STATES)


class ShredRow(Message):
    """A set that shall end with its key: when it and its key were made, since when it is encrypted, and until when.

    `ask_on` is the last day to ask for the destruction in time; `ends_on` is when the longest wait then ends.
    """

    system = Place()
    set_id = Id()
    key_id = Id()
    made_at = Instant()
    encrypted_at = Instant()
    key_made_at = Instant()
    last_on = Day()
    waits_days = Count()
    ask_on = Day()
    ends_on = Day()
    in_time = fields.Boolean(required=True)
    copies = Many(KeyCopy)


class RefusedRow(Message):
    system = Place()
    set_id = Id()
    reasons = Many(Code())


class PlanShredding(Message):
    """Have the destruction of the keys planned anew; `by`: a last day before the sets' own (S2 28.1)."""

    exit_id = Id()
    by = Day(required=False, allow_none=True, load_default=None)


class ShreddingState(Message):
    exit_id = Id()
    job_id = Id()
    state = Code()


class ExitShredding(Message):
    exit_id = Id()


class ShreddingRow(ShredRow):
    """A set of the latest plan and how far its key is."""

    answer = Choice("PLANNED", "ASKED", *STATES)
    observed_on = Day(allow_none=True)
    seen = Many(SeenCopy)


class Shredding(Message):
    """The latest plan of an exit; `state`: none, requested, planned, refused, permitted, destroying, asked, destroyed,
    stopped or cancelled."""

    exit_id = Id()
    job_id = Id(allow_none=True)
    state = Code()
    plan_digest = Digest(allow_none=True)
    stopped_code = Code(allow_none=True)
    sets = Many(ShreddingRow)
    refused = Many(RefusedRow)


class ShreddingPlanned(Message):
    exit_id = Id()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    sets = Many(ShredRow)
    on = Day()


class ShreddingRefused(Message):
    """Sets with a key that destroying the key would not end, each with every reason."""

    exit_id = Id()
    sets = Many(RefusedRow)
    on = Day()


class ShreddingBegun(Message):
    exit_id = Id()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    on = Day()


class ShreddingStopped(Message):
    exit_id = Id()
    activity = Code()
    job_id = Id()
    code = Code()
    on = Day()


class KeyDestructionAsked(Message):
    """Every holder was asked to destroy its copy of a set's key; what each said then."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    system = Place()
    set_id = Id()
    key_id = Id()
    copies = Many(SeenCopy)
    on = Day()


class KeyObserved(KeyDestructionAsked):
    """The verifier looked for every copy; DESTROYED only where each holder said so."""

    answer = Choice(*STATES)


class ShreddingTask(Message):
    exit_id = Id()
    job_id = Id()


_OFFICERS = frozenset({DELETION_OFFICER})

COMMANDS = (
    Command("deletion", "plan_shredding", PlanShredding, ShreddingState, _OFFICERS),
    Command("deletion", "read_shredding", ExitShredding, Shredding, READERS | {MONITOR}, query=True),
)
EVENTS = (
    Event("deletion", "shredding_planned", ShreddingPlanned, ("scheduling", "compliance")),
    Event("deletion", "shredding_refused", ShreddingRefused, ("compliance",)),
    Event("deletion", "shredding_begun", ShreddingBegun, ("scheduling", "compliance")),
    Event("deletion", "shredding_stopped", ShreddingStopped, ("scheduling", "compliance")),
    Event("deletion", "key_destruction_asked", KeyDestructionAsked, ("compliance",)),
    Event("deletion", "key_observed", KeyObserved, ("compliance",)),
)
TASKS = (
    Task("deletion", "verify", "plan_shredding", ShreddingTask),
    Task("deletion", "delete", "destroy_keys", ShreddingTask),
)

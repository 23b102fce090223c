"""Wire messages of `deletion` about restores: announced, looked for without a word, re-deleted, released (T16).

The suppression ledger is what executed plans say must be deleted again: predicates, never rows.
"""

from marshmallow import fields

from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, Place, Text
from contracts.registry import Command, Event, Message, Task
from contracts.roles import DELETION_OFFICER, MONITOR, OPERATOR

CAUSES = ("ANNOUNCED", "SCHEDULED")
STATES = ("announced", "looking", "found", "replayed", "clear")
LOOKS = ("ABSENT_VERIFIED", "FOUND", "ERROR")


class AnnounceRestore(Message):
    """A backup set is about to be put back into `system`; `taken_on` only where the catalogue does not know the set."""

    system = Place()
    set_id = Id()
    taken_on = Day(required=False, allow_none=True, load_default=None)


class SuppressedPlace(Message):
    """What goes in one place: the plan's predicate, and the way where the place goes as a whole."""

    place = Place()
    predicate = Text(400)
    whole = Text(20, required=False, allow_none=True, load_default=None)


class Suppression(Message):
    """What one customer's executed deletion says of a system; `needed`: the set is not younger than the deletion."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    deleted_on = Day(allow_none=True)
    needed = fields.Boolean(required=True)
    places = Many(SuppressedPlace)


class RestoreAnnounced(Message):
    """The answer to an announcement: until every entry is replayed or clear, the system is not released."""

    restore_id = Id()
    system = Place()
    set_id = Id()
    taken_on = Day(allow_none=True)
    entries = Many(Suppression)


class ReplayRestore(Message):
    """The set is back in place: look what returned, and have it deleted again."""

    restore_id = Id()


class RestoreState(Message):
    restore_id = Id()
    state = Choice("looking", "found", "closed")


class CheckRestore(Message):
    system = Place()


class OpenRestore(Message):
    """What keeps a system from being released; `rows` that returned, `code` why the last look gave no answer."""

    restore_id = Id()
    exit_id = Id()
    activity = Code()
    cause = Choice(*CAUSES)
    state = Choice(*STATES)
    set_id = Text(80, allow_none=True)
    since = Day()
    rows = Count()
    job_id = Text(80, allow_none=True)
    code = Code(allow_none=True)


class Gate(Message):
    """Whether a system may serve: `released` only where nothing announced or found waits for its replay."""

    system = Place()
    released = fields.Boolean(required=True)
    restores = Many(OpenRestore)
    looked_on = Day(allow_none=True)


class RestoreTold(Message):
    """A restore was announced: which set, of which day, and the deletion that it may undo."""

    exit_id = Id()
    restore_id = Id()
    activity = Code()
    system = Place()
    set_id = Id()
    taken_on = Day(allow_none=True)
    actor = Id()
    role = Text(60)
    on = Day()


class LookedRow(Message):
    system = Place()
    activity = Code()
    answer = Choice(*LOOKS)
    code = Code(allow_none=True)
    rows = Count()


class ReappearanceLooked(Message):
    """The verifier looked again, with credentials that only read, into systems that were deleted from."""

    exit_id = Id()
    systems = Many(LookedRow)
    on = Day()


class ReturnedPlace(Message):
    place = Place()
    rows = Count()


class ReappearanceFound(Message):
    """Deleted rows are there again: `after_job` deleted them; its certificates do not count any more."""

    exit_id = Id()
    restore_id = Id()
    activity = Code()
    system = Place()
    cause = Choice(*CAUSES)
    after_job = Id()
    places = Many(ReturnedPlace)
    rows = Count()
    on = Day()


class RestoreReplayed(Message):
    """What had returned is deleted again, by a job of its own that was approved, permitted and verified."""

    exit_id = Id()
    restore_id = Id()
    activity = Code()
    system = Place()
    job_id = Id()
    plan_digest = Digest()
    deleted = Count()
    on = Day()


class RestoreCleared(Message):
    """After an announced restore the verifier looked, and nothing had returned."""

    exit_id = Id()
    restore_id = Id()
    activity = Code()
    system = Place()
    on = Day()


class LookAgain(Message):
    exit_id = Id()
    on = Day()


_RESTORERS = frozenset({OPERATOR, DELETION_OFFICER})

COMMANDS = (
    Command("deletion", "announce_restore", AnnounceRestore, RestoreAnnounced, _RESTORERS),
    Command("deletion", "replay_restore", ReplayRestore, RestoreState, _RESTORERS),
    Command("deletion", "restore_check", CheckRestore, Gate, _RESTORERS | {MONITOR}, query=True),
)
EVENTS = (
    Event("deletion", "restore_announced", RestoreTold, ("compliance",)),
    Event("deletion", "reappearance_looked", ReappearanceLooked, ("compliance",)),
    Event("deletion", "reappearance_found", ReappearanceFound, ("scheduling", "compliance")),
    Event("deletion", "restore_replayed", RestoreReplayed, ("compliance",)),
    Event("deletion", "restore_cleared", RestoreCleared, ("compliance",)),
    Event("deletion", "reappearance_look_due", LookAgain, ("deletion",)),
)
TASKS = (Task("deletion", "verify", "look_again", LookAgain),)

"""Wire messages of `access`: freezing, closing and attesting the ways in."""

from marshmallow import fields

from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, Place, Text
from contracts.registry import Command, Event, Message, Task
from contracts.roles import CUSTOMER, MONITOR, READERS, SUPPLIER


class ExitRef(Message):
    exit_id = Id()


class Attest(Message):
    """An attestation by the responsible party (C5, C6, D7b, D8): what was done, and the digest of what shows it."""

    exit_id = Id()
    activity = Code()
    kind = Choice("access_withdrawn", "operations_stopped", "software_removed", "access_closed")
    digest = Digest()


class Done(Message):
    exit_id = Id()
    state = Code()


class SystemAccess(Message):
    system = Place()
    state = Choice("open", "frozen", "closed", "error")
    grants = Count()
    verified = fields.Boolean(required=True)
    on = Day(allow_none=True)


class AccessState(Message):
    exit_id = Id()
    systems = Many(SystemAccess)


class AccessFrozen(Message):
    exit_id = Id()
    activity = Code()
    systems = Many(SystemAccess)
    on = Day()


class AccessClosed(Message):
    exit_id = Id()
    activity = Code()
    systems = Many(SystemAccess)
    on = Day()


class AccessAttested(Message):
    exit_id = Id()
    activity = Code()
    kind = Code()
    digest = Digest()
    actor = Id()
    role = Text(60)
    on = Day()


class ControlTask(Message):
    """Freeze or close these systems' access and look whether it holds."""

    exit_id = Id()
    activity = Code()
    action = Choice("freeze", "close")
    systems = Many(Place())


COMMANDS = (
    Command("access", "attest", Attest, Done, (CUSTOMER | SUPPLIER) - {"kommune_dpo"}),
    Command("access", "read_access", ExitRef, AccessState, READERS | {MONITOR}, query=True),
)

EVENTS = (
    Event("access", "access_frozen", AccessFrozen, ("scheduling", "compliance")),
    Event("access", "access_closed", AccessClosed, ("scheduling", "deletion", "compliance")),
    Event("access", "access_attested", AccessAttested, ("scheduling", "compliance")),
)

TASKS = (Task("access", "control", "control", ControlTask),)

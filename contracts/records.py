"""Wire messages of the evidence's own end: redaction of single entries, and how long an exit's evidence is kept.

A redaction takes two people of two parties; its reasons are a closed list, for they stand in the log.
"""

from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many
from contracts.registry import Command, Event, Message
from contracts.roles import AUDITOR, CUSTOMER_DPO, CUSTOMER_LEAD, DELETION_OFFICER, MONITOR, READERS, SUPPLIER_LEAD

REDACTION_REASONS = ("PERSONAL_DATA", "CONTROLLER_INSTRUCTION", "AUTHORITY_ORDER", "COURT_ORDER")
ENDINGS = ("OFFER_EXPIRED", "RELEASED")


class ProposeRedaction(Message):
    """Propose that entry `index` of the log, one of this exit's, be forgotten."""

    exit_id = Id()
    index = Count()
    reason = Choice(*REDACTION_REASONS)


class ConfirmRedaction(ProposeRedaction):
    """Confirm, as the other party, exactly what was proposed."""

    redaction_id = Id()


class ExitOfRecords(Message):
    exit_id = Id()


class Redaction(Message):
    """`proposed`, `confirmed` (on its way into the log) or `done`; `kind` is what sort of entry it is or was."""

    redaction_id = Id()
    exit_id = Id()
    index = Count()
    kind = Code()
    reason = Choice(*REDACTION_REASONS)
    state = Choice("proposed", "confirmed", "done")


class Redactions(Message):
    exit_id = Id()
    redactions = Many(Redaction)


class KeepLonger(Message):
    """Keep an exit's evidence through `until`, on the controller's instruction (`digest` of its text)."""

    exit_id = Id()
    until = Day()
    digest = Digest()


class Retention(Message):
    """How long an exit's evidence is kept: `running` until a day, `offered` until another, or `ended`."""

    exit_id = Id()
    state = Choice("running", "offered", "released", "ended")
    until = Day()
    offered_on = Day(required=False, allow_none=True, load_default=None)
    ends_on = Day(required=False, allow_none=True, load_default=None)
    certificates = Many(Id())


class ListRetention(Message):
    """List exits by their evidence's retention; those that are offered now, where `state` is not given."""

    state = Choice("running", "offered", "released", "ended", required=False, load_default="offered")


class Retentions(Message):
    exits = Many(Retention)


class RetentionDay(Message):
    """A day of the retention has come: `on` is the last day that the evidence was to be kept, or to be offered."""

    exit_id = Id()
    on = Day()


_TWO = frozenset({CUSTOMER_DPO, SUPPLIER_LEAD, DELETION_OFFICER})
_CONTROLLER = frozenset({CUSTOMER_DPO, CUSTOMER_LEAD})

COMMANDS = (
    Command("compliance", "propose_redaction", ProposeRedaction, Redaction, _TWO),
    Command("compliance", "confirm_redaction", ConfirmRedaction, Redaction, _TWO),
    Command("compliance", "list_redactions", ExitOfRecords, Redactions, READERS | {AUDITOR}, query=True),
    Command("compliance", "keep_evidence", KeepLonger, Retention, _CONTROLLER),
    Command("compliance", "release_evidence", ExitOfRecords, Retention, _CONTROLLER),
    Command("compliance", "list_retention", ListRetention, Retentions, READERS | {MONITOR}, query=True),
)

EVENTS = (
    Event("compliance", "retention_due", RetentionDay, ("compliance",)),
    Event("compliance", "retention_over", RetentionDay, ("compliance",)),
)

TASKS = ()

"""Wire messages of compliance's requests: who asks for what, by which clause, until when, and how it was answered.

What can be asked for is a closed list, so that a request and its answer can be evidence: no text of anybody's.
"""

from __future__ import annotations

from marshmallow import fields

from contracts.compliance import STAGES
from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, Text
from contracts.registry import Command, Event, Message
from contracts.roles import (
    CUSTOMER_DPO,
    CUSTOMER_LEAD,
    DELETION_OFFICER,
    MONITOR,
    READERS,
    SUPPLIER_LEAD,
)

WHAT = ("CERTIFICATE", "STATUS", "DOCUMENTATION")
BASES = ("S2-13-a", "S2-28.1-d", "GDPR-28.3.h")
SUBJECTS = (
    "DELETION",
    "BACKUPS",
    "ACCESS",
    "DELIVERY",
    "INSTRUCTION",
    "DELETION_PERIODS",
    "APPROVALS",
    "SUB_PROCESSORS",
    "SECURITY",
    "PROCESSING",
    "OTHER",
)
STATES = ("open", "overdue", "status_given", "answered", "refused", "withdrawn")
FORMS = ("CERTIFICATE", "STATUS", "EVIDENCE", "DOCUMENT", "REFUSAL", "WITHDRAWAL")
OWED = ("OPEN", "BREACHED", "BACKUPS_OPEN", "NOT_BOUND", "MET")
REASONS = ("DUPLICATE", "NOT_OF_THIS_EXIT", "NOT_HELD")
STEPS = ("due_soon", "overdue")
OWNERS = (SUPPLIER_LEAD, DELETION_OFFICER)
AUTOMATIC = "automatic"


class MakeRequest(Message):
    """Ask for a certificate of a stage, a status, or documentation of a subject.

    `basis` is the clause or article asked under; `received_on` is for a demand that came by letter or mail: its clock
    runs from that day.
    """

    exit_id = Id()
    what = Choice(*WHAT)
    basis = Choice(*BASES)
    stage = Choice(*STAGES, required=False, allow_none=True, load_default=None)
    subject = Choice(*SUBJECTS, required=False, allow_none=True, load_default=None)
    received_on = Day(required=False, allow_none=True, load_default=None)


class AnswerRequest(Message):
    """Answer as the supplier: with a document's digest and the evidence it rests on, or refuse for a listed reason."""

    exit_id = Id()
    request_id = Id()
    outcome = Choice("answered", "refused")
    document_digest = Digest(required=False, allow_none=True, load_default=None)
    evidence = Many(Count(), required=False, load_default=list)
    reason = Choice(*REASONS, required=False, allow_none=True, load_default=None)


class WithdrawRequest(Message):
    exit_id = Id()
    request_id = Id()


class RequestRef(Message):
    exit_id = Id()
    request_id = Id()


class RequestsOf(Message):
    exit_id = Id()


class RequestAnswerRow(Message):
    """An answer as it was given; `permanent` is true only with an issued certificate of the last stage.

    `owed` is how S2 28.1 stood on that day, where the answer speaks of the deletion; BACKUPS_OPEN where an amendment
    gives the backups a day of their own.
    """

    form = Choice(*FORMS)
    on = Day()
    automatic = fields.Boolean(required=True)
    stage = Choice(*STAGES, allow_none=True)
    permanent = fields.Boolean(required=True)
    certificates = Many(Id())
    document_digest = Digest(allow_none=True)
    evidence = Many(Count())
    reason = Choice(*REASONS, allow_none=True)
    unmet = Many(Code())
    owed = Choice(*OWED, allow_none=True)
    said_da = Text(2000)
    said_en = Text(2000)


class RequestRow(Message):
    request_id = Id()
    exit_id = Id()
    what = Choice(*WHAT)
    basis = Choice(*BASES)
    clause = Text(80)
    stage = Choice(*STAGES, allow_none=True)
    subject = Choice(*SUBJECTS, allow_none=True)
    state = Choice(*STATES)
    made_on = Day()
    due = Day()
    rule_da = Text(300)
    rule_en = Text(300)
    owner = Choice(*OWNERS)
    by = Text(60)
    late = fields.Boolean(required=True)
    suspended = fields.Boolean(required=False, load_default=False)
    """A force majeure stops the clock (S2 23): `due` is then the day that it would be if it ended today."""
    reminded_on = Many(Day())
    answers = Many(RequestAnswerRow)


class Requests(Message):
    exit_id = Id()
    requests = Many(RequestRow)


class RequestMade(Message):
    exit_id = Id()
    request_id = Id()
    what = Choice(*WHAT)
    basis = Choice(*BASES)
    stage = Choice(*STAGES, allow_none=True)
    subject = Choice(*SUBJECTS, allow_none=True)
    on = Day()
    due = Day()
    owner = Choice(*OWNERS)
    actor = Id()
    role = Text(60)


class RequestReminded(Message):
    """A request that is still open was brought up: soon due to its owner, overdue to those above and to the asker."""

    exit_id = Id()
    request_id = Id()
    step = Choice(*STEPS)
    to = Many(Choice(*OWNERS, CUSTOMER_DPO))
    due = Day()
    on = Day()


class RequestAnswered(Message):
    exit_id = Id()
    request_id = Id()
    state = Choice(*STATES)
    form = Choice(*FORMS)
    stage = Choice(*STAGES, allow_none=True)
    permanent = fields.Boolean(required=True)
    certificates = Many(Id())
    document_digest = Digest(allow_none=True)
    evidence = Many(Count())
    reason = Choice(*REASONS, allow_none=True)
    unmet = Many(Code())
    owed = Choice(*OWED, allow_none=True)
    on = Day()
    late = fields.Boolean(required=True)
    actor = Id()
    role = Text(60)


class RequestLookDue(Message):
    exit_id = Id()
    request_id = Id()
    on = Day()


ASKERS = frozenset({CUSTOMER_DPO, CUSTOMER_LEAD, SUPPLIER_LEAD})

COMMANDS = (
    Command("compliance", "make_request", MakeRequest, RequestRow, ASKERS),
    Command("compliance", "answer_request", AnswerRequest, RequestRow, frozenset(OWNERS)),
    Command("compliance", "withdraw_request", WithdrawRequest, RequestRow, frozenset({CUSTOMER_DPO, CUSTOMER_LEAD})),
    Command("compliance", "read_request", RequestRef, RequestRow, READERS | {MONITOR}, query=True),
    Command("compliance", "list_requests", RequestsOf, Requests, READERS | {MONITOR}, query=True),
)

EVENTS = (
    Event("compliance", "request_made", RequestMade, ("compliance",)),
    Event("compliance", "request_reminded", RequestReminded, ("compliance",)),
    Event("compliance", "request_answered", RequestAnswered, ("compliance",)),
    Event("compliance", "request_look_due", RequestLookDue, ("compliance",)),
)

TASKS = ()

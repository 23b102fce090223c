"""Wire messages of `scheduling`: the plan, its activities, approvals and destruction permits."""

from marshmallow import fields

from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, One, Text
from contracts.registry import Command, Event, Message
from contracts.roles import CUSTOMER, CUSTOMER_APPROVER, DELETION_OFFICER, MONITOR, READERS, SUPPLIER


class ExitRef(Message):
    exit_id = Id()


class CompleteActivity(Message):
    """Answer a manual activity as the party that owns it, with the digest of what shows it."""

    exit_id = Id()
    activity = Code()
    outcome = Choice("done", "waived")
    evidence_digest = Digest()


class Approve(Message):
    exit_id = Id()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()


class ActivityState(Message):
    exit_id = Id()
    activity = Code()
    state = Code()


class ApprovalState(Message):
    exit_id = Id()
    activity = Code()
    given = Count()
    needed = Count()


class Bound(Message):
    """A computed date with what gave it."""

    on = Day()
    direction = Choice("not_before", "not_after")
    rule = Text(200)
    clause = Text(80)


class ActivityRow(Message):
    id = Code()
    phase = Code()
    title_da = Text(200)
    title_en = Text(200)
    owner = Code()
    responsible = Many(Choice("customer", "supplier", "successor"))
    obligatory = fields.Boolean(required=True)
    chosen = fields.Boolean(required=True)
    destructive = fields.Boolean(required=True)
    manual = fields.Boolean(required=True)
    earliest = Day(allow_none=True)
    due = Day(allow_none=True)
    provisional = fields.Boolean(required=True)
    rule = Text(200)
    clause = Text(80)
    after = Many(Code())
    state = Code()
    waits_for = Many(Code())
    completed_on = Day(allow_none=True)


class Approval(Message):
    actor = Id()
    role = Text(60)
    at = Id()


class ApprovalRequest(Message):
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    state = Choice("waiting", "approved", "permitted", "void")
    approvals = Many(Approval)


class Conflict(Message):
    ids = Many(Code())
    not_before = Day()
    not_after = Day()
    clauses = Many(Text(80))


class Plan(Message):
    exit_id = Id()
    state = Code()
    version = Count()
    plan_digest = Digest()
    activities = Many(ActivityRow)
    approvals = Many(ApprovalRequest)
    conflicts = Many(Conflict)


class PlannedActivity(Message):
    id = Code()
    earliest = Day(allow_none=True)
    due = Day(allow_none=True)
    chosen = fields.Boolean(required=True)


class PlannedObligation(Message):
    id = Code()
    clause = Text(80)
    earliest = Day(allow_none=True)
    due = Day(allow_none=True)
    rule = Text(200)


class PlanMade(Message):
    exit_id = Id()
    version = Count()
    plan_digest = Digest()
    activities = Many(PlannedActivity)
    obligations = Many(PlannedObligation)
    conflicts = Count()


class ActivityDue(Message):
    exit_id = Id()
    activity = Code()
    owner = Code()
    earliest = Day(allow_none=True)
    due = Day(allow_none=True)
    on = Day()


class ActivityOverdue(Message):
    exit_id = Id()
    activity = Code()
    due = Day()
    waits_for = Many(Code())


class ActivityCompleted(Message):
    exit_id = Id()
    activity = Code()
    outcome = Choice("done", "waived", "not_chosen")
    on = Day()
    evidence_digest = Digest(allow_none=True)
    role = Text(60)


class ApprovalGiven(Message):
    exit_id = Id()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    approval = One(Approval)


class ApprovalCompleted(Message):
    exit_id = Id()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    approvals = Many(Approval)


class PermitIssued(Message):
    """Leave to destroy exactly `plan_digest`; `valid_until` is real time (ISO 8601 UTC), 24 h after issue."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    approvals = Many(Approval)
    intent_index = Count()
    valid_until = fields.String(required=True)


class TimerDue(Message):
    """Scheduling's own reminder to look at an exit's plan on a date."""

    exit_id = Id()
    on = Day()


class ListActivities(Message):
    """What waits for somebody: manual activities that are due and approvals not yet given."""

    exit_id = Id()


class Waiting(Message):
    exit_id = Id()
    activities = Many(ActivityRow)
    approvals = Many(ApprovalRequest)


_APPROVERS = frozenset({CUSTOMER_APPROVER, DELETION_OFFICER})

COMMANDS = (
    Command("scheduling", "complete_activity", CompleteActivity, ActivityState, CUSTOMER | SUPPLIER),
    Command("scheduling", "approve", Approve, ApprovalState, _APPROVERS),
    Command("scheduling", "read_plan", ExitRef, Plan, READERS | {MONITOR}, query=True),
    Command("scheduling", "list_waiting", ListActivities, Waiting, READERS | {MONITOR}, query=True),
)

EVENTS = (
    Event("scheduling", "plan_made", PlanMade, ("compliance",)),
    Event("scheduling", "activity_due", ActivityDue, ("delivery", "access", "deletion", "compliance")),
    Event("scheduling", "activity_overdue", ActivityOverdue, ("compliance",)),
    Event("scheduling", "activity_completed", ActivityCompleted, ("compliance",)),
    Event("scheduling", "approval_given", ApprovalGiven, ("compliance",)),
    Event("scheduling", "approval_completed", ApprovalCompleted, ("compliance",)),
    Event("scheduling", "permit_issued", PermitIssued, ("deletion", "compliance")),
    Event("scheduling", "timer_due", TimerDue, ("scheduling",)),
)

TASKS = ()

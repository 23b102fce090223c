"""The plan as `scheduling` shows it: activities with their bounds and rules, approvals, proposals, conflicts."""

from marshmallow import fields

from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, One, Place, Text
from contracts.registry import Message
from contracts.scheduling_asked import TimetableDay


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
    systems = Many(Place())
    blocks = Many(Code())
    slack_days = fields.Integer(required=True, allow_none=True)
    critical = fields.Boolean(required=True)
    next_actors = Many(Code())


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


class Change(Message):
    """One line of a difference between two plans, of an activity or obligation; a date is null where there is none."""

    id = Code()
    what = Choice("earliest", "due", "chosen", "added", "removed", "systems")
    before = Text(120, allow_none=True)
    after = Text(120, allow_none=True)
    why_da = Text(300)
    why_en = Text(300)


class Difference(Message):
    changes = Many(Change)
    conflicts = Many(Conflict)
    plan_digest = Digest()


class Proposal(Message):
    """A change of an approved plan that waits: `cause` names the fact, `needs` who has to approve, `approved_by` who
    did."""

    proposal_id = Id()
    cause = Code()
    proposal_digest = Digest()
    difference = One(Difference)
    needs = Many(Choice("customer", "supplier"))
    approved_by = Many(Choice("customer", "supplier"))


class Timetable(Message):
    state = Choice("submitted", "approved", "rejected")
    timetable_digest = Digest()
    days = Many(TimetableDay)


class Bypass(Message):
    bypass_id = Id()
    system = Place()
    kind = Code()
    state = Choice("requested", "agreed", "refused", "delta_delivered")


class Plan(Message):
    """The applied plan; `state`: draft, placed, approved (B11), restarted (T17: from the timetable on) or cancelled.

    `critical_path` from first to last."""

    exit_id = Id()
    state = Code()
    version = Count()
    plan_digest = Digest()
    activities = Many(ActivityRow)
    approvals = Many(ApprovalRequest)
    conflicts = Many(Conflict)
    critical_path = Many(Code())
    timetable = One(Timetable, allow_none=True)
    proposal = One(Proposal, allow_none=True)
    bypasses = Many(Bypass)
    holds = Many(Id())


class Waiting(Message):
    exit_id = Id()
    activities = Many(ActivityRow)
    approvals = Many(ApprovalRequest)

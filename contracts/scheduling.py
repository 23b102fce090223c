"""Wire messages of `scheduling`: the plan, its activities, approvals and destruction permits."""

from marshmallow import fields

from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, One, Place, Text
from contracts.registry import Command, Event, Message
from contracts.roles import (
    CUSTOMER,
    CUSTOMER_APPROVER,
    CUSTOMER_LEAD,
    DELETION_OFFICER,
    MONITOR,
    READERS,
    SUPPLIER,
    SUPPLIER_LEAD,
)
from contracts.scheduling_asked import (
    ActivityState,
    AnswerBypass,
    AnswerProposal,
    AnswerTimetable,
    ApprovalState,
    Approve,
    BypassState,
    CloseBypass,
    CompleteActivity,
    ExitRef,
    HeavyJobAnswer,
    ListActivities,
    ProfileProposals,
    ProposalAnswer,
    ProposeProfile,
    RequestBypass,
    RequestHeavyJob,
    SubmitTimetable,
    TimetableState,
    WhatIf,
)
from contracts.scheduling_plan import Approval, Difference, Plan, Waiting


class PlannedActivity(Message):
    id = Code()
    earliest = Day(allow_none=True)
    due = Day(allow_none=True)
    chosen = fields.Boolean(required=True)
    systems = Many(Place())


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
    systems = Many(Place())
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


class ApprovalExpired(Message):
    """What people said about a plan is void, because nothing followed in time; the deletion is previewed and asked for
    anew."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    approvals = Many(Approval)
    on = Day()


class PermitIssued(Message):
    """Leave to destroy exactly `plan_digest`; `valid_until` is real time (ISO 8601 UTC), 24 h after issue."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    approvals = Many(Approval)
    intent_index = Count()
    valid_until = fields.String(required=True)


class TimetableSubmitted(Message):
    exit_id = Id()
    timetable_digest = Digest()
    on = Day()


class TimetableAnswered(Message):
    exit_id = Id()
    timetable_digest = Digest()
    answer = Choice("approved", "rejected")
    actor = Id()
    role = Text(60)
    on = Day()


class PlanProposed(Message):
    """A change of an approved plan was proposed, applied, rejected or replaced by a newer proposal."""

    exit_id = Id()
    proposal_id = Id()
    proposal_digest = Digest()
    cause = Code()
    changes = Count()
    conflicts = Count()
    state = Choice("proposed", "applied", "rejected", "replaced")
    on = Day()


class ReminderDue(Message):
    """A reminder of the profile; `notice` is the kind of notice that is ready to be given, `latest_on` its last day."""

    exit_id = Id()
    reminder = Code()
    notice = Code(allow_none=True)
    latest_on = Day(allow_none=True)
    unmet = Many(Code())
    to = Many(Choice("customer", "supplier"))
    on = Day()


class StatusLetterDue(Message):
    """K+15 has come: a status letter with every unmet gate goes out by itself (T10)."""

    exit_id = Id()
    unmet = Many(Code())
    on = Day()


class ObligationChanged(Message):
    """How an obligation stands from `on`; `reason`: NOT_TRIGGERED, WAITING, DUE_SOON, EVIDENCE, MET_LATE, OVERDUE,
    FAILED, LAPSED (a right not used), OPTION(id), FORCE_MAJEURE."""

    exit_id = Id()
    obligation = Code()
    clause = Text(80)
    state = Choice("pending", "at_risk", "met", "breached", "suspended")
    reason = Code()
    due = Day(allow_none=True)
    met_on = Day(allow_none=True)
    on = Day()


class SilenceApplied(Message):
    """The customer's instruction for silence was applied (T10)."""

    exit_id = Id()
    silence = Choice("delete_at_k15", "storage_option")
    on = Day()


class CancellationRequested(Message):
    """A destructive job shall not begin; deletion answers `deletion_cancelled` or `deletion_already_begun`."""

    exit_id = Id()
    activity = Code()
    job_id = Id()
    cause = Code()
    on = Day()


class BypassChanged(Message):
    exit_id = Id()
    bypass_id = Id()
    system = Place()
    kind = Choice("rectification", "erasure", "restriction", "agreed_change")
    state = Choice("requested", "agreed", "refused", "delta_delivered")
    digest = Digest()
    on = Day()


class TimerDue(Message):
    """Scheduling's own reminder to look at an exit's plan on a date."""

    exit_id = Id()
    on = Day()


_APPROVERS = frozenset({CUSTOMER_APPROVER, DELETION_OFFICER})
_CUSTOMER_LEAD, _SUPPLIER_LEAD = frozenset({CUSTOMER_LEAD}), frozenset({SUPPLIER_LEAD})
_LEADS = _CUSTOMER_LEAD | _SUPPLIER_LEAD
COMMANDS = (
    Command("scheduling", "complete_activity", CompleteActivity, ActivityState, CUSTOMER | SUPPLIER),
    Command("scheduling", "approve", Approve, ApprovalState, _APPROVERS),
    Command("scheduling", "submit_timetable", SubmitTimetable, TimetableState, _SUPPLIER_LEAD),
    Command("scheduling", "answer_timetable", AnswerTimetable, TimetableState, _CUSTOMER_LEAD),
    Command("scheduling", "answer_proposal", AnswerProposal, ProposalAnswer, _LEADS),
    Command("scheduling", "propose_profile", ProposeProfile, ProfileProposals, _SUPPLIER_LEAD),
    Command("scheduling", "request_heavy_job", RequestHeavyJob, HeavyJobAnswer, _LEADS),
    Command("scheduling", "request_bypass", RequestBypass, BypassState, _CUSTOMER_LEAD),
    Command("scheduling", "answer_bypass", AnswerBypass, BypassState, _SUPPLIER_LEAD),
    Command("scheduling", "close_bypass", CloseBypass, BypassState, _SUPPLIER_LEAD),
    Command("scheduling", "preview_plan", WhatIf, Difference, READERS, query=True),
    Command("scheduling", "read_plan", ExitRef, Plan, READERS | {MONITOR}, query=True),
    Command("scheduling", "list_waiting", ListActivities, Waiting, READERS | {MONITOR}, query=True),
)
EVENTS = (
    Event("scheduling", "plan_made", PlanMade, ("compliance",)),
    Event("scheduling", "activity_due", ActivityDue, ("delivery", "access", "deletion", "compliance")),
    Event("scheduling", "activity_overdue", ActivityOverdue, ("compliance",)),
    Event("scheduling", "activity_completed", ActivityCompleted, ("compliance",)),
    Event("scheduling", "approval_given", ApprovalGiven, ("deletion", "compliance")),
    Event("scheduling", "approval_completed", ApprovalCompleted, ("compliance",)),
    Event("scheduling", "approval_expired", ApprovalExpired, ("compliance",)),
    Event("scheduling", "permit_issued", PermitIssued, ("deletion", "compliance")),
    Event("scheduling", "timetable_submitted", TimetableSubmitted, ("compliance",)),
    Event("scheduling", "timetable_answered", TimetableAnswered, ("compliance",)),
    Event("scheduling", "plan_proposed", PlanProposed, ("compliance",)),
    Event("scheduling", "reminder_due", ReminderDue, ("compliance",)),
    Event("scheduling", "status_letter_due", StatusLetterDue, ("compliance",)),
    Event("scheduling", "obligation_changed", ObligationChanged, ("compliance",)),
    Event("scheduling", "silence_applied", SilenceApplied, ("orders", "compliance")),
    Event("scheduling", "cancellation_requested", CancellationRequested, ("deletion", "compliance")),
    Event("scheduling", "bypass_changed", BypassChanged, ("compliance",)),
    Event("scheduling", "timer_due", TimerDue, ("scheduling",)),
)
TASKS = ()

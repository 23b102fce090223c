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


class TimetableDay(Message):
    activity = Code()
    on = Day()


class SubmitTimetable(Message):
    """The supplier's detailed timetable of the window (B8): a day for each activity that is planned by the day."""

    exit_id = Id()
    days = Many(TimetableDay)


class AnswerTimetable(Message):
    """The customer's answer (B11) to exactly this timetable; approval makes the plan an approved plan."""

    exit_id = Id()
    timetable_digest = Digest()
    answer = Choice("approved", "rejected")


class TimetableState(Message):
    exit_id = Id()
    state = Choice("submitted", "approved", "rejected")
    timetable_digest = Digest()


class WhatIf(Message):
    """Changes to try out without saving; what is not given stays as it is."""

    exit_id = Id()
    go_live = Day(required=False, allow_none=True, load_default=None)
    operations_end = Day(required=False, allow_none=True, load_default=None)
    agreement_end = Day(required=False, allow_none=True, load_default=None)
    option_end = Day(required=False, allow_none=True, load_default=None)
    options = Many(Code(), required=False, allow_none=True, load_default=None)
    days = Many(TimetableDay, required=False, load_default=list)


class AnswerProposal(Message):
    """Answer a proposed change of an approved plan; it is applied when every party that is asked has approved."""

    exit_id = Id()
    proposal_id = Id()
    proposal_digest = Digest()
    answer = Choice("approved", "rejected")


class ProposeProfile(Message):
    """Propose to every open exit of these customers the newest text of a profile that it has pinned an older one of."""

    profile = Code()
    limit = Count(required=False, load_default=100)


class ProfileProposals(Message):
    profile = Code()
    digest = Digest()
    proposed = Many(Id())
    unchanged = Count()


class ProposalAnswer(Message):
    exit_id = Id()
    proposal_id = Id()
    state = Choice("proposed", "applied", "rejected", "replaced")


class RequestHeavyJob(Message):
    """Ask to run a heavy job (R1): refused from P to T without an accord of both parties."""

    exit_id = Id()
    activity = Code()
    on = Day()


class HeavyJobAnswer(Message):
    exit_id = Id()
    activity = Code()
    allowed = fields.Boolean(required=True)
    clause = Text(80)


class RequestBypass(Message):
    """Ask for a change inside the frozen zone: a data-subject request (GDPR Art. 16–18), or another agreed change."""

    exit_id = Id()
    system = Place()
    kind = Choice("rectification", "erasure", "restriction", "agreed_change")
    digest = Digest()


class AnswerBypass(Message):
    exit_id = Id()
    bypass_id = Id()
    answer = Choice("agreed", "refused")


class CloseBypass(Message):
    """Report the change as made, with the digest of the delta that went to the receiver of the data."""

    exit_id = Id()
    bypass_id = Id()
    delta_digest = Digest()


class BypassState(Message):
    exit_id = Id()
    bypass_id = Id()
    state = Choice("requested", "agreed", "refused", "delta_delivered")


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


class ListActivities(Message):
    """What waits for somebody: manual activities that are due and approvals not yet given."""

    exit_id = Id()


class Waiting(Message):
    exit_id = Id()
    activities = Many(ActivityRow)
    approvals = Many(ApprovalRequest)


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
    Event("scheduling", "silence_applied", SilenceApplied, ("compliance",)),
    Event("scheduling", "cancellation_requested", CancellationRequested, ("deletion", "compliance")),
    Event("scheduling", "bypass_changed", BypassChanged, ("compliance",)),
    Event("scheduling", "timer_due", TimerDue, ("scheduling",)),
)

TASKS = ()

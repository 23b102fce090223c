"""What `scheduling` is asked for, and the short answers to it."""

from marshmallow import fields

from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, Place, Text
from contracts.registry import Message


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


class ListActivities(Message):
    """What waits for somebody: manual activities that are due and approvals not yet given."""

    exit_id = Id()

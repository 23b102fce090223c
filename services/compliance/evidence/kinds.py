"""The kinds of evidence: one closed schema each, and the table from the contract's events to them.

There is no type for free text; unknown fields are refused. What an event says beyond its kind's schema is not evidence.
"""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from contracts.deletion import CLASSES, DISPOSITIONS
from contracts.fields import Choice, Code, Count, Cvr, Day, Digest, Id, Many, One


class Entry(Schema):
    """An entry's body: closed, unlike a wire message."""

    class Meta:
        unknown = RAISE


def Name(**options: Any) -> fields.String:
    """Make a schema's own name of a system or place, as the wire has it: at most 200, no control characters."""
    rule = validate.Regexp(r"^[^\x00-\x1f]{1,200}\Z")
    return fields.String(required=options.pop("required", True), validate=rule, **options)


def Role(**options: Any) -> fields.String:
    """Make a role's wire name: one word."""
    return fields.String(required=True, validate=validate.Regexp(r"^[\w\-]{1,60}\Z"), **options)


def Instant(**options: Any) -> fields.String:
    """Make an instant or an opaque time id (digits, `T`, `Z`, signs)."""
    return fields.String(required=True, validate=validate.Regexp(r"^[0-9TZ:.+\-]{1,40}\Z"), **options)


def Flag() -> fields.Boolean:
    """Make a truth value."""
    return fields.Boolean(required=True)


class SystemLine(Entry):
    system = Name()
    kind = Code()
    deletion = Choice("1", "2", "index")


class AmendmentLine(Entry):
    kind = Choice("backups_six_months")
    digest = Digest()
    signed_on = Day()
    signed_by = Many(Choice("customer", "supplier"))


class ProfileLine(Entry):
    name = Code()
    version = Id()
    digest = Digest()


class AnswerLine(Entry):
    line = Code()
    answer = Choice("mapped", "not_used", "NOT_IN_REHEARSAL", "CONTINUING_AGREEMENT", "CUSTOMER_POSSESSION")


class OrderPlaced(Entry):
    agreement_id = Id()
    customer_cvr = Cvr()
    customer_type = Choice("municipality", "other")
    in_force_on = Day()
    takeover_day = Day()
    go_live = Day()
    operations_end = Day()
    agreement_end = Day()
    map_digest = Digest()
    systems = Many(SystemLine)
    amendments = Many(AmendmentLine)
    pinned = Many(ProfileLine)
    places = Many(AnswerLine)


class OptionsConfirmed(Entry):
    options = Many(Code())
    silence = Choice("delete_at_k15", "storage_option")


class InstructionGiven(Entry):
    kind = Choice("delete", "return")
    basis = Choice("INSTRUCTION", "AGREEMENT")
    digest = Digest()
    given_on = Day()


class ArchiveDecided(Entry):
    system = Name()
    decision = Choice("not_worth_keeping", "delivered_and_approved", "handed_to_customer", "option_after_end")
    digest = Digest()
    decided_on = Day()


class ObligationLine(Entry):
    id = Code()
    due = Day(allow_none=True)


class PlanMade(Entry):
    version = Count()
    plan_digest = Digest()
    obligations = Many(ObligationLine)
    conflicts = Count()


class ActivityOverdue(Entry):
    activity = Code()
    due = Day()


class ActivityCompleted(Entry):
    activity = Code()
    outcome = Choice("done", "waived", "not_chosen")
    on = Day()
    evidence_digest = Digest(allow_none=True)


class ApprovalLine(Entry):
    actor = Id()
    role = Role()
    at = Instant()


class Approved(Entry):
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    approval = One(ApprovalLine)


class DeletionIntent(Entry):
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    approvals = Many(ApprovalLine)


class PermitIssued(Entry):
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    intent_index = Count()


class NeedsSubmitted(Entry):
    digest = Digest()


class DispatchSet(Entry):
    recipient_digest = Digest()
    transfer_instruction_digest = Digest()


class DeliveredPlace(Entry):
    system = Name()
    place = Name()
    rows = Count()
    disposition = Choice("tenant", "shared")


class PackageDelivered(Entry):
    package_id = Id()
    package_digest = Digest()
    package_bytes = Count()
    files = Count()
    rows = Count()
    places = Many(DeliveredPlace)
    on = Day()


class DeliveryAccepted(Entry):
    package_id = Id()
    package_digest = Digest()
    actor = Id()
    role = Role()
    on = Day()


class AccessLine(Entry):
    system = Name()
    state = Choice("open", "frozen", "closed", "error")
    grants = Count()
    verified = Flag()
    on = Day(allow_none=True)


class AccessChanged(Entry):
    activity = Code()
    systems = Many(AccessLine)
    on = Day()


class AccessAttested(Entry):
    activity = Code()
    kind = Code()
    digest = Digest()
    actor = Id()
    role = Role()
    on = Day()


class InventoryLine(Entry):
    system = Name()
    place = Name()
    disposition = Choice(*DISPOSITIONS)
    reason = Code(allow_none=True)
    count = Count()


class DeletionPreviewed(Entry):
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    inventory_digest = Digest()
    places = Many(InventoryLine)
    total = Count()
    on = Day()


class DeletionBegun(Entry):
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    on = Day()


class BatchClosed(Entry):
    activity = Code()
    job_id = Id()
    system = Name()
    place = Name()
    batch = Count()
    planned = Count()
    deleted = Count()
    outside = Count()


class DeletionExecuted(Entry):
    activity = Code()
    job_id = Id()
    deleted = Count()
    batches = Count()
    outside = Count()
    on = Day()


class PlaceLine(Entry):
    system = Name()
    place = Name()
    disposition = Choice(*DISPOSITIONS)
    reason = Code(allow_none=True)
    before = Count()
    deleted = Count()
    arrived = Count()
    retained = Count()
    residual = Count()
    delivered = Count()
    row_class = Choice(*CLASSES, allow_none=True)


class DeletionVerified(Entry):
    activity = Code()
    job_id = Id()
    plan_digest = Digest()
    places = Many(PlaceLine)
    probes_drawn = Count()
    probes_found_before = Count()
    probes_found_after = Count()
    outside = Count()
    result = Choice("DELETED", "ABSENT_VERIFIED", "ERROR")
    on = Day()


class DeletionStopped(Entry):
    activity = Code()
    job_id = Id()
    code = Code()
    on = Day()


class BackupRegistered(Entry):
    system = Name()
    set_id = Id()
    taken_on = Day()
    expires_on = Day()


class BackupObserved(Entry):
    system = Name()
    set_id = Id()
    answer = Choice("PRESENT", "GONE", "ERROR")
    expires_on = Day()
    on = Day()


class BackupsExpired(Entry):
    sets = Count()
    last_expiry_on = Day()
    on = Day()


class CertificateSealed(Entry):
    """Written by the ledger itself when a certificate was issued, so that the log knows of every certificate."""

    certificate_id = Id()
    stage = Code()
    number = Name()
    statement_digest = Digest()


KINDS: dict[str, type[Entry]] = {
    "ORDER_PLACED": OrderPlaced,
    "OPTIONS_CONFIRMED": OptionsConfirmed,
    "INSTRUCTION_GIVEN": InstructionGiven,
    "ARCHIVE_DECIDED": ArchiveDecided,
    "PLAN_MADE": PlanMade,
    "ACTIVITY_OVERDUE": ActivityOverdue,
    "ACTIVITY_COMPLETED": ActivityCompleted,
    "APPROVAL_GIVEN": Approved,
    "DELETION_INTENT": DeletionIntent,
    "PERMIT_ISSUED": PermitIssued,
    "NEEDS_SUBMITTED": NeedsSubmitted,
    "DISPATCH_SET": DispatchSet,
    "PACKAGE_DELIVERED": PackageDelivered,
    "DELIVERY_ACCEPTED": DeliveryAccepted,
    "ACCESS_FROZEN": AccessChanged,
    "ACCESS_CLOSED": AccessChanged,
    "ACCESS_ATTESTED": AccessAttested,
    "DELETION_PREVIEWED": DeletionPreviewed,
    "DELETION_BEGUN": DeletionBegun,
    "DELETION_BATCH_CLOSED": BatchClosed,
    "DELETION_EXECUTED": DeletionExecuted,
    "DELETION_VERIFIED": DeletionVerified,
    "DELETION_STOPPED": DeletionStopped,
    "BACKUP_REGISTERED": BackupRegistered,
    "BACKUP_OBSERVED": BackupObserved,
    "BACKUPS_EXPIRED": BackupsExpired,
    "CERTIFICATE_ISSUED": CertificateSealed,
}

KIND_OF_EVENT: dict[str, str] = {
    "orders.order_placed": "ORDER_PLACED",
    "orders.options_confirmed": "OPTIONS_CONFIRMED",
    "orders.instruction_given": "INSTRUCTION_GIVEN",
    "orders.archive_decided": "ARCHIVE_DECIDED",
    "scheduling.plan_made": "PLAN_MADE",
    "scheduling.activity_overdue": "ACTIVITY_OVERDUE",
    "scheduling.activity_completed": "ACTIVITY_COMPLETED",
    "scheduling.approval_given": "APPROVAL_GIVEN",
    "scheduling.approval_completed": "DELETION_INTENT",
    "scheduling.permit_issued": "PERMIT_ISSUED",
    "delivery.needs_submitted": "NEEDS_SUBMITTED",
    "delivery.dispatch_set": "DISPATCH_SET",
    "delivery.package_delivered": "PACKAGE_DELIVERED",
    "delivery.delivery_accepted": "DELIVERY_ACCEPTED",
    "access.access_frozen": "ACCESS_FROZEN",
    "access.access_closed": "ACCESS_CLOSED",
    "access.access_attested": "ACCESS_ATTESTED",
    "deletion.deletion_previewed": "DELETION_PREVIEWED",
    "deletion.deletion_begun": "DELETION_BEGUN",
    "deletion.deletion_batch_closed": "DELETION_BATCH_CLOSED",
    "deletion.deletion_executed": "DELETION_EXECUTED",
    "deletion.deletion_verified": "DELETION_VERIFIED",
    "deletion.deletion_stopped": "DELETION_STOPPED",
    "deletion.backup_registered": "BACKUP_REGISTERED",
    "deletion.backup_observed": "BACKUP_OBSERVED",
    "deletion.backups_expired": "BACKUPS_EXPIRED",
}
"""Every event that becomes evidence. `scheduling.activity_due` is told to compliance too, but shows nothing: what was
due stands in PLAN_MADE, what was late in ACTIVITY_OVERDUE, what was done in ACTIVITY_COMPLETED."""

"""Wire messages of `deletion` about holds: placed, lifted, or set aside by two people of two parties (evidence §5)."""

from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, One, Place, Text
from contracts.registry import Command, Event, Message
from contracts.roles import CUSTOMER_DPO, CUSTOMER_LEAD, DELETION_OFFICER, MONITOR, READERS

OVERRIDE_REASONS = (
    "INSTRUCTION_WITHDRAWN", "PLACED_IN_ERROR", "LAW_LAPSED", "COURT_DECISION", "REQUEST_WITHDRAWN", "REQUEST_DECIDED",
)  # fmt: skip


class ExitHolds(Message):
    exit_id = Id()


class PlaceHold(Message):
    """Stop deletion in one system, or in all (`system` null). A dispute or the supplier's own interest is no basis."""

    exit_id = Id()
    system = Place(allow_none=True)
    basis = Choice("INSTRUCTION", "LAW", "DATA_SUBJECT_REQUEST")
    digest = Digest()


class LiftHold(Message):
    exit_id = Id()
    hold_id = Id()
    digest = Digest()


class HoldAnswer(Message):
    """`in_hand`: rows of a batch that was being kept when the hold was placed and may be gone; no later batch is."""

    exit_id = Id()
    hold_id = Id()
    state = Choice("placed", "lifted")
    in_hand = Count(required=False)


class OverrideHold(Message):
    """Set a hold aside without whoever placed it: one person asks, one of the other party agrees, word for word."""

    exit_id = Id()
    hold_id = Id()
    reason = Choice(*OVERRIDE_REASONS)
    digest = Digest()


class OverrideAnswer(Message):
    """What became of it; a refused attempt is an answer, because it is recorded: `code` says why."""

    exit_id = Id()
    hold_id = Id()
    state = Choice("requested", "overridden", "refused")
    code = Code(allow_none=True)


class AskedOverride(Message):
    """What one person asked for: `digest` is of the document that carries the reason."""

    actor = Id()
    party = Choice("customer", "supplier")
    reason = Choice(*OVERRIDE_REASONS)
    digest = Digest()


class HoldRow(Message):
    """One hold as it stands: `party` placed it, `lifted_by` is the digest of the document that lifted it."""

    hold_id = Id()
    system = Place(allow_none=True)
    basis = Choice("INSTRUCTION", "LAW", "DATA_SUBJECT_REQUEST")
    digest = Digest()
    party = Choice("customer", "supplier")
    state = Choice("placed", "lifted", "overridden")
    lifted_by = Digest(allow_none=True)
    override = One(AskedOverride, allow_none=True)


class Holds(Message):
    exit_id = Id()
    holds = Many(HoldRow)


class HoldPlaced(Message):
    exit_id = Id()
    hold_id = Id()
    system = Place(allow_none=True)
    basis = Choice("INSTRUCTION", "LAW", "DATA_SUBJECT_REQUEST")
    digest = Digest()
    actor = Id()
    role = Text(60)
    on = Day()


class HoldLifted(Message):
    exit_id = Id()
    hold_id = Id()
    digest = Digest()
    actor = Id()
    role = Text(60)
    on = Day()


class HoldOverrideRequested(Message):
    exit_id = Id()
    hold_id = Id()
    reason = Choice(*OVERRIDE_REASONS)
    digest = Digest()
    actor = Id()
    role = Text(60)
    on = Day()


class HoldOverridden(HoldOverrideRequested):
    """A second person of the other party agreed (`actor`); the hold is lifted by it, and told so too."""

    requested_by = Id()


class HoldOverrideRefused(HoldOverrideRequested):
    """An attempt that was refused; `code` says why."""

    code = Code()


_HOLDERS = frozenset({CUSTOMER_LEAD, CUSTOMER_DPO, DELETION_OFFICER})

COMMANDS = (
    Command("deletion", "place_hold", PlaceHold, HoldAnswer, _HOLDERS),
    Command("deletion", "lift_hold", LiftHold, HoldAnswer, _HOLDERS),
    Command("deletion", "override_hold", OverrideHold, OverrideAnswer, _HOLDERS),
    Command("deletion", "list_holds", ExitHolds, Holds, READERS | {MONITOR}, query=True),
)
EVENTS = (
    Event("deletion", "hold_placed", HoldPlaced, ("scheduling", "compliance")),
    Event("deletion", "hold_lifted", HoldLifted, ("scheduling", "compliance")),
    Event("deletion", "hold_override_requested", HoldOverrideRequested, ("compliance",)),
    Event("deletion", "hold_overridden", HoldOverridden, ("compliance",)),
    Event("deletion", "hold_override_refused", HoldOverrideRefused, ("compliance",)),
)

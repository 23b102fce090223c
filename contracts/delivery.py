"""Wire messages of `delivery`: data needs, dispatch, the extract, the package and its receipt."""

from marshmallow import fields

from contracts import delivery_copies as copies
from contracts.fields import Choice, Code, Count, Day, Digest, Id, Many, Place, Text
from contracts.registry import Command, Event, Message, Task
from contracts.roles import CUSTOMER, CUSTOMER_LEAD, MONITOR, READERS, SUCCESSOR


class ExitRef(Message):
    exit_id = Id()


class SubmitNeeds(Message):
    """The customer's data needs (B4): which systems' data the successor takes."""

    exit_id = Id()
    systems = Many(Place())
    digest = Digest()


class SetDispatch(Message):
    """How data go (B5): the drop by name from the supplier's configuration, and the receiver's age public key.

    To the successor only under a transfer instruction (S1 §9), named by its digest.
    """

    exit_id = Id()
    to = Choice("customer", "successor", required=False, load_default="successor")
    drop = Id()
    recipient = fields.String(required=True)
    transfer_instruction_digest = Digest(required=False, allow_none=True, load_default=None)


class AcceptDelivery(Message):
    """The receipt (C4): the receiver's own digest of the encrypted package that lies in the drop."""

    exit_id = Id()
    package_id = Id()
    package_digest = Digest()


class RejectDelivery(Message):
    """The customer does not accept what was delivered (C4: no): it is delivered anew."""

    exit_id = Id()
    package_id = Id()
    reason = Choice("incomplete", "unreadable", "wrong_data", "wrong_format")
    digest = Digest()


class Done(Message):
    exit_id = Id()
    state = Code()


class PlaceRows(Message):
    system = Place()
    place = Place()
    rows = Count()
    disposition = Choice("tenant", "shared")


class Delivery(Message):
    exit_id = Id()
    state = Code()
    drop = Id(allow_none=True)
    recipient = fields.String(allow_none=True)
    package_id = Id(allow_none=True)
    package_name = Text(200, allow_none=True)
    package_digest = Digest(allow_none=True)
    package_bytes = Count()
    rows = Count()
    places_done = Count()
    places_total = Count()
    places = Many(PlaceRows)
    accepted_on = Day(allow_none=True)


class NeedsSubmitted(Message):
    exit_id = Id()
    digest = Digest()


class DispatchSet(Message):
    exit_id = Id()
    to = Choice("customer", "successor")
    drop = Id()
    recipient_digest = Digest()
    transfer_instruction_digest = Digest(allow_none=True)


class ConnectionTested(Message):
    exit_id = Id()
    ok = fields.Boolean(required=True)
    code = Code()


class SpecificationMade(Message):
    exit_id = Id()
    digest = Digest()
    places = Count()


class PackageDelivered(Message):
    """What was handed over. `package_digest` is over the encrypted package (evidence.md §1.6)."""

    exit_id = Id()
    package_id = Id()
    package_digest = Digest()
    package_bytes = Count()
    files = Count()
    rows = Count()
    places = Many(PlaceRows)
    on = Day()


class DeliveryAccepted(Message):
    exit_id = Id()
    package_id = Id()
    package_digest = Digest()
    actor = Id()
    role = Text(60)
    on = Day()


class DeliveryRejected(Message):
    exit_id = Id()
    package_id = Id()
    reason = Choice("incomplete", "unreadable", "wrong_data", "wrong_format")
    digest = Digest()
    actor = Id()
    role = Text(60)
    on = Day()


class TestConnectionTask(Message):
    exit_id = Id()
    drop = Id()
    recipient = fields.String(required=True)


class SpecifyTask(Message):
    exit_id = Id()


class ExtractTask(Message):
    """Extract the next slice: place number `position` from row `after` on (opaque cursor of the hand's own store)."""

    exit_id = Id()
    package_id = Id()
    position = Count()


class PackageTask(Message):
    exit_id = Id()
    package_id = Id()


_CUSTOMER = frozenset({CUSTOMER_LEAD})

COMMANDS = (
    Command("delivery", "submit_needs", SubmitNeeds, Done, _CUSTOMER),
    Command("delivery", "set_dispatch", SetDispatch, Done, _CUSTOMER),
    Command("delivery", "accept_delivery", AcceptDelivery, Done, CUSTOMER - {"kommune_dpo"}),
    Command("delivery", "reject_delivery", RejectDelivery, Done, _CUSTOMER),
    Command("delivery", "read_delivery", ExitRef, Delivery, READERS | {SUCCESSOR, MONITOR}, query=True),
)

EVENTS = (
    *copies.EVENTS,
    Event("delivery", "needs_submitted", NeedsSubmitted, ("scheduling", "compliance")),
    Event("delivery", "dispatch_set", DispatchSet, ("scheduling", "compliance")),
    Event("delivery", "connection_tested", ConnectionTested, ("scheduling",)),
    Event("delivery", "specification_made", SpecificationMade, ("scheduling",)),
    Event("delivery", "package_delivered", PackageDelivered, ("scheduling", "deletion", "compliance")),
    Event("delivery", "delivery_accepted", DeliveryAccepted, ("scheduling", "deletion", "compliance")),
    Event("delivery", "delivery_rejected", DeliveryRejected, ("scheduling", "compliance")),
)

TASKS = (
    *copies.TASKS,
    Task("delivery", "extract", "test_connection", TestConnectionTask),
    Task("delivery", "extract", "specify", SpecifyTask),
    Task("delivery", "extract", "extract_place", ExtractTask),
    Task("delivery", "extract", "build_package", PackageTask),
)

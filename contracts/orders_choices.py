"""Wire messages of `orders` between the window and the end: contacts, dates, options, lists, accords."""

from marshmallow import fields

from contracts.fields import Choice, Code, Count, Cvr, Day, Digest, Id, Many, Place, Text
from contracts.orders_agreement import FixedDate
from contracts.registry import Message

ACCORDS = ("addendum", "amendment", "cooperation", "heavy_job", "milestone", "option_end")


class NameContact(Message):
    """A contact person of one party (B1; S1 §2). The name stays with orders; events carry an opaque id."""

    exit_id = Id()
    party = Choice("customer", "supplier", "successor")
    name = Text(200)
    email = Text(200)
    knows_solution = fields.Boolean(required=True)


class ConfirmDates(Message):
    """The customer's dates at P (B2): as ordered, or adjusted. Less than 90 Dage before needs an accord (T7)."""

    exit_id = Id()
    go_live = Day()
    operations_end = Day(required=False, allow_none=True, load_default=None)
    fixed_dates = Many(FixedDate, required=False, load_default=list)


class Cover(Message):
    """What a suspending option covers: these systems and no others; without any, all of them."""

    option = Code()
    systems = Many(Place())


class ChooseOptions(Message):
    """The options (B3), what they cover, and what the customer's silence about the delivery shall mean (T10)."""

    exit_id = Id()
    options = Many(Code())
    covers = Many(Cover, required=False, load_default=list)
    silence = Choice("delete_at_k15", "storage_option")


class Pair(Message):
    """One Børn/Admin pair (B6): does it continue, under which agreement, and is its feed from elsewhere secured?"""

    line = Code()
    continues = fields.Boolean(required=True)
    agreement_digest = Digest(allow_none=True)
    ends_on = Day(allow_none=True)
    delete_on = Day(allow_none=True)
    feed = Choice("none", "secured", "not_secured")


class DecidePairs(Message):
    exit_id = Id()
    pairs = Many(Pair)


class InstructTransfer(Message):
    """The transfer instruction (S1 §9) with the controller's approval; data go to the successor only under one."""

    exit_id = Id()
    recipient_cvr = Cvr()
    approved_on = Day()
    digest = Digest()


class Equipment(Message):
    """A line of the equipment register (S2 3.1); a machine is in the customer's possession only if the customer's."""

    item = Id()
    owner = Choice("customer", "supplier")
    kind = Choice("decentral_machine", "server", "media", "other")
    insured = fields.Boolean(required=True)
    system = Place(allow_none=True)


class ListEquipment(Message):
    """The whole register; an empty list is an answer."""

    exit_id = Id()
    items = Many(Equipment)


class SubSupplier(Message):
    """A sub-supplier (S2 12.2, 7.3), the whole chain; the name stays with orders."""

    sub_supplier = Id()
    name = Text(200)
    holds_data = fields.Boolean(required=True)
    dpa_digest = Digest(allow_none=True)


class ListSubSuppliers(Message):
    """The whole chain; an empty list is an answer."""

    exit_id = Id()
    sub_suppliers = Many(SubSupplier)


class RecordBillingRun(Message):
    """The last billing run (C1): every error of its log corrected, or accepted by the customer."""

    exit_id = Id()
    run_on = Day()
    errors = Count()
    corrected = Count()
    accepted = Count()
    digest = Digest()


class Instruct(Message):
    """The controller's documented instruction (GDPR Art. 28(3)(g)); `erase_early` also waives a later retrieval."""

    exit_id = Id()
    kind = Choice("delete", "return")
    basis = Choice("INSTRUCTION", "AGREEMENT")
    erase_early = fields.Boolean(required=False, load_default=False)
    digest = Digest()
    given_on = Day()


class DecideArchive(Message):
    exit_id = Id()
    system = Place()
    decision = Choice("not_worth_keeping", "delivered_and_approved", "handed_to_customer", "option_after_end")
    digest = Digest()
    decided_on = Day()


class ProposeAccord(Message):
    """Propose what binds only when both parties signed it: this party's signature, waiting for the other's.

    addendum (B14): `options` and `until`; amendment (S2 15.1): `subject` = its kind; cooperation with the successor;
    heavy_job (R1): `subject` = D4 or D5, `on`, `reason`; milestone (T7): `subject` = activity or T, `on`, `reason`;
    option_end: `options`, `until`.
    """

    exit_id = Id()
    kind = Choice(*ACCORDS)
    subject = Code(required=False, allow_none=True, load_default=None)
    options = Many(Code(), required=False, load_default=list)
    on = Day(required=False, allow_none=True, load_default=None)
    until = Day(required=False, allow_none=True, load_default=None)
    reason = Choice("technical", "capacity", "customer_wish", "authority", required=False, allow_none=True,
                    load_default=None)  # fmt: skip
    digest = Digest()


class SignAccord(Message):
    """Sign, as the other party, exactly the document with this digest."""

    exit_id = Id()
    accord_id = Id()
    digest = Digest()


class AccordAnswer(Message):
    exit_id = Id()
    accord_id = Id()
    state = Choice("proposed", "signed")

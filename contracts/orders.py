"""Wire messages of `orders`: agreements, the order of the exit window, decisions, accords of both parties, notices."""

from marshmallow import fields

from contracts.fields import Choice, Code, Count, Cvr, Day, Digest, Id, Many, One, Place, Text
from contracts.registry import Command, Event, Message
from contracts.roles import CUSTOMER_LEAD, MONITOR, READERS, SUPPLIER_LEAD

AMENDMENTS = ("backups_six_months", "services_after_end")
NOTICES = (
    "termination", "annulment", "immediate_end", "supplier_end", "reduction", "extension", "emergency_extension",
    "emergency_end", "postponement", "exit_process", "retention", "retention_end", "standard_copy",
)  # fmt: skip
OUTCOMES = ("accepted", "accepted_later", "agreement_needed", "refused")
ACCORDS = ("addendum", "amendment", "cooperation", "heavy_job", "milestone", "option_end")


class Party(Message):
    cvr = Cvr()
    name = Text(200)


class Amendment(Message):
    """An ændringstillæg (S2 15.1): only one signed by both parties changes the agreement."""

    kind = Choice(*AMENDMENTS)
    digest = Digest()
    signed_on = Day()
    signed_by = Many(Choice("customer", "supplier"))


class Service(Message):
    """A Kerneydelse (`core`) or Funktionel tillægsydelse (`additional`) and the systems that give it (S2 15.6.1)."""

    service = Code()
    kind = Choice("core", "additional")
    systems = Many(Place())


class RegisterAgreement(Message):
    """`takeover_day` is the day of the customer's written approval, never computed; `agreement_end` may be left to
    the profile (27.1: 72 months after it). `numbers` come from the annexes; `lawyer_confirmed` names overlays."""

    reference = Id()
    customer = One(Party)
    customer_type = Choice("municipality", "other")
    supplier = One(Party)
    profiles = Many(Code())
    dpa_reference = Id()
    in_force_on = Day()
    takeover_day = Day(allow_none=True)
    agreement_end = Day(required=False, allow_none=True, load_default=None)
    framework_end = Day(required=False, allow_none=True, load_default=None)
    amendments = Many(Amendment, load_default=list, required=False)
    numbers = fields.Dict(keys=Code(), values=Count(), load_default=dict)
    lawyer_confirmed = Many(Code(), required=False, load_default=list)
    services = Many(Service, required=False, load_default=list)


class AgreementAnswer(Message):
    agreement_id = Id()


class ApproveTakeover(Message):
    """The customer's written approval of the takeover (S2 1, Overtagelsesdag)."""

    agreement_id = Id()
    takeover_day = Day()
    digest = Digest()


class SystemScope(Message):
    """One system of the system map, as far as dates and certificates need it (no connection, no credential)."""

    system = Place()
    title = Text(200)
    kind = Code()
    deletion = Choice("1", "2", "index")


class PlaceAnswer(Message):
    """An answer to one line of the reconciled list of places (evidence.md §5)."""

    line = Code()
    answer = Choice("mapped", "not_used", "NOT_IN_REHEARSAL", "CONTINUING_AGREEMENT", "CUSTOMER_POSSESSION")


class FixedDate(Message):
    """A date the customer asks the supplier to respect (S1 §4); `line` is the customer's own short code for it."""

    line = Code()
    on = Day()


class OrderWindow(Message):
    """Order an exit window (A1). A partial exit (S2 15.6, 27.2) names its services and the day they end."""

    agreement_id = Id()
    go_live = Day()
    operations_end = Day(required=False, allow_none=True, load_default=None)
    fixed_dates = Many(FixedDate, required=False, load_default=list)
    scope = Choice("whole", "partial", required=False, load_default="whole")
    services = Many(Code(), required=False, load_default=list)
    ends_on = Day(required=False, allow_none=True, load_default=None)
    tenant = Place()
    map_digest = Digest()
    systems = Many(SystemScope)
    places = Many(PlaceAnswer)


class Caution(Message):
    """What is allowed but needs attention, with its clause (T1, T3, T5, T8, an unsecured feed of B6)."""

    code = Code()
    clause = Text(80)
    message_da = Text(500)
    message_en = Text(500)


class ExitAnswer(Message):
    exit_id = Id()
    warnings = Many(Caution, required=False)


class ExitRef(Message):
    exit_id = Id()


class AnswerPlaces(Message):
    """Answer lines of the reconciled list after the order, before the final order."""

    exit_id = Id()
    places = Many(PlaceAnswer)


class HoldMeeting(Message):
    """The clarification meeting (A2): options expected, and whether archiving was raised (T3)."""

    exit_id = Id()
    held_on = Day()
    expected_options = Many(Code())
    archive_asked = fields.Boolean(required=True)
    digest = Digest()


class ConfirmWindow(Message):
    """The supplier's answer to the order (A3): as wished, or a counter-proposal with other dates."""

    exit_id = Id()
    answer = Choice("confirmed", "countered", required=False, load_default="confirmed")
    go_live = Day(required=False, allow_none=True, load_default=None)
    operations_end = Day(required=False, allow_none=True, load_default=None)


class AnswerCounter(Message):
    exit_id = Id()
    answer = Choice("accepted", "declined")


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


class CheckNotice(Message):
    """A notice to be weighed. `effect_on`: the wished day; `months`: of an extension; `milestone`: an activity id or T;
    `services`: of a reduction or partial end; `basis_on`: an order's day, a demand's day, the framework's end."""

    exit_id = Id()
    kind = Choice(*NOTICES)
    variant = Code(required=False, allow_none=True, load_default=None)
    given_on = Day()
    effect_on = Day(required=False, allow_none=True, load_default=None)
    basis_on = Day(required=False, allow_none=True, load_default=None)
    months = Count(required=False, allow_none=True, load_default=None)
    milestone = Code(required=False, allow_none=True, load_default=None)
    services = Many(Code(), required=False, load_default=list)


class Notice(CheckNotice):
    """A written notice, with the digest of the document that the other party has."""

    digest = Digest()


class Moved(Message):
    """An anchor of the plan that gets another date."""

    anchor = Code()
    on = Day()


class Verdict(Message):
    """What a notice brings: the outcome, the day it takes effect, the clause, and the last day in time."""

    exit_id = Id()
    notice_id = Id(allow_none=True)
    kind = Choice(*NOTICES)
    variant = Code(allow_none=True)
    outcome = Choice(*OUTCOMES)
    code = Code(allow_none=True)
    effect_on = Day(allow_none=True)
    latest_on = Day(allow_none=True)
    clause = Text(80)
    moved = Many(Moved)
    options = Many(Code())
    message_da = Text(500)
    message_en = Text(500)


class NoticeDay(Message):
    """The last day of one kind of notice in time, for the customer's calendar (`clear_on`: read with clear days)."""

    kind = Choice(*NOTICES)
    variant = Code(allow_none=True)
    title_da = Text(200)
    title_en = Text(200)
    clause = Text(80)
    latest_on = Day(allow_none=True)
    clear_on = Day(allow_none=True)


class Calendar(Message):
    exit_id = Id()
    days = Many(NoticeDay)


class RecordTrigger(Message):
    """Something happened that starts a period of the agreement: `anchor` is one of the profiles' (`demand`, …)."""

    exit_id = Id()
    anchor = Code()
    on = Day()
    digest = Digest()


class AnswerObligation(Message):
    """Show that an obligation was met, or that it was not (`failed`), with the digest of what shows it."""

    exit_id = Id()
    obligation = Code()
    answer = Choice("met", "failed")
    on = Day()
    digest = Digest()


class CancelExit(Message):
    exit_id = Id()
    reason = Choice("withdrawn", "replaced", "agreement_continues")
    digest = Digest()


class SetCapacity(Message):
    """How many exit windows the supplier takes at once, from a day on (T8: it may move extras, never 28.1's duties)."""

    supplier_cvr = Cvr()
    starts_on = Day()
    windows = Count()


class CapacityAnswer(Message):
    supplier_cvr = Cvr()
    starts_on = Day()
    windows = Count()


class Done(Message):
    exit_id = Id()
    state = Code()
    warnings = Many(Caution, required=False)


class Contact(Message):
    party = Choice("customer", "supplier", "successor")
    contact_id = Id()
    name = Text(200)
    email = Text(200)


class AccordRow(Message):
    """An accord as either party reads it: what it needs to sign exactly the same digest."""

    accord_id = Id()
    kind = Choice(*ACCORDS)
    subject = Code(allow_none=True)
    options = Many(Code())
    on = Day(allow_none=True)
    until = Day(allow_none=True)
    reason = Code(allow_none=True)
    digest = Digest()
    proposed_by = Choice("customer", "supplier")
    state = Choice("proposed", "signed")
    signed_on = Day(allow_none=True)


class CounterRow(Message):
    go_live = Day()
    operations_end = Day()


class ExitRow(Message):
    """An exit as it stands; `counter` holds the supplier's proposed dates while it waits for an answer."""

    exit_id = Id()
    agreement_id = Id()
    state = Code()
    scope = Choice("whole", "partial")
    customer_name = Text(200)
    customer_cvr = Cvr()
    supplier_name = Text(200)
    supplier_cvr = Cvr()
    reference = Id()
    dpa_reference = Id()
    profiles = Many(Code())
    go_live = Day()
    operations_end = Day()
    agreement_end = Day()
    takeover_day = Day()
    tenant = Place()
    map_digest = Digest()
    systems = Many(SystemScope)
    options = Many(Code())
    unanswered = Many(Code())
    contacts = Many(Contact)
    services = Many(Code(), required=False)
    fixed_dates = Many(FixedDate, required=False)
    counter = One(CounterRow, required=False, allow_none=True)
    accords = Many(AccordRow, required=False)
    warnings = Many(Caution, required=False)


class ListExits(Message):
    limit = Count(required=False, load_default=100)


class Exits(Message):
    exits = Many(ExitRow)


class PinnedProfile(Message):
    name = Code()
    version = Id()
    digest = Digest()
    source_digest = Digest(allow_none=True)


class WindowOrdered(Message):
    """The order as it stands; told again, with the newest dates, by every event that repeats its fields."""

    exit_id = Id()
    agreement_id = Id()
    customer_cvr = Cvr()
    customer_type = Choice("municipality", "other")
    profiles = Many(Code())
    in_force_on = Day()
    takeover_day = Day()
    go_live = Day()
    operations_end = Day()
    agreement_end = Day()
    scope = Choice("whole", "partial")
    tenant = Place()
    map_digest = Digest()
    systems = Many(SystemScope)
    amendments = Many(Amendment)
    numbers = fields.Dict(keys=Code(), values=Count(), required=True)
    lawyer_confirmed = Many(Code())


class OrderPlaced(WindowOrdered):
    pinned = Many(PinnedProfile)
    places = Many(PlaceAnswer)


class MeetingHeld(Message):
    exit_id = Id()
    on = Day()
    archive_asked = fields.Boolean(required=True)
    digest = Digest()


class WindowCountered(Message):
    exit_id = Id()
    go_live = Day()
    operations_end = Day()


class ContactNamed(Message):
    exit_id = Id()
    party = Choice("customer", "supplier", "successor")
    contact_id = Id()
    on = Day()


class DatesConfirmed(Message):
    """The dates of B2, final; `adjusted` tells whether they differ from the order's."""

    exit_id = Id()
    go_live = Day()
    operations_end = Day()
    adjusted = fields.Boolean(required=True)
    on = Day()


class OptionsConfirmed(ChooseOptions):
    pass


class PairsDecided(DecidePairs):
    on = Day()


class TransferInstructed(InstructTransfer):
    pass


class EquipmentListed(Message):
    exit_id = Id()
    digest = Digest()
    items = Count()
    supplier_machines = Count()
    on = Day()


class SubSuppliersListed(Message):
    exit_id = Id()
    digest = Digest()
    sub_suppliers = Count()
    holding_data = Count()
    without_dpa = Count()
    on = Day()


class BillingRunRecorded(Message):
    exit_id = Id()
    errors = Count()
    corrected = Count()
    accepted = Count()
    digest = Digest()
    on = Day()


class InstructionGiven(Instruct):
    pass


class ArchiveDecided(DecideArchive):
    pass


class AccordSigned(ProposeAccord):
    """Both parties have signed; `on` and `until` as agreed, `signed_on` the day of the second signature."""

    accord_id = Id()
    signed_on = Day()
    signed_by = Many(Choice("customer", "supplier"))


class NoticeGiven(Message):
    """A notice and its verdict; `moved` and `options` are what it changes (empty where refused)."""

    exit_id = Id()
    notice_id = Id()
    kind = Choice(*NOTICES)
    variant = Code(allow_none=True)
    by = Choice("customer", "supplier")
    outcome = Choice(*OUTCOMES)
    code = Code(allow_none=True)
    given_on = Day()
    effect_on = Day(allow_none=True)
    latest_on = Day(allow_none=True)
    clause = Text(80)
    milestone = Code(allow_none=True)
    services = Many(Code())
    moved = Many(Moved)
    options = Many(Code())
    digest = Digest()


class TriggerRecorded(RecordTrigger):
    pass


class ObligationAnswered(AnswerObligation):
    by = Choice("customer", "supplier")


class ExitCancelled(Message):
    exit_id = Id()
    reason = Choice("withdrawn", "replaced", "agreement_continues")
    digest = Digest()
    on = Day()


_CUSTOMER, _SUPPLIER = frozenset({CUSTOMER_LEAD}), frozenset({SUPPLIER_LEAD})
_BOTH = _CUSTOMER | _SUPPLIER

COMMANDS = (
    Command("orders", "register_agreement", RegisterAgreement, AgreementAnswer, _SUPPLIER),
    Command("orders", "approve_takeover", ApproveTakeover, AgreementAnswer, _CUSTOMER),
    Command("orders", "set_capacity", SetCapacity, CapacityAnswer, _SUPPLIER),
    Command("orders", "order_window", OrderWindow, ExitAnswer, _CUSTOMER),
    Command("orders", "answer_places", AnswerPlaces, Done, _CUSTOMER),
    Command("orders", "hold_meeting", HoldMeeting, Done, _BOTH),
    Command("orders", "confirm_window", ConfirmWindow, Done, _SUPPLIER),
    Command("orders", "answer_counter", AnswerCounter, Done, _CUSTOMER),
    Command("orders", "list_equipment", ListEquipment, Done, _SUPPLIER),
    Command("orders", "list_sub_suppliers", ListSubSuppliers, Done, _SUPPLIER),
    Command("orders", "place_final_order", ExitRef, Done, _CUSTOMER),
    Command("orders", "name_contact", NameContact, Done, _BOTH),
    Command("orders", "confirm_dates", ConfirmDates, Done, _CUSTOMER),
    Command("orders", "choose_options", ChooseOptions, Done, _CUSTOMER),
    Command("orders", "decide_pairs", DecidePairs, Done, _CUSTOMER),
    Command("orders", "instruct_transfer", InstructTransfer, Done, _CUSTOMER),
    Command("orders", "record_billing_run", RecordBillingRun, Done, _BOTH),
    Command("orders", "instruct", Instruct, Done, _CUSTOMER),
    Command("orders", "decide_archive", DecideArchive, Done, _CUSTOMER),
    Command("orders", "propose_accord", ProposeAccord, AccordAnswer, _BOTH),
    Command("orders", "sign_accord", SignAccord, AccordAnswer, _BOTH),
    Command("orders", "give_notice", Notice, Verdict, _BOTH),
    Command("orders", "check_notice", CheckNotice, Verdict, _BOTH, query=True),
    Command("orders", "read_calendar", ExitRef, Calendar, READERS, query=True),
    Command("orders", "record_trigger", RecordTrigger, Done, _BOTH),
    Command("orders", "answer_obligation", AnswerObligation, Done, _BOTH),
    Command("orders", "cancel_exit", CancelExit, Done, _CUSTOMER),
    Command("orders", "read_exit", ExitRef, ExitRow, READERS, query=True),
    Command("orders", "list_exits", ListExits, Exits, READERS | {MONITOR}, query=True),
)

_TOLD = ("scheduling", "compliance")

EVENTS = (
    Event("orders", "window_ordered", WindowOrdered, ("scheduling",)),
    Event("orders", "meeting_held", MeetingHeld, _TOLD),
    Event("orders", "window_countered", WindowCountered, ("scheduling",)),
    Event("orders", "window_confirmed", ExitRef, ("scheduling",)),
    Event("orders", "order_placed", OrderPlaced, ("scheduling", "delivery", "access", "deletion", "compliance")),
    Event("orders", "contact_named", ContactNamed, _TOLD),
    Event("orders", "dates_confirmed", DatesConfirmed, _TOLD),
    Event("orders", "options_confirmed", OptionsConfirmed, _TOLD),
    Event("orders", "pairs_decided", PairsDecided, _TOLD),
    Event("orders", "transfer_instructed", TransferInstructed, ("scheduling", "delivery", "compliance")),
    Event("orders", "equipment_listed", EquipmentListed, _TOLD),
    Event("orders", "sub_suppliers_listed", SubSuppliersListed, _TOLD),
    Event("orders", "billing_run_recorded", BillingRunRecorded, _TOLD),
    Event("orders", "instruction_given", InstructionGiven, _TOLD),
    Event("orders", "archive_decided", ArchiveDecided, _TOLD),
    Event("orders", "accord_signed", AccordSigned, _TOLD),
    Event("orders", "notice_given", NoticeGiven, _TOLD),
    Event("orders", "trigger_recorded", TriggerRecorded, _TOLD),
    Event("orders", "obligation_answered", ObligationAnswered, _TOLD),
    Event("orders", "exit_cancelled", ExitCancelled, ("scheduling", "delivery", "access", "deletion", "compliance")),
)

TASKS = ()

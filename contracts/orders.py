"""Wire messages of `orders`: what it is asked for and what it tells; the messages' parts have modules of their own."""

from marshmallow import fields

from contracts.fields import Choice, Code, Count, Cvr, Day, Digest, Id, Many, Place, Text
from contracts.orders_agreement import (
    AgreementAnswer,
    Amendment,
    AnswerCounter,
    AnswerPlaces,
    ApproveTakeover,
    CapacityAnswer,
    Caution,
    ConfirmWindow,
    ExitAnswer,
    ExitRef,
    HoldMeeting,
    OrderWindow,
    PlaceAnswer,
    RegisterAgreement,
    SetCapacity,
    SystemScope,
)
from contracts.orders_choices import (
    AccordAnswer,
    ChooseOptions,
    ConfirmDates,
    DecideArchive,
    DecidePairs,
    Instruct,
    InstructTransfer,
    ListEquipment,
    ListSubSuppliers,
    NameContact,
    ProposeAccord,
    RecordBillingRun,
    SignAccord,
)
from contracts.orders_notices import (
    NOTICES,
    OUTCOMES,
    AnswerObligation,
    Calendar,
    CancelExit,
    CheckNotice,
    Moved,
    Notice,
    RecordTrigger,
    Verdict,
)
from contracts.orders_rows import ExitRow, Exits, ListExits
from contracts.registry import Command, Event, Message
from contracts.roles import CUSTOMER_LEAD, MONITOR, READERS, SUPPLIER_LEAD


class Done(Message):
    exit_id = Id()
    state = Code()
    warnings = Many(Caution, required=False)


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

"""Wire messages of `orders`: agreements, the order of the exit window, options, instructions, archive decisions."""

from contracts.fields import Choice, Code, Count, Cvr, Day, Digest, Id, Many, One, Place, Text
from contracts.registry import Command, Event, Message
from contracts.roles import CUSTOMER_LEAD, MONITOR, READERS, SUPPLIER_LEAD


class Party(Message):
    cvr = Cvr()
    name = Text(200)


class Amendment(Message):
    """An ændringstillæg (S2 15.1): only one signed by both parties changes the agreement."""

    kind = Choice("backups_six_months")
    digest = Digest()
    signed_on = Day()
    signed_by = Many(Choice("customer", "supplier"))


class RegisterAgreement(Message):
    reference = Id()
    customer = One(Party)
    customer_type = Choice("municipality", "other")
    supplier = One(Party)
    profiles = Many(Code())
    dpa_reference = Id()
    in_force_on = Day()
    takeover_day = Day()
    agreement_end = Day()
    amendments = Many(Amendment, load_default=list, required=False)


class AgreementAnswer(Message):
    agreement_id = Id()


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


class OrderWindow(Message):
    agreement_id = Id()
    go_live = Day()
    operations_end = Day(required=False, allow_none=True, load_default=None)
    tenant = Place()
    map_digest = Digest()
    systems = Many(SystemScope)
    places = Many(PlaceAnswer)


class ExitAnswer(Message):
    exit_id = Id()


class ExitRef(Message):
    exit_id = Id()


class ChooseOptions(Message):
    exit_id = Id()
    options = Many(Code())
    silence = Choice("delete_at_k15", "storage_option")


class Instruct(Message):
    """The controller's documented instruction (GDPR Art. 28(3)(g))."""

    exit_id = Id()
    kind = Choice("delete", "return")
    basis = Choice("INSTRUCTION", "AGREEMENT")
    digest = Digest()
    given_on = Day()


class DecideArchive(Message):
    exit_id = Id()
    system = Place()
    decision = Choice("not_worth_keeping", "delivered_and_approved", "handed_to_customer", "option_after_end")
    digest = Digest()
    decided_on = Day()


class Done(Message):
    exit_id = Id()
    state = Code()


class ExitRow(Message):
    exit_id = Id()
    agreement_id = Id()
    state = Code()
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


class ListExits(Message):
    limit = Count(required=False, load_default=100)


class Exits(Message):
    exits = Many(ExitRow)


class PinnedProfile(Message):
    name = Code()
    version = Id()
    digest = Digest()


class WindowOrdered(Message):
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
    tenant = Place()
    map_digest = Digest()
    systems = Many(SystemScope)
    amendments = Many(Amendment)


class OrderPlaced(WindowOrdered):
    pinned = Many(PinnedProfile)
    places = Many(PlaceAnswer)


class OptionsConfirmed(ChooseOptions):
    pass


class InstructionGiven(Instruct):
    pass


class ArchiveDecided(DecideArchive):
    pass


_CUSTOMER, _SUPPLIER = frozenset({CUSTOMER_LEAD}), frozenset({SUPPLIER_LEAD})

COMMANDS = (
    Command("orders", "register_agreement", RegisterAgreement, AgreementAnswer, _SUPPLIER),
    Command("orders", "order_window", OrderWindow, ExitAnswer, _CUSTOMER),
    Command("orders", "confirm_window", ExitRef, Done, _SUPPLIER),
    Command("orders", "place_final_order", ExitRef, Done, _CUSTOMER),
    Command("orders", "choose_options", ChooseOptions, Done, _CUSTOMER),
    Command("orders", "instruct", Instruct, Done, _CUSTOMER),
    Command("orders", "decide_archive", DecideArchive, Done, _CUSTOMER),
    Command("orders", "read_exit", ExitRef, ExitRow, READERS, query=True),
    Command("orders", "list_exits", ListExits, Exits, READERS | {MONITOR}, query=True),
)

EVENTS = (
    Event("orders", "window_ordered", WindowOrdered, ("scheduling",)),
    Event("orders", "window_confirmed", ExitRef, ("scheduling",)),
    Event("orders", "order_placed", OrderPlaced, ("scheduling", "delivery", "access", "deletion", "compliance")),
    Event("orders", "options_confirmed", OptionsConfirmed, ("scheduling", "compliance")),
    Event("orders", "instruction_given", InstructionGiven, ("scheduling", "compliance")),
    Event("orders", "archive_decided", ArchiveDecided, ("scheduling", "compliance")),
)

TASKS = ()

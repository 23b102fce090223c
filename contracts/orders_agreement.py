"""Wire messages of `orders` up to the confirmed window: the agreement, the order, its scope and dates."""

from marshmallow import fields

from contracts.fields import Choice, Code, Count, Cvr, Day, Digest, Id, Many, One, Place, Text
from contracts.registry import Message

AMENDMENTS = ("backups_six_months", "services_after_end")


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


class SetCapacity(Message):
    """How many exit windows the supplier takes at once, from a day on (T8: it may move extras, never 28.1's duties)."""

    supplier_cvr = Cvr()
    starts_on = Day()
    windows = Count()


class CapacityAnswer(Message):
    supplier_cvr = Cvr()
    starts_on = Day()
    windows = Count()

"""What `orders` shows of an exit when it is read."""

from contracts.fields import Choice, Code, Count, Cvr, Day, Digest, Id, Many, One, Place, Text
from contracts.orders_agreement import Caution, FixedDate, SystemScope
from contracts.orders_choices import ACCORDS
from contracts.registry import Message


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

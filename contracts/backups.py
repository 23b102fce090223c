"""Wire messages of `deletion` about what stands in the way of the backups' expiry: overdue sets, sets beside the
catalogue, sets dated otherwise (S1 D9, evidence.md §5); and the expiry curve.
"""

from contracts.fields import Choice, Code, Count, Day, Id, Place
from contracts.registry import Event, Message

FINDINGS = ("UNCATALOGUED", "DATED_OTHERWISE")


class FindingRow(Message):
    """A set that is there and not as the catalogue has it; `taken_on`: the day its source says, None: none."""

    system = Place()
    set_id = Id()
    finding = Choice(*FINDINGS)
    kind = Code()
    taken_on = Day(allow_none=True)


class CurvePoint(Message):
    """How many sets are left at the end of a day, by the plan and by what was seen (None: the day has not come)."""

    on = Day()
    planned = Count()
    seen = Count(allow_none=True)


class BackupOverdue(Message):
    """A set that should be gone and was not seen to be, told on the first day and each week after it."""

    exit_id = Id()
    system = Place()
    set_id = Id()
    state = Choice("OVERDUE", "UNSEEN")
    last_on = Day()
    days = Count()
    on = Day()


class BackupFound(FindingRow):
    """A set was found beside the catalogue, or dated otherwise: no last certificate until it is catalogued so."""

    exit_id = Id()
    on = Day()


EVENTS = (
    Event("deletion", "backup_overdue", BackupOverdue, ("compliance",)),
    Event("deletion", "backup_found", BackupFound, ("compliance",)),
)

"""Wire messages of `delivery` about our own copies of a customer's data: rows of the inventory, gone by K+15."""

from contracts.fields import Choice, Count, Day, Id, Many
from contracts.registry import Event, Message, Task

KINDS = ("PACKAGE", "WORK_FILES", "POSITIONS", "OWN_BACKUP")
"""The delivered package in our drop; what was read for it; the keys and names at which its extract stood; a backup of
Ophør's own databases from before they were cleared."""
ANSWERS = ("DELETED", "ABSENT_VERIFIED", "CUSTOMER_POSSESSION", "PRESENT", "ERROR")
LEFT = ("PRESENT", "ERROR")


class CopyRow(Message):
    """One copy of ours as it was last looked for; `name`: the package's or the backup set's."""

    kind = Choice(*KINDS)
    name = Id()
    answer = Choice(*ANSWERS)


class OwnCopiesLooked(Message):
    """Every copy of ours was disposed of, or looked for; `left`: how many are not gone."""

    exit_id = Id()
    rows = Many(CopyRow)
    left = Count()
    on = Day()


class LookAtCopies(Message):
    exit_id = Id()
    on = Day()


EVENTS = (
    Event("delivery", "own_copies_looked", OwnCopiesLooked, ("compliance",)),
    Event("delivery", "copies_look_due", LookAtCopies, ("delivery",)),
)
TASKS = (Task("delivery", "extract", "dispose_copies", LookAtCopies),)

"""How a PDF is sealed (PAdES), and until when its seal can be judged."""

from contracts.fields import Day, Text
from contracts.registry import Message

SEALS = ("B-B", "B-T", "B-LTA")


class SealHolds(Message):
    """Until when a PDF's seal can be judged by the file alone: the last day of its certificate, or of the time stamp's.

    `stamped_by` and `stamped_on` are null where no authority stamped it.
    """

    until = Day()
    stamped_by = Text(300, allow_none=True)
    stamped_on = Day(allow_none=True)
